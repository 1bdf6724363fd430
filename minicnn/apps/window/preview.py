"""The preview: where every picture would go, to be put right before anything happens."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QShortcut
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QMenu,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from minicnn.apps.window.preview_column import WIDTH, Column
from minicnn.apps.window.preview_content import ColumnContent
from minicnn.apps.window.thumbnails import Thumbnails

SIDE = 112  # width and height of a thumbnail in points
HEIGHT, MARGINS, GAP = 720, 40, 8  # of the window, beside all columns, between them
KEYS = "123456789"  # they move the selected pictures to the first, second, ... column


class Preview(QDialog):
    """A column of thumbnails for each folder; pictures are moved by mouse, menu and keys.

    Parameters
    ----------
    contents : the columns
    note : what else is to be known before the pictures are sorted
    """

    def __init__(
        self,
        contents: Sequence[ColumnContent],
        note: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.moved: dict[int, str | None] = {}  # the new class of each picture that was moved
        self._thumbnails = Thumbnails(SIDE, self.devicePixelRatioF(), self)
        self.finished.connect(self._thumbnails.close)
        self.columns = [self._column(one) for one in contents]
        self.setWindowTitle(self.tr("Preview: nothing has been sorted yet"))
        self._lay_out(note, sum(len(one.pictures) for one in contents))
        self._add_keys()
        self.resize(MARGINS + len(self.columns) * (WIDTH + GAP), HEIGHT)

    def move_pictures(self, numbers: Iterable[int], target: Column) -> None:
        """Move pictures to the top of a column, where they are selected."""
        wanted = set(numbers) - {one.number for one in target.list.pictures}
        taken = [one for column in self.columns for one in column.list.take(wanted)]
        if taken:
            self.moved |= {one.number: target.label for one in taken}
            target.list.add([one._replace(text=self.tr("by hand")) for one in taken])
            target.select_first(len(taken))

    def move_selected(self, target: Column) -> None:
        """Move what is selected in all columns."""
        self.move_pictures([n for column in self.columns for n in column.selected()], target)

    def _column(self, content: ColumnContent) -> Column:
        column = Column(content.label, content.title, self._thumbnails)
        column.list.show_all(content.pictures)
        column.list.dropped.connect(lambda numbers: self.move_pictures(numbers, column))
        column.view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        column.view.customContextMenuRequested.connect(partial(self._show_menu, column))
        return column

    def _lay_out(self, note: str, count: int) -> None:
        layout = QVBoxLayout(self)
        layout.addWidget(_paragraph(self._hint()))
        layout.addWidget(self._scrolled_columns(), 1)
        if note:
            layout.addWidget(_paragraph(note))
        layout.addWidget(self._buttons(count))

    def _hint(self) -> str:
        return self.tr(
            "Drag pictures to the folder where they belong, or select them and press the number "
            "of the folder. The least certain ones are first."
        )

    def _scrolled_columns(self) -> QScrollArea:
        inside = QWidget()
        row = QHBoxLayout(inside)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GAP)
        for column in self.columns:
            row.addWidget(column)
        area = QScrollArea()
        area.setWidget(inside)
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        return area

    def _buttons(self, count: int) -> QDialogButtonBox:
        box = QDialogButtonBox()
        sort = box.addButton(
            self.tr("Sort %Ln images", "", count), QDialogButtonBox.ButtonRole.AcceptRole
        )
        sort.setDefault(True)
        box.addButton(self.tr("Back"), QDialogButtonBox.ButtonRole.RejectRole)
        box.accepted.connect(self.accept)
        box.rejected.connect(self.reject)
        return box

    def _add_keys(self) -> None:
        for key, column in zip(KEYS, self.columns, strict=False):
            column.show_key(key)
            QShortcut(key, self, partial(self.move_selected, column))

    def _show_menu(self, origin: Column, where: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for column in self.columns:
            if column is not origin:
                text = self.tr("Move to {}").format(column.title)
                menu.addAction(text, partial(self.move_selected, column))
        menu.popup(origin.view.viewport().mapToGlobal(where))


def _paragraph(text: str) -> QLabel:
    label = QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    return label
