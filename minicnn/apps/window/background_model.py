"""A model that is loaded as soon as it is chosen, while the window goes on."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from minicnn.models import Model


class BackgroundModel(QObject):
    """Loads a model in a thread; `wait` returns it, or raises why it cannot be loaded."""

    loaded = Signal()  # or found to be unreadable

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thread = ThreadPoolExecutor(1)
        self._future: Future[Model] = Future()

    def choose(self, file: Path | None) -> None:
        """Begin to load a model; None is the one that comes with minicnn."""
        self._future = self._thread.submit(load, file)
        self._future.add_done_callback(lambda _: self.loaded.emit())
