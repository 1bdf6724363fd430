"""Callbacks on a fake model, for which the logs of every epoch are given."""

import errno
import json
import math
import os
import re
import sys

import numpy as np
import pytest

from minicnn import callbacks
from minicnn.callbacks import (
    BackupAndRestore,
    Callback,
    CallbackList,
    CSVLogger,
    EarlyStopping,
    LambdaCallback,
    LearningRateScheduler,
    ModelCheckpoint,
    ReduceLROnPlateau,
    TensorBoard,
    TerminateOnNaN,
)
from minicnn.errors import ArgumentError, CheckpointError, FormatError, MissingExtraError
from minicnn.history import History
from minicnn.installed import install_command
from minicnn.optimizers import SGD
from minicnn.schedules import CosineDecay

NAN = math.nan
STEPS = 2  # batches an epoch


class Pretender:
    """A fake model: its one weight is the number of steps, its checkpoints are JSON."""

    def __init__(self, learning_rate=0.1):
        self.stop_training = False
        self.optimizer = SGD(learning_rate)
        self.weights = [np.zeros(1)]
        self.saved = []
        self.running = []
        self.epoch = 0
        self.torn = set()

    def get_weights(self):
        return [w.copy() for w in self.weights]

    def set_weights(self, weights):
        self.weights = [np.array(w) for w in weights]

    def save(self, path, *, include_optimizer=True):
        self.saved.append((str(path), self.weights[0].item()))

    save_weights = save

    def check_savable(self):
        pass

    def save_checkpoint(self, path):
        state = {
            "weights": self.weights[0].tolist(),
            "optimizer": self.optimizer.get_state(),
            "epoch": self.epoch,
            "callbacks": [c.get_state() for c in self.running],
            "arrays": [{k: v.tolist() for k, v in c.get_arrays().items()} for c in self.running],
        }
        path.write_text(json.dumps(state, allow_nan=False))

    def load_checkpoint(self, path):
        text = path.read_text()
        if text == "other":
            raise CheckpointError(f"{path} is of another network")
        try:
            state = json.loads(text)
        except ValueError as err:
            raise FormatError(path, "not whole") from err
        self.set_weights([state["weights"]])
        self.optimizer.set_state(state["optimizer"])
        self.epoch = state["epoch"]
        for callback, own, arrays in zip(
            self.running, state["callbacks"], state["arrays"], strict=True
        ):
            callback.set_state(own)
            callback.set_arrays({k: np.array(v) for k, v in arrays.items()})

    def fit(self, logs, *running, stop_after=None):
        """Run one epoch per item of `logs`; end like a killed process after epoch `stop_after`."""
        self.running = list(running)
        hooks = CallbackList(running, model=self)
        self.stop_training, self.epoch = False, 0
        try:
            hooks.on_train_begin()
            self.epochs(hooks, logs, stop_after)
        finally:  # what the system does where a process is killed
            hooks.on_exit()

    def epochs(self, hooks, logs, stop_after):
        while self.epoch < len(logs) and not self.stop_training:
            epoch = self.epoch
            hooks.on_epoch_begin(epoch)
            for batch in range(STEPS):
                hooks.on_train_batch_begin(batch)
                self.weights[0] += 1
                self.optimizer.iterations += 1
                hooks.on_train_batch_end(batch, logs[epoch])
            self.epoch = epoch + 1
            hooks.on_epoch_end(epoch, dict(logs[epoch]))
            if epoch == stop_after:
                return
        hooks.on_train_end()


def losses(*values):
    return [{"loss": v, "val_loss": v} for v in values]


# --- the list ---------------------------------------------------------------------------------


