"""History, its CSV file and its plot."""

import csv
import json
import math
import re
import sys

import pytest

from minicnn.errors import ArgumentError, MissingExtraError
from minicnn.history import History
from minicnn.installed import install_command
from minicnn.support import plots


@pytest.fixture
def history():
    made = History()
    made.on_epoch_end(0, {"loss": 1.5, "accuracy": 0.25, "val_loss": 1.25, "val_accuracy": 0.5})
    made.on_epoch_end(1, {"loss": 0.5, "accuracy": 0.75, "val_loss": 0.75, "val_accuracy": 0.625})
    return made


def test_numbers_are_kept_by_name(history):
    assert list(history.history) == ["loss", "accuracy", "val_loss", "val_accuracy"]
    assert history.history["loss"] == [1.5, 0.5]
    assert history.epoch == [0, 1]


def test_old_names_are_read(history):
    assert history.history["acc"] == [0.25, 0.75]
    assert history.history["val_acc"] == [0.5, 0.625]
    assert "acc" not in list(history.history)
    with pytest.raises(KeyError, match="'lr'; this training measured"):
        history.history["lr"]


def test_state_survives_json_with_nan(history):
    history.on_epoch_end(2, {"loss": math.nan, "accuracy": 0.1, "val_loss": math.inf})
    state = json.loads(json.dumps(history.get_state(), allow_nan=False))
    again = History()
    again.set_state(state)
    assert again.epoch == [0, 1, 2]
    assert math.isnan(again.history["loss"][2])
    assert again.history["val_loss"] == [1.25, 0.75, math.inf]
    assert again.history["acc"] == [0.25, 0.75, 0.1]
    assert again.get_state() == history.get_state()


def test_to_csv(history, tmp_path):
    path = tmp_path / "history.csv"
    history.to_csv(path)
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0] == {
        "epoch": "0",
        "loss": "1.5",
        "accuracy": "0.25",
        "val_loss": "1.25",
        "val_accuracy": "0.5",
    }
    assert len(rows) == 2


def test_to_csv_with_a_number_that_only_some_epochs_have(history, tmp_path):
    history.on_epoch_end(2, {"loss": 0.25, "learning_rate": 0.1})
    history.to_csv(tmp_path / "history.csv")
    with (tmp_path / "history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[2]["loss"] == "0.25"
    assert rows[2]["learning_rate"] == "0.1"
    assert rows[0]["learning_rate"] == rows[2]["accuracy"] == ""


def test_plot_has_the_papers_curves(history, tmp_path):
    pytest.importorskip("matplotlib")
    path = tmp_path / "curves.png"
    figure = history.plot(path)
    assert path.read_bytes().startswith(b"\x89PNG")
    left, right = figure.axes
    assert [left.get_title(), right.get_title()] == ["Loss Curves", "Accuracy Curves"]
    assert [left.get_ylabel(), right.get_ylabel()] == ["Loss", "Accuracy"]
    for axes, labels, values in (
        (left, ["Training loss", "Validation Loss"], [[1.5, 0.5], [1.25, 0.75]]),
        (right, ["Training Accuracy", "Validation Accuracy"], [[0.25, 0.75], [0.5, 0.625]]),
    ):
        assert [line.get_color() for line in axes.lines] == ["red", "blue"]
        assert [line.get_linewidth() for line in axes.lines] == [3.0, 3.0]
        assert [text.get_text() for text in axes.get_legend().get_texts()] == labels
        assert [line.get_ydata().tolist() for line in axes.lines] == values
        assert axes.lines[0].get_xdata().tolist() == [1, 2]


def test_plot_of_the_first_epochs(history):
    pytest.importorskip("matplotlib")
    for axes in history.plot(epochs=1).axes:
        assert all(line.get_xdata().tolist() == [1] for line in axes.lines)
    assert history.plot(epochs=9).axes[0].lines[0].get_xdata().tolist() == [1, 2]
    with pytest.raises(ArgumentError, match="epochs"):
        history.plot(epochs=0)


def test_epochs_are_whole_numbers_also_on_the_axis_of_one():
    pytest.importorskip("matplotlib")
    history = History()
    history.on_epoch_end(0, {"loss": 0.5, "val_loss": 0.7})
    ticks = history.plot().axes[0].get_xticks()
    assert 1 in ticks and all(tick == round(tick) for tick in ticks)


def test_plot_of_losses_alone_and_of_nothing():
    pytest.importorskip("matplotlib")
    history = History()
    assert len(history.plot().axes) == 1
    history.on_epoch_end(0, {"loss": 1.0})
    (axes,) = history.plot().axes
    assert axes.lines[0].get_marker() == "o"


def test_missing_matplotlib_is_named(history, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match=re.escape(install_command("plot"))):
        plots.plot_history(history.history, history.epoch)
