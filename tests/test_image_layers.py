"""Layers that change images: in training only, the same bits again, in networks and on arrays."""

from __future__ import annotations

import copy
import warnings

import numpy as np
import pytest

import minicnn as mc
from minicnn import layers
from minicnn.errors import ArgumentError, ShapeError

RANDOM = {
    "flip": lambda **k: layers.RandomFlip(**k),
    "translation": lambda **k: layers.RandomTranslation(0.3, 0.2, **k),
    "zoom": lambda **k: layers.RandomZoom(0.3, (-0.2, 0.1), **k),
    "shear": lambda **k: layers.RandomShear(0.3, 0.2, **k),
    "rotation": lambda **k: layers.RandomRotation(0.2, **k),
    "crop": lambda **k: layers.RandomCrop(4, 5, **k),
    "contrast": lambda **k: layers.RandomContrast(0.4, **k),
    "brightness": lambda **k: layers.RandomBrightness(0.3, **k),
    "invert": lambda **k: layers.RandomInvert((0.5, 0.5), **k),
    "grayscale": lambda **k: layers.RandomGrayscale(0.5, **k),
}
FIXED = {
    "resizing": lambda **k: layers.Resizing(4, 5, **k),
    "center crop": lambda **k: layers.CenterCrop(4, 5, **k),
}
random_layers = pytest.mark.parametrize("make", RANDOM.values(), ids=RANDOM.keys())
all_layers = pytest.mark.parametrize("make", (RANDOM | FIXED).values(), ids=RANDOM | FIXED)


def pixels(count=8):
    return np.random.default_rng(0).integers(0, 256, (count, 6, 7, 3), np.uint8)


@pytest.fixture
def model_with():
    """A small network behind the layers."""

    def make(*found):
        mc.set_random_seed(3)
        ends = [layers.Flatten(), layers.Dense(2, activation="softmax")]
        model = mc.Sequential([mc.Input((6, 7, 3)), *found, layers.Rescaling(1 / 255), *ends])
        model.compile("sgd", "sparse_categorical_crossentropy")
        return model

    return make


@random_layers
def test_each_call_on_arrays_draws_new_numbers(backend, make):
    x, layer = pixels(), make()
    first, second = layer(x), layer(x, training=True)
    assert first.dtype == np.float32
    assert (np.asarray(first) != second).any()
    again = make(name=layer.name)
    np.testing.assert_array_equal(again(x), first)
    np.testing.assert_array_equal(again(x), second)


@random_layers
def test_nothing_happens_at_inference(make):
    x, layer = pixels(), make()
    if isinstance(layer, layers.RandomCrop):
        np.testing.assert_array_equal(layer(x, training=False), layers.CenterCrop(4, 5)(x))
    else:
        assert layer(x, training=False) is x


@random_layers
def test_the_seed_decides(make):
    x = pixels()
    one, two, other = make(seed=1, name="one"), make(seed=1, name="two"), make(seed=2, name="one")
    y = one(x)
    np.testing.assert_array_equal(two(x), y)
    assert (np.asarray(other(x)) != y).any()


@all_layers
def test_one_image_is_a_batch_of_one(make):
    x = pixels()
    y = make(name="same")(x[:1])
    np.testing.assert_array_equal(make(name="same")(x[0]), y[0])
    floats = make(name="same")(x[:1].astype(np.float64))
    np.testing.assert_allclose(floats, y, atol=0.501)


@all_layers
def test_uint8_and_float32_images_are_trained_on_alike(backend, make, model_with):
    x, y = pixels(), np.arange(8) % 2
    ends = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for images in (x, x.astype(np.float32)):
            model = model_with(make())
            model.fit(images, y, batch_size=4, epochs=2, verbose=0)
            model.predict(images, verbose=0)
            ends.append([w.tobytes() for w in model.get_weights()])
    assert ends[0] == ends[1]


@all_layers
def test_a_saved_model_draws_the_same(make, model_with, tmp_path):
    x, y = pixels(), np.arange(8) % 2
    model = model_with(make(seed=5))
    model.save(tmp_path / "m.mcnn")
    again = mc.load_model(tmp_path / "m.mcnn")
    assert again.train_on_batch(x, y) == model.train_on_batch(x, y)
    assert again.layers[-4].get_config() == model.layers[-4].get_config()


