"""Many training steps with one call: the GPU does not wait for Python.

Every step is the program with two launches more. The first brings the step's batch, labels and
rates to where the program reads them. The second stands before the part that changes the model: it
keeps losses and predictions, and sets HALTED if a loss is not finite; from then on no launch
changes the model. Which step it is stands on the device, so all steps are the same launches, and
are recorded together as one graph.

A step's own numbers are a row of a table: the numbers of its samples, then the words (of 32 bits)
of its labels, weights, rates and random stream. The samples are taken from the data set, of which
there is a copy on the device. If there is no room for it, the host takes them out, and rows of
samples go to the device while it is at work on the steps before.
"""

from __future__ import annotations

import math
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from minicnn.backends.cuda.runtime import program as one_step
from minicnn.backends.cuda.runtime.api import cuda, float32, jit, uint32
from minicnn.backends.cuda.runtime.device_dataset import resident
from minicnn.backends.cuda.runtime.double_buffer import DoubleBuffer
from minicnn.backends.cuda.runtime.graph import Recorded
from minicnn.backends.cuda.runtime.kernel_cache import cached
from minicnn.backends.cuda.runtime.launch import THREADS, blocks_for
from minicnn.backends.cuda.runtime.memory import allocate, device_errors, new_stream, part, upload
from minicnn.contracts import Spec
from minicnn.program import Feed, IndexedBatches, Program

# Steps at a time: enough that Python's part does not count, few enough that progress moves and
# Ctrl-C is heard. Estimates, not measured on a GPU (2026-11).
MAX_STEPS_PER_CALL = 32
ARENA_BYTES = 2**30  # that these steps may fill together: some 10 ms

MAX_FLOAT = float32(np.finfo(np.float32).max)
ONE = uint32(1)
NOT_HALTED = np.zeros(1, np.uint32)
WARP = 32


