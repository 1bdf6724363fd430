"""Several training steps with one call, so that the GPU does not wait for Python.

A step is the program and two kernels more (step_kernels.py). The first copies the step's batch,
labels and rates to where the program reads them. The second comes before the steps that change the
model: it saves losses and predictions, and sets HALTED if a loss is not finite; from then on no
launch changes the model. The number of the step is on the device, so every step is the same
sequence of launches, and many steps are recorded together as one CUDA graph.

The values that differ between steps are rows of a table: the indices of the samples, then the words
(of 32 bits) of labels, weights, rates and the RNG key. Samples are read from the data set, of which
there is a copy on the device. If there is no room for it, the host gathers the samples and sends
them while the device runs the steps before.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from minicnn.backends.cuda.runtime.arena import Arena
from minicnn.backends.cuda.runtime.device_dataset import dataset_on_device
from minicnn.backends.cuda.runtime.graph import Launches, Recorded
from minicnn.backends.cuda.runtime.memory import subarray, upload
from minicnn.backends.cuda.runtime.program import ProgramRunner
from minicnn.backends.cuda.runtime.step_buffers import StepBuffers
from minicnn.backends.cuda.runtime.step_kernels import (
    StepLayout,
    feed_kernel,
    in_turn,
    keep_kernel,
    starter,
)
from minicnn.contracts import Spec
from minicnn.program import Feed, IndexedBatches, Program

# Enough steps that Python's share of the time is small, few enough that the progress bar moves and
# Ctrl-C is noticed soon. Estimates, not measured on a GPU (2026-11).
MAX_STEPS_PER_CALL = 32
ARENA_BYTES = 2**30  # summed over the steps of one call: about 10 ms

NOT_HALTED = np.zeros(1, np.uint32)


class SampleSource(NamedTuple):
    """The array with one input's samples: a data set, or the samples of each step."""

    array: Any  # on the device
    by_index: bool  # it is a data set, and the table has the indices of the samples


class Setup(NamedTuple):
    """What all calls of `start` have in common."""

    layout: StepLayout
    buffers: StepBuffers
    words: Any  # the inputs that are not samples: one device array of 32-bit words
    first_word: int  # where `words` begins in the allocation of all inputs
    loss: int  # indices of the program's buffers
    predictions: int