def test_a_resumed_training_ends_in_the_same_bits(model_with, tmp_path):
    x, y = pixels(), np.arange(8) % 2
    found = [make() for make in RANDOM.values() if make is not RANDOM["crop"]]
    found += [layers.GaussianNoise(0.1), layers.SpatialDropout2D(0.3, seed=4)]
    found += [layers.GaussianDropout(0.2, seed=3), layers.AlphaDropout(0.2)]
    whole = model_with(*found)
    whole.fit(x, y, batch_size=4, epochs=3, verbose=0)
    part = model_with(*[type(one).from_config(one.get_config()) for one in found])
    part.fit(x, y, batch_size=4, epochs=1, verbose=0)
    part.save(tmp_path / "m.mcnn")
    rest = mc.load_model(tmp_path / "m.mcnn")
    rest.fit(x, y, batch_size=4, epochs=3, initial_epoch=1, verbose=0)
    for a, b in zip(rest.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_network_of_augmentations_is_a_layer(model_with):
    x, y = pixels(), np.arange(8) % 2
    inner = mc.Sequential([layers.RandomFlip("horizontal"), layers.RandomRotation(0.1)])
    model = model_with(inner, layers.RandomZoom(0.1))
    model.fit(x, y, batch_size=4, verbose=0)
    plain = model_with()
    plain.set_weights(model.get_weights())
    np.testing.assert_array_equal(model.predict(x, verbose=0), plain.predict(x, verbose=0))


def test_every_flip_is_the_image_or_its_mirror():
    x = pixels(64).astype(np.float32)
    y = np.asarray(layers.RandomFlip(seed=1)(x))
    mirrors = [x, x[:, ::-1], x[:, :, ::-1], x[:, ::-1, ::-1]]
    counts = [sum(np.array_equal(a, b) for a, b in zip(y, one, strict=True)) for one in mirrors]
    assert sum(counts) == 64
    assert min(counts) >= 8


def test_a_crop_is_a_part_of_the_image_and_every_place_occurs():
    x = np.arange(20, dtype=np.float32).reshape(1, 4, 5, 1).repeat(200, 0)
    y = np.asarray(layers.RandomCrop(3, 3, seed=1)(x))
    corners = y[:, 0, 0, 0]
    assert sorted(set(corners)) == [0, 1, 2, 5, 6, 7]
    for part, corner in zip(y, corners, strict=True):
        row, column = divmod(int(corner), 5)
        np.testing.assert_array_equal(part, x[0, row : row + 3, column : column + 3])


def test_resizing_trains_what_is_before_it(backend):
    x, y = pixels().astype(np.float32) / 255, np.arange(8) % 2
    convolution = layers.Conv2D(2, 3)
    model = mc.Sequential(
        [mc.Input((6, 7, 3)), convolution, layers.Resizing(3, 3), layers.Flatten(), layers.Dense(2)]
    )
    model.compile("sgd", mc.losses.SparseCategoricalCrossentropy(from_logits=True))
    before = convolution.get_weights()[0]
    losses = [model.train_on_batch(x, y) for _ in range(10)]
    assert (convolution.get_weights()[0] != before).any()
    assert losses[-1] < losses[0]


def test_images_of_unknown_size_are_resized():
    model = mc.Sequential([mc.Input((None, None, 3)), layers.Resizing(4, 5), layers.Flatten()])
    assert model.output_shape == (None, 60)


@all_layers
def test_a_copy_computes_the_same(make):
    x, layer = pixels(), make()
    layer(x)
    np.testing.assert_array_equal(copy.deepcopy(layer)(x), layer(x))


ERRORS = {
    "a mode": (lambda: layers.RandomFlip("both"), "mode must be one of"),
    "channels first": (lambda: layers.RandomFlip(data_format="channels_first"), "np.moveaxis"),
    "a shift": (lambda: layers.RandomTranslation(1.5, 0), "height_factor must be a number or two"),
    "no width": (lambda: layers.RandomZoom(-1.0, 0.1), "must be above -1"),
    "a negative shear": (lambda: layers.RandomShear(-0.2), "x_factor must be .* within 0...1"),
    "three factors": (lambda: layers.RandomBrightness((0, 0.1, 0.2)), "factor must be a number or"),
    "a range": (lambda: layers.RandomContrast(0.1, 255), "value_range must be two numbers"),
    "a probability": (lambda: layers.RandomGrayscale(1.5), "factor must be a probability"),
    "four channels": (lambda: layers.RandomGrayscale(0.5)(mc.Input((4, 4, 4))), "1 or 3 channels"),
    "a size": (lambda: layers.Resizing(0, 4), "height must be an integer >= 1"),
    "an interpolation": (lambda: layers.Resizing(4, 4, "cubic"), "interpolation must be one of"),
    "both proportions": (
        lambda: layers.Resizing(
            4, 4, crop_to_aspect_ratio=True, pad_to_aspect_ratio=True
        ), "not both",
    ),
    "a fill mode": (lambda: layers.Resizing(4, 4, fill_mode="reflect"), "fill_mode must be one of"),
    "vectors": (lambda: layers.RandomFlip()(np.zeros((2, 3), np.float32)), "must have 4 axes"),
    "vectors in a network": (lambda: layers.CenterCrop(2, 2)(mc.Input((5,))), "must have 4 axes"),
    "texts": (lambda: layers.RandomFlip()(np.array([["a"]])), "must"),
    "a seed": (lambda: layers.RandomFlip(seed=-1), "seed must be"),
}  # fmt: skip


@pytest.mark.parametrize(("call", "text"), ERRORS.values(), ids=ERRORS.keys())
def test_wrong_use(call, text):
    with pytest.raises((ArgumentError, ShapeError), match=text):
        call()
