"""Changing one image in memory, and resizing without stretching."""

from __future__ import annotations

import numpy as np
import pytest

from minicnn import random
from minicnn.data import ImageDataGenerator
from minicnn.errors import ArgumentError, DTypeError, ShapeError
from minicnn.preprocessing import image

X = np.random.default_rng(0).integers(0, 256, (8, 8, 3)).astype(np.float32)
LAST = {"row_axis": 0, "col_axis": 1, "channel_axis": 2}


def test_an_affine_change_is_that_of_the_generator():
    change = {"theta": 30, "tx": 1.5, "ty": -2, "shear": 10, "zx": 0.8, "zy": 1.2}
    wanted = ImageDataGenerator().apply_transform(X, change)
    np.testing.assert_array_equal(image.apply_affine_transform(X, **change, **LAST), wanted)
    first = image.apply_affine_transform(X.transpose(2, 0, 1), **change)
    np.testing.assert_array_equal(first.transpose(1, 2, 0), wanted)
    whole = image.apply_affine_transform(X.astype(np.uint8), **change, **LAST)
    assert whole.dtype == np.uint8 and np.abs(whole - wanted).max() <= 0.51


def test_rows_move_down_and_columns_to_the_right():
    moved = image.apply_affine_transform(X, tx=2, **LAST, fill_mode="constant", cval=-1)
    np.testing.assert_array_equal(moved[:6], X[2:])
    assert (moved[6:] == -1).all()
    moved = image.apply_affine_transform(X, ty=-3, **LAST, order=0)
    np.testing.assert_array_equal(moved[:, 3:], X[:, :5])


@pytest.mark.parametrize(
    "change",
    [
        lambda x: image.random_rotation(x, 40, **LAST),
        lambda x: image.random_shift(x, 0.3, 0.3, **LAST),
        lambda x: image.random_shear(x, 30, **LAST),
        lambda x: image.random_zoom(x, (0.5, 0.9), **LAST),
        lambda x: image.random_channel_shift(x, 50, 2),
        lambda x: image.random_brightness(x, (0.2, 0.8)),
    ],
)
def test_random_changes_keep_the_shape_and_differ(change):
    one, other = change(X), change(X)
    assert one.shape == X.shape and one.dtype == np.float32
    assert not np.array_equal(one, other) and not np.array_equal(one, X)


def test_ranges_of_nothing_change_nothing():
    for same in (
        image.random_rotation(X, 0, **LAST),
        image.random_shift(X, 0, 0, **LAST),
        image.random_zoom(X, (1, 1), **LAST),
        image.random_channel_shift(X, 0, 2),
        image.apply_brightness_shift(X, 1.0, scale=False),
    ):
        np.testing.assert_array_equal(same, X)


def test_levels_outside_of_an_image_s_come_back():
    x = np.linspace(-1, 1, 48, dtype=np.float32).reshape(4, 4, 3)
    darker = image.apply_brightness_shift(x, 0.5, scale=False)
    assert darker.min() == -1 and abs(darker.max()) < 0.01
    assert image.random_brightness(x, (2, 2)).max() == 255


@pytest.mark.parametrize(
    ("wrong", "error", "text"),
    [
        (lambda: image.apply_affine_transform(X[0]), ShapeError, "three axes"),
        (lambda: image.apply_affine_transform(X, row_axis=0), ShapeError, "must name them"),
        (lambda: image.apply_affine_transform(X, order=3), ArgumentError, "order must be 0"),
        (lambda: image.random_zoom(X, 0.2), ArgumentError, "zoom_range must be two numbers"),
        (lambda: image.random_rotation(X, -3), ArgumentError, "rg"),
        (lambda: image.smart_resize(X[0, 0], (2, 2)), ShapeError, r"\(H, W, C\)"),
        (lambda: image.smart_resize(X, (2, 2), "area"), ArgumentError, "interpolation"),
        (lambda: image.smart_resize(X, 2.5), ArgumentError, "size must be"),
        (lambda: image.smart_resize(np.array([[["a"]]]), (2, 2)), DTypeError, "numbers"),
    ],
)
def test_wrong_arguments(wrong, error, text):
    with pytest.raises(error, match=text):
        wrong()


def test_a_range_is_drawn_evenly():
    random.set_random_seed(1)
    grays = np.full((1, 1, 1), 100.0)
    drawn = [float(image.random_channel_shift(np.concatenate([grays, grays + 50], 2), 20, 2)[0, 0, 0])
             for _ in range(200)]  # fmt: skip
    assert 118 < max(drawn) <= 120 and min(drawn) == 100 and np.mean(np.array(drawn) == 100) > 0.35


def test_an_iterator_goes_back_to_the_beginning_of_an_epoch():
    x = np.arange(10, dtype=np.float32).reshape(10, 1, 1, 1)
    batches = ImageDataGenerator().flow(x, batch_size=4, shuffle=False)
    assert [next(batches).ravel().tolist()[0] for _ in range(2)] == [0, 4]
    assert (batches.batch_index, batches.total_batches_seen) == (2, 2)
    batches.reset()
    assert batches.batch_index == 0 and next(batches)[0, 0, 0, 0] == 0
    assert [len(next(batches)) for _ in range(3)] == [4, 2, 4]
    shuffled = ImageDataGenerator().flow(x, batch_size=10)
    first = shuffled[0].ravel().tolist()
    assert shuffled[0].ravel().tolist() == first
    shuffled.on_epoch_end()
    assert shuffled[0].ravel().tolist() != first
    assert isinstance(shuffled, image.Iterator) and shuffled.num_batches == 1
    assert shuffled.image_data_generator is not None


def test_images_of_batches_are_written_and_named(tmp_path):
    flow = ImageDataGenerator().flow(
        X[None], shuffle=False, save_to_dir=tmp_path, save_prefix="see", save_format="jpeg"
    )
    next(flow)
    assert (flow.save_to_dir, flow.save_prefix, flow.save_format) == (str(tmp_path), "see", "jpeg")
    assert [path.name for path in tmp_path.iterdir()] == ["see_0_0.jpeg"]


def test_sorted_classes_may_be_split_in_silence():
    generator = ImageDataGenerator(validation_split=0.5)
    x, y = np.zeros((8, 2, 2, 1)), np.arange(8) // 4
    with pytest.warns(UserWarning, match="sorted by class"):
        generator.flow(x, y, subset="training")
    assert generator.flow(x, y, ignore_class_split=True, subset="training").n == 4


def test_an_iterator_is_made_by_a_generator():
    with pytest.raises(DTypeError, match=r"flow_from_directory\(directory\)"):
        image.DirectoryIterator("folder", ImageDataGenerator())
