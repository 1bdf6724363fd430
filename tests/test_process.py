"""The native engine with fork, other Python threads and Ctrl-C."""

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
    return subprocess.run(**command(*job), capture_output=True)


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


@pytest.mark.parametrize("delay", [0.0, 0.05, 0.3, 0.8])
def test_ctrl_c_stops_a_training_after_its_step_and_leaves_a_checkpoint(tmp_path, delay):
    said, more_steps = interrupt_fit(tmp_path, delay)
    assert more_steps in (0, 1)
    saved = re.fullmatch(r"Interrupted; progress is saved in (.*/checkpoint-(\d+)\.mcnn)\n", said)
    assert saved and Path(saved[1]).is_file()
    steps = int(saved[2])
    epochs = steps // STEPS_PER_EPOCH + 2
    result = run("resume", str(tmp_path), str(epochs))
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == [str(steps), str(epochs * STEPS_PER_EPOCH)]


def interrupt_fit(folder: Path, delay: float) -> tuple[str, int]:
    """Interrupt `fit` after its first steps; return its last line and the steps that followed."""
    with subprocess.Popen(**command("fit", str(folder)), stdout=subprocess.PIPE) as process:
        said = [process.stdout.readline()]
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        said += process.stdout
        assert process.wait() == 0, said
    *training, interrupted, more_steps = said
    assert set(training) == {"training\n"}
    return interrupted, int(more_steps.removeprefix("more steps: "))
