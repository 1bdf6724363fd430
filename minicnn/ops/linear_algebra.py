"""Products of vectors, matrices and their batches.

All of them end in one product of matrices (..., M, K) @ (..., K, N). A product with one matrix
(K, N) for all is that of the layer Dense.
"""

from __future__ import annotations

import math
from typing import Any

from minicnn.checks import quoted, shape_text
from minicnn.errors import ArgumentError, ShapeError
from minicnn.layers.functions import tensor_function
from minicnn.layers.tracing import apply_operation
from minicnn.operations.binary import MATMUL
from minicnn.operations.dense import DENSE
from minicnn.ops.arithmetic import multiply
from minicnn.ops.operands import (
    adapted,
    axis_of,
    broadcast_one,
    cast_to,
    dtype_of,
    floats,
    is_float,
    reshaped,
    tensor,
)
from minicnn.ops.reductions import sum
from minicnn.ops.shapes import ravel, transpose
from minicnn.shapes import is_int


@tensor_function
def matmul(x1: Any, x2: Any) -> Any:
    """Return the product of the matrices in the last two axes; a vector is a row, or a column.

    >>> import minicnn as mc
    >>> mc.ops.matmul([[1.0, 2.0]], [[3.0], [4.0]]).tolist()
    [[11.0]]
    """
    return _in_floats(_matmul, x1, x2)


def _in_floats(product: Any, x1: Any, x2: Any) -> Any:
    """Compute a product in floats; that of integers is one of integers."""
    a, b = adapted(x1, x2)
    if is_float(a):
        return product(a, b)
    return cast_to(product(floats(a), floats(b)), "int32" if dtype_of(a) == "bool" else dtype_of(a))


def _matmul(a: Any, b: Any) -> Any:
    if not a.shape or not b.shape:
        raise ShapeError("matmul needs vectors or matrices; got a single number: use multiply")
    row, column = len(a.shape) == 1, len(b.shape) == 1
    a = reshaped(a, (1, *a.shape)) if row else a
    b = reshaped(b, (*b.shape, 1)) if column else b
    if a.shape[-1] != b.shape[-2]:
        raise ShapeError(
            "matmul sums over the last axis of x1 and the last but one of x2, which must be equal: "
            f"got {shape_text(a.shape)} and {shape_text(b.shape)}"
        )
    y = _product(a, b)
    if column:
        y = reshaped(y, tuple(y.shape[:-1]))
    if row:
        y = reshaped(y, (*y.shape[: -1 if column else -2], *(() if column else y.shape[-1:])))
    return y


def _product(a: Any, b: Any) -> Any:
    """Return the product of (..., M, K) and (..., K, N)."""
    if math.prod(b.shape[:-2]) == 1 and len(b.shape) <= len(a.shape) and 0 not in a.shape[1:]:
        rows = reshaped(a, (math.prod(a.shape[:-1]), a.shape[-1]))
        y = apply_operation(DENSE, rows, reshaped(b, tuple(b.shape[-2:])), None)
        return reshaped(y, (*a.shape[:-1], b.shape[-1]))
    batch = _batch(tuple(a.shape[:-2]), tuple(b.shape[:-2]))
    a = broadcast_one(a, (*batch, *a.shape[-2:]))
    b = broadcast_one(b, (*batch, *b.shape[-2:]))
    return apply_operation(MATMUL, a, b)


def _batch(first: tuple[int, ...], second: tuple[int, ...]) -> tuple[int, ...]:
    rank = max(len(first), len(second))
    pairs = zip(
        (1,) * (rank - len(first)) + first, (1,) * (rank - len(second)) + second, strict=True
    )
    return tuple(m if n == 1 else n for n, m in pairs)


@tensor_function
def dot(x1: Any, x2: Any) -> Any:
    """Return the sum of products over the last axis of x1 and the last but one of x2."""
    a, b = tensor(x1), tensor(x2)
    if not a.shape or not b.shape:
        return multiply(a, b)
    return tensordot(a, b, [[len(a.shape) - 1], [max(len(b.shape) - 2, 0)]])


@tensor_function
def tensordot(x1: Any, x2: Any, axes: Any = 2) -> Any:
    """Return the sum of products over pairs of axes.

    `axes` is a number k, for the last k axes of x1 and the first k of x2, or two lists of axes.
    """
    a, b = tensor(x1), tensor(x2)
    first, second = _pairs_of_axes(axes, len(a.shape), len(b.shape))
    return _in_floats(lambda p, q: _tensordot(p, q, first, second), a, b)


def _pairs_of_axes(axes: Any, rank1: int, rank2: int) -> tuple[list[int], list[int]]:
    if is_int(axes):
        if not 0 <= axes <= min(rank1, rank2):
            raise ArgumentError(f"axes must be 0 to {min(rank1, rank2)}; got {quoted(axes)}")
        return list(range(rank1 - axes, rank1)), list(range(axes))
    first, second = ([one] if is_int(one) else list(one) for one in axes)
    if len(first) != len(second):
        raise ArgumentError(f"axes must be two lists of equal length; got {quoted(axes)}")
    return [axis_of(i, rank1) for i in first], [axis_of(i, rank2) for i in second]


def _tensordot(a: Any, b: Any, first: list[int], second: list[int]) -> Any:
    if [a.shape[i] for i in first] != [b.shape[i] for i in second]:
        raise ShapeError(
            f"axes {first} of {shape_text(a.shape)} and {second} of {shape_text(b.shape)} must "
            "have equal lengths"
        )
    rows = [i for i in range(len(a.shape)) if i not in first]
    columns = [i for i in range(len(b.shape)) if i not in second]
    summed = math.prod(a.shape[i] for i in first)
    left = reshaped(transpose(a, (*rows, *first)), (math.prod(a.shape[i] for i in rows), summed))
    right = reshaped(
        transpose(b, (*second, *columns)), (summed, math.prod(b.shape[i] for i in columns))
    )
    shape = (*(a.shape[i] for i in rows), *(b.shape[i] for i in columns))
    return reshaped(_product(left, right), tuple(shape))


@tensor_function
def vdot(x1: Any, x2: Any) -> Any:
    """Return the sum of the products of all values."""
    return sum(multiply(ravel(tensor(x1)), ravel(tensor(x2))))


@tensor_function
def inner(x1: Any, x2: Any) -> Any:
    """Return the sum of products over the last axis of both."""
    a, b = tensor(x1), tensor(x2)
    if not a.shape or not b.shape:
        return multiply(a, b)
    return tensordot(a, b, [[len(a.shape) - 1], [len(b.shape) - 1]])


@tensor_function
def outer(x1: Any, x2: Any) -> Any:
    """Return the product of each value of x1 with each one of x2, as a matrix."""
    a, b = ravel(tensor(x1)), ravel(tensor(x2))
    return multiply(reshaped(a, (a.shape[0], 1)), reshaped(b, (1, b.shape[0])))
