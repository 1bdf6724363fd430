"""One column of the preview: the pictures that are going to one folder."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from PySide6.QtCore import (
    QByteArray,
    QItemSelection,
    QItemSelectionModel,
    QMimeData,
    QModelIndex,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import (
    QAbstractItemView,
    QGridLayout,
    QLabel,
    QListView,
    QSizePolicy,
    QWidget,
)

from minicnn.apps.window.picture_list import NO_PARENT, Index, Picture, PictureList
from minicnn.apps.window.thumbnails import Thumbnails
from minicnn.support.text import printable

DRAGGED = "application/x-minicnn-pictures"  # a JSON list of the pictures' numbers
ROOM = QSize(16, 32)  # around a thumbnail, with the line of text below it
ONE_BY_ONE = (
    50  # pictures that are removed singly, so that the list does not scroll; more take long
)
WIDTH = 152  # of the narrowest column: a thumbnail and the scroll bar


class DraggedList(PictureList):
    """Pictures that can be dragged to another column."""

    dropped = Signal(object)  # the numbers of the pictures that were dragged here

    def add(self, pictures: Sequence[Picture]) -> None:
        """Put pictures, at least one, at the top."""
        self.beginInsertRows(NO_PARENT, 0, len(pictures) - 1)
        self.pictures[:0] = pictures
        self.endInsertRows()

    def take(self, numbers: set[int]) -> list[Picture]:
        """Remove and return the pictures with these numbers."""
        rows = [row for row, one in enumerate(self.pictures) if one.number in numbers]
        taken = [self.pictures[row] for row in rows]
        if len(rows) > ONE_BY_ONE:
            self.show_all([one for one in self.pictures if one.number not in numbers])
            return taken
        for row in reversed(rows):
            self.beginRemoveRows(NO_PARENT, row, row)
            del self.pictures[row]
            self.endRemoveRows()
        return taken

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Allow dropping anywhere, and dragging and selecting pictures."""
        if not index.isValid():
            return Qt.ItemFlag.ItemIsDropEnabled
        return super().flags(index) | Qt.ItemFlag.ItemIsDragEnabled | Qt.ItemFlag.ItemIsDropEnabled

    def mimeTypes(self) -> list[str]:
        """Return the only type of data that may be dropped."""
        return [DRAGGED]

    def mimeData(self, indexes: Iterable[QModelIndex]) -> QMimeData:
        """Return the numbers of the dragged pictures."""
        numbers = [self.pictures[index.row()].number for index in indexes]
        data = QMimeData()
        data.setData(DRAGGED, QByteArray(json.dumps(numbers).encode()))
        return data

    def supportedDropActions(self) -> Qt.DropAction:
        """Return that dropped pictures are moved."""
        return Qt.DropAction.MoveAction

    def dropMimeData(
        self, data: QMimeData, action: Qt.DropAction, row: int, column: int, parent: Index
    ) -> bool:
        """Announce the pictures that were dropped; the preview moves them."""
        if not data.hasFormat(DRAGGED):
            return False
        self.dropped.emit(json.loads(bytes(data.data(DRAGGED).data())))
        return True


class Column(QWidget):
    """The name of a folder, and the pictures that are going there.

    Parameters
    ----------
    label : the class; None for the unsure pictures
    title : how it is shown
    thumbnails : of all columns
    """

    def __init__(self, label: str | None, title: str, thumbnails: Thumbnails) -> None:
        super().__init__()
        self.label, self.title = label, title
        self.view = _list_view(thumbnails.side)
        self.view.setAccessibleName(title)
        self.list = DraggedList(thumbnails, self.view)
        self._heading, self._key = _heading(), QLabel()
        self._key.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._heading, 0, 0)
        layout.addWidget(self._key, 0, 1)
        layout.addWidget(self.view, 1, 0, 1, 2)
        layout.setColumnStretch(0, 1)
        for changed in (self.list.rowsInserted, self.list.rowsRemoved, self.list.modelReset):
            changed.connect(self._show_heading)

    def show_key(self, key: str) -> None:
        """Show the key that moves pictures here."""
        self._key.setText(key)
        self._key.setToolTip(self.tr("Press {} to move the selected pictures here").format(key))

    def selected(self) -> list[int]:
        """Return the numbers of the selected pictures."""
        rows = self.view.selectionModel().selectedIndexes()
        return [self.list.pictures[index.row()].number for index in rows]

    def select_first(self, count: int) -> None:
        """Select the first pictures and nothing else."""
        selection = QItemSelection(self.list.index(0), self.list.index(count - 1))
        replace = QItemSelectionModel.SelectionFlag.ClearAndSelect
        self.view.selectionModel().select(selection, replace)
        self.view.scrollToTop()

    def _show_heading(self) -> None:
        count = self.locale().toString(len(self.list.pictures))
        self._heading.setText(f"{printable(self.title)} ({count})")


def _heading() -> QLabel:
    label = QLabel()
    label.setTextFormat(Qt.TextFormat.PlainText)  # a class may be called "<b>"
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    font = label.font()
    font.setBold(True)
    label.setFont(font)
    return label


def _list_view(side: int) -> QListView:
    view = QListView()
    view.setViewMode(QListView.ViewMode.IconMode)
    view.setMovement(QListView.Movement.Static)
    view.setResizeMode(QListView.ResizeMode.Adjust)
    view.setIconSize(QSize(side, side))
    view.setGridSize(QSize(side, side) + ROOM)
    view.setUniformItemSizes(True)
    view.setLayoutMode(QListView.LayoutMode.Batched)  # the window answers in between
    view.setMinimumWidth(WIDTH)
    view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
    view.setDragDropMode(QAbstractItemView.DragDropMode.DragDrop)
    view.setDefaultDropAction(Qt.DropAction.MoveAction)
    view.viewport().setAcceptDrops(True)  # which setMovement has undone
    return view
