"""A model that learns, in the window, from folders that somebody has put right."""

from __future__ import annotations

import numpy as np
import pytest
from image_folders import COLORS, make_colored
from window_tools import CLASSES, QtWidgets, color_model, opened_window

import minicnn as mc
from minicnn.models.feature_sample import FeatureSample

pytestmark = pytest.mark.usefixtures("no_fsync")
YELLOW = {"yellow": (220, 210, 40)}


def model_with_sample(file):
    """A file's model, or the one that knows three colors and remembers some of their features."""
    if file is not None:
        return mc.load_model(file, compile=False)
    model = color_model()
    labels = np.repeat(np.arange(3), 20)
    noise = np.random.default_rng(0).normal(0, 0.02, (60, 3))
    values = np.array([COLORS[name] for name in CLASSES])[labels] / 255 + noise
    model.feature_sample = FeatureSample(values.astype(np.float32), labels, np.arange(60) % 4 == 0)
    return model


@pytest.fixture
def screen(qtbot, tmp_path):
    with opened_window(qtbot, tmp_path / "s.ini", model_with_sample) as screen:
        yield screen


@pytest.fixture
def choosing(monkeypatch):
    """A function that lets the two dialogs return a folder and a file."""

    def make(folder, file):
        dialog = QtWidgets.QFileDialog
        monkeypatch.setattr(dialog, "getExistingDirectory", lambda *_: str(folder))
        monkeypatch.setattr(dialog, "getSaveFileName", lambda *_: (str(file), ""))

    return make


def test_a_new_class_is_learned_and_used(screen, choosing, tmp_path):
    window = screen.window
    choosing(make_colored(tmp_path / "right", 20, YELLOW), tmp_path / "better")
    window.actionLearn.trigger()
    screen.until_idle()
    assert screen.texts[-1].startswith("Learned from 20 images. Of the classes known before, 100 %")
    assert window.options.settings.model == tmp_path / "better.mcnn"
    assert window.actionOwnModel.isChecked() and "better.mcnn" in window.actionOwnModel.text()
    assert window.model.wait().class_names == [*CLASSES, "yellow"]


def test_a_folder_without_class_folders(screen, choosing, tmp_path):
    (tmp_path / "empty").mkdir()
    choosing(tmp_path / "empty", tmp_path / "better.mcnn")
    screen.window.actionLearn.trigger()
    screen.until_idle()
    assert len(screen.texts) == 3 and not screen.texts[-1].startswith("Learned")
    assert screen.window.options.settings.model is None
    assert not (tmp_path / "better.mcnn").exists()


@pytest.mark.parametrize("given", [("", "better.mcnn"), ("right", "")])
def test_closing_a_dialog_changes_nothing(screen, choosing, given):
    choosing(*given)
    screen.window.actionLearn.trigger()
    assert not screen.window.workflow.is_busy and len(screen.texts) == 1
