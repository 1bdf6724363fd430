"""Resize and Upsample: along each axis a choice of rows, or a product with a matrix."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from minicnn import ops
from minicnn.interop.onnx.nodes import Node
from minicnn.interop.onnx.operators.registry import operator
from minicnn.interop.onnx.values import Value, channels_last
from minicnn.layers import UpSampling1D, UpSampling2D


class Axis(NamedTuple):
    """How one axis changes: its lengths before and after, the scale, and the region of interest."""

    old: int
    new: int
    scale: float
    start: float = 0.0
    end: float = 1.0


@operator("Upsample")
def upsample(node: Node, x: Value, scales: Value | None = None) -> Value:
    """Return larger images, as `Resize` of opset 10 makes them."""
    given = node.numbers(scales, "scales")
    if given is None:
        given = list(node.attributes.get("scales", ()))
    if len(given) != x.rank:
        raise node.refused(f"{len(given)} scales for {x.rank} axes")
    mode = node.text("mode", "nearest")
    axes = {i: _scaled(node, x, i, s) for i, s in enumerate(given) if s != 1}
    return _resized(node, x, axes, "asymmetric", "floor", mode)


@operator("Resize")
def resize(
    node: Node,
    x: Value,
    roi: Value | None = None,
    scales: Value | None = None,
    sizes: Value | None = None,
) -> Value:
    """Return images of another size."""
    if node.opset < 11:
        return upsample(node, x, roi)
    along = [node.axis(a, x.rank) for a in node.integers("axes", list(range(x.rank)))]
    factors, lengths = node.numbers(scales, "scales"), node.numbers(sizes, "sizes")
    region = node.numbers(roi, "roi") or [0.0] * len(along) + [1.0] * len(along)
    axes = {}
    for i, axis in enumerate(along):
        if lengths:
            one = _sized(node, x, axis, lengths[i])
        elif factors:
            one = _scaled(node, x, axis, factors[i])
        else:
            raise node.refused("neither scales nor sizes are given")
        axes[axis] = one._replace(start=region[i], end=region[i + len(along)])
    if lengths:
        axes = _proportional(node, axes)
    transform = node.text("coordinate_transformation_mode", "half_pixel")
    crop = transform == "tf_crop_and_resize"
    axes = {a: one for a, one in axes.items() if one.old != one.new or one.scale != 1 or crop}
    rounding = node.text("nearest_mode", "round_prefer_floor")
    return _resized(node, x, axes, transform, rounding, node.text("mode", "nearest"))


def _length(node: Node, x: Value, axis: int) -> int:
    length = x.shape[axis]
    if length is None:
        raise node.refused("images of a known size are needed")
    return int(length)


def _scaled(node: Node, x: Value, axis: int, scale: float) -> Axis:
    if x.shape[axis] is None and scale == 1:
        return Axis(1, 1, 1.0)
    if not 0 < scale < math.inf:
        raise node.refused(f"a scale of {scale}")
    old = _length(node, x, axis)
    return Axis(old, math.floor(old * scale), float(scale))


def _sized(node: Node, x: Value, axis: int, new: Any) -> Axis:
    if x.shape[axis] is None:  # the batch, whose length the file may name
        return Axis(1, 1, 1.0)
    old = _length(node, x, axis)
    if not 0 < new < 2**31:
        raise node.refused(f"a size of {new}")
    return Axis(old, int(new), new / old)


def _proportional(node: Node, axes: dict[int, Axis]) -> dict[int, Axis]:
    """Return the axes with one scale for all, if the node asks for that."""
    policy = node.text("keep_aspect_ratio_policy", "stretch")
    if policy == "stretch":
        return axes
    choose = min if policy == "not_larger" else max
    scale = choose(one.scale for one in axes.values())
    return {
        a: one._replace(scale=scale, new=math.floor(one.old * scale + 0.5))
        for a, one in axes.items()
    }


def _resized(
    node: Node, x: Value, axes: dict[int, Axis], transform: str, rounding: str, mode: str
) -> Value:
    if not axes:
        return x
    if not x.known and 0 in axes:
        raise node.refused("it changes the number of images")
    if mode not in ("nearest", "linear", "bilinear", "cubic"):
        raise node.refused(f"mode {mode!r}")
    tables = {a: _table(node, one, transform, rounding, mode) for a, one in axes.items()}
    larger = _upsampling(node, x, axes, tables)
    if larger is not None:
        return larger
    data = x.data
    for axis, (matrix, inside) in tables.items():
        data = _along(node, data, x.place(axis), matrix)
        data = _outside(node, data, x.place(axis), inside)
    return x.with_data(data)


def _upsampling(node: Node, x: Value, axes: dict[int, Axis], tables: Any) -> Value | None:
    """Return the result of a layer that repeats rows and columns; None if it is something else."""
    if x.rank not in (3, 4) or min(axes) < 2 or np.dtype(x.dtype).kind != "f":
        return None
    times = []
    for axis in range(2, x.rank):
        one = axes.get(axis)
        whole = 1 if one is None else one.new // one.old
        if one is not None:
            matrix, inside = tables[axis]
            repeated = np.arange(one.new) // max(whole, 1)
            if matrix.ndim != 1 or not inside.all() or not np.array_equal(matrix, repeated):
                return None
        times.append(whole)
    data = x.channels_last()
    if x.rank == 3:
        y = node.layer(UpSampling1D, times[0])(data)
    else:
        y = node.layer(UpSampling2D, tuple(times))(data)
    return Value(y, channels_last(x.rank))


def _along(node: Node, data: Any, place: int, matrix: np.ndarray) -> Any:
    """Return the data with one axis resized: by numbers of rows, or by a matrix (new, old)."""
    if isinstance(data, np.ndarray):
        node.limit([len(matrix) if i == place else n for i, n in enumerate(data.shape)], 8)
    if matrix.ndim == 1:
        return ops.take(data, matrix.astype(np.int32), place)
    rank = len(data.shape)
    y = ops.matmul(ops.moveaxis(data, place, rank - 1), matrix.T.astype(np.float32))
    return ops.moveaxis(y, rank - 1, place)


def _outside(node: Node, data: Any, place: int, inside: np.ndarray) -> Any:
    """Return the data with the extrapolation value where the region of interest has no image."""
    if inside.all():
        return data
    shape = [-1 if i == place else 1 for i in range(len(data.shape))]
    return ops.where(inside.reshape(shape), data, node.number("extrapolation_value", 0.0))


def _table(
    node: Node, axis: Axis, transform: str, rounding: str, mode: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers or weights of the old rows for each new one, and which are inside."""
    node.limit((axis.new, 1 if mode == "nearest" else axis.old), 16)
    at = _positions(node, axis, transform)
    inside = np.ones(axis.new, bool)
    if transform == "tf_crop_and_resize":
        inside = (at >= 0) & (at <= axis.old - 1)
    if mode == "nearest":
        return _rounded(node, at, rounding).clip(0, axis.old - 1).astype(np.int64), inside
    scale = min(axis.scale, 1.0) if node.integer("antialias", 0) else 1.0
    kernel, radius = (_triangle, 1) if mode != "cubic" else (_cubic(node), 2)
    return _weights(node, axis, at, kernel, radius, scale), inside


