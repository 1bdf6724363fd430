"""Undoing gives everything back; what has changed since is left and named. And journals."""

from __future__ import annotations

import errno
import json
import os
import shutil

import pytest
from disks import mounted, other_disk
from sorted_trees import by_number, contents, facts, gallery, picture, planned, rate

from minicnn.apps import sorter
from minicnn.apps.sorter.carrying import Carrier
from minicnn.apps.sorter.journal import Log, journals_in, temporary_name
from minicnn.apps.sorter.journal_reading import interrupted_journal, read_journal
from minicnn.errors import FormatError, UnsafeFileError
from minicnn.support.locks import held


@pytest.fixture
def root(tmp_path):
    return gallery(tmp_path / "photos")


@pytest.fixture(params=["moved", "copied"])
def done(request, root):
    """A sorting that was done, and what the files were before."""
    before = contents(root)
    return sorter.apply(planned(root, by_number, move=request.param == "moved")), before


def left(outcome, root):
    return [(str(path.relative_to(root)), reason) for path, reason in outcome.failed]


def test_everything_is_as_before_and_the_folders_are_gone(root, done):
    outcome, before = done
    assert sorter.undo(outcome.journal) == (12, [], 0, outcome.journal, False)
    assert contents(root) == before
    assert {path.name for path in root.iterdir() if path.is_dir()} == {".minicnn-sort"}
    assert sorter.undo(outcome.journal).done == 0
    assert sorter.latest_journal(root) is None


def test_a_sorting_that_was_killed_before_its_first_file_is_undone(root, monkeypatch):
    """It has made a folder; `interrupted_journal` says so, and `undo` must find its journal."""
    before = contents(root)

    def killed(self, entry, one):
        raise KeyboardInterrupt

    plan = planned(root, by_number, move=True)
    with monkeypatch.context() as patch:
        patch.setattr(Carrier, "_note_begun", killed)
        with pytest.raises(KeyboardInterrupt):
            sorter.apply(plan)
    assert (root / "cats").is_dir()
    journal = sorter.latest_journal(root)
    assert journal is not None and journal == interrupted_journal(root)
    assert sorter.undo(journal).done == 0
    assert contents(root) == before and not (root / "cats").exists()
    assert sorter.latest_journal(root) is None and interrupted_journal(root) is None


def test_a_folder_with_something_else_in_it_stays(root, done):
    outcome, before = done
    other = picture(root / "cats" / "added later.jpg")
    sorter.undo(outcome.journal)
    assert contents(root) == before | {str(other): facts(other)}


def test_what_has_changed_since_is_left_and_named(root, done):
    outcome, before = done
    edited = root / "dogs" / "IMG_7.xmp"
    edited.write_text("five stars")
    undone = sorter.undo(outcome.journal)
    assert left(undone, root) == [("dogs/IMG_7.xmp", "changed since it was sorted")]
    assert undone.done == 11
    whole = {f"IMG_7.{ending}" for ending in ("jpg", "xmp", "MOV")}
    assert {path.name for path in (root / "dogs").iterdir()} == whole  # the group stays together
    edited.write_bytes(b"IMG_7.xmp")  # as it was
    assert sorter.undo(outcome.journal).done == 1
    assert {path: what[0] for path, what in contents(root).items()} == {
        path: what[0] for path, what in before.items()
    }


def test_a_name_that_another_file_has_now(root):
    before = contents(root)
    outcome = sorter.apply(planned(root, by_number, move=True))
    new = picture(root / "IMG_1.MOV", "taken from the camera again")
    undone = sorter.undo(outcome.journal)
    assert left(undone, root) == [("dogs/IMG_1.MOV", "another file has the old name")]
    assert new.read_bytes().endswith(b"again") and undone.done == 11
    new.unlink()
    assert sorter.undo(outcome.journal).done == 1
    assert contents(root) == before


def test_a_copy_stays_if_its_original_has_changed_or_is_gone(root):
    outcome = sorter.apply(planned(root, by_number))
    (root / "IMG_0.jpg").unlink()
    picture(root / "IMG_3.jpg", "edited")
    undone = sorter.undo(outcome.journal)
    reason = "its original has changed or is gone"
    assert left(undone, root) == [("dogs/IMG_3.jpg", reason), ("cats/IMG_0.jpg", reason)]
    assert undone.done == 10
    assert {path.name for path in root.rglob("cats/*")} == {"IMG_0.jpg"}


def test_files_that_are_gone_are_named_or_were_back_already(root):
    before = contents(root)
    outcome = sorter.apply(planned(root, by_number, move=True))
    (root / "cats" / "IMG_0.jpg").rename(root / "IMG_0.jpg")  # somebody, or a power failure
    (root / "cats" / "IMG_2.jpg").rename(root.parent / "IMG_2.jpg")
    undone = sorter.undo(outcome.journal)
    assert left(undone, root) == [("cats/IMG_2.jpg", os.strerror(errno.ENOENT))]
    (root.parent / "IMG_2.jpg").rename(root / "IMG_2.jpg")
    assert contents(root) == before


