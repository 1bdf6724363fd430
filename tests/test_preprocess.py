"""Preprocess and class names, alone and in the model file."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import minicnn as mc
from minicnn.data import Preprocess
from minicnn.errors import ArgumentError, DTypeError, FormatError, ShapeError
from minicnn.layers import Conv2D, Dense, Flatten
from minicnn.models import decode_predictions
from minicnn.models.saving.archive import read_archive, write_archive

IMAGES = np.random.default_rng(0).integers(0, 256, (7, 9, 8, 3), dtype=np.uint8)


def network(classes=4, activation="softmax"):
    return mc.Sequential(
        [mc.Input((9, 8, 3)), Conv2D(2, 3), Flatten(), Dense(classes, activation=activation)]
    )


def test_pixels_become_what_a_rescaling_layer_makes_of_them(backend):
    wanted = mc.layers.Rescaling(1 / 255)(IMAGES)
    np.testing.assert_array_equal(Preprocess((9, 8))(IMAGES), wanted)


def test_mean_and_deviation_are_by_channel_and_after_the_scale():
    preprocess = Preprocess((9, 8), mean=(0.5, 0.25, 0.0), std=(1.0, 2.0, 0.5))
    wanted = (IMAGES / 255 - [0.5, 0.25, 0.0]) / [1.0, 2.0, 0.5]
    np.testing.assert_allclose(preprocess(IMAGES), wanted, atol=1e-6)


@pytest.mark.parametrize("scale", [1 / 255, 1.0, -2.0])
def test_fitted_gives_single_precision_of_zero_mean(scale):
    x = Preprocess((9, 8), scale=scale).fitted(IMAGES)(IMAGES)
    assert x.dtype == np.float32
    np.testing.assert_allclose(x.mean((0, 1, 2)), 0, atol=1e-6)
    np.testing.assert_allclose(x.std((0, 1, 2)), 1, atol=1e-6)


def test_fitted_is_exact_for_many_images_and_leaves_a_constant_channel_alone():
    images = np.full((1, 300, 300, 3), 200, np.uint8)  # float32 sums would stop being exact
    assert Preprocess((300, 300), scale=1.0).fitted(images)[4:6] == ((200,) * 3, (1,) * 3)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"size": (0, 8)}, "size must be an integer >= 1"),
        ({"size": 2**40}, "size must be"),
        ({"color_mode": "cmyk"}, "color_mode must be one of"),
        ({"interpolation": "magic"}, "interpolation must be one of"),
        ({"scale": float("nan")}, "scale must be a number"),
        ({"mean": [0.5]}, "mean must be 3 numbers"),
        ({"std": [1, 0, 1]}, "std must be greater than 0"),
        ({"mean": "abc"}, "each number of mean"),
        ({"code": "import os"}, "unknown field 'code' of preprocess"),
    ],
)
def test_a_wrong_config_is_refused(wrong, message):
    with pytest.raises(ArgumentError, match=message):
        Preprocess.from_config({"size": [9, 8], **wrong})


def test_wrong_images_are_refused():
    preprocess = Preprocess((9, 8))
    with pytest.raises(ShapeError, match=r"\(N, H, W, 3\); got \(9, 8, 3\)"):
        preprocess(IMAGES[0])
    with pytest.raises(ShapeError, match="3"):
        preprocess(IMAGES[..., :1])
    with pytest.raises(DTypeError, match=r"images must be uint8, 0\.\.\.255, for fitted"):
        preprocess.fitted(IMAGES / 255)
    with pytest.raises(ArgumentError, match="at least one image"):
        preprocess.fitted(IMAGES[:0])


def test_they_travel_in_the_model_file(tmp_path):
    model = network()
    model.class_names = ("bee", "Katze", "żółw", "dog")
    model.preprocess = Preprocess((9, 8), interpolation="nearest").fitted(IMAGES)
    model.save(tmp_path / "m.mcnn")
    again = mc.load_model(tmp_path / "m.mcnn")
    assert again.class_names == ["bee", "Katze", "żółw", "dog"]
    assert again.preprocess == model.preprocess
    np.testing.assert_array_equal(again.preprocess(IMAGES), model.preprocess(IMAGES))
    copied = copy.deepcopy(again)
    assert (copied.class_names, copied.preprocess) == (again.class_names, again.preprocess)


def test_a_model_without_them_stays_without(tmp_path):
    network().save(tmp_path / "m.mcnn")
    again = mc.load_model(tmp_path / "m.mcnn")
    assert again.class_names is None and again.preprocess is None


@pytest.mark.parametrize(
    "change",
    [
        {"classes": ["a", "b"]},
        {"classes": [1, 2, 3, 4]},
        {"classes": {"a": 1, "b": 1, "c": 1, "d": 1}},
        {"preprocess": {"size": [9, 9]}},
        {"preprocess": {"size": [10**9, 10**9]}},
        {"preprocess": {"color_mode": "rgb"}},
        {"preprocess": ["size"]},
    ],
)
def test_a_file_with_others_is_refused(tmp_path, change):
    network().save(tmp_path / "m.mcnn")
    archive = read_archive(tmp_path / "m.mcnn")
    documents = {k: v for k, v in archive.documents.items() if k != "metadata"} | change
    write_archive(tmp_path / "m.mcnn", archive.weights, documents, archive.arrays)
    with pytest.raises(FormatError):
        mc.load_model(tmp_path / "m.mcnn")


def test_they_must_fit_the_network():
    model = network()
    with pytest.raises(ArgumentError, match="has 4 classes; got 2 class_names: a, b"):
        model.class_names = ["a", "b"]
    with pytest.raises(ArgumentError, match="list of strings"):
        model.class_names = "abcd"
    with pytest.raises(ShapeError, match=r"makes images \(9, 8, 1\); .* takes \(9, 8, 3\)"):
        model.preprocess = Preprocess((9, 8), "grayscale")
    with pytest.raises(ArgumentError, match=r"mc\.data\.Preprocess"):
        model.preprocess = (9, 8)
    assert model.class_names is None and model.preprocess is None


def test_one_sigmoid_has_two_names():
    model = network(1, "sigmoid")
    model.class_names = ["cat", "dog"]
    with pytest.raises(ArgumentError, match="has 2 classes; got 1"):
        model.class_names = ["dog"]


def test_before_the_input_is_known_any_names_are_taken():
    model = mc.Sequential([Dense(3)])
    model.class_names = ["a", "b", "c"]
    assert model.class_names == ["a", "b", "c"]


def test_decoded_best_first_and_of_equals_the_first():
    rows = np.float32([[0.25, 0.5, 0.25], [0, 0, 1]])
    assert decode_predictions(rows, ["a", "b", "c"], top=2) == [
        [(0.5, "b"), (0.25, "a")],
        [(1.0, "c"), (0.0, "a")],
    ]
    assert [len(row) for row in decode_predictions(rows)] == [3, 3]  # fewer than 5 classes
    assert decode_predictions(np.zeros((0, 3))) == []


@pytest.mark.parametrize(
    ("rows", "names"),
    [
        (np.ones((2, 3)), None),
        (np.array([[1.5, -0.5]]), None),
        (np.array([[1.5]]), None),
        (np.array([[0.5, 0.5]]), ["a"]),
        (np.array([0.5, 0.5]), None),
    ],
)
def test_what_is_no_probability_is_refused(rows, names):
    with pytest.raises((ArgumentError, ShapeError)):
        decode_predictions(rows, names)


def test_a_dark_background_is_what_the_network_sees_whatever_the_image_has():
    white_on_black = np.zeros((1, 5, 5, 1), np.uint8)
    white_on_black[0, 1:4, 2] = 255
    both = np.concatenate([white_on_black, 255 - white_on_black])
    dark = Preprocess((5, 5), "grayscale", scale=1.0, background="dark")
    np.testing.assert_array_equal(dark(both), np.concatenate([white_on_black] * 2))
    light = dark._replace(background="light")
    np.testing.assert_array_equal(light(both), 255 - dark(both))
    np.testing.assert_array_equal(light(both.astype(np.float64)), light(both))
    assert both[1, 0, 0, 0] == 255  # the images themselves stay as they are
    assert dark.fitted(both) == dark.fitted(both[:1])
    assert dark.fitted(both).mean == pytest.approx((255 * 3 / 25,))
    empty = np.zeros((0, 5, 5, 1), np.uint8)
    assert dark(empty).shape == (0, 5, 5, 1)


def test_the_background_of_old_files_is_left_alone_and_old_versions_read_new_files():
    assert "background" not in Preprocess((5, 5)).as_config()
    dark = Preprocess((5, 5), background="dark")
    assert Preprocess.from_config(dark.as_config()) == dark
    with pytest.raises(ArgumentError, match="background must be one of"):
        Preprocess((5, 5), background="gray").checked()
