"""Callbacks that save the model during training."""

from __future__ import annotations

import errno
import os
import re
import warnings
from collections.abc import Collection
from pathlib import Path
from typing import Any, Literal

from minicnn.callbacks.base import Callback, Logs, check_path, make_folder
from minicnn.callbacks.monitor import MonitorCallback, number_in
from minicnn.checks import check_flag, check_int, check_number
from minicnn.errors import ArgumentError, CheckpointError, FormatError, SizeLimitError
from minicnn.support.atomic_files import sweep
from minicnn.support.locks import FolderLock
from minicnn.support.main_process import is_main
from minicnn.support.text import say

Frequency = Literal["epoch"] | int


class ModelCheckpoint(MonitorCallback):
    """Saves the model after each epoch, or whenever a monitored value improves.

    Parameters
    ----------
    filepath : may contain {epoch} (from 1), {batch} and names of the logs, as in
        "{epoch}-{val_loss:.2f}.mcnn"; its folder is created if it does not exist
    monitor, mode : what counts as an improvement: see EarlyStopping
    verbose : 1 prints what is saved
    save_best_only : True saves only when the monitored value improves
    save_weights_only : True leaves out the optimizer and its state; with Adam this is a third of
        the size
    save_freq : "epoch", or a number of batches
    initial_value_threshold : the value that the first saved model must improve on
    """

    without = "saves every model"

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: Frequency = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        threshold = initial_value_threshold
        if threshold is not None:
            threshold = check_number(threshold, "initial_value_threshold")
        super().__init__(monitor, mode, threshold)
        self.filepath, self.verbose = str(check_path(filepath, "filepath")), verbose
        self.save_best_only, self.save_weights_only = save_best_only, save_weights_only
        self.save_freq = check_frequency(save_freq)
        self._epoch = 0

    def check_logs(self, epoch: Collection[str], batch: Collection[str]) -> None:
        """Warn if the logs will lack the monitored value; raise if they lack a part of the name.

        A value that is only known at the end of an epoch, between batches, is an ArgumentError.
        """
        names, name = batch if self.every_batch else epoch, self._watch.found_in(epoch)
        if self.save_best_only and name is not None and name not in names:
            raise ArgumentError(
                f"ModelCheckpoint monitors {name!r}, which is known at the end of an epoch, but "
                f"save_freq={self.save_freq} saves between batches, which have {sorted(batch)}. "
                "Use save_freq='epoch', or monitor one of these"
            )
        if self.save_best_only:
            super().check_logs(names, batch)
        self.path_for(dict.fromkeys(names, 0.0), 1 if self.every_batch else None)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Raise the errors that saving would raise; create the folder if its name is known."""
        path = Path(self.filepath)
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, "the path of a model must be a file", str(path))
        if not self.save_weights_only:
            self.model.check_savable()
        if "{" not in str(path.parent):
            make_folder(path.parent)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Remember the epoch for the file's name."""
        self._epoch = epoch

    @property
    def every_batch(self) -> bool:
        """Whether models are saved in the middle of an epoch."""
        return self.save_freq != "epoch"

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Save after every `save_freq` steps."""
        if self.save_freq != "epoch" and self.model.optimizer.steps % self.save_freq == 0:
            self._save(logs or {}, batch + 1)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Save after the epoch."""
        if self.save_freq == "epoch":
            self._epoch = epoch
            self._save(logs or {})

    def get_state(self) -> dict[str, Any]:
        """Return the best value so far."""
        return {"best": self.best}

    def set_state(self, state: dict[str, Any]) -> None:
        """Restore the best value so far."""
        self.best = number_in(state, "best")

    def _save(self, logs: Logs, batch: int | None = None) -> None:
        path = self.path_for(logs, batch)
        reason = ""
        if self.save_best_only:
            value, before = self.monitored(logs), self._watch.best_text
            if value is not None and not self.improves(value, self.best):
                self._say(f"{self.monitor} did not improve from {before}")
                return
            if value is not None:
                self.best = value
                reason = f"{self.monitor} improved from {before} to {value:.5f}, "
            elif not self._missing:
                return  # an epoch without a validation
        self._say(f"{reason}saving model to {path}")
        make_folder(Path(path).parent)
        if self.save_weights_only:
            self.model.save_weights(path)
        else:
            self.model.save(path)

    def path_for(self, logs: Logs, batch: int | None) -> str:
        """Return the name of the next file: `filepath` with the epoch, the batch and the values."""
        known = {**logs, "epoch": self._epoch + 1}
        if batch is not None:
            known["batch"] = batch
        try:
            return self.filepath.format(**known)
        except (LookupError, ValueError) as err:
            raise ArgumentError(
                f"filepath {self.filepath!r} cannot be filled in ({err}); this training has "
                f"{sorted(known)}"
            ) from err

    def _say(self, text: str) -> None:
        if self.verbose:
            say(f"Epoch {self._epoch + 1}: {text}")


