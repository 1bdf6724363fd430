"""Carrying groups of files to their targets, or back: all files of a group, or none.

Several groups are carried at a time, so that one write to the journal serves them all.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from minicnn.apps.sorter.jobs import Job, file_of
from minicnn.apps.sorter.journal import Entry, Log, Record, now_text
from minicnn.apps.sorter.names import numbered_together
from minicnn.apps.sorter.planning import THERE
from minicnn.apps.sorter.transfer import Transfer, is_unchanged, make_durable
from minicnn.data.image_files import reason_of
from minicnn.errors import FormatError
from minicnn.support.threads import Job as PoolJob
from minicnn.support.threads import ThreadPool

COPYING_THREADS = 4  # most of the time they wait for the disk
MAX_NUMBER = 1_000_000  # in names that are taken

NAME_TAKEN = "another file has the old name"
LEADS_OUT = "a link leads out of the folder"


class Carrier:
    """Carries the files of a journal's record to their targets, or back with `undo`.

    Parameters
    ----------
    record : of the journal; its entries are changed as the files are carried
    log : writes to the same journal
    undo : carry the files back to their sources; only where they were moved
    """

    def __init__(self, record: Record, log: Log, *, undo: bool = False) -> None:
        self.record, self.log, self.undo = record, log, undo
        self._mark: dict[str, Any] = {"undo": True} if undo else {}
        self._checked: set[Path] = set()  # folders that exist and are in the root
        self._synced: set[Path] = set()  # folders whose names are on the disk

    def carry(self, groups: Sequence[Sequence[Entry]]) -> list[Job]:
        """Carry some groups; return for each of them how it ended."""
        jobs = [Job(entries, [self._transfer(one) for one in entries]) for entries in groups]
        self._each(jobs, self._begin)
        self._write_now(jobs)
        self._copy_all(jobs)
        self._write_now(jobs)
        self._each(jobs, self._place)
        self._synced.clear()
        self._each(jobs, self._sync)
        self._each(jobs, self._leave)
        for job in jobs:
            if job.is_open:
                self._note_done(job.placed)
        return jobs

    def _transfer(self, entry: Entry) -> Transfer:
        source = self.record.path_of(entry.source)
        target = self.record.path_of(entry.target)
        if self.undo:
            return Transfer(entry.number, target, source, facts=entry.facts)
        return Transfer(entry.number, source, target, keep=not self.record.move)

    def _each(self, jobs: Sequence[Job], step: Callable[[Job], None]) -> None:
        """Do one step of all jobs that nothing has ended; an error ends only its own."""
        for job in jobs:
            if job.is_open:
                try:
                    step(job)
                except (OSError, FormatError) as error:
                    self._fail(job, error)

    def _begin(self, job: Job) -> None:
        for entry, one in zip(job.entries, job.transfers, strict=True):
            self._make_folder(one.target.parent)
            one.begin()
            self._note_begun(entry, one)

    def _copy_all(self, jobs: Sequence[Job]) -> None:
        """Make the temporary copies in threads, which wait for the disk at the same time."""
        copied = [job for job in jobs if job.is_open and job.is_copied]
        if not copied:
            return
        with ThreadPool(COPYING_THREADS, "minicnn-copy") as pool:
            results = {id(job): pool.submit(job.copy) for job in copied}
            self._each(copied, lambda job: self._note_copied(job, results[id(job)]))

    def _note_copied(self, job: Job, result: PoolJob[None]) -> None:
        result.result()  # raises the error of the thread
        for entry, one in zip(job.entries, job.transfers, strict=True):
            if one.temporary is not None:
                self._note_digest(entry, one)

    def _place(self, job: Job) -> None:
        """Give the files of a group their names, with the next number if one of them is taken."""
        while True:
            try:
                for entry, one in zip(job.entries, job.transfers, strict=True):
                    self._place_or_find(entry, one)
                break
            except FileExistsError:
                job.take_back()
                if self.undo:
                    self._refuse_taken(job)
                self._next_names(job)
        self._note_there(job)

    def _place_or_find(self, entry: Entry, one: Transfer) -> None:
        """Place a file, unless it is a copy that another sorter has made meanwhile."""
        try:
            self._place_one(entry, one)
        except FileExistsError:
            if not one.keep or not is_unchanged(one.target, one.facts):
                raise
            one.there = True

    def _refuse_taken(self, job: Job) -> NoReturn:
        taken = [one for one in job.transfers if os.path.lexists(one.target)] or job.transfers
        raise FileExistsError(errno.EEXIST, NAME_TAKEN, str(taken[0].target))

    def _place_one(self, entry: Entry, one: Transfer) -> None:
        """Place a file; one that cannot be renamed here after all is copied."""
        try:
            one.place()
        except (NotImplementedError, OSError) as error:
            if one.temporary is not None or not _needs_copy(error):
                raise
            one.copy_first()
            self._note_begun(entry, one)
            self.log.now()
            one.copy()
            self._note_digest(entry, one)
            self.log.now()
            one.place()

    def _sync(self, job: Job) -> None:
        """Force the new names of copied files to the disk, before a source is removed."""
        for folder in {one.target.parent for one in job.transfers if one.temporary is not None}:
            if folder not in self._synced:
                make_durable(folder)
                self._synced.add(folder)

    def _leave(self, job: Job) -> None:
        for one in job.transfers:
            one.leave()

    def _next_names(self, job: Job) -> None:
        """Give all files of a group the next number with which no name is taken."""
        names = [Path(entry.source).name for entry in job.entries]
        folders = [one.target.parent for one in job.transfers]
        for number in range(job.number + 1, MAX_NUMBER):
            new = numbered_together(names, number)
            paths = [folder / name for folder, name in zip(folders, new, strict=True)]
            if not any(os.path.lexists(path) for path in paths):
                break
        job.number = number
        for entry, one, path in zip(job.entries, job.transfers, paths, strict=True):
            one.target = path
            entry.target = os.path.relpath(path, self.record.root)
            self.log.later(rename=entry.number, target=entry.target)
        self.log.now()

    def _note_there(self, job: Job) -> None:
        """Note which copies were not made because they are there already."""
        there = [e for e, one in zip(job.entries, job.transfers, strict=True) if one.there]
        if there:
            self._note_failed(job, THERE, there)
        job.there_already = len(there) == len(job.entries)

    def _make_folder(self, folder: Path) -> None:
        """Make the folder of a target, and those above it, below the root."""
        if folder in self._checked:
            return
        missing = []
        while not folder.is_dir() and folder != folder.parent:
            missing.append(folder)
            folder = folder.parent
        inside = Path(os.path.realpath(folder)).is_relative_to(os.path.realpath(self.record.root))
        if not inside and not self.undo:
            raise OSError(errno.ELOOP, LEADS_OUT, str(folder))
        for one in reversed(missing):
            if not self.undo:
                self.log.later(made=os.path.relpath(one, self.record.root))
                self.log.now()
            one.mkdir(exist_ok=True)
            folder = one
        self._checked.add(folder)

    def _fail(self, job: Job, error: OSError | FormatError) -> None:
        """Take back what was done to a group, and note why it failed."""
        reason = error.reason if isinstance(error, FormatError) else reason_of(error)
        job.failure = (file_of(job, error), reason)
        left = [e for e, one in zip(job.entries, job.transfers, strict=True) if one.left]
        for one in job.transfers:
            if not one.left:
                with suppress(OSError):
                    one.take_back()
        away = job.placed  # those that could not be taken back too
        self._note_done(away)
        self._note_failed(job, reason, [entry for entry in job.entries if entry not in away])
        if left:
            self._bring_back(left)

    def _bring_back(self, entries: Sequence[Entry]) -> None:
        """Carry files the other way whose companions could not be moved."""
        self.log.now()
        Carrier(self.record, self.log, undo=not self.undo).carry([entries])

    def _note_begun(self, entry: Entry, one: Transfer) -> None:
        temporary = None if one.temporary is None else self._in_journal(one.temporary)
        entry.facts |= one.facts
        line = {"begin": entry.number, "time": now_text(), "temporary": temporary}
        self.log.later(**line, facts=one.facts, **self._mark)

    def _note_digest(self, entry: Entry, one: Transfer) -> None:
        entry.facts |= one.facts
        self.log.later(copied=one.number, sha256=one.facts["sha256"])

    def _in_journal(self, path: Path) -> str:
        """Return a path as the journal has it: relative to the root if it is below it."""
        root = self.record.root
        return str(path.relative_to(root) if path.is_relative_to(root) else path)

    def _note_done(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            entry.is_sorted, entry.begun = not self.undo, None
            self.log.later(done=entry.number, **self._mark)

    def _note_failed(self, job: Job, reason: str, entries: Sequence[Entry]) -> None:
        """Note the failure before the temporary copies are removed, which alone would say less."""
        for entry in entries:
            self.log.later(failed=entry.number, reason=reason)
        with suppress(OSError):
            self.log.now()
        for one in job.transfers:
            one.drop()

    def _write_now(self, jobs: Sequence[Job]) -> None:
        """Force the journal to the disk; without it, no job is continued."""
        try:
            self.log.now()
        except OSError as error:
            for job in jobs:
                if job.is_open:
                    self._fail(job, error)


def _needs_copy(error: BaseException) -> bool:
    return isinstance(error, NotImplementedError) or (
        isinstance(error, OSError) and error.errno == errno.EXDEV
    )
