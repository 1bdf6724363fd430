"""The program: a pass of a network as a flat list of kernel calls.

`models/planner/plan.py` makes a program for a graph, a batch size, and training or inference. Every
engine runs it: the reference in a loop, the native engine with one call for all steps that follow
each other. A training step is two calls: the steps before `first_change`, then, if the loss is
finite, those from `first_change` on. `print(program)` reads like the algorithm of the network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from minicnn.contracts import CONTRACTS, Spec
from minicnn.support.text import folded, screen_width


class Buffer(NamedTuple):
    """One array of a program. Those with a `storage` are outside of the arena and outlast a run."""

    name: str
    spec: Spec
    offset: int | None = None  # bytes from the arena's start
    storage: str = ""  # "" is the arena; else "parameter", "state" or "input"
    view_of: int | None = None  # the earlier buffer with the same values in another shape


class Step(NamedTuple):
    """One kernel call. Reads and writes are indices of buffers; None leaves an array out."""

    kernel: str
    reads: tuple[int | None, ...]
    writes: tuple[int | None, ...]
    attributes: dict[str, Any]


@dataclass(frozen=True)
class IndexedBatches:
    """Batches of rows of one array, each copied only when it is asked for.

    The array does not change while it exists, so an engine may keep a copy of it.
    """

    array: np.ndarray
    indices: np.ndarray  # (batches, samples of a batch)

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, batch: int) -> np.ndarray:
        return self.array[self.indices[batch]]


Feed = IndexedBatches | Sequence[Any]  # what a buffer gets in each of several steps


class Program(NamedTuple):
    """Buffers, and the steps that compute them, in order."""

    buffers: tuple[Buffer, ...]
    steps: tuple[Step, ...]
    arena_bytes: int
    first_change: int  # the steps from this index on change parameters and state
    constant_steps: int = 0  # how many steps at the start depend on parameters alone

    def __str__(self) -> str:
        """Return one line per step, folded to the width of a terminal."""
        lines = [self._line(i) for i in range(len(self.steps))]
        width, screen = max((len(result) for result, _ in lines), default=0), screen_width()
        if screen is None:
            text = [f"{result:>{width}} = {call}" for result, call in lines]
        else:
            text = [folded(f"{result} = {call}", screen) for result, call in lines]
        if 0 < self.first_change < len(self.steps):
            text.insert(self.first_change, "-- the steps below change the model --")
        if self.constant_steps:
            text.insert(
                self.constant_steps,
                "-- the steps above run only after a change of the parameters --",
            )
        text.append(f"{len(self.steps)} steps, {self.arena_bytes / 2**20:.1f} MiB of activations")
        return "\n".join(text)

    def _line(self, i: int) -> tuple[str, str]:
        """Return ("y (64, 12, 12, 20)", "conv2d_max_pool2d_forward(x, w, b; window=5x5, ...)")."""
        step = self.steps[i]
        names = CONTRACTS[step.kernel].writes
        result = self.buffers[step.writes[0]] if step.writes[0] is not None else None
        left = f"{result.name} {result.spec.shape}" if result else names[0]
        reads = ", ".join("-" if r is None else self._name(r) for r in step.reads)
        attributes = ", ".join(f"{k}={_short(v)}" for k, v in step.attributes.items())
        return left, f"{step.kernel}({reads}{'; ' if attributes else ''}{attributes})"

    def _name(self, index: int) -> str:
        """Return the name of a buffer; a view is named after the buffer that it is a view of."""
        buffer = self.buffers[index]
        if buffer.view_of is None:
            return buffer.name
        return f"{self.buffers[buffer.view_of].name} as {_short(buffer.spec.shape)}"


def _short(value: Any) -> str:
    """Return a window as "5x5" or "3x3/2 pad 1,1", other values as Python writes them."""
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