class BackupAndRestore(Callback):
    """Writes checkpoints and resumes from the newest one, even if the process was killed.

    The resumed training ends with the same bits as one that was never interrupted. The folder is
    locked while the training runs. Of several processes that train together, the main one alone
    reads and writes the folder.

    Parameters
    ----------
    backup_dir : a folder for `checkpoint-<step>.mcnn` alone; it is created if it does not exist
    save_freq : "epoch", or a number of batches
    double_checkpoint : without effect, because the last `keep` checkpoints are always there, and
        each is written as a whole or not at all
    delete_checkpoint : True removes the checkpoints at the end of the training
    keep : how many checkpoints to keep, the newest ones

    Raises
    ------
    CheckpointError : there are checkpoints but none can be read, or the newest one that can be
        read is of another network or training
    FolderInUseError : another training, of this process or another, uses the folder
    """

    adds_logs = False

    def __init__(
        self,
        backup_dir: str | os.PathLike[str],
        save_freq: Frequency = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
        *,
        keep: int = 3,
    ) -> None:
        self.folder = check_path(backup_dir, "backup_dir")
        self.save_freq = check_frequency(save_freq)
        self.double_checkpoint = check_flag(double_checkpoint, "double_checkpoint")
        self.delete_checkpoint = delete_checkpoint
        self.keep = check_int(keep, "keep")
        self._lock = FolderLock(self.folder)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Lock the folder, remove what killed saves left, and load the newest good checkpoint."""
        make_folder(self.folder)
        self._lock.acquire()
        sweep(self.folder)
        found = self._checkpoints()
        bad: list[str] = []
        for step in sorted(found, reverse=True):
            try:
                self.model.load_checkpoint(found[step])
            except CheckpointError:  # good, but of another training, so it must not be skipped
                raise
            except (FormatError, SizeLimitError, OSError) as err:
                bad.append(f"{found[step].name}: {err}")
            else:
                break
        if bad and len(bad) == len(found):
            raise CheckpointError(
                f"none of the {len(bad)} checkpoints in {self.folder} can be used: "
                f"{'; '.join(bad)}. Delete them to start afresh"
            )
        for text in bad:
            warnings.warn(f"bad checkpoint, an older one is used: {text}", stacklevel=2)

    @property
    def every_batch(self) -> bool:
        """Whether models are saved in the middle of an epoch."""
        return self.save_freq != "epoch"

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Save after every `save_freq` steps."""
        if self.save_freq != "epoch" and self.model.optimizer.steps % self.save_freq == 0:
            self._save()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Save after the epoch."""
        if self.save_freq == "epoch":
            self._save()

    def on_interrupt(self) -> None:
        """Save the progress, and print where."""
        say(f"Interrupted; progress is saved in {self._save()}")

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Remove the checkpoints, if wanted, and the folder if it is empty then."""
        if self.delete_checkpoint:
            for path in self._checkpoints().values():
                path.unlink()
            self._lock.release()  # its file would keep the folder from being removed
            if is_main() and not any(self.folder.iterdir()):
                self.folder.rmdir()

    def on_exit(self) -> None:
        """Unlock the folder for other trainings."""
        self._lock.release()

    def _save(self) -> Path:
        step = self.model.optimizer.steps
        path = self.folder / f"checkpoint-{step}.mcnn"
        self.model.save_checkpoint(path)
        self._drop_older_than(step)
        return path

    def _drop_older_than(self, step: int) -> None:
        # A checkpoint of a later step is a bad one that was skipped; it stays as evidence.
        found = {s: path for s, path in self._checkpoints().items() if s <= step}
        for old in sorted(found, reverse=True)[self.keep :]:
            found[old].unlink()

    def _checkpoints(self) -> dict[int, Path]:
        """Return the files by their steps; none on a process that is not the main one."""
        found = {}
        for path in self.folder.iterdir() if is_main() else ():
            match = re.fullmatch(r"checkpoint-(\d+)\.mcnn", path.name)
            if match:
                found[int(match[1])] = path
        return found


def check_frequency(value: Any) -> Frequency:
    """Return `save_freq`, which must be "epoch" or a number of batches."""
    return "epoch" if value == "epoch" else check_int(value, 'save_freq, if not "epoch",')