def test_hooks_are_called_in_order():
    calls = []
    hooks = {
        name: lambda *arguments, name=name: calls.append((name, *arguments[:1]))
        for name in dir(Callback)
        if name.startswith("on_")
    }
    Pretender().fit(
        losses(1.0), type("Spy", (Callback,), {k: _method(v) for k, v in hooks.items()})()
    )
    assert [name for name, *_ in calls] == [
        "on_train_begin",
        "on_epoch_begin",
        *["on_train_batch_begin", "on_train_batch_end"] * STEPS,
        "on_epoch_end",
        "on_train_end",
        "on_exit",
    ]
    assert calls[1:4] == [
        ("on_epoch_begin", 0),
        ("on_train_batch_begin", 0),
        ("on_train_batch_end", 0),
    ]


def _method(function):
    return lambda self, *arguments: function(*arguments)


def test_the_list_passes_every_hook_on():
    calls = []
    names = [name for name in dir(Callback) if name.startswith("on_")]
    spy = Callback()
    for name in names:
        setattr(spy, name, lambda *arguments, name=name: calls.append((name, arguments)))
    every = CallbackList([spy, spy], model=Pretender())
    assert list(every) == [spy, spy]
    for name in names:
        arguments = (3,) if "epoch" in name or "batch" in name else ()
        getattr(every, name)(*arguments)
    assert [name for name, _ in calls] == [name for name in names for _ in range(2)]


def test_a_class_instead_of_an_object_is_refused():
    with pytest.raises(ArgumentError, match=r"objects like EarlyStopping\(\)"):
        CallbackList([EarlyStopping], model=Pretender())


def test_lambda_callback():
    seen = []
    Pretender().fit(
        losses(1.0, 2.0),
        LambdaCallback(
            on_epoch_end=lambda epoch, logs: seen.append((epoch, logs["loss"])),
            on_train_end=lambda logs: seen.append("end"),
        ),
    )
    assert seen == [(0, 1.0), (1, 2.0), "end"]
    with pytest.raises(ArgumentError, match="on_epoch_begin must be a function"):
        LambdaCallback(on_epoch_begin=3)


# --- stopping ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "values", "trained"),
    [
        ({}, [3, 2, 2, 1], 3),  # equal is not better
        ({"patience": 2}, [3, 2, 4, 4, 4], 4),
        ({"patience": 2}, [3, 2, 4, 1, 4], 5),
        ({"min_delta": 0.5}, [3, 2, 1.6, 1], 3),
        ({"mode": "max"}, [1, 2, 3, 2, 9], 4),
        ({"patience": 1, "baseline": 1.5}, [3, 2, 1, 1], 4),
        ({"patience": 2, "baseline": 1.5}, [3, 1, 1, 1, 1], 4),
        ({"start_from_epoch": 3}, [1, 2, 3, 4, 5, 6], 5),
        ({"patience": 2}, [NAN, NAN, NAN, NAN], 2),
        ({"patience": 1}, [NAN, 2, 1, 3, 3], 4),
    ],
)
def test_early_stopping(options, values, trained):
    model = Pretender()
    model.fit(losses(*values), EarlyStopping(**options))
    assert model.epoch == trained


def test_early_stopping_says_so_and_restores(capsys):
    model = Pretender()
    model.fit(
        losses(3, 2, 1, 2, 2),
        EarlyStopping(patience=2, verbose=1, restore_best_weights=True),
    )
    assert capsys.readouterr().out == (
        "Epoch 5: early stopping\nRestoring model weights from the end of the best epoch: 3.\n"
    )
    assert model.weights[0] == 3 * STEPS


def test_early_stopping_restores_without_stopping_and_starts_afresh():
    model, callback = Pretender(), EarlyStopping(patience=9, restore_best_weights=True)
    model.fit(losses(1, 2), callback)
    assert model.weights[0] == STEPS
    model.fit(losses(5, 4), callback)  # 5 is worse than before, but this is a new training
    assert model.weights[0] == 3 * STEPS


@pytest.mark.parametrize("name", ["val_acc", "val_accuracy"])
def test_accuracy_should_grow(name):
    logs = [{"val_accuracy": v} for v in (0.5, 0.6, 0.55, 0.7)]
    model = Pretender()
    model.fit(logs, EarlyStopping(name))
    assert model.epoch == 3


