"""Undoing a sorting, or going on with one that was interrupted, by its journal."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from minicnn.apps.sorter.applying import carry_all
from minicnn.apps.sorter.carrying import Carrier
from minicnn.apps.sorter.journal import Log, Record
from minicnn.apps.sorter.journal_reading import read_journal
from minicnn.apps.sorter.outcome import Outcome
from minicnn.apps.sorter.removing import Remover
from minicnn.apps.sorter.settling import settle
from minicnn.apps.sorter.transfer import is_unchanged
from minicnn.support.files import Path as PathLike
from minicnn.support.locks import held

Done = Callable[[int], None]
Stop = Callable[[], bool]


def undo(journal: PathLike, *, done: Done | None = None, stop: Stop | None = None) -> Outcome:
    """Move the files of a sorting back, or remove its copies, also after a kill.

    A file that has changed since, or whose old name is taken, stays where it is with its
    companions, and `failed` names it. A copy is removed only if its original still exists with the
    same content. Folders that the sorting made are removed if they are empty.

    Parameters
    ----------
    journal : the `journal` of the outcome, or `latest_journal(folder)`
    done : called with the number of images that are back so far
    stop : called between images; True ends the undoing, which another `undo` can go on with

    Raises
    ------
    FormatError : it is not a journal, or it names files outside of its folder
    FolderInUseError : another process sorts or undoes by the same journal
    OSError : the journal cannot be read or written
    """
    path = Path(os.path.abspath(journal))
    with held(path), Log(path) as log:
        record = read_journal(path)
        settle(record, log)
        _note_back(record, log)
        groups = [[entry for entry in group if entry.is_sorted] for group in record.groups]
        groups = [group for group in reversed(groups) if group]
        worker = Carrier(record, log, undo=True) if record.move else Remover(record, log)
        outcome = carry_all(worker, groups, done=done, stop=stop)
        _remove_folders(record)
    return outcome


def resume(journal: PathLike, *, done: Done | None = None, stop: Stop | None = None) -> Outcome:
    """Go on with a sorting that was killed, stopped or that failed for some files.

    Arguments and errors are those of `undo`; `done` is called with the number of images that have
    been carried since.
    """
    path = Path(os.path.abspath(journal))
    with held(path), Log(path) as log:
        record = read_journal(path)
        settle(record, log)
        groups = [[entry for entry in group if not entry.is_sorted] for group in record.groups]
        groups = [group for group in groups if group]
        return carry_all(Carrier(record, log), groups, done=done, stop=stop)


def _note_back(record: Record, log: Log) -> None:
    """Note the moved files that have their old names already, as after a power failure."""
    for entry in record.files if record.move else ():
        moved = os.path.lexists(record.path_of(entry.target))
        if (
            entry.is_sorted
            and not moved
            and is_unchanged(record.path_of(entry.source), entry.facts)
        ):
            entry.is_sorted = False
            log.later(done=entry.number, undo=True)


def _remove_folders(record: Record) -> None:
    """Remove the folders that the sorting made, if they are empty."""
    for name in reversed(record.folders):
        with suppress(OSError):
            os.rmdir(record.path_of(name))
