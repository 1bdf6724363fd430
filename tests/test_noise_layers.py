"""Dropout of channels, noise, and normal numbers: their statistics, seeds and errors."""

from __future__ import annotations

import numpy as np
import pytest

import minicnn as mc
from minicnn import layers
from minicnn.errors import ArgumentError, ShapeError

LAYERS = {
    "dropout": lambda **k: layers.Dropout(0.3, **k),
    "dropout of rows": lambda **k: layers.Dropout(0.3, (None, None, 1, 1), **k),
    "spatial dropout": lambda **k: layers.SpatialDropout2D(0.3, **k),
    "noise": lambda **k: layers.GaussianNoise(0.3, **k),
    "gaussian dropout": lambda **k: layers.GaussianDropout(0.3, **k),
    "alpha dropout": lambda **k: layers.AlphaDropout(0.3, **k),
    "alpha dropout of samples": lambda **k: layers.AlphaDropout(0.3, (None, 1, 1, 1), **k),
}
every_layer = pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS.keys())


def values(*shape):
    return np.random.default_rng(1).standard_normal(shape).astype(np.float32)


@every_layer
def test_mean_stays_and_nothing_happens_at_inference(backend, make):
    x, layer = values(200, 4, 5, 3), make(seed=1)
    assert layer(x) is x
    y = layer(x, training=True)
    assert y.shape == x.shape
    assert abs(float(y.mean()) - float(x.mean())) < 0.1
    assert (np.asarray(layer(x, training=True)) != y).any()


@every_layer
def test_every_engine_and_every_layer_with_the_seed_draws_the_same(make):
    x = values(6, 4, 5, 3)
    with mc.backend("numpy"):
        wanted = make(seed=8, name="a")(x, training=True)
    for name in ("b", "c"):
        y = make(seed=8, name=name)(x, training=True)
        np.testing.assert_allclose(y, wanted, rtol=1e-6, atol=1e-6)


@every_layer
def test_a_network_trains_with_it(backend, make, tmp_path):
    def network():
        mc.set_random_seed(2)
        ends = [layers.Flatten(), layers.Dense(2, activation="softmax")]
        first = layers.Conv2D(3, 1, name="first")
        model = mc.Sequential([mc.Input((4, 5, 3)), first, make(seed=3), *ends])
        model.compile("sgd", "sparse_categorical_crossentropy")
        return model

    x, y = values(6, 4, 5, 3), np.arange(6) % 2
    model = network()
    start = model.get_layer("first").get_weights()[0]
    model.save(tmp_path / "m.mcnn")
    losses = [model.train_on_batch(x, y) for _ in range(2)]
    assert (model.get_layer("first").get_weights()[0] != start).any()
    again = mc.load_model(tmp_path / "m.mcnn")
    assert [again.train_on_batch(x, y) for _ in range(2)] == losses


def test_the_standard_deviations_are_those_asked_for():
    ones = np.ones((100_000, 1), np.float32)
    noise = layers.GaussianNoise(0.25, seed=1)(ones, training=True)
    factors = layers.GaussianDropout(0.2, seed=1)(ones, training=True)
    assert abs(float(noise.mean()) - 1) < 0.005
    assert abs(float(noise.std()) - 0.25) < 0.005
    assert abs(float(factors.std()) - 0.5) < 0.01
    # Of a normal distribution, 68.3 % lie within one standard deviation and 95.4 % within two.
    distances = np.abs(noise - 1) / 0.25
    assert abs(float((distances < 1).mean()) - 0.683) < 0.01
    assert abs(float((distances < 2).mean()) - 0.954) < 0.01


def test_alpha_dropout_keeps_the_variance():
    y = layers.AlphaDropout(0.3, seed=1)(values(50_000, 2), training=True)
    assert abs(float(y.std()) - 1) < 0.02
    assert len(np.unique(np.asarray(y).round(5)[:, 0], return_counts=True)[1]) < 40_000


def test_whole_channels_are_dropped():
    y = np.asarray(layers.SpatialDropout2D(0.5, seed=1)(np.ones((9, 4, 5, 3), "f"), training=True))
    assert set(np.unique(y)) == {0.0, 2.0}
    assert (y == y[:, :1, :1]).all()
    y = np.asarray(layers.SpatialDropout1D(0.5, seed=1)(np.ones((9, 4, 3), "f"), training=True))
    assert (y == y[:, :1]).all()


ERRORS = {
    "a noise shape of another rank": (
        lambda: layers.Dropout(0.5, (1, 1))(values(2, 3, 4), training=True), "noise_shape must have",
    ),
    "another length": (
        lambda: layers.Dropout(0.5, (None, 2))(values(2, 3), training=True), "noise_shape must have",
    ),
    "a noise shape of text": (lambda: layers.Dropout(0.5, "all"), "noise_shape must be a list"),
    "a length of 0": (lambda: layers.AlphaDropout(0.5, (0, 1)), "noise_shape must be an integer"),
    "a rate of 1": (lambda: layers.GaussianDropout(1), "rate must be"),
    "a negative deviation": (lambda: layers.GaussianNoise(-1), "stddev must be"),
    "vectors": (lambda: layers.SpatialDropout2D(0.5)(mc.Input((4,))), "must have 4 axes"),
    "half precision": (lambda: layers.SpatialDropout2D(0.5, dtype="float16"), "dtype must be"),
    "channels first": (
        lambda: layers.SpatialDropout2D(0.5, "channels_first"), "data_format must be",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("call", "text"), ERRORS.values(), ids=ERRORS.keys())
def test_wrong_use(call, text):
    with pytest.raises((ArgumentError, ShapeError), match=text):
        call()