@pytest.mark.parametrize(
    "make",
    [
        EarlyStopping,
        ReduceLROnPlateau,
        lambda monitor: ModelCheckpoint("x.mcnn", monitor, save_best_only=True),
    ],
)
def test_a_number_that_is_not_reported_is_warned_of_once(make):
    model = Pretender()
    with pytest.warns(UserWarning, match=r"monitors 'val_los'.*\['loss', 'val_loss'\]") as caught:
        model.fit(losses(1, 2, 3), make("val_los"))
    assert len(caught) == 1 and model.epoch == 3  # as in Keras: the training goes on


def test_the_mode_is_checked():
    with pytest.raises(ArgumentError, match="mode must be"):
        EarlyStopping(mode="best")
    with pytest.raises(ArgumentError, match="monitor must be a name in the logs; got 3"):
        ReduceLROnPlateau(monitor=3)


@pytest.mark.parametrize("loss", [NAN, math.inf])
def test_terminate_on_nan(capsys, loss):
    model = Pretender()
    model.fit(losses(1.0, loss, 1.0), TerminateOnNaN())
    assert model.epoch == 2
    assert "Batch 0: Invalid loss, terminating training" in capsys.readouterr().out


# --- saving -----------------------------------------------------------------------------------


def test_model_checkpoint_saves_the_best(capsys):
    model = Pretender()
    logs = [{"val_accuracy": v} for v in (0.7123, 0.5, 0.7211, NAN)]
    model.fit(logs, ModelCheckpoint("best.mcnn", "val_accuracy", 1, save_best_only=True))
    assert model.saved == [("best.mcnn", STEPS), ("best.mcnn", 3 * STEPS)]
    assert capsys.readouterr().out.splitlines() == [
        "Epoch 1: val_accuracy improved from -inf to 0.71230, saving model to best.mcnn",
        "Epoch 2: val_accuracy did not improve from 0.71230",
        "Epoch 3: val_accuracy improved from 0.71230 to 0.72110, saving model to best.mcnn",
        "Epoch 4: val_accuracy did not improve from 0.72110",
    ]


def test_model_checkpoint_names(tmp_path):
    model = Pretender()
    model.fit(losses(0.5, 0.25), ModelCheckpoint("{epoch:02d}-{val_loss:.2f}.mcnn"))
    assert [path for path, _ in model.saved] == ["01-0.50.mcnn", "02-0.25.mcnn"]
    with pytest.raises(ArgumentError, match=r"'\{accuracy\}.mcnn' cannot be filled in"):
        model.fit(losses(1), ModelCheckpoint("{accuracy}.mcnn"))


def test_model_checkpoint_by_batches():
    model = Pretender()
    model.fit(losses(3, 2, 1), ModelCheckpoint("{epoch}-{batch}.mcnn", save_freq=3))
    assert model.saved == [("2-1.mcnn", 3), ("3-2.mcnn", 6)]


def test_model_checkpoint_has_a_first_threshold():
    model = Pretender()
    options = {"save_best_only": True, "initial_value_threshold": 1.5}
    model.fit(losses(3, 1), ModelCheckpoint("m.mcnn", **options))
    assert model.saved == [("m.mcnn", 2 * STEPS)]


@pytest.mark.parametrize("wrong", [0, -1, 1.5, "batch", True])
def test_save_freq_is_checked(wrong, tmp_path):
    for make in (ModelCheckpoint, BackupAndRestore):
        with pytest.raises(ArgumentError, match="save_freq"):
            make(tmp_path, save_freq=wrong)


# --- backup -----------------------------------------------------------------------------------


def everything(folder, **options):
    return [
        History(),
        EarlyStopping(patience=3, restore_best_weights=True),
        ReduceLROnPlateau(patience=1, factor=0.5),
        ModelCheckpoint("best.mcnn", save_best_only=True),
        CSVLogger(folder / "log.csv"),
        BackupAndRestore(folder / "backup", **options),
    ]