class Runner(one_step.Runner):
    """A program's runner that also takes several training steps at a time."""

    max_steps_per_call = MAX_STEPS_PER_CALL

    def __init__(
        self,
        program: Program,
        arrays: dict[int, np.ndarray],
        arena: one_step.Arena | None = None,
    ) -> None:
        super().__init__(program, arrays, arena)
        self.max_steps_per_call = max(
            2, min(MAX_STEPS_PER_CALL, ARENA_BYTES // max(program.arena_bytes, 1))
        )
        self._many: ManySteps | None = None

    def start(
        self, inputs: dict[int, Feed], values: dict[int, Feed], loss: int, predictions: int
    ) -> None:
        """Begin training steps, at most `max_steps_per_call`, after those begun before.

        Parameters
        ----------
        inputs : for each buffer of samples, what it gets in each step
        values : the same for all other inputs of the program
        loss, predictions : the buffers to keep of each step
        """
        if self._many is None:
            self._many = ManySteps(self, min(values), loss, predictions)
        self._many.start(inputs, values)

    def finish(self) -> tuple[np.ndarray, np.ndarray]:
        """Wait for the steps that were begun first: (steps, N) losses, (steps, N, ...) predictions.

        Only of the steps before the first with a loss that is not finite. After that one nothing
        changes the model until all steps that were begun are finished.
        """
        if self._many is None:
            raise RuntimeError("no steps were begun")
        return self._many.finish()


class Source(NamedTuple):
    """Where the launches find samples: in the data set, or in rows that were sent for them."""

    array: Any
    resident: bool


class Begun(NamedTuple):
    """Steps at work: in which half their rows are, and how many they are."""

    half: int
    steps: int


class ManySteps:
    """A runner's tables, history and recorded launches for many steps."""

    def __init__(self, runner: Runner, first_value: int, loss: int, predictions: int) -> None:
        self._runner, self._kept, self._rows = (
            runner,
            (loss, predictions),
            runner.max_steps_per_call,
        )
        self._shapes = [runner._program.buffers[i].spec.shape for i in self._kept]
        self._samples, self._outputs = (math.prod(shape) for shape in self._shapes)
        self._words, self._first_word = _words_from(runner, first_value)
        width = self._samples + len(self._words)
        self._table = DoubleBuffer(self._rows, (width,), "uint32", "the tables of steps")
        width = 1 + self._samples + self._outputs  # was it halted before?, losses, predictions
        self._history = DoubleBuffer(self._rows, (width,), "float32", "the outcomes of steps")
        self._staged: dict[tuple[int, str], DoubleBuffer] = {}
        self._sources: dict[int, Source] = {}
        # Rows of the next step and of this one: each launch reads one number, changes the other.
        self._turn = allocate(Spec((2,), "uint32"), "the number of a step")
        self._starts = cuda.pinned_array(2, np.dtype("uint32"))  # the first row of each half
        self._starts[:] = 0, self._rows
        self._uploads = new_stream()
        self._uploaded, self._finished = ([cuda.event() for _ in range(2)] for _ in range(2))
        self._begun: deque[Begun] = deque()
        self._half = 0  # of the next steps
        self._recorded: dict[int, Recorded] = {}

    def start(self, inputs: dict[int, Feed], values: dict[int, Feed]) -> None:
        """See Runner."""
        runner, half = self._runner, self._half
        begun = Begun(half, len(next(iter(inputs.values()))))
        for index, feed in inputs.items():
            self._take_from(index, feed, self._source(index, feed))
        self._fill_table(inputs, values)
        for device_copy in runner._device_copies.values():
            device_copy.refresh()
        with device_errors():
            self._table.upload(half, self._uploads)
            self._uploaded[half].record(self._uploads)
            self._uploaded[half].wait(runner._stream)
        upload(self._starts[half : half + 1], self._turn, runner._stream)
        self._launch(begun.steps)
        with device_errors():
            self._history.download(half, runner._stream)
            self._finished[half].record(runner._stream)
        for step in runner._steps:
            runner._note_changes(step)
        self._begun.append(begun)
        self._half = 1 - half

    def finish(self) -> tuple[np.ndarray, np.ndarray]:
        """See Runner."""
        half, steps = self._begun.popleft()
        with device_errors():
            self._finished[half].synchronize()
        halted, losses, outputs = np.split(
            self._history.host(half)[:steps], [1, 1 + self._samples], axis=1
        )
        good = (halted[:, 0] == 0) & np.isfinite(losses).all(1)
        done = steps if good.all() else int(good.argmin())
        if done < steps:  # what was begun since comes before this on the stream
            upload(NOT_HALTED, self._runner._halted, self._runner._stream)
        losses, outputs = (
            array[:done].reshape(done, *shape).copy()
            for array, shape in zip((losses, outputs), self._shapes, strict=True)
        )
        return losses, outputs

    def _source(self, index: int, feed: Feed) -> Source:
        """The data set on the device if it can be there; else the rows, which are sent now."""
        spec = self._runner._program.buffers[index].spec
        first = feed.array if isinstance(feed, IndexedBatches) else feed[0]
        dtype = "uint8" if first.dtype == np.uint8 else spec.dtype
        copy = resident(feed.array, dtype) if isinstance(feed, IndexedBatches) else None
        if copy is None:
            return Source(self._staged_rows(index, feed, dtype), False)
        return Source(copy, True)

    def _staged_rows(self, index: int, feed: Feed, dtype: str) -> Any:
        key = index, dtype
        if key not in self._staged:
            shape = self._runner._program.buffers[index].spec.shape
            self._staged[key] = DoubleBuffer(self._rows, shape, dtype, "batches on their way")
        rows = self._staged[key].host(self._half)
        for step in range(len(feed)):
            rows[step] = feed[step]
        with device_errors():
            self._staged[key].upload(self._half, self._uploads)
        return self._staged[key].device

    def _take_from(self, index: int, feed: Feed, source: Source) -> None:
        """Where it is a new place, the launches must be recorded anew."""
        before = self._sources.get(index)
        if before is None or before.array is not source.array:
            self._sources[index] = source
            self._recorded.clear()
            if isinstance(feed, IndexedBatches) and source.resident:
                weakref.finalize(feed.array, self._forget, index).atexit = False

    def _forget(self, index: int) -> None:
        """Nobody has the data set any more: give its copy up."""
        self._sources.pop(index, None)
        self._recorded.clear()

    def _fill_table(self, inputs: dict[int, Feed], values: dict[int, Feed]) -> None:
        rows, buffers = self._table.host(self._half), self._runner._program.buffers
        numbers = next(
            (feed.indices for feed in inputs.values() if isinstance(feed, IndexedBatches)), None
        )
        if numbers is not None:
            rows[: len(numbers), : self._samples] = numbers
        for index, feed in values.items():
            spec = buffers[index].spec
            first = self._samples + self._runner._places[index].offset // 4 - self._first_word
            column = rows[:, first : first + math.prod(spec.shape)].view(spec.dtype)
            for step in range(len(feed)):
                column[step] = np.ravel(feed[step])

    def _launch(self, steps: int) -> None:
        """As many recorded groups as fit, the rest one by one."""
        for size in (self._rows, 1):
            if size not in self._recorded:
                self._recorded[size] = Recorded(self._launches(size), self._runner._stream)
            for _ in range(steps // size):
                self._recorded[size]()
            steps %= size

    def _launches(self, steps: int) -> Callable[[Any], None]:
        runner, commit = self._runner, self._runner._program.commit
        whole = range(len(runner._steps))
        feeds = [
            self._feed(index, source, first=number == 0)
            for number, (index, source) in enumerate(self._sources.items())
        ]
        passes, changes = (
            one_step._starter(runner.launches(part)) for part in (whole[:commit], whole[commit:])
        )
        keep = self._keep()

        def launches(stream: Any) -> None:
            for _ in range(steps):
                for start in (*feeds, passes, keep, changes):
                    start(stream)

        return launches

    def _feed(self, index: int, source: Source, *, first: bool) -> Callable[[Any], None]:
        shape = self._runner._program.buffers[index].spec.shape
        count, words = math.prod(shape), len(self._words) if first else 0
        kernel = feed_kernel(
            count, math.prod(shape[1:]), source.resident, self._samples, len(self._words), words,
            1 + self._samples + self._outputs,
        )  # fmt: skip
        arrays = (
            self._runner._arrays[index], source.array, self._words, self._table.device, self._turn,
            self._history.device, self._runner._halted,
        )  # fmt: skip
        return _started(kernel, max(count, words), arrays)

    def _keep(self) -> Callable[[Any], None]:
        losses, predictions = (self._runner._arrays[index] for index in self._kept)
        kernel = keep_kernel(self._samples, self._outputs)
        arrays = self._history.device, losses, predictions, self._turn, self._runner._halted
        return _started(kernel, max(self._samples, self._outputs), arrays)


def _started(kernel: Any, count: int, arrays: tuple[Any, ...]) -> Callable[[Any], None]:
    """A function that starts so many threads of the kernel on a stream."""
    threads = min(THREADS, blocks_for(count, WARP) * WARP)
    return lambda stream: kernel[blocks_for(count, threads), threads, stream](*arrays)


def _words_from(runner: Runner, first_value: int) -> tuple[Any, int]:
    """The inputs from that buffer on, as words, and which word of the allocation is the first.

    The program's inputs lie in one allocation in their order: samples, then everything else.
    """
    places = [
        runner._places[i] for i, b in enumerate(runner._program.buffers) if b.storage == "input"
    ]
    start = runner._places[first_value].offset
    last = max(places, key=lambda place: place.offset)
    size = last.offset - start + math.prod(last.spec.shape) * np.dtype(last.spec.dtype).itemsize
    return part(last.memory, start, Spec((size // 4,), "uint32")), start // 4


@cached
def feed_kernel(
    count: int, row: int, resident: bool, samples: int, width: int, words: int, outcome: int
) -> Any:
    """One input's samples, one thread a number; and, by the same threads, the step's own words.

    `row` numbers a sample, `width` words in a step's row of the table after the samples' numbers,
    of which `words` are moved here; `outcome` numbers in a row of the history.
    """

    @jit
    def feed(x, source, inputs, table, turn, history, halted):
        i = uint32(cuda.grid(1))
        step = turn[0]
        own = step * uint32(samples + width)  # begin of this step's row
        if i < count:
            if resident:
                number = table[own + i // uint32(row)]
                x[i] = source[number * uint32(row) + i % uint32(row)]
            else:
                x[i] = source[step * uint32(count) + i]
        if i < words:
            inputs[i] = table[own + uint32(samples) + i]
        if words and i == 0:
            turn[1] = step
            history[step * uint32(outcome)] = halted[0]

    return feed


@cached
def keep_kernel(samples: int, outputs: int) -> Any:
    """The step's losses and predictions; a loss that is not finite halts. One thread a number."""

    @jit
    def keep(history, loss, predictions, turn, halted):
        i = uint32(cuda.grid(1))
        step = turn[1]
        own = step * uint32(1 + samples + outputs) + ONE
        if i < samples:
            history[own + i] = loss[i]
            if not abs(loss[i]) <= MAX_FLOAT:  # NaN is not
                halted[0] = ONE
        if i < outputs:
            history[own + uint32(samples) + i] = predictions[i]
        if i == 0:
            turn[0] = step + ONE

    return keep
