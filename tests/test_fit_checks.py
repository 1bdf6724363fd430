"""Errors and warnings before the first step of `fit`, and what it does with NaN and infinity."""

from __future__ import annotations

import json
import math
import re
import warnings

import numpy as np
import pytest

import minicnn as mc
from minicnn import layers
from minicnn.callbacks import (
    BackupAndRestore,
    Callback,
    CSVLogger,
    EarlyStopping,
    LambdaCallback,
    ModelCheckpoint,
    ReduceLROnPlateau,
    TensorBoard,
    TerminateOnNaN,
)
from minicnn.errors import ArgumentError, NumericError, ShapeError

X = np.random.default_rng(0).random((16, 2), np.float32)
Y = np.arange(16) % 3


def small(last="softmax", loss="sparse_categorical_crossentropy", units=3, metrics=("accuracy",)):
    mc.utils.clear_session()
    model = mc.Sequential([mc.Input((2,)), layers.Dense(units, activation=last)])
    model.compile(mc.optimizers.SGD(0.1), loss, metrics=list(metrics))
    return model


def linear(rate=0.1):
    """Return a model whose output is the sum of x; with labels 0 its loss falls at a small rate."""
    mc.utils.clear_session()
    model = mc.Sequential([mc.Input((2,)), layers.Dense(1, kernel_initializer="ones")])
    model.compile(mc.optimizers.SGD(rate), "mse", metrics=["accuracy"])
    return model


# --- what a callback asks for -------------------------------------------------------------------

BEST = {"save_best_only": True}
WARNED = {
    "early-stopping": (
        lambda: EarlyStopping(),
        r"monitors 'val_loss', but this training reports \['accuracy', 'loss'\]; for val_.* pass",
    ),
    "plateau": (
        lambda: ReduceLROnPlateau("val_accuracy"),
        r"monitors 'val_accuracy', .*\['accuracy', 'learning_rate', 'loss'\]; for val_.* pass",
    ),
    "checkpoint": (
        lambda: ModelCheckpoint("m.mcnn", **BEST),
        r"ModelCheckpoint saves every model: it monitors 'val_loss'",
    ),
    "misspelt": (
        lambda: EarlyStopping("acuracy"),
        r"EarlyStopping does nothing: it monitors 'acuracy', .*: did you mean 'accuracy'\?",
    ),
    "not-compiled": (lambda: EarlyStopping("auc"), r"compile's metrics may add it"),
}
LATE = {
    "name": (
        lambda: ModelCheckpoint("{epoch}-{val_loss:.2f}.mcnn"),
        r"cannot be filled in .*\['accuracy', 'epoch', 'loss'\]",
    ),
    "name-of-batch": (lambda: ModelCheckpoint("{batch}.mcnn"), r"cannot be filled in \('batch'\)"),
    "name-as-integer": (lambda: ModelCheckpoint("{loss:d}.mcnn"), r"cannot be filled in"),
    "hook": (
        lambda: LambdaCallback(on_epoch_end=lambda epoch: None),
        r"LambdaCallback is called as on_epoch_end\(epoch, logs\), which does not fit",
    ),
    "hook-of-training": (
        lambda: LambdaCallback(on_train_end=lambda: None),
        r"called as on_train_end\(logs\)",
    ),
}


