"""Whatever system call fails while files are sorted: nothing is lost, and groups stay whole."""

from __future__ import annotations

import errno
import os
import shutil

import pytest
from disks import other_disk
from sorted_trees import contents, digests, gallery, planned

from minicnn.apps import sorter
from minicnn.apps.sorter import carrying
from minicnn.support import no_replace

PICTURES = 3  # IMG_1 has two companions
CALLS = (
    (os, "open"), (os, "write"), (os, "fsync"), (os, "unlink"), (os, "mkdir"), (os, "rmdir"),
    (os, "link"), (os, "replace"), (os, "chmod"), (os, "utime"), (os, "stat"), (os, "listdir"),
    (no_replace, "_call"),
)  # fmt: skip
CODES = (errno.EACCES, errno.EIO, errno.ENOSPC, errno.EROFS)
# Whether files are moved, to another disk, by hard links instead of renaming.
WAYS = {
    "across": (True, True, False),
    "beside": (True, False, False),
    "copied": (False, False, False),
    "copied across": (False, True, False),
    "by links": (True, True, True),
}
SLOW = ("copied across", "by links")
ways = pytest.mark.parametrize(
    ("move", "across", "links"),
    [
        pytest.param(*way, id=name, marks=[pytest.mark.slow] * (name in SLOW))
        for name, way in WAYS.items()
    ],
)


class Fault:
    """Lets call `number` of the patched functions fail, counted from when it is armed."""

    def __init__(self, monkeypatch, number):
        self.number, self.calls, self.armed = number, 0, False
        for module, name in CALLS:
            monkeypatch.setattr(module, name, self.around(name, getattr(module, name)))

    def around(self, name, function):
        def call(*arguments, **more):
            self.calls += self.armed
            if self.armed and self.calls == self.number:
                code = CODES[self.number % len(CODES)]
                raise OSError(code, f"{os.strerror(code)} (call {self.number}, {name})")
            return function(*arguments, **more)

        return call


def new_gallery(root, into):
    for folder in (root, into):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    return contents(gallery(root, PICTURES))


def assert_whole(root, into, outcome):
    """The files of a group are together, and no file is there twice unless it was copied."""
    here = {path.name for path in root.glob("IMG_*")}
    there = {path.name for path in into.rglob("IMG_*")}
    for stem in ("IMG_0", "IMG_1", "IMG_2"):
        for names in (here, there):
            assert sum(name.startswith(stem) for name in names) in (0, 1 + 2 * (stem == "IMG_1"))
    assert outcome.done + len(outcome.failed) == PICTURES
    return here, there


@ways
def test_a_sorting(tmp_path, monkeypatch, no_fsync, move, across, links):
    monkeypatch.setattr(carrying, "COPYING_THREADS", 1)
    if links:
        monkeypatch.setattr(no_replace, "_system_rename", lambda: None)
    with other_disk(tmp_path) as disk:
        root, into = tmp_path / "photos", (disk if across else tmp_path) / "sorted"
        number, fault = 0, None
        while fault is None or fault.calls >= number:
            number += 1
            before = new_gallery(root, into)
            plan = planned(root, move=move, into=into)
            with monkeypatch.context() as patched:
                fault = Fault(patched, number)
                fault.armed = True
                outcome = attempted(sorter.apply, plan)
                fault.armed = False
            assert {*digests(root, into)} >= {one[0] for one in before.values()}
            if outcome is None:
                assert contents(root, into) == before, "not begun, but something is different"
                continue
            here, there = assert_whole(root, into, outcome)
            assert not move or not here & there
            assert sorter.undo(outcome.journal).failed == []
            assert contents(root, into) == before
        assert number > 40


@ways
def test_an_undoing(tmp_path, monkeypatch, no_fsync, move, across, links):
    monkeypatch.setattr(carrying, "COPYING_THREADS", 1)
    if links:
        monkeypatch.setattr(no_replace, "_system_rename", lambda: None)
    with other_disk(tmp_path) as disk:
        root, into = tmp_path / "photos", (disk if across else tmp_path) / "sorted"
        number, fault = 0, None
        while fault is None or fault.calls >= number:
            number += 1
            before = new_gallery(root, into)
            journal = sorter.apply(planned(root, move=move, into=into)).journal
            with monkeypatch.context() as patched:
                fault = Fault(patched, number)
                fault.armed = True
                outcome = attempted(sorter.undo, journal)
                fault.armed = False
            assert {*digests(root, into)} >= {one[0] for one in before.values()}
            if outcome is not None and move:
                here, there = assert_whole(root, into, outcome)
                assert not here & there
            assert sorter.undo(journal).failed == []
            assert contents(root, into) == before
        assert number > 40


def attempted(function, argument):
    """Return the outcome, or None if the journal cannot be used, which is an error of its own."""
    try:
        return function(argument)
    except OSError as error:
        if "(call " not in str(error):
            raise
        return None
