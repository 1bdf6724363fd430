"""Models that are copied, shared by threads, disturbed by callbacks, or changed between calls."""

from __future__ import annotations

import copy
import pickle
import threading
import warnings

import numpy as np
import pytest

import minicnn as mc
from minicnn import callbacks, layers
from minicnn.errors import ArgumentError, NumericError, ShapeError, SizeLimitError

X = np.random.default_rng(0).normal(size=(40, 8, 8, 1)).astype(np.float32)
Y = np.arange(40) % 3


def small(optimizer="adam"):
    mc.utils.clear_session()
    model = mc.Sequential(
        [
            mc.Input((8, 8, 1)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def equal(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize(
    "copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))], ids=["deepcopy", "pickle"]
)
def test_a_copy_trains_on_as_the_original_and_apart_from_it(backend, copied):
    model = small()
    model.fit(X, Y, verbose=0)
    twin, before = copied(model), model.get_weights()
    twin.fit(X, Y, verbose=0)
    assert equal(model.get_weights(), before)
    model.fit(X, Y, verbose=0)
    assert equal(model.get_weights(), twin.get_weights())
    assert not equal(model.get_weights(), before)


def test_threads_can_predict_with_one_model(backend):
    model = small()
    inputs = [X, -X, X[::-1]]
    expected = [model.predict(x, verbose=0) for x in inputs]
    found = [[] for _ in inputs]

    def work(i):
        for _ in range(40):
            found[i].append(model.predict(inputs[i], batch_size=8, verbose=0))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(inputs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for results, wanted in zip(found, expected, strict=True):
        assert len(results) == 40
        for result in results:
            np.testing.assert_allclose(result, wanted, atol=1e-5)


def test_threads_build_a_waiting_model_once():
    begun, other_is_back = threading.Event(), threading.Event()

    class Slow(layers.Flatten):
        def build(self, *shapes):
            super().build(*shapes)
            begun.set()
            other_is_back.wait(0.2)

    def predict():
        found.append(model.predict_on_batch(X))

    model, found = mc.Sequential([layers.MaxPooling2D(2), Slow(), layers.Dense(3)]), []
    first = threading.Thread(target=predict)
    first.start()
    begun.wait()
    try:
        predict()
    finally:
        other_is_back.set()
        first.join()
    assert found[0].shape == (40, 3) and np.array_equal(*found)


def test_threads_that_train_one_model_count_every_step(backend):
    model = small()
    start = threading.Barrier(3)

    def work():
        start.wait()
        for _ in range(30):
            model.train_on_batch(X[:4], Y[:4])

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert model.optimizer.iterations == 90


def test_a_callback_cannot_pull_its_training_away(backend):
    def interfere(action):
        model = small()
        hook = callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: action(model))
        with pytest.raises(ArgumentError, match="stop_training = True"):
            model.fit(X, Y, epochs=2, verbose=0, callbacks=[hook])
        model.fit(X, Y, verbose=0)  # the model is free again

    interfere(lambda model: model.fit(X, Y, verbose=0))
    interfere(lambda model: model.compile("sgd", "mse"))


def test_predicting_in_callbacks_changes_nothing(backend):
    watched, alone = small(), small()
    hook = callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: watched.predict(X[:3], verbose=0),
        on_epoch_end=lambda epoch, logs: watched.evaluate(X, Y, verbose=0),
    )
    watched.fit(X, Y, batch_size=16, epochs=2, verbose=0, callbacks=hook)
    alone.fit(X, Y, batch_size=16, epochs=2, verbose=0)
    assert equal(watched.get_weights(), alone.get_weights())


def test_freezing_a_whole_model_or_one_layer(backend):
    model = small()
    before = model.get_weights()
    model.trainable = False
    with pytest.warns(UserWarning, match=r"every layer of sequential with weights is frozen"):
        model.fit(X, Y, verbose=0)
    assert equal(model.get_weights(), before) and not model.trainable
    model.layers[-1].trainable = True
    model.fit(X, Y, verbose=0)
    changed = [not np.array_equal(a, b) for a, b in zip(model.get_weights(), before, strict=True)]
    assert changed == [False] * 6 + [True] * 2 and model.trainable


def test_metrics_count_every_sample_once_whatever_its_weight(backend):
    model = small()
    accuracy = (model.predict(X, verbose=0).argmax(-1) == Y).mean()
    only_first = np.where(Y == 0, 5.0, 0.0)
    assert model.evaluate(X, Y, sample_weight=only_first, verbose=0)[1] == pytest.approx(accuracy)


def test_a_generator_is_not_silently_empty_the_second_time(backend):
    pairs = [(X, Y)]
    with pytest.raises(ArgumentError, match="gives its batches once"):
        small().fit((pair for pair in pairs), epochs=2, verbose=0)
    with pytest.raises(ArgumentError, match="gives its batches once"):
        small().fit(X, Y, epochs=2, verbose=0, validation_data=(pair for pair in pairs))


def test_validation_data_may_be_a_list(backend):
    history = small().fit(X, Y, verbose=0, validation_data=[X, Y])
    assert history.history["val_loss"][0] > 0


def test_a_split_of_measured_numbers_is_not_called_sorted():
    model = mc.Sequential([mc.Input((8, 8, 1)), layers.Flatten(), layers.Dense(1)])
    model.compile("sgd", "mse")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(X, np.linspace(0, 1, 40), validation_split=0.2, verbose=0)
    one_hot = mc.utils.to_categorical(np.arange(40) // 16)
    model = small()
    model.compile("sgd", "categorical_crossentropy")
    with pytest.warns(UserWarning, match="sorted by class"):
        model.fit(X, one_hot, validation_split=0.2, verbose=0)


def test_a_waiting_model_survives_arrays_that_do_not_fit():
    model = mc.Sequential(
        [layers.Conv2D(3, 3), layers.Flatten(), layers.Dense(3, activation="softmax")]
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    with pytest.raises(ShapeError, match="Put this layer before Flatten"):
        model.fit(X[:, 0, :, 0], Y, verbose=0)
    with pytest.raises(ShapeError, match="does not fit"):
        model.fit(np.repeat(X[:, :2, :2], 2, -1), Y, verbose=0)
    model.fit(X, Y, verbose=0)
    assert model.output_shape == (None, 3)


def test_a_batch_larger_than_the_machine_is_refused_before_it_is_made():
    model = mc.Sequential([mc.Input((8, 8, 1)), layers.ZeroPadding2D(2**21), layers.Flatten()])
    with pytest.raises(SizeLimitError, match=r"one batch of 1 needs .* GB for the layers' outputs"):
        model.predict(X[:1], verbose=0)


@pytest.mark.parametrize(
    ("loss", "y"),
    [
        ("sparse_categorical_crossentropy", Y),
        ("categorical_crossentropy", np.eye(3)[Y]),
    ],
    ids=["sparse", "one-hot"],
)
def test_softmax_losses_need_one_row_of_classes(loss, y):
    model = mc.Sequential([mc.Input((8, 8, 1)), layers.Conv2D(3, 3)])
    model.compile("sgd", loss)
    with pytest.raises(ShapeError, match=r"\(None, 6, 6, 3\). Add Flatten"):
        model.fit(X, y, verbose=0)


def test_a_nan_in_the_data_is_not_blamed_on_the_learning_rate(backend):
    x = X.copy()
    x[5] = np.nan
    with pytest.raises(NumericError, match=r"first in sample 5 of this batch") as caught:
        small().train_on_batch(x, Y)
    assert "clipnorm" not in str(caught.value)
    with pytest.raises(NumericError, match="clipnorm"):
        small(mc.optimizers.SGD(1e30)).fit(X, Y, batch_size=8, epochs=3, verbose=0)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: mc.Sequential(layers.Dense(3)), "list of layers; got Dense"),
        (lambda: mc.Model(None, None), "got NoneType"),
        (lambda: mc.Model([], []), "got an empty list"),
    ],
    ids=["one-layer", "none", "empty"],
)
def test_models_of_nothing(wrong, words):
    with pytest.raises(ArgumentError, match=words):
        wrong()
