"""Functions of two arrays of equal shape as operations; `minicnn.ops` has what users call."""

from __future__ import annotations

from typing import Any

from minicnn.checks import check_same_shape
from minicnn.operations.operation import Operation
from minicnn.operations.unary import check_float
from minicnn.tensor_contracts import BINARY


def _resolve(a: Any, b: Any) -> dict[str, Any]:
    check_float(a, "a")
    check_float(b, "b")
    check_same_shape(a, b, "a and b")
    return {}


def _resolve_scale(x: Any, *, scale: float, offset: float) -> dict[str, Any]:
    return {"scale": float(scale), "offset": float(offset)}


def _resolve_compare(a: Any, b: Any, *, function: str) -> dict[str, Any]:
    return {**_resolve(a, b), "function": function}


def _resolve_elementwise(a: Any, b: Any = None, *, function: str) -> dict[str, Any]:
    if b is not None:
        check_same_shape(a, b, "a and b")
    return {"function": function}


def _resolve_matmul(a: Any, b: Any) -> dict[str, Any]:
    check_float(a, "a")
    check_float(b, "b")
    return {}


# Sum and product with arrays of any rank, by the kernels of the layers Add and Multiply.
OPERATIONS: dict[str, Operation] = {
    name: Operation(name, _resolve, (f"{name}_backward",)) for name in (*BINARY, "add", "multiply")
}
# x * scale + offset for floats and uint8, by the kernels of the layer Rescaling.
SCALE = Operation("rescale", _resolve_scale, ("rescale_backward",))
COMPARE = Operation("compare", _resolve_compare, None, constant=True)
# A function of NumPy by its name, for truth values and integers.
ELEMENTWISE = Operation("elementwise", _resolve_elementwise, None, constant=True)
MATMUL = Operation("matmul", _resolve_matmul, ("matmul_backward",))