VALUES = [5, 4, 4.5, 4.2, 3, 6, 7, 8, 9, 9]


@pytest.mark.parametrize("killed", range(8))
def test_a_resumed_training_is_the_same(tmp_path, killed):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    whole, running = Pretender(), everything(tmp_path / "a")
    whole.fit(losses(*VALUES), *running)
    assert whole.epoch == 8  # early stopping had its say

    Pretender().fit(losses(*VALUES), *everything(tmp_path / "b"), stop_after=killed)
    resumed, again = Pretender(), everything(tmp_path / "b")
    resumed.fit(losses(*VALUES), *again)

    assert resumed.weights == whole.weights
    assert resumed.optimizer.get_state() == whole.optimizer.get_state()
    assert resumed.epoch == whole.epoch
    assert again[0].history == running[0].history
    assert again[0].epoch == running[0].epoch
    for one, other in zip(again, running, strict=True):
        assert one.get_state() == other.get_state()
    assert (tmp_path / "b" / "log.csv").read_text() == (tmp_path / "a" / "log.csv").read_text()
    assert (tmp_path / "a" / "log.csv").read_text().splitlines()[1] == "0,5,5"
    assert not (tmp_path / "b" / "backup").exists()


def test_backup_keeps_the_newest(tmp_path):
    backup = BackupAndRestore(tmp_path, delete_checkpoint=False, keep=2)
    (tmp_path / "notes.txt").write_text("not ours")
    Pretender().fit(losses(1, 2, 3, 4), backup)
    assert {p.name for p in tmp_path.iterdir()} == {
        "checkpoint-6.mcnn",
        "checkpoint-8.mcnn",
        "notes.txt",
    }


def test_backup_deletes_in_the_end_but_nothing_else(tmp_path):
    (tmp_path / "notes.txt").write_text("not ours")
    Pretender().fit(losses(1, 2), BackupAndRestore(tmp_path))
    assert [p.name for p in tmp_path.iterdir()] == ["notes.txt"]


def test_backup_by_batches_and_on_interrupt(tmp_path, capsys):
    model, backup = Pretender(), BackupAndRestore(tmp_path, save_freq=3)
    model.fit(losses(1, 2), backup, stop_after=1)
    assert [p.name for p in tmp_path.iterdir()] == ["checkpoint-3.mcnn"]
    backup.on_interrupt()
    path = tmp_path / "checkpoint-4.mcnn"
    assert path.exists()
    assert capsys.readouterr().out == f"Interrupted; progress is saved in {path}\n"


def test_a_bad_checkpoint_is_named_and_an_older_one_used(tmp_path):
    Pretender().fit(losses(1, 2, 3), BackupAndRestore(tmp_path), stop_after=2)
    (tmp_path / "checkpoint-6.mcnn").write_text("{")
    model = Pretender()
    backup = BackupAndRestore(tmp_path, keep=1, delete_checkpoint=False)
    with pytest.warns(UserWarning, match=r"checkpoint-6.mcnn: .*not whole"):
        model.fit(losses(1, 2, 3), backup, stop_after=2)
    assert model.weights[0] == 3 * STEPS
    # The bad one was written anew, and nothing newer than the training was thrown away.
    assert json.loads((tmp_path / "checkpoint-6.mcnn").read_text())["epoch"] == 3


def test_a_bad_later_checkpoint_does_not_push_out_good_ones(tmp_path):
    Pretender().fit(losses(1, 2), BackupAndRestore(tmp_path), stop_after=0)
    for step in (100, 200, 300):
        (tmp_path / f"checkpoint-{step}.mcnn").write_text("{")
    with pytest.warns(UserWarning, match="bad checkpoint") as caught:
        Pretender().fit(losses(1, 2, 3), BackupAndRestore(tmp_path, keep=2), stop_after=2)
    assert len(caught) == 3
    assert {"checkpoint-4.mcnn", "checkpoint-6.mcnn"} <= {p.name for p in tmp_path.iterdir()}


