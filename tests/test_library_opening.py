"""Opening a library: one SQLite file, or a database of PostgreSQL by its address."""

from __future__ import annotations

import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import library_tools
import pytest

pytest.importorskip("django", reason="Django is missing: pip install -e '.[dev]'")

from django.core.management import call_command
from django.db import connections

from minicnn.apps.library.models import Folder, Picture
from minicnn.apps.library.opening import NAME_IN_FOLDER, Library, database_errors, open_library
from minicnn.errors import ArgumentError, LibraryError

SECRET = "postgresql://me:hidden-word@127.0.0.1:1/pictures"


def test_a_library_keeps_what_is_written(tmp_path):
    with library_tools.opened(tmp_path / "a.sqlite3") as library:
        Folder.objects.using(library.alias).create(path="/photos")
    with library_tools.opened(tmp_path / "a.sqlite3") as library:
        assert Folder.objects.using(library.alias).get().path == "/photos"
        assert library.file == tmp_path / "a.sqlite3"
        assert library.name == str(tmp_path / "a.sqlite3")


def test_a_folder_has_its_library_inside(tmp_path):
    with library_tools.opened(tmp_path) as library:
        assert library.file == tmp_path / NAME_IN_FOLDER


def test_nothing_is_made_unless_that_is_asked(tmp_path):
    with pytest.raises(FileNotFoundError, match="make it with: minicnn index DIR"):
        open_library(tmp_path / "a.sqlite3")
    with pytest.raises(FileNotFoundError, match="no such folder"):
        open_library(tmp_path / "missing" / "a.sqlite3", create=True)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_refused_with_advice(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(PermissionError, match="--library FILE"):
        open_library(tmp_path, create=True)


def test_the_file_of_another_program_gets_no_tables(tmp_path):
    path = tmp_path / "other.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("create table theirs (a)")
    with pytest.raises(LibraryError, match="not a library of pictures"):
        open_library(path, create=True)
    with closing(sqlite3.connect(path)) as connection:
        tables = connection.execute("select name from sqlite_master").fetchall()
    assert tables == [("theirs",)]
    connections[str(path)].close()


def test_a_file_that_is_no_database_is_refused(tmp_path):
    path = tmp_path / "a.sqlite3"
    path.write_bytes(b"not a database, but long enough to have a header" * 10)
    with pytest.raises(LibraryError, match="a database"):
        open_library(path)
    connections[str(path)].close()


def _open_and_count(address):
    with library_tools.opened(address) as library:
        return Picture.objects.using(library.alias).count()


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_processes_that_open_a_new_library_at_once_wait_for_its_tables(kind, tmp_path, request):
    address = tmp_path if kind == "sqlite" else request.getfixturevalue("postgres")
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(_open_and_count, [address] * 4)) == [0] * 4


def test_tables_are_made_in_one_step(tmp_path, monkeypatch):
    """A kill while they are made leaves none, and the next process makes all of them."""
    from minicnn.apps.library import creating

    def killed(*words, **more):
        call_command(*words, **more)
        raise KeyboardInterrupt

    monkeypatch.setattr(creating, "call_command", killed)
    with pytest.raises(KeyboardInterrupt):
        open_library(tmp_path, create=True)
    with closing(sqlite3.connect(tmp_path / NAME_IN_FOLDER)) as connection:
        assert connection.execute("select count(*) from sqlite_master").fetchone() == (0,)
    monkeypatch.undo()
    assert _open_and_count(tmp_path) == 0


def test_the_tables_are_those_of_the_models(tmp_path):
    with library_tools.opened(tmp_path):
        call_command("makemigrations", "library", check=True, dry_run=True, verbosity=0)


def test_no_text_of_a_library_contains_its_password():
    pytest.importorskip("psycopg", reason="psycopg is missing: pip install -e '.[dev]'")
    with pytest.raises(LibraryError) as found:
        open_library(SECRET)
    texts = [str(found.value), repr(Library(SECRET, "x"))]
    texts += [name for name in connections.settings if "127.0.0.1" in name]
    assert len(texts) == 3
    for text in texts:
        assert "postgresql://127.0.0.1:1/pictures" in text
        assert "hidden-word" not in text
        assert "me:" not in text and "me@" not in text


@pytest.mark.parametrize("address", ["postgresql://server/", "postgresql://a:hidden@h/x?a=b"])
def test_an_address_without_a_database_is_refused(address):
    pytest.importorskip("psycopg", reason="psycopg is missing: pip install -e '.[dev]'")
    with pytest.raises(ArgumentError, match="USER:PASSWORD@HOST:PORT/DATABASE") as found:
        open_library(address)
    assert "hidden" not in str(found.value)


def test_what_a_database_reports_names_the_library(library):
    with pytest.raises(LibraryError) as found, database_errors(library):
        Picture.objects.using(library.alias).create(path="a", size=1, modified=1)
    assert str(found.value).startswith(f"{library.name}: ")


def test_opening_needs_no_lock_that_a_reader_refuses(tmp_path):
    """Changing the journal mode does, and fails at once: two new processes met in it."""
    path = tmp_path / "library.sqlite3"
    open_library(path, create=True).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("PRAGMA journal_mode=DELETE")
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM library_picture").fetchall()
        open_library(path).close()


def test_readers_do_not_wait_for_a_writer(tmp_path):
    path = tmp_path / "library.sqlite3"
    library = open_library(path, create=True)
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("INSERT INTO library_folder (path) VALUES ('/photos')")
        assert Folder.objects.using(library.alias).count() == 0
    library.close()
