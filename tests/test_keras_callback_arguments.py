"""Callbacks have Keras 3.15's arguments in Keras's order, and do what these say."""

from __future__ import annotations

import inspect

import keras_histories
import numpy as np
import pytest

import minicnn as mc
from minicnn import callbacks
from minicnn.errors import ArgumentError, NumericError

X, Y = keras_histories.X, keras_histories.C

ARGUMENTS = {
    "BackupAndRestore": "backup_dir save_freq double_checkpoint delete_checkpoint",
    "CSVLogger": "filename separator append",
    "Callback": "",
    "CallbackList": "callbacks add_history add_progbar model",
    "EarlyStopping": "monitor min_delta patience verbose mode baseline restore_best_weights "
    "start_from_epoch",
    "History": "",
    "LambdaCallback": "on_epoch_begin on_epoch_end on_train_begin on_train_end "
    "on_train_batch_begin on_train_batch_end",
    "LearningRateScheduler": "schedule verbose",
    "ModelCheckpoint": "filepath monitor verbose save_best_only save_weights_only mode save_freq "
    "initial_value_threshold",
    "ProgbarLogger": "",
    "ReduceLROnPlateau": "monitor factor patience verbose mode min_delta cooldown min_lr",
    "SwapEMAWeights": "swap_on_epoch",
    "TensorBoard": "log_dir histogram_freq write_graph write_images write_steps_per_second "
    "update_freq profile_batch embeddings_freq embeddings_metadata",
    "TerminateOnNaN": "raise_error",
}


def test_arguments_are_in_the_order_of_keras():
    assert {*callbacks.__all__} == set(ARGUMENTS)
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    for name, wanted in ARGUMENTS.items():
        parameters = inspect.signature(getattr(callbacks, name)).parameters.values()
        assert [p.name for p in parameters if p.kind in kinds] == wanted.split(), name


def fitted(*running, epochs=3, optimizer=None, **options):
    model = keras_histories.network(mc)
    model.compile(
        optimizer or mc.optimizers.SGD(0.1),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    model.fit(X, Y, epochs=epochs, verbose=0, shuffle=False, callbacks=list(running), **options)
    return model


def test_attributes_of_early_stopping_are_those_of_keras():
    stopping = callbacks.EarlyStopping("loss", patience=1.5)
    assert (stopping.monitor, stopping.stopped_epoch, stopping.wait) == ("loss", 0, 0)
    model = fitted(stopping)
    assert isinstance(stopping.best, float) and stopping.best_epoch == 2
    assert stopping.best == model.history.history["loss"][2]


def test_a_validation_each_second_epoch_is_monitored_without_warnings(tmp_path):
    stopping = callbacks.EarlyStopping(patience=1)
    plateau = callbacks.ReduceLROnPlateau(patience=2.5)
    best = callbacks.ModelCheckpoint(tmp_path / "{epoch}.mcnn", save_best_only=True)
    table = callbacks.CSVLogger(tmp_path / "log.csv")
    options = {"validation_data": (X, Y), "validation_freq": 2, "epochs": 4}
    fitted(best, stopping, plateau, table, **options)
    assert sorted(path.name for path in tmp_path.glob("*.mcnn")) == ["2.mcnn", "4.mcnn"]
    head, *rows = (tmp_path / "log.csv").read_text().splitlines()
    assert head == "epoch,accuracy,loss,val_accuracy,val_loss,learning_rate"
    assert [row.split(",")[4] == "" for row in rows] == [True, False, True, False]


def test_without_its_value_a_checkpoint_saves_every_model(tmp_path):
    best = callbacks.ModelCheckpoint(tmp_path / "{epoch}.mcnn", save_best_only=True)
    with pytest.warns(UserWarning, match="ModelCheckpoint saves every model"):
        fitted(best)
    assert len(list(tmp_path.iterdir())) == 3


def test_what_a_callback_adds_is_in_the_history_and_in_saved_models(tmp_path):
    adds = callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(own=epoch * 2))
    saves = callbacks.ModelCheckpoint(tmp_path / "m.mcnn")
    model = fitted(adds, saves)
    assert list(model.history.history) == ["accuracy", "loss", "own"]
    assert model.history.history["own"] == [0, 2, 4]
    assert mc.load_model(tmp_path / "m.mcnn").saved_history["own"] == [0, 2, 4]


def test_a_history_of_ones_own_is_the_one_that_fit_returns():
    history = callbacks.History()
    model = fitted(history)
    assert model.history is history and history.epoch == [0, 1, 2]
    model.fit(X, Y, epochs=2, verbose=0, callbacks=[[history]])
    assert history.epoch == [0, 1] and len(history.history["loss"]) == 5  # as in Keras


