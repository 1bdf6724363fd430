"""Checks what a student's function returned, before its numbers are compared."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.apps.lessons.lesson import Case, Lesson
from minicnn.errors import ArgumentError

NUMBERS = "biuf"  # the kinds of dtypes that are compared


def checked_results(
    returned: Any, lesson: Lesson, case: Case, arguments: dict[str, Any]
) -> tuple[np.ndarray, ...]:
    """Return the results as arrays.

    Raises
    ------
    ArgumentError : they are no numbers, or of another count; the arguments were overwritten
    """
    _check_arguments(case, arguments)
    if returned is None:
        raise ArgumentError(
            f"The function returned nothing (None). Does it end with `return {_names(lesson)}`?"
        )
    several = tuple(returned) if _is_list_of_results(returned, lesson) else returned
    results = several if isinstance(several, tuple) else (several,)
    if len(results) != len(lesson.results):
        raise ArgumentError(
            f"The function returned {_count(len(results), 'result')}; it must return "
            f"{_count(len(lesson.results), 'result')}: {_names(lesson)}."
        )
    pairs = zip(lesson.results, results, strict=True)
    return tuple(_numbers(one, name, len(results) > 1) for name, one in pairs)


def _is_list_of_results(returned: Any, lesson: Lesson) -> bool:
    """Return whether `[dx, dw, db]` was returned: a list is as good as a tuple."""
    return isinstance(returned, list) and len(lesson.results) > 1


def _numbers(one: Any, name: str, several: bool) -> np.ndarray:
    """Return one result as an array of numbers."""
    what = f"the result {name}" if several else "the result"
    if one is None:
        raise ArgumentError(f"{what[0].upper()}{what[1:]} is None: it was not computed.")
    try:
        array = np.asarray(one)
    except ValueError:
        array = np.asarray(None)
    if array.dtype.kind not in NUMBERS:
        kind = type(one).__name__
        raise ArgumentError(f"The function must return an array of numbers; {what} is a {kind}.")
    return array


def _check_arguments(case: Case, arguments: dict[str, Any]) -> None:
    """Raise if the function has changed an array that it was given."""
    for name, before in case.arguments.items():
        after = arguments[name]
        if isinstance(before, np.ndarray) and not np.array_equal(before, after, equal_nan=True):
            raise ArgumentError(
                f"The function changed its argument {name}, which belongs to the caller. Compute a "
                f"new array, or begin with {name} = {name}.copy()."
            )


def _names(lesson: Lesson) -> str:
    return ", ".join(lesson.results)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