@pytest.mark.parametrize("late", LATE)
def test_what_will_not_come_is_said_before_the_first_step(late, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make, words = LATE[late]
    model = small()
    before = model.get_weights()
    with pytest.raises(ArgumentError, match=words) as caught:
        model.fit(X, Y, verbose=0, callbacks=[CSVLogger("log.csv"), make()])
    assert len(str(caught.value)) <= 300
    assert all(map(np.array_equal, model.get_weights(), before))
    assert model.optimizer.iterations == 0 and not list(tmp_path.iterdir())


@pytest.mark.parametrize("missing", WARNED)
def test_a_value_that_will_be_missing_is_warned_of_before_the_first_step(
    missing, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    make, words = WARNED[missing]
    steps = []
    count = LambdaCallback(on_train_batch_end=lambda batch, logs: steps.append(batch))

    def warn(text, *_, **__):
        assert not steps and len(str(text)) <= 300 and re.search(words, str(text))
        said.append(text)

    said = []
    monkeypatch.setattr("warnings.warn", warn)
    small().fit(X, Y, epochs=2, verbose=0, callbacks=[make(), count])
    assert len(said) == 1 and steps  # once, and the training goes on, as in Keras


@pytest.mark.parametrize("data", [[(X, Y)], (X, Y)], ids=["batches", "arrays"])
def test_names_are_known_whatever_the_data(data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    both = [EarlyStopping("val_accuracy"), ModelCheckpoint("{val_accuracy:.1f}-{loss:.0f}.mcnn")]
    x, y = data if isinstance(data, tuple) else (data, None)
    small().fit(x, y, verbose=0, validation_data=data, callbacks=both)
    assert len(list(tmp_path.glob("*.mcnn"))) == 1


def test_between_batches_there_is_no_validation(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = small()
    options = {"batch_size": 4, "validation_data": (X, Y), "verbose": 0}
    with pytest.raises(
        ArgumentError,
        match=r"'val_loss', which is known at the end of an epoch, .*save_freq=2 .*"
        r"\['accuracy', 'loss'\]",
    ):
        model.fit(X, Y, callbacks=[ModelCheckpoint("m.mcnn", save_freq=2, **BEST)], **options)
    assert model.optimizer.iterations == 0
    model.fit(X, Y, callbacks=[ModelCheckpoint("m.mcnn", "loss", save_freq=2, **BEST)], **options)
    model.fit(X, Y, callbacks=[ModelCheckpoint("{batch}.mcnn", save_freq=2)], **options)
    assert {path.name for path in tmp_path.iterdir()} == {"m.mcnn", "2.mcnn", "4.mcnn"}


class Adds(Callback):
    """A callback that adds a value to the logs."""

    def on_epoch_end(self, epoch, logs=None):
        logs["val_own"] = -float(epoch)


def test_numbers_that_a_callback_adds_may_be_watched():
    history = small().fit(X, Y, epochs=3, verbose=0, callbacks=[Adds(), EarlyStopping("val_own")])
    assert len(history.epoch) == 3
    with pytest.warns(UserWarning, match="monitors 'val_own'"):  # only by those after it
        small().fit(X, Y, epochs=3, verbose=0, callbacks=[EarlyStopping("val_own"), Adds()])
    with pytest.warns(UserWarning, match=r"monitors 'val_other', .*\['accuracy', 'loss', 'val_"):
        small().fit(X, Y, verbose=0, callbacks=[Adds(), EarlyStopping("val_other")])


@pytest.mark.parametrize(
    "make",
    [ModelCheckpoint, BackupAndRestore, CSVLogger, TensorBoard],
)
@pytest.mark.parametrize("wrong", [None, "", 3])
def test_a_path_is_a_text_that_is_not_empty(make, wrong):
    with pytest.raises(ArgumentError, match=f"must be a path .* got {wrong!r}"):
        make(wrong)


@pytest.mark.parametrize(
    "make",
    [
        lambda: EarlyStopping(baseline="0.3"),
        lambda: EarlyStopping(baseline=math.nan),
        lambda: ModelCheckpoint("m.mcnn", initial_value_threshold="low"),
        lambda: CSVLogger("log.csv", separator=", "),
        lambda: CSVLogger("log.csv", separator=None),
    ],
)
def test_wrong_options_are_refused_when_the_callback_is_made(make):
    with pytest.raises(ArgumentError):
        make()


def test_the_folder_of_models_is_made_before_the_first_step(tmp_path):
    seen = []
    look = LambdaCallback(
        on_epoch_begin=lambda epoch, logs: seen.append((tmp_path / "a/b").is_dir())
    )
    by_epoch = ModelCheckpoint(tmp_path / "c" / "{epoch}" / "m.mcnn")
    running = [ModelCheckpoint(tmp_path / "a/b/{epoch}.mcnn"), by_epoch, look]
    small().fit(X, Y, epochs=2, verbose=0, callbacks=running)
    assert seen == [True, True]
    for name in ("a/b/1", "a/b/2", "c/1/m", "c/2/m"):
        assert mc.load_model(tmp_path / f"{name}.mcnn").saved_history["loss"]


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda root: ModelCheckpoint(root / "file" / "m.mcnn"), FileExistsError),
        (lambda root: ModelCheckpoint(root), IsADirectoryError),
        (lambda root: BackupAndRestore(root / "file"), FileExistsError),
        (lambda root: CSVLogger(root), IsADirectoryError),
        (lambda root: CSVLogger(root / "none" / "log.csv"), FileNotFoundError),
    ],
)
def test_a_place_that_cannot_be_written_to_is_named_before_the_first_step(tmp_path, make, error):
    (tmp_path / "file").write_text("in the way")
    model = small()
    with pytest.raises(error):
        model.fit(X, Y, verbose=0, callbacks=[make(tmp_path)])
    assert model.optimizer.iterations == 0


def test_a_table_that_is_gone_on_with_says_what_has_no_column(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("epoch,loss\n0,0.5")  # an editor left out the last line's end
    with pytest.warns(UserWarning, match=r"no column for \['accuracy'\]: .*\['epoch', 'loss'\]"):
        small().fit(X, Y, verbose=0, callbacks=[CSVLogger(path, append=True)])
    first, second, third = path.read_text().splitlines()
    assert (first, second) == ("epoch,loss", "0,0.5") and third.startswith("0,1.")


def test_the_older_names_of_the_batch_hooks_are_called():
    seen = []

    class Spy(Callback):
        def on_batch_begin(self, batch, logs=None):
            seen.append(batch)

        def on_batch_end(self, batch, logs=None):
            seen.append(sorted(logs))

    small().fit(X, Y, batch_size=12, verbose=0, callbacks=[Spy()])
    assert seen == [0, ["accuracy", "loss"], 1, ["accuracy", "loss"]]


def test_a_metric_that_cannot_count_is_refused_before_the_first_step():
    model = mc.Sequential([mc.Input((4, 4, 1)), layers.Conv2D(2, 3)])
    model.compile("sgd", "mse", metrics=["f1_score"])
    before = model.get_weights()
    x, y = np.ones((3, 4, 4, 1), np.float32), np.ones((3, 2, 2, 2), np.float32)
    for data in ((x, y), ([(x, y)],)):
        with pytest.raises(ShapeError, match=r"predictions have more axes than \(N, classes\)"):
            model.fit(*data, verbose=0)
    assert all(map(np.array_equal, model.get_weights(), before))


def test_hooks_of_validation_batches_are_called():
    seen = []

    class Spy(Callback):
        def on_test_batch_begin(self, batch, logs=None):
            seen.append(batch)

        def on_test_batch_end(self, batch, logs=None):
            seen.append(sorted(logs))

    options = {"validation_data": (X, Y), "validation_batch_size": 8, "verbose": 0}
    small().fit(X, Y, callbacks=[Spy()], **options)
    assert seen == [0, ["accuracy", "loss"], 1, ["accuracy", "loss"]]


# --- an epoch without a finite loss ---------------------------------------------------------------


def diverging():
    """Train on two batches of four, of which the second has a NaN loss."""
    x = np.ones((8, 2), np.float32)
    x[5, 1] = math.nan
    return x, np.zeros((8, 1), np.float32)


@pytest.mark.parametrize("as_batches", [False, True], ids=["arrays", "batches"])
@pytest.mark.parametrize("monitor", ["loss", "accuracy", "val_loss", "val_accuracy"])
def test_an_epoch_that_diverged_is_nan_and_never_the_best(backend, tmp_path, monitor, as_batches):
    x, y = diverging()
    validation = (x[:4], y[:4])  # finite: of the weights before the bad step
    data = ([(x[:4], y[:4]), (x[4:], y[4:])],) if as_batches else (x, y)
    stopping = EarlyStopping(monitor, mode="min", patience=3)
    running = [
        TerminateOnNaN(),
        ModelCheckpoint(tmp_path / "best.mcnn", monitor, mode="min", save_best_only=True),
        CSVLogger(tmp_path / "log.csv"),
        stopping,
        ReduceLROnPlateau(monitor, mode="min"),
    ]
    options = {} if as_batches else {"batch_size": 4, "shuffle": False}
    model = linear()
    history = model.fit(
        *data, epochs=3, verbose=0, validation_data=validation, callbacks=running, **options
    )
    numbers = {name: curve for name, curve in history.history.items() if name != "learning_rate"}
    assert set(numbers) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert all(len(curve) == 1 and math.isnan(curve[0]) for curve in numbers.values())
    assert not (tmp_path / "best.mcnn").exists() and stopping.best is None
    assert "nan" in (tmp_path / "log.csv").read_text()
    assert np.isfinite(model.get_weights()[0]).all() and model.optimizer.iterations == 1


def test_epochs_before_it_stay_and_the_best_of_them_is_kept(tmp_path):
    x, y = np.ones((8, 2), np.float32), np.zeros((8, 1), np.float32)

    def source():
        yield x, y
        yield x, y
        yield x * math.nan, y

    best = ModelCheckpoint(tmp_path / "best.mcnn", "loss", save_best_only=True)
    running = [TerminateOnNaN(), best]
    history = linear().fit(source(), steps_per_epoch=1, epochs=5, verbose=0, callbacks=running)
    first, second, third = history.history["loss"]
    assert first > second and math.isnan(third)
    saved = mc.load_model(tmp_path / "best.mcnn").saved_history
    assert saved["loss"] == [first, second]


def test_a_nan_in_a_saved_history_is_read_as_one(tmp_path):
    x, y = diverging()
    model = linear()
    model.fit(x, y, verbose=0, callbacks=[TerminateOnNaN()])
    model.save(tmp_path / "m.mcnn")
    assert math.isnan(mc.load_model(tmp_path / "m.mcnn").saved_history["loss"][0])


def test_an_ended_training_stays_ended_when_resumed(tmp_path):
    x, y = diverging()
    for _ in range(2):
        model = linear()
        running = [TerminateOnNaN(), BackupAndRestore(tmp_path, delete_checkpoint=False)]
        history = model.fit(x, y, 4, 3, 0, running, shuffle=False)
        assert len(history.epoch) == 1 and model.optimizer.iterations == 1
        assert json.loads(json.dumps(running[0].get_state())) == {"terminated": True}


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ((5, math.nan), r"y\[5\] is NaN"),
        ((2, math.inf), r"y\[2\] is infinite"),
    ],
)
def test_labels_that_are_no_numbers_are_named(bad, words):
    x, y = np.ones((8, 2), np.float32), np.zeros((8, 1), np.float32)
    y[bad[0]] = bad[1]
    for call in ("fit", "evaluate", "train_on_batch", "test_on_batch"):
        with pytest.raises(ArgumentError, match=words):
            getattr(linear(), call)(x, y)
    for loss in ("binary_crossentropy", "categorical_crossentropy"):
        with pytest.raises(ArgumentError, match=rf"y\[{bad[0]}\] has a value that is"):
            mc.losses.get(loss).prepare(np.hstack([y, 1 - y]), (8, 2))
    with pytest.raises(ArgumentError, match=words):  # as pandas makes of integers with a gap
        mc.losses.get("sparse_categorical_crossentropy").prepare(y[:, 0], (8, 3))


