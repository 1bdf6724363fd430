"""The menus "Options" and "Model": they show the settings and change them."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QSettings, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QFileDialog

from minicnn.apps.window.design import Ui_MainWindow
from minicnn.apps.window.settings import LEVELS, read_settings, write_settings
from minicnn.apps.window.status import percent
from minicnn.metrics.calibration import Threshold
from minicnn.models import Model
from minicnn.support.text import printable


class Options(QObject):
    """The settings, and the actions of the menus that stand for them.

    Parameters
    ----------
    ui : the actions of the window's design
    stored : where the settings are remembered
    parent : the window
    """

    subfolders_changed = Signal()
    model_changed = Signal(object)  # the file; None is the model that comes with minicnn

    def __init__(self, ui: Ui_MainWindow, stored: QSettings, parent: QObject) -> None:
        super().__init__(parent)
        self._ui, self._stored = ui, stored
        self.settings = read_settings(stored)
        self._levels = self._add_levels()
        self.show()
        ui.actionMove.toggled.connect(partial(self.change, "move"))
        ui.actionPreview.toggled.connect(partial(self.change, "preview"))
        ui.actionSubfolders.toggled.connect(self._include_subfolders)
        ui.actionShippedModel.triggered.connect(partial(self.use_model, None))
        ui.actionOwnModel.triggered.connect(self._choose_model)

    def show(self) -> None:
        """Check the actions that the settings stand for."""
        ui, settings = self._ui, self.settings
        (ui.actionMove if settings.move else ui.actionCopy).setChecked(True)
        ui.actionPreview.setChecked(settings.preview)
        ui.actionSubfolders.setChecked(settings.recursive)
        (ui.actionOwnModel if settings.model else ui.actionShippedModel).setChecked(True)
        ui.actionOwnModel.setText(self._name_of_own_model())

    def change(self, name: str, value: Any) -> None:
        """Change a setting and remember it."""
        setattr(self.settings, name, value)
        write_settings(self._stored, self.settings)

    def use_model(self, file: Path | None) -> None:
        """Use a model file, or the model that comes with minicnn, from now on."""
        self.change("model", file)
        self.show()
        self.model_changed.emit(file)

    def explain_levels(self, model: Model | None) -> None:
        """Say in the menu what each certainty means for a model, if its file says so."""
        calibration = None if model is None else model.calibration
        for level, action in self._levels.items():
            meaning = "" if calibration is None else self._meaning(calibration.at(level))
            action.setText(f"{percent(level)}: {meaning}" if meaning else percent(level))

    def _meaning(self, threshold: Threshold) -> str:
        if threshold.accuracy is None:
            return self.tr("all are left unsure")
        text = self.tr("about {} of what is sorted is right, {} are left unsure")
        return text.format(percent(threshold.accuracy), percent(threshold.unsure))

    def _add_levels(self) -> dict[float, QAction]:
        group, actions = QActionGroup(self), {}
        for level in LEVELS:
            action = self._ui.menuCertainty.addAction(percent(level))
            action.setCheckable(True)
            action.setChecked(level == self.settings.min_confidence)
            action.triggered.connect(partial(self.change, "min_confidence", level))
            group.addAction(action)
            actions[level] = action
        return actions

    def _include_subfolders(self, included: bool) -> None:
        self.change("recursive", included)
        self.subfolders_changed.emit()

    def _choose_model(self) -> None:
        before = self.settings.model or Path.home()
        file, _ = QFileDialog.getOpenFileName(
            self._ui.menubar,
            self.tr("Open a model"),
            str(before),
            self.tr("Models (*.mcnn *.keras *.h5 *.onnx);;All files (*)"),
        )
        if file:
            self.use_model(Path(file))
        self.show()

    def _name_of_own_model(self) -> str:
        if self.settings.model is None:
            return self.tr("A model of &your own…")
        return self.tr("&Your model: {}…").format(printable(self.settings.model.name))
