"""Places in tensors: what square brackets choose, and values by their numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.checks import check_int, quoted
from minicnn.errors import ArgumentError
from minicnn.layers.functions import tensor_function
from minicnn.layers.operators import FUNCTIONS
from minicnn.layers.tracing import apply_operation
from minicnn.operations.arrange import ONE_HOT, TAKE
from minicnn.ops.operands import (
    axis_of,
    broadcast,
    cast_to,
    dtype_of,
    floats,
    is_float,
    is_traced,
    reshaped,
    tensor,
)
from minicnn.ops.parts import sliced
from minicnn.ops.shapes import ravel
from minicnn.shapes import is_int


def get_item(x: Any, key: Any) -> Any:
    """Return x[key], for integers, slices, `...`, None, and one array of integers.

    >>> import minicnn as mc
    >>> mc.ops.get_item([[1, 2], [3, 4]], (0, slice(None, None, -1))).tolist()
    [2, 1]
    """
    keys = key if isinstance(key, tuple) else (key,)
    return item(x, [_encoded(one) for one in keys])


def _encoded(key: Any) -> Any:
    """Return one part of a key as a saved network has it."""
    if isinstance(key, slice):
        return {"slice": [_number(end) for end in (key.start, key.stop, key.step)]}
    if isinstance(key, (np.ndarray, np.generic)):
        return key.tolist()
    return "..." if key is Ellipsis else key


def _number(value: Any) -> int | None:
    if value is not None and not is_int(value):
        raise ArgumentError(f"the ends of a slice must be integers; got {quoted(value)}")
    return None if value is None else int(value)


def _item(x: Any, keys: Any) -> Any:
    x = tensor(x)
    keys = _for_every_axis(list(keys), len(x.shape))
    lists = [i for i, key in enumerate(keys) if _is_list(key)]
    if lists:
        return _taken_item(x, keys, lists)
    slices = [_as_slice(key, n) for key, n in zip(_without_new(keys), x.shape, strict=True)]
    part = sliced(x, slices)
    lengths = iter(part.shape)
    shape = []
    for key in keys:
        length = 1 if key is None else next(lengths)
        if not is_int(key):
            shape.append(length)
    return reshaped(part, tuple(shape))


item = tensor_function(_item, "item")  # what a saved network names
FUNCTIONS["get_item"] = get_item


def _is_list(key: Any) -> bool:
    """Return whether the key is an array, or a list, of integers."""
    return not (key is None or is_int(key) or isinstance(key, (dict, str)))


def _without_new(keys: list[Any]) -> list[Any]:
    return [key for key in keys if key is not None]


def _for_every_axis(keys: list[Any], rank: int) -> list[Any]:
    """Return the keys with a full slice for every axis that they do not mention."""
    marks = [i for i, key in enumerate(keys) if isinstance(key, str)]
    mark = marks[0] if marks else len(keys)
    before, after = keys[:mark], keys[mark + 1 :]
    missing = rank - len(_without_new([*before, *after]))
    if missing < 0 or len(marks) > 1:
        raise ArgumentError(f"a tensor of {rank} axes has no part {quoted(keys)}")
    return [*before, *[{"slice": [None, None, None]}] * missing, *after]


def _as_slice(key: Any, length: int) -> tuple[int, int, int]:
    """Return (start, step, length of the result) of a slice or a single place."""
    if isinstance(key, dict):
        places = range(length)[slice(*key["slice"])]
        return places.start, places.step, len(places)
    if not -length <= key < length:
        raise ArgumentError(f"place {key} is outside of an axis of {length} values")
    return int(key) % length, 1, 1


def _taken_item(x: Any, keys: list[Any], lists: list[int]) -> Any:
    if len(lists) > 1 or None in keys or dtype_of(tensor(keys[lists[0]])) == "bool":
        raise ArgumentError(
            "a tensor takes integers, slices and one array of integers as its key; choose values "
            "by a condition with minicnn.ops.where"
        )
    at = lists[0]
    rest = [{"slice": [None, None, None]} if i == at else key for i, key in enumerate(keys)]
    kept = sum(not is_int(key) for key in rest[:at])
    return take(item(x, rest), keys[at], kept)


@tensor_function
def take(x: Any, indices: Any, axis: Any = None) -> Any:
    """Return the parts of x with these numbers along an axis; of all values if it is None.

    >>> import minicnn as mc
    >>> mc.ops.take([10.0, 20.0, 30.0], [2, -1, 0]).tolist()
    [30.0, 30.0, 10.0]
    """
    x, numbers = tensor(x), tensor(indices)
    if is_float(numbers) or dtype_of(numbers) == "bool":
        raise ArgumentError(f"indices must be integers; got {dtype_of(numbers)}")
    x, axis = (x, axis_of(axis, len(x.shape))) if axis is not None else (ravel(x), 0)
    length = x.shape[axis]
    if not is_traced(numbers):
        wrong = (numbers < -length) | (numbers >= length)
        if np.any(wrong):
            raise ArgumentError(f"index {numbers[wrong].flat[0]} is outside of {length} values")
        numbers = np.where(numbers < 0, numbers + length, numbers).astype(np.int32)
    return apply_operation(TAKE, x, cast_to(numbers, "int32"), axis=axis)


@tensor_function
def take_along_axis(x: Any, indices: Any, axis: Any = None) -> Any:
    """Return, for each place of `indices`, the value of x with that number along an axis."""
    x, numbers = tensor(x), tensor(indices)
    if axis is None:
        x, numbers, axis = ravel(x), ravel(numbers), 0
    axis = axis_of(axis, len(x.shape))
    hot = one_hot(numbers, x.shape[axis])
    moved = FUNCTIONS["expand_dims"](FUNCTIONS["moveaxis"](floats(x), axis, -1), axis)
    hot, moved = broadcast(hot, moved)
    y = FUNCTIONS["sum"](FUNCTIONS["where"](FUNCTIONS["equal"](hot, 1.0), moved, 0.0), axis=-1)
    return y if is_float(x) else cast_to(y, dtype_of(x))


@tensor_function
def one_hot(
    x: Any, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False
) -> Any:
    """Return 1 at the class of each integer and 0 at the others, along a new axis.

    >>> import minicnn as mc
    >>> mc.ops.one_hot([2, 0], 3).tolist()
    [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    """
    if sparse:
        raise ArgumentError("sparse must be False: minicnn has no sparse arrays")
    x = tensor(x)
    y = apply_operation(ONE_HOT, x, classes=check_int(num_classes, "num_classes"))
    at = axis_of(axis, len(y.shape))
    y = FUNCTIONS["moveaxis"](y, -1, at)
    return y if dtype is None else cast_to(y, np.dtype(dtype).name)


def top_k(x: Any, k: int, sorted: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Return the k largest values along the last axis, and their places; of arrays only.

    >>> import minicnn as mc
    >>> values, places = mc.ops.top_k([1.0, 5.0, 3.0], 2)
    >>> values.tolist(), places.tolist()
    ([5.0, 3.0], [1, 2])
    """
    array = _known(x, "top_k")
    k = check_int(k, "k", 0)
    places = np.argsort(-array, axis=-1, kind="stable")[..., :k].astype(np.int32)
    return np.take_along_axis(array, places, -1), places


def argsort(x: Any, axis: int = -1) -> np.ndarray:
    """Return the places of the values in ascending order along an axis; of arrays only."""
    return np.argsort(_known(x, "argsort"), axis, kind="stable").astype(np.int32)


def sort(x: Any, axis: int = -1) -> np.ndarray:
    """Return the values in ascending order along an axis; of arrays only."""
    return np.sort(_known(x, "sort"), axis)


def in_top_k(targets: Any, predictions: Any, k: int) -> np.ndarray:
    """Return for each row whether the target is among its k largest values; of arrays only."""
    scores, classes = _known(predictions, "in_top_k"), _known(targets, "in_top_k")
    own = np.take_along_axis(scores, classes.astype(int)[..., None], -1)
    return np.asarray((scores > own).sum(-1) < k)


def _known(x: Any, name: str) -> np.ndarray:
    """Return an array; a tensor of a network is refused."""
    x = tensor(x)
    if is_traced(x):
        raise ArgumentError(f"{name} needs arrays; it cannot be part of a network")
    return np.asarray(x)
