"""The file that a student fills in, and the source of our own solution."""

from __future__ import annotations

import inspect
from pathlib import Path

from minicnn.apps.lessons.lesson import Lesson
from minicnn.support.atomic_files import write_atomically

BODY = '    raise NotImplementedError("write your code here, in place of this line")\n'


def stub_file(lesson: Lesson, folder: Path) -> Path:
    """Return the student's file for a lesson."""
    return folder / f"{lesson.name}.py"


def stub_text(lesson: Lesson) -> str:
    """Return the whole text of the student's file.

    The task is its docstring, below it is the function without a body.
    """
    head = f'"""{lesson.task}\n\nCheck it with: minicnn lesson check {lesson.name}\n"""'
    return f"{head}\n\nimport numpy as np\n\n\n{lesson.stub.strip()}\n{BODY}"


def write_stub(lesson: Lesson, folder: Path) -> Path:
    """Write the student's file, and return it; an existing one is replaced."""
    file = stub_file(lesson, folder)
    write_atomically(file, [stub_text(lesson).encode()])
    return file


def solution_text(lesson: Lesson) -> str:
    """Return the source of our solution, function by function, each below its file and line."""
    return "\n\n".join(_source(function) for function in lesson.solution)


def _source(function: object) -> str:
    unwrapped = inspect.unwrap(function)  # type: ignore[arg-type]
    lines, first = inspect.getsourcelines(unwrapped)
    module = unwrapped.__module__.replace(".", "/")
    return f"# {module}.py, line {first}\n{''.join(lines).rstrip()}"
