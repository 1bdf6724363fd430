"""Dropout: random values are set to 0, the same ones in the forward and the backward pass."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.checks import check_array, check_int, check_number, shape_text
from minicnn.errors import ShapeError
from minicnn.operations.operation import Operation, Saved, gradients, run


def _resolve(x: Any, rng_key: Any, *, rate: float, purpose: int = 0) -> dict[str, Any]:
    check_array(x, "x")
    check_array(rng_key, "rng_key", ("uint32",))
    if tuple(rng_key.shape) != (4,):
        raise ShapeError(f"rng_key must have 4 words; got shape {shape_text(rng_key.shape)}")
    check_int(purpose, "purpose", 0)
    return {"rate": check_number(rate, "rate", 0, 1), "purpose": int(purpose)}


DROPOUT = Operation("dropout", _resolve, ("dropout_backward",))


def dropout(
    x: np.ndarray, rng_key: np.ndarray, rate: float, purpose: int = 0
) -> tuple[np.ndarray, Saved]:
    """Set a fraction `rate` of the values to 0 and scale the others up, which keeps the mean.

    y = x / (1 - rate) where the element's random number is at least rate, else 0

    Parameters
    ----------
    x : float32 array, (N, ...)
    rng_key : uint32 array, (4,): seed and step, as `minicnn.random.rng_key(step)` returns them
    rate : fraction of the values that is dropped, 0 <= rate < 1
    purpose : a number that differs between the dropouts of one network; default 0

    Returns
    -------
    y : float32 array, the shape of x
    saved : Saved, for `dropout_backward`

    Raises
    ------
    DTypeError : x is not an array of floats, or rng_key not one of uint32
    ShapeError : rng_key does not have 4 words
    ArgumentError : rate is not in [0, 1)

    Notes
    -----
    The random numbers are Philox4x32-10 of (rng_key, purpose, element's position), so they are the
    same on every engine and for any number of threads.

    References
    ----------
    Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov. Dropout: a simple way to prevent
    neural networks from overfitting. JMLR 15, 2014.
    Salmon, Moraes, Dror, Shaw. Parallel random numbers: as easy as 1, 2, 3. SC 2011.

    Examples
    --------
    >>> rng_key = np.array([777, 0, 0, 0], np.uint32)
    >>> sorted(set(dropout(np.ones(100, np.float32), rng_key, 0.5)[0].tolist()))
    [0.0, 2.0]
    """
    return run(DROPOUT, x, rng_key, rate=rate, purpose=purpose)


def dropout_backward(dy: np.ndarray, saved: Saved) -> np.ndarray:
    """Return dx: dy / (1 - rate) for the elements that were kept, else 0."""
    return gradients(dy, saved)["dx"]
