"""A network's programs: how many are cached, what memory they take, and that they can share it.

Bytes and programs are counted, because the memory of the process says little about either.
"""

from __future__ import annotations

import gc
import threading
import weakref

import numpy as np
import pytest

import minicnn as mc
from minicnn import layers
from minicnn.models.programs import MAX_PROGRAMS

X = np.random.default_rng(0).normal(size=(64, 12, 11, 3)).astype(np.float32)
Y = np.arange(64) % 3


def network():
    """Return a network with both kinds of constants: a folded batch norm and Winograd weights."""
    mc.utils.clear_session()
    model = mc.Sequential(
        [
            mc.Input((12, 11, 3)),
            layers.Conv2D(4, 3, padding="same"),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Conv2D(8, 3, padding="same", algorithm="winograd"),
            layers.Flatten(),
            layers.Dropout(0.2),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def alone(n, model):
    """Return the prediction for n images by a new network of the same weights."""
    other = network()
    other.set_weights(model.get_weights())
    return other.predict_on_batch(X[:n])


def memory_of(model):
    """Return the bytes of the arena and of the host arrays."""
    memory = model._executions._memory[mc.current_backend()]
    return memory.arena.size_bytes, memory.shared.size_bytes


def test_many_batch_sizes_take_the_memory_of_the_largest(backend):
    model, large = network(), network()
    large.predict_on_batch(X)
    for n in [*range(1, 65), 3, 64]:
        model.predict_on_batch(X[:n])
        assert len(model._executions) <= MAX_PROGRAMS
    assert memory_of(model) == memory_of(large)


def test_training_with_other_last_batches_takes_the_memory_of_the_largest(backend):
    model, large = network(), network()
    large.train_on_batch(X[:32], Y[:32])
    for n in range(33, 64):
        model.fit(X[:n], Y[:n], batch_size=32, verbose=0)
    if backend == "numpy":  # its arena is what the last program left
        model.train_on_batch(X[:32], Y[:32])
    assert memory_of(model)[0] == memory_of(large)[0]
    assert len(model._executions) <= MAX_PROGRAMS


def test_programs_of_one_size_stay_and_of_many_the_last_used_do(backend):
    model = network()
    model.predict_on_batch(X)
    for n in range(1, MAX_PROGRAMS):
        model.predict_on_batch(X[:n])
    kept = list(model._executions.values())
    for n in (64, *range(1, MAX_PROGRAMS)):
        model.predict_on_batch(X[:n])
    assert set(map(id, model._executions.values())) == set(map(id, kept))
    model.predict_on_batch(X[:63])  # instead of the one that was not used for longest: of 64 images
    assert [a for a in kept if a not in [*model._executions.values()]] == kept[:1]


def test_the_least_used_program_is_given_back(backend):
    model = network()
    model.predict_on_batch(X)
    gone = weakref.ref(next(iter(model._executions.values())))
    for n in range(1, MAX_PROGRAMS + 1):
        model.predict_on_batch(X[:n])
    gc.collect()
    assert gone() is None


def test_a_network_that_is_gone_leaves_no_program(backend):
    model = network()
    model.predict_on_batch(X)
    gone = weakref.ref(next(iter(model._executions.values())))
    memory = weakref.ref(model._executions._memory[backend].arena)
    model._executions.clear()
    assert gone() is None and memory() is None


def test_derived_weights_are_kept_once_for_all_batch_sizes():
    pytest.importorskip("minicnn._core")
    with mc.use_backend("native"):
        model = network()
        for n in range(20, 14, -1):
            model.predict_on_batch(X[:n])
        store = model._executions._memory["native"].arena.weights
        assert (len(model._executions), len(store)) == (6, 1)
        model._executions._cache.clear()
        assert len(store) == 0


def test_predictions_in_between_do_not_disturb_each_other(backend):
    """Sizes grow and shrink, weights change in between, and training uses the same memory."""
    model = network()
    for turn in range(3):
        for n in (5, 64, 2, 33, 64, 5):
            np.testing.assert_array_equal(model.predict_on_batch(X[:n]), alone(n, model))
        model.train_on_batch(X[: 8 + turn], Y[: 8 + turn])
        assert model.test_on_batch(X[:7], Y[:7]) == network_like(model).test_on_batch(X[:7], Y[:7])


def network_like(model):
    other = network()
    other.set_weights(model.get_weights())
    return other


def test_a_larger_prediction_in_a_callback_changes_no_training(backend):
    watched, undisturbed = network(), network()
    hook = mc.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: watched.predict_on_batch(X[: 20 + 9 * batch])
    )
    histories = [
        model.fit(X[:60], Y[:60], batch_size=16, epochs=2, verbose=0, callbacks=given).history
        for model, given in ((watched, [hook]), (undisturbed, []))
    ]
    assert histories[0] == histories[1]
    pairs = zip(watched.get_weights(), undisturbed.get_weights(), strict=True)
    assert all(np.array_equal(a, b) for a, b in pairs)


def test_outcomes_outlast_the_next_run(backend):
    model = network()
    first = model.train_step(model.prepare_batch(mc.models.batches.Batch((X[:8],), Y[:8])))
    before = first.predictions.copy()
    model.predict_on_batch(-X)
    np.testing.assert_array_equal(first.predictions, before)


def test_threads_with_batches_of_many_sizes_and_a_training_use_one_network(backend):
    """One thread plans a program, and the arena grows, while another thread runs one."""
    model = network()
    norm = next(la for la in model.layers if isinstance(la, layers.BatchNormalization))
    norm.trainable = False  # its running statistics stay
    model.optimizer.learning_rate = 0.0  # steps run, and what is predicted stays the same
    wanted = {n: alone(n, model) for n in range(1, 20)}
    wrong: list[object] = []

    def predict(sizes):
        try:
            for n in sizes:
                if not np.array_equal(model.predict_on_batch(X[:n]), wanted[n]):
                    wrong.append(n)
        except BaseException as error:
            wrong.append(error)

    def train():
        try:
            for n in range(30, 40):
                model.train_on_batch(X[:n], Y[:n])
        except BaseException as error:
            wrong.append(error)

    jobs = [(predict, (range(1, 20),)), (predict, (range(19, 0, -1),)), (train, ())]
    threads = [threading.Thread(target=work, args=arguments) for work, arguments in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_another_engine_has_memory_of_its_own():
    pytest.importorskip("minicnn._core")
    model = network()
    found = {}
    for _ in range(2):
        for engine in ("numpy", "native"):
            with mc.use_backend(engine):
                found.setdefault(engine, []).append(model.predict_on_batch(X[:9]))
    for first, again in found.values():
        np.testing.assert_array_equal(first, again)
