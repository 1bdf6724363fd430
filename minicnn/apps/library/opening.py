"""Opening a library: one SQLite file, or a database of PostgreSQL by its address."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import django.db
from django.db import connections

from minicnn.apps.library.creating import make_file, make_tables
from minicnn.apps.library.listing import LIBRARY
from minicnn.errors import LibraryError
from minicnn.support.postgresql import address_parts, is_server, server_name

NAME_IN_FOLDER = f"{LIBRARY}.sqlite3"  # of the library that a folder of pictures has
# What the parts of PostgreSQL's addresses are called in Django's settings.
WORDS = {
    "dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT",
}  # fmt: skip
SECONDS = 60.0  # that a writer waits for another one
# After a power cut the last transactions may be missing, but the file is whole, and indexing again
# brings them back.
PRAGMAS = "PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON"


class Library(NamedTuple):
    """An opened library. Its tables are reached by `Picture.objects.using(library.alias)`."""

    address: str  # a path, or postgresql://...; it may contain a password
    alias: str  # Django's name of the connection

    def __repr__(self) -> str:
        """Show the name, since the address may contain a password."""
        return f"Library({self.name!r})"

    @property
    def file(self) -> Path | None:
        """The SQLite file; None on PostgreSQL."""
        return None if is_server(self.address) else Path(self.address)

    @property
    def name(self) -> str:
        """What may be shown: the path, or postgresql://host/database."""
        return server_name(self.address) if is_server(self.address) else self.address

    def close(self) -> None:
        """Close this thread's connection to the database."""
        connections[self.alias].close()


def open_library(address: str | os.PathLike[str], *, create: bool = False) -> Library:
    """Open a library, and bring tables of an earlier version up to date.

    Parameters
    ----------
    address : path of an SQLite file, or of a folder of pictures that has its library inside, or
        postgresql://user:password@host:port/database
    create : make it if there is none; a database must exist, and gets its tables

    Raises
    ------
    FileNotFoundError : there is no such file, and `create` is False
    LibraryError : the database cannot be reached, or is no library
    """
    text = os.fspath(address)
    library = _of_server(text) if is_server(text) else _of_file(file_of(text), create)
    with database_errors(library):
        make_tables(library.alias)
    return library


def file_of(path: str | os.PathLike[str]) -> Path:
    """Return the absolute path of a library; that of a folder is inside it."""
    whole = Path(os.path.abspath(path))
    return whole / NAME_IN_FOLDER if whole.is_dir() else whole


@contextmanager
def database_errors(library: Library) -> Iterator[None]:
    """Raise what the database reports inside the block as a LibraryError."""
    try:
        yield
    except django.db.Error as error:
        what = " ".join(str(error).split()) or type(error).__name__
        raise LibraryError(f"{library.name}: {what}") from error


def _of_file(path: Path, create: bool) -> Library:
    if not path.is_file():
        if not create:
            text = "no such library; make it with: minicnn index DIR"
            raise FileNotFoundError(errno.ENOENT, text, str(path))
        make_file(path)
    options = {"init_command": PRAGMAS, "transaction_mode": "IMMEDIATE", "timeout": SECONDS}
    settings = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(path), "OPTIONS": options}
    return _configured(str(path), str(path), settings)


def _of_server(address: str) -> Library:
    words = address_parts(address, "a library on PostgreSQL")
    settings: dict[str, Any] = {name: words.pop(word, "") for word, name in WORDS.items()}
    settings |= {"ENGINE": "django.db.backends.postgresql", "OPTIONS": words}
    # The alias appears in messages of Django, so it must not contain the password.
    alias = f"{server_name(address)}#{hashlib.sha256(address.encode()).hexdigest()[:8]}"
    return _configured(address, alias, settings)


def _configured(address: str, alias: str, settings: dict[str, Any]) -> Library:
    if alias not in connections.settings:
        complete = connections.configure_settings({"default": {}, alias: settings})
        connections.settings[alias] = complete[alias]
    return Library(address, alias)
