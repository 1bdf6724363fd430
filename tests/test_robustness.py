"""Robustness: the changes of images, their measurement and its figures."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from PIL import Image, ImageFilter

import minicnn as mc
from minicnn.errors import ArgumentError, DTypeError, ShapeError
from minicnn.explain import (
    IMAGE_CHANGES,
    RobustnessRow,
    changed_images,
    robustness,
    robustness_figure,
    robustness_sheet,
    tolerated,
)

NAMES = [change.name for change in IMAGE_CHANGES]


@pytest.fixture(autouse=True)
def seed():
    mc.utils.set_random_seed(5)


def noise(count=40, shape=(20, 30, 3), low=40, high=200):
    return np.random.default_rng(1).integers(low, high, (count, *shape), dtype=np.uint8)


def difference(a, b):
    """Return the mean absolute difference of each pair of images."""
    return np.abs(a.astype(float) - b).mean((1, 2, 3))


# --- the changes --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_change_repeats_itself_and_depends_on_the_image_s_number_alone(name):
    x = noise()
    y = changed_images(x, name, 20)
    assert y.shape == x.shape and y.dtype == np.uint8
    np.testing.assert_array_equal(changed_images(x, name, 20), y)
    np.testing.assert_array_equal(changed_images(x[:7], name, 20), y[:7])


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("blur", "JPEG")])
def test_another_seed_draws_another_change(name):
    x = noise()
    before = changed_images(x, name, 20)
    mc.utils.set_random_seed(6)
    assert (changed_images(x, name, 20) != before).any()


@pytest.mark.parametrize("change", IMAGE_CHANGES, ids=NAMES)
@pytest.mark.parametrize("shape", [(28, 28, 1), (20, 33, 3)])
def test_the_strengths_go_from_weak_to_strong(change, shape):
    """Photographs are smooth, and so are these."""
    rng = np.random.default_rng(2)
    small = rng.integers(60, 180, (4, 5, 6), dtype=np.uint8)
    big = [Image.fromarray(one).resize(shape[1::-1], Image.Resampling.BICUBIC) for one in small]
    x = np.repeat(np.stack(big)[..., None], shape[2], axis=3)
    strengths = change.strengths_of(shape)
    assert len(strengths) >= 4
    costs = [difference(changed_images(x, change.name, s), x).mean() for s in strengths]
    assert costs == sorted(costs) and costs[-1] > 2 * costs[0]
    if change.name != "JPEG":
        assert difference(changed_images(x, change.name, change.unchanged), x).max() == 0


def test_a_shift_is_one_of_four_moves_of_the_image():
    x = noise(60)
    moved = changed_images(x, "shift", 3)
    directions = []
    for before, after in zip(x, moved, strict=True):
        same = {
            "down": (after[3:] == before[:-3]).all(),
            "up": (after[:-3] == before[3:]).all(),
            "right": (after[:, 3:] == before[:, :-3]).all(),
            "left": (after[:, :-3] == before[:, 3:]).all(),
        }
        assert sum(same.values()) == 1
        directions += [name for name, holds in same.items() if holds]
    assert all(directions.count(name) > 5 for name in ("down", "up", "right", "left"))


def test_a_rotation_by_90_degrees_goes_both_ways():
    x = noise(60, (9, 9, 1))
    turned = changed_images(x, "rotation", 90)
    left = [np.array_equal(a, np.rot90(b)) for a, b in zip(turned, x, strict=True)]
    right = [np.array_equal(a, np.rot90(b, -1)) for a, b in zip(turned, x, strict=True)]
    assert all(a != b for a, b in zip(left, right, strict=True))
    assert 15 < sum(left) < 45


def test_half_of_the_images_grow_and_half_shrink():
    """A bright square of 8 pixels becomes one of 16 or of 4."""
    x = np.zeros((60, 32, 32, 1), np.uint8)
    x[:, 12:20, 12:20] = 200
    sums = changed_images(x, "scale", 2).sum((1, 2, 3)) / 200
    grown = sums > 64
    assert 15 < grown.sum() < 45
    np.testing.assert_allclose(sums[grown], 256, rtol=0.03)
    np.testing.assert_allclose(sums[~grown], 16, rtol=0.03)


def test_brightness_is_multiplied_or_divided_and_clipped():
    x = np.full((40, 3, 3, 1), 100, np.uint8)
    values = changed_images(x, "brightness", 2)[:, 0, 0, 0]
    assert set(values.tolist()) == {50, 200}
    assert set(changed_images(x, "brightness", 4)[:, 0, 0, 0].tolist()) == {25, 255}


def test_contrast_keeps_the_mean_of_an_image():
    x = np.array([90, 110], np.uint8).reshape(1, 1, 2, 1).repeat(40, 0)
    pairs = {tuple(y.ravel().tolist()) for y in changed_images(x, "contrast", 2)}
    assert pairs == {(80, 120), (95, 105)}


def test_noise_has_its_standard_deviation_and_an_image_its_own():
    x = np.full((2, 100, 100, 1), 128, np.uint8)
    y = changed_images(x, "noise", 20).astype(float) - 128
    np.testing.assert_allclose(y.std((1, 2, 3)), 20, rtol=0.03)
    np.testing.assert_allclose(y.mean((1, 2, 3)), 0, atol=0.6)
    assert abs(np.corrcoef(y[0].ravel(), y[1].ravel())[0, 1]) < 0.05


def test_perspective_keeps_the_center_and_narrows_one_edge():
    """Lines 10 columns beside the center are 10 w away in row i; w is 1 - t i / 20.5, t = 1 / 6."""
    x = np.zeros((60, 41, 41, 1), np.uint8)
    x[:, :, 10] = x[:, :, 30] = 255
    y = changed_images(x, "perspective", 10)[..., 0].astype(float)
    columns = np.arange(41)
    left, right = (
        (y[:, :, part] * columns[part]).sum(2) / y[:, :, part].sum(2)
        for part in (slice(0, 20), slice(21, 41))
    )
    widths = right - left  # (N, H)
    t = np.arange(-20, 21) / 20.5 / 6
    for w, name in ((1 + t, "upper"), (1 - t, "lower")):
        leaning = np.abs(widths - 20 * w).max(1) < 0.5
        assert 5 < leaning.sum() < 30, name
    dot = np.zeros((60, 41, 41, 1), np.uint8)
    dot[:, 20, 20] = 200
    assert set(changed_images(dot, "perspective", 10)[:, 20, 20, 0].tolist()) == {200}


def test_blur_and_jpeg_are_pillow_s():
    x = noise(2)
    blurred = [Image.fromarray(one).filter(ImageFilter.GaussianBlur(1.5)) for one in x]
    np.testing.assert_array_equal(changed_images(x, "blur", 1.5), np.stack(blurred))
    rgba = np.concatenate([x, x[..., :1]], axis=3)
    compressed = changed_images(rgba, "JPEG", 10)
    np.testing.assert_array_equal(compressed[..., :3], changed_images(x, "JPEG", 10))
    np.testing.assert_array_equal(compressed[..., 3], rgba[..., 3])


def test_wrong_images_and_names():
    x = noise(2)
    with pytest.raises(ArgumentError, match="name of a change must be"):
        changed_images(x, "rotate", 1)
    with pytest.raises(ArgumentError, match="strength must be a number"):
        changed_images(x, "noise", -1)
    with pytest.raises(DTypeError, match="uint8"):
        changed_images(x / 255, "noise", 1)
    for wrong in (x[0], x.reshape(2, 20, 18, 5), x[:, :0]):
        with pytest.raises(ShapeError, match="images must be"):
            changed_images(wrong, "noise", 1)


@pytest.mark.parametrize("name", NAMES)
def test_no_image_is_no_special_case(name):
    assert changed_images(noise(0), name, 2).shape == (0, 20, 30, 3)


# --- the measurement ----------------------------------------------------------------------------


def is_bright(images):
    """Classify images by their mean, as one probability."""
    return (images.mean((1, 2, 3), keepdims=True) / 255)[:, :, 0, 0]


def test_each_row_counts_the_images_that_are_right():
    """Images of 60 and 120: a brightness of 1.5 or more calls some of the dark ones bright."""
    x = np.repeat([60, 160], 25).astype(np.uint8)[:, None, None, None] + np.zeros((8, 9, 1), "u1")
    labels = np.repeat([0, 1], 25)
    seen = []
    rows = robustness(
        is_bright, x, labels, changes=["brightness"], progress=lambda *one: seen.append(one)
    )
    assert [row.change for row in rows] == ["unchanged"] + ["brightness"] * 6
    assert [row.strength for row in rows] == [None, 1.1, 1.25, 1.5, 2, 3, 4]
    for row in rows[1:]:
        classes = is_bright(changed_images(x, "brightness", row.strength))[:, 0] > 0.5
        assert row.right == (classes == labels).sum() and row.images == 50
    assert rows[0].right == 50 and rows[1].accuracy == 1 and rows[-1].right < 40
    assert seen[-1] == (350, 350)


def test_classes_scores_and_one_probability_mean_the_same():
    x, labels = noise(30), np.arange(30) % 2
    probability = is_bright(x)
    threshold = np.median(probability)
    forms = [
        lambda x: is_bright(x) - threshold + 0.5,
        lambda x: (is_bright(x)[:, 0] > threshold).astype(int),
        lambda x: np.hstack([np.full((len(x), 1), threshold), is_bright(x)]),
    ]
    one, two, three = (robustness(form, x, labels, changes=["noise"]) for form in forms)
    assert one == two == three


def test_batches_change_nothing(monkeypatch):
    x, labels = noise(30), np.arange(30) % 2
    sizes = []

    def predict(images):
        sizes.append(len(images))
        return images[:, 10, 10, 0] > 120

    rows = robustness(predict, x, labels, changes=["noise", "shift"])
    assert set(sizes) == {30}
    monkeypatch.setattr(sys.modules[robustness.__module__], "BATCH_VALUES", 4 * x[0].size)
    assert robustness(predict, x, labels, changes=["noise", "shift"]) == rows
    assert set(sizes) == {30, 4, 2}


def test_wrong_arguments_of_the_measurement():
    x = noise(3)
    with pytest.raises(ArgumentError, match="labels must be one class for each image"):
        robustness(is_bright, x, [0, 1])
    with pytest.raises(ArgumentError, match="labels must be one class"):
        robustness(is_bright, x[:0], [])
    with pytest.raises(ShapeError, match=r"predict must return \(3,\)"):
        robustness(lambda x: np.zeros(5), x, [0, 1, 0])
    with pytest.raises(ArgumentError, match="name of a change"):
        robustness(is_bright, x, [0, 1, 0], changes=["turn"])


def rows_of(name, *pairs, unchanged=100):
    """Rows of a change with (strength, right of 100)."""
    first = RobustnessRow("unchanged", None, "", 100, unchanged)
    return [first, *(RobustnessRow(name, s, "", 100, right) for s, right in pairs)]


def test_what_is_tolerated_lies_between_two_strengths():
    assert tolerated(rows_of("shift", (2, 90), (4, 80)), "shift") == pytest.approx(1)
    assert tolerated(rows_of("scale", (1.5, 97), (2, 91)), "scale") == pytest.approx(1 + 2 / 3)
    assert tolerated(rows_of("JPEG", (50, 99), (10, 91)), "JPEG") == pytest.approx(30)
    assert tolerated(rows_of("noise", (10, 96), (20, 96)), "noise") is None
    assert tolerated(rows_of("noise", (10, 20)), "blur") is None


# --- figures ------------------------------------------------------------------------------------


def test_one_panel_per_change_and_one_curve_per_model():
    pytest.importorskip("matplotlib")
    x, labels = noise(6), np.arange(6) % 2
    rows = robustness(is_bright, x, labels)
    figure = robustness_figure({"one": rows, "$two$": rows})
    assert [axes.get_title() for axes in figure.axes] == NAMES
    for axes in figure.axes:
        curves = [line for line in axes.lines if line.get_marker() != "None"]
        assert len(curves) == 2 and len(axes.lines) == 4
        assert curves[0].get_ydata()[0] == 100 * rows[0].accuracy
        assert axes.get_ylim()[0] == 0 and axes.get_ylim()[1] >= 100
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["one", r"\$two\$"]


@pytest.mark.parametrize("shape", [(28, 28, 1), (9, 14, 3)])
def test_the_sheet_shows_every_strength(shape):
    pytest.importorskip("matplotlib")
    image = noise(1, shape)[0]
    (axes,) = robustness_sheet(image).axes
    columns = 7
    assert len(axes.images) == columns * len(NAMES)
    for row, change in enumerate(IMAGE_CHANGES):
        shown = [axes.images[row * columns + k].get_array() for k in range(columns)]
        for strength, pixels in zip(change.strengths_of(shape), shown[1:], strict=False):
            wanted = changed_images(image[None], change.name, strength)[0]
            np.testing.assert_array_equal(pixels, wanted[..., 0] if shape[2] == 1 else wanted)
