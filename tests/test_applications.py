"""The networks of `minicnn.applications` have Keras's layers, names and numbers of parameters."""

from __future__ import annotations

import numpy as np
import pytest

import minicnn as mc
from minicnn.errors import ArgumentError, ShapeError

# Of Keras 3.15.1: parameters, output's shape, and how many layers have names of their own.
NETWORKS = [
    (
        "VGG16",
        {"classes": 10, "input_shape": (64, 64, 3)},
        39_929_674,
        (None, 10),
        "block1_conv1",
        "predictions",
        22,
    ),
    (
        "VGG19",
        {"include_top": False, "input_shape": (64, 64, 3), "pooling": "avg"},
        20_024_384,
        (None, 512),
        "block1_conv1",
        "block5_pool",
        21,
    ),
    (
        "DenseNet121",
        {"classes": 10, "input_shape": (64, 64, 3)},
        7_047_754,
        (None, 10),
        "conv1_conv",
        "predictions",
        425,
    ),
    (
        "DenseNet169",
        {"include_top": False, "input_shape": (64, 64, 3)},
        12_642_880,
        (None, 2, 2, 1664),
        "conv1_conv",
        "relu",
        592,
    ),
    (
        "DenseNet201",
        {"include_top": False, "input_shape": (64, 64, 3), "pooling": "max"},
        18_321_984,
        (None, 1920),
        "conv1_conv",
        "max_pool",
        705,
    ),
    (
        "MobileNetV2",
        {"classes": 10, "input_shape": (96, 96, 3)},
        2_270_794,
        (None, 10),
        "Conv1",
        "predictions",
        150,
    ),
    (
        "MobileNetV2",
        {"alpha": 1.4, "include_top": False, "input_shape": (97, 96, 3)},
        4_363_712,
        (None, 4, 3, 1792),
        "Conv1",
        "out_relu",
        149,
    ),
    (
        "MobileNetV2",
        {"alpha": 0.35, "include_top": False, "input_shape": (96, 96, 3)},
        410_208,
        (None, 3, 3, 1280),
        "Conv1",
        "out_relu",
        149,
    ),
]
UNNAMED = ("InputLayer", "ZeroPadding2D", "GlobalAveragePooling2D")


@pytest.mark.parametrize(
    ("name", "arguments", "count", "shape", "first", "last", "layers"), NETWORKS
)
def test_they_are_those_of_keras(name, arguments, count, shape, first, last, layers):
    model = getattr(mc.applications, name)(weights=None, **arguments)
    assert model.count_params() == count and model.output_shape == shape
    named = [layer.name for layer in model.layers if type(layer).__name__ not in UNNAMED]
    assert (named[0], named[-1], len(named)) == (first, last, layers)


def test_weights_come_from_a_file_only(tmp_path):
    with pytest.raises(ArgumentError, match="ImageNet are not part of minicnn; give weights=None"):
        mc.applications.VGG16()
    small = {"input_shape": (32, 32, 3), "alpha": 0.35, "include_top": False}
    model = mc.applications.MobileNetV2(weights=None, **small)
    model.save_weights(tmp_path / "w.mcnn")
    again = mc.applications.MobileNetV2(weights=tmp_path / "w.mcnn", **small)
    x = np.random.default_rng(0).random((1, 32, 32, 3)).astype(np.float32)
    assert np.array_equal(model.predict(x, verbose=0), again.predict(x, verbose=0))


def test_any_size_without_the_top():
    base = mc.applications.MobileNetV2(weights=None, include_top=False, pooling="avg", alpha=0.35)
    assert base.input_shape == (None, None, None, 3) and base.output_shape == (None, 1280)
    with pytest.raises(ArgumentError, match="pooling"):
        mc.applications.VGG16(weights=None, include_top=False, pooling="mean")


# --- pixels: the right values are those of Keras 3.15 -------------------------------------------

GREEN = np.array([[[[12, 200, 64]]]], np.uint8)
PREPARED = {
    "resnet50": [-39.939, 83.221, -111.68],
    "mobilenet": [-0.9058824, 0.5686275, -0.4980392],
    "vgg16": [-39.939, 83.221, -111.68],
    "vgg19": [-39.939, 83.221, -111.68],
    "densenet": [-1.9124069, 1.465686, -0.688976],
    "mobilenet_v2": [-0.9058824, 0.5686275, -0.4980392],
}


@pytest.mark.parametrize("module", PREPARED)
def test_pixels_are_prepared_as_the_published_weights_expect_them(module):
    prepare = getattr(mc.applications, module).preprocess_input
    found = prepare(GREEN)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[0, 0, 0], PREPARED[module], rtol=1e-5)
    x = mc.Input((1, 1, 3))
    inside = mc.Model(x, prepare(x)).predict(GREEN.astype(np.float32), verbose=0)
    np.testing.assert_allclose(inside, found, rtol=1e-6)


def test_pixels_of_one_channel_are_refused():
    with pytest.raises(ShapeError, match="needs RGB images"):
        mc.applications.vgg16.preprocess_input(np.zeros((2, 8, 8, 1)))
