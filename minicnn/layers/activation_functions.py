"""The activations under Keras's names: functions of tensors, each value on its own but for softmax.

A function works on arrays, on what `Input(...)` and layers return, and in the `call` of a layer of
one's own. Where an operation of the same name exists, it is applied, so that the planner can fuse
it with its neighbors; the others are made of operations. `minicnn.activations` has them for users.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from minicnn.checks import check_number, quoted
from minicnn.errors import ArgumentError
from minicnn.layers.functions import tensor_function
from minicnn.layers.operators import FUNCTIONS
from minicnn.layers.parameter import Parameter
from minicnn.layers.tracing import TracedTensor, apply_operation
from minicnn.operations.activations import OPERATIONS
from minicnn.operations.arrange import SLICE, STOP_GRADIENT, TRANSPOSE
from minicnn.operations.elementwise import RESCALE
from minicnn.operations.softmax import SOFTMAX
from minicnn.operations.unary import OPERATIONS as UNARY
from minicnn.shapes import is_int

F = TypeVar("F", bound=Callable[..., Any])

SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772

# All of them by name; `activation` fills it.
ACTIVATIONS: dict[str, Callable[..., Any]] = {}


def activation(function: F) -> F:
    """Add a function to the table, and let it take symbolic tensors."""
    name = function.__name__
    ACTIVATIONS[name] = tensor_function(function, f"activations.{name}")
    return ACTIVATIONS[name]  # type: ignore[return-value]


def _tensor(x: Any) -> Any:
    """Return a traced tensor as it is, and anything else as an array of floats."""
    if isinstance(x, (TracedTensor, Parameter)):
        return x
    array = np.asarray(x)
    return array if array.dtype in (np.float32, np.float64) else array.astype(np.float32)


def _line(x: Any, scale: float, offset: float = 0.0) -> Any:
    return apply_operation(RESCALE, _tensor(x), scale=scale, offset=offset)


def _fused(name: str, x: Any, **arguments: Any) -> Any:
    return apply_operation(OPERATIONS[name], _tensor(x), **arguments)


@activation
def linear(x: Any) -> Any:
    """Return x unchanged."""
    return x


@activation
def relu(
    x: Any, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0
) -> Any:
    """Return x above the threshold, and 0 otherwise: max(x, 0) by default.

    Parameters
    ----------
    x : array or tensor
    negative_slope : below the threshold the result is negative_slope * (x - threshold); default 0
    max_value : largest result; default None: there is none
    threshold : default 0

    >>> relu([-2.0, 3.0]).tolist(), relu([-2.0, 3.0], 0.5, 2.0).tolist()
    ([0.0, 3.0], [-1.0, 2.0])
    """
    if threshold == 0 and max_value is None:
        if negative_slope > 0:
            return _fused("leaky_relu", x, negative_slope=negative_slope)
        if negative_slope == 0:
            return _fused("relu", x)
    if (threshold, max_value, negative_slope) == (0, 6, 0):
        return _fused("relu6", x)
    x = _tensor(x)
    above = _fused("relu", x)
    if threshold != 0:
        above = FUNCTIONS["where"](FUNCTIONS["greater"](x, threshold), x, 0.0)
    if max_value is not None:
        above = FUNCTIONS["clip"](above, 0.0, max_value)
    if negative_slope == 0:
        return above
    below = _line(_fused("relu", _line(x, -1.0, threshold)), negative_slope)
    return FUNCTIONS["subtract"](above, below)


@activation
def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    """Return x where it is positive, negative_slope * x otherwise.

    >>> leaky_relu([-2.0, 3.0], 0.5).tolist()
    [-1.0, 3.0]
    """
    return relu(x, negative_slope=negative_slope)


@activation
def relu6(x: Any) -> Any:
    """Return min(max(x, 0), 6)."""
    return _fused("relu6", x)


@activation
def elu(x: Any, alpha: float = 1.0) -> Any:
    """Return x where it is positive, alpha * (exp(x) - 1) otherwise."""
    return _fused("elu", x, alpha=alpha)


@activation
def selu(x: Any) -> Any:
    """Return elu with the two constants that keep mean 0 and variance 1 from layer to layer.

    1.0507 * (x if x > 0 else 1.6733 * (exp(x) - 1)); use it with the initializer "lecun_normal".
    """
    return _line(_fused("elu", x, alpha=SELU_ALPHA), SELU_SCALE)


@activation
def celu(x: Any, alpha: float = 1.0) -> Any:
    """Return x where it is positive, alpha * (exp(x / alpha) - 1) otherwise."""
    if check_number(alpha, "alpha", 0, open=True) == 1:
        return elu(x)
    return _line(_fused("elu", _line(x, 1 / alpha), alpha=1.0), alpha)


@activation
def sigmoid(x: Any) -> Any:
    """Return 1 / (1 + exp(-x))."""
    return _fused("sigmoid", x)


@activation
def tanh(x: Any) -> Any:
    """Return the hyperbolic tangent."""
    return _fused("tanh", x)


@activation
def silu(x: Any) -> Any:
    """Return x * sigmoid(x); also called swish."""
    return _fused("silu", x)


@activation
def gelu(x: Any, approximate: bool = False) -> Any:
    """Return x times the probability that a normal variable is below x, or its approximation."""
    return _fused("gelu", x, approximate=approximate)


@activation
def exponential(x: Any) -> Any:
    """Return exp(x)."""
    return apply_operation(UNARY["exp"], _tensor(x))


@activation
def softplus(x: Any) -> Any:
    """Return log(1 + exp(x)), a smooth relu."""
    return apply_operation(UNARY["softplus"], _tensor(x))


@activation
def softsign(x: Any) -> Any:
    """Return x / (1 + |x|)."""
    x = _tensor(x)
    return FUNCTIONS["divide"](x, _line(FUNCTIONS["absolute"](x), 1.0, 1.0))


@activation
def hard_sigmoid(x: Any) -> Any:
    """Return min(max(x / 6 + 1/2, 0), 1)."""
    return _line(_fused("relu6", _line(x, 1.0, 3.0)), 1 / 6)


@activation
def hard_silu(x: Any) -> Any:
    """Return x * hard_sigmoid(x); also called hard_swish."""
    x = _tensor(x)
    return FUNCTIONS["multiply"](x, hard_sigmoid(x))


@activation
def hard_tanh(x: Any) -> Any:
    """Return min(max(x, -1), 1)."""
    return FUNCTIONS["clip"](_tensor(x), -1.0, 1.0)


@activation
def mish(x: Any) -> Any:
    """Return x * tanh(softplus(x))."""
    x = _tensor(x)
    return FUNCTIONS["multiply"](x, tanh(softplus(x)))


@activation
def tanh_shrink(x: Any) -> Any:
    """Return x - tanh(x)."""
    x = _tensor(x)
    return FUNCTIONS["subtract"](x, tanh(x))


@activation
def soft_shrink(x: Any, threshold: float = 0.5) -> Any:
    """Return x, moved toward 0 by the threshold; 0 where |x| is smaller."""
    up, down = _line(x, 1.0, -threshold), _line(x, -1.0, -threshold)
    return FUNCTIONS["subtract"](_fused("relu", up), _fused("relu", down))


@activation
def hard_shrink(x: Any, threshold: float = 0.5) -> Any:
    """Return x where |x| is above the threshold, 0 otherwise."""
    x = _tensor(x)
    return FUNCTIONS["where"](FUNCTIONS["greater"](FUNCTIONS["absolute"](x), threshold), x, 0.0)


@activation
def threshold(x: Any, threshold: float, default_value: float) -> Any:
    """Return x where it is above the threshold, default_value otherwise."""
    x = _tensor(x)
    return FUNCTIONS["where"](FUNCTIONS["greater"](x, threshold), x, default_value)


@activation
def log_sigmoid(x: Any) -> Any:
    """Return log(sigmoid(x)), which keeps its digits where the sigmoid is nearly 0."""
    return _line(softplus(_line(x, -1.0)), -1.0)


@activation
def squareplus(x: Any, b: float = 4) -> Any:
    """Return (x + sqrt(x^2 + b)) / 2, a smooth relu without exponentials."""
    x = _tensor(x)
    root = FUNCTIONS["sqrt"](_line(FUNCTIONS["square"](x), 1.0, float(b)))
    return _line(FUNCTIONS["add"](x, root), 0.5)


@activation
def sparse_plus(x: Any) -> Any:
    """Return 0 up to -1, (x + 1)^2 / 4 up to 1, and x beyond."""
    x = _tensor(x)
    middle = _line(FUNCTIONS["square"](FUNCTIONS["clip"](_line(x, 1.0, 1.0), 0.0, 2.0)), 0.25)
    return FUNCTIONS["add"](middle, _fused("relu", _line(x, 1.0, -1.0)))


@activation
def sparse_sigmoid(x: Any) -> Any:
    """Return min(max((x + 1) / 2, 0), 1)."""
    return _line(FUNCTIONS["clip"](_tensor(x), -1.0, 1.0), 0.5, 0.5)


@activation
def softmax(x: Any, axis: int = -1) -> Any:
    """Return positive values that sum to 1 along an axis, by default the last one.

    >>> softmax([[1.0, 1.0]]).tolist()
    [[0.5, 0.5]]
    """
    x = _tensor(x)
    rank = len(x.shape)
    swapped = _with_last(axis, rank)
    if swapped is None:
        return apply_operation(SOFTMAX, x)
    y = apply_operation(SOFTMAX, apply_operation(TRANSPOSE, x, axes=swapped))
    return apply_operation(TRANSPOSE, y, axes=swapped)


@activation
def log_softmax(x: Any, axis: int = -1) -> Any:
    """Return the logarithm of softmax, which keeps its digits where softmax is nearly 0."""
    x = _tensor(x)
    largest = apply_operation(STOP_GRADIENT, FUNCTIONS["max"](x, axis=axis, keepdims=True))
    small = FUNCTIONS["subtract"](x, largest)
    total = FUNCTIONS["sum"](FUNCTIONS["exp"](small), axis=axis, keepdims=True)
    return FUNCTIONS["subtract"](small, FUNCTIONS["log"](total))


@activation
def glu(x: Any, axis: int = -1) -> Any:
    """Return the first half of the values along an axis times the sigmoid of the second half.

    >>> glu([[2.0, 4.0, 0.0, 0.0]]).tolist()
    [[1.0, 2.0]]
    """
    x = _tensor(x)
    axis = _axis(axis, len(x.shape))
    length = x.shape[axis]
    if length % 2:
        raise ArgumentError(f"glu halves axis {axis}, whose length must be even; got {length}")
    return FUNCTIONS["multiply"](_half(x, axis, 0), sigmoid(_half(x, axis, length // 2)))


def _half(x: Any, axis: int, start: int) -> Any:
    """Return the half of the values along an axis that begins at `start`."""
    shape = tuple(n // 2 if i == axis else n for i, n in enumerate(x.shape))
    starts = tuple(start if i == axis else 0 for i in range(len(shape)))
    return apply_operation(SLICE, x, starts=starts, steps=(1,) * len(shape), shape=shape)


def _axis(axis: Any, rank: int) -> int:
    """Return the number of an axis, counted from the first one."""
    if not is_int(axis) or not -rank <= axis < rank:
        raise ArgumentError(
            f"axis must be an integer from {-rank} to {rank - 1}, as there are {rank} axes; got "
            f"{quoted(axis)}"
        )
    return int(axis) % rank


def _with_last(axis: int, rank: int) -> tuple[int, ...] | None:
    """Return the order of the axes in which this one and the last change places; None if equal."""
    axis = _axis(axis, rank)
    axes = list(range(rank))
    axes[axis], axes[-1] = axes[-1], axes[axis]
    return None if axes == sorted(axes) else tuple(axes)


# In Keras, too, these are other names of the same functions.
swish, hard_swish = silu, hard_silu
ACTIVATIONS |= {"swish": silu, "hard_swish": hard_silu}
