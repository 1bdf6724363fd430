"""The table from our operations on whole axes to ONNX's operators: shapes, parts, sums.

Transpositions and repetitions write nothing: they change how the value lies, and a node is written
only where another operator needs its axes in an order of its own.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from minicnn.interop.onnx.writer_layouts import (
    UNIT,
    Axes,
    Laid,
    Layouts,
    Order,
    as_given,
    channels_first,
)
from minicnn.interop.onnx.writer_ops import cast, fixed, writes
from minicnn.interop.onnx.writer_trace import Step, Value

LAST = 2**63 - 1  # an end of a slice that is beyond every axis


def read(step: Step, place: int = 0) -> Value:
    """Return the value that a step reads in this place."""
    value = step.reads[place]
    if value is None:
        raise TypeError(f"{step.kernel} has no input {place}")
    return value


def whole(layouts: Layouts, value: Value) -> tuple[str, Axes]:
    """Return a tensor with all axes of a value, in the order in which they are, and that order."""
    axes = layouts.axes_of(value)
    if value.array is None:
        laid = layouts.laid(value)
        if laid.is_plain:
            return laid.tensor, axes
    return layouts.fetch(value, axes), axes


# --- arrangement --------------------------------------------------------------------------------


@writes("broadcast_to")
def _broadcast_to(layouts: Layouts, step: Step) -> None:
    repeat(layouts, read(step), step.value)


@writes("bias")
def _bias(layouts: Layouts, step: Step) -> None:
    x, b = read(step), read(step, 1)
    names, laid = layouts.together([x, repeated(layouts, b, x)])
    layouts.put(step.value, laid._replace(tensor=layouts.emit("Add", *names)))


def repeated(layouts: Layouts, x: Value, like: Value) -> Value:
    """Return a value that is repeated to the shape of another one."""
    y = copy.copy(like)
    y.array, y.number = None, layouts.new_number()
    repeat(layouts, x, y)
    return y


def repeat(layouts: Layouts, x: Value, y: Value) -> None:
    """Let `y` be `x`, repeated to its shape, which writes nothing."""
    if x.array is not None:
        y.array, y.label = x.array, x.label
        return
    laid = layouts.laid(x)
    new = y.rank - x.rank
    if laid.order is not None and new:
        laid = Laid(layouts.fetch(x), as_given(x.rank))
    spread = {axis + new for axis in laid.spread} | set(range(new))
    pairs = enumerate(zip(x.shape, y.shape[new:], strict=True))
    spread |= {axis + new for axis, (n, m) in pairs if n == 1 and m != 1}
    axes = tuple(axis if axis == UNIT else axis + new for axis in laid.axes)
    layouts.put(y, Laid(laid.tensor, axes, frozenset(spread), laid.order))


@writes("transpose")
def _transpose(layouts: Layouts, step: Step) -> None:
    x, axes = read(step), step.attributes["axes"]
    if x.array is None:
        laid = layouts.laid(x)
    if x.array is not None or laid.order is not None:
        laid = Laid(layouts.fetch(x), as_given(x.rank))
    moved = tuple(axis if axis == UNIT else axes.index(axis) for axis in laid.axes)
    spread = frozenset(axes.index(axis) for axis in laid.spread)
    layouts.put(step.value, Laid(laid.tensor, moved, spread))


@writes("reshape", "reshape_whole")
def _reshape(layouts: Layouts, step: Step) -> None:
    x, y = read(step), step.value
    if x.shape == y.shape and x.array is None:
        layouts.put(y, layouts.laid(x))
    elif not (_with_other_units(layouts, x, y) or _flattened(layouts, x, y)):
        layouts.plain(step, layouts.emit("Reshape", layouts.fetch(x), _shape(layouts, x, y)))


def _with_other_units(layouts: Layouts, x: Value, y: Value) -> bool:
    """Add or remove axes of length 1 without moving anything; return whether that is all."""
    if x.array is not None or layouts.laid(x).spread or layouts.laid(x).order is not None:
        return False
    olds, news = ([i for i, n in enumerate(v.shape) if n != 1] for v in (x, y))
    if [x.shape[i] for i in olds] != [y.shape[i] for i in news]:
        return False
    if sum(n is None for n in y.shape) > 1 and x.batch != y.batch:
        return False
    laid = layouts.laid(x)
    moved = dict(zip(olds, news, strict=True))
    sequence = [moved[axis] for axis in laid.axes if axis in moved]
    wanted = next(
        (
            order
            for order in (channels_first(y.rank), as_given(y.rank))
            if [axis for axis in order if axis in sequence] == sequence
        ),
        None,
    )
    if wanted is None:
        return False
    axes = _relabeled(laid.axes, moved, wanted)
    if axes is not None:
        layouts.put(y, Laid(laid.tensor, axes))
    else:
        shape = _lengths(layouts, x, y, laid.axes, wanted)
        layouts.put(y, Laid(layouts.emit("Reshape", laid.tensor, shape), wanted))
    return True


def _relabeled(old: Axes, moved: dict[int, int], wanted: Axes) -> Axes | None:
    """Return the new axes of a tensor that stays as it is; None if it needs others."""
    if len(old) < len(wanted):
        return None
    units = [axis for axis in wanted if axis not in moved.values()]
    found = []
    for axis in old:
        if axis in moved:
            found.append(moved[axis])
        else:
            found.append(units.pop(0) if units else UNIT)
    kept = tuple(axis for axis in found if axis != UNIT)
    return tuple(found) if not units and kept == wanted else None


def _flattened(layouts: Layouts, x: Value, y: Value) -> bool:
    """Write a reshape to (N, features); return whether it is one."""
    flat = y.rank == 2 and x.rank > 2 and 0 in x.batch and 0 in y.batch
    if not flat or x.array is not None or None in x.shape[1:]:
        return False
    tensor, axes = whole(layouts, x)
    if axes[0] != 0:
        tensor, axes = layouts.fetch(x), as_given(x.rank)
    order: Order | None = Order(x.shape[1:], tuple(axis - 1 for axis in axes[1:]))  # type: ignore[arg-type]
    real = [axis for axis in axes if axis == 0 or x.shape[axis] != 1]
    if real == sorted(real):
        order = None
    layouts.put(y, Laid(layouts.emit("Flatten", tensor, axis=1), (0, 1), order=order))
    return True


def _shape(layouts: Layouts, x: Value, y: Value) -> str:
    return _lengths(layouts, x, y, as_given(x.rank), as_given(y.rank))


def _lengths(layouts: Layouts, x: Value, y: Value, old: Axes, new: Axes) -> str:
    """Return the constant shape of a Reshape from a tensor with axes `old` to one with `new`."""
    before = [1 if axis == UNIT else x.shape[axis] for axis in old]
    lengths: list[int] = []
    for place, axis in enumerate(new):
        n = y.shape[axis]
        same = place < len(old) and before[place] is None and old[place] != UNIT
        if n is not None:
            lengths.append(n)
        elif same and (axis in y.batch) == (old[place] in x.batch) and axis == old[place]:
            lengths.append(0)
        else:
            lengths.append(-1)
    if lengths.count(-1) > 1 or 0 in y.shape:
        raise layouts.refused("its shape depends on more than one length that the file leaves open")
    return layouts.integers(lengths, "shape")


@writes("concatenate")
def _concatenate(layouts: Layouts, step: Step) -> None:
    values = [v for v in step.reads if v is not None]
    traced = [v for v in values if v.array is None]
    axes = layouts.axes_of(traced[0] if traced else values[0])
    names = [layouts.fetch(v, axes) for v in values]
    axis = axes.index(fixed(layouts, step, "axis"))
    layouts.plain(step, layouts.emit("Concat", *names, axis=axis), axes)


@writes("slice")
def _slice(layouts: Layouts, step: Step) -> None:
    x = read(step)
    tensor, axes = whole(layouts, x)
    changed = [i for i in range(x.rank) if not _is_whole(step, i)]
    starts, steps = step.attributes["starts"], step.attributes["steps"]
    if not changed:
        layouts.plain(step, tensor, axes)
        return
    if any(starts[i] is None or steps[i] is None for i in changed):
        raise layouts.refused("it takes a part whose place depends on the sizes of the inputs")
    ends = [_end(layouts, step, i) for i in changed]
    arguments = [
        layouts.integers(numbers, name)
        for numbers, name in (
            ([starts[i] for i in changed], "starts"),
            (ends, "ends"),
            ([axes.index(i) for i in changed], "axes"),
            ([steps[i] for i in changed], "steps"),
        )
    ]
    layouts.plain(step, layouts.emit("Slice", tensor, *arguments), axes)


def _is_whole(step: Step, axis: int) -> bool:
    return all(
        (one["starts"][axis], one["steps"][axis]) == (0, 1)
        and one["shape"][axis] == one["image"][axis]
        for one in step.exact
    )


def _end(layouts: Layouts, step: Step, axis: int) -> int:
    """Return where a slice ends, from the last of the numbers that it takes."""
    start, every, length = (step.attributes[name][axis] for name in ("starts", "steps", "shape"))
    if length is not None:
        end = start + every * length
        return end if end >= 0 else -LAST
    to_the_end = every > 0 and all(
        start + every * (one["shape"][axis] - 1)
        < one["image"][axis]
        <= start + every * one["shape"][axis]
        for one in step.exact
    )
    if to_the_end:
        return LAST
    short = {one["shape"][axis] + start - one["image"][axis] for one in step.exact}
    if every == 1 and len(short) == 1:
        return short.pop()
    raise layouts.refused("it takes a part whose end depends on the sizes of the inputs")


@writes("pad")
def _pad(layouts: Layouts, step: Step) -> None:
    before, after = fixed(layouts, step, "before"), fixed(layouts, step, "after")
    padded(layouts, step, before, after, step.attributes["value"])


def padded(layouts: Layouts, step: Step, before: Any, after: Any, value: float) -> None:
    """Write a border of a constant value, with the axes of the value in any order."""
    if None in before or None in after:
        raise layouts.refused("its padding depends on the sizes of the inputs")
    tensor, axes = whole(layouts, read(step))
    pads = [int(pad[axis]) for pad in (before, after) for axis in axes]
    arguments = [tensor, layouts.integers(pads, "pads")]
    if value != 0:
        arguments.append(layouts.number(value, "value", step.value.dtype))
    layouts.plain(step, layouts.emit("Pad", *arguments), axes)


# --- sums and places ----------------------------------------------------------------------------

REDUCTIONS = {
    "sum": "ReduceSum", "mean": "ReduceMean", "max": "ReduceMax", "min": "ReduceMin",
    "prod": "ReduceProd",
}  # fmt: skip


@writes(*REDUCTIONS)
def _reduce(layouts: Layouts, step: Step) -> None:
    tensor, axes = whole(layouts, read(step))
    reduced, keepdims = step.attributes["axes"], step.attributes["keepdims"]
    if not reduced:
        layouts.plain(step, tensor, axes)
        return
    places = sorted(axes.index(axis) for axis in reduced)
    op, options = REDUCTIONS[step.kernel], {"keepdims": int(keepdims)}
    if op == "ReduceSum":
        y = layouts.emit(op, tensor, layouts.integers(places, "axes"), **options)
    else:
        y = layouts.emit(op, tensor, axes=places, **options)
    layouts.plain(step, y, axes if keepdims else without(axes, reduced))


def without(axes: Axes, removed: Any) -> Axes:
    """Return the order of the axes that are left, numbered anew.

    >>> without((0, 3, 1, 2), (1, 2))
    (0, 1)
    """
    left = sorted(set(axes) - set(removed))
    return tuple(left.index(axis) for axis in axes if axis not in removed)


@writes("argmax", "argmin")
def _extreme_at(layouts: Layouts, step: Step) -> None:
    tensor, axes = whole(layouts, read(step))
    axis, keepdims = step.attributes["axis"], step.attributes["keepdims"]
    op = "ArgMax" if step.kernel == "argmax" else "ArgMin"
    y = layouts.emit(op, tensor, axis=axes.index(axis), keepdims=int(keepdims))
    y = cast(layouts, y, step.value.dtype)
    layouts.plain(step, y, axes if keepdims else without(axes, (axis,)))


@writes("cumsum")
def _cumsum(layouts: Layouts, step: Step) -> None:
    tensor, axes = whole(layouts, read(step))
    axis = layouts.constant(np.array(axes.index(step.attributes["axis"]), np.int64), "axis")
    layouts.plain(step, layouts.emit("CumSum", tensor, axis), axes)


@writes("softmax")
def _softmax(layouts: Layouts, step: Step) -> None:
    x = read(step)
    laid = layouts.laid(x)
    if laid.order is not None or (laid.spread == frozenset() and UNIT in laid.axes):
        y = layouts.emit("Softmax", laid.tensor, axis=laid.axes.index(x.rank - 1))
        layouts.put(step.value, laid._replace(tensor=y))
        return
    tensor, axes = whole(layouts, x)
    layouts.plain(step, layouts.emit("Softmax", tensor, axis=axes.index(x.rank - 1)), axes)


@writes("take")
def _take(layouts: Layouts, step: Step) -> None:
    x, indices = read(step), read(step, 1)
    axis = step.attributes["axis"]
    if indices.rank == 1 and x.array is None:
        tensor, axes = whole(layouts, x)
    else:
        tensor, axes = layouts.fetch(x), as_given(x.rank)
    y = layouts.emit("Gather", tensor, layouts.fetch(indices), axis=axes.index(axis))
    layouts.plain(step, y, axes if indices.rank == 1 else None)


@writes("one_hot")
def _one_hot(layouts: Layouts, step: Step) -> None:
    x, classes = read(step), step.attributes["classes"]
    last = layouts.integers([x.rank], "axis")
    numbers = layouts.constant(np.arange(classes).astype(x.dtype), "classes")
    hot = layouts.emit("Equal", layouts.emit("Unsqueeze", layouts.fetch(x), last), numbers)
    layouts.plain(step, cast(layouts, hot, "float32"))


@writes("matmul")
def _matmul(layouts: Layouts, step: Step) -> None:
    names = []
    for value in (read(step, 0), read(step, 1)):
        matrices = {value.rank - 2, value.rank - 1}
        repeats = not matrices & layouts.spread(value)  # then ONNX repeats them itself
        names.append(layouts.fetch(value, spread=repeats))
    layouts.plain(step, layouts.emit("MatMul", *names))
