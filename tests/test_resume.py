"""A run that is killed at any moment can be resumed, and ends with the same weights."""

import os
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from minicnn.apps.runs.settings import Settings, to_toml
from minicnn.models import load_model

SIZE = 24
KILLS = 4


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    """Return settings: three classes of noise, augmented, seven epochs of eight steps."""
    root = tmp_path_factory.mktemp("noise")
    numbers = np.random.default_rng(0)
    for part, count in (("train", 40), ("test", 6)):
        for name in ("a", "b", "c"):
            (root / "data" / part / name).mkdir(parents=True)
            for i in range(count):
                pixels = numbers.integers(0, 256, (SIZE, SIZE, 3), np.uint8)
                Image.fromarray(pixels).save(root / "data" / part / name / f"{i}.png")
    settings = Settings(
        model="cifar",
        data=str(root / "data"),
        name="noise",
        epochs=7,
        batch_size=16,
        image_size=(SIZE, SIZE),
        optimizer={"name": "adam", "learning_rate": 0.002, "schedule": "cosine"},
        augmentation={"horizontal_flip": True, "width_shift_range": 0.1},
    )
    (root / "noise.toml").write_text(to_toml(settings))
    return root / "noise.toml"


def start(config, runs, *more):
    arguments = ["train", str(config), "--runs", str(runs), "--quiet", *more]
    return subprocess.Popen(
        [sys.executable, "-m", "minicnn", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )


def finish(process):
    out, err = process.communicate()
    assert process.returncode == 0, err
    return out


def weights(runs, name):
    return load_model(runs / "noise-1" / name).get_weights()


@pytest.mark.slow
def test_killed_again_and_again_it_ends_with_the_same_weights(config, tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    undisturbed = start(config, whole)
    dice = random.SystemRandom()
    process = start(config, killed)
    wait_for(killed / "noise-1" / "config.toml", process)
    times = []
    for _ in range(KILLS):
        times.append(round(dice.uniform(0.0, 1.2), 3))
        time.sleep(times[-1])
        process.send_signal(signal.SIGKILL)
        process.communicate()
        if (killed / "noise-1" / "report.json").exists():
            break
        process = start(config, killed, "--resume")
    else:
        finish(process)
    finish(undisturbed)

    for name in ("best.mcnn", "checkpoints/last.mcnn"):
        for ours, theirs in zip(weights(killed, name), weights(whole, name), strict=True):
            np.testing.assert_array_equal(ours, theirs, f"{name}, killed after {times}")
    assert not list(killed.rglob(".minicnn-*.tmp"))
    history = (killed / "noise-1" / "history.csv").read_text()
    assert history == (whole / "noise-1" / "history.csv").read_text()


def wait_for(path, process):
    while not path.exists():
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.05)


@pytest.mark.skipif(os.name == "nt", reason="SIGINT is sent otherwise there")
def test_ctrl_c_keeps_the_batches_that_were_done(config, tmp_path):
    process = start(config, tmp_path)
    wait_for(tmp_path / "noise-1" / "history.csv", process)
    process.send_signal(signal.SIGINT)
    process.communicate()
    if process.returncode == 0:
        return  # it was faster
    assert process.returncode == 130
    assert list((tmp_path / "noise-1" / "checkpoints").glob("checkpoint-*.mcnn"))
    finish(start(config, tmp_path, "--resume"))
    assert (tmp_path / "noise-1" / "report.json").exists()


def test_nothing_to_resume_is_an_error(config, tmp_path):
    process = start(config, tmp_path, "--resume")
    _, error = process.communicate()
    assert process.returncode == 1 and "no interrupted run of 'noise'" in error