def test_folders_that_were_removed_meanwhile_are_made_again(tmp_path):
    picture(tmp_path / "in" / "2019" / "May" / "a.jpg")
    before = contents(tmp_path)
    plan = planned(tmp_path / "in", recursive=True, move=True, into=tmp_path / "out")
    outcome = sorter.apply(plan)
    shutil.rmtree(tmp_path / "in")
    assert sorter.undo(outcome.journal).failed == []
    assert contents(tmp_path) == before


def test_a_folder_that_was_moved_as_a_whole_is_undone_where_it_is_now(root, done):
    _, before = done
    new = root.rename(root.with_name("moved photos"))
    assert sorter.undo(sorter.latest_journal(new)).done == 12
    new.rename(root)
    assert contents(root) == before


def test_a_disk_that_stores_less_loses_nothing(root, tmp_path, monkeypatch):
    """Permissions, times and attributes come from the journal if the other disk lost them."""
    rate(root / "IMG_1.xmp", b"\0\xff")
    before = contents(root)

    def coarse(source, target):
        os.chmod(target, 0o755)
        os.utime(target, ns=(0, source.stat().st_mtime_ns // 2_000_000_000 * 2_000_000_000))

    monkeypatch.setattr("minicnn.apps.sorter.transfer.copy_facts", coarse)
    with other_disk(tmp_path) as card:
        outcome = sorter.apply(planned(root, move=True, into=card))
        assert {path.stat().st_mode & 0o777 for path in card.glob("cats/*")} == {0o755}
        assert sorter.undo(outcome.journal).failed == []
    assert contents(root) == before


def test_undoing_can_be_stopped_and_continued(tmp_path, no_fsync):
    root = gallery(tmp_path, 80)
    before = contents(root)
    outcome = sorter.apply(planned(root, move=True))
    calls = []
    undone = sorter.undo(outcome.journal, done=calls.append, stop=lambda: len(calls) == 1)
    assert (undone.done, undone.stopped) == (32, True)
    assert sorter.undo(outcome.journal).done == 48
    assert contents(root) == before


def test_a_copying_that_filled_the_disk_can_be_undone(tmp_path):
    with mounted(tmp_path / "small", "size=1m") as root:
        gallery(root, 6)
        (root / "IMG_5.jpg").write_bytes((root / "IMG_5.jpg").read_bytes() * 30_000)
        before = contents(root)
        outcome = sorter.apply(planned(root))
        (root / "filling").write_bytes(b"x" * shutil.disk_usage(root).free)
        assert sorter.undo(outcome.journal).done == 6
        (root / "filling").unlink()
        assert contents(root) == before


def test_each_sorting_has_its_own_journal_and_the_newest_is_undone_first(root):
    before = contents(root)
    first = sorter.apply(planned(root, by_number))
    picture(root / "new.jpg")
    second = sorter.apply(planned(root, "dogs", move=True))
    assert journals_in(root) == [first.journal, second.journal]
    assert sorter.latest_journal(root) == second.journal
    sorter.undo(second.journal)
    assert sorter.latest_journal(root) == first.journal
    sorter.undo(first.journal)
    (root / "new.jpg").unlink()
    assert contents(root) == before


def test_what_was_undone_can_be_resumed(root, done):
    outcome, _ = done
    after = contents(root)
    sorter.undo(outcome.journal)
    assert sorter.unfinished_journal(root) == outcome.journal
    assert sorter.resume(outcome.journal).done == 12
    assert contents(root) == after


@pytest.mark.parametrize("cut", [0, 1, 30, 200, 500])
def test_a_journal_that_was_cut_off_in_the_plan_has_begun_nothing(root, done, cut):
    outcome, _ = done
    sorter.undo(outcome.journal)
    before = contents(root)
    content = outcome.journal.read_bytes()
    outcome.journal.write_bytes(content[:cut])
    assert read_journal(outcome.journal).files == []
    for function in (sorter.resume, sorter.undo):
        assert function(outcome.journal).done == 0
    assert contents(root) == before and interrupted_journal(root) is None


def test_a_journal_may_be_cut_off_anywhere(root, tmp_path):
    """Whatever was written last: with the files as they were then, undoing comes to its end."""
    before = contents(root)
    with other_disk(tmp_path) as into:
        outcome = sorter.apply(planned(root, by_number, move=True, into=into))
        content = outcome.journal.read_bytes()
        begun = content.index(b'{"done"')
        for end in range(begun, len(content), 7):
            outcome.journal.write_bytes(content[:end])
            assert sorter.undo(outcome.journal).failed == []
            assert contents(root) == before
            outcome.journal.write_bytes(content[: content.index(b'{"begin"')])
            assert sorter.resume(outcome.journal).failed == []


def test_an_interrupted_sorting_is_known_until_it_is_undone(root):
    outcome = sorter.apply(planned(root, by_number, move=True))
    assert interrupted_journal(root) is None
    lines = outcome.journal.read_text().splitlines(keepends=True)
    outcome.journal.write_text("".join(lines[:-3]))
    assert interrupted_journal(root) == outcome.journal
    with held(outcome.journal):  # somebody is just sorting
        assert interrupted_journal(root) is None
    sorter.undo(outcome.journal)
    assert interrupted_journal(root) is None


NO_JOURNALS = {
    "something else": b"a letter\n",
    "another program's": b'{"journal": "of a ship"}\n',
    "of a newer version": b'{"journal": "minicnn sort", "version": 99}\n',
    "a number": b"7\n",
    "too deep": b"[" * 100_000 + b"\n",
}


@pytest.mark.parametrize("content", NO_JOURNALS.values(), ids=NO_JOURNALS)
def test_what_is_no_journal(tmp_path, content):
    path = tmp_path / ".minicnn-sort" / "1.jsonl"
    path.parent.mkdir()
    path.write_bytes(content)
    for function in (sorter.undo, sorter.resume, read_journal):
        with pytest.raises(FormatError):
            function(path)
    assert path.read_bytes() == content
    assert sorter.find(tmp_path).groups == [] and interrupted_journal(tmp_path) is None


WRONG_LINES = {
    "a file that is not in the plan": {"begin": 99, "facts": {}},
    "a file by name": {"done": "x"},
    "a negative file": {"done": -1},
    "a size that is none": {"begin": 0, "facts": {"size": "large"}},
    "facts that are none": {"begin": 0, "facts": 3},
    "a second plan": {"file": 5, "group": 0, "source": "a", "target": "b"},
}


@pytest.mark.parametrize("line", WRONG_LINES.values(), ids=WRONG_LINES)
def test_a_line_that_makes_no_sense(root, done, line):
    outcome, _ = done
    with outcome.journal.open("a") as journal:
        journal.write(json.dumps(line) + "\n")
    after = contents(root)
    with pytest.raises(FormatError, match="has the line"):
        sorter.undo(outcome.journal)
    assert contents(root) == after


OUTSIDE = ("../victim.jpg", "/tmp/victim.jpg", "cats/../../victim.jpg", "link/victim.jpg", "..", "")


@pytest.mark.parametrize(
    ("what", "place"),
    [
        (what, place)
        for what in ("target", "made", "temporary", "source")
        for place in OUTSIDE
        if what != "source" or not os.path.isabs(place)  # files may be sorted from anywhere
    ],
)
def test_a_journal_from_strangers_moves_nothing_out_of_its_folder(root, what, place):
    outcome = sorter.apply(planned(root, by_number, move=True))
    (root.parent / "victims").mkdir()
    (root / "link").symlink_to(root.parent / "victims")
    lines = [json.loads(line) for line in outcome.journal.read_text().splitlines()]
    facts = next(line["facts"] for line in lines if "begin" in line)
    lines += [
        {"made": "cats"},
        {"begin": 0, "temporary": f"cats/{temporary_name()}", "facts": facts},
    ]
    for line in lines:
        if what in line:
            line[what] = place
    outcome.journal.write_text("".join(json.dumps(line) + "\n" for line in lines))
    after = contents(root.parent)
    for function in (sorter.undo, sorter.resume):
        with pytest.raises(UnsafeFileError, match=r"not below|temporary name"):
            function(outcome.journal)
    assert contents(root.parent) == after


def test_the_journal_says_what_was_done(root):
    outcome = sorter.apply(planned(root, by_number, move=True))
    lines = [json.loads(line) for line in outcome.journal.read_text().splitlines()]
    plan = {line["source"]: line for line in lines if "file" in line}
    assert plan["IMG_1.MOV"]["target"] == "dogs/IMG_1.MOV"
    assert plan["IMG_4.jpg"]["target"] == "unsure/IMG_4.jpg"
    assert (plan["IMG_1.jpg"]["label"], plan["IMG_1.jpg"]["probability"]) == ("dogs", 0.9)
    begun = [line for line in lines if "begin" in line]
    assert len(begun) == len(plan) == 20
    assert all(len(line["facts"]["sha256"]) == 64 for line in begun)


def test_the_journal_says_why_a_file_was_not_carried(root):
    (root / "dogs").write_text("a file with the name of a class")
    journal = sorter.apply(planned(root, by_number, move=True)).journal
    failures = {entry.source: entry.failure for entry in read_journal(journal).files}
    assert failures["IMG_1.jpg"] and not failures["IMG_0.jpg"]
    (root / "dogs").unlink()
    sorter.resume(journal)
    assert not any(entry.failure for entry in read_journal(journal).files)


def test_lines_that_do_not_fit_are_written_with_the_next_ones(tmp_path, monkeypatch):
    real = os.write
    with Log(tmp_path / "journal") as log:
        log.later(done=1)
        monkeypatch.setattr(os, "write", lambda *_: (_ for _ in ()).throw(OSError(28, "full")))
        with pytest.raises(OSError, match="full"):
            log.now()
        log.finish()
        monkeypatch.setattr(os, "write", real)
        log.later(done=2)
        log.now()
    assert (tmp_path / "journal").read_text() == '{"done": 1}\n{"done": 2}\n'
