"""The run folder: where one training puts all that it makes.

runs/scene-3/
  config.toml       every setting; `minicnn train config.toml` repeats the run
  log.jsonl         a line a group of batches and a line an epoch, as they happen
  history.csv       a row an epoch
  checkpoints/      what an interrupted run goes on from; in the end last.mcnn
  best.mcnn         the model of the best epoch
  report.json       everything that was measured; there once the run has come to its end
  failed.txt        why the training broke off, if it did: going on would not help
  report.html       the same for people, pictures and all in one file
  curves.png  confusion.png  confusion.csv  per_class.csv
  mistakes.csv  mistakes.png  mistakes/    the worst mistakes first
  predictions.csv  random.png
  train/  validation/    event files, if the settings ask for TensorBoard
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

MAX_NAME = 60


class RunFolder:
    """Paths of one run. Nothing is made before `make`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def config(self) -> Path:
        """The settings."""
        return self.path / "config.toml"

    @property
    def checkpoints(self) -> Path:
        """What an interrupted training goes on from."""
        return self.path / "checkpoints"

    @property
    def best(self) -> Path:
        """The model of the best epoch."""
        return self.path / "best.mcnn"

    @property
    def last(self) -> Path:
        """The model as the training left it."""
        return self.checkpoints / "last.mcnn"

    @property
    def history(self) -> Path:
        """A row of numbers an epoch."""
        return self.path / "history.csv"

    @property
    def report(self) -> Path:
        """What was measured; its being there says that the run is complete."""
        return self.path / "report.json"

    @property
    def failed(self) -> Path:
        """Why the training cannot go on; there only if it broke off of itself."""
        return self.path / "failed.txt"

    @property
    def is_complete(self) -> bool:
        """Has the run come to its end?"""
        return self.report.exists()

    @property
    def is_begun(self) -> bool:
        """Is there a run at all, complete or not?"""
        return self.config.exists()

    def make(self) -> None:
        """Make the folder and the one for checkpoints."""
        self.checkpoints.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep every other process out of the folder, and take away what killed ones left in it.

        Raises
        ------
        FolderInUseError : another process is at work here
        ArgumentError : it came to its end in the meantime
        """
        with FolderLock(self.path):
            if self.is_complete:
                raise ArgumentError(f"{self.path} has come to its end; there is nothing to go on")
            for folder in (self.path, self.checkpoints):
                sweep(folder)
            yield

    def remove_unused(self) -> None:
        """Take the folder away if no training began in it: nothing there could be resumed."""
        lock = self.path / LOCK
        mine = {self.config, self.checkpoints, lock}
        if {*self.path.iterdir()} <= mine and not any(self.checkpoints.iterdir()):
            self.config.unlink(missing_ok=True)
            lock.unlink(missing_ok=True)
            self.checkpoints.rmdir()
            self.path.rmdir()


def new_folder(runs: Path, title: str) -> RunFolder:
    """The folder `runs`/`title`-n of the next free number; made, so that nobody else takes it."""
    base = _base(title)
    runs.mkdir(parents=True, exist_ok=True)
    number = max(_numbers(runs, base), default=0) + 1
    while True:
        folder = RunFolder(runs / f"{base}-{number}")
        try:
            folder.path.mkdir()
        except FileExistsError:  # somebody else was faster
            number += 1
            continue
        folder.make()
        return folder


def unfinished(runs: Path, title: str) -> RunFolder | None:
    """The newest run of this title that has begun and not come to its end."""
    base = _base(title)
    for number in sorted(_numbers(runs, base), reverse=True):
        folder = RunFolder(runs / f"{base}-{number}")
        if folder.is_begun and not folder.is_complete and not folder.failed.exists():
            return folder
    return None


def to_resume(runs: Path, title: str) -> RunFolder:
    """As `unfinished`; raises ArgumentError where there is none, and says what there is."""
    found = unfinished(runs, title)
    if found is not None:
        return found
    there = _ends(runs, title) or "there is no run at all"
    raise ArgumentError(
        f"no interrupted run of {title!r} in {runs}: {there}. Leave --resume out to start one, or "
        "name the folder of runs with --runs"
    )


def _ends(runs: Path, title: str) -> str:
    """What became of the runs, none of which can go on."""
    base = _base(title)
    names = [f"{base}-{number}" for number in sorted(_numbers(runs, base))]
    failed = [name for name in names if RunFolder(runs / name).failed.exists()]
    complete = [name for name in names if name not in failed]
    parts = [f"{', '.join(complete)} came to their end"] if complete else []
    if failed:
        parts.append(f"{', '.join(failed)} failed (minicnn doctor {runs / failed[-1]})")
    return ", ".join(parts)


def _base(title: str) -> str:
    """What the folders of this title are called, before their numbers.

    >>> _base("cats & dogs!")
    'cats-dogs'
    """
    return re.sub(r"[^\w.-]+", "-", title).strip("-.")[:MAX_NAME] or "run"


def _numbers(runs: Path, base: str) -> list[int]:
    """The numbers n of the folders base-n."""
    if not runs.is_dir():
        return []
    found = (re.fullmatch(re.escape(base) + r"-(\d+)", path.name) for path in runs.iterdir())
    return [int(match[1]) for match in found if match]
