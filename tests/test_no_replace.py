"""Names are given without replacing a file, in each of the ways that systems have."""

from __future__ import annotations

import errno
import os

import pytest

from minicnn.support import no_replace
from minicnn.support.no_replace import place_without_replacing, rename_without_replacing


@pytest.fixture(params=["renaming", "hard links", "reserved names"])
def way(request, monkeypatch):
    """Let the system have only one way to give names."""
    if request.param != "renaming":
        monkeypatch.setattr(no_replace, "_system_rename", lambda: None)
    if request.param == "reserved names":
        monkeypatch.setattr(os, "link", failing(errno.EPERM))
    return request.param


def failing(code):
    def call(*_arguments):
        raise OSError(code, os.strerror(code))

    return call


@pytest.fixture
def temporary(tmp_path):
    (tmp_path / "temporary").write_text("new")
    return tmp_path / "temporary"


def test_a_free_name_is_given(tmp_path, temporary, way):
    place_without_replacing(temporary, tmp_path / os.fsdecode(b"\xff a"))
    assert os.listdir(os.fsencode(tmp_path)) == [b"\xff a"]


@pytest.mark.parametrize("kind", ["a file", "a folder", "a link to nothing"])
def test_a_taken_name_is_not_replaced(tmp_path, temporary, way, kind):
    name = tmp_path / "name"
    {
        "a file": name.touch,
        "a folder": name.mkdir,
        "a link to nothing": lambda: name.symlink_to("x"),
    }[kind]()
    with pytest.raises(FileExistsError):
        place_without_replacing(temporary, name)
    assert (temporary.read_text() == "new" and not name.is_file()) or name.read_text() == ""


def test_a_file_that_is_gone(tmp_path, way):
    with pytest.raises(FileNotFoundError):
        place_without_replacing(tmp_path / "gone", tmp_path / "name")
    assert os.listdir(tmp_path) == []


def test_what_cannot_be_finished_is_taken_back(tmp_path, temporary, way, monkeypatch):
    for name in ("unlink", "replace"):
        real = getattr(os, name)

        def once(path, *more, real=real):
            if os.fspath(path) == str(temporary):
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return real(path, *more)

        monkeypatch.setattr(os, name, once)
    if way == "renaming":
        monkeypatch.setattr(no_replace, "_call", failing(errno.EIO))
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        place_without_replacing(temporary, tmp_path / "name")
    assert os.listdir(tmp_path) == ["temporary"]


def test_renaming_needs_a_system_that_can_do_it(tmp_path, temporary, monkeypatch):
    monkeypatch.setattr(no_replace, "_call", failing(errno.EINVAL))
    with pytest.raises(NotImplementedError):
        rename_without_replacing(temporary, tmp_path / "name")
    monkeypatch.setattr(no_replace, "_system_rename", lambda: None)
    with pytest.raises(NotImplementedError):
        rename_without_replacing(temporary, tmp_path / "name")


def test_a_name_with_a_zero_byte_is_refused(tmp_path, temporary):
    with pytest.raises(ValueError, match="null byte"):
        rename_without_replacing(temporary, str(tmp_path / "a\0b"))
