"""Remembers which files have passed their checks, in a file beside them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Literal

from minicnn.apps.lessons.lesson import Lesson
from minicnn.apps.lessons.stub import stub_file
from minicnn.support.atomic_files import write_atomically
from minicnn.support.files import MAX_BYTES_OF_TEXT, read_whole, text_or_empty

RECORD = ".minicnn-lessons.json"  # the SHA-256 of each file that has passed, by lesson

State = Literal["", "begun", "passed", "changed since it passed"]


def state_of(lesson: Lesson, folder: Path) -> State:
    """Return how far a lesson is in a folder: "" if its file is not there."""
    file = stub_file(lesson, folder)
    if not file.is_file():
        return ""
    passed = _read(folder).get(lesson.name)
    if passed is None:
        return "begun"
    return "passed" if passed == _digest(file) else "changed since it passed"


def remember(lesson: Lesson, file: Path) -> None:
    """Remember that a file has passed."""
    passed = {**_read(file.parent), lesson.name: _digest(file)}
    text = json.dumps(passed, indent=1, sort_keys=True) + "\n"
    write_atomically(file.parent / RECORD, [text.encode()])


def _read(folder: Path) -> dict[str, str]:
    """Return the record; empty if there is none, or if it cannot be understood."""
    try:
        record = json.loads(text_or_empty(folder / RECORD) or "{}")
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}


def _digest(file: Path) -> str:
    return hashlib.sha256(read_whole(file, MAX_BYTES_OF_TEXT)).hexdigest()
