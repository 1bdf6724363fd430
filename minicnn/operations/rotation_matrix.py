"""Matrices that rotate each image of a batch by a random angle, for the operation AUGMENT.

A pixel (i, j) of the new image is looked up at (u, v) of the old one. Around the middle
(a, b) = ((H - 1) / 2, (W - 1) / 2), and counter-clockwise by the angle t:

    u - a =  cos t (i - a) + sin t (j - b)        rows i and u go down
    v - b = -sin t (i - a) + cos t (j - b)        columns j and v go to the right

Every engine leaves these few values to NumPy.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.backends import reference
from minicnn.backends.numpy.philox import random_words
from minicnn.checks import check_array, check_int
from minicnn.contracts import Contract, Spec
from minicnn.operations.operation import Operation


def rotation_matrix_forward(
    rng_key: np.ndarray, *, count: int, size: tuple[int, int], bounds: tuple[float, float],
    purpose: int, seed: int | None,
) -> tuple[np.ndarray]:  # fmt: skip
    """Return (count, 6): image n's angle depends on the key, the purpose and n alone."""
    if seed is not None:  # in place of the seed that the key has
        rng_key = np.array([seed & 0xFFFFFFFF, seed >> 32, *rng_key[2:]], np.uint32)
    uniform = (random_words(count, purpose, rng_key) >> np.uint32(8)) / 2**24  # [0, 1)
    low, high = bounds
    t = 2 * np.pi * (low + (high - low) * uniform)
    a, b = ((length - 1) / 2 for length in size)
    cos, sin = np.cos(t), np.sin(t)
    rows = cos, sin, a - cos * a - sin * b
    columns = -sin, cos, b + sin * a - cos * b
    return (np.stack([*rows, *columns], axis=1).astype(np.float32),)


def _resolve(
    rng_key: Any, *, count: int, size: tuple[int, int], bounds: tuple[float, float],
    purpose: int = 0, seed: int | None = None,
) -> dict[str, Any]:  # fmt: skip
    check_array(rng_key, "rng_key", ("uint32",))
    # With a seed of their own, two layers draw the same angles: for images and their masks.
    purpose = check_int(purpose, "purpose", 0) if seed is None else 0
    return {"count": count, "size": size, "bounds": bounds, "purpose": purpose, "seed": seed}


def _spec(rng_key: Spec, *, count: int, **_: Any) -> tuple[Spec]:
    return (Spec((count, 6)),)


reference.add_kernel(
    "rotation_matrix_forward",
    Contract(("rng_key",), ("matrix",), _spec, on_host=True),
    rotation_matrix_forward,
)
ROTATION_MATRIX = Operation("rotation_matrix", _resolve, None)
