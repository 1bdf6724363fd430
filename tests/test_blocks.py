"""Blocks of a long list: each is computed once, whatever happens to the processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from disks import mounted, read_only
from hypothesis import given
from hypothesis import strategies as st
from test_files import FullDisk

from minicnn.distributed import blocks, work_folder
from minicnn.distributed.blocks import Work, remove_rest, shared
from minicnn.distributed.work_folder import WorkFolder, block_size, job_of
from minicnn.errors import ArgumentError, DistributedError, FormatError
from minicnn.support import atomic_files

ROOT = Path(__file__).parent.parent
NAMES = [f"{i}.png" for i in range(10)]
FACTS = {"model": "9f86", "top": "5"}


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(work_folder, "SMALLEST", 2)
    monkeypatch.setattr(blocks, "SECONDS_FOR_A_LEADER", 0.0)


@pytest.fixture
def as_process(monkeypatch):
    """A function that makes this process one of several."""

    def become(rank, size):
        monkeypatch.setenv("OMPI_COMM_WORLD_RANK", str(rank))
        monkeypatch.setenv("OMPI_COMM_WORLD_SIZE", str(size))

    return become


def result_of(names):
    return "".join(f"{name}\n" for name in names).encode(errors="surrogateescape")


class Computing:
    """Computes blocks and notes them; fails before the block that has a certain name."""

    def __init__(self, fails_at=None):
        self.seen, self.fails_at = [], fails_at

    def __call__(self, names):
        if self.fails_at in names:
            raise KeyboardInterrupt
        self.seen.append(list(names))
        return result_of(names)


def run(output, names=NAMES, compute=None, facts=FACTS, **more):
    """Do a job; return what it has computed, or None if another process has joined it."""
    compute = compute or Computing()
    with shared(output, Work(lambda: facts, lambda: names, compute), **more) as results:
        if results is None:
            return None
        output.write_bytes(b"".join(results))
    return compute.seen


def interrupted(output, at="6.png", **more):
    """Do a job up to the block with a certain name."""
    with pytest.raises(KeyboardInterrupt):
        run(output, compute=Computing(at), **more)


names = st.lists(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=9),
    min_size=1, max_size=30,
)  # fmt: skip


@given(names, st.integers(1, 40))
def test_results_are_joined_in_the_order_of_the_inputs(tmp_path_factory, inputs, block):
    folder = tmp_path_factory.mktemp("job")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(work_folder, "SMALLEST", block)
        seen = run(folder / "out", inputs)
    assert [name for part in seen for name in part] == inputs
    assert (folder / "out").read_bytes() == result_of(inputs)
    assert os.listdir(folder) == ["out"]


def test_names_that_are_no_utf8_are_kept(tmp_path):
    assert run(tmp_path / "out", ["\udcff", "ä", "new\nline"]) == [["\udcff", "ä"], ["new\nline"]]


def test_a_name_with_a_zero_byte_is_refused(tmp_path):
    with pytest.raises(ArgumentError, match="no zero byte"):
        run(tmp_path / "out", ["a\0b"])
    assert os.listdir(tmp_path) == []


@given(st.integers(0, 10**9))
def test_blocks_are_multiples_of_the_smallest(total):
    assert block_size(total) % 2 == 0 and block_size(total) <= work_folder.LARGEST


def test_an_interrupted_job_goes_on_where_it_was(tmp_path):
    interrupted(tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert run(tmp_path / "out") == [["6.png", "7.png"], ["8.png", "9.png"]]
    assert (tmp_path / "out").read_bytes() == result_of(NAMES)
    assert os.listdir(tmp_path) == ["out"]


def test_each_process_begins_with_its_own_blocks(tmp_path, as_process):
    as_process(0, 3)
    assert [part[0] for part in run(tmp_path / "out")] == [f"{i}.png" for i in (0, 6, 2, 8, 4)]


@pytest.mark.parametrize(
    ("more", "message"),
    {
        "another model": ({"facts": FACTS | {"model": "ab12"}}, "its model is 9f86, here ab12"),
        "another option": ({"facts": {"model": "9f86"}}, "its top is 5, here "),
        "more files": ({"names": [*NAMES, "x"]}, "it has 10 files, here 11"),
        "another order": ({"names": NAMES[::-1]}, "other files, or in another order"),
    }.values(),
)
def test_work_of_another_job_is_refused_unless_forced(more, message, tmp_path):
    interrupted(tmp_path / "out")
    with pytest.raises(DistributedError) as caught:
        run(tmp_path / "out", **more)
    assert message in str(caught.value) and "add --force" in str(caught.value)
    assert len(run(tmp_path / "out", **more, force=True)) >= 5  # all anew
    assert os.listdir(tmp_path) == ["out"]


def test_the_refused_work_is_still_there(tmp_path):
    interrupted(tmp_path / "out")
    with pytest.raises(DistributedError):
        run(tmp_path / "out", NAMES[:3])
    assert len(run(tmp_path / "out")) == 2


def test_force_goes_on_with_the_same_job(tmp_path):
    (tmp_path / "out").write_text("an older table")
    interrupted(tmp_path / "out", force=True)
    assert len(run(tmp_path / "out", force=True)) == 2
    assert (tmp_path / "out").read_bytes() == result_of(NAMES)


def test_a_damaged_result_is_computed_again(tmp_path):
    interrupted(tmp_path / "out")
    part = next((tmp_path / "out.parts").glob("*/0000001.part"))
    part.write_bytes(part.read_bytes()[:-1])  # as a power failure may leave it
    assert run(tmp_path / "out")[-1] == ["2.png", "3.png"]
    assert (tmp_path / "out").read_bytes() == result_of(NAMES)


def test_a_damaged_record_says_what_to_do(tmp_path):
    interrupted(tmp_path / "out")
    (tmp_path / "out.parts" / "job.json").write_text('{"job": 3}')
    with pytest.raises(FormatError, match=r"job\.json: does not say .*remove the folder"):
        run(tmp_path / "out")


def test_an_output_that_cannot_be_written_keeps_all_results(tmp_path):
    work = Work(lambda: FACTS, lambda: NAMES, Computing())
    with pytest.raises(OSError, match="No space"), shared(tmp_path / "out", work):
        raise OSError(28, "No space left on device")
    assert run(tmp_path / "out") == []


@pytest.mark.parametrize("call", ["write", "replace"])
def test_a_full_disk_names_the_file_and_keeps_what_is_done(call, tmp_path, monkeypatch):
    compute = Computing()

    def fill(names):
        if "6.png" in names:
            monkeypatch.setattr(atomic_files, "os", FullDisk(call))
        return compute(names)

    with pytest.raises(OSError, match="No space left on device") as caught:
        run(tmp_path / "out", compute=fill)
    assert caught.value.filename.endswith("0000003.part")
    monkeypatch.setattr(atomic_files, "os", os)
    assert run(tmp_path / "out") == [["6.png", "7.png"], ["8.png", "9.png"]]


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path):
    with mounted(tmp_path / "disk") as disk:
        with read_only(disk), pytest.raises(OSError, match="Read-only") as caught:
            run(disk / "out")
        assert caught.value.filename == str(disk / "out.parts")


def test_what_was_left_behind_a_finished_job_is_removed(tmp_path):
    remove_rest(tmp_path / "out")
    interrupted(tmp_path / "out")
    remove_rest(tmp_path / "out")
    assert (tmp_path / "out.parts").exists()  # it is not finished
    (tmp_path / "out.parts" / "job.json").unlink()
    remove_rest(tmp_path / "out")
    assert os.listdir(tmp_path) == []


# --- several processes --------------------------------------------------------------------------

OTHER = """
import sys
from pathlib import Path
from minicnn.distributed import work_folder
from minicnn.distributed.blocks import Work, shared
work_folder.SMALLEST = 2