class Runner(ProgramRunner):
    """A program's Runner that also takes several training steps with one call."""

    max_steps_per_call = MAX_STEPS_PER_CALL

    def __init__(
        self,
        program: Program,
        arrays: dict[int, np.ndarray],
        arena: Arena | None = None,
    ) -> None:
        super().__init__(program, arrays, arena)
        fitting = ARENA_BYTES // max(program.arena_bytes, 1)
        if self._host_steps:  # a graph cannot run them
            self.max_steps_per_call = 1
        else:
            self.max_steps_per_call = max(2, min(MAX_STEPS_PER_CALL, fitting))
        self._setup: Setup | None = None  # made by the first `start`
        self._sources: dict[int, SampleSource] = {}  # by the index of the input's buffer
        self._groups: dict[int, Recorded] = {}  # by their number of steps

    def start(
        self,
        inputs: Mapping[int, Feed],
        values: Mapping[int, Feed],
        loss: int,
        predictions: int,
    ) -> None:
        """Begin training steps, at most `max_steps_per_call`; they run after those begun before.

        Parameters
        ----------
        inputs : for each buffer of samples, what it gets in each step
        values : the same for all other inputs of the program
        loss, predictions : the buffers whose values `finish` returns
        """
        if self._setup is None:
            self._setup = self._make_setup(min(values), loss, predictions)
        setup, steps = self._setup, len(next(iter(inputs.values())))
        self._fill(setup, inputs, values)
        for device_copy in self._device_copies.values():
            device_copy.refresh()
        setup.buffers.upload(self._stream)
        self._launch(setup, steps)
        setup.buffers.download(steps, self._stream)
        self._mark_written(range(len(self._steps)))

    def finish(self) -> tuple[np.ndarray, np.ndarray]:
        """Wait for the steps of the earliest `start`: (steps, N) losses, (steps, N, ...) outputs.

        They end before the first step whose loss is not finite. From that step on nothing changes
        the model until all steps that were begun are finished.
        """
        if self._setup is None:
            raise RuntimeError("no training steps were started")
        losses, predictions, halted = self._setup.buffers.outcomes()
        if halted:  # all steps that were begun come before this on the stream
            upload(NOT_HALTED, self._halted, self._stream)
        shapes = self._shape(self._setup.loss), self._shape(self._setup.predictions)
        return losses.reshape(-1, *shapes[0]), predictions.reshape(-1, *shapes[1])

    def _make_setup(self, first_value: int, loss: int, predictions: int) -> Setup:
        words, first_word = self._words_from(first_value)
        layout = StepLayout(
            math.prod(self._shape(loss)), len(words), math.prod(self._shape(predictions))
        )
        buffers = StepBuffers(self.max_steps_per_call, layout)
        return Setup(layout, buffers, words, first_word, loss, predictions)

    def _words_from(self, first_value: int) -> tuple[Any, int]:
        """Return the inputs from that buffer on as words, and the first word's number.

        The program's inputs lie in one allocation in their order: samples, then everything else.
        """
        buffers = enumerate(self._program.buffers)
        regions = [self._regions[i] for i, buffer in buffers if buffer.storage == "input"]
        start = self._regions[first_value].offset
        last = max(regions, key=lambda region: region.offset)
        end = last.offset + math.prod(last.spec.shape) * np.dtype(last.spec.dtype).itemsize
        return subarray(last.memory, start, Spec(((end - start) // 4,), "uint32")), start // 4

    def _shape(self, index: int) -> tuple[int, ...]:
        return self._program.buffers[index].spec.shape

    # --- the rows of the next steps -----------------------------------------------------------

    def _fill(self, setup: Setup, inputs: Mapping[int, Feed], values: Mapping[int, Feed]) -> None:
        for index, feed in inputs.items():
            self._read_from(index, feed, self._source(setup, index, feed))
        indexed = [feed for feed in inputs.values() if isinstance(feed, IndexedBatches)]
        if indexed:
            setup.buffers.set_indices(indexed[0].indices)
        for index, feed in values.items():
            first = self._regions[index].offset // 4 - setup.first_word
            setup.buffers.set_words(first, self._program.buffers[index].spec, feed)

    def _source(self, setup: Setup, index: int, feed: Feed) -> SampleSource:
        """Return the data set on the device if it fits there, or else send the samples."""
        spec = self._program.buffers[index].spec
        if isinstance(feed, IndexedBatches):
            dtype = _dtype_on_device(feed.array, spec)
            copy = dataset_on_device(feed.array, dtype)
            if copy is not None:
                return SampleSource(copy, True)
        else:
            dtype = _dtype_on_device(feed[0], spec)
        return SampleSource(setup.buffers.send_samples(index, spec.shape, dtype, feed), False)

    def _read_from(self, index: int, feed: Feed, source: SampleSource) -> None:
        """Have the launches read from `source`; recorded launches of another one are dropped."""
        before = self._sources.get(index)
        if before is None or before.array is not source.array:
            self._sources[index] = source
            self._groups.clear()
            if isinstance(feed, IndexedBatches) and source.by_index:
                weakref.finalize(feed.array, _drop_source, weakref.ref(self), index).atexit = False

    def drop_source(self, index: int) -> None:
        """Release the copy of a data set that no longer exists on the host."""
        self._sources.pop(index, None)
        self._groups.clear()

    # --- launches -----------------------------------------------------------------------------

    def _launch(self, setup: Setup, steps: int) -> None:
        """Start groups of `max_steps_per_call` steps, and the remaining steps one at a time."""
        for size in (self.max_steps_per_call, 1):
            if size not in self._groups:
                self._groups[size] = Recorded(self._launches(setup, size), self._stream)
            for _ in range(steps // size):
                self._groups[size]()
            steps %= size

    def _launches(self, setup: Setup, steps: int) -> Launches:
        every_step, first_change = range(len(self._steps)), self._program.first_change
        feeds = [
            self._feed(setup, index, source, first=number == 0)
            for number, (index, source) in enumerate(self._sources.items())
        ]
        forward_backward = self._starter(every_step[:first_change])
        update = self._starter(every_step[first_change:])
        return in_turn([*feeds, forward_backward, self._keep(setup), update], steps)

    def _feed(self, setup: Setup, index: int, source: SampleSource, *, first: bool) -> Launches:
        layout, buffers, shape = setup.layout, setup.buffers, self._shape(index)
        kernel = feed_kernel(layout, shape, source.by_index, first)
        arrays = (
            self._arrays[index], source.array, setup.words, buffers.table, buffers.turn,
            buffers.history, self._halted,
        )  # fmt: skip
        return starter(kernel, max(math.prod(shape), layout.words if first else 0), arrays)

    def _keep(self, setup: Setup) -> Launches:
        layout, buffers = setup.layout, setup.buffers
        losses, predictions = self._arrays[setup.loss], self._arrays[setup.predictions]
        arrays = buffers.history, losses, predictions, buffers.turn, self._halted
        kernel = keep_kernel(layout.samples, layout.outputs)
        return starter(kernel, max(layout.samples, layout.outputs), arrays)


def _dtype_on_device(samples: np.ndarray, spec: Spec) -> str:
    """Return the type in which samples are copied: pixels stay uint8, the rest is as `spec`."""
    return "uint8" if samples.dtype == np.uint8 else spec.dtype


def _drop_source(runner: weakref.ref[Runner], index: int) -> None:
    alive = runner()
    if alive is not None:
        alive.drop_source(index)
