"""The race: the time of the student's function, and of the same computation by our engines."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from minicnn.apps.lessons.lesson import Case, Function, Lesson
from minicnn.backends import available_backends, use_backend

YOURS = "yours"
MOST_SECONDS = 1.0  # that repetitions of one contender may take
MOST_RUNS = 20
NAMES = {"numpy": "our NumPy reference", "native": "our C++ engine"}


def race_times(lesson: Lesson, function: Function, case: Case, limit: float) -> dict[str, float]:
    """Return the best time of each contender in seconds: "yours", and the engines by name.

    All compute the same case, in turns of at most a second or a quarter of the limit.
    """
    most = min(MOST_SECONDS, limit / 4)
    times = {YOURS: _best_time(lambda: function(**case.arguments), most)}
    for engine in lesson.engines:
        if engine in available_backends():
            with use_backend(engine):
                times[engine] = _best_time(lambda: lesson.reference(**case.arguments), most)
    return times


def _best_time(call: Callable[[], Any], most: float) -> float:
    """Return the shortest of several runs; at least one is made."""
    best, spent, runs = float("inf"), 0.0, 0
    while not runs or (spent < most and runs < MOST_RUNS):
        begin = time.perf_counter()
        call()
        seconds = time.perf_counter() - begin
        best, spent, runs = min(best, seconds), spent + seconds, runs + 1
    return best


def race_words(times: Mapping[str, float], case: Case) -> list[str]:
    """Return the race as lines of text.

    >>> case = Case("a batch of digits", x=0.5)
    >>> print(*race_words({"yours": 0.8, "numpy": 0.016, "native": 0.0004}, case), sep="\\n")
    The race, a batch of digits (x 0.5):
        yours                800 ms
        our NumPy reference  16 ms, 50 times as fast as yours
        our C++ engine       0.4 ms, 2,000 times as fast as yours
    """
    yours = times[YOURS]
    lines = [f"The race, {case.text} ({case.shapes()}):"]
    width = max(map(len, NAMES.values()))
    for name, seconds in times.items():
        words = "" if name == YOURS else f", {_ratio(yours / seconds)} yours"
        lines.append(f"    {NAMES.get(name, name):<{width}}  {_milliseconds(seconds)}{words}")
    return lines


def _ratio(ratio: float) -> str:
    """Return how much faster or slower, in words."""
    if 0.9 < ratio < 1.1:
        return "as fast as"
    if ratio > 1:
        return f"{_rounded(ratio)} times as fast as"
    return f"{_rounded(1 / ratio)} times as slow as"


def _milliseconds(seconds: float) -> str:
    ms = seconds * 1e3
    return f"{ms:,.0f} ms" if ms >= 100 else f"{ms:.2g} ms"


def _rounded(number: float) -> str:
    return f"{number:,.0f}" if number >= 10 else f"{number:.1f}"