def test_samples_that_are_no_numbers_are_named():
    x, y = diverging()
    with pytest.raises(NumericError, match=r"^x\[5\] has a NaN, .* step [12] is not finite"):
        linear().fit(x, y, batch_size=4, verbose=0)
    x[5] = -math.inf
    with pytest.raises(NumericError, match=r"^x\[5\] has an infinity, .*before this step$"):
        linear().fit(x, y, batch_size=4, verbose=0)


def test_outputs_of_zeros_are_not_blamed_on_the_learning_rate(backend):
    model = small("relu", metrics=())
    model.set_weights([-np.ones((2, 3), np.float32), np.zeros(3, np.float32)])
    with (
        pytest.warns(UserWarning, match="ends in relu"),
        pytest.raises(NumericError, match=r"sample 0 of this batch are all 0, .*softmax") as caught,
    ):
        model.fit(X, Y, verbose=0)
    assert "learning_rate often" not in str(caught.value)


# --- what will hardly be meant --------------------------------------------------------------------

LOGITS = {"from_logits": True}
sparse, binary = mc.losses.SparseCategoricalCrossentropy, mc.losses.BinaryCrossentropy
ENDS = {
    "softmax-twice": ("softmax", sparse(**LOGITS), 3, r"ends in softmax, and from_logits=True"),
    "sigmoid-twice": ("sigmoid", binary(**LOGITS), 1, r"ends in sigmoid, .* sigmoid again"),
    "softmax-of-one": ("softmax", binary(), 1, r"softmax of one unit is always 1"),
    "no-softmax": (None, sparse(), 3, r"needs probabilities, .* ends in linear: .*'softmax'"),
    "no-sigmoid": (None, binary(), 1, r"needs probabilities, .* ends in linear: .*'sigmoid'"),
    "tanh": ("tanh", binary(), 1, r"ends in tanh"),
    "right": ("softmax", sparse(), 3, None),
    "right-logits": (None, sparse(**LOGITS), 3, None),
    "right-sigmoid": ("sigmoid", binary(), 1, None),
    "several-yes-or-no": ("softmax", binary(), 3, None),
    "mse-of-anything": ("tanh", "mse", 1, None),
}


