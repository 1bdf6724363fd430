"""Parts of tensors: slices, equal sections, reversed and rotated values."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from minicnn.checks import check_int
from minicnn.errors import ArgumentError, ShapeError
from minicnn.layers.functions import tensor_function
from minicnn.layers.tracing import apply_operation
from minicnn.operations.arrange import SLICE
from minicnn.ops.operands import axes_of, axis_of, reshaped, tensor
from minicnn.ops.shapes import concatenate, ravel, squeeze
from minicnn.shapes import is_int


def sliced(x: Any, slices: Sequence[tuple[int, int, int]]) -> Any:
    """Return the part of a tensor that (start, step, length) per axis describe."""
    if all(one == (0, 1, n) for one, n in zip(slices, x.shape, strict=True)):
        return x
    starts, steps, shape = (tuple(part) for part in zip(*slices, strict=True))
    return apply_operation(SLICE, x, starts=starts, steps=steps, shape=shape)


@tensor_function
def slice(inputs: Any, start_indices: Any, shape: Any) -> Any:
    """Return the part of this shape that begins at these places."""
    x = tensor(inputs)
    triples = []
    for start, length, n in zip(start_indices, shape, x.shape, strict=True):
        if not 0 <= start <= start + length <= n:
            raise ShapeError(f"{start}...{start + length} is outside of an axis of {n} values")
        triples.append((int(start), 1, int(length)))
    return sliced(x, triples)


@tensor_function
def split(x: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    """Return a list of parts along an axis: so many equal ones, or those between the places.

    >>> import minicnn as mc
    >>> [part.tolist() for part in mc.ops.split([1, 2, 3, 4], 2)]
    [[1, 2], [3, 4]]
    """
    x = tensor(x)
    axis = axis_of(axis, len(x.shape))
    length = x.shape[axis]
    if is_int(indices_or_sections):
        parts = check_int(indices_or_sections, "indices_or_sections")
        if length % parts:
            raise ShapeError(f"axis {axis} has {length} values, which {parts} parts do not divide")
        ends = [length // parts * i for i in range(parts + 1)]
    else:
        ends = [0, *(min(max(int(i), 0), length) for i in indices_or_sections), length]
    return [_along(x, axis, (start, 1, max(end - start, 0))) for start, end in pairwise(ends)]


def _along(x: Any, axis: int, part: tuple[int, int, int]) -> Any:
    """Return the part along one axis."""
    return sliced(x, [part if i == axis else (0, 1, n) for i, n in enumerate(x.shape)])


@tensor_function
def unstack(x: Any, num: Any = None, axis: int = 0) -> Any:
    """Return a list of the parts along an axis, without that axis."""
    x = tensor(x)
    axis = axis_of(axis, len(x.shape))
    if num not in (None, x.shape[axis]):
        raise ArgumentError(f"num must be the length of the axis, {x.shape[axis]}; got {num}")
    return [squeeze(part, axis) for part in split(x, x.shape[axis], axis)]


@tensor_function
def flip(x: Any, axis: Any = None) -> Any:
    """Return the values in reverse order along the axes, along all of them if `axis` is None."""
    x = tensor(x)
    axes = axes_of(axis, len(x.shape))
    triples = [(n - 1, -1, n) if i in axes else (0, 1, n) for i, n in enumerate(x.shape)]
    return sliced(x, triples) if 0 not in x.shape else x


@tensor_function
def roll(x: Any, shift: Any, axis: Any = None) -> Any:
    """Return the values moved along an axis; those that leave at its end come in at its start."""
    x = tensor(x)
    if axis is None:
        return reshaped(roll(ravel(x), shift, 0), tuple(x.shape))
    shifts = [shift] if is_int(shift) else list(shift)
    axes = [axis] if is_int(axis) else list(axis)
    for number, where in zip(shifts, axes, strict=True):
        at = axis_of(where, len(x.shape))
        start = -number % max(x.shape[at], 1)
        if start:
            first, second = split(x, [start], at)
            x = concatenate([second, first], at)
    return x
