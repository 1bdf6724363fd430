"""Functions of each value: powers, exponentials, logarithms, sines, rounding."""

from __future__ import annotations

import math
from typing import Any

from minicnn.checks import quoted
from minicnn.errors import ArgumentError
from minicnn.layers.functions import tensor_function
from minicnn.layers.tracing import apply_operation
from minicnn.operations.activations import OPERATIONS as ACTIVATIONS
from minicnn.operations.unary import OPERATIONS
from minicnn.ops.arithmetic import divide, maximum, minimum, multiply
from minicnn.ops.operands import floats, is_float, is_number, tensor
from minicnn.shapes import is_int


def _of_floats(name: str, x: Any) -> Any:
    return apply_operation(OPERATIONS[name], floats(x))


@tensor_function
def square(x: Any) -> Any:
    """Return x * x."""
    x = tensor(x)
    return _of_floats("square", x) if is_float(x) else multiply(x, x)


@tensor_function
def sqrt(x: Any) -> Any:
    """Return the square root; NaN where x is negative."""
    return _of_floats("sqrt", x)


@tensor_function
def rsqrt(x: Any) -> Any:
    """Return 1 / sqrt(x)."""
    return _of_floats("rsqrt", x)


@tensor_function
def reciprocal(x: Any) -> Any:
    """Return 1 / x."""
    return _of_floats("reciprocal", x)


@tensor_function
def exp(x: Any) -> Any:
    """Return e to the power of x."""
    return _of_floats("exp", x)


@tensor_function
def exp2(x: Any) -> Any:
    """Return 2 to the power of x."""
    return exp(multiply(floats(x), math.log(2)))


@tensor_function
def expm1(x: Any) -> Any:
    """Return exp(x) - 1, which keeps its digits where x is small."""
    return _of_floats("expm1", x)


@tensor_function
def log(x: Any) -> Any:
    """Return the natural logarithm; NaN where x is negative, -infinity at 0."""
    return _of_floats("log", x)


@tensor_function
def log1p(x: Any) -> Any:
    """Return log(1 + x), which keeps its digits where x is small."""
    return _of_floats("log1p", x)


@tensor_function
def log2(x: Any) -> Any:
    """Return the logarithm to the base 2."""
    return multiply(log(x), 1 / math.log(2))


@tensor_function
def log10(x: Any) -> Any:
    """Return the logarithm to the base 10."""
    return multiply(log(x), 1 / math.log(10))


@tensor_function
def sin(x: Any) -> Any:
    """Return the sine of an angle in radians."""
    return _of_floats("sin", x)


@tensor_function
def cos(x: Any) -> Any:
    """Return the cosine of an angle in radians."""
    return _of_floats("cos", x)


@tensor_function
def tan(x: Any) -> Any:
    """Return the tangent of an angle in radians."""
    return divide(sin(x), cos(x))


@tensor_function
def tanh(x: Any) -> Any:
    """Return the hyperbolic tangent, between -1 and 1."""
    return apply_operation(ACTIVATIONS["tanh"], floats(x))


@tensor_function
def sigmoid(x: Any) -> Any:
    """Return 1 / (1 + exp(-x)), between 0 and 1."""
    return apply_operation(ACTIVATIONS["sigmoid"], floats(x))


@tensor_function
def sign(x: Any) -> Any:
    """Return 1 for positive values, -1 for negative ones, 0 for 0."""
    return _of_floats("sign", x)


@tensor_function
def floor(x: Any) -> Any:
    """Return x rounded down; its gradient is 0."""
    return _of_floats("floor", x)


@tensor_function
def ceil(x: Any) -> Any:
    """Return x rounded up; its gradient is 0."""
    return _of_floats("ceil", x)


@tensor_function
def round(x: Any, decimals: int = 0) -> Any:
    """Return x rounded to so many decimals, halves to the even neighbor; its gradient is 0."""
    if not is_int(decimals):
        raise ArgumentError(f"decimals must be an integer; got {quoted(decimals)}")
    if decimals == 0:
        return _of_floats("round", x)
    return divide(_of_floats("round", multiply(floats(x), 10.0**decimals)), 10.0**decimals)


@tensor_function
def clip(x: Any, x_min: Any, x_max: Any) -> Any:
    """Return x, but x_min where it is smaller and x_max where it is larger.

    >>> import minicnn as mc
    >>> mc.ops.clip([-2.0, 0.5, 3.0], 0, 1).tolist()
    [0.0, 0.5, 1.0]
    """
    x = tensor(x)
    if is_float(x) and is_number(x_min) and is_number(x_max):
        bounds = {"minimum": float(x_min), "maximum": float(x_max)}
        return apply_operation(OPERATIONS["clip"], x, **bounds)
    return minimum(maximum(x, x_min), x_max)
