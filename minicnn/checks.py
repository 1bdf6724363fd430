"""Checks of arguments that operations and layers share, with the words of their errors."""

from __future__ import annotations

import difflib
import inspect
import math
import sys
import warnings
from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np

from minicnn.errors import ArgumentError, DTypeError, ShapeError, UnknownArgumentError
from minicnn.shapes import MAX_INT32, is_int
from minicnn.support.text import quoted

FLOATS = ("float32", "float64")

# Images have at most these axes besides the batch: (H, W, C).
IMAGE_AXES = 3

MAX_NAME = 256  # characters


def check_array(x: Any, name: str, dtypes: Sequence[str] = FLOATS) -> None:
    """Check that `x` has one of these dtypes, and that no axis but the batch has length 0."""
    if not hasattr(x, "shape") or not hasattr(x, "dtype"):
        raise DTypeError(f"{name} must be an array of {dtypes[0]}; got {type(x).__name__}")
    dtype = np.dtype(x.dtype)
    if dtype.name not in dtypes:
        remedy = f": pass {name}.astype('{dtypes[0]}')" if dtype.kind in "uifb" else ""
        raise DTypeError(f"{name} must be an array of {dtypes[0]}; got {dtype.name}{remedy}")
    if len(x.shape) == 0:
        raise ShapeError(f"{name} must be a batch, (N, ...); got a single number")
    if 0 in x.shape[1:]:
        axis = list(x.shape).index(0, 1)
        raise ShapeError(
            f"{name} has shape {shape_text(x.shape)}: axis {axis} is 0; only the batch may be empty"
        )


def check_floats(x: Any, name: str, axes: Sequence[str]) -> None:
    """Check that `x` is an array of floats with these axes, for example "NHWC".

    Every axis but N must have a length of at least 1.
    """
    check_array(x, name)
    check_axes(x.shape, name, axes)


def check_axes(shape: Sequence[int | None], name: str, axes: Sequence[str]) -> None:
    """Check that `shape` has one length per name in `axes`, and that only N is 0."""
    if len(shape) != len(axes):
        raise ShapeError(
            f"{name} must have {len(axes)} axes ({', '.join(axes)}); "
            f"got shape {shape_text(shape)}{_missing_axis(shape, axes)}"
        )
    for letter, length in zip(axes, shape, strict=True):
        if length == 0 and letter != "N":
            raise ShapeError(
                f"{name} has shape {shape_text(shape)}: {letter} is 0; only the batch may be empty"
            )


def check_flat(shape: Sequence[int | None], name: str) -> None:
    """Check that `shape` is (N, features), as Dense and the losses need it."""
    if len(shape) == 4:
        raise ShapeError(
            f"got a 4-D input {shape_text(shape)}. Add Flatten() before it, or "
            "GlobalAveragePooling2D()."
        )
    check_axes(shape, name, ("N", "features"))


def check_last_axis(x: Any, name: str) -> None:
    """Check that `x` is an array of floats with a batch axis and at least one more axis."""
    check_array(x, name)
    if len(x.shape) < 2:
        raise ShapeError(f"{name} must have axes (N, ..., C); got shape {shape_text(x.shape)}")


def check_per_channel(x: Any, arrays: dict[str, Any]) -> None:
    """Check that each named array has one value per channel, the last axis of `x`."""
    for name, array in arrays.items():
        check_floats(array, name, ("C",))
        if array.shape[0] != x.shape[-1]:
            raise ShapeError(
                f"{name} must have one value per channel, {x.shape[-1]}; got {array.shape[0]}"
            )


def check_same_shape(a: Any, b: Any, names: str) -> None:
    """Check that `a` and `b` have equal shapes."""
    if tuple(a.shape) != tuple(b.shape):
        raise ShapeError(
            f"{names} must have the same shape; got {shape_text(a.shape)} and {shape_text(b.shape)}"
        )


def check_one_shape(value: Any, name: str) -> tuple[int, ...]:
    """Return the shape of one sample, (H, W, C) or shorter, after a check of its lengths."""
    if is_int(value):
        value = (value,)
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) == 0:
        raise ArgumentError(
            f"{name} must be the shape of one sample, like (28, 28, 1); got {quoted(value)}"
        )
    if len(value) > IMAGE_AXES:
        raise ShapeError(
            f"{name}={shape_text(value)} has {len(value)} axes; give the shape of one image "
            f"without the batch: {shape_text(value[-IMAGE_AXES:])}"
        )
    return tuple(check_int(length, f"each length in {name}") for length in value)


def check_int(value: Any, name: str, least: int = 1) -> int:
    """Return an integer of at least `least`; booleans and floats are refused."""
    if not is_int(value) or not least <= value <= MAX_INT32:
        raise ArgumentError(f"{name} must be an integer >= {least}; got {quoted(value)}")
    return int(value)


