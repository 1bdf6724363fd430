"""Update a dense layer's weights by rows: several processes can each update some of them.

The gradient of w in y = x @ w is x.T @ dy, so that of rows a...b - 1 needs columns a...b - 1 of x,
and all of dy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from minicnn.contracts import Shape, Spec
from minicnn.layers.parameter import aligned
from minicnn.models.planner.trace import Call, Value


class DenseUpdate(NamedTuple):
    """Arrays of a large dense layer, of whose weights (in, out) some rows are updated here."""

    parts: tuple[slice, ...]  # of the rows, one after the other; each is updated by a call
    x: tuple[np.ndarray, ...]  # for each part (N, rows), to be set
    dy: np.ndarray  # (N, out), to be set
    weights: np.ndarray  # all rows
    slots: tuple[np.ndarray, ...]  # the optimizer's arrays, all rows

    @property
    def rows(self) -> slice:
        """All rows that are updated here."""
        return slice(self.parts[0].start, self.parts[-1].stop)


def weights_of(call: Call) -> Value:
    """Return the weights that an update of a dense layer changes."""
    (w, *_) = call.reads
    if w is None:
        raise ValueError(f"{call.kernel} needs w")
    return w


def in_parts(call: Call, parts: Sequence[slice]) -> tuple[list[Call], DenseUpdate]:
    """Return updates of some rows of a dense layer's weights, and their arrays."""
    w, dy, x, *others = call.reads
    if w is None or dy is None or x is None:
        raise ValueError(f"{call.kernel} needs w, dy and x")
    slots = [v for v in others if v is not None and v.storage == "state"]
    new_dy = _input(dy.name, dy.shape)
    columns = [_input(f"{x.name}, some columns", (x.shape[0], p.stop - p.start)) for p in parts]
    calls = []
    for rows, new_x in zip(parts, columns, strict=True):
        cut = {id(v): _rows(v, rows) for v in (w, *slots)} | {id(x): new_x, id(dy): new_dy}
        reads, writes = (
            tuple(cut.get(id(v), v) for v in values) for values in (call.reads, call.writes)
        )
        if rows.start < rows.stop:
            calls.append(Call(call.kernel, reads, writes, call.attributes))
    update = DenseUpdate(
        tuple(parts),
        tuple(array_of(one) for one in columns),
        array_of(new_dy),
        array_of(w),
        tuple(array_of(one) for one in slots),
    )
    return calls, update


def array_of(value: Value) -> np.ndarray:
    """Return the array of a value that outlasts a run."""
    if value.array is None:
        raise ValueError(f"{value.name} has no array")
    return value.array


def _input(name: str, shape: Shape) -> Value:
    return Value(name, Spec(shape), "input", aligned(shape, "float32"))


def _rows(value: Value, rows: slice) -> Value:
    """Return the value of some rows of an array that outlasts a run."""
    part = array_of(value)[rows]
    return Value(f"{value.name}, some rows", Spec(part.shape), value.storage, part)
