"""A renaming can always be undone: after interruptions, damaged journals and full disks, and never
by a journal that would touch what is not below its folder."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from minicnn.data.folders import list_folder
from minicnn.data.image_list import ImageList
from minicnn.data.tools import rename
from minicnn.data.tools.rename import Rename, apply_renames, undo_renames
from minicnn.errors import ArgumentError, FolderInUseError, FormatError, UnsafeFileError
from minicnn.support import atomic_files
from minicnn.support.locks import FolderLock

TARGETS = [1, 2, 0, 4, 3, 6]  # a circle of three, a swap, and one more


def contents(root):
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def numbered(root, count=6):
    """Make files cat/0.jpg, ... that contain their own number."""
    (root / "cat").mkdir(parents=True)
    for i in range(count):
        (root / "cat" / f"{i}.jpg").write_bytes(b"%d" % i)
    return contents(root)


def plan_of(root, targets=TARGETS):
    """Return a plan in which 0.jpg becomes 1.jpg, and so on."""
    cat = root / "cat"
    return [Rename(cat / f"{i}.jpg", cat / f"{k}.jpg") for i, k in enumerate(targets)]


# Files that have left their names after each step: what steps aside, once.
TOLD = [1, 2, 3, 3, 4, 5, 5, 6]


class Interrupted(BaseException):
    """Ends a renaming at one call, as a kill does."""


def interrupted(patch, call, late, function, *arguments):
    """Run `function` until its os.rename number `call`, stopping before or after that."""
    real, calls = os.rename, []

    def stopping(old, new):
        calls.append(old)
        if len(calls) == call and not late:
            raise Interrupted
        real(old, new)
        if len(calls) == call:
            raise Interrupted

    with patch.context() as now:
        now.setattr(os, "rename", stopping)
        try:
            function(*arguments)
        except Interrupted:
            return True
    return False


@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("stop", range(1, 10))
def test_an_undoing_that_is_interrupted_at_every_step_comes_to_its_end(
    tmp_path, monkeypatch, stop, late
):
    root, journal = tmp_path / "photos", tmp_path / "journal.csv"
    before = numbered(root)
    interrupted(monkeypatch, stop, late, apply_renames, plan_of(root), journal)
    assert sorted(contents(root).values()) == sorted(before.values())
    for late_undo in (True, False, True, True, False, True):
        interrupted(monkeypatch, 1, late_undo, undo_renames, journal)
        assert sorted(contents(root).values()) == sorted(before.values())
    undo_renames(journal)
    assert contents(root) == before
    assert undo_renames(journal) == 0


@pytest.mark.parametrize("stop", range(1, 9))
def test_a_mark_that_was_cut_off_does_not_count(tmp_path, monkeypatch, stop):
    root, journal = tmp_path / "photos", tmp_path / "journal.csv"
    before = numbered(root)
    interrupted(monkeypatch, stop, False, apply_renames, plan_of(root), journal)
    renamed, whole = contents(root), journal.read_bytes()
    start = whole.rindex(b"renaming")
    for end in range(start, len(whole)):
        journal.write_bytes(whole[:end])
        # And the first attempt to take it back is cut off, too.
        interrupted(monkeypatch, 1, False, undo_renames, journal)
        journal.write_bytes(journal.read_bytes()[:-5])
        undo_renames(journal)
        assert contents(root) == before
        for name, content in renamed.items():
            (root / "again").mkdir(exist_ok=True)
            (root / "again" / Path(name).name).write_bytes(content)
        for path in (root / "cat").iterdir():
            path.unlink()
        (root / "cat").rmdir()
        (root / "again").rename(root / "cat")


def test_the_marks_of_earlier_versions_are_understood(tmp_path):
    root, journal = tmp_path / "photos", tmp_path / "journal.csv"
    before = numbered(root, 2)
    cat = root / "cat"
    steps = [(cat / "1.jpg", cat / "b.jpg"), (cat / "0.jpg", cat / "a.jpg")]
    rows = "".join(f"{old},{new}\r\n" for old, new in steps)
    for old, new in steps:
        old.rename(new)
    journal.write_text(f"old,new\r\n{rows}done\r\ndo", newline="")  # the second mark is torn
    assert undo_renames(journal) == 2
    assert contents(root) == before


@pytest.mark.parametrize("call", range(1, 9))
def test_a_full_disk_leaves_a_renaming_that_can_be_taken_back(tmp_path, monkeypatch, call):
    root, journal = tmp_path / "photos", tmp_path / "journal.csv"
    before = numbered(root)
    real, calls = atomic_files._write_all, []

    def full(handle, data):
        calls.append(data)
        if len(calls) > call:
            os.write(handle, bytes(data)[:3])
            raise OSError(errno.ENOSPC, "No space left on device")
        real(handle, data)

    with monkeypatch.context() as patch:
        patch.setattr(atomic_files, "_write_all", full)
        with pytest.raises(OSError, match="No space left on device") as caught:
            apply_renames(plan_of(root), journal)
    assert caught.value.filename == str(journal)
    done = 0 if call == 1 else TOLD[call - 2]
    told = f"{done} files have new names already; undo that with --undo {journal}"
    assert (told in caught.value.strerror) == (done > 0)
    undo_renames(journal)
    assert contents(root) == before


def test_the_mark_is_on_the_disk_before_the_renaming(tmp_path, monkeypatch):
    root, journal = tmp_path / "photos", tmp_path / "journal.csv"
    numbered(root)
    events, fsync, real = [], os.fsync, os.rename
    monkeypatch.setattr(os, "fsync", lambda handle: (fsync(handle), events.append("fsync")))

    def renamed(old, new):
        events.append(f"rename {journal.read_text().splitlines()[-1]}")
        real(old, new)

    monkeypatch.setattr(os, "rename", renamed)
    apply_renames(plan_of(root), journal)
    at = [i for i, event in enumerate(events) if event.startswith("rename")]
    assert [events[i] for i in at] == [f"rename renaming {k} of 8" for k in range(1, 9)]
    assert all(events[i - 1] == "fsync" for i in at)


# --- what a journal may do ----------------------------------------------------------------------


def hostile(folder, *rows, marks=("renaming 1 of 1",)):
    """Write a journal with these rows."""
    journal = folder / "journal.csv"
    lines = ["old,new", *(",".join(row) for row in rows), *marks]
    journal.write_bytes("\r\n".join([*lines, ""]).encode())
    return journal


@pytest.mark.parametrize(
    "row",
    [
        ("{}/secret", "{}/stolen"),
        ("../secret", "../stolen"),
        ("a/../../secret", "a/../../stolen"),
        ("link/secret", "link/stolen"),
        ("inside/secret", "other/stolen"),
        ("inside/secret", "inside/.."),
        ("inside/secret", "inside/"),
        ("inside/sec\0ret", "inside/stolen"),
    ],
)
def test_a_journal_renames_nothing_that_is_not_below_its_folder(tmp_path, row):
    for folder in ("home", "home/inside", "home/other"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "stolen").write_bytes(b"")
    (tmp_path / "stolen").write_bytes(b"")
    (tmp_path / "home" / "link").symlink_to(tmp_path)
    before = sorted(str(p) for p in tmp_path.rglob("*"))
    journal = hostile(tmp_path / "home", [name.format(tmp_path) for name in row])
    with pytest.raises(UnsafeFileError, match="but a journal only renames files"):
        undo_renames(journal)
    journal.unlink()
    assert sorted(str(p) for p in tmp_path.rglob("*")) == before


def test_a_journal_must_lie_above_the_images(tmp_path):
    root = tmp_path / "photos"
    before = numbered(root)
    (tmp_path / "elsewhere").mkdir()
    with pytest.raises(ArgumentError, match=r"the journal must be in .*cat or a folder above"):
        apply_renames(plan_of(root), tmp_path / "elsewhere" / "journal.csv")
    assert contents(root) == before


def test_a_folder_can_be_moved_together_with_its_journal(tmp_path):
    root = tmp_path / "a" / "photos"
    before = numbered(root)
    apply_renames(plan_of(root), tmp_path / "a" / "journal.csv")
    (tmp_path / "a").rename(tmp_path / "b")
    assert undo_renames(tmp_path / "b" / "journal.csv") == 6
    assert contents(tmp_path / "b" / "photos") == before


@pytest.mark.parametrize(
    "marks",
    [["undone"] * 3, ["done"] * 9, ["renaming 9 of 1"], ["undoing 0 of 1"], ["renaming 1 of 11"]],
)
def test_marks_that_cannot_be_are_settled_by_the_names(tmp_path, marks):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "new.jpg").write_bytes(b"x")
    assert undo_renames(hostile(tmp_path, ("a/old.jpg", "a/new.jpg"), marks=marks)) == 1
    assert os.listdir(tmp_path / "a") == ["old.jpg"]


def test_a_line_that_is_neither_step_nor_mark(tmp_path):
    journal = hostile(tmp_path, ("a.jpg", "b.jpg"), marks=["\x1b[2Jhello"])
    with pytest.raises(FormatError, match=r"has the line '\\x1b\[2Jhello'"):
        undo_renames(journal)


def test_a_journal_without_steps(tmp_path):
    assert undo_renames(hostile(tmp_path, marks=[])) == 0


# --- files that changed in between --------------------------------------------------------------


def test_a_file_that_is_gone_does_not_hold_up_the_others(tmp_path):
    root, journal = tmp_path / "photos", tmp_path / "journal.csv"
    before = numbered(root)
    apply_renames(plan_of(root), journal)
    (root / "cat" / "6.jpg").unlink()  # was 5.jpg
    with pytest.raises(FileNotFoundError, match="no longer exists; the other 5 files") as caught:
        undo_renames(journal)
    assert caught.value.filename == str(root / "cat" / "6.jpg")
    assert contents(root) == {k: v for k, v in before.items() if v != b"5"}


def test_an_old_name_that_another_file_has_taken(tmp_path):
    root, journal = tmp_path / "photos", tmp_path / "journal.csv"
    before = numbered(root)
    apply_renames(plan_of(root), journal)
    intruder = root / "cat" / "5.jpg"
    intruder.write_bytes(b"new")
    with pytest.raises(FileExistsError, match="another file has this name"):
        undo_renames(journal)
    assert intruder.read_bytes() == b"new"
    intruder.rename(tmp_path / "kept")
    undo_renames(journal)
    assert contents(root) == before


def test_two_renamings_of_one_folder_do_not_meet(tmp_path):
    root, journal = tmp_path / "photos", tmp_path / "journal.csv"
    before = numbered(root)
    with FolderLock(root / "cat"), pytest.raises(FolderInUseError, match=f"process {os.getpid()}"):
        apply_renames(plan_of(root), journal)
    assert contents(root) == before and not journal.exists()
    apply_renames(plan_of(root), journal)
    with FolderLock(root / "cat"), pytest.raises(FolderInUseError):
        undo_renames(journal)
    undo_renames(journal)
    assert contents(root) == before


# --- names --------------------------------------------------------------------------------------


def odd_names(count):
    """Yield image names with all bytes that a name may contain, up to the maximum length."""
    rng = np.random.default_rng(0)
    names = {
        b"a,b.jpg", b'"q".jpg', b"=1+2.jpg", b"-rf.jpg", b"caf\xe9.jpg", b"x\ny\r\nz.jpg", b" .jpg",
        "\u00e9.jpg".encode(), "e\u0301.jpg".encode(),  # the same letter, composed and not
        b"cat_0003.jpg", b"cat_3.jpg", b"Cat_0001.jpg", b"cat_0001.JPG",
        b"{number}.jpg", b"CON.jpg", b"a" * 251 + b".jpg",
    }  # fmt: skip
    while len(names) < count:
        stem = bytes(rng.integers(1, 256, rng.integers(1, 120), dtype=np.uint8)).replace(b"/", b"_")
        if not stem.startswith(b"."):
            names.add(stem + b".jpg")
    return [os.fsdecode(name) for name in sorted(names)]


@pytest.mark.parametrize("class_name", ["cat", "{number} ä", "a,b\n", "\udce9"])
def test_300_odd_names_become_plain_and_come_back(tmp_path, class_name):
    root, journal = tmp_path / "photos", tmp_path / "journal.csv"
    (root / class_name).mkdir(parents=True)
    for number, name in enumerate(odd_names(300)):
        (root / class_name / name).write_bytes(b"%d" % number)
    before = contents(root)
    plan = rename.plan_renames(list_folder(root))
    apply_renames(plan, journal)
    after = contents(root)
    assert sorted(after.values()) == sorted(before.values())
    stems = {Path(name).stem for name in after}
    assert stems == {f"{class_name}_{number:04d}" for number in range(1, 301)}
    assert rename.plan_renames(list_folder(root)) == []
    assert undo_renames(journal) == len(plan) >= 298
    assert contents(root) == before


def test_times_modes_and_inodes_stay(tmp_path):
    root, journal = tmp_path / "photos", tmp_path / "journal.csv"
    numbered(root)
    for number, path in enumerate(sorted((root / "cat").iterdir())):
        path.chmod(0o640)
        os.utime(path, ns=(10**18, 10**18 + number))

    def told():
        found = [path.stat() for path in (root / "cat").iterdir()]
        return sorted((s.st_ino, s.st_mtime_ns, s.st_mode, s.st_size) for s in found)

    before = told()
    apply_renames(plan_of(root), journal)
    assert told() == before
    undo_renames(journal)
    assert told() == before


def test_a_name_that_no_file_system_holds(tmp_path):
    (tmp_path / ("ü" * 125)).mkdir()
    (tmp_path / ("ü" * 125) / "a.jpg").write_bytes(b"")
    with pytest.raises(ArgumentError, match=r"names must have at most 255 bytes, but .* has 259"):
        rename.plan_renames(list_folder(tmp_path))
    assert len(rename.plan_renames(list_folder(tmp_path), "{number}")) == 1


# --- cost ---------------------------------------------------------------------------------------


class Compared(type(Path())):
    """A path that counts how often it is compared."""

    comparisons = 0

    def __eq__(self, other):
        Compared.comparisons += 1
        return super().__eq__(other)

    __hash__ = Path.__hash__


def test_planning_compares_each_name_a_few_times(monkeypatch):
    count = 3000
    names = [Compared(f"photos/cat/{i}.jpg") for i in range(count + 1)]
    Compared.comparisons = 0
    chain = [Rename(names[i], names[i + 1]) for i in range(count)]
    steps = rename._in_order(chain)
    assert [step.old for step in steps] == names[count - 1 :: -1]
    assert Compared.comparisons < 20 * count


def test_a_plan_of_many_classes_looks_at_each_file_once():
    class Paths(list):
        passes = 0

        def __iter__(self):
            Paths.passes += 1
            return super().__iter__()

    classes = [f"c{i}" for i in range(500)]
    paths = Paths(Path(f"{name}/{i}.jpg") for name in classes for i in range(2))
    images = ImageList(paths, np.repeat(np.arange(500), 2), classes, Path())
    assert len(rename.plan_renames(images)) == 1000
    assert Paths.passes <= 2


# --- kills --------------------------------------------------------------------------------------


def kills(tmp_path, count):
    """Return what `renaming_kills.py` prints for a number of kills."""
    script = Path(__file__).with_name("renaming_kills.py")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, str(script), str(tmp_path), str(count)]
    done = subprocess.run(command, env=environment, check=True, capture_output=True)
    return json.loads(done.stdout)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_killed_at_random_moments_nothing_is_lost(tmp_path):
    found = kills(tmp_path, 4)
    assert found["renamings"] + found["undoings"] >= 4 and found["lost"] == 0


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_killed_200_times_at_random_moments_nothing_is_lost(tmp_path):
    found = kills(tmp_path, 200)
    assert found["renamings"] + found["undoings"] >= 200 and found["lost"] == 0