@pytest.mark.parametrize("end", ENDS)
def test_an_end_that_does_not_go_with_the_loss_is_pointed_out(end):
    last, loss, units, words = ENDS[end]
    y = Y % 2 if units == 1 else Y
    y = np.eye(3)[y] if units == 3 and not isinstance(loss, sparse) else y
    model = small(last, loss, units, metrics=())
    if words is None:
        model.fit(X, y, verbose=0)  # warnings are errors here
        return
    with pytest.warns(UserWarning, match=words) as caught:
        model.fit(X, y, verbose=0)
    assert len(caught) == 1 and caught[0].filename == __file__


@pytest.mark.parametrize(
    ("end", "words"),
    [
        ([layers.Dense(3), layers.Softmax()], None),
        ([layers.Dense(3, activation="softmax"), layers.Dropout(0.1), layers.Flatten()], None),
        ([layers.Dense(3), layers.Activation("sigmoid")], None),
        ([layers.Dense(3, kernel_initializer="ones"), layers.ReLU()], "ends in ReLU"),
        ([layers.Dense(3, activation="softmax"), layers.BatchNormalization()], "BatchNormal"),
        ([layers.Dense(3), layers.Flatten()], "ends in linear"),
    ],
)
def test_the_end_is_what_made_the_numbers(end, words):
    model = mc.Sequential([mc.Input((2,)), *end])
    model.compile("sgd", "sparse_categorical_crossentropy")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, Y, verbose=0)
    assert [words] * len(caught) == [words] * bool(words)
    assert all(words in str(one.message) for one in caught)


