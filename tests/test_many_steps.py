"""Several steps per call: the same training as with one step per call, bit for bit.

The engine is the reference with a loop, so that this is tested without a GPU.
"""

from __future__ import annotations

import signal
from itertools import pairwise

import numpy as np
import pytest

import minicnn as mc
from minicnn import callbacks, layers
from minicnn.backends import numpy as reference
from minicnn.errors import NumericError

SAMPLES, BATCH = 22, 3  # seven whole batches and a rest


class Looping(reference.Runner):
    """Takes three steps per call, and runs them as late as possible: in `finish`.

    After a loss that is not finite it changes nothing until all calls are finished.
    """

    max_steps_per_call = 3

    def __init__(self, program, arrays, arena=None):
        super().__init__(program, arrays, arena)
        self.program, self.hosts, self.begun, self.halted = program, arrays, [], False
        self.calls = []

    def start(self, inputs, values, loss, predictions):
        assert len(self.begun) < 2
        feeds = {**inputs, **values}
        count = {len(feed) for feed in feeds.values()}
        assert len(count) == 1 and 2 <= max(count) <= self.max_steps_per_call
        self.calls.append(max(count))
        self.begun.append((feeds, loss, predictions))

    def finish(self):
        feeds, loss, predictions = self.begun.pop(0)
        kept = [self.step(feeds, u, loss, predictions) for u in range(self.calls.pop(0))]
        done = [outcome for outcome in kept if outcome is not None]
        if not self.begun:
            self.halted = False
        return tuple(
            np.array([outcome[i] for outcome in done]).reshape(len(done), *self[index].shape)
            for i, index in enumerate((loss, predictions))
        )

    def step(self, feeds, u, loss, predictions):
        for index, feed in feeds.items():
            self.hosts[index][...] = feed[u]
        self.run(0, self.program.first_change)
        self.halted = self.halted or not np.isfinite(self[loss]).all()
        if self.halted:
            return None
        outcome = self[loss].copy(), self[predictions].copy()
        self.run(self.program.first_change)
        return outcome


