"""What the tests of the window share: a model that sees colors, folders of images, the window."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from image_folders import COLORS, save_colored

import minicnn as mc


def _qt(module: str):
    """Import a module of Qt, or skip the test file with what installs it."""
    return pytest.importorskip(
        f"PySide6.{module}", reason="pip install -e '.[gui]'", exc_type=ImportError
    )


QtCore, QtGui, QtWidgets, QtTest = (_qt(one) for one in ("QtCore", "QtGui", "QtWidgets", "QtTest"))
pytest.importorskip("pytestqt", reason="pip install -e '.[dev]'")
main_window = importlib.import_module("minicnn.apps.window.main_window")

CLASSES = ["red", "green", "blue"]


def color_model(certainty: float = 30.0) -> mc.Sequential:
    """Return a network that says which of three colors an image has most of."""
    layers = mc.layers
    model = mc.Sequential(
        [
            mc.Input((8, 8, 3), rescale=1 / 255),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3, activation="softmax"),
        ]
    )
    weights = certainty * np.eye(3, dtype=np.float32)
    model.layers[-1].set_weights([weights, np.zeros(3, np.float32)])
    model.preprocess = mc.data.Preprocess((8, 8), "rgb", scale=1.0)
    model.class_names = CLASSES
    return model


def make_gallery(folder: Path, **counts: int) -> Path:
    """Make a folder of images: red=2 makes red_0.png and red_1.png."""
    folder.mkdir(exist_ok=True)
    for color, count in counts.items():
        for i in range(count):
            save_colored(folder / f"{color}_{i}.png", COLORS[color], seed=i)
    return folder


def files_in(folder: Path) -> list[str]:
    """Return the files below a folder, without the sorter's own."""
    below = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(
        path.as_posix() for path in below if not any(part.startswith(".") for part in path.parts)
    )


def until(qtbot, condition) -> None:
    """Let Qt work until the condition is true, however long that takes."""
    while not condition():
        qtbot.wait(1)


class Screen:
    """A window that a test looks at, and the status texts that it has shown."""

    def __init__(self, window, qtbot) -> None:
        self.window, self._qtbot = window, qtbot
        self.texts = [window.label.text()]
        window.workflow.status.connect(self.texts.append)

    def until(self, condition) -> None:
        """Let the window work until the condition is true."""
        until(self._qtbot, condition)

    def until_idle(self) -> None:
        """Let the window work until nothing is going on."""
        self.until(lambda: not self.window.workflow.is_busy)

    def open(self, folder: Path) -> None:
        """Open a folder as a drop on the window does."""
        self.window.open_folder(folder)
        self.until_idle()

    def rows(self) -> list[str]:
        """Return the texts of the list."""
        model = self.window.listFolder.model()
        return [model.index(row, 0).data() for row in range(model.rowCount())]


@contextlib.contextmanager
def opened_window(qtbot, settings_file: Path, load=lambda _: color_model()) -> Iterator[Screen]:
    """Show a window, and close it at the end."""
    stored = QtCore.QSettings(str(settings_file), QtCore.QSettings.Format.IniFormat)
    window = main_window.MainWindow(stored, load)
    qtbot.addWidget(window)
    window.show()
    try:
        yield Screen(window, qtbot)
    finally:
        window.close()
