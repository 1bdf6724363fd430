"""How the native engine behaves in a process: fork, other Python threads, Ctrl-C."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("minicnn._core")

STEPS_PER_EPOCH = 16  # of process_jobs.fit
JOBS = Path(__file__).with_name("process_jobs.py")


def command(*job: str) -> dict:
    return {
        "args": [sys.executable, "-W", "ignore::DeprecationWarning", str(JOBS), *job],
        "env": {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        "text": True,
    }


def run(*job: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(**command(*job), capture_output=True, timeout=120)


def test_children_and_grandchildren_train_after_a_fork():
    result = run("fork", "10")
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("use", ["predict", "fit", "locked"])
def test_a_child_uses_the_model_that_another_thread_was_using(use):
    result = run("fork_beside", use)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_pool_of_processes_trains(method):
    result = run("pool", method)
    assert result.returncode == 0, result.stderr


def test_other_threads_run_during_a_kernel():
    result = run("tick")
    assert result.returncode == 0, result.stderr
    seconds, ticks = map(float, result.stdout.split())
    assert seconds > 0.1, "the kernel is too short to tell"
    assert ticks > 50 * seconds, f"{ticks:.0f} ticks of 1 ms in {seconds:.2f} s"


@pytest.mark.parametrize("delay", [0.0, 0.05, 0.3, 0.8])
def test_ctrl_c_stops_a_training_within_a_second_and_leaves_a_checkpoint(tmp_path, delay):
    said, seconds = interrupt_fit(tmp_path, delay)
    assert seconds < 1
    saved = re.fullmatch(r"Interrupted; progress is saved in (.*/checkpoint-(\d+)\.mcnn)\n", said)
    assert saved and Path(saved[1]).is_file()
    steps = int(saved[2])
    epochs = steps // STEPS_PER_EPOCH + 2
    result = run("resume", str(tmp_path), str(epochs))
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == [str(steps), str(epochs * STEPS_PER_EPOCH)]


def interrupt_fit(folder: Path, delay: float) -> tuple[str, float]:
    """What `fit` says when Ctrl-C comes `delay` seconds after its first steps, and how soon."""
    with subprocess.Popen(**command("fit", str(folder)), stdout=subprocess.PIPE) as process:
        said = [process.stdout.readline()]
        time.sleep(delay)
        pressed = time.perf_counter()
        process.send_signal(signal.SIGINT)
        said += iter(process.stdout.readline, "stopped\n")
        seconds = time.perf_counter() - pressed
        assert process.wait(timeout=30) == 0, said
    assert set(said[:-1]) == {"training\n"}
    return said[-1], seconds
