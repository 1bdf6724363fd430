"""Which batches a training gets, in which order, and that this depends on the seed alone."""

from __future__ import annotations

import gc
import itertools
import threading

import numpy as np
import pytest

import minicnn as mc
from minicnn import callbacks, layers, random
from minicnn.errors import ArgumentError, CheckpointError
from minicnn.models.batches import START, ArrayBatches, IterableBatches
from minicnn.preprocessing.image import ImageDataGenerator

X = np.random.default_rng(0).random((24, 6, 6, 1), np.float32)
Y = np.arange(24) % 3


def small():
    mc.utils.clear_session()
    model = mc.Sequential(
        [
            mc.Input((6, 6, 1)),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(mc.optimizers.SGD(0.1), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


class Numbered(list):
    """A list of batches that records which of them were fetched."""

    def __init__(self, count):
        super().__init__((X[4 * i : 4 * i + 4], Y[4 * i : 4 * i + 4]) for i in range(count))
        self.seen = []

    def __iter__(self):
        for i in range(len(self)):
            self.seen.append(i)
            yield self[i]


class ByPass:
    """A source with `for_epoch`, whose passes begin with different batches."""

    def __init__(self):
        self.asked = []

    def __len__(self):
        return 3

    def for_epoch(self, number):
        for i in range(3):
            self.asked.append((number, i))
            rows = slice(4 * ((number + i) % 6), 4 * ((number + i) % 6) + 4)
            yield X[rows], Y[rows]


def batches(count):
    """Return a generator, which can be used once."""
    for i in range(count):
        yield X[4 * i % 24 : 4 * i % 24 + 4], Y[4 * i % 24 : 4 * i % 24 + 4]


def equal(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


# --- steps_per_epoch ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("steps", "epochs", "wanted"),
    [
        (2, 3, [0, 1, 2, 3, 4, 5]),
        (4, 3, [0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5]),
        (6, 2, [0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5]),
        (5, 1, [0, 1, 2, 3, 4]),
    ],
)
def test_an_epoch_continues_where_the_one_before_ended(steps, epochs, wanted):
    data = Numbered(6)
    model = small()
    history = model.fit(Anew(data), steps_per_epoch=steps, epochs=epochs, verbose=0)
    assert data.seen == wanted
    assert len(history.epoch) == epochs and model.optimizer.iterations == steps * epochs


class Anew:
    """An iterable that is not a list, because a list could be one of arrays."""

    def __init__(self, source):
        self.source = source

    def __iter__(self):
        return iter(self.source)


def test_a_source_is_asked_for_pass_after_pass():
    data = ByPass()
    small().fit(data, steps_per_epoch=2, epochs=3, verbose=0)
    assert data.asked == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]


def test_more_steps_than_the_data_has_are_pointed_out():
    data, model = Numbered(2), small()
    with pytest.warns(UserWarning, match=r"steps_per_epoch=5, but the data has 2 batches"):
        history = model.fit(Anew(data), steps_per_epoch=5, epochs=2, verbose=0)
    assert data.seen == [0, 1] * 5 and len(history.epoch) == 2


@pytest.mark.parametrize(
    ("there", "epochs", "steps", "text"),
    [
        (5, 3, 5, r"in epoch 3 of 3, after 1 of its 2 steps"),
        (4, 2, 4, r"after epoch 2 of 3"),
        (1, 1, 1, r"in epoch 1 of 3, after 1 of its 2 steps"),
    ],
)
def test_a_generator_that_ends_keeps_the_history(there, epochs, steps, text):
    model = small()
    with pytest.warns(UserWarning, match=text) as caught:
        history = model.fit(batches(there), steps_per_epoch=2, epochs=3, verbose=0)
    assert len(caught) == 1 and caught[0].filename == __file__
    assert model.history is history and len(history.history["loss"]) == epochs
    assert model.optimizer.iterations == steps


def test_a_generator_is_used_just_as_far_as_it_is_needed():
    generator = batches(6)
    small().fit(generator, steps_per_epoch=2, epochs=2, verbose=0)
    np.testing.assert_array_equal(next(generator)[0], X[16:20])


def test_a_generator_for_several_epochs_is_refused_before_the_first_step():
    model = small()
    before = model.get_weights()
    for wrong in (
        {"x": batches(6), "epochs": 2},
        {"x": X, "y": Y, "validation_data": batches(6), "epochs": 2},
    ):
        with pytest.raises(ArgumentError, match=r"gives its batches once, but there are 2 epochs"):
            model.fit(**wrong, verbose=0)
    assert equal(model.get_weights(), before) and model.optimizer.iterations == 0
    history = model.fit(X, Y, validation_data=batches(6), verbose=0)
    assert "val_loss" in history.history


def test_a_wrong_batch_for_validation_is_refused_before_the_first_step(tmp_path):
    model = small()
    before = model.get_weights()
    log = callbacks.CSVLogger(tmp_path / "log.csv")
    with pytest.raises(ArgumentError, match=r"y\[0\] = 7, but the model has 3 classes"):
        model.fit(X, Y, validation_data=[(X, Y + 7)], verbose=0, callbacks=[log])
    assert equal(model.get_weights(), before) and not (tmp_path / "log.csv").exists()


def endless():
    while True:
        yield X, Y


def test_endless_generators_end_after_their_steps():
    model = small()
    options = {"validation_data": endless(), "validation_steps": 2, "epochs": 2, "verbose": 0}
    history = model.fit(endless(), steps_per_epoch=3, **options).history
    assert len(history["val_loss"]) == 2 and model.optimizer.iterations == 6
    assert model.evaluate(endless(), steps=2, verbose=0) == model.evaluate(X, Y, verbose=0)
    assert model.predict((x for x, _ in endless()), steps=2, verbose=0).shape == (48, 3)
    with pytest.raises(ArgumentError, match=r"^validation_steps must be an integer >= 1; got 0"):
        model.fit(X, Y, validation_data=endless(), validation_steps=0)


def test_looking_at_the_first_batch_of_an_epoch_leaves_nothing_behind():
    numbers = iter(range(10**9))
    batches = IterableBatches((np.full((1, 2), n) for n in numbers), steps=2)
    place, seen = START, []
    for _ in range(1000):
        first, place = batches.begin(place)
        again, place = batches.begin(place)
        assert first.inputs[0][0, 0] == again.inputs[0][0, 0]
        seen += [batch.inputs[0][0, 0] for batch in batches.for_epoch(place)]
        place = batches.after(place)
    assert seen == list(range(2000))
    layers = sum(isinstance(thing, itertools.chain) for thing in gc.get_objects())
    assert layers < 100, "a chain of iterators an epoch makes each step slower than the last"


def test_validation_takes_the_same_first_batches_each_time():
    data = Numbered(6)
    options = {"validation_steps": 2, "epochs": 3, "verbose": 0}
    small().fit(X, Y, validation_data=Anew(data), **options)
    assert data.seen == [0, 1] * 3


def test_a_generator_for_validation_that_ends_keeps_the_history():
    options = {"validation_steps": 2, "epochs": 4, "verbose": 0}
    with pytest.warns(UserWarning, match="validation_data ended before epoch 3") as caught:
        history = small().fit(X, Y, validation_data=batches(4), **options).history
    assert len(caught) == 1
    assert np.isnan(history["val_loss"]).tolist() == [False, False, True, True]
    assert np.isfinite(history["loss"]).all()


# --- orders -------------------------------------------------------------------------------------


def sources():
    return {
        "arrays": lambda: ((X, Y), {"batch_size": 5}),
        "list": lambda: ((list(batches(6)),), {}),
        "augmented": lambda: (
            (ImageDataGenerator(rotation_range=90).flow(X, Y, batch_size=5),),
            {},
        ),
        "by pass": lambda: ((ByPass(),), {}),
    }


@pytest.mark.parametrize("source", sources())
def test_three_trainings_of_one_epoch_are_one_of_three(backend, source, tmp_path):
    """Each call has another order and other augmented images, also after saving and loading."""
    data, options = sources()[source]()
    whole, by_one, counted_on = small(), small(), small()
    whole.fit(*data, epochs=3, verbose=0, **options)
    for epoch in range(3):
        data, options = sources()[source]()
        by_one.fit(*data, epochs=1, verbose=0, **options)
        by_one.save(tmp_path / "model.mcnn")
        by_one = mc.load_model(tmp_path / "model.mcnn")
        counted_on.fit(*data, epochs=epoch + 1, initial_epoch=epoch, verbose=0, **options)
    assert equal(by_one.get_weights(), whole.get_weights())
    assert equal(counted_on.get_weights(), whole.get_weights())


def test_every_order_is_another_one(monkeypatch):
    orders, real = [], ArrayBatches.order
    monkeypatch.setattr(
        ArrayBatches, "order", lambda *given: orders.append(real(*given)) or orders[-1]
    )
    model = small()
    for _ in range(3):
        model.fit(X, Y, verbose=0)
    assert len({tuple(order) for order in orders}) == 3


# --- resuming -----------------------------------------------------------------------------------


class Killed(BaseException):
    """The error by which a test ends a training."""


def killer(model, steps):
    def kill(batch, logs):
        if model.optimizer.iterations == steps:
            raise Killed

    return callbacks.LambdaCallback(on_train_batch_end=kill)


RESUMED = {
    "arrays": lambda: ((X, Y), {"batch_size": 5}),
    "list": lambda: ((list(batches(6)),), {"steps_per_epoch": 4}),
    "generator": lambda: ((batches(12),), {"steps_per_epoch": 4}),
    "by pass": lambda: ((ByPass(),), {"steps_per_epoch": 4}),
    "by pass, less": lambda: ((ByPass(),), {"steps_per_epoch": 2}),
    "augmented": lambda: (
        (ImageDataGenerator(rotation_range=90).flow(X, Y, batch_size=5),),
        {"steps_per_epoch": 3},
    ),
}


@pytest.mark.filterwarnings("ignore:steps_per_epoch=")  # of a pass of three
@pytest.mark.parametrize("source", RESUMED)
def test_resumed_anywhere_it_ends_with_the_same_bits(source, tmp_path):
    data, options = RESUMED[source]()
    options |= {"epochs": 3, "verbose": 0}
    whole = small()
    whole.fit(*data, **options)
    total = whole.optimizer.iterations
    for steps in range(2, total):  # the step itself is not saved yet
        for attempt in (steps, None):
            random.set_random_seed(0 if attempt else 12345)  # a new process's does not matter
            model = small()
            data, _ = RESUMED[source]()
            backup = callbacks.BackupAndRestore(tmp_path / str(steps), save_freq=1)
            running = [killer(model, attempt), backup]
            if attempt:
                with pytest.raises(Killed):
                    model.fit(*data, **options, callbacks=running)
            else:
                model.fit(*data, **options, callbacks=running)
        assert equal(model.get_weights(), whole.get_weights()), f"killed after {steps} steps"
        assert model.history.history == whole.history.history


def interrupted(folder, **options):
    model = small()
    running = [killer(model, 3), callbacks.BackupAndRestore(folder, save_freq=1)]
    with pytest.raises(Killed):
        model.fit(X, Y, epochs=2, verbose=0, callbacks=running, **options)


@pytest.mark.parametrize(
    ("there", "here", "text"),
    [
        ({"batch_size": 4}, {"batch_size": 8}, "batch_size was 4, is 8"),
        ({"batch_size": 4}, {"batch_size": 4, "shuffle": False}, "shuffle was True, is False"),
        (
            {"batch_size": 4},
            {"batch_size": 4, "validation_split": 0.25},
            "samples was 24, is 18",
        ),
    ],
)
def test_the_middle_of_an_epoch_is_a_place_in_the_same_data(tmp_path, there, here, text):
    interrupted(tmp_path, **there)
    model = small()
    before = model.get_weights()
    running = [killer(model, None), callbacks.BackupAndRestore(tmp_path, save_freq=1)]
    with pytest.raises(CheckpointError, match=f"from batch 2 of epoch 1, .*{text}"):
        model.fit(X, Y, epochs=2, verbose=0, callbacks=running, **here)
    assert equal(model.get_weights(), before) and model.optimizer.iterations == 0


def test_between_epochs_the_batch_size_may_change(tmp_path):
    model = small()
    backup = callbacks.BackupAndRestore(tmp_path, delete_checkpoint=False)
    model.fit(X, Y, batch_size=4, epochs=1, verbose=0, callbacks=[backup])
    again = small()
    again.fit(X, Y, batch_size=8, epochs=2, verbose=0, callbacks=[backup])
    assert again.optimizer.iterations == 6 + 3


# --- seeds --------------------------------------------------------------------------------------


def augmented():
    return ImageDataGenerator(rotation_range=90).flow(X, Y, batch_size=5, seed=None)


@pytest.mark.parametrize("source", [lambda: (X, Y), lambda: (augmented(),)], ids=["arrays", "flow"])
def test_a_training_keeps_the_seed_that_it_began_with(backend, source):
    """Neither a callback nor another thread that sets another seed meanwhile changes it."""
    random.set_random_seed(5)
    quiet = small()
    quiet.fit(*source(), epochs=3, verbose=0)
    random.set_random_seed(5)
    model = small()

    def disturb(*_):
        thread = threading.Thread(target=random.set_random_seed, args=(random.seed() + 1,))
        thread.start()
        thread.join()
        random.set_random_seed(random.seed() + 1)

    hook = callbacks.LambdaCallback(
        on_train_begin=disturb, on_epoch_begin=disturb, on_train_batch_end=disturb
    )
    model.fit(*source(), epochs=3, verbose=0, callbacks=[hook])
    assert equal(model.get_weights(), quiet.get_weights())
    assert random.seed() > 5  # and what they set counts afterwards


def test_a_seeded_block_is_its_thread_s_own():
    random.set_random_seed(1)
    inside, outside = threading.Event(), threading.Event()
    found = []

    def work():
        with random.seeded(7):
            inside.set()
            outside.wait(60)
            found.append(random.seed())

    thread = threading.Thread(target=work)
    thread.start()
    inside.wait(60)
    found.append(random.seed())
    random.set_random_seed(2)
    outside.set()
    thread.join()
    assert found == [1, 7] and random.seed() == 2
    with random.seeded(3):
        random.set_random_seed(4)
        assert random.seed() == 4
    assert random.seed() == 2


def test_a_function_takes_its_seed_along():
    with random.seeded(9):
        seed_there = random.bind_seed(random.seed)
    found = []
    thread = threading.Thread(target=lambda: found.append(seed_there()))
    thread.start()
    thread.join()
    assert found == [9] and random.seed() == 0


class SeedOfEachCall(mc.schedules.LearningRateSchedule):
    """A schedule that records the seed at each of its calls."""

    def __init__(self):
        self.seen = []

    def __call__(self, step):
        self.seen.append(random.seed())
        return 0.01


class ChangesTheSeed(callbacks.Callback):
    """Sets the seed of the process after `fit` has begun."""

    def on_train_begin(self, logs=None):
        random.set_random_seed(99)


def test_a_step_is_computed_with_the_seed_of_the_training():
    model, schedule = small(), SeedOfEachCall()
    model.compile(mc.optimizers.SGD(schedule), "sparse_categorical_crossentropy")
    random.set_random_seed(5)
    model.fit(X, Y, batch_size=8, verbose=0, callbacks=[ChangesTheSeed()])
    assert schedule.seen.count(5) >= 3  # one per step


def test_a_checkpoint_of_an_earlier_epoch_has_the_labels_checked(tmp_path):
    """`initial_epoch` says that no epoch is left, and the checkpoint that one is."""

    def backup():
        return callbacks.BackupAndRestore(tmp_path, delete_checkpoint=False)

    small().fit(X, Y, epochs=1, verbose=0, callbacks=[backup()])
    wrong = Y.copy()
    wrong[3] = 100_000
    with pytest.raises(ArgumentError, match=r"y\[3\] = 100000"):
        small().fit(X, wrong, epochs=2, initial_epoch=2, verbose=0, callbacks=[backup()])
