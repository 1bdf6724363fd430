"""The run folder, which holds everything that one training writes.

runs/scene-3/
  config.toml       every setting; `minicnn train config.toml` repeats the run
  log.jsonl         one line every few seconds and one line per epoch, written as they happen
  history.csv       one row per epoch
  fine_tuning.csv   the same of the epochs in which a base was fine-tuned
  checkpoints/      what --resume continues from; after the run, last.mcnn
  best.mcnn         the model of the best epoch
  report.json       all measurements; it is written last and marks the run as complete
  failed.txt        why the training failed, if it did; such a run cannot be resumed
  report.html       the report for people, on one page that includes its figures
  curves.png  confusion.png  confusion.csv  per_class.csv
  before_after.csv  before_after.png       of continual learning: each class's accuracy
  mistakes.csv  mistakes.png  mistakes/    the most confident mistakes first
  predictions.csv  random.png  reliability.png
  robustness.csv  robustness.png  robustness_images.png    from `minicnn test RUN --robustness`
  train/  validation/    TensorBoard's event files, if the settings ask for them
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from minicnn.errors import ArgumentError
from minicnn.support.atomic_files import sweep
from minicnn.support.locks import NAME as LOCK
from minicnn.support.locks import FolderLock
from minicnn.support.main_process import by_main_only

MAX_NAME = 60
FOLD = "fold"  # the runs of a cross-validation are in fold-1, fold-2, ...


class ResultFolder:
    """The files that a run and a cross-validation have in common."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def config(self) -> Path:
        """The file with the settings."""
        return self.path / "config.toml"

    @property
    def report(self) -> Path:
        """The file of all measurements; the work is complete once it exists."""
        return self.path / "report.json"

    @property
    def failed(self) -> Path:
        """The file that says why the training failed; it exists only if it did."""
        return self.path / "failed.txt"

    @property
    def is_complete(self) -> bool:
        """Whether the work has finished and the report is written."""
        return self.report.exists()

    @property
    def is_begun(self) -> bool:
        """Whether the work was started here, complete or not."""
        return self.config.exists()


