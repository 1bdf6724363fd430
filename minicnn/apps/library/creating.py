"""Making the tables of a library, so that a kill or a second process never meets half of them."""

from __future__ import annotations

import errno
import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from django.core.management import call_command
from django.db import connections, transaction
from django.db.migrations.executor import MigrationExecutor

from minicnn.errors import LibraryError
from minicnn.support.atomic_files import new_temporary, sweep
from minicnn.support.no_replace import place_without_replacing

# In the header of the SQLite file: "mcnn". Other programs' files are not given our tables.
APPLICATION = int.from_bytes(b"mcnn", "big")
LOCK = APPLICATION  # of PostgreSQL: held by one process while it makes tables
LOCKED = "SELECT pg_advisory_xact_lock(%s)"
POSTGRESQL = "postgresql"


def make_file(path: Path) -> None:
    """Make an empty SQLite file that is marked as a library; leave one that exists as it is.

    Raises
    ------
    FileNotFoundError, PermissionError : the folder of the file cannot be written
    """
    folder = path.parent
    if not folder.is_dir():
        raise FileNotFoundError(errno.ENOENT, "no such folder; make it first", str(folder))
    if not os.access(folder, os.W_OK):
        text = "cannot be written; name another place with: --library FILE"
        raise PermissionError(errno.EACCES, text, str(folder))
    sweep(folder)
    with new_temporary(str(folder)) as temporary:
        with closing(sqlite3.connect(temporary)) as connection:
            connection.execute(f"PRAGMA application_id={APPLICATION}")
            # Readers and the writer do not wait for each other. The file keeps this mode. Changing
            # it later would fail at once, whatever the timeout, if another process used the file.
            connection.execute("PRAGMA journal_mode=WAL")
        with suppress(FileExistsError):  # another process has just made it
            place_without_replacing(temporary, path)
        with suppress(FileNotFoundError):
            os.unlink(temporary)


def make_tables(alias: str) -> None:
    """Make the tables that are missing, in one transaction that other processes wait for.

    Raises
    ------
    LibraryError : the file is that of another program
    """
    connection = connections[alias]
    if connection.vendor == POSTGRESQL:
        if not _is_complete(alias):
            with transaction.atomic(using=alias), connection.cursor() as cursor:
                cursor.execute(LOCKED, [LOCK])
                call_command("migrate", database=alias, verbosity=0)
        return
    _check_application(alias)
    if not _is_complete(alias):
        _make_in_file(alias)


def _make_in_file(alias: str) -> None:
    """Make the tables in an SQLite file."""
    connection = connections[alias]
    with connection.cursor() as cursor:  # Django changes tables only while keys are not checked
        cursor.execute("PRAGMA foreign_keys=OFF")
    try:
        with transaction.atomic(using=alias):
            call_command("migrate", database=alias, verbosity=0)
    finally:
        connection.close()  # the next one checks them


def _is_complete(alias: str) -> bool:
    executor = MigrationExecutor(connections[alias])
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def _check_application(alias: str) -> None:
    with connections[alias].cursor() as cursor:
        cursor.execute("PRAGMA application_id")
        found = cursor.fetchone()[0]
    if found != APPLICATION:
        name = connections[alias].settings_dict["NAME"]
        raise LibraryError(f"{name} is not a library of pictures; make one with: minicnn index DIR")
