"""Keras's backend module, for `from minicnn import backend as K`.

It has the settings, and the functions of tensors that old scripts write as `K.mean(x)`: each is the
function of that name in `minicnn.ops`, or of the name that Keras has for it today. The engines that
compute are chosen by `mc.set_backend` and `mc.use_backend`.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np

from minicnn import ops
from minicnn.checks import quoted
from minicnn.config import (
    backend,
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
)
from minicnn.errors import ArgumentError
from minicnn.layers.base import SymbolicTensor
from minicnn.layers.parameter import Parameter
from minicnn.support.arrays import as_result
from minicnn.support.auto_names import clear_session

__all__ = [
    "argmax", "argmin", "backend", "batch_flatten", "batch_get_value", "batch_set_value",
    "cast_to_floatx", "clear_session", "concatenate", "constant", "count_params", "dtype",
    "epsilon", "eval", "expand_dims", "flatten", "floatx", "gather", "get_uid", "get_value",
    "image_data_format", "int_shape", "is_keras_tensor", "l2_normalize", "ndim", "ones", "repeat",
    "reverse", "set_epsilon", "set_floatx", "set_image_data_format", "set_value", "variable",
    "zeros",
]  # fmt: skip

# Today's name, in minicnn.ops, of functions that have another one here.
RENAMED = {
    "dot": "matmul", "permute_dimensions": "transpose", "pow": "power",
    "repeat_elements": "repeat", "switch": "where",
}  # fmt: skip
_counts: Counter[str] = Counter()


def __getattr__(name: str) -> Any:
    """Return the function of `minicnn.ops` that has this name, or had it in Keras's backend."""
    function = None if name.startswith("_") else getattr(ops, RENAMED.get(name, name), None)
    if function is None:
        raise AttributeError(
            f"minicnn.backend has no {name!r}; functions of tensors are in minicnn.ops, and "
            "mc.use_backend(name) chooses the engine that computes"
        )
    return function


# --- weights and shapes -------------------------------------------------------------------------


def get_value(x: Any) -> Any:
    """Return the values of a weight or array as an array of NumPy, and a number as it is."""
    if isinstance(x, (int, float)):
        return x
    return np.array(x.value if isinstance(x, Parameter) else x)


def set_value(x: Any, value: Any) -> None:
    """Give a weight new values.

    Raises
    ------
    ArgumentError : `x` is a number, such as an optimizer's learning rate, and no weight
    """
    if not hasattr(x, "assign"):
        raise ArgumentError(
            f"set_value needs a weight; got {quoted(x, 60)}. A learning rate is changed by "
            "model.optimizer.learning_rate = value"
        )
    x.assign(value)


def batch_get_value(tensors: list[Any]) -> list[Any]:
    """Return get_value of each."""
    return [get_value(one) for one in tensors]


def batch_set_value(tuples: list[tuple[Any, Any]]) -> None:
    """Give weights new values, from pairs (weight, values)."""
    for one, value in tuples:
        set_value(one, value)


eval = get_value


def int_shape(x: Any) -> tuple[int | None, ...]:
    """Return the shape of an array, weight or symbolic tensor, None for a size that is open.

    >>> int_shape(np.zeros((2, 3)))
    (2, 3)
    """
    return tuple(x.shape)


def ndim(x: Any) -> int:
    """Return the number of axes."""
    return len(x.shape)


def dtype(x: Any) -> str:
    """Return the name of the dtype."""
    return np.dtype(x.dtype).name


def count_params(x: Any) -> int:
    """Return the number of values of a weight or array.

    >>> count_params(np.zeros((2, 3)))
    6
    """
    return math.prod(x.shape)


def is_keras_tensor(x: Any) -> bool:
    """Return whether `x` is what `Input(...)` and layers return while a network is described."""
    return isinstance(x, SymbolicTensor)


def get_uid(prefix: str = "") -> int:
    """Return the next number for a prefix: 1, 2, ..."""
    _counts[prefix] += 1
    return _counts[prefix]


# --- arrays -------------------------------------------------------------------------------------


def cast_to_floatx(x: Any) -> np.ndarray:
    """Return an array as float32."""
    return np.asarray(x, floatx())


def constant(value: Any, dtype: str | None = None, shape: Any = None, name: Any = None) -> Any:
    """Return an array of these values, filled up to `shape`; float32 by default."""
    array = np.asarray(value, dtype or floatx())
    return as_result(array if shape is None else np.broadcast_to(array, shape).copy())


variable = constant


def zeros(shape: Any, dtype: str | None = None, name: Any = None) -> Any:
    """Return an array of zeros; float32 by default."""
    return as_result(np.zeros(shape, dtype or floatx()))


def ones(shape: Any, dtype: str | None = None, name: Any = None) -> Any:
    """Return an array of ones; float32 by default."""
    return as_result(np.ones(shape, dtype or floatx()))


# --- functions whose defaults differ from those of minicnn.ops ----------------------------------


def _of_ops(name: str) -> Any:
    return __getattr__(name)


def argmax(x: Any, axis: int = -1) -> Any:
    """Return the index of the largest value along an axis."""
    return _of_ops("argmax")(x, axis=axis)


def argmin(x: Any, axis: int = -1) -> Any:
    """Return the index of the smallest value along an axis."""
    return _of_ops("argmin")(x, axis=axis)


def concatenate(tensors: Any, axis: int = -1) -> Any:
    """Join tensors along an axis."""
    return _of_ops("concatenate")(tensors, axis=axis)


def expand_dims(x: Any, axis: int = -1) -> Any:
    """Insert an axis of length 1."""
    return _of_ops("expand_dims")(x, axis=axis)


def flatten(x: Any) -> Any:
    """Return all values in one axis."""
    return _of_ops("reshape")(x, (-1,))


def batch_flatten(x: Any) -> Any:
    """Return (N, values of a sample)."""
    return _of_ops("reshape")(x, (-1, math.prod(x.shape[1:])))


def gather(reference: Any, indices: Any) -> Any:
    """Return the rows with these indices."""
    return _of_ops("take")(reference, indices, axis=0)


def repeat(x: Any, n: int) -> Any:
    """Return (N, n, values) with `n` copies of the values (N, values)."""
    return _of_ops("repeat")(_of_ops("expand_dims")(x, axis=1), n, axis=1)


def reverse(x: Any, axes: Any) -> Any:
    """Return the tensor with some axes in reverse order."""
    return _of_ops("flip")(x, axis=axes)


def l2_normalize(x: Any, axis: int | None = None) -> Any:
    """Return x / sqrt(max(sum(x**2), 1e-12)), the sum being over an axis or over everything."""
    square = _of_ops("sum")(_of_ops("square")(x), axis=axis, keepdims=True)
    return x / _of_ops("sqrt")(_of_ops("maximum")(square, 1e-12))
