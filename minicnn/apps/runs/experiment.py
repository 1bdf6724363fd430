"""One experiment: settings -> folder -> images -> model -> training -> evaluation -> report.

`run` starts an experiment and `resume` continues an interrupted one. Both do all of the work, from
Python as from the command line, which only translates options and prints results.

Several processes, started by `mpirun`, load the images and train together. Then all but the main
one end, with exit code 0: it alone evaluates the network and writes the report.
"""

from __future__ import annotations

import contextlib
import shlex
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from minicnn import random
from minicnn.apps.runs import bases, continual, gallery, training, transfer
from minicnn.apps.runs.before_after import compare
from minicnn.apps.runs.calibrating import calibrated
from minicnn.apps.runs.feature_sampling import sampled_features
from minicnn.apps.runs.folder import ResultFolder, RunFolder, new_folder, to_resume, unfinished
from minicnn.apps.runs.folds_folder import FoldsFolder
from minicnn.apps.runs.load_images import load_images
from minicnn.apps.runs.log import RunLog
from minicnn.apps.runs.networks import input_preprocess
from minicnn.apps.runs.predictions import Predictions, evaluate
from minicnn.apps.runs.processes import (
    check_resumable,
    from_main,
    joined,
    leave_the_rest_to_main,
)
from minicnn.apps.runs.recipe import Recipe
from minicnn.apps.runs.report import write_report
from minicnn.apps.runs.run_result import RunResult
from minicnn.apps.runs.settings import Settings, from_toml, write_toml
from minicnn.apps.runs.throttled_progress import Say
from minicnn.apps.runs.training import TrainingJob, TrainingStart
from minicnn.errors import ArgumentError, MiniCNNError, NumericError
from minicnn.installed import install_command
from minicnn.models import Model, load_model
from minicnn.support.atomic_files import write_text

HEAD = "A minicnn run. `minicnn train` with this file repeats it."
COMMAND = "minicnn train config.toml"  # repeats any run, with its folder's config.toml


class FinishedRun(NamedTuple):
    """A complete run: its folder, its result and the contents of report.json."""

    folder: RunFolder
    result: RunResult
    report: dict[str, Any]


def run(
    settings: Settings,
    runs: Path,
    *,
    recipe: Recipe | None = None,
    command: str = COMMAND,
    verbose: int | str = "auto",
    say: Say = print,
) -> FinishedRun:
    """Train and evaluate a network as the settings say, and write a run folder with a report.

    Parameters
    ----------
    settings : every choice of the training
    runs : the folder in which the run folder is created, such as runs/scene-1
    recipe : a paper's system, with whose results the report compares this run
    command : the command line that the report shows
    verbose : how `Model.fit` shows its progress, 0, 1, 2 or "auto"
    say : called with each message about the progress

    Raises
    ------
    FileNotFoundError, ArgumentError, UnreadableImagesError
        The images do not exist or do not suit the settings. The run folder is removed again. Or
        the settings are those of a cross-validation, which needs several runs.
    NumericError
        The loss became NaN or infinite. The run folder's failed.txt says so.
    """
    _check_single(settings)
    settings = joined(settings)
    folder = RunFolder(from_main(lambda: _new_path(runs, settings.title, say)))
    write_toml(folder.config, settings, HEAD)
    return _complete(folder, settings, recipe, command, verbose, say)


def resume(
    title: str,
    runs: Path,
    epochs: int | None = None,
    *,
    recipe: Recipe | None = None,
    command: str = COMMAND,
    verbose: int | str = "auto",
    say: Say = print,
) -> FinishedRun:
    """Continue the newest interrupted run of this title with its own settings.

    It ends with the same bits as a run that was never interrupted.

    Parameters
    ----------
    title : the run's name, or its network's name if it has none
    runs : the folder that contains the run folder
    epochs : the number of epochs to train in all; default: as the run was started
    recipe, command, verbose, say : as in `run`
    """
    folder = RunFolder(from_main(lambda: to_resume(runs, title).path))
    settings = from_toml(folder.config).changed(epochs=epochs)
    check_resumable(folder.path, settings)
    settings = joined(settings)
    say(f"Resuming {folder.path}")
    return _complete(folder, settings, recipe, command, verbose, say)


def _new_path(runs: Path, title: str, say: Say) -> Path:
    """Create a run folder; say so if an earlier one is unfinished."""
    left = unfinished(runs, title)
    if left is not None:
        say(f"{left.path} is unfinished. Unless it is still running, --resume continues it")
    return new_folder(runs, title).path


def _complete(
    folder: RunFolder,
    settings: Settings,
    recipe: Recipe | None,
    command: str,
    verbose: int | str,
    say: Say,
) -> FinishedRun:
    """Train in a new or interrupted run folder, and write its report."""
    note_missing_figures(say)
    with folder.locked(), failures_recorded(folder, command, say):
        return work_in(folder, settings, recipe, command, verbose, say)


