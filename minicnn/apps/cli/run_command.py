"""A run as the command line starts it: folder, settings, training, report, last words."""

from __future__ import annotations

import contextlib
import shlex
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from minicnn.apps.cli import output
from minicnn.apps.cli.exit_codes import GoalNotReached
from minicnn.apps.runs import folder as folders
from minicnn.apps.runs import gallery
from minicnn.apps.runs.experiment import Outcome, clean_up, run
from minicnn.apps.runs.folder import RunFolder
from minicnn.apps.runs.predictions import Answers, per_class
from minicnn.apps.runs.recipe import Recipe
from minicnn.apps.runs.report import write_report
from minicnn.apps.runs.report_json import here_texts
from minicnn.apps.runs.settings import Settings, from_toml, write_toml
from minicnn.errors import MiniCNNError, NumericError
from minicnn.installed import install_command
from minicnn.support.atomic_files import write_text

HEAD = "A minicnn run. `minicnn train` with this file repeats it."


def begin(settings: Settings, runs: Path) -> tuple[RunFolder, Settings]:
    """A new run folder with these settings written down."""
    left = folders.unfinished(runs, settings.title)
    if left is not None:
        output.note(
            f"{left.path} has not come to its end; if nobody is at it, --resume goes on with it"
        )
    folder = folders.new_folder(runs, settings.title)
    write_toml(folder.config, settings, HEAD)
    return folder, settings


def resume(title: str, runs: Path, epochs: int | None) -> tuple[RunFolder, Settings]:
    """The newest interrupted run of this title, with its own settings."""
    folder = folders.to_resume(runs, title)
    settings = from_toml(folder.config).changed(epochs=epochs)
    output.note(f"Going on with {folder.path}")
    return folder, settings


def whole_run(
    folder: RunFolder,
    settings: Settings,
    recipe: Recipe | None,
    fail_under: float | None,
    *,
    as_json: bool = False,
) -> None:
    """Train, measure, write the report, say where it is.

    Raises
    ------
    GoalNotReached
        Fewer of the test images are right than `fail_under`.
    """
    if not gallery.drawable():
        output.note(
            "matplotlib is not installed, so curves and galleries will be missing as pictures. For "
            f"them: {install_command('plot')}"
        )
    with folder.alone():
        outcome = _trained(folder, settings, recipe)
        report = write_report(folder, outcome, recipe, command_line())
        clean_up(folder)
    tell(folder, outcome, report, as_json=as_json)
    if fail_under is not None and outcome.answers.accuracy < fail_under:
        raise GoalNotReached(
            f"{outcome.answers.accuracy:.2%} of the test images are right, wanted are "
            f"{fail_under:.2%}"
        )


@contextlib.contextmanager
def _as_printed(recipe: Recipe | None) -> Iterator[None]:
    """A paper's own shear of 0.2 degrees needs no warning: the report says what it does."""
    with warnings.catch_warnings():
        if recipe is not None:
            warnings.filterwarnings("ignore", message="shear_range=")
        yield


def _trained(folder: RunFolder, settings: Settings, recipe: Recipe | None) -> Outcome:
    verbose = 0 if output.is_quiet() else "auto"
    try:
        with _as_printed(recipe):
            return run(settings, folder, verbose=verbose, say=output.note)
    except KeyboardInterrupt:
        output.note(f"To go on: {command_line('--resume')}")
        raise
    except NumericError as err:
        write_text(folder.failed, f"{err}\n")
        output.note(f"What is wrong: minicnn doctor {shlex.quote(str(folder.path))}")
        raise
    except (MiniCNNError, OSError):
        folder.remove_unused()
        raise


def tell(folder: RunFolder, outcome: Outcome, report: dict[str, Any], *, as_json: bool) -> None:
    """The results in a few lines, or report.json as one object."""
    if as_json:
        output.print_json(**{k: v for k, v in report.items() if k != "schema"})
        return
    here = here_texts(report)
    rows = report.get("paper")
    if rows:
        output.result(output.table(["", "paper", "here"], rows) + "\n")
    output.result(class_lines(outcome.answers) + "\n")
    output.result(
        f"{here['accuracy']} right: {here['wrong']} test images wrong, after {here['training']} "
        f"of training (epoch {report['best_epoch']} of {report['epochs']} was the best)"
    )
    some = outcome.answers.some()
    output.result(f"The Randomly selected Images are:\n{some}")
    output.result("\n".join(f"  {folder.path / name}" for name in SHOWN
                            if (folder.path / name).exists()))  # fmt: skip


def class_lines(answers: Answers) -> str:
    """The per-class table for a terminal."""
    head = ["class", "images", "right", "recall", "precision", "F1", "most often taken for"]
    rows = [
        [r.name, r.images, r.right, f"{r.recall:.1%}", f"{r.precision:.1%}", f"{r.f1:.3f}",
         r.taken_for or "none"]
        for r in per_class(answers)
    ]  # fmt: skip
    return output.table(head, rows)


# What the last lines point at; the rest is named in the report.
SHOWN = ("report.html", "best.mcnn", "report.json", "curves.png", "confusion.png", "mistakes.png")


def command_line(*more: str) -> str:
    """What was typed, as it would be typed again."""
    arguments = [arg for arg in sys.argv[1:] if arg not in more]
    return shlex.join(["minicnn", *arguments, *more])
