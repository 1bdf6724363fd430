"""Normalization layers: outputs, gradients and training steps against values of Keras.

The values come from Keras 3.15.1 on TensorFlow 2.21.0 (CPU). A fingerprint is the dot product of
all values, in order, with a cosine wave.
"""

from __future__ import annotations

import numpy as np
import pytest

import minicnn as mc
from minicnn import layers
from minicnn.errors import ArgumentError, DTypeError, ShapeError


def wave(*shape, step=0.7):
    return np.sin(step * np.arange(np.prod(shape))).astype(np.float32).reshape(shape)


def fingerprint(arrays):
    flat = np.concatenate([np.asarray(array, np.float64).ravel() for array in arrays])
    return float(flat @ np.cos(0.3 * np.arange(flat.size)))


ONE_HOT = np.eye(3, dtype=np.float32)[np.array([0, 2, 1, 1, 0, 2])]

# A layer between a 1x1 convolution and a softmax: the predictions' fingerprint and the loss before
# the first of two steps of SGD(0.05), then the loss and the weights' fingerprint.
TRAINED = {
    "batch norm of axis 3": (
        "BatchNormalization",
        (3,),
        {},
        (-0.8314319, 1.137638, 1.130945, -0.3295344),
    ),
    "layer norm": ("LayerNormalization", (), {}, (-0.8373523, 1.125755, 2.562686, 2.637334)),
    "layer norm of images": (
        "LayerNormalization",
        ([1, 2, 3],),
        {"epsilon": 0.1},
        (-0.8718443, 1.299798, 3.861973, 2.838497),
    ),
    "layer norm of rows, without gamma": (
        "LayerNormalization",
        ((-1, -2),),
        {"scale": False},
        (-0.7037666, 1.299426, 4.478205, 0.9467012),
    ),
    "group norm": ("GroupNormalization", (2,), {}, (-0.8456488, 1.125187, 1.643767, 2.677618)),
    "group norm of each channel, without beta": (
        "GroupNormalization",
        (-1,),
        {"axis": 3, "epsilon": 1e-05, "center": False},
        (-0.8353896, 1.133468, 1.088963, 4.10384),
    ),
    "RMS norm": ("RMSNormalization", (), {}, (-0.8241561, 1.158312, 1.140945, 4.077127)),
    "RMS norm of rows": (
        "RMSNormalization",
        ([2, 3],),
        {"epsilon": 0.1},
        (-0.8706026, 1.148684, 1.097808, 0.9748039),
    ),
    "unit norm": ("UnitNormalization", (), {}, (-0.8208403, 1.128522, 1.099283, 4.261418)),
    "unit norm of images": (
        "UnitNormalization",
        ([1, 2, 3],),
        {},
        (-0.8313845, 1.157447, 1.151111, 4.268153),
    ),
}

# The arguments of Normalization; the fingerprint of its result after `adapt`.
ADAPTED = {
    "of channels": ({}, 4.669461),
    "of all values": ({"axis": None}, 4.664703),
    "of each place": ({"axis": (1, 2, 3)}, -0.8637339),
    "given": ({"mean": [0.1, 0.2, 0.3], "variance": [0.5, 1, 2]}, 6.360075),
    "given once": ({"mean": 0.25, "variance": 2.0}, 4.163822),
}


