"""Which pixels of a row or column an image of another size is made of, and with which weights.

A new row i of `outputs` covers the old ones from i n / outputs to (i + 1) n / outputs. Its middle
is at s = (i + 0.5) n / outputs - 0.5, if the middle of old row k is at k. The tables are those of
TensorFlow, which Keras uses, up to rounding. Positions are float32, as they are rounded there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

INTERPOLATIONS = ("bilinear", "nearest", "lanczos3", "lanczos5", "bicubic", "area")
CUBIC_STEPS = 1024  # TensorFlow rounds positions for a bicubic kernel to 1 / 1024 of a pixel
HALF = np.float32(0.5)

Table = tuple[np.ndarray, np.ndarray]  # indices and weights, (outputs, taps) each


class Taps(NamedTuple):
    """The indices and weights of each new row or column, (outputs, taps)."""

    indices: np.ndarray  # int32
    weights: np.ndarray  # float32


class Span(NamedTuple):
    """The `size` rows or columns that are used, from number `start` on, of an image of `length`.

    They may begin before the image and end after it: so it is padded.
    """

    length: int
    start: int
    size: int


def taps_of(span: Span, outputs: int, interpolation: str, *, antialias: bool = False) -> Taps:
    """Return how `outputs` rows or columns are made of those of the span.

    The weights of rows or columns that are not in the image are 0.
    """
    n = span.size
    if n == outputs:
        index, weight = np.arange(n)[:, None], np.ones((n, 1))
    elif antialias and interpolation in KERNELS:
        index, weight = _by_kernel(n, outputs, interpolation, max(n / outputs, 1))
    else:
        index, weight = TABLES[interpolation](n, outputs)
    index = index.clip(0, n - 1) + span.start
    weight = np.where((index >= 0) & (index < span.length), weight, 0)
    index = index.clip(0, span.length - 1)
    return Taps(np.ascontiguousarray(index, np.int32), np.ascontiguousarray(weight, np.float32))


def _middles(n: int, outputs: int) -> np.ndarray:
    """Return s of each new row, (outputs, 1)."""
    numbers = np.arange(outputs, dtype=np.float32)[:, None]
    return (numbers + HALF) * np.float32(n / outputs) - HALF


def _nearest(n: int, outputs: int) -> Table:
    index = np.floor(_middles(n, outputs) + HALF).astype(np.int64)
    return index, np.ones(index.shape)


def _bilinear(n: int, outputs: int) -> Table:
    s = _middles(n, outputs)
    first = np.floor(s).astype(np.int64)
    across = s - first
    return first + np.arange(2), np.concatenate([1 - across, across], axis=1)


def _bicubic(n: int, outputs: int) -> Table:
    s = _middles(n, outputs)
    first = np.floor(s).astype(np.int64)
    across = np.rint((s - first) * CUBIC_STEPS) / CUBIC_STEPS
    offsets = np.arange(-1, 3)
    return _normalized(first + offsets, _keys(np.abs(offsets - across)), n)


def _area(n: int, outputs: int) -> Table:
    """Return the shares of the old rows in the part of the image that a new row covers."""
    scale = n / outputs
    begin = np.arange(outputs)[:, None] * scale
    first = np.floor(begin).astype(np.int64)
    index = first + np.arange(int(np.ceil(scale)) + 1)
    share = np.minimum(index + 1, begin + scale) - np.maximum(index, begin)
    return index, share.clip(0) / scale


def _by_kernel(n: int, outputs: int, name: str, width: float = 1.0) -> Table:
    """Return a kernel's values at the distances from s, in units of `width`, with a sum of 1."""
    kernel, radius = KERNELS[name]
    s = _middles(n, outputs).astype(np.float64)
    first = np.ceil(s - radius * width).astype(np.int64)
    index = first + np.arange(int(2 * radius * width) + 1)
    distance = np.abs(index - s) / width
    return _normalized(index, np.where(distance <= radius, kernel(distance), 0), n)


def _normalized(index: np.ndarray, weight: np.ndarray, n: int) -> Table:
    """Return the same without the weights of what is not among n rows, with a sum of 1."""
    weight = np.where((index >= 0) & (index < n), weight, 0)
    return index, weight / weight.sum(1, keepdims=True)


def _triangle(x: np.ndarray) -> np.ndarray:
    return (1 - x).clip(0)


def _keys(x: np.ndarray) -> np.ndarray:
    """Return the kernel of Keys (1981) with a = -1/2."""
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x < 1, near, np.where(x < 2, far, 0))


def _lanczos(radius: int) -> Callable[[np.ndarray], np.ndarray]:
    return lambda x: np.where(x <= 1e-3, 1, np.sinc(x) * np.sinc(x / radius))


# Kernels and their radius.
KERNELS: dict[str, tuple[Callable[[np.ndarray], np.ndarray], int]] = {
    "bilinear": (_triangle, 1),
    "bicubic": (_keys, 2),
    "lanczos3": (_lanczos(3), 3),
    "lanczos5": (_lanczos(5), 5),
}
TABLES: dict[str, Callable[[int, int], Table]] = {
    "bilinear": _bilinear,
    "nearest": _nearest,
    "lanczos3": lambda n, outputs: _by_kernel(n, outputs, "lanczos3"),
    "lanczos5": lambda n, outputs: _by_kernel(n, outputs, "lanczos5"),
    "bicubic": _bicubic,
    "area": _area,
}
