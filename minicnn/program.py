"""The program: a network's pass, written out as a flat list of kernel calls.

`models/planner/plan.py` makes it once for a (graph, batch size, training or inference); every
engine runs it: the reference as a loop over its table, the native engine as one call.
`print(program)` reads like the algorithm of the network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from minicnn.contracts import CONTRACTS, Spec
from minicnn.support.text import folded, screen_width


class Buffer(NamedTuple):
    """One array of a program. Buffers with a `storage` live outside the arena and outlast a run."""

    name: str
    spec: Spec
    offset: int | None = None  # bytes from the arena's start
    storage: str = ""  # "" arena, "parameter", "state", "input"
    view_of: int | None = None  # the earlier buffer whose numbers these are, in another shape


class Step(NamedTuple):
    """One kernel call; reads and writes are indices into the program's buffers."""

    kernel: str
    reads: tuple[int | None, ...]
    writes: tuple[int | None, ...]
    attributes: dict[str, Any]


@dataclass(frozen=True)
class IndexedBatches:
    """Parts of an array by the numbers of their rows, taken out when somebody asks for one.

    The array keeps its numbers for as long as it lives, so an engine may keep a copy of it.
    """

    array: np.ndarray
    indices: np.ndarray  # (batches, samples of a batch)

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, part: int) -> np.ndarray:
        return self.array[self.indices[part]]


Feed = IndexedBatches | Sequence[Any]  # what a buffer gets in each of several runs: an array a run


class Program(NamedTuple):
    """Buffers and the steps that fill them, in order."""

    buffers: tuple[Buffer, ...]
    steps: tuple[Step, ...]
    arena_bytes: int
    commit: int  # the steps from here on change what outlasts a run
    constant: int = 0  # the steps before depend on parameters alone: run when these have changed

    def __str__(self) -> str:
        """A line a step; on a terminal folded to its width."""
        lines = [self._line(i) for i in range(len(self.steps))]
        width, screen = max((len(result) for result, _ in lines), default=0), screen_width()
        if screen is None:
            text = [f"{result:>{width}} = {call}" for result, call in lines]
        else:
            text = [folded(f"{result} = {call}", screen) for result, call in lines]
        if 0 < self.commit < len(self.steps):
            text.insert(self.commit, "-- from here on the model changes --")
        if self.constant:
            text.insert(self.constant, "-- so far only after a change of the parameters --")
        text.append(f"{len(self.steps)} steps, {self.arena_bytes / 2**20:.1f} MiB of activations")
        return "\n".join(text)

    def _line(self, i: int) -> tuple[str, str]:
        """("y (64, 12, 12, 20)", "conv2d_max_pool2d_forward(x, w, b; window=5x5, ...)")."""
        step = self.steps[i]
        names = CONTRACTS[step.kernel].writes
        result = self.buffers[step.writes[0]] if step.writes[0] is not None else None
        left = f"{result.name} {result.spec.shape}" if result else names[0]
        reads = ", ".join("-" if r is None else self._name(r) for r in step.reads)
        attributes = ", ".join(f"{k}={_short(v)}" for k, v in step.attributes.items())
        return left, f"{step.kernel}({reads}{'; ' if attributes else ''}{attributes})"

    def _name(self, index: int) -> str:
        """What a step reads; a view is called by what it is a view of."""
        buffer = self.buffers[index]
        if buffer.view_of is None:
            return buffer.name
        return f"{self.buffers[buffer.view_of].name} as {_short(buffer.spec.shape)}"


def _short(value: Any) -> str:
    """Windows as "5x5" or "3x3/2 pad 1,1", the rest as Python writes it."""
    if not hasattr(value, "stride"):
        return f"{value:g}" if isinstance(value, float) else str(value).replace(" ", "")
    text = "x".join(map(str, value.size))
    if value.stride != (1, 1):
        text += "/" + "x".join(map(str, value.stride))
    if value.dilation != (1, 1):
        text += " dilation " + "x".join(map(str, value.dilation))
    if any(value.pad_h + value.pad_w):
        text += f" pad {value.pad_h}{value.pad_w}".replace(" (", "").replace(")(", "|")
    return text
