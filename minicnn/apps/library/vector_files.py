"""The vectors of one extractor in files that searching maps into memory.

The database is what counts: these files can be made again from it at any time. They are

state.json       how many rows of which files are valid; it is replaced in one step
vectors-NUMBER   float16 (n, D), rows are only ever appended
facts-NUMBER     the other facts of the same rows, see stored_rows.FACTS
lock             held by the process that appends

A kill while rows are appended leaves bytes behind that state.json does not count, and the next
process writes over them. Rows that the database does not have any more stay until `replace` writes
files with a new number.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minicnn.apps.library.stored_rows import FACTS, Rows
from minicnn.errors import MiniCNNError
from minicnn.support.atomic_files import open_for_changes, write_text
from minicnn.support.files import open_regular, read_text
from minicnn.support.locks import locked

FORMAT = 1
KINDS = ("vectors", "facts")


class State(NamedTuple):
    """Which files are valid, and how many of their rows."""

    number: str
    rows: int


class VectorFiles:
    """The files of one extractor in a folder of their own."""

    def __init__(self, folder: Path, dimensions: int) -> None:
        self.folder, self.dimensions = folder, dimensions

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from changing the files; the folder is made if needed."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with locked(self.folder / "lock"):
            yield

    def state(self) -> State:
        """Return the state; that of new, empty files if there is no valid one."""
        with suppress(OSError, ValueError, KeyError, TypeError, MiniCNNError):
            found = json.loads(read_text(self.folder / "state.json"))
            state = State(str(found["number"]), int(found["rows"]))
            if found["format"] == FORMAT and found["dimensions"] == self.dimensions:
                self._check_sizes(state)
                return state
        return State(secrets.token_hex(8), 0)

    def read(self, state: State) -> Rows:
        """Map the rows into memory; what is appended later does not change them."""
        if not state.rows:
            return Rows(np.zeros(0, FACTS), np.zeros((0, self.dimensions), np.float16))
        vectors, facts = (self._path(kind, state) for kind in KINDS)
        shape = (state.rows, self.dimensions)
        return Rows(_mapped(facts, FACTS, shape[:1]), _mapped(vectors, np.float16, shape))

    def append(self, state: State, blocks: Iterable[Rows]) -> State:
        """Append rows; return the new state. The caller holds the lock."""
        count = state.rows
        with (
            open_for_changes(self._path("vectors", state)) as vectors,
            open_for_changes(self._path("facts", state)) as facts,
        ):
            vectors.seek(count * self._bytes("vectors"))
            facts.seek(count * self._bytes("facts"))
            for block in blocks:
                vectors.write(np.ascontiguousarray(block.vectors).data)
                facts.write(np.ascontiguousarray(block.facts).tobytes())
                count += len(block.facts)
            for file in (vectors, facts):
                file.flush()
                os.fsync(file.fileno())
        return self._written(state._replace(rows=count))

    def replace(self, blocks: Iterable[Rows]) -> State:
        """Write new files with these rows, and remove the old ones. The caller holds the lock."""
        state = self.append(State(secrets.token_hex(8), 0), blocks)
        for path in self.folder.iterdir():
            if path.name.startswith(KINDS) and not path.name.endswith(state.number):
                with suppress(OSError):  # on Windows, while another process has it mapped
                    path.unlink()
        return state

    def _written(self, state: State) -> State:
        fields = state._asdict() | {"format": FORMAT, "dimensions": self.dimensions}
        write_text(self.folder / "state.json", json.dumps(fields))
        return state

    def _check_sizes(self, state: State) -> None:
        if state.rows < 0:
            raise ValueError("a negative number of rows")
        for kind in KINDS:
            if self._path(kind, state).stat().st_size < state.rows * self._bytes(kind):
                raise ValueError(f"{kind} end too early")

    def _path(self, kind: str, state: State) -> Path:
        return self.folder / f"{kind}-{state.number}"

    def _bytes(self, kind: str) -> int:
        """Return the size of a row."""
        return 2 * self.dimensions if kind == "vectors" else FACTS.itemsize


def _mapped(path: Path, dtype: np.dtype | type, shape: tuple[int, ...]) -> np.ndarray:
    """Return the first rows of a file as an array that is mapped into memory."""
    with open_regular(path) as file:
        return np.memmap(file, dtype, "r", shape=shape)
