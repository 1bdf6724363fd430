"""A whole experiment from Python: the same work as the command line's, without it."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import numpy as np
import pytest
from image_folders import make_colored

from minicnn import random
from minicnn.apps.cli import main
from minicnn.apps.runs import experiment
from minicnn.apps.runs.image_splits import Split
from minicnn.apps.runs.log import RunLog
from minicnn.apps.runs.predictions import Predictions
from minicnn.apps.runs.report_html import MAX_CONFUSED, evaluation_page
from minicnn.apps.runs.settings import Settings, to_toml
from minicnn.errors import ArgumentError, NumericError
from minicnn.models import load_model


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    root = tmp_path_factory.mktemp("colors")
    make_colored(root / "train", 16)
    make_colored(root / "test", 4)
    return Settings(
        model="cifar", data=str(root), name="colors", epochs=3, batch_size=16,
        image_size=(24, 24),
    )  # fmt: skip


@pytest.fixture(scope="module")
def from_shell(settings, tmp_path_factory):
    """The run folder that the command line leaves."""
    runs = tmp_path_factory.mktemp("shell")
    (runs / "colors.toml").write_text(to_toml(settings))
    assert main.run(["train", str(runs / "colors.toml"), "--runs", str(runs), "--quiet"]) == 0
    return runs / "colors-1"


def files_in(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def assert_same_weights(folder, other):
    for name in ("best.mcnn", "checkpoints/last.mcnn"):
        ours, theirs = (load_model(run / name) for run in (folder, other))
        for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)


def test_python_and_the_command_line_do_the_same_work(settings, from_shell, tmp_path, capsys):
    said = []
    finished = experiment.run(settings, tmp_path, verbose=0, say=said.append)
    folder = finished.folder.path
    assert capsys.readouterr() == ("", "")
    assert said[:1] == ["Found 48 training images belonging to 3 classes.\n"
                        "Found 12 test images belonging to 3 classes."]  # fmt: skip
    assert files_in(folder) == files_in(from_shell)
    assert_same_weights(folder, from_shell)
    report, theirs = finished.report, json.loads((from_shell / "report.json").read_text())
    assert report == json.loads((folder / "report.json").read_text())
    for made_here in ("command", "seconds"):
        del report[made_here], theirs[made_here]
    assert report == theirs
    assert finished.result.predictions.accuracy == theirs["test"]["accuracy"]


def test_an_interrupted_experiment_is_resumed(settings, from_shell, tmp_path, monkeypatch):
    def interrupt(self, epoch, logs=None):
        raise KeyboardInterrupt

    said = []
    with monkeypatch.context() as patch:
        patch.setattr(RunLog, "on_epoch_end", interrupt)
        with pytest.raises(KeyboardInterrupt):
            experiment.run(settings, tmp_path, verbose=0, say=said.append)
    assert said[-1] == (
        f"To resume: minicnn train {tmp_path}/colors-1/config.toml --runs {tmp_path} --resume"
    )
    finished = experiment.resume("colors", tmp_path, verbose=0, say=said.append)
    assert said[-2] == f"Resuming {tmp_path}/colors-1"
    assert files_in(finished.folder.path) == files_in(from_shell)
    assert_same_weights(finished.folder.path, from_shell)
    with pytest.raises(ArgumentError, match="colors-1 is complete"):
        experiment.resume("colors", tmp_path, say=said.append)


def test_a_failed_experiment_says_why_in_its_folder(settings, tmp_path):
    said = []
    exploding = settings.changed(optimizer={"name": "sgd", "learning_rate": 1e30})
    with pytest.raises(NumericError):
        experiment.run(exploding, tmp_path, verbose=0, say=said.append)
    assert "the loss became" in (tmp_path / "colors-1" / "failed.txt").read_text()
    assert said[-1] == f"To find the cause: minicnn doctor {tmp_path}/colors-1"
    nothing = settings.changed(data=str(tmp_path / "nowhere"))
    with pytest.raises(FileNotFoundError, match="does not exist"):
        experiment.run(nothing, tmp_path, say=said.append)
    assert not (tmp_path / "colors-2").exists()


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("minicnn.apps.runs.experiment", "minicnn.apps.cli"),
        ("minicnn.apps.cli.train", "minicnn.apps.recipes"),
        ("minicnn.apps.cli.tune", "minicnn.apps.recipes"),
    ],
)
def test_modules_that_are_not_imported(module, absent):
    """`train` needs no paper's recipe, and an experiment no command line."""
    code = f"import sys, {module}; print([m for m in sys.modules if m.startswith({absent!r})])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_page_of_many_classes_has_the_most_confused(tmp_path):
    classes, each = 400, 3
    labels = np.repeat(np.arange(classes), each)
    predicted = labels.copy()
    wrong = random.generator("wrong").permutation(classes)[:20]
    predicted[wrong * each] = (wrong + 1) % classes
    probabilities = np.eye(classes, dtype=np.float32)[predicted]
    images = np.zeros((len(labels), 4, 4, 3), np.uint8)
    predictions = Predictions(probabilities, labels, [f"class {i}" for i in range(classes)])
    page = evaluation_page("many", predictions, Split(images, labels, []), 0.0, 1.0)
    table = page.partition("<h2>Confusion matrix</h2>")[2].partition("</table>")[0]
    assert table.count("<td") == MAX_CONFUSED * (MAX_CONFUSED + 1)
    assert f"The {MAX_CONFUSED} of 400 classes with the most mistakes" in table
    assert all(f"<td>class {i}</td>" in table for i in wrong)
    shown = re.findall(r"<th[^>]*>class (\d+)</th>", table)
    assert shown == sorted(shown, key=int)
