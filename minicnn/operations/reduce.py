"""Sums, products and extremes along axes as operations; `minicnn.ops` has what users call."""

from __future__ import annotations

from typing import Any

from minicnn.errors import ShapeError
from minicnn.operations.operation import Operation
from minicnn.operations.unary import check_float
from minicnn.tensor_contracts import REDUCTIONS


def _resolve(x: Any, *, axes: tuple[int, ...], keepdims: bool) -> dict[str, Any]:
    check_float(x)
    return {"axes": axes, "keepdims": keepdims, "image": tuple(x.shape)}


def _resolve_extreme_at(x: Any, *, axis: int, keepdims: bool) -> dict[str, Any]:
    if x.shape[axis] == 0:
        raise ShapeError(f"axis {axis} has no values, so none of them is the largest or smallest")
    return {"axis": axis, "keepdims": keepdims}


def _resolve_cumsum(x: Any, *, axis: int) -> dict[str, Any]:
    check_float(x)
    return {"axis": axis}


OPERATIONS: dict[str, Operation] = {
    **{name: Operation(name, _resolve, (f"{name}_backward",)) for name in REDUCTIONS},
    "argmax": Operation("argmax", _resolve_extreme_at, None, constant=True),
    "argmin": Operation("argmin", _resolve_extreme_at, None, constant=True),
    "cumsum": Operation("cumsum", _resolve_cumsum, ("cumsum_backward",)),
}