@pytest.mark.parametrize(
    ("kind", "arguments", "options", "numbers"), TRAINED.values(), ids=TRAINED.keys()
)
def test_training_is_that_of_keras(backend, kind, arguments, options, numbers):
    x = wave(6, 7, 8, 4)
    layer = getattr(layers, kind)(*arguments, **options)
    ends = [layers.Flatten(), layers.Dense(3, activation="softmax")]
    model = mc.Sequential([mc.Input(x.shape[1:]), layers.Conv2D(4, 1), layer, *ends])
    model.compile(mc.optimizers.SGD(0.05), "categorical_crossentropy")
    for parameter in model.parameters:
        start = wave(*parameter.shape, step=0.9) * 0.9
        parameter.assign(start + ("variance" in parameter.name))
    predictions = model.predict(x, verbose=0)
    before, *_ = [model.train_on_batch(x, ONE_HOT) for _ in range(2)]
    after = model.test_on_batch(x, ONE_HOT)
    found = fingerprint([predictions]), before, after, fingerprint(model.get_weights())
    assert found == pytest.approx(numbers, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize(("options", "number"), ADAPTED.values(), ids=ADAPTED.keys())
def test_statistics_of_the_data_are_those_of_keras(backend, options, number):
    x = 1 + 2 * wave(5, 4, 3, 3)
    layer = layers.Normalization(**options)
    if "mean" not in options:
        layer.adapt(x)
    assert fingerprint([layer(x)]) == pytest.approx(number, rel=1e-5)


def test_adapt_reads_batches():
    x = 1 + 2 * wave(10, 4, 3, 3)
    whole, parts = layers.Normalization(), layers.Normalization()
    whole.adapt(x)
    parts.adapt([(x[:3], "labels"), (x[3:9], "labels"), (x[9:], "labels")])
    for name in ("mean", "variance"):
        assert getattr(whole, name).shape == (1, 1, 1, 3)
        np.testing.assert_allclose(getattr(parts, name), getattr(whole, name), rtol=1e-6)
    np.testing.assert_allclose(whole.mean.ravel(), x.mean((0, 1, 2)), rtol=1e-5)
    assert [w.shape for w in whole.weights] == [(3,), (3,), (1,)]


def test_uint8_images_are_normalized():
    layer = layers.Normalization(mean=[1, 2, 3], variance=4)
    x = np.array([5, 8, 3], np.uint8).reshape(1, 1, 1, 3)
    assert layer(x).ravel().tolist() == [2.0, 3.0, 0.0]


def test_a_model_normalizes_after_it_was_saved(tmp_path):
    x = 1 + 2 * wave(6, 4, 3, 3)
    first = layers.Normalization()
    first.adapt(x)
    others = [layers.GroupNormalization(3), layers.LayerNormalization([1, 2, 3])]
    others += [layers.RMSNormalization(), layers.UnitNormalization(), layers.BatchNormalization(3)]
    model = mc.Sequential([mc.Input((4, 3, 3)), first, *others])
    model.save(tmp_path / "m.mcnn")
    again = mc.load_model(tmp_path / "m.mcnn")
    wanted = model.predict(x, verbose=0)
    np.testing.assert_array_equal(again.predict(x, verbose=0), wanted)
    np.testing.assert_array_equal(again.layers[-6].mean, first.mean)


def test_weight_decay_spares_scales_of_any_rank():
    layer = layers.LayerNormalization([1, 2])
    layer(wave(2, 3, 4))
    assert [p.decay for p in layer.parameters] == [False, False]


ERRORS = {
    "channels first": (lambda: layers.BatchNormalization(1)(mc.Input((3, 4, 5))), "axis must be"),
    "an axis in the middle": (
        lambda: layers.LayerNormalization(1)(mc.Input((4, 5, 3))), "axis must be the last axis",
    ),
    "the batch, too": (
        lambda: layers.UnitNormalization([0, 1])(mc.Input((4,))), "without the batch",
    ),
    "an axis that is a text": (lambda: layers.RMSNormalization("last"), "axis must be an integer"),
    "groups that do not fit": (
        lambda: layers.GroupNormalization(2)(mc.Input((4, 5, 3))), "groups must divide .* 3; got 2",
    ),
    "no groups": (lambda: layers.GroupNormalization(0), "groups must be"),
    "no epsilon": (lambda: layers.LayerNormalization(epsilon=0), "epsilon must be"),
    "only a mean": (lambda: layers.Normalization(mean=1), "both, or neither"),
    "a mean of text": (lambda: layers.Normalization(mean="a", variance=1), "mean must be a number"),
    "the other way round": (lambda: layers.Normalization(invert=True), "invert=True is not"),
    "adapt with a mean": (
        lambda: layers.Normalization(mean=1, variance=1).adapt(wave(2, 3)), "were given",
    ),
    "adapt to nothing": (lambda: layers.Normalization().adapt([]), "needs data"),
    "adapt to a number": (lambda: layers.Normalization().adapt(3), "needs an array"),
    "adapt to texts": (lambda: layers.Normalization().adapt(np.array(["a"])), "needs numbers"),
    "other channels": (
        lambda: [layers.Normalization().adapt([wave(2, 3), wave(2, 4)])], "has 3 means",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("call", "text"), ERRORS.values(), ids=ERRORS.keys())
def test_wrong_use(call, text):
    with pytest.raises((ArgumentError, ShapeError, DTypeError), match=text):
        call()
