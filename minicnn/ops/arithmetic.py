"""Arithmetic of tensors: sums, products and what else has an operator in Python."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.layers.functions import tensor_function
from minicnn.layers.operators import FUNCTIONS
from minicnn.layers.tracing import apply_operation
from minicnn.operations.binary import OPERATIONS, SCALE
from minicnn.operations.dense import BIAS
from minicnn.operations.unary import OPERATIONS as UNARY
from minicnn.ops.operands import (
    adapted,
    broadcast,
    dtype_of,
    elementwise,
    floats,
    is_float,
    is_number,
    is_traced,
    operands,
    tensor,
)
from minicnn.shapes import is_int


@tensor_function
def add(x1: Any, x2: Any) -> Any:
    """Return x1 + x2.

    >>> import minicnn as mc
    >>> mc.ops.add([1.0, 2.0], 10).tolist()
    [11.0, 12.0]
    """
    if is_number(x2) and _scalable(x1, x2):
        return _scaled(x1, 1.0, x2)
    if is_number(x1) and _scalable(x2, x1):
        return _scaled(x2, 1.0, x1)
    a, b = adapted(x1, x2)
    if not is_float(a):
        return elementwise("add", *broadcast(a, b))
    if _is_bias(a, b):
        return apply_operation(BIAS, a, b)
    return apply_operation(OPERATIONS["add"], *broadcast(a, b))


@tensor_function
def subtract(x1: Any, x2: Any) -> Any:
    """Return x1 - x2."""
    if is_number(x2) and _scalable(x1, x2):
        return _scaled(x1, 1.0, -x2)
    if is_number(x1) and _scalable(x2, x1):
        return _scaled(x2, -1.0, x1)
    return _combined("subtract", x1, x2)


@tensor_function
def multiply(x1: Any, x2: Any) -> Any:
    """Return x1 * x2, value by value."""
    if is_number(x2) and _scalable(x1, x2):
        return _scaled(x1, x2, 0.0)
    if is_number(x1) and _scalable(x2, x1):
        return _scaled(x2, x1, 0.0)
    return _combined("multiply", x1, x2)


@tensor_function
def divide(x1: Any, x2: Any) -> Any:
    """Return x1 / x2, in floats also for integers.

    A division by a number is a product with 1 / x2, which may round otherwise in the last place.
    """
    if is_number(x2):
        with np.errstate(divide="ignore"):
            return _scaled(x1, 1 / np.float64(x2), 0.0)
    if is_number(x1):
        return _scaled(apply_operation(UNARY["reciprocal"], floats(x2)), x1, 0.0)
    a, b = adapted(floats(x1), floats(x2))
    return apply_operation(OPERATIONS["divide"], *broadcast(a, b))


true_divide = divide


@tensor_function
def divide_no_nan(x1: Any, x2: Any) -> Any:
    """Return x1 / x2, and 0 where x2 is 0."""
    a, b = operands(floats(x1), floats(x2))
    safe = FUNCTIONS["where"](FUNCTIONS["equal"](b, 0), 1.0, b)
    return FUNCTIONS["where"](FUNCTIONS["equal"](b, 0), 0.0, divide(a, safe))


@tensor_function
def floor_divide(x1: Any, x2: Any) -> Any:
    """Return x1 / x2, rounded down."""
    a, b = operands(x1, x2)
    if not is_float(a):
        return elementwise("floor_divide", a, b)
    return apply_operation(UNARY["floor"], apply_operation(OPERATIONS["divide"], a, b))


@tensor_function
def mod(x1: Any, x2: Any) -> Any:
    """Return what is left of x1 after a division by x2, with the sign of x2."""
    a, b = operands(x1, x2)
    if not is_float(a):
        return elementwise("mod", a, b)
    return subtract(a, multiply(floor_divide(a, b), b))


@tensor_function
def power(x1: Any, x2: Any) -> Any:
    """Return x1 to the power of x2.

    >>> import minicnn as mc
    >>> mc.ops.power([1.0, 3.0], 2).tolist()
    [1.0, 9.0]
    """
    if is_number(x2) and _scalable(x1, x2, product=False):
        return _powered(floats(x1), float(x2))
    return _combined("power", x1, x2)


@tensor_function
def negative(x: Any) -> Any:
    """Return -x."""
    x = tensor(x)
    return _scaled(x, -1.0, 0.0) if is_float(x) else elementwise("negative", x)


@tensor_function
def absolute(x: Any) -> Any:
    """Return x without its sign."""
    x = tensor(x)
    if is_float(x):
        return apply_operation(UNARY["absolute"], x)
    return elementwise("absolute", x)


abs = absolute


@tensor_function
def maximum(x1: Any, x2: Any) -> Any:
    """Return the larger one of x1 and x2, value by value; NaN if either is."""
    return _extreme("maximum", x1, x2)


@tensor_function
def minimum(x1: Any, x2: Any) -> Any:
    """Return the smaller one of x1 and x2, value by value; NaN if either is."""
    return _extreme("minimum", x1, x2)


def _combined(name: str, x1: Any, x2: Any) -> Any:
    """Apply a function of two values, by its operation or, for integers, NumPy's function."""
    a, b = operands(x1, x2)
    return apply_operation(OPERATIONS[name], a, b) if is_float(a) else elementwise(name, a, b)


def _extreme(name: str, x1: Any, x2: Any) -> Any:
    if is_number(x1):
        x1, x2 = x2, x1
    if is_number(x2) and not is_number(x1) and is_float(tensor(x1)) and not np.isnan(x2):
        bounds = (x2, np.inf) if name == "maximum" else (-np.inf, x2)
        return apply_operation(UNARY["clip"], tensor(x1), minimum=bounds[0], maximum=bounds[1])
    return _combined(name, x1, x2)


def _scalable(x: Any, number: Any, *, product: bool = True) -> bool:
    """Return whether the result of `x` and a number is of floats, so that it can be an attribute.

    Pixels, of uint8, are scaled as they are.
    """
    if is_number(x):
        return False
    return is_float(tensor(x)) or not is_int(np.asarray(number).item())


def _scaled(x: Any, scale: Any, offset: Any) -> Any:
    """Return x * scale + offset, in floats."""
    x = tensor(x)
    if not is_float(x) and not (dtype_of(x) == "uint8" and is_traced(x)):
        x = floats(x)
    return apply_operation(SCALE, x, scale=scale, offset=offset)


def _powered(x: Any, exponent: float) -> Any:
    if exponent == 1:
        return x
    if exponent in POWERS:
        return apply_operation(UNARY[POWERS[exponent]], x)
    return apply_operation(UNARY["fixed_power"], x, exponent=exponent)


# Powers with a function of their own.
POWERS = {2.0: "square", 0.5: "sqrt", -1.0: "reciprocal", -0.5: "rsqrt"}


def _is_bias(a: Any, b: Any) -> bool:
    """Return whether `b` has one value per channel of `a`."""
    rank = len(a.shape)
    return rank > 1 and 0 not in a.shape[1:] and tuple(b.shape) == tuple(a.shape[-1:])