def _positions(node: Node, axis: Axis, transform: str) -> np.ndarray:
    """Return where each new row lies among the old ones."""
    new = np.arange(axis.new, dtype=np.float64)
    old, scale = axis.old, axis.scale
    length = old * scale
    if transform == "half_pixel":
        return (new + 0.5) / scale - 0.5
    if transform == "asymmetric":
        return new / scale
    if transform == "align_corners":
        return new * (old - 1) / (length - 1) if length > 1 else np.zeros_like(new)
    if transform in ("pytorch_half_pixel", "tf_half_pixel_for_nn"):
        if transform == "tf_half_pixel_for_nn":
            return (new + 0.5) / scale
        return (new + 0.5) / scale - 0.5 if axis.new > 1 else np.zeros_like(new)
    if transform == "half_pixel_symmetric":
        adjustment = axis.new / length
        offset = old / 2 * (1 - adjustment)
        return offset + (new + 0.5) / scale - 0.5
    if transform == "tf_crop_and_resize":
        span = (axis.end - axis.start) * (old - 1)
        if axis.new > 1:
            return axis.start * (old - 1) + new * span / (axis.new - 1)
        return np.full_like(new, 0.5 * (axis.start + axis.end) * (old - 1))
    raise node.refused(f"coordinate_transformation_mode {transform!r}")


ROUNDINGS: dict[str, Callable[[np.ndarray], Any]] = {
    "floor": np.floor,
    "ceil": np.ceil,
    "round_prefer_floor": lambda at: np.ceil(at - 0.5),
    "round_prefer_ceil": lambda at: np.floor(at + 0.5),
}


def _rounded(node: Node, at: np.ndarray, rounding: str) -> np.ndarray:
    if rounding not in ROUNDINGS:
        raise node.refused(f"nearest_mode {rounding!r}")
    return np.asarray(ROUNDINGS[rounding](at))


def _triangle(x: np.ndarray) -> np.ndarray:
    return (1 - x).clip(0)


def _cubic(node: Node) -> Any:
    a = node.number("cubic_coeff_a", -0.75)

    def kernel(x: np.ndarray) -> np.ndarray:
        near = ((a + 2) * x - (a + 3)) * x * x + 1
        far = ((x - 5) * x + 8) * x * a - 4 * a
        return np.where(x <= 1, near, np.where(x < 2, far, 0))

    return kernel


def _weights(
    node: Node, axis: Axis, at: np.ndarray, kernel: Any, radius: int, scale: float
) -> np.ndarray:
    """Return the weights (new, old) of a kernel that is `1 / scale` times as wide."""
    reach = math.ceil(radius / scale)
    numbers = np.floor(at)[:, None] + np.arange(-reach, reach + 2)
    weights = kernel(np.abs(numbers - at[:, None]) * scale)
    outside = (numbers < 0) | (numbers > axis.old - 1)
    if node.integer("exclude_outside", 0):
        weights = np.where(outside, 0, weights)
    if scale < 1 or node.integer("exclude_outside", 0):
        weights = weights / weights.sum(1, keepdims=True)
    matrix = np.zeros((axis.new, axis.old))
    places: tuple[Any, Any] = (
        np.arange(axis.new)[:, None],
        numbers.clip(0, axis.old - 1).astype(int),
    )
    np.add.at(matrix, places, weights)
    return matrix
