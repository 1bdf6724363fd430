"""Removing the copies of a sorting, each only if its original has the same content."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from minicnn.apps.sorter.jobs import Job
from minicnn.apps.sorter.journal import Entry, Log, Record
from minicnn.apps.sorter.transfer import is_unchanged
from minicnn.data.image_files import reason_of


class Remover:
    """Removes the copies of groups of files; `carry_all` calls it as it calls a `Carrier`."""

    def __init__(self, record: Record, log: Log) -> None:
        self.record, self.log = record, log

    def carry(self, groups: Sequence[Sequence[Entry]]) -> list[Job]:
        """Remove the copies of some groups; return for each of them how it ended."""
        jobs = [Job(entries, ()) for entries in groups]
        for job in jobs:
            job.failure = self._why_left(job.entries)
            if job.failure is None:
                self._remove(job)
        self.log.finish()  # not needed: a copy that is gone was removed, whatever the journal says
        return jobs

    def _why_left(self, entries: Sequence[Entry]) -> tuple[Path, str] | None:
        """Return the first file of a group that keeps its copies from being removed, and why."""
        for entry in entries:
            source, copy = self.record.path_of(entry.source), self.record.path_of(entry.target)
            try:
                if os.path.lexists(copy) and not is_unchanged(copy, entry.facts):
                    return copy, "changed since it was sorted"
                if not is_unchanged(source, entry.facts):
                    return copy, "its original has changed or is gone"
            except OSError as error:
                return copy, reason_of(error)
        return None

    def _remove(self, job: Job) -> None:
        for entry in job.entries:
            copy = self.record.path_of(entry.target)
            try:
                copy.unlink(missing_ok=True)
            except OSError as error:
                job.failure = (copy, reason_of(error))
                return
            entry.is_sorted = False
            self.log.later(done=entry.number, undo=True)
