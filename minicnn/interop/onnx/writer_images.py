"""The table from our operations that move pixels to ONNX's operators."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minicnn.interop.onnx.writer_layers import CHANNELS_FIRST, image
from minicnn.interop.onnx.writer_layouts import Axes, Layouts
from minicnn.interop.onnx.writer_ops import writes
from minicnn.interop.onnx.writer_shapes import padded, read, whole
from minicnn.interop.onnx.writer_trace import Step

SMALL = 1e-6  # difference of weights that are the same up to rounding


@writes("zero_pad2d")
def _zero_pad2d(layouts: Layouts, step: Step) -> None:
    (top, bottom), (left, right) = step.attributes["pad_h"], step.attributes["pad_w"]
    padded(layouts, step, (0, top, left, 0), (0, bottom, right, 0), 0.0)


@writes("crop2d")
def _crop2d(layouts: Layouts, step: Step) -> None:
    tensor, axes = whole(layouts, read(step))
    pads = {1: step.attributes["pad_h"], 2: step.attributes["pad_w"]}
    kept = {axis: (first, -last) for axis, (first, last) in pads.items() if first or last}
    y = _sliced(layouts, tensor, axes, kept) if kept else tensor
    layouts.plain(step, y, axes)


def _sliced(layouts: Layouts, tensor: str, axes: Axes, kept: dict[int, tuple[int, int]]) -> str:
    """Return the part of a tensor from a first place to an end, which counts from 0 or backward."""
    places = sorted(kept, key=axes.index)
    ends = [kept[axis][1] or 2**63 - 1 for axis in places]
    return layouts.emit(
        "Slice",
        tensor,
        layouts.integers([kept[axis][0] for axis in places], "starts"),
        layouts.integers(ends, "ends"),
        layouts.integers([axes.index(axis) for axis in places], "axes"),
    )


@writes("upsample2d")
def _upsample2d(layouts: Layouts, step: Step) -> None:
    x, size = image(layouts, step), step.attributes["size"]
    y = _resized(layouts, x, [1.0, 1.0, *map(float, size)], step.attributes["interpolation"])
    layouts.plain(step, y, CHANNELS_FIRST)


def _resized(layouts: Layouts, x: str, scales: list[float], interpolation: str) -> str:
    rules = (
        {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        if interpolation == "nearest"
        else {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
    )
    factors = layouts.constant(np.array(scales, np.float32), "scales")
    return layouts.emit("Resize", x, "", factors, **rules)


# --- Resizing, CenterCrop and their like: tables of weights -------------------------------------


@writes("resample")
def _resample(layouts: Layouts, step: Step) -> None:
    """Write what weighted sums of rows and of columns are: a part, a change of size, or sums."""
    tables = [v.array for v in step.reads[1:] if v is not None]
    length = step.attributes["image"]
    if len(tables) != 4 or any(t is None for t in tables) or None in (length or (None,)):
        raise layouts.refused("it depends on the images' size, which the file leaves open")
    weights = [
        _matrix(np.asarray(tables[i]), np.asarray(tables[i + 1]), n)
        for i, n in ((0, length[0]), (2, length[1]))
    ]
    fill = step.attributes["fill"]
    lost = 1 - np.outer(*(one.sum(1) for one in weights))
    fills = fill != 0 and bool(np.abs(lost).max() > SMALL)
    parts = [_part(one) for one in weights]
    if not fills and None not in parts:
        _write_part(layouts, step, parts, weights)
    elif not fills and all(_is_linear(one) for one in weights):
        scales = [1.0, 1.0, *(_scale(*one.shape) for one in weights)]
        y = _resized(layouts, image(layouts, step), scales, "bilinear")
        layouts.plain(step, y, CHANNELS_FIRST)
    else:
        _write_sums(layouts, step, weights, lost * fill if fills else None)


def _matrix(index: np.ndarray, weight: np.ndarray, n: int) -> np.ndarray:
    """Return (outputs, n): the weight of each old row or column in each new one."""
    matrix = np.zeros((len(index), n))
    np.add.at(matrix, (np.arange(len(index))[:, None], index), weight)
    return matrix


def _part(matrix: np.ndarray) -> tuple[int, int] | None:
    """Return the first row and the end, if the new rows are old ones one after the other."""
    first = int(matrix[0].argmax())
    outputs, n = matrix.shape
    same = first + outputs <= n and np.array_equal(matrix, np.eye(outputs, n, first))
    return (first, first + outputs) if same else None


def _write_part(layouts: Layouts, step: Step, parts: Any, weights: list[np.ndarray]) -> None:
    tensor, axes = whole(layouts, read(step))
    sizes = [one.shape[1] for one in weights]
    kept = {
        axis: part for axis, part, n in zip((1, 2), parts, sizes, strict=True) if part != (0, n)
    }
    layouts.plain(step, _sliced(layouts, tensor, axes, kept) if kept else tensor, axes)


def _is_linear(matrix: np.ndarray) -> bool:
    """Return whether these are the weights of ONNX's Resize in mode "linear"."""
    outputs, n = matrix.shape
    s = ((np.arange(outputs) + 0.5) * n / outputs - 0.5).clip(0, n - 1)
    first = np.floor(s).astype(np.int64)
    wanted = np.zeros_like(matrix)
    for index, weight in ((first, 1 - (s - first)), (first + 1, s - first)):
        np.add.at(wanted, (np.arange(outputs), index.clip(0, n - 1)), weight)
    return bool(np.abs(matrix - wanted).max() <= 1e-5)


def _scale(outputs: int, n: int) -> float:
    """Return a float32 factor for which n rows become this many, rounded down."""
    scale = np.float32(outputs / n)
    while math.floor(float(scale) * n) < outputs or math.floor(scale * np.float32(n)) < outputs:
        scale = np.nextafter(scale, np.float32(np.inf))
    return float(scale)


def _write_sums(
    layouts: Layouts, step: Step, weights: list[np.ndarray], fill: np.ndarray | None
) -> None:
    """Write products with matrices, for interpolations that ONNX does not have."""
    rows, columns = (one.astype(np.float32) for one in weights)
    y = layouts.emit("MatMul", image(layouts, step), layouts.constant(columns.T, "columns"))
    y = layouts.emit("MatMul", layouts.constant(rows, "rows"), y)
    if fill is not None:
        y = layouts.emit("Add", y, layouts.constant(fill.astype(np.float32), "fill"))
    layouts.plain(step, y, CHANNELS_FIRST)