def test_lambda_callback_takes_every_hook():
    seen = []
    spy = callbacks.LambdaCallback(
        on_predict_batch_end=lambda batch, logs: seen.append(logs["outputs"].shape),
        on_test_end=lambda logs: seen.append(sorted(logs)),
        on_batch_end=lambda batch, logs: seen.append(batch),
    )
    model = fitted(spy, epochs=1, validation_data=(X, Y))
    model.predict(X, 8, verbose=0, callbacks=[spy])
    assert seen == [0, ["accuracy", "loss"], (8, 3), (4, 3)]
    with pytest.raises(ArgumentError, match="no hook 'on_epoch_ends'"):
        callbacks.LambdaCallback(on_epoch_ends=print)


def test_terminate_on_nan_may_raise():
    with pytest.raises(NumericError, match="NaN"):
        keras_histories_nan(callbacks.TerminateOnNaN(raise_error=True))
    stops = callbacks.TerminateOnNaN()
    keras_histories_nan(stops)
    assert stops.terminated


def keras_histories_nan(callback):
    model = keras_histories.network(mc)
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(X * np.nan, Y, verbose=0, callbacks=[callback])


def test_a_bar_of_ones_own_replaces_that_of_fit(capsys):
    model = fitted(epochs=1)
    model.fit(X, Y, epochs=2, verbose=2, callbacks=[callbacks.ProgbarLogger()])
    model.evaluate(X, Y, verbose=2, callbacks=[callbacks.ProgbarLogger()])
    model.predict(X, verbose=2, callbacks=[callbacks.ProgbarLogger()])
    lines = capsys.readouterr().out.splitlines()
    assert [line[:9] for line in lines[:2]] == ["Epoch 1/2", "Epoch 2/2"] and len(lines) == 4
    assert all("loss: " in line for line in lines[:3])


def test_a_training_loop_of_ones_own():
    model = fitted(epochs=1)
    hooks = callbacks.CallbackList(
        [callbacks.EarlyStopping("loss", patience=0)], add_history=True, model=model, epochs=5
    )
    hooks.on_train_begin()
    for epoch in range(5):
        hooks.on_epoch_begin(epoch)
        hooks.on_epoch_end(epoch, {"loss": float(epoch)})
        if model.stop_training:
            break
    hooks.on_train_end()
    assert hooks.history.history == {"loss": [0.0, 1.0]} and hooks.history.params == {"epochs": 5}


@pytest.mark.parametrize("option", [{"write_images": True}, {"profile_batch": 2}])
def test_tensorboard_refuses_what_it_does_not_write(tmp_path, option):
    with pytest.raises(ArgumentError, match="is not supported"):
        callbacks.TensorBoard(tmp_path, **option)


def test_tensorboard_writes_histograms(tmp_path):
    pytest.importorskip("tensorboardX")
    board = callbacks.TensorBoard(tmp_path, histogram_freq=1, write_steps_per_second=True)
    fitted(board, epochs=1)
    written = b"".join(path.read_bytes() for path in (tmp_path / "train").iterdir())
    for tag in (b"h/kernel/histogram", b"epoch_steps_per_second", b"epoch_accuracy"):
        assert tag in written


def test_averages_of_the_weights_are_evaluated(tmp_path):
    made = {"ema_momentum": 0.5, "use_ema": True}
    seen = {}
    for swaps in (False, True):
        inside = callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, logs, now=swaps: seen.setdefault(now, []).append(logs)
        )
        saved = callbacks.ModelCheckpoint(tmp_path / f"{swaps}-{{epoch}}.mcnn")
        swap = [callbacks.SwapEMAWeights(swap_on_epoch=True)] * swaps
        model = fitted(
            *swap, inside, saved, optimizer=mc.optimizers.SGD(0.1, **made), validation_data=(X, Y)
        )
        seen["end", swaps] = model.get_weights()
    # The training is the same; only what is evaluated and saved is of the averages.
    assert [a["loss"] for a in seen[False]] == [a["loss"] for a in seen[True]]
    assert all(map(np.array_equal, seen["end", False], seen["end", True]))
    for epoch in (1, 2, 3):
        averaged = mc.load_model(tmp_path / f"True-{epoch}.mcnn")
        value = averaged.evaluate(X, Y, verbose=0)[0]
        assert value == pytest.approx(seen[True][epoch - 1]["val_loss"], rel=1e-6)
    assert seen[True][1]["val_loss"] != seen[False][1]["val_loss"]
    with pytest.raises(ArgumentError, match=r"Adam\(use_ema=True\)"):
        fitted(callbacks.SwapEMAWeights())


def test_averages_in_the_place_of_weights_are_resumed(tmp_path):
    def train(folder, epochs):
        backup = callbacks.BackupAndRestore(folder, delete_checkpoint=False)
        optimizer = mc.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5)
        running = callbacks.SwapEMAWeights(swap_on_epoch=True), backup
        return fitted(*running, epochs=epochs, optimizer=optimizer, batch_size=4)

    whole = train(tmp_path / "a", 3)
    train(tmp_path / "b", 1)
    resumed = train(tmp_path / "b", 3)
    assert all(map(np.array_equal, whole.get_weights(), resumed.get_weights()))
    assert whole.history.history == resumed.history.history
