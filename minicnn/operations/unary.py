"""Functions of each value as operations: exponentials, powers, sines, steps and truth values.

`minicnn.ops` has the functions that users call; the formulas and gradients are in
`backends/numpy/unary.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn.checks import FLOATS, quoted
from minicnn.errors import ArgumentError, DTypeError
from minicnn.operations.operation import Operation
from minicnn.tensor_contracts import STEPS, UNARY


def check_float(x: Any, name: str = "x") -> None:
    """Check that `x` is an array of floats, of any shape."""
    dtype = np.dtype(x.dtype).name
    if dtype not in FLOATS:
        raise DTypeError(f"{name} must be an array of floats; got {dtype}")


def _resolve(x: Any) -> dict[str, Any]:
    check_float(x)
    return {}


def _resolve_clip(x: Any, *, minimum: float, maximum: float) -> dict[str, Any]:
    check_float(x)
    if math.isnan(minimum) or math.isnan(maximum):
        raise ArgumentError(
            f"the bounds of clip must be numbers; got {quoted(minimum)} and {quoted(maximum)}"
        )
    return {"minimum": float(minimum), "maximum": float(maximum)}


def _resolve_fixed_power(x: Any, *, exponent: float) -> dict[str, Any]:
    check_float(x)
    return {"exponent": float(exponent)}


RESOLVERS: dict[str, Callable[..., dict[str, Any]]] = {
    "clip": _resolve_clip,
    "fixed_power": _resolve_fixed_power,
}
OPERATIONS: dict[str, Operation] = {
    **{n: Operation(n, RESOLVERS.get(n, _resolve), (f"{n}_backward",)) for n in UNARY},
    **{n: Operation(n, _resolve, None, constant=True) for n in STEPS},
}
