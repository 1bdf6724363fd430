"""Pictures named by class and number: cat_0001.jpg, cat_0002.jpg, ...

Nothing is overwritten, whatever the old names are; a journal, written before the first change,
takes everything back.
"""

from __future__ import annotations

import csv
import errno
import io
import os
import re
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from minicnn.atomic import read_whole
from minicnn.data.folders import ImageList
from minicnn.data.images import PathLike
from minicnn.errors import ArgumentError, FormatError
from minicnn.tables import write_csv

PATTERN = "{class}_{number}"
LEAST_DIGITS = 4  # so that a few thousand files sort as they are numbered
DONE, UNDONE = "done", "undone"
LARGEST_JOURNAL = 256 << 20  # bytes


class Rename(NamedTuple):
    """One file's old and new name."""

    old: Path
    new: Path


def plan_renames(images: ImageList, pattern: str = PATTERN) -> list[Rename]:
    """New names in each class, in the order of the old ones; endings stay as they are.

    Parameters
    ----------
    images : as `list_folder` found them
    pattern : with {class} and {number}; a number is as wide as its class's largest, four digits
        or more

    Returns
    -------
    Rename of each file whose name changes; none when all are named so already
    """
    if "{number}" not in pattern or re.search(r'[\\/:*?"<>|\x00-\x1f]', pattern):
        raise ArgumentError(f"pattern must be a file's name with {{number}}; got {pattern!r}")
    plan = []
    for label, name in enumerate(images.class_names):
        paths = [p for p, k in zip(images.paths, images.labels, strict=True) if k == label]
        digits = max(LEAST_DIGITS, len(str(len(paths))))
        for number, path in enumerate(_sorted(paths, pattern, name), 1):
            stem = pattern.replace("{class}", name).replace("{number}", f"{number:0{digits}d}")
            plan.append(Rename(path, path.with_name(stem + path.suffix)))
    return [one for one in plan if one.old != one.new]


def apply_renames(plan: Sequence[Rename], journal: PathLike) -> None:
    """Rename the files; `journal` is a new csv of old and new names.

    Raises
    ------
    FileExistsError
        The journal is there already, or a new name belongs to a file outside of the plan. Nothing
        was renamed then.
    """
    olds = {one.old for one in plan}
    for one in plan:
        if os.path.lexists(one.new) and one.new not in olds:
            raise FileExistsError(errno.EEXIST, "another file has this name", str(one.new))
    steps = _in_order(plan)
    if os.path.lexists(journal):
        raise FileExistsError(
            errno.EEXIST,
            "the journal of an earlier renaming is there already; name another, or take that away",
            os.fspath(journal),
        )
    _write_journal(steps, journal)
    _run(steps, journal, DONE)


def undo_renames(journal: PathLike) -> int:
    """Give the files of a journal their old names back, also after an interruption; how many."""
    steps, position = _read_journal(journal)
    back = [Rename(step.new, step.old) for step in reversed(steps[:position])]
    _run(back, journal, UNDONE)
    return len(back)


def _run(steps: Sequence[Rename], journal: PathLike, mark: str) -> None:
    """Rename one after the other, and note each in the journal."""
    with open(journal, "a", encoding="utf-8") as log:
        for step in steps:
            if os.path.lexists(step.new):  # rename() would replace it
                raise FileExistsError(errno.EEXIST, "another file has this name", str(step.new))
            os.rename(step.old, step.new)
            log.write(f"{mark}\r\n")  # as the lines above it end
            log.flush()  # else a killed program would not have written it


def _sorted(paths: list[Path], pattern: str, name: str) -> list[Path]:
    """Files named by the pattern first, by their number: a second run changes nothing."""
    parts = re.split(r"(\{class\}|\{number\})", pattern)
    words = {"{class}": re.escape(name), "{number}": "([0-9]+)"}
    named = re.compile("".join(words.get(part, re.escape(part)) for part in parts))

    def key(path: Path) -> tuple[bool, int, str]:
        found = named.fullmatch(path.stem)
        return (found is None, int(found[1]) if found else 0, str(path))

    return sorted(paths, key=key)


def _in_order(plan: Sequence[Rename]) -> list[Rename]:
    """The same renames so that each new name is free in its turn; circles get a step more."""
    waiting = {one.old: one.new for one in plan}
    steps: list[Rename] = []
    while waiting:
        chain = [next(iter(waiting))]
        while (new := waiting[chain[-1]]) in waiting and new not in chain:
            chain.append(new)
        if waiting[chain[-1]] in chain:  # a circle: its first file steps aside
            aside = chain[0].with_name(f".minicnn-{secrets.token_hex(8)}{chain[0].suffix}")
            steps.append(Rename(chain[0], aside))
            waiting[aside] = waiting.pop(chain[0])
            continue
        steps += [Rename(old, waiting.pop(old)) for old in reversed(chain)]
    return steps


def _write_journal(steps: Sequence[Rename], journal: PathLike) -> None:
    rows = [[os.path.abspath(step.old), os.path.abspath(step.new)] for step in steps]
    write_csv(journal, ["old", "new"], rows, exact=True)


def _read_journal(journal: PathLike) -> tuple[list[Rename], int]:
    """The steps, and how many of them are in force."""
    text = read_whole(journal, LARGEST_JOURNAL).decode(errors="surrogateescape")
    try:
        rows = list(csv.reader(io.StringIO(text)))
    except csv.Error:
        rows = []
    marks = [row[0] for row in rows[1:] if len(row) == 1]
    steps = [Rename(Path(row[0]), Path(row[1])) for row in rows[1:] if len(row) == 2]
    if not rows or rows[0] != ["old", "new"] or not {*marks} <= {DONE, UNDONE}:
        raise FormatError(journal, "is no journal of `minicnn data rename`")
    position = marks.count(DONE) - marks.count(UNDONE)
    # A kill between a renaming and its mark leaves the journal one step behind, either way.
    if position < len(steps) and _is_in_force(steps[position]):
        return steps, position + 1
    if position > 0 and not _is_in_force(steps[position - 1]):
        return steps, position - 1
    return steps, position


def _is_in_force(step: Rename) -> bool:
    return os.path.lexists(step.new) and not os.path.lexists(step.old)
