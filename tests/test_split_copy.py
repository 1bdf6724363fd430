"""A split is complete or absent: failed copies, full disks, kills, links, slow expressions."""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from image_folders import make_folder, save

import minicnn
from minicnn.data.folders import list_folder
from minicnn.data.tools import matching, split_copy
from minicnn.data.tools.split import count_table, group_keys, plan_split
from minicnn.data.tools.split_copy import LEADS_OUT, READY, copy_split
from minicnn.errors import ArgumentError, FolderInUseError
from minicnn.support import atomic_files
from minicnn.support.locks import FolderLock

ROOT = Path(minicnn.__file__).parent.parent


def contents(root):
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def split_of(tmp_path, **counts):
    """Return (images, plan) of a new folder."""
    images = list_folder(make_folder(tmp_path / "all", counts or {"cat": 10, "dog": 10}))
    return images, plan_split(images)


def copies(root):
    """Return {file name: bytes} of the files in all splits."""
    return {Path(name).name: data for name, data in contents(root).items()}


# --- copies -------------------------------------------------------------------------------------


def test_a_cut_copy_is_not_kept_and_not_counted(tmp_path):
    images, plan = split_of(tmp_path)
    large = images.paths[4]
    large.write_bytes(os.urandom(100_000))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
    try:
        failures = copy_split(images, plan, tmp_path / "sets")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert failures == [(large, "File too large")]
    expected = copies(images.root)
    del expected[large.name]
    assert copies(tmp_path / "sets") == expected
    table = count_table(images, plan, [path for path, _ in failures])
    assert table.sum() == 19 and table.sum(axis=1).tolist() == [9, 10]


def test_a_full_disk_leaves_nothing_and_names_the_copy(tmp_path, monkeypatch):
    images, plan = split_of(tmp_path)
    real, calls = atomic_files._write_all, []

    def full(handle, data):
        calls.append(data)
        if len(calls) > 5:
            os.write(handle, bytes(data)[:7])
            raise OSError(errno.ENOSPC, "No space left on device")
        real(handle, data)

    monkeypatch.setattr(atomic_files, "_write_all", full)
    with pytest.raises(OSError, match=r"No space left on device: '.*\.jpg'$"):
        copy_split(images, plan, tmp_path / "sets")
    assert os.listdir(tmp_path / "sets") == []


def test_a_file_that_changes_while_it_is_copied_is_not_kept(tmp_path, monkeypatch):
    images, plan = split_of(tmp_path)
    real = atomic_files._write_all

    def growing(handle, data):
        real(handle, data)
        if bytes(data) == growing.content:
            images.paths[2].write_bytes(growing.content + b"more")

    growing.content = images.paths[2].read_bytes()
    monkeypatch.setattr(atomic_files, "_write_all", growing)
    failures = copy_split(images, plan, tmp_path / "sets")
    assert failures == [(images.paths[2], "changed while it was copied")]
    assert images.paths[2].name not in copies(tmp_path / "sets")


def test_a_pipe_among_the_images_is_named(tmp_path):
    images, plan = split_of(tmp_path)
    images.paths[0].unlink()
    os.mkfifo(images.paths[0])
    ((path, reason),) = copy_split(images, plan, tmp_path / "sets")
    assert path == images.paths[0] and "is a device, a pipe or a socket" in reason
    assert len(contents(tmp_path / "sets")) == 19


def test_modes_and_times_are_copied_and_the_originals_stay(tmp_path):
    images, plan = split_of(tmp_path)
    for number, path in enumerate(images.paths):
        os.utime(path, ns=(10**18 + number, 10**18 + number))
        path.chmod(0o640)
    before = {
        p.name: (p.read_bytes(), p.stat().st_mtime_ns, p.stat().st_mode) for p in images.paths
    }
    assert copy_split(images, plan, tmp_path / "sets") == []
    files = list((tmp_path / "sets").rglob("*.jpg"))
    for paths in (files, images.paths):
        after = {p.name: (p.read_bytes(), p.stat().st_mtime_ns, p.stat().st_mode) for p in paths}
        assert after == before


