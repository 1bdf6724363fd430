"""Run an experiment from the command line: print its progress and results, set the exit code."""

from __future__ import annotations

import functools
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from minicnn.apps.cli import output
from minicnn.apps.cli.exit_codes import GoalNotReached
from minicnn.apps.runs import experiment
from minicnn.apps.runs.experiment import FinishedRun
from minicnn.apps.runs.predictions import CLASS_HEADINGS, Counts, per_class
from minicnn.apps.runs.recipe import Recipe
from minicnn.apps.runs.report_json import measured_texts
from minicnn.apps.runs.settings import Settings

T = TypeVar("T")

# The files that the last lines name; the report links the others.
SHOWN = (
    "report.html", "best.mcnn", "report.json", "curves.png", "before_after.png", "confusion.png",
    "mistakes.png",
)  # fmt: skip


def run(
    settings: Settings,
    runs: Path,
    recipe: Recipe | None = None,
    *,
    fail_under: float | None,
    as_json: bool,
) -> None:
    """Run a new experiment and print its results.

    Raises
    ------
    GoalNotReached : the accuracy on the test images is below `fail_under`
    """
    start = functools.partial(experiment.run, settings, runs, recipe=recipe)
    _run(start, fail_under, as_json)


def resume(
    title: str,
    runs: Path,
    epochs: int | None,
    recipe: Recipe | None = None,
    *,
    fail_under: float | None,
    as_json: bool,
) -> None:
    """Continue the newest interrupted run of this title, and print its results as `run` does."""
    start = functools.partial(experiment.resume, title, runs, epochs, recipe=recipe)
    _run(start, fail_under, as_json)


def _run(start: Callable[..., FinishedRun], fail_under: float | None, as_json: bool) -> None:
    finished = with_progress(start)
    show(finished, as_json=as_json)
    accuracy = finished.result.predictions.accuracy
    check_goal(accuracy, fail_under, "test images")


def with_progress(start: Callable[..., T]) -> T:
    """Call a function that trains, show its progress on standard error, and return its result."""
    with output.prints_to_stderr():
        return start(
            command=shlex.join(["minicnn", *sys.argv[1:]]),
            verbose=output.verbosity(),
            say=output.note,
        )


def check_goal(accuracy: float, fail_under: float | None, images: str) -> None:
    """Raise GoalNotReached if the accuracy on these images is below `--fail-under`."""
    if fail_under is not None and accuracy < fail_under:
        raise GoalNotReached(
            f"{accuracy:.2%} of the {images} are right, below --fail-under {fail_under:.2%}"
        )


def show(finished: FinishedRun, *, as_json: bool) -> None:
    """Print the results as a few lines, or report.json as one object."""
    report, predictions = finished.report, finished.result.predictions
    if as_json:
        output.print_json(**{k: v for k, v in report.items() if k != "schema"})
        return
    if rows := report.get("paper"):
        output.result(output.table(["", "paper", "here"], rows) + "\n")
    output.result(class_table(predictions) + "\n")
    if changes := report.get("before_after"):
        output.result(output.table(changes["table"][0], changes["table"][1:]) + "\n")
    texts = measured_texts(report)
    output.result(
        f"{texts['accuracy']} right: {texts['wrong']} test images wrong, after "
        f"{texts['training']} of training (epoch {report['best_epoch']} of {report['epochs']} was "
        "the best)"
    )
    # The line is in the paper's own words.
    output.result(f"The Randomly selected Images are:\n{predictions.random_indices()}")
    show_files(finished.folder.path, SHOWN)


def show_files(folder: Path, names: Sequence[str]) -> None:
    """Print the paths of the files in the folder that exist."""
    files = (folder / name for name in names)
    output.result("\n".join(f"  {file}" for file in files if file.exists()))


def class_table(counts: Counts) -> str:
    """Return the scores of all classes as a table for the terminal."""
    rows = [
        [r.name, r.images, r.right, f"{r.recall:.1%}", f"{r.precision:.1%}", f"{r.f1:.3f}",
         r.taken_for or "none"]
        for r in per_class(counts)
    ]  # fmt: skip
    return output.table(CLASS_HEADINGS, rows)
