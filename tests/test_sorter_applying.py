"""Sorting loses no file and replaces none, whatever the disks and other processes do meanwhile."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from disks import mounted, other_disk, read_only
from sorted_trees import by_number, contents, digests, facts, gallery, picture, planned, rate

from minicnn.apps import sorter
from minicnn.apps.sorter import carrying, jobs, transfer
from minicnn.errors import FolderInUseError
from minicnn.support import no_replace
from minicnn.support.locks import held

ROOT = Path(__file__).parent.parent


@pytest.fixture
def disk(tmp_path):
    """A folder on another file system than `tmp_path`."""
    with other_disk(tmp_path) as folder:
        yield folder


@pytest.fixture(params=["beside", "across"])
def into(request, tmp_path):
    """The folder into which is sorted: on the disk of the images, or on another one."""
    if request.param == "beside":
        yield tmp_path / "sorted"
    else:
        with other_disk(tmp_path) as folder:
            yield folder / "sorted"


def reasons(outcome):
    return [(path.name, reason) for path, reason in outcome.failed]


@pytest.mark.parametrize("move", [False, True], ids=["copied", "moved"])
def test_files_keep_bytes_times_permissions_and_attributes(tmp_path, into, move):
    root = gallery(tmp_path / "photos")
    for path in root.glob("*_[147].*"):
        rate(path, b"\xff\0", into.parent)
    before = contents(root)
    outcome = sorter.apply(planned(root, by_number, move=move, into=into))
    assert (outcome.done, outcome.failed, outcome.skipped) == (12, [], 0)
    assert contents(root) == ({} if move else before)
    after = contents(into)
    assert sorted(Path(one).name for one in after) == sorted(Path(one).name for one in before)
    by_name = {Path(path).name: what for path, what in before.items()}
    assert all(what == by_name[Path(path).name] for path, what in after.items())
    assert {path.name for path in into.iterdir()} == {".minicnn-sort", "cats", "dogs", "unsure"}


def test_progress_is_told_and_the_sorting_can_be_stopped(tmp_path, no_fsync):
    root = gallery(tmp_path, 100)
    calls = []
    outcome = sorter.apply(
        planned(root, move=True), done=calls.append, stop=lambda: len(calls) == 2
    )
    assert calls == [32, 64] and (outcome.done, outcome.stopped) == (64, True)
    assert sorter.interrupted_journal(root) is None  # it ended as it was told to
    assert sorter.unfinished_journal(root) == outcome.journal
    calls.clear()
    outcome = sorter.resume(outcome.journal, done=calls.append)
    assert calls == [32, 36] and (outcome.done, outcome.failed) == (36, [])
    assert sorter.unfinished_journal(root) is None


def test_the_journal_is_written_ahead_of_each_file(tmp_path, into, monkeypatch):
    """What a file's lines announce is on the disk before it happens."""
    root = gallery(tmp_path / "photos", 3)
    seen = []

    def noting(self):
        lines = [json.loads(line) for line in journal().read_text().splitlines()]
        begun = {line["begin"]: line for line in lines if "begin" in line}
        seen.append(self.source.name)
        assert begun[self.number]["facts"]["size"] == self.source.stat().st_size
        if self.temporary is not None:
            assert self.number in [line.get("copied") for line in lines]
        return place(self)

    def journal():
        return next((into / ".minicnn-sort").glob("*.jsonl"))

    place = transfer.Transfer.place
    monkeypatch.setattr(transfer.Transfer, "place", noting)
    assert sorter.apply(planned(root, move=True, into=into)).failed == []
    assert len(seen) == 5


def test_a_name_that_is_taken_after_the_plan_gets_a_number(tmp_path, into):
    root = gallery(tmp_path / "photos", 2)
    plan = planned(root, move=True, into=into)
    other = picture(into / "cats" / "IMG_1.xmp", "of another program")
    outcome = sorter.apply(plan)
    assert outcome.failed == [] and other.read_bytes().endswith(b"of another program")
    assert sorted(path.name for path in (into / "cats").iterdir()) == [
        "IMG_0.jpg", "IMG_1 (1).MOV", "IMG_1 (1).jpg", "IMG_1 (1).xmp", "IMG_1.xmp",
    ]  # fmt: skip
    assert sorter.undo(outcome.journal).failed == []
    assert digests(root, into) == sorted(
        [*digests(gallery(tmp_path / "again", 2)), facts(other)[0]]
    )


