"""Runs a student's file in a process of its own, which may crash or never end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import minicnn
from minicnn.apps.lessons import child
from minicnn.apps.lessons.lesson import Lesson
from minicnn.support.files import text_or_empty

SECONDS = 10.0  # that one call of the student's function may take
SECONDS_TO_START = 120.0  # an upper limit, for a busy machine


@dataclass
class Answers:
    """What a student's function returned, case after case.

    Parameters
    ----------
    results : the results of each case that was computed
    loaded : whether the file could be run, and has the function
    trouble : why the next case has none, in words; "" if all have
    times : the seconds of the race by contender; empty without one
    slow : why there are no times although there is a race, in words
    """

    results: list[tuple[np.ndarray, ...]] = field(default_factory=list)
    loaded: bool = True
    trouble: str = ""
    times: dict[str, float] = field(default_factory=dict)
    slow: str = ""


def run_student(lesson: Lesson, file: Path, seconds: float = SECONDS) -> Answers:
    """Call the student's function for all cases of a lesson. What it prints goes to stderr."""
    with tempfile.TemporaryDirectory(prefix="minicnn-lesson-") as folder:
        code = _run(lesson, file, Path(folder), seconds)
        return _read(lesson, Path(folder), code)


def _run(lesson: Lesson, file: Path, folder: Path, seconds: float) -> int | None:
    """Run the child, and return its exit code; None if it had to be killed."""
    # -P: a file `random.py` beside the student's must not replace Python's own.
    words = [sys.executable, "-P", "-m", child.__name__]
    words += [lesson.name, str(file.resolve()), str(folder), str(seconds)]
    calls = len(lesson.all_cases()) + 2  # loading the file, and the race
    try:
        most = SECONDS_TO_START + seconds * calls
        return subprocess.run(
            words, env=_environment(), stdin=subprocess.DEVNULL, stdout=2, timeout=most
        ).returncode
    except subprocess.TimeoutExpired:
        return None


def _environment() -> dict[str, str]:
    """Return the environment, with this minicnn as the one that the child imports."""
    here = str(Path(minicnn.__file__).parent.parent)
    paths = [here, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def _read(lesson: Lesson, folder: Path, code: int | None) -> Answers:
    """Return what the child has left in its folder."""
    answers = Answers()
    for number in range(len(lesson.all_cases())):
        file = child.result_file(folder, number)
        if not file.exists():
            break
        with np.load(file, allow_pickle=False) as arrays:
            answers.results.append(tuple(arrays.values()))
    notes = _notes(folder)
    answers.loaded, answers.trouble = "loaded" in notes, notes.get("trouble", "")
    answers.times, answers.slow = notes.get("seconds", {}), notes.get("slow", "")
    if len(answers.results) < len(lesson.all_cases()) and not answers.trouble:
        answers.trouble = _crash(code)
    return answers


def _notes(folder: Path) -> dict[str, Any]:
    """Return all notes of the child as one dictionary."""
    lines = text_or_empty(folder / child.NOTES).splitlines()
    return {key: value for line in lines for key, value in json.loads(line).items()}


def _crash(code: int | None) -> str:
    """Return in words why a process ended without a word of its own."""
    if code is None:
        return "Your code did not end, and had to be killed."
    if code < 0:
        return (
            f"Your code crashed Python itself ({signal.Signals(-code).name}), so there is no "
            "error message. Does it write outside of an array, or need more memory than there is?"
        )
    return f"Your code ended the program with exit code {code} before the function returned."