class RunFolder(ResultFolder):
    """The paths of one run. The folder itself is created by `make`."""

    @property
    def log(self) -> Path:
        """The file that `RunLog` appends to."""
        return self.path / "log.jsonl"

    @property
    def checkpoints(self) -> Path:
        """The folder of checkpoints that an interrupted training resumes from."""
        return self.path / "checkpoints"

    @property
    def best(self) -> Path:
        """The model of the epoch with the best validation accuracy."""
        return self.path / "best.mcnn"

    @property
    def last(self) -> Path:
        """The model after the last epoch."""
        return self.checkpoints / "last.mcnn"

    @property
    def best_head(self) -> Path:
        """The best classifier on the features of a frozen base, without the base."""
        return self.checkpoints / "head.mcnn"

    @property
    def head_checkpoints(self) -> Path:
        """The folder of checkpoints of the training of such a classifier."""
        return self.checkpoints / "head"

    @property
    def fine_tuning(self) -> Path:
        """The table of losses and metrics of the epochs in which a base was fine-tuned."""
        return self.path / "fine_tuning.csv"

    @property
    def before_after(self) -> Path:
        """The table of accuracies before and after continual learning."""
        return self.path / "before_after.csv"

    @property
    def history(self) -> Path:
        """The table of losses and metrics, one row per epoch."""
        return self.path / "history.csv"

    def make(self) -> None:
        """Create the folder and its folder for checkpoints."""
        self.checkpoints.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the folder against other processes, and remove what killed ones left half-written.

        Raises
        ------
        FolderInUseError : another process is working in the folder
        ArgumentError : the run is complete
        """
        with FolderLock(self.path):
            if self.is_complete:
                raise ArgumentError(f"{self.path} is complete; there is nothing to resume")
            for folder in (self.path, self.checkpoints):
                sweep(folder)
            yield

    @by_main_only
    def remove_unused(self) -> None:
        """Remove the folder if no training has begun in it, as there is nothing to resume."""
        lock = self.path / LOCK
        removable = {self.config, self.checkpoints, lock}
        if {*self.path.iterdir()} <= removable and not any(self.checkpoints.iterdir()):
            self.config.unlink(missing_ok=True)
            lock.unlink(missing_ok=True)
            self.checkpoints.rmdir()
            self.path.rmdir()

    @by_main_only
    def remove_checkpoints(self) -> None:
        """Remove the checkpoints of a complete run; `last.mcnn` stays."""
        for path in self.checkpoints.rglob("checkpoint-*.mcnn"):
            path.unlink()
        self.best_head.unlink(missing_ok=True)
        if self.head_checkpoints.is_dir():
            sweep(self.head_checkpoints)
            (self.head_checkpoints / LOCK).unlink(missing_ok=True)
            self.head_checkpoints.rmdir()


def new_folder(runs: Path, title: str) -> RunFolder:
    """Create the folder `runs`/`title`-n, where n is the first number above all that exist."""
    folder = RunFolder(new_path(runs, title))
    folder.make()
    return folder


def new_path(runs: Path, title: str) -> Path:
    """Create an empty folder `runs`/`title`-n, with the first number above all that exist."""
    base = _base(title)
    runs.mkdir(parents=True, exist_ok=True)
    number = max(_numbers(runs, base), default=0) + 1
    while True:
        path = runs / f"{base}-{number}"
        try:
            path.mkdir()
        except FileExistsError:  # another process has just taken this number
            number += 1
            continue
        return path


def fold_paths(path: Path) -> list[Path]:
    """Return the folders fold-1, fold-2, ... of a cross-validation; none if `path` is not one."""
    return [path / f"{FOLD}-{number}" for number in sorted(_numbers(path, FOLD))]


def unfinished(runs: Path, title: str, *, folds: bool = False) -> ResultFolder | None:
    """Return the newest run of this title that has begun and neither finished nor failed.

    With `folds`, it is the newest such cross-validation.
    """
    base = _base(title)
    for number in sorted(_numbers(runs, base), reverse=True):
        folder = ResultFolder(runs / f"{base}-{number}")
        if not folder.is_begun or folder.is_complete or folder.failed.exists():
            continue
        if folds == bool(fold_paths(folder.path)):
            return folder
    return None


def to_resume(runs: Path, title: str, *, folds: bool = False) -> ResultFolder:
    """Return the newest unfinished run, or cross-validation.

    Raises
    ------
    ArgumentError : there is none; the error lists the others of this title
    """
    found = unfinished(runs, title, folds=folds)
    if found is not None:
        return found
    what = "cross-validation" if folds else "run"
    other = unfinished(runs, title, folds=not folds)
    if other is not None:
        kind = "a single run; leave out --folds" if folds else "a cross-validation; add --folds"
        others = f"{other.path.name} is {kind} to continue it"
    else:
        others = _finished_runs(runs, title) or "there are no runs of that name"
    raise ArgumentError(
        f"no interrupted {what} of {title!r} in {runs}: {others}. Start a new {what} without "
        "--resume, or give the folder of your runs with --runs"
    )


def _finished_runs(runs: Path, title: str) -> str:
    """Return which runs are complete and which failed, as text."""
    base = _base(title)
    names = [f"{base}-{number}" for number in sorted(_numbers(runs, base))]
    failed = [name for name in names if RunFolder(runs / name).failed.exists()]
    complete = [name for name in names if name not in failed]
    texts = []
    if complete:
        texts.append(f"{', '.join(complete)} {'is' if len(complete) == 1 else 'are'} complete")
    if failed:
        texts.append(f"{', '.join(failed)} failed (minicnn doctor {runs / failed[-1]})")
    return ", ".join(texts)


def _base(title: str) -> str:
    """Return the name that all run folders of a title share, without the number.

    >>> _base("cats & dogs!")
    'cats-dogs'
    """
    return re.sub(r"[^\w.-]+", "-", title).strip("-.")[:MAX_NAME] or "run"


def _numbers(runs: Path, base: str) -> list[int]:
    """Return every n for which there is a folder base-n."""
    if not runs.is_dir():
        return []
    found = (re.fullmatch(re.escape(base) + r"-(\d+)", path.name) for path in runs.iterdir())
    return [int(match[1]) for match in found if match]
