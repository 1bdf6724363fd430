"""Noticing at little cost that something in a library has changed."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Hashable

from django.db import connections

from minicnn.apps.library.opening import Library


class Changes:
    """Says whether a library has changed; threads may share it.

    SQLite counts, for each connection, what others commit, so there is one connection that only
    asks for that. PostgreSQL numbers all transactions that write.
    """

    def __init__(self, library: Library) -> None:
        self.library = library
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._file: Hashable = None

    def version(self) -> Hashable:
        """Return a value; while it stays the same, nothing has been committed."""
        if self.library.file is None:
            with connections[self.library.alias].cursor() as cursor:
                cursor.execute("SELECT pg_current_snapshot()::text")
                return cursor.fetchone()[0]
        with self._lock:
            return self._version_of_file(os.fspath(self.library.file))

    def _version_of_file(self, path: str) -> Hashable:
        status = os.stat(path)
        file = status.st_dev, status.st_ino
        if self._connection is None or file != self._file:  # the library has been made again
            self.close()
            self._connection = sqlite3.connect(path, check_same_thread=False)
            self._file = file
        return file, self._connection.execute("PRAGMA data_version").fetchone()[0]

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
