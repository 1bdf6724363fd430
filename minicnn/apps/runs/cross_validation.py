"""Cross-validation: one run for each fold, and one result over all of them.

`run` starts a cross-validation and `resume` continues one. Several processes may do this at the
same time, also on several machines that share the folder: each takes the next fold that is neither
complete nor locked by another process. The one that completes the last fold writes the result. A
fold's run depends on the settings alone, so the result is the same in whatever order and by however
many processes the folds were trained.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from minicnn.apps.runs import experiment
from minicnn.apps.runs.experiment import COMMAND
from minicnn.apps.runs.fold_images import fold_files
from minicnn.apps.runs.folder import RunFolder, new_path, to_resume, unfinished
from minicnn.apps.runs.folds_folder import FoldsFolder
from minicnn.apps.runs.folds_report import write_folds_report
from minicnn.apps.runs.folds_results import read_report
from minicnn.apps.runs.processes import refuse_several
from minicnn.apps.runs.published import is_published
from minicnn.apps.runs.settings import Settings, from_toml, write_toml
from minicnn.apps.runs.throttled_progress import Say
from minicnn.errors import ArgumentError, FolderInUseError, MiniCNNError, NumericError
from minicnn.support.atomic_files import write_text
from minicnn.support.locks import FolderLock

ALONE = (
    "Start it without mpirun; every further process that is started with --resume, also on "
    "another machine, trains some of the folds"
)
HEAD = "A minicnn cross-validation. `minicnn train` with this file repeats it."


class FinishedFolds(NamedTuple):
    """What a process leaves: the folder, and report.json's contents if all folds are complete."""

    folder: FoldsFolder
    report: dict[str, Any] | None


class CrossValidation(NamedTuple):
    """A cross-validation that a process works on."""

    folder: FoldsFolder
    settings: Settings
    command: str
    verbose: int | str
    say: Say


def run(
    settings: Settings,
    runs: Path,
    *,
    fold: int = 0,
    command: str = COMMAND,
    verbose: int | str = "auto",
    say: Say = print,
) -> FinishedFolds:
    """Train a network once per fold, and write a folder with the runs and the result of all.

    Parameters
    ----------
    settings : every choice of the training; `folds` is the number of folds, `fold` is 0
    runs : the folder in which the folder of the cross-validation is created
    fold : the only fold to train now, 1...folds; default: all
    command : the command line that the report shows
    verbose : how `Model.fit` shows its progress, 0, 1, 2 or "auto"
    say : called with each message about the progress

    Raises
    ------
    FileNotFoundError, ArgumentError, UnreadableImagesError
        The images do not exist, do not suit the settings or are too few for the folds. Nothing is
        left on the disk.
    NumericError
        The loss of a fold became NaN or infinite. failed.txt says so.
    """
    _check(settings, fold)
    refuse_several("A cross-validation", ALONE)
    _check_images(settings, say)
    left = unfinished(runs, settings.title, folds=True)
    if left is not None:
        say(f"{left.path} is unfinished. --resume continues it, or helps where it is running")
    folder = FoldsFolder(new_path(runs, settings.title), settings.folds)
    folder.make()
    write_toml(folder.config, settings, HEAD)
    return _work(CrossValidation(folder, settings, command, verbose, say), fold)


def resume(
    title: str,
    runs: Path,
    *,
    fold: int = 0,
    folds: int | None = None,
    epochs: int | None = None,
    command: str = COMMAND,
    verbose: int | str = "auto",
    say: Say = print,
) -> FinishedFolds:
    """Continue the newest unfinished cross-validation of this title with its own settings.

    Folds that another process trains are left to it. The result has the same bits as that of a
    cross-validation that was never interrupted.

    Parameters
    ----------
    title : the name of the cross-validation, or its network's name if it has none
    runs : the folder that contains its folder
    folds, epochs : what it is expected to have been started with; default: anything
    fold, command, verbose, say : as in `run`

    Raises
    ------
    ArgumentError : there is none, or it was started with other folds or epochs
    """
    refuse_several("A cross-validation", ALONE)
    found = to_resume(runs, title, folds=True)
    settings = from_toml(found.config)
    _check(settings, fold)
    _check_same(found.path, settings, {"folds": folds, "epochs": epochs})
    folder = FoldsFolder(found.path, settings.folds)
    say(f"Resuming {folder.path}, {settings.folds} folds")
    folder.make()
    return _work(CrossValidation(folder, settings, command, verbose, say), fold)


