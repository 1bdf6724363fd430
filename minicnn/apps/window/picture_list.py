"""Lists of pictures: a thumbnail and a text each, asked for only where the user looks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtWidgets import QListView

from minicnn.apps.window.thumbnails import Thumbnails

Index = QModelIndex | QPersistentModelIndex
Role = Qt.ItemDataRole
NO_PARENT = QModelIndex()


class Picture(NamedTuple):
    """A row of a list; `number` is the image's place among all that were found."""

    number: int
    path: Path
    text: str
    tip: str = ""


class PictureList(QAbstractListModel):
    """The rows of a list view. Many rows cost little: Qt asks only for the visible ones."""

    def __init__(self, thumbnails: Thumbnails, view: QListView) -> None:
        super().__init__(view)
        self.pictures: list[Picture] = []
        self._thumbnails = thumbnails
        view.setModel(self)
        thumbnails.ready.connect(view.viewport().update)

    def show_all(self, pictures: Sequence[Picture]) -> None:
        """Replace all rows."""
        self.beginResetModel()
        self.pictures = list(pictures)
        self.endResetModel()

    def rowCount(self, parent: Index = NO_PARENT) -> int:
        """Return the number of rows; Qt asks for it."""
        return 0 if parent.isValid() else len(self.pictures)

    def data(self, index: Index, role: int = Role.DisplayRole) -> Any:
        """Return the text, the thumbnail or the tool tip of a row; Qt asks for it."""
        picture = self.pictures[index.row()]
        if role == Role.DisplayRole:
            return picture.text
        if role == Role.DecorationRole:
            return self._thumbnails.of(picture.path)
        if role == Role.ToolTipRole:
            return picture.tip
        return None
