"""Sums, means, extremes and norms along axes.

`axis` is an integer, several integers, or None for all axes. `keepdims` leaves an axis of length 1
in the place of each.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minicnn.checks import check_flag, quoted
from minicnn.errors import ArgumentError
from minicnn.layers.functions import tensor_function
from minicnn.layers.tracing import apply_operation
from minicnn.operations.arrange import STOP_GRADIENT
from minicnn.operations.reduce import OPERATIONS
from minicnn.ops.arithmetic import (
    absolute,
    add,
    divide,
    maximum,
    minimum,
    multiply,
    power,
    subtract,
)
from minicnn.ops.comparison import isfinite, not_equal, where
from minicnn.ops.math import exp, log, sqrt, square
from minicnn.ops.operands import (
    axes_of,
    axis_of,
    cast_to,
    dtype_of,
    floats,
    is_float,
    is_traced,
    reshaped,
    tensor,
)


def _reduced(name: str, x: Any, axis: Any, keepdims: Any) -> Any:
    """Apply a reduction; integers are reduced exactly up to 2^24 in a network, by way of floats."""
    x, keepdims = tensor(x), check_flag(keepdims, "keepdims")
    axes = axes_of(axis, len(x.shape))
    if is_float(x):
        return apply_operation(OPERATIONS[name], x, axes=axes, keepdims=keepdims)
    dtype = "int32" if dtype_of(x) == "bool" else dtype_of(x)
    if not is_traced(x):
        return np.asarray(
            getattr(np, name)(x, axis=axes, keepdims=keepdims, dtype=dtype)
            if name in ("sum", "prod")
            else getattr(np, name)(x, axis=axes, keepdims=keepdims)
        )
    y = apply_operation(OPERATIONS[name], floats(x), axes=axes, keepdims=keepdims)
    return cast_to(y, dtype)


@tensor_function
def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the sum along the axes.

    >>> import minicnn as mc
    >>> mc.ops.sum([[1.0, 2.0], [3.0, 4.0]], axis=1).tolist()
    [3.0, 7.0]
    """
    return _reduced("sum", x, axis, keepdims)


