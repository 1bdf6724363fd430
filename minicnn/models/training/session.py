"""One training of a model: how far it has come, what it has measured, which callbacks listen."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace

from minicnn.callbacks import Callback
from minicnn.history import History, joined
from minicnn.models.training.state import TrainingState


@dataclass
class TrainingSession:
    """The training that `fit` runs, or ran last. Fit makes a new one for each call."""

    state: TrainingState = field(default_factory=TrainingState)
    history: History | None = None  # None before the first training
    callbacks: list[Callback] = field(default_factory=list)
    thread: threading.Thread | None = None  # that `fit` runs in

    @property
    def is_running(self) -> bool:
        """Whether `fit` is running; in a forked child, other threads' trainings are not."""
        return self.thread is not None and self.thread.is_alive()

    @property
    def curves(self) -> dict[str, list[float]]:
        """The curves of this training and of all before it."""
        return joined(self.state.past, self.history)

    def idle(self) -> TrainingSession:
        """Return the same progress and curves without what runs: for copies of the model."""
        return replace(self, callbacks=[], thread=None)
