"""The LeNet example, run from the command line on a few hundred of MNIST's digits."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import minicnn as mc

INTERRUPT_AT = Path(__file__).with_name("interrupt_at.py")
EXAMPLE = Path(__file__).parent.parent / "examples" / "lenet_mnist.py"
RESULTS = ["best.mcnn", "curves.png", "errors.png", "confusion.png", "first_layer.png",
           "history.csv", "report.json"]  # fmt: skip


def idx(array):
    """The bytes of an IDX file of unsigned bytes."""
    head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return head + array.astype(np.uint8).tobytes()


@pytest.fixture(scope="module")
def few_digits(tmp_path_factory):
    """A folder with MNIST's first 640 training and 200 test digits."""
    folder = tmp_path_factory.mktemp("digits")
    (x, y), (x_test, y_test) = mc.datasets.mnist.load_data()
    for name, array in {
        "train-images-idx3-ubyte": x[:640],
        "train-labels-idx1-ubyte": y[:640],
        "t10k-images-idx3-ubyte": x_test[:200],
        "t10k-labels-idx1-ubyte": y_test[:200],
    }.items():
        (folder / name).write_bytes(idx(array))
    return folder


def run(*arguments, at=(sys.executable,), **environment):
    return subprocess.run(
        [*at, str(EXAMPLE), *map(str, arguments)],
        capture_output=True,
        text=True,
        env=os.environ | environment,
        check=False,
    )


@pytest.fixture(scope="module")
def finished(few_digits, tmp_path_factory):
    """Run one short training; return its folder and its output."""
    out = tmp_path_factory.mktemp("run") / "results"
    result = run("--data", few_digits, "--epochs", 4, "--seed", 1, "--out", out)
    assert result.returncode == 0, result.stdout + result.stderr
    return out, result.stdout


def test_it_names_the_files_it_wrote_on_its_last_lines(finished):
    out, text = finished
    assert text.splitlines()[-7:] == [f"  {out / name}" for name in RESULTS]
    assert sorted(p.name for p in out.iterdir() if p.is_file()) == sorted(RESULTS)


def test_it_says_first_what_to_expect(finished):
    _, text = finished
    first, second = text.splitlines()[:2]
    assert re.match(
        r"LeNet learns 640 digits, 4 times each, on the \w+ engine \(threads: \d", first
    )
    assert re.match(
        r"Expect about 9\d\.\d % on MNIST's test digits, after \d+ (seconds|minutes)\.", second
    )


def test_it_learns_and_the_report_says_how_well(finished):
    out, text = finished
    report = json.loads((out / "report.json").read_text())
    assert report["accuracy"] > 0.5  # guessing gives 0.1
    assert report["wrong"] == round(200 * (1 - report["accuracy"]))
    assert f"{report['wrong']} of 200 test digits wrong" in text
    assert report["settings"] == {
        "epochs": 4, "batch_size": 64, "seed": 1, "data": report["settings"]["data"],
    }  # fmt: skip
    assert len(report["history"]["val_accuracy"]) == 4
    assert report["history"]["val_accuracy"][-1] == pytest.approx(report["accuracy"])
    assert np.sum(report["confusion"]) == 200
    assert all(seconds > 0 for seconds in report["seconds"].values())


def test_the_saved_model_is_the_one_that_was_tested(finished, few_digits):
    out, _ = finished
    report = json.loads((out / "report.json").read_text())
    model = mc.load_model(out / "best.mcnn")
    _, (x_test, y_test) = mc.datasets.mnist.load_data(few_digits)
    wrong = (model.predict(x_test[..., None], verbose=0).argmax(1) != y_test).sum()
    assert wrong == report["wrong"]
    assert model.class_names == list("0123456789")


def test_the_figures_are_not_blank(finished):
    from matplotlib.image import imread

    out, _ = finished
    for name in RESULTS[1:5]:
        pixels = imread(out / name)
        assert min(pixels.shape[:2]) > 200, name
        assert pixels[..., :3].std() > 0.01, name


@pytest.mark.slow
def test_the_reference_does_the_same_job(few_digits, tmp_path):
    options = ("--data", few_digits, "--epochs", 1, "--batch-size", 32)
    result = run(*options, "--backend", "numpy", "--out", tmp_path / "numpy")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "on the numpy engine" in result.stdout
    report = json.loads((tmp_path / "numpy" / "report.json").read_text())
    assert report["backend"] == "numpy"
    if "native" not in mc.available_backends():
        return
    assert run(*options, "--backend", "native", "--out", tmp_path / "native").returncode == 0
    other = json.loads((tmp_path / "native" / "report.json").read_text())
    assert other["history"]["loss"] == pytest.approx(report["history"]["loss"], rel=1e-3)


