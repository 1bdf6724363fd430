"""Applying a plan, and going on with one that was interrupted."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from minicnn.apps.sorter.carrying import Carrier
from minicnn.apps.sorter.jobs import Job, chunks
from minicnn.apps.sorter.journal import Entry, Log, Record, header, new_journal
from minicnn.apps.sorter.outcome import Outcome
from minicnn.apps.sorter.planning import Plan
from minicnn.apps.sorter.transfer import make_durable
from minicnn.support.locks import held

Done = Callable[[int], None]
Stop = Callable[[], bool]


def apply(plan: Plan, *, done: Done | None = None, stop: Stop | None = None) -> Outcome:
    """Copy or move the files of a plan to the folders of their classes.

    A journal is written ahead, from which `undo` takes everything back and `resume` goes on after
    a kill. No file is replaced: a name that was taken since the plan was made gets a number. A
    group that cannot be carried, because a file is locked or the disk is full, stays where it was.

    Parameters
    ----------
    plan : as `make_plan` returned it
    done : called with the number of images that were carried so far
    stop : called between images; True ends the sorting, which `resume` can go on with

    Raises
    ------
    OSError : the journal cannot be written, so nothing was begun
    """
    carried = [one for one in plan.items if one.is_carried]
    skipped = len(plan.items) - len(carried)
    if not carried:
        return Outcome(0, [], skipped)
    plan.into.mkdir(parents=True, exist_ok=True)
    path = new_journal(plan.into)
    record = _record(plan, path)
    with Log(path) as log, held(path):
        _write_plan(record, log)
        outcome = carry_all(Carrier(record, log), record.groups, done=done, stop=stop)
    return outcome._replace(skipped=outcome.skipped + skipped)


class Worker(Protocol):
    """Does something to some groups of files at a time: `Carrier` or `Remover`."""

    record: Record
    log: Log

    def carry(self, groups: Sequence[Sequence[Entry]]) -> list[Job]:
        """Return for each group how it ended."""


def carry_all(
    carrier: Worker,
    groups: Sequence[Sequence[Entry]],
    *,
    done: Done | None = None,
    stop: Stop | None = None,
) -> Outcome:
    """Carry all groups, some at a time; `stop` is asked in between."""
    carried, skipped, stopped = 0, 0, False
    failed: list[tuple[Path, str]] = []
    for part in chunks(carrier.record, groups):
        if stopped := stop is not None and stop():
            break
        jobs = carrier.carry(part)
        failed += [job.failure for job in jobs if job.failure is not None]
        skipped += sum(job.there_already for job in jobs)
        carried += sum(job.is_open for job in jobs)
        if done is not None:
            done(carried + skipped + len(failed))
    if carrier.record.files:
        carrier.log.later(ended=True)
    carrier.log.finish()
    return Outcome(carried, failed, skipped, carrier.record.path, stopped)


def _record(plan: Plan, path: Path) -> Record:
    """Return the record of a plan of which nothing has been done."""
    record = Record(path, plan.into, plan.choices.move)
    for group, item in enumerate(one for one in plan.items if one.is_carried):
        for source, target in zip(item.group.files, item.targets, strict=True):
            record.files.append(
                Entry(
                    len(record.files),
                    group,
                    _below(source, plan.into),
                    _below(target, plan.into),
                    item.label or "",
                    item.probability,
                )
            )
    return record


def _below(path: Path, root: Path) -> str:
    """Return a path relative to the root, or the whole one if it is not below it."""
    return str(path.relative_to(root)) if path.is_relative_to(root) else os.path.abspath(path)


def _write_plan(record: Record, log: Log) -> None:
    """Write all lines of the plan; without them, nothing is begun."""
    log.later(**header(record.move))
    for entry in record.files:
        log.later(
            file=entry.number,
            group=entry.group,
            source=entry.source,
            target=entry.target,
            label=entry.label,
            probability=entry.probability,
        )
    log.later(planned=len(record.files))
    log.now()
    for folder in (record.path.parent, record.root):  # the name of the journal too
        make_durable(folder)
