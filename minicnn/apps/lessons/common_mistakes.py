"""Mistakes that can be made in every lesson, recognized by the numbers alone."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator

import numpy as np

from minicnn.apps.lessons.differences import Difference, is_close
from minicnn.apps.lessons.lesson import Case

MOST_AXES = 4  # of a result whose axes are tried in every order
FACTORS = {
    255.0: "255 is the largest value of a pixel",
    256.0: "256 is the number of values that a pixel can have",
    2.0: "",
    math.log(10): "2.303 is ln 10: was log10 used instead of log, or the other way round",
    math.log(2): "0.693 is ln 2: was log2 used instead of log, or the other way round",
}


def common_mistake(found: Difference, case: Case, tolerance: float) -> str:
    """Return in words what is wrong with a result; "" if nothing fits."""
    looks = SAME_SHAPE if found.has_shape else OTHER_SHAPE
    for look in looks:
        words = look(found, case, tolerance)
        if words:
            return words
    return ""


# --- the shape is wrong -----------------------------------------------------------------------


def _axes_in_another_order(found: Difference, _case: Case, tolerance: float) -> str:
    got, expected = found.got, found.expected
    if got.ndim != expected.ndim or not 2 <= got.ndim <= MOST_AXES:
        return ""
    for order in itertools.permutations(range(got.ndim)):
        if order != tuple(range(got.ndim)) and is_close(got.transpose(order), expected, tolerance):
            how = ".T" if got.ndim == 2 else f".transpose{order}"
            return f"The axes are in another order: your result{how} would be right."
    return ""


def _right_numbers(found: Difference, _case: Case, tolerance: float) -> str:
    got, expected = found.got, found.expected
    if got.size != expected.size or not is_close(got.reshape(expected.shape), expected, tolerance):
        return ""
    how = _one_axis(got.shape, expected.shape) or f"your result.reshape{expected.shape}"
    return f"The numbers are right, the axes are not: {how} would be right."


def _one_axis(got: tuple[int, ...], expected: tuple[int, ...]) -> str:
    """Return how to add or to take away an axis of length 1; "" if that is not it.

    Of several axes it is the last one: a batch of one image has its first axis rightly.
    """
    for axis in reversed(range(len(expected))):
        if expected[axis] == 1 and got == expected[:axis] + expected[axis + 1 :]:
            return f"np.expand_dims(your result, {axis})"
    for axis in reversed(range(len(got))):
        if got[axis] == 1 and expected == got[:axis] + got[axis + 1 :]:
            return f"np.squeeze(your result, {axis})"
    return ""


def _not_summed(found: Difference, _case: Case, tolerance: float) -> str:
    for axis in range(found.got.ndim):
        for name, reduce in (("sum", np.sum), ("mean", np.mean)):
            if is_close(reduce(found.got, axis=axis), found.expected, tolerance):
                return f"A {name} is missing: your result.{name}({axis}) would be right."
    return ""


# --- the numbers are wrong --------------------------------------------------------------------


def _not_finite(found: Difference, _case: Case, _tolerance: float) -> str:
    if not np.isfinite(found.expected).all() or np.isfinite(found.got).all():
        return ""
    kind = "NaN (not a number)" if np.isnan(found.got).any() else "infinite"
    return (
        f"A number is {kind}: something was divided by 0, a logarithm was taken of 0, or a power "
        "became too large."
    )


def _fractions_cut_off(found: Difference, _case: Case, tolerance: float) -> str:
    cut = (np.trunc(found.expected), np.floor(found.expected), np.rint(found.expected))
    if not any(is_close(found.got, one, tolerance) for one in cut):
        return ""
    return (
        "The fractions are cut off. An array made by np.zeros_like of whole numbers holds whole "
        "numbers, and // divides without fractions."
    )


def _all_zero(found: Difference, _case: Case, _tolerance: float) -> str:
    return "" if found.got.any() else "All numbers are 0: nothing was put into the result."


def _end_not_computed(found: Difference, _case: Case, tolerance: float) -> str:
    """Look for numbers that stayed 0 in the last row, or column, or both."""
    axes = [axis for axis, length in enumerate(found.expected.shape) if length > 1]
    for some in [*itertools.combinations(axes, 1), *itertools.combinations(axes, 2)]:
        without_end = found.expected.copy()
        for axis in some:
            np.moveaxis(without_end, axis, 0)[-1] = 0
        if is_close(found.got, without_end, tolerance):
            where = " and of ".join(f"axis {axis}" for axis in some)
            return (
                f"All numbers at the end of {where} are 0: does a loop end too early, or is "
                "`return` inside of it?"
            )
    return ""


def _sign(found: Difference, _case: Case, tolerance: float) -> str:
    right = is_close(-found.got.astype(np.float64), found.expected, tolerance)
    return "The sign is wrong: minus your result would be right." if right else ""


def _an_argument(found: Difference, case: Case, tolerance: float) -> str:
    for name, value in case.arguments.items():
        if isinstance(value, np.ndarray) and is_close(found.got, value, tolerance):
            return f"The result is the argument {name}, unchanged."
    return ""


def _reversed(found: Difference, _case: Case, tolerance: float) -> str:
    for axis in range(found.got.ndim):
        if is_close(np.flip(found.got, axis), found.expected, tolerance):
            return f"The numbers are in reversed order along axis {axis}."
    return ""


def _factor(found: Difference, case: Case, tolerance: float) -> str:
    got, expected = found.got.astype(np.float64), found.expected.astype(np.float64)
    factor = float((got * expected).sum() / max((expected * expected).sum(), 1e-300))
    if not factor or not is_close(got, factor * expected, tolerance):
        return ""
    size = abs(factor)
    meaning = _meaning_of(size, case)
    if meaning is None and np.unique(expected[expected != 0]).size < 2:
        return ""  # any single number is some multiple of another one
    who = "The number" if got.size == 1 else "Every number"
    how = f"{size:.4g} times as large as" if size > 1 else f"1/{1 / size:.4g} of what"
    sign = ", and the sign is wrong" if factor < 0 else ""
    return f"{who} is {how} it should be{sign}.{f' {meaning}.' if meaning else ''}"


def _offset(found: Difference, _case: Case, tolerance: float) -> str:
    apart = found.got.astype(np.float64) - found.expected
    if np.unique(found.expected).size < 2 or not is_close(
        found.got, found.expected + apart.mean(), tolerance
    ):
        return ""
    how = "large" if apart.mean() > 0 else "small"
    return f"Every number is too {how} by the same amount, {abs(apart.mean()):.4g}."


def _meaning_of(factor: float, case: Case) -> str | None:
    """Return where a factor, or 1 / factor, comes from; None if that is not known."""
    for number, meaning in [*_numbers_of(case), *FACTORS.items()]:
        if any(math.isclose(factor, one, rel_tol=1e-4) for one in (number, 1 / number)):
            return meaning
    return None


def _numbers_of(case: Case) -> Iterator[tuple[float, str]]:
    """Yield the numbers that a case contains, and what each of them is."""
    for name, value in case.arguments.items():
        if isinstance(value, np.ndarray) and value.ndim:
            for axis, length in enumerate(value.shape):
                if length > 1:
                    yield float(length), f"{length} is the length of axis {axis} of {name}"
        elif isinstance(value, int | float | np.number) and value not in (0, 1):
            yield abs(float(value)), f"{value} is the argument {name}"


Look = Callable[[Difference, Case, float], str]
OTHER_SHAPE: tuple[Look, ...] = (_axes_in_another_order, _right_numbers, _not_summed)
SAME_SHAPE: tuple[Look, ...] = (
    _not_finite,
    _all_zero,
    _an_argument,
    _fractions_cut_off,
    _end_not_computed,
    _sign,
    _axes_in_another_order,
    _reversed,
    _factor,
    _offset,
)
