"""Checks a student's file: runs it, compares its results, and says what is wrong."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from minicnn.apps.lessons.common_mistakes import common_mistake
from minicnn.apps.lessons.differences import (
    Difference,
    difference_words,
    is_close,
    wrong_numbers,
)
from minicnn.apps.lessons.lesson import Case, Lesson, Mistake, as_results
from minicnn.apps.lessons.racing import race_words
from minicnn.apps.lessons.student import SECONDS, Answers, run_student
from minicnn.backends import use_backend
from minicnn.errors import MiniCNNError


@dataclass(frozen=True)
class Verdict:
    """What the check found.

    Parameters
    ----------
    passed : whether all cases are right
    right : the number of cases that are right, counted from the first one
    cases : the number of cases
    case : the first case that is wrong, in words; "" if all are right, or none could be computed
    words : what is wrong, line by line
    race : the race, line by line
    times : the seconds of the race by contender
    """

    passed: bool
    right: int
    cases: int
    case: str = ""
    words: list[str] = field(default_factory=list)
    race: list[str] = field(default_factory=list)
    times: dict[str, float] = field(default_factory=dict)


def check(lesson: Lesson, file: Path, seconds: float = SECONDS) -> Verdict:
    """Run a student's file and compare its results with the reference.

    Parameters
    ----------
    lesson : the lesson that the file is an answer to
    file : a Python file with a function of the lesson's name
    seconds : the time that one call may take
    """
    answers = run_student(lesson, file, seconds)
    with use_backend("numpy"):
        return judge(lesson, answers)


def judge(lesson: Lesson, answers: Answers) -> Verdict:
    """Return the verdict on results."""
    cases = lesson.all_cases()
    wrong = wrong_cases(lesson, cases, answers.results)
    if wrong:
        number, found = min(wrong.items())
        words = [*named_mistake(lesson, cases, answers.results, wrong), *difference_words(found)]
    elif answers.trouble:
        number, words = len(answers.results), answers.trouble.splitlines()
    else:
        return _passed(lesson, len(cases), answers)
    where = _in_words(lesson, cases, number) if answers.loaded else ""
    return Verdict(False, number, len(cases), where, words)


def _passed(lesson: Lesson, count: int, answers: Answers) -> Verdict:
    case = lesson.race_case()
    race = race_words(answers.times, case) if case and answers.times else []
    return Verdict(True, count, count, race=race or answers.slow.splitlines(), times=answers.times)


def _in_words(lesson: Lesson, cases: list[Case], number: int) -> str:
    """Return a case in words; the one after the last is the race."""
    race = lesson.race_case()
    if number == len(cases) and race is not None:
        return f"The race, {race.text}: {race.shapes()}"
    case = cases[number]
    return f"Case {number + 1} of {len(cases)}, {case.text}: {case.shapes()}"


def wrong_cases(
    lesson: Lesson, cases: list[Case], results: list[tuple[np.ndarray, ...]]
) -> dict[int, Difference]:
    """Return the first wrong result of each case, by the case's number."""
    found = {}
    for number, got in enumerate(results):
        difference = first_difference(lesson, got, lesson.expected(cases[number]))
        if difference:
            found[number] = difference
    return found


def first_difference(
    lesson: Lesson, got: tuple[np.ndarray, ...], expected: tuple[np.ndarray, ...]
) -> Difference | None:
    """Return the first of a case's results that is wrong; None if all are right."""
    names = lesson.results if len(lesson.results) > 1 else ("",)
    for name, one, right in zip(names, got, expected, strict=True):
        if not is_close(one, right, lesson.tolerance):
            alike = one.shape == right.shape
            wrong = wrong_numbers(one, right, lesson.tolerance) if alike else np.zeros(0, bool)
            return Difference(name, one, right, wrong)
    return None


def named_mistake(
    lesson: Lesson,
    cases: list[Case],
    results: list[tuple[np.ndarray, ...]],
    wrong: dict[int, Difference],
) -> list[str]:
    """Return the words of the mistake that explains the first wrong case; [] if none does.

    Of several mistakes, the one that explains the most wrong cases is meant. One that does not
    explain all of them is named only if none of the mistakes fits that every lesson knows.
    """
    first, found = min(wrong.items())
    if in_another_order(results[first], lesson.expected(cases[first]), lesson.tolerance):
        names = ", ".join(lesson.results)
        return [f"The results are right, but in another order. Return {names}."]
    of = found.name or lesson.results[0]
    index = lesson.results.index(of)
    candidates = [one for one in lesson.mistakes if (one.of or lesson.results[0]) == of]
    explained = {
        number: [k for k in wrong if explains(one, cases[k], results[k][index], lesson.tolerance)]
        for number, one in enumerate(candidates)
    }
    fitting = [number for number, those in explained.items() if first in those]
    best = max(fitting, key=lambda number: len(explained[number]), default=None)
    common = common_mistake(found, cases[first], lesson.tolerance)
    if best is not None and (len(explained[best]) == len(wrong) or not common):
        return [candidates[best].words.format(**cases[first].arguments)]
    return [common] if common else []


def in_another_order(
    got: tuple[np.ndarray, ...], expected: tuple[np.ndarray, ...], tolerance: float
) -> bool:
    """Return whether all results are there, but not in the order that was asked for."""
    orders = list(itertools.permutations(expected))[1:]
    return any(
        all(is_close(*pair, tolerance) for pair in zip(got, order, strict=True)) for order in orders
    )


def explains(mistake: Mistake, case: Case, got: np.ndarray, tolerance: float) -> bool:
    """Return whether a result is what a mistake gives."""
    try:
        with np.errstate(all="ignore"):
            given = mistake.wrong(**case.copies())
    except (MiniCNNError, ValueError, IndexError):  # the mistake is not possible in this case
        return False
    return given is not None and is_close(got, as_results(given)[0], tolerance)