@tensor_function
def prod(x: Any, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> Any:
    """Return the product along the axes."""
    y = _reduced("prod", x, axis, keepdims)
    return y if dtype is None else cast_to(y, np.dtype(dtype).name)


@tensor_function
def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the mean along the axes, in floats.

    >>> import minicnn as mc
    >>> mc.ops.mean([[1, 2], [3, 4]], axis=0).tolist()
    [2.0, 3.0]
    """
    x = floats(x)
    count = math.prod(x.shape[i] for i in axes_of(axis, len(x.shape)))
    return divide(sum(x, axis, keepdims), count)


@tensor_function
def max(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Any:
    """Return the largest value along the axes, or `initial` if that is larger."""
    y = _reduced("max", x, axis, keepdims)
    return y if initial is None else maximum(y, initial)


@tensor_function
def min(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Any:
    """Return the smallest value along the axes, or `initial` if that is smaller."""
    y = _reduced("min", x, axis, keepdims)
    return y if initial is None else minimum(y, initial)


def amax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the largest value along the axes, as `max` does."""
    return max(x, axis, keepdims)


def amin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the smallest value along the axes, as `min` does."""
    return min(x, axis, keepdims)


@tensor_function
def var(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the variance along the axes: the mean of the squared distance from the mean."""
    x = floats(x)
    return mean(square(subtract(x, mean(x, axis, True))), axis, keepdims)


@tensor_function
def std(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the standard deviation along the axes, the root of the variance."""
    return sqrt(var(x, axis, keepdims))


@tensor_function
def moments(x: Any, axes: Any, keepdims: bool = False, synchronized: bool = False) -> Any:
    """Return the mean and the variance along the axes."""
    if synchronized:
        raise ArgumentError("synchronized must be False: a batch is computed in one place")
    return mean(x, axes, keepdims), var(x, axes, keepdims)


@tensor_function
def any(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return whether at least one value along the axes is not 0."""
    truth = cast_to(tensor(x), "bool")
    return not_equal(_reduced("max", floats(truth), axis, keepdims), 0)


@tensor_function
def all(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return whether no value along the axes is 0."""
    truth = cast_to(tensor(x), "bool")
    return not_equal(_reduced("min", floats(truth), axis, keepdims), 0)


def _extreme_at(name: str, x: Any, axis: Any, keepdims: bool) -> Any:
    x, rank = tensor(x), np.ndim(x) if not hasattr(x, "shape") else len(x.shape)
    if axis is not None:
        at = axis_of(axis, len(x.shape))
        return apply_operation(OPERATIONS[name], x, axis=at, keepdims=keepdims)
    flat = reshaped(x, (math.prod(x.shape),))
    y = apply_operation(OPERATIONS[name], flat, axis=0, keepdims=False)
    return reshaped(y, (1,) * rank) if keepdims else y


@tensor_function
def argmax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the first place of the largest value along one axis, as int32.

    >>> import minicnn as mc
    >>> mc.ops.argmax([[1.0, 5.0, 5.0]], axis=-1).tolist()
    [1]
    """
    return _extreme_at("argmax", x, axis, keepdims)


@tensor_function
def argmin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the first place of the smallest value along one axis, as int32."""
    return _extreme_at("argmin", x, axis, keepdims)


@tensor_function
def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return log(sum of exp(x)) along the axes, without overflow."""
    x = floats(x)
    top = apply_operation(STOP_GRADIENT, max(x, axis, True))
    top = where(isfinite(top), top, 0.0)
    y = add(log(sum(exp(subtract(x, top)), axis, True)), top)
    axes = axes_of(axis, len(x.shape))
    return y if keepdims else reshaped(y, tuple(n for i, n in enumerate(x.shape) if i not in axes))


@tensor_function
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the norm of vectors along the axes: (sum of |x|^ord)^(1 / ord).

    `ord` None and "fro" are 2; infinity is the largest value, -infinity the smallest one, and 0 the
    number of values that are not 0.
    """
    x = floats(x)
    vectors = len(x.shape) < 2 or (axis is not None and np.ndim(axis) == 0)
    if ord not in (None, 2, "fro") and not vectors:
        raise ArgumentError(
            f"norm of matrices has ord None or 'fro'; got {quoted(ord)}. Give one axis for vectors"
        )
    if ord in (None, 2, "fro"):
        return sqrt(sum(square(x), axis, keepdims))
    if ord in (math.inf, -math.inf):
        return (max if ord > 0 else min)(absolute(x), axis, keepdims)
    if ord == 0:
        return sum(floats(not_equal(x, 0)), axis, keepdims)
    if ord == 1:
        return sum(absolute(x), axis, keepdims)
    return power(sum(power(absolute(x), ord), axis, keepdims), 1 / ord)


@tensor_function
def cumsum(x: Any, axis: Any = None, dtype: Any = None) -> Any:
    """Return the sums of all values up to each place along an axis; of all values if it is None."""
    x = tensor(x) if dtype is None else cast_to(tensor(x), np.dtype(dtype).name)
    if axis is None:
        x, axis = reshaped(x, (math.prod(x.shape),)), 0
    at = axis_of(axis, len(x.shape))
    if is_float(x):
        return apply_operation(OPERATIONS["cumsum"], x, axis=at)
    y = apply_operation(OPERATIONS["cumsum"], floats(x), axis=at)
    return cast_to(y, "int32" if dtype_of(x) == "bool" else dtype_of(x))


@tensor_function
def count_nonzero(x: Any, axis: Any = None) -> Any:
    """Return how many values along the axes are not 0, as int32."""
    return cast_to(sum(floats(not_equal(tensor(x), 0)), axis), "int32")


@tensor_function
def average(x: Any, axis: Any = None, weights: Any = None) -> Any:
    """Return the mean along the axes, weighted by `weights` of the shape of x."""
    if weights is None:
        return mean(x, axis)
    weights = floats(weights)
    if len(weights.shape) == 1 and len(tensor(x).shape) > 1:
        shape = [1] * len(tensor(x).shape)
        shape[axis_of(axis, len(shape))] = weights.shape[0]
        weights = reshaped(weights, tuple(shape))
    ones = add(multiply(floats(x), 0.0), 1.0)
    return divide(sum(multiply(x, weights), axis), sum(multiply(weights, ones), axis))
