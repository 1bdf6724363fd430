"""`minicnn sort --undo` and `--resume`: what a journal says is taken back or gone on with."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

import click

from minicnn.apps import sorter
from minicnn.apps.cli import output
from minicnn.apps.cli.progress import counting
from minicnn.apps.cli.sort_texts import BACK, journal_line, outcome_fields, report
from minicnn.apps.sorter import Outcome
from minicnn.errors import ArgumentError
from minicnn.models.training.interrupt import Interrupt

LATEST = ""  # stands for the newest journal of a folder


def undo_sorting(given: str, folder: Path | None, *, as_json: bool) -> None:
    """Take back the sorting of a journal, or the last one into a folder."""
    journal = _journal(given, folder, sorter.latest_journal, "taken back")
    _carry_out(sorter.undo, journal, "undoing", BACK, as_json=as_json)


def resume_sorting(given: str, folder: Path | None, *, as_json: bool) -> None:
    """Go on with the sorting of a journal, or with the last one into a folder."""
    journal = _journal(given, folder, sorter.unfinished_journal, "gone on with")
    _carry_out(sorter.resume, journal, "sorting", "sorted", as_json=as_json)


def check_interrupted(folder: Path, *, really: bool) -> None:
    """Refuse to sort into a folder in which a sorting was killed; where nothing is done, warn."""
    if sorter.interrupted_journal(folder) is None:
        return
    text = (
        f"an earlier sorting was interrupted. Go on with it: {journal_line(folder, '--resume')}, "
        f"or take it back: {journal_line(folder, '--undo')}"
    )
    if really:
        raise ArgumentError(text)
    output.warn(text)


def _journal(
    given: str, folder: Path | None, newest: Callable[[Path], Path | None], what: str
) -> Path:
    """Return the journal that was given, or the newest one of the folder."""
    if given and not Path(given).is_dir():
        return Path(given)
    folder = Path(given) if given else folder
    if folder is None:
        raise click.UsageError("DIR is missing: minicnn sort holiday --undo")
    found = newest(folder)
    if found is None:
        raise FileNotFoundError(
            errno.ENOENT,
            f"no sorting into this folder can be {what}; give its journal, or the folder that was "
            "named with --into",
            str(folder),
        )
    return found


def _carry_out(
    function: Callable[..., Outcome], journal: Path, doing: str, done: str, *, as_json: bool
) -> None:
    """Undo or resume; the first Ctrl-C stops between two images, the second at once."""
    total = len(sorter.read_journal(journal).groups)
    with Interrupt() as interrupt, counting(doing) as progress:
        outcome = function(journal, done=lambda n: progress(n, total), stop=lambda: interrupt.asked)
    if as_json:
        output.print_json(**outcome_fields(outcome))
    report(None, outcome, done)
