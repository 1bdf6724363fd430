"""The window of the paper: open a folder, see its images, press "Classify", done."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QSettings, Qt
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QKeyEvent, QPalette
from PySide6.QtWidgets import QFileDialog, QLabel, QListView, QMainWindow, QVBoxLayout

from minicnn.apps.sorter.learning import new_path
from minicnn.apps.window.background_model import BackgroundModel, Load
from minicnn.apps.window.design import Ui_MainWindow
from minicnn.apps.window.interrupted import InterruptedQuestion
from minicnn.apps.window.options import Options
from minicnn.apps.window.picture_list import PictureList
from minicnn.apps.window.preview import Preview
from minicnn.apps.window.preview_content import PreviewContent
from minicnn.apps.window.thumbnails import Thumbnails
from minicnn.apps.window.workflow import Workflow

ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class MainWindow(QMainWindow, Ui_MainWindow):
    """The only screen of the program; `workflow` does the work that its buttons ask for.

    Parameters
    ----------
    stored : where the choices of the menus and the last folder are remembered
    load : returns the model of a file, or for None the one that comes with minicnn
    """

    def __init__(self, stored: QSettings, load: Load) -> None:
        super().__init__()
        self.setupUi(self)
        self.options = Options(self, stored, self)
        self.model = BackgroundModel(load, self)
        self.workflow = Workflow(self.options.settings, self.model, self)
        self.preview: Preview | None = None
        self._thumbnails = Thumbnails(
            self.listFolder.iconSize().width(), self.devicePixelRatioF(), self
        )
        self._list = PictureList(self._thumbnails, self.listFolder)
        self._hint = _hint(self.listFolder, self.tr("Drop a folder of photos here"))
        self.listFolder.setLayoutMode(QListView.LayoutMode.Batched)
        self._connect_actions()
        self._connect_workflow()
        self.use_model(self.options.settings.model)

    def browse_folder(self) -> None:
        """Let the user choose a folder, and show its images."""
        start = str(self.options.settings.folder or Path.home())
        folder = QFileDialog.getExistingDirectory(self, self.tr("Open folder"), start)
        if folder:
            self.open_folder(Path(folder))

    def classification(self) -> None:
        """Classify and sort the images of the folder; cancel it if that is going on."""
        if self.workflow.is_busy:
            self.workflow.stop()
        else:
            self.workflow.classify()

    def open_folder(self, folder: Path) -> None:
        """Show the images of a folder, which is remembered for the next start."""
        if not self.workflow.is_busy:
            self.options.change("folder", folder)
            self.workflow.open_folder(folder)

    def use_model(self, file: Path | None) -> None:
        """Load another model; None is the one that comes with minicnn."""
        self.options.explain_levels(None)
        self.model.choose(file)

    def _connect_actions(self) -> None:
        self.btnOpenFolder.clicked.connect(self.browse_folder)
        self.btnClassification.clicked.connect(self.classification)
        self.actionOpenFolder.triggered.connect(self.browse_folder)
        self.actionClassify.triggered.connect(self.classification)
        self.actionCancel.triggered.connect(self.workflow.stop)
        self.actionUndo.triggered.connect(self.workflow.undo)
        self.actionLearn.triggered.connect(self._learn)
        self.actionQuit.triggered.connect(self.close)
        self.options.subfolders_changed.connect(self.workflow.look_again)
        self.options.model_changed.connect(self.use_model)
        self.model.loaded.connect(self.options.explain_levels)

    def _connect_workflow(self) -> None:
        self.workflow.status.connect(self.label.setText)
        self.workflow.folder.connect(self.linePath.setText)
        self.workflow.folder.connect(self._hint.hide)
        self.workflow.pictures.connect(self._list.show_all)
        self.workflow.progress.connect(self._show_progress)
        self.workflow.busy.connect(self._show_busy)
        self.workflow.planned.connect(self._show_preview)
        self.workflow.learned.connect(self.options.use_model)
        self.workflow.interrupted.connect(self._ask_about_interrupted)

    def _show_progress(self, percent: int, file: str) -> None:
        self.processBar.setValue(percent)
        self.processBar.setToolTip(file)

    def _show_busy(self, busy: bool) -> None:
        """Let "Classify" be "Cancel" while something is going on."""
        self.btnClassification.setText(self.tr("Cancel") if busy else self.tr("Classify"))
        for other in (self.btnOpenFolder, self.actionOpenFolder, self.actionClassify,
                      self.menuOptions, self.menuModel):  # fmt: skip
            other.setEnabled(not busy)
        self.actionCancel.setEnabled(busy)
        self.actionUndo.setEnabled(self.workflow.can_undo)
        if self._list.pictures:
            self.btnClassification.setFocus()

    def _show_preview(self, content: PreviewContent) -> None:
        if self.preview is not None:
            self.preview.deleteLater()
        self.preview = Preview(content.columns, content.note, self)
        self.preview.accepted.connect(partial(self._sort_previewed, content))
        self.preview.rejected.connect(self.workflow.show_count)
        self.preview.open()

    def _sort_previewed(self, content: PreviewContent) -> None:
        if self.preview is not None:
            self.workflow.sort(content.plan, self.preview.moved)

    def _ask_about_interrupted(self) -> None:
        question = InterruptedQuestion(self)
        question.go_on.connect(self.workflow.resume)
        question.take_back.connect(self.workflow.undo)
        question.open()

    def _learn(self) -> None:
        """Ask for the folder to learn from and for the file of the new model, then learn."""
        settings = self.options.settings
        title = self.tr("A folder that has one folder of pictures for each class")
        folder = QFileDialog.getExistingDirectory(self, title, str(settings.folder or Path.home()))
        if not folder:
            return
        usual = new_path(settings.model or Path.home() / "photo-small.mcnn")
        title, kind = self.tr("Save the new model"), self.tr("Models (*.mcnn)")
        target, _ = QFileDialog.getSaveFileName(self, title, str(usual), kind)
        if target:
            self.workflow.learn(Path(folder), Path(target).with_suffix(".mcnn"))

    # --- keys, the mouse, the end ---------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Let Enter press the button that has the focus, or else "Classify"."""
        if event.key() not in ENTER:
            super().keyPressEvent(event)
        elif self.btnOpenFolder.hasFocus():
            self.btnOpenFolder.click()
        else:
            self.btnClassification.click()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Accept a folder of this machine, or a file in it."""
        if _dropped_folder(event) is not None and not self.workflow.is_busy:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open the folder that was dropped."""
        folder = _dropped_folder(event)
        if folder is not None:
            self.open_folder(folder)

    def closeEvent(self, event: QCloseEvent) -> None:
        """End the work in the background; what was done so far stays, and can be undone."""
        if self.preview is not None:
            self.preview.close()
        self.hide()  # what is going on may take a moment to end
        self.workflow.close()
        self._thumbnails.close()
        self.model.close()
        super().closeEvent(event)


def _hint(view: QListView, text: str) -> QLabel:
    """Return a text in the middle of an empty list."""
    label = QLabel(text)
    label.setAlignment(Qt.AlignmentFlag.AlignCenter)
    label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
    QVBoxLayout(view.viewport()).addWidget(label)
    label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
    return label


def _dropped_folder(event: QDropEvent) -> Path | None:
    """Return the folder of what is dropped, or None if it is not on this machine."""
    places = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
    if not places:
        return None
    return places[0] if places[0].is_dir() else places[0].parent
