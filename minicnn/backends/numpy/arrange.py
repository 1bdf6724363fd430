"""Operations that copy values to other places; the gradient goes back the same way.

broadcast_to    y = x repeated along axes      dx = the sum of dy over the repetitions
reshape_whole   y = x with other axes          dx = dy with the old ones
transpose       y = x, its axes permuted       dx = dy, permuted back
slice           y = x[start::step] per axis    dx = dy at these places, 0 elsewhere
pad             y = x with a border            dx = dy without it
where           y = a or b, by a condition     da = dy where it holds, else 0; db the other way
take            y = x[..., indices, ...]       dx = at each place, the sum of all dy taken from it
one_hot         y = 1 at the class x, else 0
cast            y = x in another dtype
stop_gradient   y = x, for which no gradient is computed
"""

from __future__ import annotations

from typing import Any

import numpy as np

Shape = tuple[int, ...]


def broadcast_to_forward(x: np.ndarray, *, shape: Shape, **_: Any) -> tuple[np.ndarray]:
    return (np.broadcast_to(x, shape).copy(),)


def broadcast_to_backward(dy: np.ndarray, *, shape: Shape, image: Shape) -> tuple[np.ndarray]:
    old = (1,) * (len(shape) - len(image)) + image
    axes = tuple(i for i, (n, m) in enumerate(zip(old, shape, strict=True)) if n != m)
    return (dy.sum(axes, keepdims=True).reshape(image),) if axes else (dy.reshape(image).copy(),)


def reshape_whole_forward(x: np.ndarray, *, shape: Shape, **_: Any) -> tuple[np.ndarray]:
    return (x.reshape(shape).copy(),)


def reshape_whole_backward(dy: np.ndarray, *, image: Shape, **_: Any) -> tuple[np.ndarray]:
    return (dy.reshape(image).copy(),)


def transpose_forward(x: np.ndarray, *, axes: Shape) -> tuple[np.ndarray]:
    return (x.transpose(axes).copy("C"),)


def transpose_backward(dy: np.ndarray, *, axes: Shape) -> tuple[np.ndarray]:
    return (dy.transpose(np.argsort(axes)).copy("C"),)


def slice_forward(
    x: np.ndarray, *, starts: Shape, steps: Shape, shape: Shape, **_: Any
) -> tuple[np.ndarray]:
    return (x[_places(starts, steps, shape)].copy(),)


def slice_backward(
    dy: np.ndarray, *, starts: Shape, steps: Shape, shape: Shape, image: Shape
) -> tuple[np.ndarray]:
    dx = np.zeros(image, dy.dtype)
    dx[_places(starts, steps, shape)] = dy
    return (dx,)


def _places(starts: Shape, steps: Shape, shape: Shape) -> tuple[slice, ...]:
    """Return the slices of these lengths. One that counts down to 0 has no end."""
    ends = [a + n * s for a, s, n in zip(starts, steps, shape, strict=True)]
    triples = zip(starts, ends, steps, strict=True)
    return tuple(slice(a, None if b < 0 else b, s) for a, b, s in triples)


def pad_forward(x: np.ndarray, *, before: Shape, after: Shape, value: float) -> tuple[np.ndarray]:
    pads = list(zip(before, after, strict=True))
    return (np.pad(x, pads, constant_values=x.dtype.type(value)) if pads else x.copy(),)


def pad_backward(dy: np.ndarray, *, before: Shape, after: Shape, **_: Any) -> tuple[np.ndarray]:
    lengths = zip(before, after, dy.shape, strict=True)
    return (dy[tuple(slice(first, n - last) for first, last, n in lengths)].copy(),)


def where_forward(condition: np.ndarray, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray]:
    return (np.where(condition, a, b),)


def where_backward(dy: np.ndarray, condition: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.where(condition, dy, 0), np.where(condition, 0, dy)


def take_forward(x: np.ndarray, indices: np.ndarray, *, axis: int, **_: Any) -> tuple[np.ndarray]:
    return (np.take(x, indices, axis),)


def take_backward(
    dy: np.ndarray, indices: np.ndarray, *, axis: int, image: Shape
) -> tuple[np.ndarray]:
    dx = np.zeros(image, dy.dtype)
    before = range(indices.ndim, indices.ndim + axis)  # where the axes before `axis` go
    np.add.at(np.moveaxis(dx, axis, 0), indices, np.moveaxis(dy, range(axis), before))
    return (dx,)


def one_hot_forward(x: np.ndarray, *, classes: int) -> tuple[np.ndarray]:
    return ((x[..., None] == np.arange(classes)).astype(np.float32),)


def cast_forward(x: np.ndarray, *, dtype: str) -> tuple[np.ndarray]:
    return (x.astype(dtype),)


def stop_gradient_forward(x: np.ndarray) -> tuple[np.ndarray]:
    return (x.copy(),)
