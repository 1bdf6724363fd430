"""Run a cross-validation from the command line: print its progress and its result."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from minicnn.apps.cli import output
from minicnn.apps.cli.run_command import check_goal, class_table, show_files, with_progress
from minicnn.apps.runs import cross_validation
from minicnn.apps.runs.cross_validation import FinishedFolds
from minicnn.apps.runs.folds_folder import FoldsFolder
from minicnn.apps.runs.folds_page import FOLD_HEADINGS, fold_score_rows
from minicnn.apps.runs.predictions import Counts
from minicnn.apps.runs.settings import Settings
from minicnn.support.text import format_seconds

# The files that the last lines name; the report links the others.
SHOWN = (
    "report.html", "folds.csv", "report.json", "curves.png", "confusion.png", "mistakes.png",
)  # fmt: skip


def run(
    settings: Settings, runs: Path, fold: int, *, fail_under: float | None, as_json: bool
) -> None:
    """Run a new cross-validation, or one fold of it, and print its result.

    Raises
    ------
    GoalNotReached : the mean accuracy is below `fail_under`
    """
    start = functools.partial(cross_validation.run, settings, runs, fold=fold)
    _run(start, fail_under, as_json)


def resume(
    title: str,
    runs: Path,
    fold: int,
    *,
    folds: int | None,
    epochs: int | None,
    fail_under: float | None,
    as_json: bool,
) -> None:
    """Continue the newest unfinished cross-validation of this title, as `run` does.

    `folds` and `epochs` must be as they were when it was started, if they are given.
    """
    start = functools.partial(
        cross_validation.resume, title, runs, fold=fold, folds=folds, epochs=epochs
    )
    _run(start, fail_under, as_json)


def _run(start: Callable[..., FinishedFolds], fail_under: float | None, as_json: bool) -> None:
    finished = with_progress(start)
    if finished.report is None:
        show_unfinished(finished.folder, as_json=as_json)
        return
    show(finished.folder, finished.report, as_json=as_json)
    check_goal(
        finished.report["mean"]["accuracy"], fail_under, "images, on average over the folds,"
    )


def show(folder: FoldsFolder, report: dict[str, Any], *, as_json: bool) -> None:
    """Print the result as a few lines, or report.json as one object."""
    if as_json:
        fields = {name: value for name, value in report.items() if name != "schema"}
        output.print_json(complete=True, **fields)
        return
    counts = Counts(np.array(report["confusion"]), report["data"]["classes"])
    output.result(class_table(counts) + "\n")
    output.result(output.table(FOLD_HEADINGS, fold_score_rows(report)) + "\n")
    accuracy = report["mean"]["accuracy"]
    deviation = 100 * report["standard_deviation"]["accuracy"]
    output.result(
        f"{accuracy:.2%} right, the mean of {folder.count} folds, with a standard deviation of "
        f"{deviation:.2f} points: {report['all_folds']['wrong']:,} of "
        f"{report['data']['images']:,} images wrong, after "
        f"{format_seconds(report['seconds']['training'], 'words')} of training"
    )
    show_files(folder.path, SHOWN)


def show_unfinished(folder: FoldsFolder, *, as_json: bool) -> None:
    """Print which folds are missing, or which process writes the result."""
    left = folder.unfinished
    if as_json:
        output.print_json(complete=False, folder=folder.path, unfinished_folds=left)
    elif left:
        output.result(
            f"{folder.path}: of {folder.count} folds, these are not complete: "
            f"{', '.join(map(str, left))}. The process that completes the last one writes the "
            "result; --resume trains those that no process is training"
        )
    else:
        output.result(f"{folder.path}: another process is writing the result of all folds")
