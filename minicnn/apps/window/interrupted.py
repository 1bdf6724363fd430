"""The question what to do with a sorting that was interrupted."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QAbstractButton, QMessageBox, QWidget


class InterruptedQuestion(QMessageBox):
    """Asks whether to go on with the sorting, or to take it back; nothing is done before that."""

    go_on = Signal()
    take_back = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setIcon(QMessageBox.Icon.Question)
        self.setText(self.tr("The last sort of this folder was interrupted."))
        self.setInformativeText(self.tr("No image is lost. Go on with it, or take it back?"))
        self._go_on = self.addButton(self.tr("Go on"), QMessageBox.ButtonRole.AcceptRole)
        self._take_back = self.addButton(self.tr("Take it back"), QMessageBox.ButtonRole.ActionRole)
        self.addButton(self.tr("Later"), QMessageBox.ButtonRole.RejectRole)
        self.buttonClicked.connect(self._answer)

    def _answer(self, button: QAbstractButton) -> None:
        if button is self._go_on:
            self.go_on.emit()
        elif button is self._take_back:
            self.take_back.emit()
