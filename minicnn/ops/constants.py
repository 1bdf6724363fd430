"""New arrays: of one value, of numbers in a row, of the identity; constants in a network."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.checks import check_choice
from minicnn.layers.functions import tensor_function
from minicnn.layers.tracing import apply_operation
from minicnn.operations.arrange import STOP_GRADIENT
from minicnn.ops.arithmetic import multiply
from minicnn.ops.casting import standard_dtype
from minicnn.ops.operands import dtype_of, is_traced, tensor
from minicnn.shapes import is_int
from minicnn.support.arrays import as_result

FLOAT = "float32"


def _shape(shape: Any) -> tuple[int, ...]:
    return (int(shape),) if is_int(shape) else tuple(shape)


def zeros(shape: Any, dtype: Any = None) -> Any:
    """Return an array of zeros."""
    return as_result(np.zeros(_shape(shape), standard_dtype(dtype or FLOAT)))


def ones(shape: Any, dtype: Any = None) -> Any:
    """Return an array of ones."""
    return as_result(np.ones(_shape(shape), standard_dtype(dtype or FLOAT)))


def full(shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    """Return an array of one value."""
    return as_result(np.full(_shape(shape), fill_value, standard_dtype(dtype or FLOAT)))


@tensor_function
def zeros_like(x: Any, dtype: Any = None) -> Any:
    """Return zeros in the shape, and by default the dtype, of a tensor."""
    return _like(x, 0, dtype)


@tensor_function
def ones_like(x: Any, dtype: Any = None) -> Any:
    """Return ones in the shape, and by default the dtype, of a tensor."""
    return _like(x, 1, dtype)


@tensor_function
def full_like(x: Any, fill_value: Any, dtype: Any = None) -> Any:
    """Return one value in the shape, and by default the dtype, of a tensor."""
    return _like(x, fill_value, dtype)


def _like(x: Any, value: Any, dtype: Any) -> Any:
    x = tensor(x)
    y = np.full(x.shape, value, dtype_of(x) if dtype is None else standard_dtype(dtype))
    return apply_operation(STOP_GRADIENT, y) if is_traced(x) else y


def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Any:
    """Return the numbers from `start`, by default 0, to before `stop`."""
    first, last = (0, start) if stop is None else (start, stop)
    numbers = np.arange(first, last, 1 if step is None else step)
    if dtype is None:
        dtype = "int32" if numbers.dtype.kind == "i" else FLOAT
    return as_result(numbers.astype(standard_dtype(dtype)))


def linspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False,
    dtype: Any = None, axis: int = 0,
) -> Any:  # fmt: skip
    """Return `num` numbers at equal distances from `start` to `stop`."""
    numbers, step = np.linspace(start, stop, num, endpoint, retstep=True, axis=axis)
    found = as_result(numbers.astype(standard_dtype(dtype or FLOAT)))
    return (found, step) if retstep else found


def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Any:
    """Return a matrix of N rows and M columns with ones on a diagonal, and zeros elsewhere."""
    return as_result(np.eye(N, M, k, standard_dtype(dtype or FLOAT)))


def identity(n: int, dtype: Any = None) -> Any:
    """Return the matrix of n rows and columns with ones on its diagonal."""
    return eye(n, dtype=dtype)


def meshgrid(*x: Any, indexing: str = "xy") -> list[Any]:
    """Return the coordinates of a grid, one array for each of the axes."""
    arrays: Any = map(np.asarray, x)
    grids = np.meshgrid(*arrays, indexing=check_choice(indexing, "indexing", ("xy", "ij")))  # type: ignore[call-overload]
    return [as_result(np.ascontiguousarray(grid)) for grid in grids]


@tensor_function
def tril(x: Any, k: int = 0) -> Any:
    """Return the matrices in the last two axes with zeros above diagonal k."""
    x = tensor(x)
    rows, columns = x.shape[-2:]
    return multiply(x, np.tri(rows, columns, k, dtype_of(x)))


@tensor_function
def triu(x: Any, k: int = 0) -> Any:
    """Return the matrices in the last two axes with zeros below diagonal k."""
    x = tensor(x)
    rows, columns = x.shape[-2:]
    return multiply(x, 1 - np.tri(rows, columns, k - 1, dtype_of(x)))