def fold_settings(settings: Settings, fold: int) -> Settings:
    """Return the settings of one fold's run."""
    return settings.changed(fold=fold, name=f"{settings.title}-fold-{fold}")


def _check(settings: Settings, fold: int) -> None:
    """Raise ArgumentError if these are not the settings of a cross-validation with this fold."""
    if not settings.folds or settings.fold:
        raise ArgumentError(
            f"a cross-validation needs folds >= 2 and fold = 0; got folds = {settings.folds} and "
            f"fold = {settings.fold}"
        )
    fold_settings(settings, fold)


def _check_same(path: Path, settings: Settings, expected: dict[str, int | None]) -> None:
    """Raise ArgumentError if a cross-validation was started otherwise than is expected."""
    for name, value in expected.items():
        began = getattr(settings, name)
        if value not in (None, began):
            raise ArgumentError(
                f"{path} was started with {name} = {began}, not {value}, and all its folds are "
                f"trained alike; continue it with {began}, or start a new one without --resume"
            )


def _check_images(settings: Settings, say: Say) -> None:
    """Divide the files of a folder into all folds, so that errors come before any training."""
    path = Path(settings.data)
    divided = f"The training images are divided into {settings.folds} folds; the"
    if not settings.data or is_published(path):
        say(f"{divided} test images are left alone")
    elif path.is_dir():
        numbers = range(1, settings.folds + 1)
        every = [fold_files(path, fold_settings(settings, number)) for number in numbers]
        if alone := every[0].left_alone:
            say(f"{divided} {alone:,} test images are left alone")


def _work(job: CrossValidation, fold: int) -> FinishedFolds:
    """Train one fold or all that are free, and write the result if none is left."""
    experiment.note_missing_figures(job.say)
    with experiment.failures_recorded(job.folder, job.command, job.say):
        if fold:
            with job.folder.fold(fold).locked():
                _train(job, fold)
        else:
            while any(_train_if_free(job, number) for number in job.folder.unfinished):
                pass  # a fold that another process held may be free by now
        return FinishedFolds(job.folder, _result(job))


def _train_if_free(job: CrossValidation, number: int) -> bool:
    """Train a fold unless another process does or has done it; return whether it was trained."""
    if job.folder.failed.exists():
        raise ArgumentError(f"{job.folder.path}: another process has failed; failed.txt says why")
    fold = job.folder.fold(number)
    fold.make()
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(fold.locked())
        except (FolderInUseError, ArgumentError):  # the latter: it is complete by now
            return False
        _train(job, number)
    return True


def _train(job: CrossValidation, number: int) -> None:
    """Train a fold, whose folder this process has locked."""
    fold, settings = job.folder.fold(number), fold_settings(job.settings, number)
    which = f"Fold {number} of {settings.folds}"
    job.say(which)
    write_toml(fold.config, settings, experiment.HEAD)
    with _failure_in(fold, which), warnings.catch_warnings():
        # A class that not every fold can test was named once, before the first fold.
        warnings.filterwarnings("ignore", message="some of the k=")
        finished = experiment.work_in(fold, settings, None, COMMAND, job.verbose, job.say)
    best = f"epoch {finished.result.best_epoch} of {finished.report['epochs']} was the best"
    job.say(f"{which}: {finished.result.predictions.accuracy:.2%} right, {best}")


@contextlib.contextmanager
def _failure_in(fold: RunFolder, which: str) -> Iterator[None]:
    """Leave the folder of a fold that failed as it should be, and name the fold in the error."""
    try:
        yield
    except NumericError as err:
        write_text(fold.failed, f"{err}\n")
        raise NumericError(f"{which}: {err}") from err
    except (MiniCNNError, OSError):
        fold.remove_unused()
        raise


def _result(job: CrossValidation) -> dict[str, Any] | None:
    """Write the result of all folds; return None if a fold is missing, or another writes it."""
    folder = job.folder
    if folder.unfinished:
        return None
    try:
        with FolderLock(folder.path):
            if folder.is_complete:
                return read_report(folder)
            folder.tidy()
            return write_folds_report(folder, job.settings, job.command)
    except FolderInUseError:
        return None