def work_in(
    folder: RunFolder,
    settings: Settings,
    recipe: Recipe | None,
    command: str,
    verbose: int | str,
    say: Say,
) -> FinishedRun:
    """Train in a run folder that this process has locked, and write its report."""
    with _paper_settings_accepted(recipe):
        result = train_and_evaluate(settings, folder, verbose, say)
    report = write_report(folder, result, recipe, command)
    folder.remove_checkpoints()
    return FinishedRun(folder, result, report)


def note_missing_figures(say: Say) -> None:
    """Say that a report will have no figures, if matplotlib is not installed."""
    if not gallery.can_draw():
        say(
            "matplotlib is not installed, so the report will lack its figures. To install it: "
            f"{install_command('plot')}"
        )


def train_and_evaluate(
    settings: Settings, folder: RunFolder, verbose: int | str, say: Say
) -> RunResult:
    """Train in `folder`, resuming from its checkpoints, and evaluate the best epoch's model."""
    random.set_random_seed(settings.seed)
    bases.check(settings)
    continual.check(settings)
    start = continual.prepare(settings, say) if settings.start else _prepare(settings, say)
    log = RunLog(folder.log)
    job = TrainingJob(settings, start.images, start.preprocess, start.network, folder, log, verbose)
    history = transfer.fit(job, say) if settings.base else training.fit(job)
    leave_the_rest_to_main()
    return _evaluate(job, start, history)


def _prepare(settings: Settings, say: Say) -> TrainingStart:
    """Load the images for a new network."""
    preprocess = input_preprocess(settings)
    images = load_images(settings, preprocess, say)
    if settings.base:
        images = transfer.with_validation(images, settings, preprocess, say)
    elif settings.normalize:
        preprocess = training.with_normalization(preprocess, images.train)
    return TrainingStart(images, preprocess)


def _evaluate(job: TrainingJob, start: TrainingStart, history: training.History) -> RunResult:
    """Test the best epoch's model, and compare it with the earlier run's, if there is one."""
    best, images = load_model(job.folder.best), job.images
    began = time.perf_counter()
    predictions, loss = evaluate(best, job.preprocess, images.test, images.class_names)
    seconds = {"training": job.log.seconds, "classifying": time.perf_counter() - began}
    _annotate(best, job, predictions)
    changes = None
    if start.earlier is not None:
        changes = compare(start.earlier, images.test, start.earlier_tests, predictions)
    return RunResult(
        job.settings,
        images,
        best,
        history,
        best_epoch=int(np.argmax(history[training.MONITOR])) + 1,
        predictions=predictions,
        loss=loss,
        seconds=seconds,
        changes=changes,
    )


def _annotate(best: Model, job: TrainingJob, test: Predictions) -> None:
    """Store the calibration and some features of images in the best epoch's model file."""
    share = job.settings.allow_unreadable
    best.calibration = calibrated(best, job.preprocess, job.images, test)
    best.feature_sample = sampled_features(best, job.preprocess, job.images, share)
    best.save(job.folder.best)


def _check_single(settings: Settings) -> None:
    if settings.folds and not settings.fold:
        raise ArgumentError(
            f"folds={settings.folds} needs {settings.folds} runs, which cross_validation.run does; "
            "set fold too for a single one of them"
        )


@contextlib.contextmanager
def failures_recorded(folder: RunFolder | FoldsFolder, command: str, say: Say) -> Iterator[None]:
    """Leave a folder as it should be if the training in it fails, and say what can be done."""
    try:
        yield
    except KeyboardInterrupt:
        say(f"To resume: {resume_command(command, folder)}")
        raise
    except NumericError as err:
        write_text(folder.failed, f"{err}\n")
        say(f"To find the cause: minicnn doctor {shlex.quote(str(folder.path))}")
        raise
    except (MiniCNNError, OSError):
        folder.remove_unused()
        raise


def resume_command(command: str, folder: ResultFolder) -> str:
    """Return the command line that resumes a run which was started by `command`.

    >>> resume_command("minicnn reproduce scene --epochs 3", RunFolder(Path("runs/scene-1")))
    'minicnn reproduce scene --epochs 3 --resume'
    >>> resume_command(COMMAND, RunFolder(Path("runs/scene-1")))
    'minicnn train runs/scene-1/config.toml --runs runs --resume'
    """
    if command == COMMAND:
        words = ["minicnn", "train", str(folder.config), "--runs", str(folder.path.parent)]
    else:
        words = [word for word in shlex.split(command) if word != "--resume"]
    return shlex.join([*words, "--resume"])


@contextlib.contextmanager
def _paper_settings_accepted(recipe: Recipe | None) -> Iterator[None]:
    """Silence the warning about a paper's shear of 0.2 degrees: its report explains it."""
    with warnings.catch_warnings():
        if recipe is not None:
            warnings.filterwarnings("ignore", message="shear_range=")
        yield
