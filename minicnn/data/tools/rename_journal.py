"""The journal of a renaming: all planned steps, followed by one mark before each step is executed.

    old,new
    cats/b.jpg,cats/cat_0001.jpg
    cats/a.jpg,cats/cat_0002.jpg
    renaming 1 of 2

A process can be killed between a mark and its step, in the middle of a mark, and again while it
undoes the steps. So the number of executed steps is found from the files that exist. The last mark
only decides if two numbers are equally likely: after a cycle, such as a -> b -> a, the names are
the same as before.

Paths are relative to the journal's folder and below it, and only the name of a file changes. So a
journal from another source cannot move anything out of its folder or into it.
"""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from minicnn.data.image_files import PathLike
from minicnn.errors import ArgumentError, FormatError, UnsafeFileError
from minicnn.support.csv_files import write_csv
from minicnn.support.files import is_below, read_whole
from minicnn.support.text import quoted

MAX_JOURNAL = 256 << 20  # bytes
HEAD = ["old", "new"]
RENAMING, UNDOING = "renaming", "undoing"
MARK = re.compile(rf"({RENAMING}|{UNDOING}) ([0-9]+) of ([0-9]+)", re.ASCII)
# Marks of earlier versions, one after each step.
DONE, UNDONE = "done", "undone"


class Rename(NamedTuple):
    """The old and the new path of one file."""

    old: Path
    new: Path


class RenamePlan(NamedTuple):
    """The content of a journal."""

    steps: list[Rename]
    marked: int  # the number of executed steps by the last mark


def mark(word: str, number: int, steps: int) -> str:
    """Return the line that is written before step `number`, counted from 1.

    It ends with the number of steps, which shows that the line is complete.

    >>> mark(RENAMING, 3, 12)
    'renaming 3 of 12'
    """
    return f"{word} {number} of {steps}"


def write_plan(steps: Sequence[Rename], journal: PathLike) -> None:
    """Write a new journal.

    Raises
    ------
    ArgumentError : an image is not below the folder of the journal
    """
    folder = os.path.dirname(os.path.abspath(journal))
    parents = {parent: os.path.abspath(parent) for parent in {step.old.parent for step in steps}}
    for parent, absolute in parents.items():
        if not is_below(absolute, folder):
            raise ArgumentError(
                f"the journal must be in {parent} or a folder above it, as it only renames files "
                f"below its own folder; got {os.fspath(journal)}"
            )
    below = {parent: os.path.relpath(path, folder) for parent, path in parents.items()}
    rows = [[_joined(below[step.old.parent], path.name) for path in step] for step in steps]
    write_csv(journal, HEAD, rows, exact=True)


def read_plan(journal: PathLike) -> RenamePlan:
    """Read the steps of a journal, with whole paths, and its last mark.

    Raises
    ------
    FormatError : it is not a journal
    UnsafeFileError : it would rename a file outside of its folder
    """
    text = read_whole(journal, MAX_JOURNAL).decode(errors="surrogateescape")
    try:
        rows = list(csv.reader(io.StringIO(text)))
    except csv.Error:
        rows = []
    if not rows or rows[0] != HEAD:
        raise FormatError(journal, "is not a journal of `minicnn data rename`")
    pairs = [row for row in rows[1:] if len(row) == 2]
    steps = _below(pairs, journal)
    return RenamePlan(
        steps, _marked([row for row in rows[1:] if len(row) != 2], len(steps), journal)
    )


def position(plan: RenamePlan) -> int:
    """Return how many of the steps were executed, judging by the files that exist.

    It is the number with the fewest contradictions; of several, the nearest to the last mark.
    """
    before: dict[Path, bool] = {}  # whether the name existed before the first step
    for step in plan.steps:
        before.setdefault(step.old, True)
        before.setdefault(step.new, False)
    exists = {name: os.path.lexists(name) for name in before}
    expected, contradictions = before, sum(exists[name] != before[name] for name in before)
    best = (contradictions, plan.marked, 0)
    for number, step in enumerate(plan.steps, 1):
        for name, now in ((step.old, False), (step.new, True)):
            contradictions += (exists[name] != now) - (exists[name] != expected[name])
            expected[name] = now
        best = min(best, (contradictions, abs(number - plan.marked), number))
    return best[2]


def _below(pairs: Sequence[Sequence[str]], journal: PathLike) -> list[Rename]:
    """Return the steps with whole paths; raise UnsafeFileError if one leaves the folder."""
    folder = os.path.dirname(os.path.abspath(journal))
    real = os.path.realpath(folder)
    steps, parents = [], set()
    for old, new in pairs:
        parent, name = os.path.split(os.path.join(folder, old))
        parent_of_new, new_name = os.path.split(os.path.join(folder, new))
        names = [name, new_name]
        if parent != parent_of_new or any(n in ("", ".", "..") or "\0" in n for n in names):
            raise _unsafe(journal, old, new)
        if parent not in parents and not is_below(os.path.realpath(parent), real):
            raise _unsafe(journal, old, new)
        parents.add(parent)
        steps.append(Rename(Path(parent, name), Path(parent, new_name)))
    return steps


def _marked(rows: Sequence[Sequence[str]], steps: int, journal: PathLike) -> int:
    """Return how many steps were executed by the marks; an incomplete mark does not count."""
    marked = 0
    for text in (row[0] for row in rows if row):
        found = MARK.fullmatch(text)
        if found and int(found[3]) == steps and 1 <= int(found[2]) <= steps:
            marked = int(found[2]) - (found[1] == UNDOING)
        elif text in (DONE, UNDONE):
            marked = min(max(marked + (1 if text == DONE else -1), 0), steps)
        elif not _is_incomplete_mark(text, steps):
            raise FormatError(
                journal, f"has the line {quoted(text, 40)}, which is neither a step nor a mark"
            )
    return marked


def _is_incomplete_mark(text: str, steps: int) -> bool:
    """Return whether the text is the beginning of a mark."""
    words = re.sub("[0-9]+", "1", text)
    whole = [mark(word, 1, 1) for word in (RENAMING, UNDOING)]
    return any(one.startswith(words) for one in [*whole, DONE, UNDONE]) and steps > 0


def _unsafe(journal: PathLike, old: str, new: str) -> UnsafeFileError:
    return UnsafeFileError(
        journal,
        f"would rename {quoted(old, 40)} to {quoted(new, 40)}, but a journal only renames files "
        "below its own folder. Move it back to where it was written",
    )


def _joined(folder: str, name: str) -> str:
    return name if folder == os.curdir else os.path.join(folder, name)