def check_number(
    value: Any, name: str, least: float = -math.inf, below: float = math.inf, *, open: bool = False
) -> float:
    """Return a finite number in [least, below), or in (least, below) if `open`."""
    fine = isinstance(value, Real) and not isinstance(value, bool)
    if not fine or not _is_finite(value) or not least <= value < below or (open and value == least):
        bracket = "(" if open or least == -math.inf else "["
        raise ArgumentError(
            f"{name} must be a number in {bracket}{least}, {below}); got {quoted(value)}"
        )
    return float(value)


def check_list(value: Any, name: str) -> list[Any]:
    """Return the items of a list, a tuple, an array or another iterable, but not of a string."""
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable) or _is_0d(value):
        raise ArgumentError(f"{name} must be a list; got {quoted(value)}")
    return list(value)


def _is_0d(value: Any) -> bool:
    return getattr(value, "ndim", 1) == 0


def _is_finite(value: Any) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer that no float can hold
        return False


def check_name(value: Any) -> str:
    """Return the name of a layer, model or metric after a check of its type and length."""
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_NAME:
        raise ArgumentError(
            f"name must be a string of 1 to {MAX_NAME} characters; got {quoted(value)}"
        )
    return value


def check_flag(value: Any, name: str) -> bool:
    """Return True or False, from Python or NumPy; anything else is refused."""
    if not isinstance(value, (bool, np.bool_)):
        raise ArgumentError(f"{name} must be True or False; got {quoted(value)}")
    return bool(value)


def check_choice(value: Any, name: str, choices: Sequence[str]) -> str:
    """Return `value` if it is one of the choices."""
    if not isinstance(value, str) or value not in choices:
        raise ArgumentError(f"{name} must be one of {list(choices)}; got {quoted(value)}")
    return value


def check_labels(y_true: np.ndarray, classes: int) -> None:
    """Check that every label is the number of a class, 0 to classes - 1."""
    wrong = np.flatnonzero((y_true < 0) | (y_true >= classes))
    if wrong.size:
        first = int(wrong[0])
        raise ArgumentError(
            f"y[{first}] = {int(y_true[first])}, but the model has {classes} classes"
        )


def refuse_unknown(kind: type, unknown: Mapping[str, Any]) -> None:
    """Refuse keyword arguments that no constructor of `kind` has; the error lists those it has."""
    if unknown:
        raise UnknownArgumentError(
            f"{kind.__name__} has no argument {next(iter(unknown))!r}; it has "
            f"{', '.join(sorted(known_arguments(kind)))}"
        )


def known_arguments(kind: type) -> set[str]:
    """Return the names of the arguments that the constructors of a class and its bases have."""
    constructors = [vars(base)["__init__"] for base in kind.__mro__ if "__init__" in vars(base)]
    return {
        name
        for constructor in constructors[:-1]  # the last is object's
        for name, parameter in inspect.signature(constructor).parameters.items()
        if name != "self" and parameter.kind not in _COLLECTING
    }


_COLLECTING = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def nearest(word: str, choices: Iterable[str]) -> str:
    """Return ": did you mean MaxPooling2D?", or all choices if none is similar to the word."""
    choices = list(choices)
    close = similar(word, choices)
    return f": did you mean {close}?" if close else f"; there are {', '.join(sorted(choices))}"


def similar(word: str, choices: Iterable[str]) -> str | None:
    """Return the choice that is most similar to a word, or None if none is similar."""
    known = {choice.lower(): choice for choice in choices}
    close = difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.5)
    return known[close[0]] if close else None


def warn_caller(text: str) -> None:
    """Warn, with the line of the caller outside of minicnn as the place."""
    frame, depth = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("minicnn."):
        frame, depth = frame.f_back, depth + 1
    warnings.warn(text, stacklevel=depth)


def shape_text(shape: Sequence[int | None]) -> str:
    """Return the text "(None, 28, 28, 1)", for integers of Python or NumPy."""
    lengths = ", ".join(str(n) for n in shape)
    return f"({lengths},)" if len(shape) == 1 else f"({lengths})"


def _missing_axis(shape: Sequence[int | None], axes: Sequence[str]) -> str:
    """Return what to type if images were needed and the shape is similar to that of images."""
    if "".join(axes) != "NHWC":
        return ""
    if len(shape) == 2 and shape[0] is None:
        return ". Put this layer before Flatten()"
    if len(shape) == 3 and shape[2] in (1, 3, 4):
        return "; for one image pass x[None]"
    return "; gray images need a channel axis: x[..., None]" if len(shape) == 3 else ""
