"""Opening a library: one SQLite file, or a database of PostgreSQL by its address."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

from django.core.management import call_command
from django.db import connections

from minicnn.errors import ArgumentError
from minicnn.installed import missing_extra

SCHEMES = ("postgresql", "postgres")
# What the parts of PostgreSQL's addresses are called in Django's settings.
WORDS = {
    "dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT",
}  # fmt: skip
SECONDS = 60.0  # that a writer waits for another one
# Readers do not wait for a writer. After a power cut the last transactions may be missing, but the
# file is whole, and indexing again brings them back.
PRAGMAS = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON"


class Library(NamedTuple):
    """An opened library. Its tables are reached by `Picture.objects.using(library.alias)`."""

    address: str  # a path, or postgresql://...
    alias: str  # Django's name of the connection

    @property
    def file(self) -> Path | None:
        """The SQLite file; None on PostgreSQL."""
        return None if is_server(self.address) else Path(self.address)

    def close(self) -> None:
        """Close this thread's connection to the database."""
        connections[self.alias].close()


def open_library(address: str | os.PathLike[str], *, create: bool = False) -> Library:
    """Open a library, and bring tables of an earlier version up to date.

    Parameters
    ----------
    address : path of an SQLite file, or postgresql://user:password@host:port/database
    create : make it if there is none

    Raises
    ------
    FileNotFoundError : there is no such file, and `create` is False
    """
    text = os.fspath(address)
    settings = _server(text) if is_server(text) else _file(Path(text), create)
    alias = text if is_server(text) else os.path.abspath(text)
    if alias not in connections.settings:
        complete = connections.configure_settings({"default": {}, alias: settings})
        connections.settings[alias] = complete[alias]
    call_command("migrate", database=alias, verbosity=0)
    return Library(alias, alias)


def is_server(address: str) -> bool:
    """Return whether the address is one of PostgreSQL and not a path."""
    return address.partition("://")[0] in SCHEMES and "://" in address


def _file(path: Path, create: bool) -> dict[str, Any]:
    if not create and not path.is_file():
        raise FileNotFoundError(2, "no such library; make it with: minicnn index DIR", str(path))
    options = {"init_command": PRAGMAS, "transaction_mode": "IMMEDIATE", "timeout": SECONDS}
    name = os.path.abspath(path)
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": name, "OPTIONS": options}


def _server(address: str) -> dict[str, Any]:
    try:
        from psycopg.conninfo import conninfo_to_dict
    except ModuleNotFoundError as error:
        raise missing_extra("a library on PostgreSQL needs psycopg", "postgres") from error
    words = {name: str(value) for name, value in conninfo_to_dict(address).items()}
    if not words.get("dbname"):
        raise ArgumentError("the address must name a database: postgresql://HOST/DATABASE")
    settings = {setting: words.pop(word, "") for word, setting in WORDS.items()}
    return {"ENGINE": "django.db.backends.postgresql", **settings, "OPTIONS": words}
