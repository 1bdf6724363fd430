"""Dropout: numbers switched off at random, the same ones forward and backward."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.checks import check_array, check_int, check_number, shape_text
from minicnn.errors import ShapeError
from minicnn.ops.operation import Operation, Saved, apply, gradients


def _resolve(x: Any, rng_key: Any, *, rate: float, purpose: int = 0) -> dict[str, Any]:
    check_array(x, "x")
    check_array(rng_key, "rng_key", ("uint32",))
    if tuple(rng_key.shape) != (4,):
        raise ShapeError(f"rng_key must have 4 numbers; got shape {shape_text(rng_key.shape)}")
    check_int(purpose, "purpose", 0)
    return {"rate": check_number(rate, "rate", 0, 1), "purpose": int(purpose)}


DROPOUT = Operation("dropout", _resolve, ("dropout_backward",))


def dropout(
    x: np.ndarray, rng_key: np.ndarray, rate: float, purpose: int = 0
) -> tuple[np.ndarray, Saved]:
    """A fraction `rate` of the numbers becomes 0; the others grow, so that the mean stays.

    y = x / (1 - rate) where the element's random number is at least rate, else 0

    Parameters
    ----------
    x : float32 array, (N, ...)
    rng_key : uint32 array, (4,): seed and step, what `minicnn.random.rng_key(step)` gives
    rate : fraction that is dropped, 0 <= rate < 1
    purpose : tells the dropouts of one network apart; default 0

    Returns
    -------
    y : float32 array, the shape of x (float64 stays float64 on the numpy backend)
    saved : Saved, for `dropout_backward`

    Raises
    ------
    DTypeError : x is not an array of floats, or rng_key not one of uint32
    ShapeError : rng_key does not have 4 numbers
    ArgumentError : rate is not in [0, 1)

    Notes
    -----
    The random numbers are Philox4x32-10 of (rng_key, purpose, element's position): a pure function,
    on every engine and for any number of threads.

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
    return apply(DROPOUT, x, rng_key, rate=rate, purpose=purpose)


def dropout_backward(dy: np.ndarray, saved: Saved) -> np.ndarray:
    """dx: dy / (1 - rate) for the elements that were kept, else 0."""
    return gradients(dy, saved)["dx"]
