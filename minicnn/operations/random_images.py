"""Random values for each image of a batch: matrices for AUGMENT, levels for ADJUST_COLORS.

A pixel (i, j) of the new image is looked up at (u, v) of the old one, with the height H and the
width W, and random numbers between the bounds that a layer has:

    flip           u = H - 1 - i or i,             v = W - 1 - j or j
    zoom           u - a = zh (i - a),             v - b = zw (j - b)    a, b: the middle
    translation    u = i - dh H,                   v = j - dw W
    shear          u = i + sy j,                   v = j + sx i          both negative for half
    crop           u = i + rows,                   v = j + columns

Every engine leaves these few values to NumPy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn.backends import reference
from minicnn.backends.numpy.philox import random_words
from minicnn.checks import check_array, check_int
from minicnn.contracts import Contract, Spec
from minicnn.operations.operation import Operation
from minicnn.shapes import Pair

Bounds = tuple[float, float]


def random_matrix_forward(
    rng_key: np.ndarray, *, count: int, kind: str, size: Pair, bounds: Any, purpose: int
) -> tuple[np.ndarray]:
    """Return (count, 6): image n's matrix depends on the key, the purpose and n alone."""
    draws = _uniform(count, purpose, rng_key)
    rows, columns = MATRICES[kind](draws, size, *bounds)
    return (np.stack(np.broadcast_arrays(*rows, *columns), axis=1).astype(np.float32),)


def random_levels_forward(
    rng_key: np.ndarray, *, count: int, kind: str, bounds: Any, purpose: int
) -> tuple[np.ndarray]:
    """Return (count, 3): gain, shift and gray of each image."""
    draws = _uniform(count, purpose, rng_key)
    return (np.stack(np.broadcast_arrays(*LEVELS[kind](draws, *bounds)), 1).astype(np.float32),)


def _uniform(count: int, purpose: int, rng_key: np.ndarray) -> np.ndarray:
    """Return (3, count) numbers in [0, 1), three for each image."""
    words = random_words(3 * count, purpose, rng_key) >> np.uint32(8)
    return (words / 2**24).reshape(count, 3).T


def _between(bounds: Bounds, uniform: np.ndarray) -> np.ndarray:
    low, high = bounds
    return low + (high - low) * uniform


# --- matrices: the three coefficients of u, then those of v, of i, j and 1 ---------------------


def _flip(draws: np.ndarray, size: Pair, vertical: bool, horizontal: bool) -> Any:
    zero = np.zeros(draws.shape[1])
    down, across = (
        np.where(draw < 0.5, -1.0, 1.0) if flips else zero + 1
        for draw, flips in zip(draws, (vertical, horizontal), strict=False)
    )
    top, left = (
        np.where(sign < 0, length - 1, 0) for sign, length in zip((down, across), size, strict=True)
    )
    return (down, zero, top), (zero, across, left)


def _zoom(draws: np.ndarray, size: Pair, height: Bounds, width: Bounds | None) -> Any:
    down = 1 + _between(height, draws[0])
    across = down if width is None else 1 + _between(width, draws[1])
    a, b = ((length - 1) / 2 for length in size)
    return (down, 0 * down, a * (1 - down)), (0 * down, across, b * (1 - across))


def _translation(draws: np.ndarray, size: Pair, height: Bounds, width: Bounds) -> Any:
    down, across = _between(height, draws[0]) * size[0], _between(width, draws[1]) * size[1]
    return (1, 0, -down), (0, 1, -across)


def _shear(draws: np.ndarray, size: Pair, x: Bounds, y: Bounds) -> Any:
    sign = np.where(draws[2] > 0.5, -1.0, 1.0)
    return (1, sign * _between(y, draws[0]), 0), (sign * _between(x, draws[1]), 1, 0)


def _crop(draws: np.ndarray, size: Pair, height: int, width: int) -> Any:
    rows = np.floor(draws[0] * (size[0] - height + 1))
    columns = np.floor(draws[1] * (size[1] - width + 1))
    return (1, 0, rows), (0, 1, columns)


MATRICES: dict[str, Callable[..., Any]] = {
    "flip": _flip,
    "zoom": _zoom,
    "translation": _translation,
    "shear": _shear,
    "crop": _crop,
}

# --- levels: gain, shift and gray ---------------------------------------------------------------


def _contrast(draws: np.ndarray, gain: Bounds) -> Any:
    return _between(gain, draws[0]), 0, 0


def _brightness(draws: np.ndarray, shift: Bounds) -> Any:
    return 1, _between(shift, draws[0]), 0


def _invert(draws: np.ndarray, probability: Bounds, high: float) -> Any:
    inverted = draws[1] < _between(probability, draws[0])
    return np.where(inverted, -1, 1), np.where(inverted, high, 0), 0


def _grayscale(draws: np.ndarray, probability: float) -> Any:
    return 1, 0, draws[0] < probability


LEVELS: dict[str, Callable[..., Any]] = {
    "contrast": _contrast,
    "brightness": _brightness,
    "invert": _invert,
    "grayscale": _grayscale,
}


def _resolve(rng_key: Any, *, purpose: int = 0, **arguments: Any) -> dict[str, Any]:
    check_array(rng_key, "rng_key", ("uint32",))
    return {**arguments, "purpose": check_int(purpose, "purpose", 0)}


def _matrices(rng_key: Spec, *, count: int, **_: Any) -> tuple[Spec]:
    return (Spec((count, 6)),)


def _levels(rng_key: Spec, *, count: int, **_: Any) -> tuple[Spec]:
    return (Spec((count, 3)),)


reference.add_kernel(
    "random_matrix_forward",
    Contract(("rng_key",), ("matrix",), _matrices, on_host=True),
    random_matrix_forward,
)
reference.add_kernel(
    "random_levels_forward",
    Contract(("rng_key",), ("levels",), _levels, on_host=True),
    random_levels_forward,
)
RANDOM_MATRIX = Operation("random_matrix", _resolve, None)
RANDOM_LEVELS = Operation("random_levels", _resolve, None)
