"""A model that is loaded as soon as it is chosen, while the window goes on."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from minicnn.models import Model

Load = Callable[[Path | None], Model]


class BackgroundModel(QObject):
    """Loads a model in a thread.

    Parameters
    ----------
    load : returns the model of a file, or for None the one that comes with minicnn
    parent : the object that this one ends with
    """

    loaded = Signal(object)  # the model; nothing is emitted if it cannot be loaded

    def __init__(self, load: Load, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._read = load
        self._thread = ThreadPoolExecutor(1, "minicnn-model")
        self._chosen: Future[Model] = Future()

    def choose(self, file: Path | None) -> None:
        """Begin to load a model."""
        self._chosen = self._thread.submit(self._load, file)

    @property
    def is_loaded(self) -> bool:
        """Whether `wait` returns at once."""
        return self._chosen.done()

    def wait(self) -> Model:
        """Return the chosen model when it is loaded, or raise why it cannot be."""
        return self._chosen.result()

    def close(self) -> None:
        """Let the thread end with what it is doing."""
        self._thread.shutdown(wait=False)

    def _load(self, file: Path | None) -> Model:
        model = self._read(file)
        self.loaded.emit(model)
        return model