def test_ctrl_c_leaves_a_checkpoint_and_resume_ends_with_the_same_bits(few_digits, tmp_path):
    options = ("--data", few_digits, "--epochs", 6, "--out")
    result = run(*options, tmp_path / "stopped", at=[sys.executable, str(INTERRUPT_AT), "33"])
    assert result.returncode == 130, result.stderr
    assert "To resume, type:" in result.stdout
    assert result.stdout.rstrip().endswith("--resume")
    checkpoints = tmp_path / "stopped" / "checkpoints"
    assert (checkpoints / "checkpoint-33.mcnn").is_file()
    assert not (tmp_path / "stopped" / "best.mcnn").exists()

    again = run(*options, tmp_path / "stopped")
    assert again.returncode == 2
    assert "holds an interrupted training" in again.stderr and "--resume" in again.stderr
    assert run(*options, tmp_path / "stopped", "--resume").returncode == 0
    assert run(*options, tmp_path / "straight").returncode == 0
    stopped, straight = (mc.load_model(tmp_path / n / "best.mcnn") for n in ("stopped", "straight"))
    for one, other in zip(stopped.get_weights(), straight.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    histories = [
        json.loads((tmp_path / n / "report.json").read_text())["history"]
        for n in ("stopped", "straight")
    ]
    assert histories[0] == histories[1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--epochs", "0"], ["--epochs", "got 0", "1 or more", "try --epochs 8"]),
        (["--threads", "0"], ["--threads", "got 0", "1 or more", "processors; try --threads"]),
        (["--batch-size", "-3"], ["--batch-size", "got -3", "try --batch-size 64"]),
        (["--epochs", "many"], ["--epochs", "'many' is not a valid integer"]),
        (["--seed", "-1"], ["seed must be", "got -1"]),
        (["--backend", "abacus"], ["backend must be one of", "'numpy'", "got 'abacus'"]),
        (["--data", "no/such/folder"], ["no/such/folder", "no such folder", "Leave --data out"]),
        (["--data", "."], ["no train-images-idx3-ubyte"]),
        (["--resume"], ["no checkpoint", "Leave --resume out"]),
        (["--epoch", "3"], ["No such option", "--epochs"]),
    ],
)
def test_wrong_arguments_get_one_clear_error(arguments, words, tmp_path):
    out = tmp_path / "out"
    result = run(*arguments, "--out", out)
    assert result.returncode in (1, 2)
    assert "Traceback" not in result.stderr
    for word in words:
        assert word in result.stderr
    assert not (out / "report.json").exists()


def test_digits_of_another_size_are_refused_before_training(few_digits, tmp_path):
    data = tmp_path / "small"
    data.mkdir()
    for file in few_digits.iterdir():
        (data / file.name).write_bytes(file.read_bytes())
    (data / "train-images-idx3-ubyte").write_bytes(idx(np.zeros((640, 14, 14))))
    result = run("--data", data, "--out", tmp_path / "out")
    assert result.returncode == 1
    assert "(640, 14, 14, 1)" in result.stderr or "(64, 14, 14, 1)" in result.stderr
    assert "(None, 28, 28, 1)" in result.stderr
    assert "Traceback" not in result.stderr


def test_without_matplotlib_it_says_so_first_and_trains_all_the_same(few_digits, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(
        "from importlib.machinery import PathFinder\n"
        "find = PathFinder.find_spec\n"
        "def find_spec(name, path=None, target=None):\n"
        "    hidden = name.partition('.')[0] == 'matplotlib'\n"
        "    return None if hidden else find(name, path, target)\n"
        "PathFinder.find_spec = find_spec\n"
    )
    out = tmp_path / "out"
    paths = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")]))
    result = run("--data", few_digits, "--epochs", 1, "--out", out, PYTHONPATH=paths)
    assert result.returncode == 0, result.stdout + result.stderr
    third = result.stdout.splitlines()[2]
    assert "matplotlib is not installed: curves.png, errors.png" in third
    assert re.search(r"-m pip install .*\[plot\]", third)
    assert sorted(p.name for p in out.iterdir() if p.is_file()) == [
        "best.mcnn",
        "history.csv",
        "report.json",
    ]
    assert "errors.png" not in "".join(result.stdout.splitlines()[-3:])
