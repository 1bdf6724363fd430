"""Reading the journal of a sorting, also one that a killed process left or a stranger wrote."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from minicnn.apps.sorter.journal import (
    BEGINNING,
    FORMAT,
    MAX_BYTES,
    TEMPORARY,
    VERSION,
    Begun,
    Entry,
    Record,
    journals_in,
)
from minicnn.errors import FormatError, UnsafeFileError
from minicnn.support.files import Path as PathLike
from minicnn.support.files import is_below, read_whole
from minicnn.support.locks import is_locked
from minicnn.support.text import quoted


def read_journal(path: PathLike) -> Record:
    """Read a journal, also one that a killed process left.

    Raises
    ------
    FormatError : it is not a journal of `minicnn sort`, or of a newer version
    UnsafeFileError : a path in it is not below the folder that the journal is of
    """
    path = Path(os.path.abspath(path))
    content = read_whole(path, MAX_BYTES)
    lines = _objects(content)
    head = next(lines, {})
    if head.get("journal") != FORMAT:
        if BEGINNING.startswith(content[: len(BEGINNING)]):  # killed before the first line
            return Record(path, path.parent.parent, move=False, ended=True)
        raise FormatError(path, "is not a journal of `minicnn sort`")
    if head.get("version") != VERSION:
        raise FormatError(
            path, f"is of version {quoted(head.get('version'))}; this minicnn reads {VERSION}"
        )
    record = Record(path, path.parent.parent, bool(head.get("move")))
    complete = False
    for line in lines:
        complete |= "planned" in line
        try:
            _apply_line(line, record)
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            raise FormatError(path, f"has the line {quoted(line, 60)}") from error
    _check_places(record)
    if not complete:  # killed while the plan was written, so nothing was begun
        record.files, record.ended = [], True
    return record


def latest_journal(folder: PathLike) -> Path | None:
    """Return the newest journal of the sortings into a folder that `undo` can take back, or None.

    One that was killed counts even if no file was begun: it may have made folders. Raises
    FormatError if a newer one is damaged.
    """
    for path in reversed(journals_in(Path(folder))):
        record = read_journal(path)
        if not record.ended or any(entry.is_sorted or entry.begun for entry in record.files):
            return path
    return None


def unfinished_journal(folder: PathLike) -> Path | None:
    """Return the newest journal of the sortings into a folder if `resume` can go on with it."""
    for path in reversed(journals_in(Path(folder))):
        files = read_journal(path).files
        return path if not all(entry.is_sorted for entry in files) else None
    return None


def interrupted_journal(folder: PathLike) -> Path | None:
    """Return the newest journal of the sortings into a folder if that was killed, or None.

    `undo` or `resume` should be called with it before something else is sorted there. A journal
    that a process is writing now, and a damaged one, do not count.
    """
    for path in reversed(journals_in(Path(folder))):
        with suppress(FormatError, OSError):
            return None if is_locked(path) or read_journal(path).ended else path
    return None


def _objects(content: bytes) -> Iterator[dict[str, Any]]:
    """Yield the objects; a line that a kill cut off is left out."""
    for line in content.split(b"\n"):
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            yield value


def _apply_line(line: dict[str, Any], record: Record) -> None:
    """Change the record as one line says."""
    record.ended = "ended" in line
    if "file" in line:
        _add_file(line, record)
    elif "made" in line:
        record.folders.append(str(line["made"]))
    elif "rename" in line:
        _entry(record, line["rename"]).target = str(line["target"])
    elif "begin" in line:
        _begin(line, record)
    elif "copied" in line:
        entry = _entry(record, line["copied"])
        entry.facts["sha256"] = str(line["sha256"])
        if entry.begun:
            entry.begun.copied = True
    elif "done" in line:
        entry = _entry(record, line["done"])
        entry.is_sorted, entry.begun, entry.failure = not line.get("undo"), None, ""
    elif "failed" in line:
        entry = _entry(record, line["failed"])
        entry.begun, entry.failure = None, str(line["reason"])


def _entry(record: Record, number: int) -> Entry:
    if number < 0:
        raise IndexError(number)
    return record.files[number]


def _begin(line: dict[str, Any], record: Record) -> None:
    entry, temporary = _entry(record, line["begin"]), line.get("temporary")
    entry.begun = Begun(bool(line.get("undo")), None if temporary is None else str(temporary))
    entry.facts |= line["facts"]
    entry.facts |= {name: int(entry.facts[name]) for name in ("size", "mode", "mtime_ns")}
    if entry.begun.temporary is not None:
        record.temporaries.append(entry.begun.temporary)


def _add_file(line: dict[str, Any], record: Record) -> None:
    if line["file"] != len(record.files):
        raise ValueError("a file is missing")
    record.files.append(
        Entry(
            line["file"],
            line["group"],
            str(line["source"]),
            str(line["target"]),
            str(line.get("label") or ""),
            line.get("probability"),
        )
    )


def _check_places(record: Record) -> None:
    """Refuse a journal that would put files outside of its folder.

    Only files that were sorted from elsewhere have sources outside, which are absolute paths.
    """
    places = [entry.target for entry in record.files] + record.folders
    places += [entry.source for entry in record.files if not os.path.isabs(entry.source)]
    places += [name for name in record.temporaries if not os.path.isabs(name)]
    for name in record.temporaries:
        if TEMPORARY.fullmatch(os.path.basename(name)) is None:  # others are never removed
            raise UnsafeFileError(record.path, f"has the temporary name {quoted(name, 40)}")
    root, checked = os.path.realpath(record.root), {""}
    for place in places:
        folder, name = os.path.split(place)
        inside = folder in checked or is_below(os.path.realpath(record.root / folder), root)
        checked.add(folder)
        if not inside or os.path.isabs(place) or {"", os.pardir} & {name, *Path(folder).parts}:
            raise UnsafeFileError(
                record.path,
                f"names {quoted(place, 40)}, which is not below {record.root}. Move the journal "
                "back to where it was written",
            )