def test_a_copy_that_another_sorter_made_meanwhile_is_not_made_twice(tmp_path):
    root = gallery(tmp_path / "photos", 2)
    plan = planned(root, into=tmp_path / "sorted")
    first, second = sorter.apply(plan), sorter.apply(plan)
    assert (first.done, second.done, second.skipped) == (2, 0, 2)
    assert sorter.undo(second.journal) == sorter.Outcome(0, [], journal=second.journal)
    assert len(contents(tmp_path / "sorted")) == 4
    assert sorter.undo(first.journal).done == 2


@pytest.mark.parametrize("name", ["IMG_1.jpg", "IMG_1.MOV"])
def test_a_group_is_completed_that_another_sorter_is_just_copying(tmp_path, into, name):
    root = gallery(tmp_path / "photos", 2)
    plan = planned(root, into=into)
    (into / "cats").mkdir(parents=True)
    theirs = shutil.copy2(root / name, into / "cats")
    outcome = sorter.apply(plan)
    assert (outcome.done, outcome.failed, outcome.skipped) == (2, [], 0)
    assert digests(into) == digests(root)
    assert sorter.undo(outcome.journal).failed == []
    assert [*contents(into)] == [str(theirs)]


def test_a_group_that_is_there_only_in_part_gets_another_number(tmp_path):
    root = gallery(tmp_path / "photos", 2)
    plan = planned(root, into=tmp_path)
    (tmp_path / "cats").mkdir()
    shutil.copy2(root / "IMG_1.jpg", tmp_path / "cats")
    picture(tmp_path / "cats" / "IMG_1.xmp", "of another image")
    before = contents(tmp_path / "cats")
    outcome = sorter.apply(plan)
    names = {path.name for path in (tmp_path / "cats").iterdir()}
    assert names >= {"IMG_1 (1).jpg", "IMG_1 (1).xmp", "IMG_1 (1).MOV", "IMG_0.jpg"}
    sorter.undo(outcome.journal)
    assert contents(tmp_path / "cats") == before


def sort_in_process(root, into, move, start):
    """Sort as one of several processes that begin at the same time."""
    plan = planned(root, by_number, move=move, into=into)
    start.wait()
    sorter.apply(plan)


