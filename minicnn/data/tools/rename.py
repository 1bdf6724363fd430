"""Pictures named by class and number: cat_0001.jpg, cat_0002.jpg, ...

Nothing is overwritten, whatever the old names are; a journal, written before the first change,
takes everything back.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from minicnn.data.folders import ImageList
from minicnn.data.image_files import PathLike
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
MAX_NAME = 255  # bytes: what file systems hold
MIN_DIGITS = 4  # so that a few thousand files sort as they are numbered
LINE_END = "\r\n"  # as csv has it
ASIDE = ".minicnn-"  # how the name of a file begins that waits for another one to move


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
        raise ArgumentError(f"pattern must be a file's name with {{number}}; got {quoted(pattern)}")
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
    """Rename the files; `journal` is a new csv of old and new names, in a folder above them.

    Raises
    ------
    FileExistsError
        The journal is there already, or a new name belongs to a file outside of the plan. Nothing
        was renamed then.
    ArgumentError
        The journal would lie beside or below the pictures, where it could not name them.
    FolderInUseError
        Another renaming is at work on the same pictures.
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
                "the journal of an earlier renaming is there already; name another, or take that "
                "away",
                os.fspath(journal),
            )
        write_plan(steps, journal)
        with Journal(journal) as log:
            for number, step in enumerate(steps, 1):
                with _saying_how_far(_files(steps[: number - 1]), journal):
                    log.add(mark(RENAMING, number, len(steps)), LINE_END)
                    _rename(step)
        _make_durable(steps)


@contextmanager
def _saying_how_far(done: int, journal: PathLike) -> Iterator[None]:
    """Let an error of the system say what was renamed before it, and how to take that back."""
    try:
        yield
    except OSError as error:
        if done and error.strerror:
            error.strerror += (
                f"; {done:,} files have new names already, which --undo {journal} takes back"
            )
        raise


def undo_renames(journal: PathLike) -> int:
    """Give the files of a journal their old names back, also after an interruption; how many.

    Raises
    ------
    FileNotFoundError
        Some of the files are no longer there; all others have their old names again.
    FileExistsError
        An old name belongs to another file. Those that were renamed after it have their old names
        again; once that file is elsewhere, the rest can be undone as well.
    FormatError
        It is no journal, or one that would rename what is not below its folder.
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
                if not _taken_back(step, log, mark(UNDOING, number, len(plan.steps)))
            ]
        _make_durable(steps)
    if gone:
        raise FileNotFoundError(errno.ENOENT, _gone_text(steps, gone), str(gone[-1].new))
    return _files(steps)


def _taken_back(step: Rename, log: Journal, line: str) -> bool:
    """Give one file its old name back; False where it is under neither name."""
    if not os.path.lexists(step.new):
        return os.path.lexists(step.old)
    log.add(line, LINE_END)
    _rename(Rename(step.new, step.old))
    return True


def _gone_text(steps: Sequence[Rename], gone: Sequence[Rename]) -> str:
    more = f", and {len(gone) - 1:,} more are not" if len(gone) > 1 else ""
    rest = _files(steps) - _files(gone)
    return f"is no longer there{more}; the other {rest:,} files have their old names again"


def _rename(step: Rename) -> None:
    if os.path.lexists(step.new):  # rename() would replace it
        raise FileExistsError(errno.EEXIST, "another file has this name", str(step.new))
    os.rename(step.old, step.new)
    if _is_aside(step.new):
        # Before and after a circle the names are the same: a power cut must not take back the
        # middle of it and keep its marks.
        make_names_durable(step.new.parent)


def _make_durable(steps: Sequence[Rename]) -> None:
    for folder in {step.new.parent for step in steps}:
        make_names_durable(folder)


def _common_folder(steps: Sequence[Rename]) -> str:
    return os.path.commonpath({os.path.abspath(step.old.parent) for step in steps})


def _files(steps: Sequence[Rename]) -> int:
    """Files, not steps: one in a circle takes two."""
    return sum(not _is_aside(step.old) for step in steps)


def _is_aside(path: Path) -> bool:
    return path.name.startswith(ASIDE)


def _filled(pattern: str, name: str, number: str) -> str:
    """The pattern with its words in it; a class may itself be called {number}."""
    return PLACES.sub(lambda found: name if found[0] == "{class}" else number, pattern)


def _check_lengths(plan: Sequence[Rename]) -> None:
    longest = max(plan, key=lambda one: len(os.fsencode(one.new.name)), default=None)
    if longest is not None and len(os.fsencode(longest.new.name)) > MAX_NAME:
        raise ArgumentError(
            f"names may have {MAX_NAME} bytes, and {quoted(longest.new.name)} would have "
            f"{len(os.fsencode(longest.new.name))}; give a shorter pattern, such as '{{number}}'"
        )


def _sorted(paths: list[Path], pattern: str, name: str) -> list[Path]:
    """Files named by the pattern first, by their number: a second run changes nothing."""
    parts = re.split(f"({PLACES.pattern})", pattern)
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
    for one in plan:
        if one.old not in waiting:
            continue  # done as part of a chain
        chain, seen = [one.old], {one.old}
        while (new := waiting[chain[-1]]) in waiting and new not in seen:
            chain.append(new)
            seen.add(new)
        if waiting[chain[-1]] in seen:  # a circle: its first file steps aside, and comes in last
            aside = one.old.with_name(f"{ASIDE}{secrets.token_hex(8)}{one.old.suffix}")
            steps.append(Rename(one.old, aside))
            waiting[aside] = waiting.pop(one.old)
            chain = [aside, *chain[1:]]
        steps += [Rename(old, waiting.pop(old)) for old in reversed(chain)]
    return steps
