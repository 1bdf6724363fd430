"""Layers that change images, with fixed factors, against values of Keras.

The values come from Keras 3.15.1 on TensorFlow 2.21.0 (CPU). A fingerprint is the dot product of
all values, in order, with a cosine wave.
"""

from __future__ import annotations

import numpy as np
import pytest

from minicnn import layers

# The layer's arguments; the shape and the fingerprint of the result for `images()`.
CASES = {
    "resize": ("Resizing", (4, 5), {}, ((2, 4, 5, 3), -308.5308)),
    "enlarge": ("Resizing", (13, 6), {}, ((2, 13, 6, 3), 402.3672)),
    "resize, nearest": (
        "Resizing",
        (4, 13),
        {"interpolation": "nearest"},
        ((2, 4, 13, 3), -193.0761),
    ),
    "resize, bicubic": (
        "Resizing",
        (4, 13),
        {"interpolation": "bicubic"},
        ((2, 4, 13, 3), -237.6499),
    ),
    "resize, area": ("Resizing", (3, 13), {"interpolation": "area"}, ((2, 3, 13, 3), 324.112)),
    "resize, lanczos3": (
        "Resizing",
        (4, 13),
        {"interpolation": "lanczos3"},
        ((2, 4, 13, 3), -236.4555),
    ),
    "resize, lanczos5": (
        "Resizing",
        (9, 5),
        {"interpolation": "lanczos5"},
        ((2, 9, 5, 3), 242.8061),
    ),
    "resize, antialias": ("Resizing", (3, 4), {"antialias": True}, ((2, 3, 4, 3), 223.322)),
    "resize, bicubic, antialias": (
        "Resizing",
        (3, 13),
        {"interpolation": "bicubic", "antialias": True},
        ((2, 3, 13, 3), 323.4602),
    ),
    "resize, crop columns": (
        "Resizing",
        (10, 5),
        {"crop_to_aspect_ratio": True},
        ((2, 10, 5, 3), -71.28095),
    ),
    "resize, crop rows": (
        "Resizing",
        (3, 8),
        {"crop_to_aspect_ratio": True},
        ((2, 3, 8, 3), -178.3195),
    ),
    "resize, pad rows": (
        "Resizing",
        (10, 5),
        {"pad_to_aspect_ratio": True, "fill_value": 7.0},
        ((2, 10, 5, 3), -303.852),
    ),
    "resize, pad columns": (
        "Resizing",
        (3, 8),
        {"pad_to_aspect_ratio": True, "interpolation": "bicubic", "fill_value": 3.0},
        ((2, 3, 8, 3), 852.4933),
    ),
    "center crop": ("CenterCrop", (4, 4), {}, ((2, 4, 4, 3), 80.17019)),
    "center crop, odd": ("CenterCrop", (6, 3), {}, ((2, 6, 3, 3), -50.76019)),
    "center crop of all": ("CenterCrop", (7, 9), {}, ((2, 7, 9, 3), 101.4628)),
    "center crop of a small image": ("CenterCrop", (10, 5), {}, ((2, 10, 5, 3), -71.28095)),
    "center crop of a low image": ("CenterCrop", (8, 4), {}, ((2, 8, 4, 3), 352.7958)),
    "zoom out": ("RandomZoom", ((0.3, 0.3),), {}, ((2, 7, 9, 3), 105.2787)),
    "zoom in": (
        "RandomZoom",
        ((-0.4, -0.4), (-0.2, -0.2)),
        {"fill_mode": "nearest"},
        ((2, 7, 9, 3), 98.73113),
    ),
    "zoom, nearest": (
        "RandomZoom",
        ((-0.4, -0.4), (0.3, 0.3)),
        {"interpolation": "nearest"},
        ((2, 7, 9, 3), 121.833),
    ),
    "shift": ("RandomTranslation", ((0.3, 0.3), (-0.2, -0.2)), {}, ((2, 7, 9, 3), -819.7511)),
    "shift, nearest": (
        "RandomTranslation",
        ((-0.3, -0.3), (0.15, 0.15)),
        {"fill_mode": "nearest", "interpolation": "nearest"},
        ((2, 7, 9, 3), 796.4351),
    ),
    "shift by pixels, wrap": (
        "RandomTranslation",
        ((0.14285714285714285, 0.14285714285714285), (0.0, 0.0)),
        {"fill_mode": "wrap"},
        ((2, 7, 9, 3), 76.17686),
    ),
    "contrast": ("RandomContrast", ((-0.3, 0.3),), {}, ((2, 7, 9, 3), 100.9422)),
    "contrast beyond the range": (
        "RandomContrast",
        ((-0.9, 0.9),),
        {"value_range": (20, 150)},
        ((2, 7, 9, 3), 99.6281),
    ),
    "brightness": ("RandomBrightness", ((0.2, 0.2),), {}, ((2, 7, 9, 3), 152.9124)),
    "darkness": (
        "RandomBrightness",
        ((-0.3, -0.3),),
        {"value_range": (10, 200)},
        ((2, 7, 9, 3), 44.57435),
    ),
    "invert": ("RandomInvert", ((1, 1),), {}, ((2, 7, 9, 3), 155.7845)),
    "invert in a range": ("RandomInvert", ((1.0, 1.0), (0, 100)), {}, ((2, 7, 9, 3), -0.5815249)),
    "gray": ("RandomGrayscale", (1.0,), {}, ((2, 7, 9, 3), 61.57244)),
}


def images():
    return 100 + 100 * np.sin(1.3 * np.arange(2 * 7 * 9 * 3)).astype(np.float32).reshape(2, 7, 9, 3)


def fingerprint(array):
    flat = np.asarray(array, np.float64).ravel()
    return float(flat @ np.cos(0.3 * np.arange(flat.size)))


@pytest.mark.parametrize(
    ("kind", "arguments", "options", "numbers"), CASES.values(), ids=CASES.keys()
)
def test_the_images_are_those_of_keras(backend, kind, arguments, options, numbers):
    shape, number = numbers
    y = getattr(layers, kind)(*arguments, **options)(images())
    assert y.shape == shape
    assert fingerprint(y) == pytest.approx(number, abs=1e-6 * np.abs(y).sum())


def test_integers_stay_integers_when_they_are_resized():
    x = images().round()
    plain = layers.Resizing(4, 5)(x)
    for dtype in (np.uint8, np.int64):
        y = layers.Resizing(4, 5)(x.astype(dtype))
        assert y.dtype == dtype
        assert np.abs(y - plain).max() <= 0.5001