def network():
    return mc.Sequential(
        [
            mc.Input((6, 6, 2), rescale=1 / 255),
            layers.Conv2D(4, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.BatchNormalization(),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(3, activation="softmax"),
        ]
    )


def data():
    rng = np.random.default_rng(5)
    x = rng.integers(0, 256, (SAMPLES, 6, 6, 2), np.uint8)
    return x, rng.integers(0, 3, SAMPLES)


def compiled(**options):
    mc.utils.clear_session()
    mc.utils.set_random_seed(11)
    model = network()
    rate = mc.schedules.ExponentialDecay(0.01, 2, 0.7)
    model.compile(
        mc.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"], **options
    )
    return model


def fitted(x=None, y=None, *, epochs=2, watchers=(), **options):
    model = compiled()
    if x is None:
        x, y = data()
        options.setdefault("batch_size", BATCH)
    history = model.fit(x, y, epochs=epochs, verbose=0, callbacks=list(watchers), **options)
    return model, history.history


def everything(model):
    slots = [a.tobytes() for _, a in sorted(model.slots.items())]
    return [w.tobytes() for w in model.get_weights()] + slots + [model.optimizer.iterations]


@pytest.fixture
def numpy_engine():
    with mc.use_backend("numpy"):
        yield


@pytest.fixture
def many(monkeypatch, numpy_engine):
    """Return a function that makes the reference take three steps per call from then on."""

    def switch():
        monkeypatch.setattr(reference, "Runner", Looping)

    return switch


class At(callbacks.Callback):
    """Calls a function after that many steps."""

    def __init__(self, steps=0, action=None, every_batch=False):
        self.steps, self.action, self.looks = steps, action, every_batch

    @property
    def every_batch(self):
        return self.looks

    def on_train_batch_end(self, batch, logs=None):
        if self.model.optimizer.iterations == self.steps:
            self.action(self.model)


def batches(count=8):
    x, y = data()
    return [(x[i : i + BATCH], y[i : i + BATCH]) for i in range(0, SAMPLES, BATCH)][:count]


def odd_batches():
    """Return batches of changing sizes, one of which is alone."""
    x, y = data()
    cuts = [0, 3, 6, 10, 14, 16, 19, 22]
    return [(x[i:j], y[i:j]) for i, j in pairwise(cuts)]


def weighted_batches():
    x, y = data()
    w = np.linspace(0.5, 2, SAMPLES)
    cuts = range(0, SAMPLES, BATCH)
    return [(x[i : i + BATCH], y[i : i + BATCH], w[i : i + BATCH]) for i in cuts]


CALLS = {
    "arrays": {},
    "in-order": {"shuffle": False},
    "class-weights": {"class_weight": {0: 1.0, 1: 2.5, 2: 0.3}},
    "sample-weights": {"sample_weight": np.linspace(0.1, 3, SAMPLES)},
    "both-weights": {
        "class_weight": {0: 1.0, 1: 2.5, 2: 0.3},
        "sample_weight": np.linspace(0.1, 3, SAMPLES),
    },
    "validation": {"validation_split": 0.3},
    "one-batch-an-epoch": {"batch_size": 50},
    "iterable": {"x": batches()},
    "iterable-of-sizes": {"x": odd_batches()},
    "iterable-with-weights": {"x": weighted_batches(), "class_weight": {0: 1.0, 1: 2.5, 2: 0.3}},
}


@pytest.mark.parametrize("options", CALLS.values(), ids=CALLS)
def test_the_same_weights_history_and_counters(many, options):
    one, want = fitted(**options)
    many()
    model, history = fitted(**options)
    assert history == want
    assert everything(model) == everything(one)


def test_it_was_several_at_a_time(many):
    many()
    counts = []

    class Counting(callbacks.Callback):
        every_batch = False

        def on_train_batch_end(self, batch, logs=None):
            counts.append(batch)

    fitted(epochs=1, watchers=[Counting()])
    assert counts == [2, 5, 6, 7]  # 3 + 3 + 1, and the rest of a batch


def test_a_callback_that_looks_at_every_batch_sees_every_batch(many):
    many()
    seen = []

    class Looking(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append((batch, self.model.optimizer.iterations))

    fitted(epochs=1, watchers=[Looking()])
    assert seen == [(i, i + 1) for i in range(8)]


def test_who_looks_at_every_batch(tmp_path):
    assert callbacks.LambdaCallback(on_train_batch_end=print).every_batch
    assert not callbacks.LambdaCallback(on_epoch_end=print).every_batch
    assert callbacks.BackupAndRestore(tmp_path, save_freq=5).every_batch
    assert not callbacks.BackupAndRestore(tmp_path).every_batch
    assert not callbacks.EarlyStopping().every_batch


@pytest.mark.parametrize("bad", range(8))
def test_a_loss_that_is_not_finite_leaves_the_weights_before_its_step(many, bad):
    x, y = data()
    x = x.astype(np.float32)
    x[bad * BATCH] = np.inf

    def failing():
        model = compiled()
        with pytest.raises(NumericError) as error:
            model.fit(x, y, BATCH, shuffle=False, verbose=0)
        return [*everything(model), str(error.value), model.session.state.batch]

    one = failing()
    many()
    assert failing() == one


def test_terminate_on_nan_counts_what_came_before(many, capsys):
    x, y = data()
    x = x.astype(np.float32)
    x[4 * BATCH] = np.nan
    options = {"batch_size": BATCH, "shuffle": False, "watchers": [callbacks.TerminateOnNaN()]}
    one, want = fitted(x, y, **options)
    many()
    model, history = fitted(x, y, **options)
    assert history == want and everything(model) == everything(one)
    said = capsys.readouterr().out
    assert said == "Batch 4: Invalid loss, terminating training\n" * 2


def test_what_came_before_an_error_of_the_source_is_trained_on(many):
    class Broken(Exception):
        pass

    def failing():
        model = compiled()

        def source():
            yield from batches(5)
            raise Broken

        with pytest.raises(Broken):
            model.fit(source(), verbose=0)
        return [*everything(model), model.session.state.batch]

    one = failing()
    many()
    assert failing() == one


def test_a_wrong_batch_is_named_after_those_before_it(many):
    x, y = data()
    wrong = [*batches(4), (x[:3], y[:3] + 7), *batches(2)]
    many()
    model = compiled()
    with pytest.raises(mc.errors.ArgumentError, match="class"):
        model.fit(wrong, verbose=0)
    assert model.optimizer.iterations == model.session.state.batch == 4


def test_resumed_in_the_middle_of_an_epoch(many, tmp_path, monkeypatch):
    whole, want = fitted(epochs=2)

    def save_and_stop(model):
        model.save_checkpoint(tmp_path / "checkpoint-10.mcnn")
        model.stop_training = True

    def backup():
        return callbacks.BackupAndRestore(tmp_path, save_freq=1000, delete_checkpoint=False)

    fitted(epochs=2, watchers=[At(10, save_and_stop, every_batch=True), backup()])  # of 16 steps
    monkeypatch.setattr(callbacks.BackupAndRestore, "every_batch", False)
    many()
    model, history = fitted(epochs=2, watchers=[At(), backup()])
    assert everything(model) == everything(whole)
    assert history == want


def test_ctrl_c_waits_for_what_was_begun(many, tmp_path):
    """Saved weights and counters belong together, so the resumed training is the same."""
    whole, want = fitted(epochs=2)
    many()
    backup = callbacks.BackupAndRestore(tmp_path, delete_checkpoint=False)
    press = At(3, lambda _: signal.raise_signal(signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        fitted(epochs=2, watchers=[backup, press])
    model, history = fitted(epochs=2, watchers=[backup, At()])
    assert everything(model) == everything(whole)
    assert history == want


def test_steps_are_counted_after_the_caller_stopped_listening(many):
    """A callback that raises ends the training while the engine is at work."""
    many()
    model = compiled()
    with pytest.raises(ZeroDivisionError):
        model.fit(*data(), BATCH, verbose=0, callbacks=[At(3, lambda _: 1 / 0)])
    assert model.optimizer.iterations == 6
    other = compiled()
    x, y = data()
    order = mc.random.generator("shuffle", 0).permutation(SAMPLES)
    for i in range(6):
        rows = order[i * BATCH : (i + 1) * BATCH]
        other.train_on_batch(x[rows], y[rows])
    assert everything(model) == everything(other)


def test_the_engine_has_the_next_group_before_the_last_is_waited_for(many, monkeypatch):
    many()
    at_work = []

    def start(self, *arguments, begin=Looping.start):
        at_work.append(len(self.begun))
        begin(self, *arguments)

    monkeypatch.setattr(Looping, "start", start)
    compiled().fit(batches(7) * 2, verbose=0)
    assert at_work == [0, 1, 1, 1, 1]