@pytest.mark.parametrize("move", [True, False], ids=["moved", "copied"])
def test_two_sorters_at_once_sort_each_image_once(tmp_path, into, move):
    root = gallery(tmp_path / "photos", 60)
    before = contents(root)
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(2)
    processes = [
        context.Process(target=sort_in_process, args=(root, into, move, start)) for _ in range(2)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert digests(into) == sorted(one[0] for one in before.values())
    assert contents(root) == ({} if move else before)
    assert not list(into.rglob("*.tmp"))
    for journal in (into / ".minicnn-sort").glob("*.jsonl"):
        assert sorter.undo(journal).failed == []
    assert contents(root) == before and contents(into) == {}


def test_two_processes_never_use_one_journal(tmp_path):
    outcome = sorter.apply(planned(gallery(tmp_path)))
    with held(outcome.journal):
        for function in (sorter.undo, sorter.resume):
            with pytest.raises(FolderInUseError):
                function(outcome.journal)


class IgnoringCase:
    """Makes the calls that give names refuse those that differ from another one only in case."""

    def __init__(self, monkeypatch):
        self.call, self.open = no_replace._call, os.open
        monkeypatch.setattr(no_replace, "_call", self.rename)
        monkeypatch.setattr(os, "open", self.opening)

    def is_taken(self, path, but=None):
        folder, name = os.path.split(path)
        others = [one for one in os.listdir(folder or ".") if os.path.join(folder, one) != but]
        return name.casefold() in [one.casefold() for one in others]

    def rename(self, function, old, new, *rest):
        if self.is_taken(new, but=old):
            raise FileExistsError(errno.EEXIST, "File exists", new)
        return self.call(function, old, new, *rest)

    def opening(self, path, flags, *rest):
        if flags & os.O_EXCL and self.is_taken(os.fspath(path)):
            raise FileExistsError(errno.EEXIST, "File exists", path)
        return self.open(path, flags, *rest)


@pytest.mark.parametrize("move", [True, False], ids=["moved", "copied"])
def test_a_disk_that_ignores_case(tmp_path, monkeypatch, move):
    """Its names collide only there, so the plan's own care is switched off."""
    for folder, name in (("1", "a.jpg"), ("2", "A.jpg"), ("3", "A.JPG")):
        picture(tmp_path / folder / name, folder)
    before = contents(tmp_path)
    monkeypatch.setattr(sorter.target_names, "name_key", lambda name: name)
    plan = planned(tmp_path, recursive=True, move=move)
    assert plan.conflicts() == []
    IgnoringCase(monkeypatch)
    outcome = sorter.apply(plan)
    assert outcome.failed == []
    names = [path.name for path in (tmp_path / "cats").iterdir()]
    assert len({name.casefold() for name in names}) == len(names) == 3
    assert sorter.undo(outcome.journal).failed == []
    assert contents(tmp_path) == before


def test_a_full_disk(tmp_path, monkeypatch):
    """What has no room stays, what has room is moved, and nothing half is left."""
    monkeypatch.setattr(carrying, "COPYING_THREADS", 1)  # no other copy takes the last room
    root = gallery(tmp_path / "photos", 12)
    for path in root.iterdir():
        if path.stem in ("IMG_4", "IMG_8"):
            path.write_bytes(path.read_bytes() * 100_000)
    before = contents(root)
    with mounted(tmp_path / "small", "size=2m") as into:
        (into / "filling").write_bytes(b"x" * 1_500_000)
        outcome = sorter.apply(planned(root, move=True, into=into))
        assert reasons(outcome) == [
            ("IMG_4.jpg", os.strerror(errno.ENOSPC)),
            ("IMG_8.jpg", os.strerror(errno.ENOSPC)),
        ]
        assert outcome.done == 10 and not list(into.rglob("*.tmp"))
        assert {path.stem for path in root.iterdir()} == {"IMG_4", "IMG_8"}
        (into / "filling").unlink()
        assert sorter.undo(outcome.journal) == (10, [], 0, outcome.journal, False)
        assert contents(root) == before


def test_a_disk_that_is_full_to_the_last_byte(tmp_path):
    """Not even the journal has room, so nothing is begun."""
    root = gallery(tmp_path / "photos")
    before = contents(root)
    with mounted(tmp_path / "small", "size=1m") as into:
        (into / "filling").write_bytes(b"x" * shutil.disk_usage(into).free)
        with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
            sorter.apply(planned(root, move=True, into=into))
    assert contents(root) == before


def test_a_journal_that_cannot_be_continued_ends_the_moving(tmp_path, into, monkeypatch):
    root = gallery(tmp_path / "photos")
    before = contents(root)
    plan, real, calls = planned(root, move=True, into=into), os.write, []

    def write(handle, data):
        calls.append(handle)
        if bytes(data[:8]) == b'{"begin"':
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(handle, data)

    monkeypatch.setattr(os, "write", write)
    outcome = sorter.apply(plan)
    monkeypatch.undo()
    assert outcome.done == 0 and len(outcome.failed) == 12
    assert contents(root, into) == before
    assert sorter.resume(outcome.journal).done == 12


def test_a_read_only_target(tmp_path):
    root = gallery(tmp_path / "photos")
    before = contents(root)
    with mounted(tmp_path / "card") as into:
        plan = planned(root, move=True, into=into)
        with read_only(into), pytest.raises(OSError, match=os.strerror(errno.EROFS)):
            sorter.apply(plan)
        assert contents(root) == before
        assert sorter.apply(plan).done == 12


def test_a_source_that_cannot_be_removed_is_not_moved_to_another_disk(tmp_path):
    """Its companions stay with it, and no copy of them is left."""
    with mounted(tmp_path / "card") as root:
        gallery(root)
        before = contents(root)
        plan = planned(root, move=True, into=tmp_path / "sorted")
        with read_only(root):
            outcome = sorter.apply(plan)
        assert {reason for _, reason in reasons(outcome)} == {os.strerror(errno.EROFS)}
        assert outcome.done == 0
        assert contents(root) == before and contents(tmp_path / "sorted") == {}


def change(path):
    path.write_bytes(b"changed while it was on its way")


def replace_by_link(path):
    path.unlink()
    path.symlink_to("/etc/hostname")


@pytest.mark.parametrize("meanwhile", [change, os.unlink, replace_by_link])
@pytest.mark.parametrize("step", ["begin", "copy", "place", "leave"])
@pytest.mark.parametrize("move", [True, False], ids=["moved", "copied"])
def test_a_source_that_changes_or_vanishes_meanwhile(
    tmp_path, disk, monkeypatch, meanwhile, step, move
):
    root = gallery(tmp_path / "photos", 3)
    before = contents(root)
    real = getattr(transfer.Transfer, step)

    def interfering(self):
        if self.source.name == "IMG_1.xmp":
            meanwhile(self.source)
        return real(self)

    monkeypatch.setattr(transfer.Transfer, step, interfering)
    outcome = sorter.apply(planned(root, move=move, into=disk / "sorted"))
    monkeypatch.undo()
    lost = {one[0] for one in before.values()} - set(digests(root, disk))
    assert len(lost) <= 1  # what the interference itself destroyed
    for name in ("IMG_1.jpg", "IMG_1.MOV"):  # of the same group
        assert (root / name).exists() or (disk / "sorted" / "cats" / name).exists()
    if meanwhile is change:
        both = [root / "IMG_1.xmp", disk / "sorted" / "cats" / "IMG_1.xmp"]
        assert any(p.exists() and p.read_bytes().startswith(b"changed") for p in both)
    assert outcome.done in (2, 3) and not list(disk.rglob("*.tmp"))


def test_a_vanished_image_is_reported_and_the_rest_goes_on(tmp_path, into):
    root = gallery(tmp_path / "photos", 3)
    plan = planned(root, move=True, into=into)
    (root / "IMG_2.jpg").unlink()
    (root / "IMG_0.jpg").unlink()
    os.mkfifo(root / "IMG_0.jpg")
    outcome = sorter.apply(plan)
    assert outcome.done == 1
    assert reasons(outcome) == [
        ("IMG_0.jpg", "is a device, a pipe or a socket; give a regular file"),
        ("IMG_2.jpg", os.strerror(errno.ENOENT)),
    ]


@pytest.mark.parametrize("way", ["a link out", "a file"])
def test_a_class_folder_that_is_none(tmp_path, way):
    root = gallery(tmp_path / "photos", 3)
    (tmp_path / "elsewhere").mkdir()
    if way == "a link out":
        (root / "cats").symlink_to(tmp_path / "elsewhere")
    else:
        (root / "cats").write_text("a list of cats")
    before = contents(root)
    outcome = sorter.apply(planned(root, move=True))
    assert outcome.done == 0 and len(outcome.failed) == 3
    assert contents(root) == before and list((tmp_path / "elsewhere").iterdir()) == []


def test_hard_links_stay_two_names_of_one_file(tmp_path):
    picture(tmp_path / "a.jpg")
    os.link(tmp_path / "a.jpg", tmp_path / "b.jpg")
    before = contents(tmp_path)
    outcome = sorter.apply(planned(tmp_path, move=True))
    assert (tmp_path / "cats" / "a.jpg").samefile(tmp_path / "cats" / "b.jpg")
    sorter.undo(outcome.journal)
    assert contents(tmp_path) == before and (tmp_path / "a.jpg").stat().st_nlink == 2


def test_a_disk_without_renaming_across_folders_is_served_by_copies(tmp_path, monkeypatch):
    """As between two mounts of one disk, whose files cannot be renamed from one to the other."""
    root = gallery(tmp_path / "photos")
    before = contents(root)
    real = no_replace._call

    def call(function, old, new, *rest):
        if os.path.dirname(old) != os.path.dirname(new):
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), old, None, new)
        return real(function, old, new, *rest)

    monkeypatch.setattr(no_replace, "_call", call)
    outcome = sorter.apply(planned(root, move=True))
    assert (outcome.done, outcome.failed) == (12, [])
    assert digests(root) == sorted(one[0] for one in before.values())
    assert sorter.undo(outcome.journal).done == 12
    assert contents(root) == before


