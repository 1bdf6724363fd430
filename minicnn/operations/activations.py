"""Activations: functions that are applied to each value of an array.

Each takes a float array of any shape (N, ...) and returns one of that shape. NaN stays NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn.checks import check_array, check_flag, check_number
from minicnn.contracts import ACTIVATIONS
from minicnn.operations.operation import Operation, Saved, gradients, run


def _resolve(x: Any) -> dict[str, Any]:
    check_array(x, "x")
    return {}


def _resolve_leaky_relu(x: Any, *, negative_slope: float = 0.2) -> dict[str, Any]:
    check_array(x, "x")
    return {"negative_slope": check_number(negative_slope, "negative_slope", 0)}


def _resolve_elu(x: Any, *, alpha: float = 1.0) -> dict[str, Any]:
    check_array(x, "x")
    # The gradient is computed from y, whose sign is x's sign only if alpha is not negative.
    return {"alpha": check_number(alpha, "alpha", 0)}


def _resolve_gelu(x: Any, *, approximate: bool = False) -> dict[str, Any]:
    check_array(x, "x")
    return {"approximate": check_flag(approximate, "approximate")}


RESOLVERS: dict[str, Callable[..., dict[str, Any]]] = {
    "leaky_relu": _resolve_leaky_relu,
    "elu": _resolve_elu,
    "gelu": _resolve_gelu,
}
OPERATIONS = {
    name: Operation(name, RESOLVERS.get(name, _resolve), (f"{name}_backward",))
    for name in ACTIVATIONS
}
RELU = OPERATIONS["relu"]  # the planner fuses it with the operations beside it


def relu(x: np.ndarray) -> tuple[np.ndarray, Saved]:
    """Rectified linear unit: keeps positive values and replaces all others by 0.

    y = max(x, 0)

    Parameters
    ----------
    x : float32 array, (N, ...)

    Returns
    -------
    y : float32 array, the shape of x
    saved : Saved, for `relu_backward`

    Raises
    ------
    DTypeError : x is not an array of floats

    References
    ----------
    Nair, Hinton. Rectified linear units improve restricted Boltzmann machines. ICML 2010.

    Examples
    --------
    >>> relu(np.array([-2, 0, 3], np.float32))[0].tolist()
    [0.0, 0.0, 3.0]
    """
    return run(RELU, x)


def relu_backward(dy: np.ndarray, saved: Saved) -> np.ndarray:
    """Return dx: dy where y > 0, else 0."""
    return gradients(dy, saved)["dx"]


def leaky_relu(x: np.ndarray, negative_slope: float = 0.2) -> tuple[np.ndarray, Saved]:
    """Leaky ReLU: keeps positive values and scales all others down, so that gradients remain.

    y = x if x > 0 else negative_slope * x

    Parameters
    ----------
    x : float32 array, (N, ...)
    negative_slope : at least 0; default 0.2, Keras's for the activation of that name

    Returns
    -------
    y : float32 array, the shape of x
    saved : Saved, for `leaky_relu_backward`

    Raises
    ------
    DTypeError : x is not an array of floats
    ArgumentError : negative_slope is negative or not finite

    References
    ----------
    Maas, Hannun, Ng. Rectifier nonlinearities improve neural network acoustic models. ICML 2013.

    Examples
    --------
    >>> leaky_relu(np.array([-2, 0, 3], np.float32), 0.5)[0].tolist()
    [-1.0, 0.0, 3.0]
    """
    return run(OPERATIONS["leaky_relu"], x, negative_slope=negative_slope)


def leaky_relu_backward(dy: np.ndarray, saved: Saved) -> np.ndarray:
    """Return dx: dy where x > 0, else negative_slope * dy."""
    return gradients(dy, saved)["dx"]


def relu6(x: np.ndarray) -> tuple[np.ndarray, Saved]:
    """ReLU with a maximum of 6.

    y = min(max(x, 0), 6)

    Parameters
    ----------
    x : float32 array, (N, ...)

    Returns
    -------
    y : float32 array, the shape of x
    saved : Saved, for `relu6_backward`

    Raises
    ------
    DTypeError : x is not an array of floats

    References
    ----------
    Krizhevsky. Convolutional deep belief networks on CIFAR-10. 2010.

    Examples
    --------
    >>> relu6(np.array([-2, 3, 8], np.float32))[0].tolist()
    [0.0, 3.0, 6.0]
    """
    return run(OPERATIONS["relu6"], x)


def relu6_backward(dy: np.ndarray, saved: Saved) -> np.ndarray:
    """Return dx: dy where 0 < y < 6, else 0."""
    return gradients(dy, saved)["dx"]


def elu(x: np.ndarray, alpha: float = 1.0) -> tuple[np.ndarray, Saved]:
    """Exponential linear unit: keeps positive values; negative ones approach -alpha smoothly.

    y = x if x > 0 else alpha * (exp(x) - 1)

    Parameters
    ----------
    x : float32 array, (N, ...)
    alpha : at least 0; default 1.0

    Returns
    -------
    y : float32 array, the shape of x
    saved : Saved, for `elu_backward`

    Raises
    ------
    DTypeError : x is not an array of floats
    ArgumentError : alpha is negative or not finite

    References
    ----------
    Clevert, Unterthiner, Hochreiter. Fast and accurate deep network learning by exponential
    linear units. ICLR 2016.

    Examples
    --------
    >>> elu(np.array([-100, 0, 3], np.float32))[0].tolist()
    [-1.0, 0.0, 3.0]
    """
    return run(OPERATIONS["elu"], x, alpha=alpha)


def elu_backward(dy: np.ndarray, saved: Saved) -> np.ndarray:
    """Return dx: dy where y > 0, else dy * (y + alpha)."""
    return gradients(dy, saved)["dx"]


def sigmoid(x: np.ndarray) -> tuple[np.ndarray, Saved]:
    """Logistic function: maps all values to the range from 0 to 1.

    y = 1 / (1 + exp(-x))

    Parameters
    ----------
    x : float32 array, (N, ...)

    Returns
    -------
    y : float32 array, the shape of x
    saved : Saved, for `sigmoid_backward`

    Raises
    ------
    DTypeError : x is not an array of floats

    Examples
    --------
    >>> sigmoid(np.array([-200, 0, 200], np.float32))[0].tolist()
    [0.0, 0.5, 1.0]
    """
    return run(OPERATIONS["sigmoid"], x)


def sigmoid_backward(dy: np.ndarray, saved: Saved) -> np.ndarray:
    """Return dx = dy * y * (1 - y)."""
    return gradients(dy, saved)["dx"]


def tanh(x: np.ndarray) -> tuple[np.ndarray, Saved]:
    """Hyperbolic tangent: maps all values to the range from -1 to 1.

    y = (exp(x) - exp(-x)) / (exp(x) + exp(-x))

    Parameters
    ----------
    x : float32 array, (N, ...)

    Returns
    -------
    y : float32 array, the shape of x
    saved : Saved, for `tanh_backward`

    Raises
    ------
    DTypeError : x is not an array of floats

    Examples
    --------
    >>> tanh(np.array([-100, 0, 100], np.float32))[0].tolist()
    [-1.0, 0.0, 1.0]
    """
    return run(OPERATIONS["tanh"], x)


def tanh_backward(dy: np.ndarray, saved: Saved) -> np.ndarray:
    """Return dx = dy * (1 - y * y)."""
    return gradients(dy, saved)["dx"]


def silu(x: np.ndarray) -> tuple[np.ndarray, Saved]:
    """Sigmoid linear unit: each value times its sigmoid, a smooth function close to ReLU.

    y = x / (1 + exp(-x))

    Parameters
    ----------
    x : float32 array, (N, ...)

    Returns
    -------
    y : float32 array, the shape of x
    saved : Saved, for `silu_backward`

    Raises
    ------
    DTypeError : x is not an array of floats

    References
    ----------
    Ramachandran, Zoph, Le. Searching for activation functions. 2017.

    Examples
    --------
    >>> silu(np.array([0, 100], np.float32))[0].tolist()
    [0.0, 100.0]
    """
    return run(OPERATIONS["silu"], x)


def silu_backward(dy: np.ndarray, saved: Saved) -> np.ndarray:
    """Return dx = dy * s * (1 + x * (1 - s)), where s = sigmoid(x)."""
    return gradients(dy, saved)["dx"]


def gelu(x: np.ndarray, approximate: bool = False) -> tuple[np.ndarray, Saved]:
    """Gaussian error linear unit: each value times the normal distribution function at it.

    y = x * p(x), p(x) = (1 + erf(x / sqrt(2))) / 2, or approximately
    p(x) = (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3))) / 2

    Parameters
    ----------
    x : float32 array, (N, ...)
    approximate : use the second formula, which differs by at most 0.0005; default False

    Returns
    -------
    y : float32 array, the shape of x
    saved : Saved, for `gelu_backward`

    Raises
    ------
    DTypeError : x is not an array of floats
    ArgumentError : approximate is not True or False

    References
    ----------
    Hendrycks, Gimpel. Gaussian error linear units (GELUs). 2016.

    Examples
    --------
    >>> gelu(np.array([-100, 0, 100], np.float32))[0].tolist()
    [-0.0, 0.0, 100.0]
    """
    return run(OPERATIONS["gelu"], x, approximate=approximate)


def gelu_backward(dy: np.ndarray, saved: Saved) -> np.ndarray:
    """Return dx = dy * (p(x) + x * p'(x))."""
    return gradients(dy, saved)["dx"]
