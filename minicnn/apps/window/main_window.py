"""The window of the paper: open a folder, see its images, press "Classify", done."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSettings, Qt
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QKeyEvent
from PySide6.QtWidgets import QFileDialog, QListView, QMainWindow

from minicnn.apps import sorter
from minicnn.apps.window import jobs, status
from minicnn.apps.window.background_model import BackgroundModel
from minicnn.apps.window.design import Ui_MainWindow
from minicnn.apps.window.options import Options
from minicnn.apps.window.picture_list import PictureList
from minicnn.apps.window.preview import Preview
from minicnn.apps.window.preview_plan import assign, columns, preview_note
from minicnn.apps.window.tasks import Task
from minicnn.apps.window.thumbnails import Thumbnails
from minicnn.support.text import printable

Work = Callable[[Task], Any]
ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class MainWindow(QMainWindow, Ui_MainWindow):
    """The only screen of the program.

    Parameters
    ----------
    stored : where the choices of the menus and the last folder are remembered
    """

    def __init__(self, stored: QSettings) -> None:
        super().__init__()
        self.setupUi(self)
        self.options = Options(self, stored, self)
        self.model = BackgroundModel(self)
        self.opened: jobs.Opened | None = None
        self._task: Task | None = None
        self._thumbnails = Thumbnails(
            self.listFolder.iconSize().width(), self.devicePixelRatioF(), self
        )
        self._list = PictureList(self._thumbnails, self.listFolder)
        self.listFolder.setLayoutMode(QListView.LayoutMode.Batched)
        self._connect()
        self.model.choose(self.options.settings.model)

    def _connect(self) -> None:
        self.btnOpenFolder.clicked.connect(self.browse_folder)
        self.btnClassification.clicked.connect(self.classification)
        self.actionOpenFolder.triggered.connect(self.browse_folder)
        self.actionClassify.triggered.connect(self.classification)
        self.actionCancel.triggered.connect(self.cancel)
        self.actionUndo.triggered.connect(self.undo)
        self.actionQuit.triggered.connect(self.close)
        self.options.subfolders_changed.connect(self.look_again)
        self.options.model_changed.connect(self._load_model)
        self.model.loaded.connect(self._explain_levels)

    # --- the two buttons of the paper ---------------------------------------------------------

    def browse_folder(self) -> None:
        """Let the user choose a folder, and show its images."""
        start = str(self.options.settings.folder or Path.home())
        folder = QFileDialog.getExistingDirectory(self, self.tr("Open folder"), start)
        if folder:
            self.open_folder(Path(folder))

    def classification(self) -> None:
        """Classify the images of the folder and sort them; cancel it if that is going on."""
        if self._task is not None:
            self.cancel()
        elif self.opened is None:
            self.label.setText(self.tr("Folder is not open"))
        elif not self.opened.pictures:
            self.label.setText(self.tr("There are no images"))
        else:
            self._classify(self.opened.found)

    # --- opening --------------------------------------------------------------------------------

    def open_folder(self, folder: Path) -> None:
        """Show the images of a folder."""
        if self._task is not None:
            return
        self.options.change("folder", folder)
        self.linePath.setText(printable(folder))
        self._look(folder, self._show_number)

    def look_again(self) -> None:
        """Find the images of the folder again."""
        if self.opened is not None:
            self.open_folder(self.opened.found.folder)

    def _look(self, folder: Path, then: Callable[[jobs.Opened], None]) -> None:
        self.opened = None
        self._list.show_all([])
        recursive = self.options.settings.recursive
        self._start(
            self.tr("Looking for images…"),
            lambda _task: jobs.look(folder, recursive),
            partial(self._show_images, then),
        )
