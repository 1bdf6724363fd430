"""What runs in a process of its own: the student's file, one case after the other.

It is started as `python -m minicnn.apps.lessons.child NAME FILE FOLDER SECONDS`. Each result is
written to FOLDER as it is made, so that what came before a crash or an endless loop is known.
FOLDER/notes.jsonl has {"loaded": true} if the file could be run; its last line is
{"trouble": words}, or, if all cases have results, {"seconds": times of the race by name} or
{"slow": words} if the race took too long.
"""

from __future__ import annotations

import importlib.util
import inspect
import io
import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, NoReturn

import numpy as np

from minicnn.apps.lessons.catalog import find_lesson
from minicnn.apps.lessons.lesson import Case, Function, Lesson
from minicnn.apps.lessons.racing import race_times
from minicnn.apps.lessons.returned import checked_results
from minicnn.errors import ArgumentError
from minicnn.support.atomic_files import append_line, write_atomically
from minicnn.support.text import quoted

NOTES = "notes.jsonl"
GAVE_UP = 3  # the exit code after trouble was noted
NO_WHOLE_NUMBER = ("'float' object cannot be interpreted as", "indices must be integers")


def result_file(folder: Path, number: int) -> Path:
    """Return the file with the results of a case; cases are numbered from 0."""
    return folder / f"results-{number}.npz"


class Child:
    """One run of a student's file."""

    def __init__(self, lesson: Lesson, file: Path, folder: Path, seconds: float) -> None:
        self.lesson = lesson
        self.file = file
        self.folder = folder
        self.seconds = seconds

    def run(self) -> None:
        """Run all cases, and the race."""
        function = self.load()
        self.note(loaded=True)
        cases = self.lesson.all_cases()
        self.check_arguments(function, cases[0])
        for number, case in enumerate(cases):
            results = self.results_of(function, case)
            self.write_results(number, results)
        race = self.lesson.race_case()
        if race is not None:
            with self.watched(f"The race ({race.text}) was not over", note="slow"):
                times = self.attempt(lambda: race_times(self.lesson, function, race, self.seconds))
            self.note(seconds=times)
        self.end(0)

    def load(self) -> Function:
        """Run the file, and return the lesson's function."""
        sys.path.append(str(self.file.parent))
        spec = importlib.util.spec_from_file_location(f"lesson_{self.lesson.name}", self.file)
        if spec is None or spec.loader is None:
            self.give_up(f"{self.file.name} is not a Python file: its name must end in .py.")
        module = importlib.util.module_from_spec(spec)
        with self.watched(f"The lines of {self.file.name} outside of the function had not ended"):
            self.attempt(lambda: spec.loader.exec_module(module))  # type: ignore[union-attr]
        function = getattr(module, self.lesson.name, None)
        if not callable(function):
            words = f"There is no function {self.lesson.name} in {self.file.name}."
            self.give_up(words + _functions_in_words(module))
        return function

    def check_arguments(self, function: Function, case: Case) -> None:
        """Give up if the function cannot be called with the arguments of a case."""
        try:
            inspect.signature(function).bind(**case.arguments)
        except TypeError:
            takes = ", ".join(inspect.signature(function).parameters)
            self.give_up(
                f"{self.lesson.name} must take the arguments ({', '.join(case.arguments)}), by "
                f"these names; yours takes ({takes})."
            )
        except ValueError:  # a built-in function, of which Python does not know the arguments
            return

    def results_of(self, function: Function, case: Case) -> tuple[np.ndarray, ...]:
        """Call the function with copies of the arguments, and check what it returned."""
        arguments = case.copies()
        with self.watched("Your function had not returned anything"):
            returned = self.attempt(lambda: function(**arguments))
        try:
            return checked_results(returned, self.lesson, case, arguments)
        except ArgumentError as error:
            self.give_up(str(error))

    def attempt(self, call: Callable[[], Any]) -> Any:
        """Call the student's code; an exception is trouble, `sys.exit()` too."""
        try:
            return call()
        except NotImplementedError as error:
            words = "The function is not written yet: your code comes in place of `raise ...`."
            self.give_up(words + self.place(traceback.extract_tb(error.__traceback__)))
        except SyntaxError as error:
            place = f"line {error.lineno} of {Path(error.filename or self.file).name}"
            self.give_up(f"Python cannot read {place}: {error.msg}.{_shown(error.text)}")
        except (SystemExit, KeyboardInterrupt) as error:
            self.give_up(f"Your code ended the program with {type(error).__name__}.")
        except BaseException as error:
            words = f"Your code raised {type(error).__name__}: {quoted_error(error)}"
            self.give_up(
                words + hint(error) + self.place(traceback.extract_tb(error.__traceback__))
            )

    def place(self, frames: traceback.StackSummary) -> str:
        """Return the last line of the student's file in a traceback, in words."""
        own = [frame for frame in frames if frame.filename == str(self.file)]
        return f"\nThis is line {own[-1].lineno}:{_shown(own[-1].line)}" if own else ""

    @contextmanager
    def watched(self, what: str, note: str = "trouble") -> Iterator[None]:
        """End this process after the time limit, and note where the student's code was."""
        student = threading.get_ident()
        question = " Is there a loop that never ends?" if note == "trouble" else ""

        def end() -> None:
            frames = traceback.extract_stack(sys._current_frames()[student])
            words = f"{what} after {self.seconds:g} s.{question}{self.place(frames)}"
            self.note(**{note: words})
            self.end(GAVE_UP)

        timer = threading.Timer(self.seconds, end)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def write_results(self, number: int, results: tuple[np.ndarray, ...]) -> None:
        """Write the results of a case to its file."""
        content = io.BytesIO()
        np.savez(content, *results)
        write_atomically(result_file(self.folder, number), [content.getbuffer()])

    def note(self, **fields: Any) -> None:
        """Append a line to the notes."""
        append_line(self.folder / NOTES, json.dumps(fields))

    def give_up(self, trouble: str) -> NoReturn:
        """Note what is wrong, and end this process."""
        self.note(trouble=trouble)
        self.end(GAVE_UP)

    def end(self, code: int) -> NoReturn:
        """End this process now, whatever threads the student's code has started."""
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def quoted_error(error: BaseException) -> str:
    """Return an exception's message, shortened; it may be empty, and may raise itself."""
    try:
        text = str(error)
    except Exception:  # a student's own exception
        return "(its message cannot be shown)"
    return quoted(text, 300)[1:-1] if text else "(without a message)"


def hint(error: BaseException) -> str:
    """Return what a message of Python means that a beginner may not understand, or ""."""
    if isinstance(error, TypeError) and any(words in str(error) for words in NO_WHOLE_NUMBER):
        return " (a size or index must be a whole number: write // in place of /)"
    return ""


def _functions_in_words(module: ModuleType) -> str:
    """Return which functions a student's file has; "" if it has none."""
    own = [
        name
        for name, value in vars(module).items()
        if isinstance(value, FunctionType) and value.__module__ == module.__name__
    ]
    if not own:
        return ""
    return f" It has the function{'s' * (len(own) > 1)} {', '.join(own)}."


def _shown(line: str | None) -> str:
    """Return a line of code below the words about it."""
    return f"\n    {line.strip()}" if line else ""


def main(name: str, file: str, folder: str, seconds: str) -> None:
    """Run the file of one lesson. Ctrl-C is the parent's business, which ends this process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Child(find_lesson(name), Path(file), Path(folder), float(seconds)).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
