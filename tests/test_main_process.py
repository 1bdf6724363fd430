"""Of several processes that do the same work, the main one alone writes files and prints."""

from __future__ import annotations

import os

import numpy as np
import pytest

import minicnn as mc
from minicnn.callbacks import BackupAndRestore, CSVLogger, EarlyStopping, ModelCheckpoint
from minicnn.support import main_process
from minicnn.support.atomic_files import append_line, sweep, write_atomically, write_text
from minicnn.support.csv_files import write_csv
from minicnn.support.locks import FolderLock
from minicnn.support.progress import Progress
from minicnn.support.text import say


@pytest.fixture(params=[True, False], ids=["main", "other"])
def is_main(request):
    """Be the main process or another one, of several."""
    main_process.set_main(request.param)
    yield request.param
    main_process.set_main(True, alone=True)


def names(folder):
    return sorted(path.name for path in folder.rglob("*"))


WRITERS = {
    "write_atomically": lambda path: write_atomically(path, [b"x"]),
    "write_text": lambda path: write_text(path, "x"),
    "append_line": lambda path: append_line(path, "x"),
    "write_csv": lambda path: write_csv(path, ["a"], [[1]]),
}


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_files_are_written_by_the_main_process(is_main, write, tmp_path):
    write(tmp_path / "file")
    assert names(tmp_path) == (["file"] if is_main else [])


def test_temporary_files_are_removed_by_the_main_process(is_main, tmp_path):
    left = tmp_path / f".minicnn-{'0' * 8}-1-{'0' * 16}.tmp"
    left.touch()
    os.utime(left, (0, 0))
    sweep(tmp_path)
    assert left.exists() != is_main


def test_a_folder_is_locked_by_the_main_process(is_main, tmp_path):
    with FolderLock(tmp_path):
        assert bool(names(tmp_path)) == is_main
    assert names(tmp_path) == []


def test_lines_and_progress_are_printed_by_the_main_process(is_main, capsys):
    say("a line")
    progress = Progress(2)
    progress.begin_epoch(0, 1, 1)
    progress.message("a message")
    progress.end_epoch({})
    printed = capsys.readouterr().out
    assert [text in printed for text in ("a line", "a message", "Epoch 1/1")] == [is_main] * 3


def train(folder, epochs, *more):
    """Train a small network with callbacks that write; return its weights."""
    mc.utils.set_random_seed(1)
    model = mc.Sequential([mc.Input((2,)), mc.layers.Dense(1)])
    model.compile("adam", "mse")
    x = np.arange(16, dtype=np.float32).reshape(8, 2)
    callbacks = [
        CSVLogger(folder / "rows.csv"),
        ModelCheckpoint(folder / "models" / "best.mcnn", "loss", save_best_only=True),
        EarlyStopping("loss", patience=2, verbose=1),
        *more,
    ]
    model.fit(x, x.sum(1), batch_size=4, epochs=epochs, callbacks=callbacks)
    return model.get_weights()


def test_callbacks_run_everywhere_but_write_in_the_main_process(is_main, tmp_path, capsys):
    folder = tmp_path / "checkpoints"
    backup = BackupAndRestore(folder, save_freq=1, delete_checkpoint=False)
    if not is_main:  # the main process makes the folder; the others do not look into it
        folder.mkdir()
        (folder / "checkpoint-1.mcnn").write_bytes(b"no checkpoint: who reads this has an error")
    weights = train(tmp_path, 3, backup)
    written = names(tmp_path)
    assert ("rows.csv" in written, "best.mcnn" in written) == (is_main, is_main)
    assert [name for name in written if name.startswith("checkpoint-")] == (
        ["checkpoint-4.mcnn", "checkpoint-5.mcnn", "checkpoint-6.mcnn"]
        if is_main
        else ["checkpoint-1.mcnn"]
    )
    assert ("Epoch 3/3" in capsys.readouterr().out) == is_main
    main_process.set_main(True)
    for mine, alone in zip(weights, train(tmp_path, 3), strict=True):
        np.testing.assert_array_equal(mine, alone)


def test_the_other_processes_leave_the_folder_of_checkpoints_alone(is_main, tmp_path):
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    train(tmp_path, 1, BackupAndRestore(folder))
    assert folder.exists() != is_main


def test_event_files_are_written_by_the_main_process(is_main, tmp_path):
    pytest.importorskip("tensorboardX", reason="pip install '.[tensorboard]'")
    train(tmp_path, 1, mc.callbacks.TensorBoard(tmp_path / "board"))
    assert any("tfevents" in name for name in names(tmp_path)) == is_main
