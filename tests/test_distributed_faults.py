"""A job of several processes ends as a whole when one of them fails, and says which and why."""

from __future__ import annotations

import os
import platform
import re
import signal
import subprocess
import sys
from itertools import repeat
from pathlib import Path

import pytest
from mpi import environment, mpirun, mpirun_line, needs_mpi

from minicnn.distributed import faults
from minicnn.distributed.endings import Ending, text_for

HOST = re.escape(platform.node())
PROGRAM = Path(__file__).parent / "failing_ranks.py"
LEFT = f"rank 1 on {HOST} has ended in the middle of the work, without an error"
# What goes wrong: the possible exit codes, and what is printed.
FAILURES = {
    "exit 0": ({1}, f"^rank 0 on {HOST}: DistributedError: {LEFT}"),
    "exit 3": ({1, 3}, f"^rank 0 on {HOST}: DistributedError: {LEFT}"),
    "exit at once": ({1}, f"rank 1 .*on node {HOST}"),
    "error": ({1}, f"^rank 1 on {HOST}: FileNotFoundError: photos: no such folder$"),
    "error in a thread": ({1}, f"^rank 1 on {HOST}: ValueError in reader: invalid literal"),
    "killed": ({128 + signal.SIGKILL}, rf"rank 1 .*on node {HOST}[^*]*signal 9 \(Killed\)"),
    "interrupted": ({130}, "rank 1"),
    "error of the main process at the end": (
        {1},
        f"^rank 0 on {HOST}: OSError: runs/scene-1: No space left on device$",
    ),
}

pytestmark = needs_mpi


@pytest.mark.parametrize(("what", "expected"), FAILURES.items(), ids=FAILURES)
def test_the_job_ends_and_says_which_process_has_failed(what, expected):
    done = mpirun(2, PROGRAM, what)
    assert done.returncode in expected[0], done.stderr
    assert re.search(expected[1], done.stderr, re.MULTILINE), done.stderr
    assert "all is well" not in done.stdout


def test_an_error_of_all_processes_is_printed_once():
    done = mpirun(2, PROGRAM, "both: error")
    assert done.returncode == 1
    assert done.stderr.count("Traceback") == 1
    assert done.stderr.count("no such folder: 'photos'") == 1
    assert not re.search("^rank", done.stderr, re.MULTILINE)


def test_different_errors_are_all_printed():
    done = mpirun(2, PROGRAM, "both: errors")
    assert done.returncode == 1
    for rank in range(2):
        line = f"rank {rank} on {platform.node()}: ValueError: the value of rank {rank}"
        assert line in done.stderr.splitlines()


def test_a_job_without_faults_ends_well():
    done = mpirun(2, PROGRAM, "nothing")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("all is well") == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_to_mpirun_ends_all_processes(number):
    line = mpirun_line(2, sys.executable, str(PROGRAM), "work")
    with subprocess.Popen(
        line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    ) as job:
        assert job.stdout is not None
        processes = [int(one) for one in re.findall(r"\d+", job.stdout.readline())]
        assert len(processes) == 2
        job.send_signal(number)
        assert job.wait() != 0
        for process in processes:
            wait_for_end(process)


def wait_for_end(process: int) -> None:
    """Wait until a process has ended that is no child of this one."""
    for _ in repeat(None):
        status = Path(f"/proc/{process}/status")
        try:
            state = re.search(r"State:\t(\w)", status.read_text())
        except (FileNotFoundError, ProcessLookupError):
            return
        if state is not None and state[1] in "ZX":
            return
        os.sched_yield()


def test_without_a_job_an_error_is_only_shown():
    shown: list[str] = []
    faults.fail("no such folder", shown.append)
    assert shown == ["no such folder"]


def test_each_of_two_errors_is_printed_by_the_first_process_that_has_it():
    said = {rank: Ending(rank, "node1", 0, "a" if rank < 2 else "b") for rank in range(4)}
    texts = [text_for(rank, said, 4) for rank in range(4)]
    assert texts == ["rank 0 on node1: a", "", "rank 2 on node1: b", ""]
