"""The two kernels that a training step has in addition when several steps run with one call."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from minicnn.backends.cuda.runtime.api import cuda, float32, jit, uint32
from minicnn.backends.cuda.runtime.graph import Launches
from minicnn.backends.cuda.runtime.kernel_cache import cached
from minicnn.backends.cuda.runtime.launch import THREADS, blocks_for
from minicnn.contracts import Shape

MAX_FLOAT = float32(np.finfo(np.float32).max)
ONE = uint32(1)
WARP = 32


class StepLayout(NamedTuple):
    """What a step's row of the table and its row of the history hold.

    Table: the indices of `samples` samples, then `words` words of 32 bits. History: whether the
    model was halted before the step, then `samples` losses and `outputs` predictions.
    """

    samples: int
    words: int
    outputs: int

    @property
    def table_width(self) -> int:
        """Words in a row of the table."""
        return self.samples + self.words

    @property
    def history_width(self) -> int:
        """Values in a row of the history."""
        return 1 + self.samples + self.outputs


def starter(kernel: Any, count: int, arrays: tuple[Any, ...]) -> Launches:
    """Return a function that starts at least `count` threads of the kernel on a stream."""
    threads = min(THREADS, blocks_for(count, WARP) * WARP)
    return lambda stream: kernel[blocks_for(count, threads), threads, stream](*arrays)


@cached
def feed_kernel(layout: StepLayout, shape: Shape, by_index: bool, with_words: bool) -> Any:
    """Copy one input's samples of a step, of this shape, to where the program reads them.

    One thread per value. `by_index`: `source` is a data set, in which the table says where the
    samples are; otherwise it holds the samples of each step. With `with_words` the same threads
    also copy the step's words.
    """
    count, sample_size = math.prod(shape), math.prod(shape[1:])
    samples, width = layout.samples, layout.table_width
    words, history_width = layout.words if with_words else 0, layout.history_width

    @jit
    def feed(x, source, inputs, table, turn, history, halted):
        i = uint32(cuda.grid(1))
        step = turn[0]
        own = step * uint32(width)  # start of this step's row
        if i < count:
            if by_index:
                sample = table[own + i // uint32(sample_size)]
                x[i] = source[sample * uint32(sample_size) + i % uint32(sample_size)]
            else:
                x[i] = source[step * uint32(count) + i]
        if i < words:
            inputs[i] = table[own + uint32(samples) + i]
        if words and i == 0:
            turn[1] = step
            history[step * uint32(history_width)] = halted[0]

    return feed


@cached
def keep_kernel(samples: int, outputs: int) -> Any:
    """Copy a step's losses and predictions to the history; halt if a loss is not finite.

    One thread per value.
    """

    @jit
    def keep(history, loss, predictions, turn, halted):
        i = uint32(cuda.grid(1))
        step = turn[1]
        own = step * uint32(1 + samples + outputs) + ONE
        if i < samples:
            history[own + i] = loss[i]
            if not abs(loss[i]) <= MAX_FLOAT:  # also true for NaN
                halted[0] = ONE
        if i < outputs:
            history[own + uint32(samples) + i] = predictions[i]
        if i == 0:
            turn[0] = step + ONE

    return keep


def in_turn(starters: list[Launches], times: int) -> Launches:
    """Return a function that starts what these start, in order, and all of it `times` times."""

    def launches(stream: Any) -> None:
        for _ in range(times):
            for start in starters:
                start(stream)

    return launches
