"""What the functions of `minicnn.ops` compute with: their arguments, in one dtype and one shape.

Floats are float32; two arrays of float64 stay so on the engine "numpy". A number of Python adapts
to the other operand. Integers that meet floats become floats, and so do those that a function of
floats is given. Shapes that differ are broadcast, as NumPy does it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn.checks import quoted, shape_text
from minicnn.dlpack import as_numpy
from minicnn.errors import ArgumentError, DTypeError, ShapeError
from minicnn.layers.parameter import Parameter
from minicnn.layers.tracing import TracedTensor, apply_operation, current_scope
from minicnn.operations.arrange import BROADCAST_TO, CAST, RESHAPE_WHOLE
from minicnn.operations.binary import ELEMENTWISE
from minicnn.shapes import is_int

FLOATS = ("float32", "float64")
Shape = tuple[int, ...]


def is_traced(x: Any) -> bool:
    """Return whether `x` stands for an array whose values are not known yet."""
    return isinstance(x, TracedTensor)


def is_number(x: Any) -> bool:
    """Return whether `x` is one constant number, not a truth value."""
    if isinstance(x, (bool, np.bool_)):
        return False
    constant = isinstance(x, (np.ndarray, np.generic)) and x.ndim == 0
    return isinstance(x, (int, float)) or (constant and x.dtype.kind in "fiu")


def tensor(x: Any) -> Any:
    """Return a traced tensor or Parameter as it is, anything else as an array.

    Numbers and lists of floats become float32, and so do arrays of other floats in a network.
    """
    if isinstance(x, (TracedTensor, Parameter)):
        return x
    given = as_numpy(x)
    array = np.asarray(given)
    if array.dtype.kind not in "fiub":
        raise DTypeError(f"an array of numbers is needed; got {quoted(x)} of {array.dtype}")
    listed = not isinstance(given, (np.ndarray, np.generic))
    if array.dtype.kind == "f" and (listed or array.dtype.name not in FLOATS or _in_network()):
        array = array.astype(np.float32)
    if array.dtype == np.int64 and listed:
        array = array.astype(np.int32)
    return np.require(array, None, ["C", "A"])


def _in_network() -> bool:
    scope = current_scope()
    return scope is not None and isinstance(scope.wrapped(np.empty(0)), TracedTensor)


def dtype_of(x: Any) -> str:
    """Return the name of the dtype."""
    return np.dtype(x.dtype).name


def is_float(x: Any) -> bool:
    """Return whether `x` is of float32 or float64."""
    return dtype_of(x) in FLOATS


def floats(x: Any) -> Any:
    """Return `x` as a tensor of floats."""
    x = tensor(x)
    return x if is_float(x) else cast_to(x, "float32")


def cast_to(x: Any, dtype: str) -> Any:
    """Return the tensor in another dtype."""
    if dtype_of(x) == dtype:
        return x
    return apply_operation(CAST, x, dtype=dtype) if is_traced(x) else _array(x).astype(dtype)


def _array(x: Any) -> np.ndarray:
    return x.value if isinstance(x, Parameter) else x


def operands(x1: Any, x2: Any) -> tuple[Any, Any]:
    """Return both as tensors of one shape; of one dtype of floats, if either is of floats."""
    a, b = adapted(x1, x2)
    return broadcast(a, b)


def adapted(x1: Any, x2: Any) -> tuple[Any, Any]:
    """Return both as tensors; of one dtype of floats, if either is of floats."""
    if is_number(x2) and not is_number(x1):
        a = tensor(x1)
        return _with_number(a, x2)
    if is_number(x1) and not is_number(x2):
        b, a = _with_number(tensor(x2), x1)
        return a, b
    a, b = tensor(x1), tensor(x2)
    if not is_float(a) and not is_float(b):
        return a, b
    both_double = dtype_of(a) == dtype_of(b) == "float64"
    dtype = "float64" if both_double else "float32"
    return cast_to(a, dtype), cast_to(b, dtype)


def _with_number(x: Any, number: Any) -> tuple[Any, Any]:
    """Return a tensor and a number of its dtype; a float makes floats of integers."""
    if not is_float(x) and (dtype_of(x) == "bool" or not is_int(np.asarray(number).item())):
        x = cast_to(x, "float32" if not is_int(np.asarray(number).item()) else "int32")
    return x, np.asarray(number, dtype_of(x))


def broadcast(*tensors: Any) -> tuple[Any, ...]:
    """Return the tensors in their common shape.

    Raises
    ------
    ShapeError : there is none
    """
    shapes = [tuple(x.shape) for x in tensors]
    if all(shape == shapes[0] for shape in shapes):
        return tensors
    try:
        shape = np.broadcast_shapes(*shapes)
    except ValueError:
        texts = ", ".join(map(shape_text, shapes))
        raise ShapeError(
            f"shapes {texts} do not fit together: counted from the last axis, two lengths must be "
            "equal, or one of them 1"
        ) from None
    return tuple(broadcast_one(x, shape) for x in tensors)


def broadcast_one(x: Any, shape: Shape) -> Any:
    """Return the tensor repeated to this shape."""
    return x if tuple(x.shape) == shape else apply_operation(BROADCAST_TO, x, shape=shape)


def reshaped(x: Any, shape: Shape) -> Any:
    """Return the tensor in another shape."""
    return x if tuple(x.shape) == shape else apply_operation(RESHAPE_WHOLE, x, shape=shape)


def elementwise(function: str, a: Any, b: Any = None) -> Any:
    """Apply a function of NumPy to truth values or integers of one shape."""
    return apply_operation(ELEMENTWISE, a, b, function=function)


def axis_of(axis: Any, rank: int, name: str = "axis") -> int:
    """Return the number of an axis, counted from the first one.

    Raises
    ------
    ArgumentError : it is not an integer, or there is no such axis
    """
    if not is_int(axis) or not -rank <= axis < rank:
        raise ArgumentError(
            f"{name} must be an integer from {-rank} to {rank - 1}, as there are {rank} axes; got "
            f"{quoted(axis)}"
        )
    return int(axis) % rank


def axes_of(axis: Any, rank: int) -> tuple[int, ...]:
    """Return the numbers of one axis, of several, or of all if `axis` is None, in order."""
    if axis is None:
        return tuple(range(rank))
    if not isinstance(axis, Sequence) or isinstance(axis, str):
        return (axis_of(axis, rank),)
    axes = [axis_of(one, rank) for one in axis]
    if len(set(axes)) < len(axes):
        raise ArgumentError(f"axis names an axis twice: {quoted(axis)}")
    return tuple(sorted(axes))
