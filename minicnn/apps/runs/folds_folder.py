"""The folder of a cross-validation, with a run folder for each fold.

runs/scene-4/
  config.toml       every setting; `minicnn train config.toml` repeats the cross-validation
  fold-1/ fold-2/   the run of each fold, a run folder with a model and a report of its own
  folds.csv         the scores of each fold, their means and standard deviations
  report.json       all measurements; it is written last and marks the cross-validation as complete
  report.html       the report for people, on one page that includes its figures
  curves.png  confusion.png  confusion.csv  per_class.csv  predictions.csv  mistakes.png
                    over all folds: each image was predicted by the fold that tested it
  failed.txt        why the training of a fold failed, if one did
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from minicnn.apps.runs.folder import FOLD, ResultFolder, RunFolder
from minicnn.errors import FolderInUseError
from minicnn.support.atomic_files import sweep
from minicnn.support.locks import FolderLock


class FoldsFolder(ResultFolder):
    """The paths of a cross-validation. The folds' folders are created by `make`."""

    def __init__(self, path: Path, count: int) -> None:
        super().__init__(path)
        self.count = count  # of the folds

    @property
    def table(self) -> Path:
        """The table of the folds' scores."""
        return self.path / "folds.csv"

    @property
    def folds(self) -> list[RunFolder]:
        """The run folders of all folds, in order."""
        return [self.fold(number) for number in range(1, self.count + 1)]

    @property
    def unfinished(self) -> list[int]:
        """The numbers of the folds that are not complete."""
        return [number for number, fold in enumerate(self.folds, 1) if not fold.is_complete]

    def fold(self, number: int) -> RunFolder:
        """Return the run folder of a fold, counted from 1."""
        return RunFolder(self.path / f"{FOLD}-{number}")

    def make(self) -> None:
        """Create the folder of every fold, which also marks this folder as a cross-validation."""
        for fold in self.folds:
            fold.make()

    def tidy(self) -> None:
        """Remove what killed processes left in complete folds, which nobody locks again."""
        sweep(self.path)
        for fold in self.folds:
            with suppress(FolderInUseError), FolderLock(fold.path):
                sweep(fold.path)
                fold.remove_checkpoints()

    def remove_unused(self) -> None:
        """Remove the folder if no training has begun in it, as there is nothing to resume."""
        if any(fold.is_begun for fold in self.folds):
            return
        for fold in self.folds:
            if fold.path.is_dir():
                with suppress(FolderInUseError), FolderLock(fold.path):
                    fold.remove_unused()
        if {*self.path.iterdir()} <= {self.config}:
            self.config.unlink(missing_ok=True)
            self.path.rmdir()
