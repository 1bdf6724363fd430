"""The journal of a sorting: the whole plan, then what is about to be done and what was done.

A journal is a text file of JSON objects, one a line. It is in the folder `.minicnn-sort` of the
folder into which was sorted, and its paths are relative to that folder, so that both can be moved
together. The lines of a file that is moved to another disk are:

    {"journal": "minicnn sort", ...}
    {"file": 3, "group": 2, "source": "IMG_3.jpg", "target": "cats/IMG_3.jpg", "label": "cats", ...}
    {"planned": 20}
    {"begin": 3, "temporary": "cats/.minicnn-sort-5f....tmp", "mode": 33188, "mtime_ns": 1751, ...}
    {"copied": 3, "sha256": "9f86..."}
    {"done": 3}

Each line is on the disk before what it announces happens; only `done` may come later. A process can
be killed between any two lines and in the middle of one. What a file's last line leaves open is
decided by looking at the disk (see `settling`).
"""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from minicnn.errors import FormatError, UnsafeFileError
from minicnn.support import atomic_files
from minicnn.support.files import Path as PathLike
from minicnn.support.files import read_whole
from minicnn.support.locks import is_locked
from minicnn.support.text import quoted

FOLDER = ".minicnn-sort"
ENDING = ".jsonl"
TEMPORARY = re.compile(rf"{re.escape(FOLDER)}-[0-9a-f]{{16}}\.tmp", re.ASCII)
FORMAT, VERSION = "minicnn sort", 1
BEGINNING = b'{"journal": "minicnn sort"'
MAX_BYTES = 1 << 30


@dataclass
class Begun:
    """An operation on one file that was begun, and maybe came to its end unnoticed."""

    undo: bool  # back to the source
    temporary: str | None  # where the file is copied to first; None if it is renamed
    copied: bool = False  # the temporary copy is complete


@dataclass(eq=False)
class Entry:
    """One file of the plan, and how far it came; paths are as in the journal."""

    number: int
    group: int
    source: str
    target: str
    label: str = ""
    probability: float | None = None
    is_sorted: bool = False  # it, or its copy, is at the target
    failure: str = ""  # of the last attempt
    begun: Begun | None = None
    facts: dict[str, Any] = field(default_factory=dict)  # size, mode, times, digest, attributes


@dataclass
class Record:
    """The content of a journal."""

    path: Path
    root: Path  # the folder into which was sorted
    move: bool
    files: list[Entry] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)  # that the sorting made
    temporaries: list[str] = field(default_factory=list)  # names of all temporary copies
    ended: bool = False  # the last sorting, undoing or resuming came to its end or was stopped

    def path_of(self, name: str) -> Path:
        """Return the whole path of a name in the journal."""
        return self.root / name

    @property
    def groups(self) -> list[list[Entry]]:
        """The files of each group, which are moved together."""
        found: dict[int, list[Entry]] = {}
        for entry in self.files:
            found.setdefault(entry.group, []).append(entry)
        return list(found.values())


class Log:
    """Writes lines to a journal; those of `later` are written together with the next of `now`."""

    def __init__(self, path: PathLike) -> None:
        self.path = Path(path)
        self._journal = atomic_files.Journal(path)
        self._waiting: list[str] = []

    def __enter__(self) -> Log:
        return self

    def __exit__(self, *_: object) -> None:
        self.finish()
        self._journal.close()

    def later(self, **fields: Any) -> None:
        """Write a line with the next ones; a kill may lose it."""
        self._waiting.append(json.dumps(fields, ensure_ascii=True))

    def now(self) -> None:
        """Force all lines to the disk; those that cannot be written come with the next ones."""
        if self._waiting:
            self._journal.add("\n".join(self._waiting))
            self._waiting.clear()

    def finish(self) -> None:
        """Write the last lines; on a full disk they are missing, as after a kill."""
        with suppress(OSError):
            self.now()


def temporary_name() -> str:
    """Return a new name for a copy that is not complete yet."""
    return f"{FOLDER}-{secrets.token_hex(8)}.tmp"


def new_journal(root: Path) -> Path:
    """Return the path of a new journal in a folder, whose folder for journals is made."""
    folder = root / FOLDER
    folder.mkdir(exist_ok=True)
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")  # names in the order of time
    return folder / f"{stamp}-{secrets.token_hex(4)}{ENDING}"


def journals_in(root: Path) -> list[Path]:
    """Return the journals in a folder, the oldest first."""
    try:
        names = os.listdir(root / FOLDER)
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [root / FOLDER / name for name in sorted(names) if name.endswith(ENDING)]


def latest_journal(folder: PathLike) -> Path | None:
    """Return the newest journal of the sortings into a folder that `undo` can take back, or None.

    Raises FormatError if a newer one is damaged.
    """
    for path in reversed(journals_in(Path(folder))):
        if any(entry.is_sorted or entry.begun for entry in read_journal(path).files):
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
        if is_locked(path):
            return None
        with suppress(FormatError):
            return None if read_journal(path).ended else path
    return None


def header(move: bool) -> dict[str, Any]:
    """Return the first line of a journal."""
    return {
        "journal": FORMAT,
        "version": VERSION,
        "move": move,
        "time": datetime.now(UTC).isoformat(),
    }


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


def _objects(content: bytes) -> Iterator[dict[str, Any]]:
    """Yield the objects; a line that a kill cut off is left out."""
    for line in content.split(b"\n"):
        try:
            value = json.loads(line)
        except ValueError:
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
        inside = folder in checked or _is_below(os.path.realpath(record.root / folder), root)
        checked.add(folder)
        if not inside or os.path.isabs(place) or {"", os.pardir} & {name, *Path(folder).parts}:
            raise UnsafeFileError(
                record.path,
                f"names {quoted(place, 40)}, which is not below {record.root}. Move the journal "
                "back to where it was written",
            )


def _is_below(path: str, root: str) -> bool:
    try:
        return os.path.commonpath([path, root]) == root
    except ValueError:  # on Windows, another drive
        return False
