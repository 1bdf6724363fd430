"""Renaming images by class and number: cat_0001.jpg, cat_0002.jpg, ...

No file is overwritten, whatever the old names are. A journal, which is written before the first
change, can undo everything.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from minicnn.data.image_files import PathLike
from minicnn.data.image_list import ImageList
from minicnn.data.tools.rename_journal import (
    RENAMING,
    UNDOING,
    Rename,
    mark,
    position,
    read_plan,
    write_plan,
)
from minicnn.errors import ArgumentError
from minicnn.support.atomic_files import Journal, make_names_durable
from minicnn.support.locks import FolderLock
from minicnn.support.text import quoted

PATTERN = "{class}_{number}"
PLACES = re.compile(r"\{class\}|\{number\}")
MAX_NAME = 255  # bytes, the limit of most file systems
MIN_DIGITS = 4  # so that a few thousand files sort by their numbers
LINE_END = "\r\n"  # the one of CSV
ASIDE = ".minicnn-"  # prefix of the temporary name of a file in a cycle


def plan_renames(images: ImageList, pattern: str = PATTERN) -> list[Rename]:
    """RenamePlan new names for the images of each class, in the order of the old names.

    Parameters
    ----------
    images : as `list_folder` returned them
    pattern : the new name without its extension, with {class} and {number}; all numbers of a class
        have as many digits as the largest, at least four

    Returns
    -------
    A Rename for each file whose name changes; an empty list if all have their new names already
    """
    if "{number}" not in pattern or re.search(r'[\\/:*?"<>|\x00-\x1f]', pattern):
        raise ArgumentError(f"pattern must be a file name with {{number}}; got {quoted(pattern)}")
    of_class: list[list[Path]] = [[] for _ in images.class_names]
    for path, label in zip(images.paths, images.labels, strict=True):
        of_class[label].append(path)
    plan = []
    for name, paths in zip(images.class_names, of_class, strict=True):
        digits = max(MIN_DIGITS, len(str(len(paths))))
        for number, path in enumerate(_sorted(paths, pattern, name), 1):
            stem = _filled(pattern, name, f"{number:0{digits}d}")
            plan.append(Rename(path, path.with_name(stem + path.suffix)))
    _check_lengths(plan)
    return [one for one in plan if one.old != one.new]


def apply_renames(plan: Sequence[Rename], journal: PathLike) -> None:
    """Rename the files, and record it in a journal.

    Parameters
    ----------
    plan : as `plan_renames` returned it
    journal : a new CSV file of old and new names, in the folder of the images or above it

    Raises
    ------
    FileExistsError
        The journal exists already, or a new name belongs to a file outside of the plan. No file
        was renamed then.
    ArgumentError
        The journal is in neither the folder of the images nor one above it.
    FolderInUseError
        Another process is renaming the same images.
    """
    steps = _in_order(plan)
    if not steps:
        return
    with FolderLock(_common_folder(steps)):
        olds = {one.old for one in plan}
        for one in plan:
            if os.path.lexists(one.new) and one.new not in olds:
                raise FileExistsError(errno.EEXIST, "another file has this name", str(one.new))
        if os.path.lexists(journal):
            raise FileExistsError(
                errno.EEXIST,
                "the journal of an earlier renaming exists already; give another name, or remove "
                "it",
                os.fspath(journal),
            )
        write_plan(steps, journal)
        with Journal(journal) as log:
            for number, step in enumerate(steps, 1):
                with _progress_in_errors(_files(steps[: number - 1]), journal):
                    log.add(mark(RENAMING, number, len(steps)), LINE_END)
                    _rename(step)
        _make_durable(steps)


@contextmanager
def _progress_in_errors(done: int, journal: PathLike) -> Iterator[None]:
    """Add to an OSError how many files were renamed before it, and how to undo that."""
    try:
        yield
    except OSError as error:
        if done and error.strerror:
            error.strerror += (
                f"; {done:,} files have new names already; undo that with --undo {journal}"
            )
        raise


def undo_renames(journal: PathLike) -> int:
    """Give the files of a journal their old names again, even after an interruption.

    Returns
    -------
    The number of files

    Raises
    ------
    FileNotFoundError
        Some of the files no longer exist; all others have their old names again.
    FileExistsError
        An old name belongs to another file. Files that were renamed after it have their old names
        again; once that file is moved away, the rest can be undone as well.
    FormatError
        It is not a journal, or it would rename files outside of its folder.
    """
    plan = read_plan(journal)
    if not plan.steps:
        return 0
    with FolderLock(_common_folder(plan.steps)):
        steps = plan.steps[: position(plan)]
        with Journal(journal) as log:
            gone = [
                step
                for number, step in reversed([*enumerate(steps, 1)])
                if not _undo(step, log, mark(UNDOING, number, len(plan.steps)))
            ]
        _make_durable(steps)
    if gone:
        raise FileNotFoundError(errno.ENOENT, _gone_text(steps, gone), str(gone[-1].new))
    return _files(steps)


def _undo(step: Rename, log: Journal, line: str) -> bool:
    """Give one file its old name again; return False if it has neither of the two names."""
    if not os.path.lexists(step.new):
        return os.path.lexists(step.old)
    log.add(line, LINE_END)
    _rename(Rename(step.new, step.old))
    return True


def _gone_text(steps: Sequence[Rename], gone: Sequence[Rename]) -> str:
    more = f", nor do {len(gone) - 1:,} more" if len(gone) > 1 else ""
    rest = _files(steps) - _files(gone)
    return f"no longer exists{more}; the other {rest:,} files have their old names again"


def _rename(step: Rename) -> None:
    if os.path.lexists(step.new):  # os.rename would replace it
        raise FileExistsError(errno.EEXIST, "another file has this name", str(step.new))
    os.rename(step.old, step.new)
    if _is_aside(step.new):
        # The names before and after a cycle are the same. So a power failure must not undo a step
        # in the middle of it but keep its mark.
        make_names_durable(step.new.parent)


def _make_durable(steps: Sequence[Rename]) -> None:
    for folder in {step.new.parent for step in steps}:
        make_names_durable(folder)


def _common_folder(steps: Sequence[Rename]) -> str:
    return os.path.commonpath({os.path.abspath(step.old.parent) for step in steps})


def _files(steps: Sequence[Rename]) -> int:
    """Return the number of files; the first file of a cycle takes two steps."""
    return sum(not _is_aside(step.old) for step in steps)


def _is_aside(path: Path) -> bool:
    return path.name.startswith(ASIDE)


def _filled(pattern: str, name: str, number: str) -> str:
    """Fill in the pattern, in one pass because the class itself may be called {number}."""
    return PLACES.sub(lambda found: name if found[0] == "{class}" else number, pattern)


def _check_lengths(plan: Sequence[Rename]) -> None:
    longest = max(plan, key=lambda one: len(os.fsencode(one.new.name)), default=None)
    if longest is not None and len(os.fsencode(longest.new.name)) > MAX_NAME:
        raise ArgumentError(
            f"names must have at most {MAX_NAME} bytes, but {quoted(longest.new.name)} has "
            f"{len(os.fsencode(longest.new.name))}; give a shorter pattern, such as '{{number}}'"
        )


def _sorted(paths: list[Path], pattern: str, name: str) -> list[Path]:
    """Sort files that match the pattern first, by number, so that a second run changes nothing."""
    parts = re.split(f"({PLACES.pattern})", pattern)
    words = {"{class}": re.escape(name), "{number}": "([0-9]+)"}
    named = re.compile("".join(words.get(part, re.escape(part)) for part in parts))

    def key(path: Path) -> tuple[bool, int, str]:
        found = named.fullmatch(path.stem)
        return (found is None, int(found[1]) if found else 0, str(path))

    return sorted(paths, key=key)


def _in_order(plan: Sequence[Rename]) -> list[Rename]:
    """Order the renames so that each new name is free when it is needed.

    A cycle, such as a -> b -> a, needs one more step: its first file gets a temporary name.
    """
    waiting = {one.old: one.new for one in plan}
    steps: list[Rename] = []
    for one in plan:
        if one.old not in waiting:
            continue  # it was part of an earlier chain
        chain, seen = [one.old], {one.old}
        while (new := waiting[chain[-1]]) in waiting and new not in seen:
            chain.append(new)
            seen.add(new)
        if waiting[chain[-1]] in seen:  # a cycle
            aside = one.old.with_name(f"{ASIDE}{secrets.token_hex(8)}{one.old.suffix}")
            steps.append(Rename(one.old, aside))
            waiting[aside] = waiting.pop(one.old)
            chain = [aside, *chain[1:]]
        steps += [Rename(old, waiting.pop(old)) for old in reversed(chain)]
    return steps