def test_no_good_checkpoint_is_an_error_that_lists_them(tmp_path):
    for step in (10, 9):
        (tmp_path / f"checkpoint-{step}.mcnn").write_text("{")
    with pytest.raises(CheckpointError, match=r"none of the 2 .*checkpoint-10.*checkpoint-9") as e:
        Pretender().fit(losses(1), BackupAndRestore(tmp_path))
    assert "not whole" in str(e.value)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_checkpoint_of_another_training_is_not_passed_over(tmp_path):
    Pretender().fit(losses(1), BackupAndRestore(tmp_path), stop_after=0)
    (tmp_path / "checkpoint-99.mcnn").write_text("other")
    with pytest.raises(CheckpointError, match="of another network"):
        Pretender().fit(losses(1), BackupAndRestore(tmp_path))


# --- learning rate ----------------------------------------------------------------------------


def test_learning_rate_scheduler(capsys):
    model, rates = Pretender(), []
    watch = LambdaCallback(on_epoch_end=lambda *_: rates.append(model.optimizer.learning_rate))
    model.fit(losses(1, 1, 1), LearningRateScheduler(lambda epoch, rate: rate / 2, 1), watch)
    assert rates == [0.05, 0.025, 0.0125]
    assert capsys.readouterr().out.splitlines()[0] == (
        "Epoch 1: LearningRateScheduler setting learning rate to 0.05."
    )
    rates.clear()
    model.fit(losses(1, 1), LearningRateScheduler(lambda epoch: 1.0 / (epoch + 1)), watch)
    assert rates == [1.0, 0.5]


def test_a_resumed_epoch_gets_its_rate_once():
    scheduler = LearningRateScheduler(lambda epoch, rate: rate / 2)
    model = Pretender()
    model.fit(losses(1), scheduler)
    resumed = Pretender(model.optimizer.learning_rate)
    scheduler_again = LearningRateScheduler(lambda epoch, rate: rate / 2)
    scheduler_again.set_model(resumed)
    scheduler_again.on_train_begin()
    scheduler_again.set_state(scheduler.get_state())
    scheduler_again.on_epoch_begin(0)  # the epoch that was interrupted
    assert resumed.optimizer.learning_rate == 0.05
    scheduler_again.on_epoch_begin(1)
    assert resumed.optimizer.learning_rate == 0.025


def test_scheduler_takes_a_function():
    with pytest.raises(ArgumentError, match=r"schedule must be a function of the epoch; got 0\.1"):
        LearningRateScheduler(0.1)


@pytest.mark.parametrize("result", [None, "fast", -1.0, NAN])
def test_a_schedule_must_give_a_rate(result):
    with pytest.raises(ArgumentError, match="the schedule's result must be a number"):
        Pretender().fit(losses(1), LearningRateScheduler(lambda epoch: result))


@pytest.mark.parametrize(
    ("options", "values", "rates"),
    [
        ({"patience": 2}, [3, 3, 3, 3, 3], [1, 1, 0.1, 0.1, 0.01]),
        ({"patience": 1, "cooldown": 2}, [3, 3, 3, 3, 3], [1, 0.1, 0.1, 0.01, 0.01]),
        ({"patience": 1, "min_lr": 0.05}, [3, 3, 3, 3], [1, 0.1, 0.05, 0.05]),
        ({"patience": 1}, [3, 2.99995, 2, NAN], [1, 0.1, 0.1, 0.01]),
    ],
)
def test_reduce_on_plateau(options, values, rates):
    model, seen = Pretender(1.0), []
    watch = LambdaCallback(on_epoch_end=lambda *_: seen.append(model.optimizer.learning_rate))
    model.fit(losses(*values), ReduceLROnPlateau(**options), watch)
    assert seen == pytest.approx(rates)