def test_a_network_that_cannot_learn_is_pointed_out():
    model = small()
    model.trainable = False
    with pytest.warns(UserWarning, match=r"every layer of sequential with weights is frozen"):
        model.fit(X, Y, verbose=0)
    model = mc.Sequential([mc.Input((2,)), layers.Flatten()])
    model.compile("sgd", "mse")
    with pytest.warns(UserWarning, match="has no weights, so there is nothing to train"):
        model.fit(X, X, verbose=0)


# --- class_weight -------------------------------------------------------------------------------


def test_a_class_without_a_weight_counts_once():
    """With zero weights each loss is log 3, so the total is the mean of 1, 2, 1, 1 times that."""
    model = mc.Sequential([mc.Input((2,)), layers.Dense(3, "softmax", kernel_initializer="zeros")])
    model.compile(mc.optimizers.SGD(0.0), "sparse_categorical_crossentropy")
    history = model.fit(X[:4], np.array([0, 1, 2, 2]), verbose=0, class_weight={1: 2.0})
    assert history.history["loss"] == pytest.approx([math.log(3) * 5 / 4])
    loss = model.train_on_batch(X[:4], np.array([0, 1, 2, 2]), class_weight={2: 3.0})
    assert loss == pytest.approx(math.log(3) * 8 / 4)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ([[1, 1, 0], [0, 0, 1]], r"y\[0\] = \[1.0, 1.0, 0.0\] sums to 2.* several labels"),
        ([[0, 1, 0], [0, 0, 0]], r"y\[1\] = \[0.0, 0.0, 0.0\] sums to 0.* or none"),
    ],
)
def test_several_labels_a_sample_have_no_class(labels, words):
    model = small("sigmoid", "binary_crossentropy", metrics=())
    y = np.array(labels, np.float32)
    for call in (model.fit, model.train_on_batch):
        with pytest.raises(ArgumentError, match=words):
            call(X[:2], y, class_weight={0: 1.0, 1: 10.0})
    with pytest.raises(ArgumentError, match=words):
        model.fit([(X[:2], y)], verbose=0, class_weight={0: 1.0})
    assert model.optimizer.iterations == 0