def script(name, *words):
    """Run a script of tests in a process of its own; return what it prints."""
    done = subprocess.run(
        [sys.executable, ROOT / "tests" / name, *map(str, words)],
        capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_killed_at_random_moments(tmp_path, disk):
    found = script("sorting_kills.py", disk, tmp_path, 12)
    assert found["lost"] == 0 and found["sortings"] > 0


@pytest.mark.slow
def test_killed_at_300_random_moments(tmp_path, disk):
    assert script("sorting_kills.py", disk, tmp_path, 300)["lost"] == 0


FEW_CALLS = 25  # of each sorting at least


@pytest.mark.parametrize(
    "way",
    ["beside", *(pytest.param(one, marks=pytest.mark.slow)
                 for one in ("across", "copies", "links", "reserved"))],
)  # fmt: skip
def test_stopped_before_each_system_call(tmp_path, disk, way):
    counts = script("sorting_stops.py", disk, tmp_path, way)[way]
    assert min(counts) > FEW_CALLS


def test_chunks_are_limited_by_number_and_bytes(tmp_path, monkeypatch, no_fsync):
    root = gallery(tmp_path, 10)
    plan = planned(root, move=True)
    monkeypatch.setattr(jobs, "BYTES_AT_A_TIME", 60)
    calls = []
    sorter.apply(plan, done=calls.append)
    assert calls == [4, 8, 10]
