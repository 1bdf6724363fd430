"""The progress of commands that read many files, on standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from minicnn.apps.cli import output
from minicnn.apps.runs.throttled_progress import throttled_progress

SECONDS = 30.0  # between two lines in a log


@contextmanager
def counting(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar, and give the function of (done, total) that updates it.

    The bar disappears at the end. With `--quiet`, or if standard error is not a terminal, none is
    shown.
    """
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    hidden = output.is_quiet() or not console.is_terminal or console.is_dumb_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden) as shown:
        task = shown.add_task(what, total=None)
        yield lambda done, total: shown.update(task, completed=done, total=total)


@contextmanager
def counting_in_logs(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar as `counting` does; without a terminal, a line every 30 seconds."""
    note = throttled_progress(output.note, what, seconds=SECONDS)
    with counting(what) as show:
        if sys.stderr.isatty():
            yield show
        else:
            yield note
