"""Callbacks that report: CSVLogger, LambdaCallback and TensorBoard."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Collection
from typing import Any

from minicnn.callbacks.base import Callback, Logs, Trainer, check_path, make_folder
from minicnn.checks import check_int, quoted, warn_caller
from minicnn.errors import ArgumentError
from minicnn.installed import missing_extra
from minicnn.support.atomic_files import open_for_changes
from minicnn.support.files import open_regular, path_in_errors


class CSVLogger(Callback):
    """Writes one row per epoch to a CSV file: the epoch, counted from 0, and the logs.

    The first row determines the columns; a value that is missing later leaves its cell empty. A
    resumed training drops the rows of epochs that it trains again.

    Parameters
    ----------
    filename : the file; it is replaced unless `append`
    separator : one character between the cells
    append : True adds rows to the file of an earlier training, whose columns stay
    """

    adds_logs = False

    def __init__(
        self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False
    ) -> None:
        if not isinstance(separator, str) or len(separator) != 1 or separator in '\r\n"':
            raise ArgumentError(f"separator must be one character like ','; got {separator!r:.80}")
        self.path, self.separator = check_path(filename, "filename"), separator
        self.append = append
        self._length = 0  # bytes of the header and of the rows so far

    def check_logs(self, epoch: Collection[str], batch: Collection[str]) -> None:
        """Warn of values that the file of an earlier training has no column for."""
        columns = self._columns() if self.append and self.path.exists() else []
        missing = [name for name in epoch if name not in columns]
        if columns and missing:
            warn_caller(
                f"{self.path} has no column for {missing}: its columns are {columns}, and append "
                "keeps them. Use another filename to record all values"
            )

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Create the file, so that a wrong path is an error before the first epoch."""
        with path_in_errors(self.path), open_for_changes(self.path) as file:
            end = file.seek(0, os.SEEK_END)
            if self.append and end:
                file.seek(end - 1)
                if file.read(1) != b"\n":  # an editor may have dropped the last newline
                    end += file.write(b"\n")
            self._length = end if self.append else 0

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Write the row; it is on disk when this returns."""
        row = {"epoch": epoch, **(logs or {})}
        with path_in_errors(self.path), open_for_changes(self.path) as file:
            file.truncate(self._length)
            columns = self._columns() if self._length else []
            file.seek(self._length)
            file.write(self._text(columns, row).encode())
            file.flush()
            os.fsync(file.fileno())
            self._length = file.tell()

    def get_state(self) -> dict[str, Any]:
        """Return how many bytes of the file belong to the epochs so far."""
        return {"length": self._length}

    def set_state(self, state: dict[str, Any]) -> None:
        """Continue the file after the rows of the epochs so far."""
        self._length = min(check_int(state["length"], "length", 0), self.path.stat().st_size)

    def _columns(self) -> list[str]:
        """Return the names in the first line; [] if the file is empty."""
        with open_regular(self.path) as file:
            text = io.TextIOWrapper(file, encoding="utf-8", errors="replace", newline="")
            return next(csv.reader(text, delimiter=self.separator), [])

    def _text(self, columns: list[str], row: dict[str, Any]) -> str:
        """Return the row as text, with a header before it if there are no columns yet."""
        text = io.StringIO()
        writer = csv.DictWriter(
            text,
            columns or list(row),
            extrasaction="ignore",
            delimiter=self.separator,
            lineterminator="\n",
        )
        if not columns:
            writer.writeheader()
        writer.writerow(row)
        return text.getvalue()


class LambdaCallback(Callback):
    """Calls functions at the hooks of their names.

    >>> report = LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, logs))
    """

    def __init__(
        self,
        on_epoch_begin: Callable[..., Any] | None = None,
        on_epoch_end: Callable[..., Any] | None = None,
        on_train_begin: Callable[..., Any] | None = None,
        on_train_end: Callable[..., Any] | None = None,
        on_train_batch_begin: Callable[..., Any] | None = None,
        on_train_batch_end: Callable[..., Any] | None = None,
    ) -> None:
        hooks = {name: hook for name, hook in locals().items() if name.startswith("on_")}
        for name, hook in hooks.items():
            if hook is not None and not callable(hook):
                raise ArgumentError(f"{name} must be a function; got {quoted(hook)}")
            if hook is not None:
                setattr(self, name, hook)


class TensorBoard(Callback):
    """Writes curves for `tensorboard --logdir DIR`.

    Parameters
    ----------
    log_dir : the folder for the subfolders `train` and `validation`
    update_freq : "epoch", or a number of batches after which the curves `batch_...` get a point

    Raises
    ------
    MissingExtraError : tensorboardX is not installed
    """

    adds_logs = False

    def __init__(
        self, log_dir: str | os.PathLike[str] = "logs", *, update_freq: str | int = "epoch"
    ) -> None:
        self.log_dir = check_path(log_dir, "log_dir")
        self.update_freq = update_freq
        if update_freq != "epoch":
            check_int(update_freq, 'update_freq, if not "epoch",')
        self._new_writer = _summary_writer()
        self._writers: dict[str, Any] = {}
        self._epoch = 0

    def set_model(self, model: Trainer) -> None:
        """Set `self.model`, and begin new files."""
        super().set_model(model)
        self._close()

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Create the folder, so that a wrong path is an error before the first epoch."""
        make_folder(self.log_dir)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Remember the epoch: later points replace those that an interrupted training wrote."""
        self._epoch = epoch

    @property
    def every_batch(self) -> bool:
        """Whether the curves have points per batch."""
        return self.update_freq != "epoch"

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Add the points of a batch, at the number of steps so far."""
        step = self.model.optimizer.steps
        if self.update_freq != "epoch" and step % int(self.update_freq) == 0:
            for name, value in (logs or {}).items():
                self._writer("train").add_scalar(f"batch_{name}", value, step)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Add the points of an epoch; `val_` values go to the folder of the validation."""
        for name, value in (logs or {}).items():
            folder = "validation" if name.startswith("val_") else "train"
            tag = f"epoch_{name.removeprefix('val_')}"
            self._writer(folder).add_scalar(tag, value, epoch)
        for writer in self._writers.values():
            writer.flush()

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Close the files of the curves."""
        self._close()

    def on_interrupt(self) -> None:
        """Close the files of the curves."""
        self._close()

    def _writer(self, folder: str) -> Any:
        if folder not in self._writers:
            purge = {"purge_step": self._epoch} if self.update_freq == "epoch" else {}
            self._writers[folder] = self._new_writer(str(self.log_dir / folder), **purge)
        return self._writers[folder]

    def _close(self) -> None:
        for writer in self._writers.values():
            writer.close()
        self._writers = {}


def _summary_writer() -> Any:
    try:
        from tensorboardX import SummaryWriter
    except ModuleNotFoundError as err:
        raise missing_extra("TensorBoard needs tensorboardX", "tensorboard") from err
    return SummaryWriter
