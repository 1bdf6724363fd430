"""The journal of a sorting: the whole plan, then what is about to be done and what was done.

A journal is a text file of JSON objects, one a line. It is in the folder `.minicnn-sort` of the
folder into which was sorted, and its paths are relative to that folder, so that both can be moved
together. The lines of a file that is moved to another disk are:

    {"journal": "minicnn sort", ...}
    {"file": 3, "group": 2, "source": "IMG_3.jpg", "target": "cats/IMG_3.jpg", "label": "cats", ...}
    {"planned": 20}
    {"begin": 3, "time": "...", "temporary": "cats/.minicnn-sort-5f....tmp", "facts": {"size": ...}}
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
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from minicnn.support import atomic_files
from minicnn.support.files import Path as PathLike

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
    failure: str = ""  # why it was not carried the last time
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


def now_text() -> str:
    """Return the time in UTC, as journals have it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def header(move: bool) -> dict[str, Any]:
    """Return the first line of a journal."""
    return {"journal": FORMAT, "version": VERSION, "move": move, "time": now_text()}
