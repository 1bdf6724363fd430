"""Dtypes of tensors, conversion from and to arrays, and where gradients stop."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.checks import quoted
from minicnn.errors import ArgumentError
from minicnn.layers.functions import tensor_function
from minicnn.layers.parameter import Parameter
from minicnn.layers.symbolic import SymbolicTensor
from minicnn.layers.tracing import TracedTensor, apply_operation
from minicnn.operations.arrange import STOP_GRADIENT
from minicnn.ops.operands import cast_to, dtype_of, is_traced, tensor

DTYPES = ("bool", "uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64")
IN_NETWORKS = ("bool", "uint8", "int32", "float32")


@tensor_function
def cast(x: Any, dtype: Any) -> Any:
    """Return the values in another dtype.

    In a network that is one of bool, uint8, int32 and float32.

    >>> import minicnn as mc
    >>> mc.ops.cast([1.7, 0.0], "bool").tolist()
    [True, False]
    """
    x, name = tensor(x), standard_dtype(dtype)
    if is_traced(x) and name not in IN_NETWORKS and name != dtype_of(x):
        raise ArgumentError(f"dtype in a network must be one of {list(IN_NETWORKS)}; got {name!r}")
    return cast_to(x, name)


def standard_dtype(dtype: Any) -> str:
    """Return the name of a dtype; "float" and "int" are those of 32 bits."""
    if dtype in ("float", float):
        return "float32"
    if dtype in ("int", int):
        return "int32"
    try:
        return np.dtype(dtype).name
    except TypeError:
        raise ArgumentError(f"dtype must be one of NumPy's; got {quoted(dtype)}") from None


def dtype(x: Any) -> str:
    """Return the name of a tensor's dtype."""
    return dtype_of(x if hasattr(x, "dtype") else tensor(x))


def convert_to_tensor(x: Any, dtype: Any = None, sparse: Any = None, ragged: Any = None) -> Any:
    """Return numbers, a list or an array as an array; a tensor as it is, or in another dtype."""
    if sparse or ragged:
        raise ArgumentError("sparse and ragged must be None: minicnn has only dense arrays")
    if dtype is not None:
        return cast(x, dtype)
    return x if isinstance(x, SymbolicTensor) else _identity(x)


@tensor_function
def _identity(x: Any) -> Any:
    return tensor(x)


def convert_to_numpy(x: Any) -> np.ndarray:
    """Return an array, a list or a layer's weight as a plain array of NumPy."""
    return np.array(tensor(x)) if not isinstance(x, np.ndarray) else np.asarray(x)


def is_tensor(x: Any) -> bool:
    """Return whether `x` is an array, a weight of a layer, or a tensor of a network."""
    return isinstance(x, (np.ndarray, Parameter, SymbolicTensor, TracedTensor))


@tensor_function
def stop_gradient(variable: Any) -> Any:
    """Return the values, through which training computes no gradient."""
    x = tensor(variable)
    return apply_operation(STOP_GRADIENT, x) if is_traced(x) else x