def compute(names):
    if sys.argv[2] in names:
        print("computing", flush=True)
        sys.stdin.read()
    return "".join(f"{name}\\n" for name in names).encode()

output, names = Path(sys.argv[1]), [f"{i}.png" for i in range(10)]
facts = {"model": "9f86", "top": "5"}
with shared(output, Work(lambda: facts, lambda: names, compute)) as results:
    if results is not None:
        output.write_bytes(b"".join(results))
"""


@pytest.fixture
def other(tmp_path):
    """A process that leads the same job, and waits while it computes the first block."""
    words = [sys.executable, "-c", OTHER, str(tmp_path / "out"), "0.png"]
    process = subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with process:
        assert process.stdout.readline() == b"computing\n"
        yield process
        process.kill()


class Acting(Computing):
    """Does something after its last block."""

    def __init__(self, act):
        super().__init__()
        self.act = act

    def __call__(self, names):
        found = super().__call__(names)
        if len(self.seen) == 4:
            self.act()
        return found


@pytest.mark.parametrize("place", [(0, 1), (1, 2)])
def test_the_work_of_a_killed_process_is_done_by_another(place, other, tmp_path, as_process):
    """It also joins the results, which the killed one would have done."""
    as_process(*place)
    seen = run(tmp_path / "out", compute=Acting(other.kill))
    assert sorted(seen) == [NAMES[i : i + 2] for i in range(0, 10, 2)]
    assert seen[-1] == NAMES[:2]  # the block that was being computed
    assert (tmp_path / "out").read_bytes() == result_of(NAMES)
    assert os.listdir(tmp_path) == ["out"]


@pytest.mark.parametrize("place", [(0, 1), (1, 2)])
def test_one_process_joins_the_work_of_both(place, other, tmp_path, as_process):
    as_process(*place)
    assert run(tmp_path / "out", compute=Acting(other.stdin.close)) is None
    assert other.wait() == 0
    assert (tmp_path / "out").read_bytes() == result_of(NAMES)
    assert os.listdir(tmp_path) == ["out"]


@pytest.mark.parametrize("place", [(0, 1), (1, 2)])
def test_another_job_is_refused_while_a_process_works(place, other, tmp_path, as_process):
    as_process(*place)
    for more in ({}, {"force": True}):
        with pytest.raises(DistributedError, match=r"its top is 5, here 3.*wait for its end"):
            run(tmp_path / "out", facts=FACTS | {"top": "3"}, **more)


def test_another_list_is_refused_while_a_process_works(other, tmp_path):
    with pytest.raises(DistributedError, match="it has 10 files, here 9"):
        run(tmp_path / "out", NAMES[:9])


def test_a_process_whose_job_is_replaced_says_so(other, tmp_path):
    def replace():
        other.kill()
        other.wait()
        folder = WorkFolder(tmp_path / "out")
        assert folder.lead()
        folder.begin(job_of(FACTS, ["x"]), ["x"])
        folder.release()

    with pytest.raises(DistributedError, match="another command, with --force"):
        run(tmp_path / "out", compute=Acting(replace))


def test_a_process_that_comes_when_all_is_done_has_nothing_to_do(tmp_path, as_process):
    as_process(1, 2)
    (tmp_path / "out").write_text("done")
    assert run(tmp_path / "out") is None
    assert (tmp_path / "out").read_text() == "done"
    assert os.listdir(tmp_path) == ["out"]


def test_a_process_takes_the_lead_if_process_0_does_not_come(tmp_path, as_process):
    as_process(1, 2)
    assert run(tmp_path / "out") is None  # there is no job
    assert os.listdir(tmp_path) == []
    as_process(0, 1)
    interrupted(tmp_path / "out")
    as_process(1, 2)
    with pytest.raises(DistributedError, match="it has 10 files, here 9"):
        run(tmp_path / "out", NAMES[:9])
    assert len(run(tmp_path / "out")) == 2
    assert (tmp_path / "out").read_bytes() == result_of(NAMES)


def test_an_output_that_is_written_meanwhile_is_not_made_again(tmp_path, monkeypatch):
    """The other process has ended between the first look and the lock."""
    lead = WorkFolder.lead

    def late(folder):
        (tmp_path / "out").write_text("done")
        return lead(folder)

    (tmp_path / "out").write_text("an older table")
    monkeypatch.setattr(WorkFolder, "lead", late)
    assert run(tmp_path / "out", force=True) is None
    assert os.listdir(tmp_path) == ["out"]


def test_progress_is_that_of_all(tmp_path, monkeypatch):
    monkeypatch.setattr(blocks, "SECONDS_TO_COUNT", 0.0)
    interrupted(tmp_path / "out")
    told = []
    run(tmp_path / "out", progress=lambda *words: told.append(words))
    assert told[0] == (6, 10) and told[-1] == (10, 10)


def test_the_record_can_be_read_by_people(tmp_path):
    interrupted(tmp_path / "out")
    record = json.loads((tmp_path / "out.parts" / "job.json").read_text())
    assert record["job"][0] == FACTS and record["leader"] == os.getpid()
