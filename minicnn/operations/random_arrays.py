"""Arrays of random numbers, which layers add to what they are given or multiply it by."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.backends import reference
from minicnn.checks import check_array, check_int, check_number, shape_text
from minicnn.contracts import Contract, Shape, same
from minicnn.errors import ShapeError
from minicnn.operations.operation import Operation


def seeded_key_forward(rng_key: np.ndarray, *, seed: int) -> tuple[np.ndarray]:
    """Return the RNG key of the same step under another seed."""
    return (np.array([seed & 0xFFFFFFFF, seed >> 32, *rng_key[2:]], np.uint32),)


def _resolve_key(rng_key: Any, *, seed: int, purpose: int = 0) -> dict[str, Any]:
    check_array(rng_key, "rng_key", ("uint32",))
    return {"seed": int(seed)}


def _resolve_normal(
    rng_key: Any, *, shape: Shape, mean: float = 0.0, stddev: float = 1.0, purpose: int = 0
) -> dict[str, Any]:
    check_array(rng_key, "rng_key", ("uint32",))
    return {
        "shape": tuple(shape),
        "mean": check_number(mean, "mean"),
        "stddev": check_number(stddev, "stddev", 0),
        "purpose": check_int(purpose, "purpose", 0),
    }


def _resolve_mask(
    rng_key: Any, *, shape: Shape, rate: float, drawn: Shape | None = None, purpose: int = 0
) -> dict[str, Any]:
    check_array(rng_key, "rng_key", ("uint32",))
    drawn = tuple(shape) if drawn is None else tuple(drawn)
    fits = len(drawn) == len(shape) and all(n in (1, m) for n, m in zip(drawn, shape, strict=True))
    if not fits:
        raise ShapeError(
            f"drawn must have the lengths of shape {shape_text(shape)}, or 1; got "
            f"{shape_text(drawn)}"
        )
    return {
        "shape": tuple(shape),
        "drawn": drawn,
        "rate": check_number(rate, "rate", 0, 1),
        "purpose": check_int(purpose, "purpose", 0),
    }


reference.add_kernel(
    "seeded_key_forward",
    Contract(("rng_key",), ("key",), same(0), on_host=True),
    seeded_key_forward,
)
# Every engine leaves these four words to NumPy.
SEEDED_KEY = Operation("seeded_key", _resolve_key, None)
# Numbers of a normal distribution.
RANDOM_NORMAL = Operation("random_normal", _resolve_normal, None)
# 0 with probability rate, else 1 / (1 - rate): what dropout multiplies by. Along the axes where
# `drawn` is 1, all values are the same.
DROPOUT_MASK = Operation("dropout_mask", _resolve_mask, None)
