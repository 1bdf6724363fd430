"""Checks of labels, and their conversion into what a loss computes with."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.checks import shape_text
from minicnn.contracts import Shape
from minicnn.errors import ArgumentError, DTypeError, ShapeError

# How far the sum of a one-hot row may be from 1, as soft labels are often rounded.
ROW_TOLERANCE = 1e-3


def real_labels(y_true: Any, output_shape: Shape) -> np.ndarray:
    """Return the labels as an array of real numbers, after a check of their count."""
    y = np.asarray(y_true)
    if y.dtype.kind not in "iubf":
        raise DTypeError(f"y must be real numbers; got {y.dtype}")
    if y.ndim == 0 or len(y) != output_shape[0]:
        got = "a single number" if y.ndim == 0 else f"{len(y)} labels"
        raise ArgumentError(f"y needs one label for each of {output_shape[0]} samples; got {got}")
    return y


def finite_labels(y_true: Any, output_shape: Shape) -> np.ndarray:
    """Return the labels as an array of finite numbers, after a check of their count."""
    y = real_labels(y_true, output_shape)
    if y.dtype.kind == "f" and not np.isfinite(y).all():
        raise ArgumentError(_not_finite(y))
    return y


def labels_like_output(y_true: Any, output_shape: Shape) -> np.ndarray:
    """Return float32 labels of the predictions' shape; (N,) also means (N, 1)."""
    y = fitted(finite_labels(y_true, output_shape), output_shape)
    if y.shape != tuple(output_shape):
        raise ShapeError(
            f"y is {rows(y.shape)}, but the model's output is {rows(output_shape)}; labels and "
            "output must have the same shape"
        )
    return y.astype(np.float32, copy=False)


def fitted(y: np.ndarray, output_shape: Shape) -> np.ndarray:
    """Return the labels with as many axes as the output, if a last axis 1 is all that differs."""
    shape = tuple(output_shape)
    if (*y.shape, 1) == shape:
        return y[..., None]
    return y[..., 0] if y.shape == (*shape, 1) else y


def class_labels(y_true: Any, output_shape: Shape, name: str, ignored: int | None) -> np.ndarray:
    """Return int32 class indices of the output's shape without its last axis.

    A last axis of length 1 is dropped. Whole numbers that are floats are welcome.
    """
    if len(output_shape) < 2:
        check_one_row(name, output_shape)
    y, classes = finite_labels(y_true, output_shape), output_shape[-1]
    y = fitted(y, output_shape[:-1])
    if y.shape != tuple(output_shape[:-1]):
        check_one_row(name, output_shape)
        raise ArgumentError(
            f"loss {name!r} wants class indices {rows(output_shape[:-1])} and got "
            f"{rows(y.shape)}. Use 'categorical_crossentropy' for one-hot rows, or "
            "y.argmax(-1)"
        )
    if y.dtype.kind == "f" and (y % 1 != 0).any():
        i = first(y % 1 != 0)
        raise ArgumentError(
            f"class indices must be whole numbers; y[{i}] is {y.reshape(-1)[i]:g} ({y.dtype})"
        )
    if y.size and (y.min() < 0 or y.max() >= classes):
        wrong = (y < 0) | (y >= classes)
        if ignored is not None:
            wrong &= y != ignored
        if wrong.any():
            raise ArgumentError(_beyond_classes(y, wrong, classes))
    return y.astype(np.int32, copy=False)


def one_hot_labels(y_true: Any, output_shape: Shape, name: str) -> np.ndarray:
    """Return float32 labels of the predictions' shape, whose rows add up to 1."""
    y, classes = finite_labels(y_true, output_shape), output_shape[-1]
    if len(output_shape) > 2 and y.ndim < len(output_shape):
        check_one_row(name, output_shape)
    if y.ndim < len(output_shape) or (y.shape[-1] == 1 and classes > 1):
        kind = "integers" if y.dtype.kind in "iub" else "numbers"
        raise ArgumentError(
            f"loss {name!r} wants one-hot labels {rows(output_shape)} and got {kind} "
            f"{rows(y.shape)}. Use 'sparse_categorical_crossentropy' or "
            f"to_categorical(y, {classes})"
        )
    y = labels_like_output(y, output_shape)
    check_within_0_1(y, "a one-hot row")
    sums = y.sum(-1)
    if (np.abs(sums - 1) > ROW_TOLERANCE).any():
        i = first(np.abs(sums - 1) > ROW_TOLERANCE)
        raise ArgumentError(
            f"y[{i}] adds up to {sums.reshape(-1)[i]:g}, but a one-hot row adds up to 1"
        )
    return y


def check_one_row(name: str, output_shape: Shape) -> None:
    """Raise ShapeError unless the predictions are one row of classes per sample."""
    if len(output_shape) != 2:
        raise ShapeError(
            f"loss {name!r} needs an output (None, classes) and the model's is "
            f"{rows(output_shape)}. Add Flatten() or GlobalAveragePooling2D() before the last "
            "layer"
        )


def check_within_0_1(y: np.ndarray, what: str) -> None:
    """Raise ArgumentError for the first label below 0 or above 1."""
    if y.size and not (y.min() >= 0 and y.max() <= 1):
        wrong = (y < 0) | (y > 1)
        i, value = first(wrong.reshape(len(y), -1).any(1)), y[wrong][0]
        raise ArgumentError(f"y[{i}] has {value:g}, but the values of {what} must be within 0...1")


def same_rank(a: Any, b: Any) -> tuple[Any, Any]:
    """Return both arrays with as many axes, if a last axis of length 1 is all that differs.

    (N,) and (N, 1) become (N, 1) twice; (N, 8) and (N, 8, 1) become (N, 8) twice. Anything else
    stays as it is.

    >>> [x.shape for x in same_rank(np.zeros(5), np.zeros((5, 1)))]
    [(5, 1), (5, 1)]
    """
    if a.ndim == b.ndim + 1:
        b, a = same_rank(b, a)
    elif b.ndim == a.ndim + 1 and b.shape[-1] == 1:
        a, b = (a[:, None], b) if a.ndim == 1 else (a, b[..., 0])
    return a, b


def _not_finite(y: np.ndarray) -> str:
    """Return the error's text for labels that are NaN or infinite."""
    i = first(~np.isfinite(y).reshape(len(y), -1).all(1))
    row = y[i].reshape(-1)
    what = "NaN" if np.isnan(row).any() else "infinite"
    text = f"y[{i}] is {what}" if row.size == 1 else f"y[{i}] has a value that is {what}"
    return f"{text}, so the loss would be too; remove such samples or correct their labels"


def _beyond_classes(y: np.ndarray, wrong: np.ndarray, classes: int) -> str:
    i = first(wrong)
    flat = y.reshape(-1)
    text = f"y[{i}] = {flat[i]:g}, but the model has {classes} classes, 0...{classes - 1}"
    if y[wrong].min() < 0:
        return f"{text}: class indices start at 0"
    return f"{text}; labels are {y.min():g}...{y.max():g}: Dense({y.max() + 1:g}) fits them"


def first(wrong: Any) -> int:
    """Return the index of the first element that is wrong."""
    return int(np.flatnonzero(wrong)[0])


def rows(shape: Shape) -> str:
    """Return a shape as the summary writes it: (None, 10)."""
    return shape_text((None, *shape[1:]))
