"""Searches that are killed, resumed, and shared by processes, and their journals."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_searches import DATA, build, search, tried

from minicnn import tune
from minicnn.errors import FormatError
from minicnn.tune.folder_storage import FolderStorage
from minicnn.tune.study import known_settings

pytest.importorskip("optuna")
pytestmark = pytest.mark.usefixtures("no_fsync")

PROGRAM = """
import sys
sys.path.insert(0, {tests!r})
from tiny_searches import *
from minicnn.callbacks import Callback
class Guided(Callback):
    # Reports the end of an epoch and waits for a line of input.
    def on_epoch_end(self, epoch, logs=None):
        print("epoch", flush=True)
        sys.stdin.readline()
tuner = tune.RandomSearch(
    build, max_trials=int(sys.argv[2]), directory=sys.argv[1], project_name="s", verbose=0
)
tuner.search(X[:80], Y[:80], callbacks=[Guided()], **DATA)
"""


def start(folder, trials):
    program = PROGRAM.format(tests=str(Path(__file__).parent))
    command = [sys.executable, "-c", program, str(folder), str(trials)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    return subprocess.Popen(command, **pipes, text=True)


def test_a_search_killed_in_the_second_trial_resumes(tmp_path):
    with start(tmp_path, 6) as process:
        for _ in range(3):
            process.stdin.write("\n")
            process.stdin.flush()
            assert process.stdout.readline() == "epoch\n"
        process.kill()
    resumed = search(tmp_path, max_trials=6)
    whole = search(tmp_path / "whole", max_trials=6)
    assert tried(resumed) == tried(whole)


def test_two_processes_share_the_trials(tmp_path):
    workers = [start(tmp_path, 8) for _ in range(2)]
    firsts = [worker.stdout.readline() for worker in workers]  # both are in a trial
    assert firsts == ["epoch\n"] * 2
    printed = [worker.communicate("\n" * 99)[0].count("epoch") for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0]
    assert len(firsts) + sum(printed) == 8 * DATA["epochs"]
    shared = search(tmp_path, max_trials=8)
    assert tried(shared) == tried(search(tmp_path / "alone", max_trials=8))
    assert list((tmp_path / "s" / "workers").iterdir()) == []


def tuner_in(folder):
    """A search without trials."""
    return tune.RandomSearch(build, directory=folder, project_name="s", verbose=0)


def test_a_journal_that_is_a_pipe_is_refused(tmp_path):
    (tmp_path / "s").mkdir()
    os.mkfifo(tmp_path / "s" / "journal.log")
    for opening in (tuner_in, lambda folder: known_settings(FolderStorage(folder / "s"))):
        with pytest.raises(FormatError, match="is a device, a pipe or a socket"):
            opening(tmp_path)


@pytest.mark.parametrize("torn", [b"{", b'{"op_code":0,"worker'])
def test_half_of_the_first_line_is_dropped(tmp_path, torn):
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "journal.log").write_bytes(torn)
    tuner_in(tmp_path)
    assert (tmp_path / "s" / "journal.log").read_bytes().startswith(b'{"op_code":0,"worker_id"')


def test_half_a_line_at_the_journals_end_is_dropped(tmp_path):
    before = tried(search(tmp_path, max_trials=2))
    with (tmp_path / "s" / "journal.log").open("ab") as file:
        file.write(b'{"op_code": 4, "wor')
    assert tried(search(tmp_path, max_trials=3)).items() > before.items()
