"""From a folder to a sorted folder, step by step; each step runs in the background."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from minicnn.apps import sorter
from minicnn.apps.sorter.learning import Lesson
from minicnn.apps.window import jobs
from minicnn.apps.window.background_model import BackgroundModel
from minicnn.apps.window.preview_content import PreviewContent, preview_content
from minicnn.apps.window.settings import Settings
from minicnn.apps.window.status import Status
from minicnn.apps.window.tasks import Task
from minicnn.support.text import printable


class Workflow(QObject):
    """What the program does, without a window: its signals say what a window shows.

    Parameters
    ----------
    settings : the user's choices; read at the beginning of each step
    model : classifies the images
    parent : the object that this one ends with
    """

    status = Signal(str)  # a sentence for the user
    folder = Signal(str)  # the path of the folder that is open
    pictures = Signal(object)  # the rows of the list
    progress = Signal(int, str)  # percent, and the file that is worked on
    busy = Signal(bool)  # whether a step is going on
    interrupted = Signal()  # the last sorting was killed: the user has to choose undo or resume
    learned = Signal(object)  # the file of a model that has learned
    planned = Signal(object)  # a PreviewContent, if the user wants to see it first

    def __init__(self, settings: Settings, model: BackgroundModel, parent: QObject) -> None:
        super().__init__(parent)
        self.opened: jobs.Opened | None = None
        self._settings, self._model = settings, model
        self._text = Status(self)
        self._task: Task | None = None
        self._then: Callable[[Any], None] = lambda _: None  # follows the task

    @property
    def is_busy(self) -> bool:
        """Whether a step is going on."""
        return self._task is not None

    @property
    def can_undo(self) -> bool:
        """Whether a sorting of this folder can be taken back."""
        return not self.is_busy and self.opened is not None and self.opened.journal is not None

    def open_folder(self, folder: Path) -> None:
        """Find the images of a folder."""
        self._look(folder, "")

    def look_again(self, status: str = "") -> None:
        """Find the images of the folder again; then say this, or else how many there are."""
        if self.opened is not None:
            self._look(self.opened.found.folder, status)

    def classify(self) -> None:
        """Find out where the images belong; then sort them, or let the user look at the plan."""
        if self.opened is None:
            self.status.emit(self._text.no_folder())
        elif self.opened.interrupted is not None:
            self.interrupted.emit()
        elif not self.opened.pictures:
            self.status.emit(self._text.no_images())
        else:
            self._classify(self.opened.found)

    def show_count(self) -> None:
        """Say how many images there are."""
        if self.opened is not None:
            left_alone = self.opened.found.left_alone
            self.status.emit(self._text.found(len(self.opened.pictures), left_alone))

    def sort(self, plan: sorter.Plan, changes: Mapping[int, str | None]) -> None:
        """Copy or move the images as planned, but for those that belong to another class."""
        self._start(
            self._text.sorting(plan.choices.move),
            lambda task: jobs.sort(task, plan, changes),
            lambda result: self._sorted(result, plan),
        )

    def undo(self) -> None:
        """Take back what was sorted last in this folder."""
        opened = self.opened
        journal = None if opened is None else opened.interrupted or opened.journal
        if journal is not None:
            self._start(self._text.undoing(), lambda task: jobs.undo(task, journal), self._undone)

    def resume(self) -> None:
        """Go on with the sorting of this folder that was interrupted."""
        journal = self.opened.interrupted if self.opened is not None else None
        if journal is not None:
            self._start(
                self._text.going_on(), lambda task: jobs.resume(task, journal), self._resumed
            )

    def learn(self, folder: Path, target: Path) -> None:
        """Let the model learn from the class folders of a folder, and write it to a new file."""
        self._start(
            self._text.learning(),
            lambda _: jobs.learn(self._model.wait(), folder, target),
            lambda lesson: self._show_lesson(lesson, target),
        )

    def stop(self) -> None:
        """Ask the step that is going on to end."""
        if self._task is not None:
            self._task.stop()
            self.status.emit(self._text.stopping())

    def close(self) -> None:
        """Stop, and wait for the end of the step."""
        if self._task is not None:
            self._task.stop()
            self._task.wait()

    # --- the steps, and what follows each of them -----------------------------------------------

    def _look(self, folder: Path, status: str) -> None:
        if self.is_busy:
            return
        recursive = self._settings.recursive
        self.opened = None
        self.folder.emit(printable(folder))
        self.pictures.emit([])
        self.progress.emit(0, "")
        self._start(
            self._text.looking(),
            lambda _task: jobs.look(folder, recursive),
            lambda opened: self._show_opened(opened, status),
        )

    def _show_opened(self, opened: jobs.Opened, status: str) -> None:
        self.opened = opened
        self.pictures.emit(opened.pictures)
        if status:
            self.status.emit(status)
        else:
            self.show_count()
        if opened.interrupted is not None:
            self.interrupted.emit()

    def _classify(self, found: sorter.Found) -> None:
        preview = self._settings.preview
        choices = sorter.Choices(self._settings.min_confidence, self._settings.move)

        def work(task: Task) -> sorter.Plan | PreviewContent | None:
            model = self._model.wait()
            plan = jobs.classify(task, model, found, choices)
            return preview_content(plan, model.class_names or ()) if plan and preview else plan

        self._start(self._text.classifying(), work, self._show_plan)

    def _show_plan(self, result: sorter.Plan | PreviewContent | None) -> None:
        if result is None:
            self.progress.emit(0, "")
            self.status.emit(self._text.not_sorted())
        elif isinstance(result, PreviewContent):
            self.planned.emit(result)
        else:
            self.sort(result, {})

    def _sorted(self, result: jobs.Sorted, plan: sorter.Plan) -> None:
        if not result.outcome.stopped:
            self.progress.emit(100, "")
        self._show_opened(result.left, self._text.sorted(result.outcome, plan))

    def _undone(self, outcome: sorter.Outcome) -> None:
        self.look_again(self._text.undone(outcome))

    def _resumed(self, outcome: sorter.Outcome) -> None:
        self.look_again(self._text.resumed(outcome))

    def _show_lesson(self, lesson: Lesson, target: Path) -> None:
        self.learned.emit(target)
        self.status.emit(self._text.learned(lesson))

    # --- running one step -----------------------------------------------------------------------

    def _start(self, text: str, work: Callable[[Task], Any], then: Callable[[Any], None]) -> None:
        """Begin a step, unless one is going on; `then` is called with its result."""
        if self._task is not None:
            return
        self._task, self._then = Task(work, self), then
        self._task.progressed.connect(self._show_progress)
        self._task.finished.connect(self._finish)
        self.status.emit(text)
        self.busy.emit(True)
        self._task.start()

    def _finish(self) -> None:
        task, self._task = self._task, None
        if task is None:
            return
        if task.error is not None:
            self.progress.emit(0, "")
            self.status.emit(self._text.failed(task.error))
        else:
            self._then(task.result)
        if self._task is None:  # nothing follows
            self.busy.emit(False)
        task.deleteLater()

    def _show_progress(self, done: int, total: int, name: str) -> None:
        self.progress.emit(100 * done // max(total, 1), name)
