"""Comparisons, truth values, and the choice between two tensors.

Truth values are of bool and have no gradient.
"""

from __future__ import annotations

from typing import Any

from minicnn.errors import ArgumentError
from minicnn.layers.functions import tensor_function
from minicnn.layers.tracing import apply_operation
from minicnn.operations.arrange import WHERE
from minicnn.operations.binary import COMPARE
from minicnn.ops.arithmetic import absolute, add, multiply, subtract
from minicnn.ops.operands import (
    adapted,
    broadcast,
    cast_to,
    dtype_of,
    elementwise,
    floats,
    is_float,
    operands,
    tensor,
)


def _compared(name: str, x1: Any, x2: Any) -> Any:
    a, b = operands(x1, x2)
    return apply_operation(COMPARE, a, b, function=name) if is_float(a) else elementwise(name, a, b)


def _truth(x: Any) -> Any:
    """Return whether each value is not 0."""
    x = tensor(x)
    return x if dtype_of(x) == "bool" else cast_to(x, "bool")


@tensor_function
def equal(x1: Any, x2: Any) -> Any:
    """Return where x1 = x2."""
    return _compared("equal", x1, x2)


@tensor_function
def not_equal(x1: Any, x2: Any) -> Any:
    """Return where x1 and x2 differ."""
    return _compared("not_equal", x1, x2)


@tensor_function
def less(x1: Any, x2: Any) -> Any:
    """Return where x1 < x2."""
    return _compared("less", x1, x2)


@tensor_function
def less_equal(x1: Any, x2: Any) -> Any:
    """Return where x1 <= x2."""
    return _compared("less_equal", x1, x2)


@tensor_function
def greater(x1: Any, x2: Any) -> Any:
    """Return where x1 > x2."""
    return _compared("greater", x1, x2)


@tensor_function
def greater_equal(x1: Any, x2: Any) -> Any:
    """Return where x1 >= x2."""
    return _compared("greater_equal", x1, x2)


@tensor_function
def logical_and(x1: Any, x2: Any) -> Any:
    """Return where both are true, that is, not 0."""
    return elementwise("logical_and", *broadcast(_truth(x1), _truth(x2)))


@tensor_function
def logical_or(x1: Any, x2: Any) -> Any:
    """Return where at least one is true, that is, not 0."""
    return elementwise("logical_or", *broadcast(_truth(x1), _truth(x2)))


@tensor_function
def logical_xor(x1: Any, x2: Any) -> Any:
    """Return where exactly one is true, that is, not 0."""
    return elementwise("logical_xor", *broadcast(_truth(x1), _truth(x2)))


@tensor_function
def logical_not(x: Any) -> Any:
    """Return where x is false, that is, 0."""
    return elementwise("logical_not", _truth(x))


@tensor_function
def isnan(x: Any) -> Any:
    """Return where x is not a number."""
    return elementwise("isnan", floats(x))


@tensor_function
def isinf(x: Any) -> Any:
    """Return where x is infinite."""
    return elementwise("isinf", floats(x))


@tensor_function
def isfinite(x: Any) -> Any:
    """Return where x is neither infinite nor NaN."""
    return elementwise("isfinite", floats(x))


@tensor_function
def isclose(
    x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Any:
    """Return where |x1 - x2| <= atol + rtol * |x2|."""
    a, b = operands(floats(x1), floats(x2))
    bound = add(multiply(absolute(b), rtol), atol)
    close = logical_or(equal(a, b), less_equal(absolute(subtract(a, b)), bound))
    return logical_or(close, logical_and(isnan(a), isnan(b))) if equal_nan else close


@tensor_function
def where(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    """Return x1 where the condition holds, that is, is not 0, and x2 elsewhere.

    Raises
    ------
    ArgumentError : x1 or x2 is missing; the number of true values is not known in a network

    >>> import minicnn as mc
    >>> mc.ops.where([True, False], 1.0, [5.0, 6.0]).tolist()
    [1.0, 6.0]
    """
    if x1 is None or x2 is None:
        raise ArgumentError("where needs x1 and x2; for the places of true values use np.nonzero")
    a, b = adapted(x1, x2)
    condition, a, b = broadcast(_truth(condition), a, b)
    return apply_operation(WHERE, condition, a, b)
