"""Two processes on one run folder; and trainings that are killed again and again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import train_kills
from train_kills import NAME, start, write_config

import minicnn as mc
from minicnn.callbacks import BackupAndRestore, Callback
from minicnn.errors import FolderInUseError
from minicnn.layers import Dense, Input
from minicnn.support import atomic_files
from minicnn.support.locks import FolderLock

X, Y = np.eye(8, 4, dtype=np.float32), np.arange(8) % 2


def small():
    mc.utils.set_random_seed(3)
    model = mc.Sequential([Input((4,)), Dense(2, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
def test_fifty_kills_change_nothing():
    """More of them: `python tests/train_kills.py 200`, which took four minutes."""
    assert train_kills.main(50) == 0


def test_a_second_resume_is_refused_by_the_number_of_the_first(tmp_path):
    config = write_config(tmp_path)
    first = start(config, tmp_path / "runs")
    folder = tmp_path / "runs" / f"{NAME}-1"
    while not (folder / ".minicnn.lock").exists():
        assert first.poll() is None, first.communicate()[1]
        time.sleep(0.01)
    first.send_signal(signal.SIGSTOP)
    try:
        second = start(config, tmp_path / "runs", "--resume")
        error = second.communicate()[1]
    finally:
        first.send_signal(signal.SIGCONT)
    assert second.returncode == 1
    assert f"{NAME}-1: process {first.pid} is working in this folder" in error.replace("\n", " ")
    first.kill()
    first.communicate()
    # A killed one's lock is taken over, and nothing of it is left.
    third = start(config, tmp_path / "runs", "--resume")
    assert third.communicate()[1] is not None and third.returncode == 0
    assert not list(folder.rglob(".minicnn*"))


def test_two_trainings_may_not_share_a_folder_of_checkpoints(tmp_path):
    class Second(Callback):
        def on_epoch_end(self, epoch, logs=None):
            backup = BackupAndRestore(tmp_path / "backup")
            with pytest.raises(
                FolderInUseError, match=f"process {os.getpid()} is working in this folder"
            ):
                small().fit(X, Y, verbose=0, callbacks=[backup])

    backup = BackupAndRestore(tmp_path / "backup", delete_checkpoint=False)
    small().fit(X, Y, verbose=0, callbacks=[backup, Second()])
    assert [path.name for path in (tmp_path / "backup").iterdir()] == ["checkpoint-1.mcnn"]


def test_a_training_that_fails_lets_go_of_its_folder(tmp_path):
    class Fails(Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise RuntimeError("mine")

    backup = BackupAndRestore(tmp_path / "backup")
    with pytest.raises(RuntimeError, match="mine"):
        small().fit(X, Y, verbose=0, callbacks=[backup, Fails()])
    with FolderLock(tmp_path / "backup"):
        pass
    small().fit(X, Y, epochs=2, verbose=0, callbacks=[BackupAndRestore(tmp_path / "backup")])
    assert not (tmp_path / "backup").exists()


def test_what_killed_saves_left_is_swept_when_a_training_begins(tmp_path):
    """257 temporary files stayed for good."""
    (tmp_path / "backup").mkdir()
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"],
                          capture_output=True, text=True, check=True).stdout.strip()  # fmt: skip
    for i in range(257):
        name = f".minicnn-{atomic_files.machine_mark()}-{gone}-{i:016x}.tmp"
        (tmp_path / "backup" / name).write_bytes(b"half a model")
    backup = BackupAndRestore(tmp_path / "backup", delete_checkpoint=False)
    small().fit(X, Y, verbose=0, callbacks=[backup])
    assert [path.name for path in (tmp_path / "backup").iterdir()] == ["checkpoint-1.mcnn"]
