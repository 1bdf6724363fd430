"""What several training steps with one call read and write: their table, rows and history.

All of it is double-buffered: while the device runs the steps of one half, the host fills the other
half for the next steps, or reads the outcomes of the steps before.
"""

from __future__ import annotations

from collections import deque
from typing import Any, NamedTuple

import numpy as np

from minicnn.backends.cuda.runtime.api import cuda
from minicnn.backends.cuda.runtime.double_buffer import DoubleBuffer
from minicnn.backends.cuda.runtime.memory import allocate, device_errors, new_stream, upload
from minicnn.backends.cuda.runtime.step_kernels import StepLayout
from minicnn.contracts import Shape, Spec
from minicnn.program import Feed


class FinishedSteps(NamedTuple):
    """What the history says about steps: only those before the first loss that is not finite."""

    losses: np.ndarray  # (steps, samples)
    predictions: np.ndarray  # (steps, outputs)
    halted: bool  # some steps are missing


class StartedSteps(NamedTuple):
    """Steps that the device runs: the half that holds their rows, and their number."""

    half: int
    steps: int


class StepBuffers:
    """The double buffers of at most `max_steps` steps per call.

    Parameters
    ----------
    max_steps : rows of each half
    layout : what a row holds

    Attributes
    ----------
    table, history : device arrays, one row per step; see StepLayout
    turn : device array of two uint32: the row of the next step and of this one. Of the two kernels
        of step_kernels.py, each reads one of them and changes the other
    """

    def __init__(self, max_steps: int, layout: StepLayout) -> None:
        self._max_steps, self._layout = max_steps, layout
        self._table = DoubleBuffer(
            max_steps, (layout.table_width,), "uint32", "the tables of training steps"
        )
        self._history = DoubleBuffer(
            max_steps, (layout.history_width,), "float32", "the outcomes of training steps"
        )
        self._sent: dict[tuple[int, str], DoubleBuffer] = {}  # by input and dtype: its samples
        self.table, self.history = self._table.device, self._history.device
        self.turn = allocate(Spec((2,), "uint32"), "the number of a training step")
        self._first_rows = cuda.pinned_array(2, np.dtype("uint32"))  # of each half
        self._first_rows[:] = 0, max_steps
        self._copy_stream = new_stream()
        self._uploaded, self._finished = ([cuda.event() for _ in range(2)] for _ in range(2))
        self._started: deque[StartedSteps] = deque()
        self._half = 0  # of the next steps

    def set_indices(self, indices: np.ndarray) -> None:
        """Put the indices of the samples, (steps, samples), into the table."""
        self._table.host(self._half)[: len(indices), : self._layout.samples] = indices

    def set_words(self, first: int, spec: Spec, values: Feed) -> None:
        """Put one array of `spec` per step into the table, from word number `first` on."""
        rows = self._table.host(self._half)
        start = self._layout.samples + first
        column = rows[:, start : start + int(np.prod(spec.shape))].view(spec.dtype)
        for step in range(len(values)):
            column[step] = np.ravel(values[step])

    def send_samples(self, index: int, shape: Shape, dtype: str, batches: Feed) -> Any:
        """Copy the samples of each step to the device; return the device array, both halves."""
        key = index, dtype
        if key not in self._sent:
            self._sent[key] = DoubleBuffer(self._max_steps, shape, dtype, "batches to be sent")
        rows = self._sent[key].host(self._half)
        for step in range(len(batches)):
            rows[step] = batches[step]
        with device_errors():
            self._sent[key].upload(self._half, self._copy_stream)
        return self._sent[key].device

    def upload(self, stream: Any) -> None:
        """Copy the table to the device; what is put on `stream` later waits for all copies."""
        half = self._half
        with device_errors():
            self._table.upload(half, self._copy_stream)
            self._uploaded[half].record(self._copy_stream)
            self._uploaded[half].wait(stream)
        upload(self._first_rows[half : half + 1], self.turn, stream)

    def download(self, steps: int, stream: Any) -> None:
        """Copy the history to the host once `stream` has run these steps, and change the half."""
        with device_errors():
            self._history.download(self._half, stream)
            self._finished[self._half].record(stream)
        self._started.append(StartedSteps(self._half, steps))
        self._half = 1 - self._half

    def outcomes(self) -> FinishedSteps:
        """Wait for the steps that were started first, and return their outcomes."""
        half, steps = self._started.popleft()
        with device_errors():
            self._finished[half].synchronize()
        rows = self._history.host(half)[:steps]
        halted, losses, predictions = np.split(rows, [1, 1 + self._layout.samples], axis=1)
        good = (halted[:, 0] == 0) & np.isfinite(losses).all(1)
        done = steps if good.all() else int(good.argmin())
        return FinishedSteps(losses[:done].copy(), predictions[:done].copy(), done < steps)
