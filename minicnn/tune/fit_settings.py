"""What must be equal in all processes of a search, so that each trial has one score."""

from __future__ import annotations

import hashlib
import inspect
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from minicnn import backends
from minicnn.models import Model
from minicnn.version import __version__

NOT_COMPARED = ("self", "verbose", "callbacks")  # callbacks have a state, verbose has no effect
BLOCK = 4096  # samples that are copied at a time if an array is not contiguous


def fit_settings(arguments: Sequence[Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the version, engine and arguments of `fit` by name; arrays as digests.

    Of generators and other objects only the class is known. Callbacks are left out.

    >>> y = np.arange(3, dtype=np.uint8)
    >>> found = fit_settings([np.zeros((3, 2), np.float32), y], {"epochs": 5})
    >>> found["epochs"], found["y"]
    (5, 'uint8 (3,) ebe87b0c26b68ed3')
    """
    fit = inspect.signature(Model.fit).bind(None, *arguments, **options)
    fit.apply_defaults()
    given = {name: value for name, value in fit.arguments.items() if name not in NOT_COMPARED}
    return {
        "version": __version__,
        # Others round sums differently. These are the variables that choose them.
        "MINICNN_BACKEND": backends.current_backend(),
        "MINICNN_ISA": backends.instruction_set(),
        **{name: summary(value) for name, value in given.items()},
    }


def summary(value: Any) -> Any:
    """A scalar unchanged; for anything else a text that differs if the content does."""
    if is_scalar(value):
        return value
    if hasattr(value, "__array__"):
        value = np.asarray(value)
        head = f"{value.dtype} {value.shape}"
    else:
        head = type(value).__name__
    digest = hashlib.blake2b(digest_size=8)
    for part in parts(value):
        digest.update(part)
    return f"{head} {digest.hexdigest()}"


def parts(value: Any) -> Iterator[bytes]:
    """The content of arrays, scalars, and lists, tuples and dicts of them, as bytes."""
    if hasattr(value, "__array__"):
        yield from parts_of_array(np.asarray(value))
    elif isinstance(value, Mapping):
        yield from parts(list(value.items()))
    elif isinstance(value, (list, tuple)):
        yield f"{len(value)} ".encode()
        for one in value:
            yield from parts(one)
    else:
        yield (repr(value) if is_scalar(value) else type(value).__name__).encode() + b"\0"


def parts_of_array(array: np.ndarray) -> Iterator[bytes]:
    """The dtype, the shape and the elements of an array."""
    yield f"{array.dtype} {array.shape} ".encode()
    if array.dtype.hasobject:
        yield from parts(array.tolist())
        return
    rows = np.atleast_1d(array)
    for start in range(0, len(rows), BLOCK):
        yield np.ascontiguousarray(rows[start : start + BLOCK]).tobytes()


def is_scalar(value: Any) -> bool:
    """Return whether a value can be compared and shown as it is."""
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, (bool, int, str))