# --- links --------------------------------------------------------------------------------------


def linked(tmp_path):
    """Make a folder with links inside it and out of it, a linked class and a broken link."""
    root = make_folder(tmp_path / "all", {"cat": 3})
    secret = save(tmp_path / "secret" / "s.jpg", 99)
    (root / "cat" / "in.jpg").symlink_to(root / "cat" / "cat_000.jpg")
    (root / "cat" / "out.jpg").symlink_to(secret)
    (root / "cat" / "relative.jpg").symlink_to("../../secret/s.jpg")
    (root / "cat" / "loop.jpg").symlink_to("loop.jpg")
    (root / "dog").symlink_to(tmp_path / "secret")
    return root


def test_links_out_of_the_folder_are_not_followed(tmp_path):
    images = list_folder(linked(tmp_path))
    failures = dict(copy_split(images, plan_split(images), tmp_path / "sets"))
    assert {path.name: reason for path, reason in failures.items()} == {
        "out.jpg": LEADS_OUT, "relative.jpg": LEADS_OUT, "s.jpg": LEADS_OUT,
        "loop.jpg": "Too many levels of symbolic links",
    }  # fmt: skip
    assert len(contents(tmp_path / "sets")) == 4
    assert not any(path.is_symlink() for path in (tmp_path / "sets").rglob("*"))


def test_links_are_followed_where_that_is_asked_for(tmp_path):
    images = list_folder(linked(tmp_path))
    failures = copy_split(images, plan_split(images), tmp_path / "sets", follow_links=True)
    assert [path.name for path, _ in failures] == ["loop.jpg"]
    secret = (tmp_path / "secret" / "s.jpg").read_bytes()
    assert list(contents(tmp_path / "sets").values()).count(secret) == 3


# --- kills --------------------------------------------------------------------------------------

KILLED = """
import os, signal, sys
from pathlib import Path
from minicnn.data.folders import list_folder
from minicnn.data.tools.split import plan_split
from minicnn.data.tools.split_copy import copy_split
real, calls = os.rename, []
def rename(old, new):
    if len(calls) == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)
    calls.append(old)
    real(old, new)
os.rename = rename
images = list_folder(sys.argv[1])
copy_split(images, plan_split(images), sys.argv[2])
"""


@pytest.mark.parametrize("call", range(4))
def test_killed_between_its_last_renames_it_is_finished_by_the_next(tmp_path, call):
    images, plan = split_of(tmp_path)
    sets = tmp_path / "sets"
    sets.mkdir()
    (sets / "notes.txt").write_bytes(b"mine")
    command = [sys.executable, "-c", KILLED, str(images.root), str(sets), str(call)]
    done = subprocess.run(command, cwd=ROOT)
    assert done.returncode == -signal.SIGKILL
    if call == 0:  # nothing was ready
        assert copy_split(images, plan, sets) == []
    else:
        with (
            pytest.warns(UserWarning, match="an earlier split to .* was interrupted just"),
            pytest.raises(FileExistsError, match="exists already"),
        ):
            copy_split(images, plan, sets)
    assert sorted(os.listdir(sets)) == ["notes.txt", "test", "train", "val"]
    (sets / "notes.txt").unlink()
    assert copies(sets) == copies(images.root)


def test_what_an_interrupted_split_had_ready_is_never_mixed_with_another(tmp_path):
    images, plan = split_of(tmp_path)
    sets = tmp_path / "sets"
    save(sets / f"{READY}0" / "val" / "cat" / "a.jpg", 1)
    save(sets / "val" / "cat" / "b.jpg", 2)
    before = contents(sets)
    with pytest.raises(FileExistsError, match="contains the same folder of an interrupted split"):
        copy_split(images, plan, sets)
    assert contents(sets) == before