def test_reduce_on_plateau_says_so(capsys):
    Pretender().fit(losses(1, 1), ReduceLROnPlateau(patience=1, verbose=1))
    assert capsys.readouterr().out == (
        "Epoch 2: ReduceLROnPlateau reducing learning rate to 0.01.\n"
    )


def test_a_schedule_in_the_optimizer_is_refused_before_the_first_epoch():
    for callback in (ReduceLROnPlateau(), LearningRateScheduler(lambda epoch: 0.1)):
        assert callback.moves_learning_rate
        with pytest.raises(ArgumentError, match="follows a schedule"):
            Pretender(CosineDecay(0.1, 10)).fit(losses(1), callback)


# --- reports ----------------------------------------------------------------------------------


def test_csv_logger(tmp_path):
    path = tmp_path / "log.csv"
    Pretender().fit([{"loss": 0.5, "a,b": 1}, {"loss": 0.25}], CSVLogger(path))
    assert path.read_text() == 'epoch,loss,"a,b"\n0,0.5,1\n1,0.25,\n'
    Pretender().fit([{"a,b": 2, "loss": 1.0}], CSVLogger(path, append=True))
    assert path.read_text().splitlines()[-1] == "0,1.0,2"
    Pretender().fit([{"loss": 1.0}], CSVLogger(path, separator=";"))
    assert path.read_text() == "epoch;loss\n0;1.0\n"


def test_csv_logger_finds_a_wrong_path_before_the_first_epoch(tmp_path):
    callback = CSVLogger(tmp_path / "no" / "log.csv")
    callback.set_model(Pretender())
    with pytest.raises(FileNotFoundError):
        callback.on_train_begin()


def test_tensorboard_writes_both_folders(tmp_path):
    pytest.importorskip("tensorboardX")
    Pretender().fit(losses(1.0, 0.5), TensorBoard(tmp_path, update_freq=1))
    for folder, tag in (("train", b"epoch_loss"), ("validation", b"epoch_loss")):
        (file,) = (tmp_path / folder).iterdir()
        content = file.read_bytes()
        assert content.count(tag) == 2
    (file,) = (tmp_path / "train").iterdir()
    assert file.read_bytes().count(b"batch_loss") == 2 * STEPS


def test_tensorboard_closes_when_interrupted(tmp_path):
    pytest.importorskip("tensorboardX")
    callback = TensorBoard(tmp_path)
    Pretender().fit(losses(1.0), callback, stop_after=0)
    callback.on_interrupt()
    assert (tmp_path / "train").exists()


def test_tensorboard_says_what_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(MissingExtraError, match=re.escape(install_command("tensorboard"))):
        TensorBoard()


@pytest.mark.parametrize("name", sorted({*callbacks.__all__} - {"CallbackList"}))
def test_every_callback_has_a_state_that_is_json(name):
    kind = getattr(callbacks, name)
    arguments = {
        "BackupAndRestore": ("backup",),
        "CSVLogger": ("log.csv",),
        "LearningRateScheduler": (lambda epoch: 0.1,),
        "ModelCheckpoint": ("m.mcnn",),
    }
    if name == "TensorBoard":
        pytest.importorskip("tensorboardX")
    callback = kind(*arguments.get(name, ()))
    callback.set_model(Pretender())
    state = callback.get_state()
    assert json.loads(json.dumps(state, allow_nan=False)) == state
    assert callback.get_arrays() == {}


def test_a_table_on_a_full_disk_or_in_a_pipe_names_the_file(tmp_path, monkeypatch):
    path = tmp_path / "log.csv"
    logger = CSVLogger(path)
    logger.on_train_begin()
    with monkeypatch.context() as patch:

        def full(_handle):
            raise OSError(errno.ENOSPC, "No space left on device")

        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match=f"No space left on device: '{path}'$"):
            logger.on_epoch_end(0, {"loss": 1.0})
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(FormatError, match="is a device, a pipe or a socket"):
        logger.on_train_begin()