def test_numbers_that_are_no_classes_have_no_class_weight():
    with pytest.raises(ArgumentError, match=r"class indices; y\[1\] = 0.5 is not. Pass sample_w"):
        linear().fit(X[:2], np.array([1.0, 0.5]), verbose=0, class_weight={0: 2.0})


# --- results ------------------------------------------------------------------------------------


def test_without_metrics_the_loss_alone_is_a_number(backend):
    alone, measured = small(metrics=()), small()
    for call in ("evaluate", "train_on_batch", "test_on_batch"):
        options = {"verbose": 0} if call == "evaluate" else {}
        loss = getattr(alone, call)(X, Y, **options)
        assert isinstance(loss, float)
        assert getattr(measured, call)(X, Y, **options)[0] == pytest.approx(loss)
    assert alone.evaluate(X, Y, verbose=0, return_dict=True).keys() == {"loss"}


def test_a_file_holds_the_history_of_all_trainings(tmp_path):
    model = small()
    first = model.fit(X, Y, epochs=2, verbose=0).history
    second = model.fit(X, Y, epochs=1, verbose=0, validation_data=(X, Y)).history
    model.save(tmp_path / "m.mcnn")
    again = mc.load_model(tmp_path / "m.mcnn")
    third = again.fit(X, Y, epochs=4, initial_epoch=3, verbose=0).history
    again.save(tmp_path / "m.mcnn")
    saved = mc.load_model(tmp_path / "m.mcnn").saved_history
    assert saved["loss"] == [*first["loss"], *second["loss"], *third["loss"]]
    nan = pytest.approx(math.nan, nan_ok=True)
    assert saved["val_loss"] == [nan, nan, second["val_loss"][0], nan]
    assert again.history.history is third  # of the last training, as ever


def test_the_history_of_a_resumed_training_is_there_once(tmp_path):
    model = small()
    model.fit(X, Y, epochs=1, verbose=0)
    for last in (False, True):
        stop = LambdaCallback(on_epoch_end=lambda epoch, logs, last=last: 1 / (last or epoch - 1))
        backup = BackupAndRestore(tmp_path / "backup")
        try:
            model.fit(X, Y, epochs=3, verbose=0, callbacks=[stop, backup])
        except ZeroDivisionError:
            assert not last
    model.save(tmp_path / "m.mcnn")
    assert len(mc.load_model(tmp_path / "m.mcnn").saved_history["loss"]) == 1 + 3


def test_a_list_of_samples_is_told_to_be_stacked():
    images = [np.ones((8, 8, 1), np.float32)] * 5
    model = mc.Sequential([mc.Input((8, 8, 1)), layers.Flatten(), layers.Dense(1)])
    model.compile("sgd", "mse")
    waiting = mc.Sequential([layers.Flatten(), layers.Dense(1)])
    for call in (
        lambda: model.predict(images),
        lambda: model.predict_on_batch(images),
        lambda: waiting.predict(images),
        lambda: model.fit(images, np.ones(5)),
        lambda: model.evaluate(images, np.ones(5)),
    ):
        with pytest.raises(
            ArgumentError,
            match=r"5 look like samples of shape \(8, 8, 1\): .*np.stack\(x\), .*\(5, 8",
        ):
            call()
    assert model.predict(np.stack(images), verbose=0).shape == (5, 1)