@pytest.mark.parametrize("call", range(4))
def test_a_rename_that_fails_takes_the_others_back(tmp_path, monkeypatch, call):
    images, plan = split_of(tmp_path)
    real, calls = os.rename, []

    def failing(old, new):
        calls.append(old)
        if len(calls) == call + 1:
            raise PermissionError(errno.EPERM, "Operation not permitted", str(new))
        real(old, new)

    monkeypatch.setattr(split_copy.os, "rename", failing)
    with pytest.raises(PermissionError):
        copy_split(images, plan, tmp_path / "sets")
    assert os.listdir(tmp_path / "sets") == []


@pytest.mark.parametrize("call", range(1, 4))
def test_ctrl_c_right_behind_a_rename_takes_that_one_back_too(tmp_path, monkeypatch, call):
    images, plan = split_of(tmp_path)
    real, calls = os.rename, []

    def interrupted(old, new):
        real(old, new)
        calls.append(old)
        if len(calls) == call + 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(split_copy.os, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        copy_split(images, plan, tmp_path / "sets")
    assert os.listdir(tmp_path / "sets") == []


def test_folders_of_killed_splits_are_swept(tmp_path):
    images, plan = split_of(tmp_path)
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"],
                          capture_output=True, check=True).stdout.decode().strip()  # fmt: skip
    left = tmp_path / "sets" / f".minicnn-{atomic_files.machine_mark()}-{gone}-{'0' * 16}.tmp"
    save(left / "train" / "cat" / "a.jpg", 1)
    copy_split(images, plan, tmp_path / "sets")
    assert sorted(os.listdir(tmp_path / "sets")) == ["test", "train", "val"]


def test_two_splits_into_one_folder_do_not_meet(tmp_path):
    images, plan = split_of(tmp_path)
    (tmp_path / "sets").mkdir()
    with FolderLock(tmp_path / "sets"), pytest.raises(FolderInUseError):
        copy_split(images, plan, tmp_path / "sets")
    assert os.listdir(tmp_path / "sets") == []


# --- groups -------------------------------------------------------------------------------------


def test_an_expression_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(matching, "MAX_SECONDS", 0.5)  # it would take years
    save(tmp_path / "all" / "cat" / f"{'a' * 60}.jpg", 1)
    images = list_folder(tmp_path / "all")
    with pytest.raises(ArgumentError, match=r"group_by='\(a\+\)\+\$' takes too long for 1 names"):
        group_keys(images, "(a+)+$")


def test_the_groups_of_names(tmp_path):
    for name in ("p1_a.jpg", "p1_b.jpg", "q7.jpg", "None.jpg", "ü\udce9_p1.jpg"):
        save(tmp_path / "all" / "cat" / name, 1)
    images = list_folder(tmp_path / "all")
    keys = dict(zip([path.name for path in images.paths], group_keys(images, "p([0-9])_|q|None"),
                    strict=True))  # fmt: skip
    # A parenthesis that takes no part in a match leaves the file on its own.
    assert keys == {
        "p1_a.jpg": "1//", "p1_b.jpg": "1//", "q7.jpg": "cat/q7.jpg", "None.jpg": "cat/None.jpg",
        "ü\udce9_p1.jpg": "cat/ü\udce9_p1.jpg",
    }  # fmt: skip


@pytest.mark.parametrize("pattern", ["(", "a{99999999999}", "(" * 5000 + "a" + ")" * 5000, "[z"])
def test_what_is_no_expression(tmp_path, pattern):
    images, _ = split_of(tmp_path)
    with pytest.raises(ArgumentError, match="group_by must be a regular expression") as caught:
        group_keys(images, pattern)
    assert len(str(caught.value)) <= 300


def test_counts_without_failures(tmp_path):
    images, plan = split_of(tmp_path)
    assert np.array_equal(count_table(images, plan), [[7, 2, 1], [7, 2, 1]])
