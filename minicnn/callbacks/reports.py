"""Callbacks that report: CSVLogger and LambdaCallback."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Collection
from typing import Any

from minicnn.callbacks.base import HOOKS, Callback, Logs, check_path
from minicnn.checks import check_int, quoted, warn_caller
from minicnn.errors import ArgumentError
from minicnn.support.atomic_files import open_for_changes
from minicnn.support.files import open_regular, path_in_errors
from minicnn.support.main_process import by_main_only


class CSVLogger(Callback):
    """Writes one row per epoch to a CSV file: the epoch, counted from 0, and the logs.

    The columns are the values of the first row and those of the validation; a value that is missing
    in an epoch leaves its cell empty. A resumed training drops the rows of epochs that it trains
    again.

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
            raise ArgumentError(
                f"separator must be one character like ','; got {quoted(separator)}"
            )
        self.path, self.separator = check_path(filename, "filename"), separator
        self.append = append
        self._length = 0  # bytes of the header and of the rows so far
        self._names: list[str] = []  # of all values that the logs will have, as far as is known

    def check_logs(self, epoch: Collection[str], batch: Collection[str]) -> None:
        """Warn of values that the file of an earlier training has no column for."""
        self._names = list(epoch)
        columns = self._columns() if self.append and self.path.exists() else []
        missing = [name for name in epoch if name not in columns]
        if columns and missing:
            warn_caller(
                f"{self.path} has no column for {missing}: its columns are {columns}, and append "
                "keeps them. Use another filename to record all values"
            )

    @by_main_only
    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Create the file, so that a wrong path is an error before the first epoch."""
        with path_in_errors(self.path), open_for_changes(self.path) as file:
            end = file.seek(0, os.SEEK_END)
            if self.append and end:
                file.seek(end - 1)
                if file.read(1) != b"\n":  # an editor may have dropped the last newline
                    end += file.write(b"\n")
            self._length = end if self.append else 0

    @by_main_only
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

    @by_main_only
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
            columns or list(dict.fromkeys(["epoch", *self._names, *row])),
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

    Parameters
    ----------
    on_epoch_begin, on_epoch_end, on_train_begin, on_train_end : functions, or None
    on_train_batch_begin, on_train_batch_end : functions, or None
    hooks : functions for the other hooks of a callback, as `on_test_end=...`
    """

    def __init__(
        self,
        on_epoch_begin: Callable[..., Any] | None = None,
        on_epoch_end: Callable[..., Any] | None = None,
        on_train_begin: Callable[..., Any] | None = None,
        on_train_end: Callable[..., Any] | None = None,
        on_train_batch_begin: Callable[..., Any] | None = None,
        on_train_batch_end: Callable[..., Any] | None = None,
        **hooks: Callable[..., Any] | None,
    ) -> None:
        given = {name: hook for name, hook in locals().items() if name.startswith("on_")} | hooks
        for name, hook in given.items():
            if name not in HOOKS:
                raise ArgumentError(f"no hook {name!r}; callbacks have {sorted(HOOKS)}")
            if hook is not None and not callable(hook):
                raise ArgumentError(f"{name} must be a function; got {quoted(hook)}")
            if hook is not None:
                setattr(self, name, hook)
