"""A search's record in a folder, which several processes may share.

journal.log      every choice and every epoch's result, one per line, in Optuna's journal format
lock             locked while a trial is chosen, so that no two processes choose the same
workers/         one file per working process, locked as long as the process lives
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

from minicnn.support.files import open_regular
from minicnn.support.locks import FileLock, is_locked, locked
from minicnn.tune.optuna_package import import_optuna
from minicnn.tune.record import drop_torn_line, reading

JOURNAL, JOURNAL_LOCK, LOCK, WORKERS = "journal.log", "journal.lock", "lock", "workers"


class FolderStorage:
    """The journal of one search, and the files by which its processes know of each other."""

    study_name = "search"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def name(self) -> str:
        """What messages call it."""
        return str(self.folder)

    @property
    def place(self) -> str:
        """What is named when a value in it is damaged."""
        return str(self.folder / JOURNAL)

    def exists(self) -> bool:
        """Return whether a search was started here."""
        return (self.folder / JOURNAL).exists()

    def prepare(self) -> None:
        """Make the folders, and remove the end of a line that was not written completely."""
        (self.folder / WORKERS).mkdir(parents=True, exist_ok=True)
        with locked(self.folder / JOURNAL_LOCK):
            drop_torn_line(self.folder / JOURNAL)

    def connect(self) -> Any:
        """Return Optuna's storage."""
        optuna = import_optuna()
        journal = self.folder / JOURNAL
        with suppress(FileNotFoundError):
            open_regular(journal).close()  # Optuna would wait for a pipe
        # Optuna's own locks last half a minute after a process was killed that held one.
        lock = FileLock(self.folder / JOURNAL_LOCK)
        backend = optuna.storages.journal.JournalFileBackend(str(journal), lock)
        return optuna.storages.JournalStorage(backend)

    def lock(self) -> AbstractContextManager[None]:
        """Keep other processes from choosing a trial inside the block."""
        return locked(self.folder / LOCK)

    def reading(self) -> AbstractContextManager[None]:
        """Convert any error that Optuna raises for a damaged journal to a FormatError."""
        return reading(self.folder / JOURNAL)

    @contextmanager
    def working(self) -> Iterator[str]:
        """Register this process as a worker inside the block, and yield its name.

        The worker's file is locked, so that other processes can see whether this one still lives.
        """
        name = f"{os.getpid()}-{secrets.token_hex(4)}"
        path = self.folder / WORKERS / name
        try:
            with locked(path):
                yield name
        finally:
            path.unlink(missing_ok=True)

    def alive(self, workers: Iterable[str]) -> set[str]:
        """Return those of the workers whose processes live."""
        return {name for name in workers if is_locked(self.folder / WORKERS / name)}

    def is_in_use(self) -> bool:
        """Return whether a worker lives."""
        folder = self.folder / WORKERS
        return folder.is_dir() and bool(self.alive(path.name for path in folder.iterdir()))

    def remove(self) -> None:
        """Delete the files of the record, and no others."""
        for name in (JOURNAL, JOURNAL_LOCK, LOCK):
            (self.folder / name).unlink(missing_ok=True)
        shutil.rmtree(self.folder / WORKERS, ignore_errors=True)
