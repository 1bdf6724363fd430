"""RandomShift: how it shifts images, that no image is lost, and that epochs repeat."""

import numpy as np
import pytest

import minicnn as mc
from minicnn.data import RandomShift
from minicnn.data.random_shift import shifted


@pytest.fixture(autouse=True)
def seed():
    mc.utils.set_random_seed(5)


def numbered(count, shape=(6, 7)):
    """Return uniform images of the values 1, 2, 3, ..., and these values as labels."""
    y = np.arange(count)
    return (y[(...,) + (None,) * len(shape)] + np.ones(shape, int)).astype(np.uint8), y


def epoch(batches, number=0):
    parts = list(batches.for_epoch(number))
    return np.concatenate([x for x, _ in parts]), np.concatenate([y for _, y in parts])


def test_shift_is_a_move_by_hand():
    image = np.arange(1, 10, dtype=np.uint8).reshape(1, 3, 3)
    down_left = shifted(image, np.array([[1, -1]]))
    np.testing.assert_array_equal(down_left, [[[0, 0, 0], [2, 3, 0], [5, 6, 0]]])
    up_right = shifted(image, np.array([[-2, 1]]))
    np.testing.assert_array_equal(up_right, [[[0, 7, 8], [0, 0, 0], [0, 0, 0]]])
    assert down_left.dtype == np.uint8


@pytest.mark.parametrize("shape", [(5, 9), (9, 5, 1), (6, 6, 3)])
def test_shift_is_the_move_that_numpy_makes(shape):
    rng = np.random.default_rng(1)
    images = rng.normal(size=(50, *shape)).astype(np.float32)
    shifts = rng.integers(-3, 4, (50, 2))
    for image, (down, right), got in zip(images, shifts, shifted(images, shifts), strict=True):
        wanted = np.roll(image, (down, right), (0, 1))
        wanted[: max(down, 0)] = wanted[len(wanted) + min(down, 0) :] = 0
        wanted[:, : max(right, 0)] = wanted[:, wanted.shape[1] + min(right, 0) :] = 0
        np.testing.assert_array_equal(got, wanted)


def test_every_image_comes_once_an_epoch_with_its_own_label():
    x, y = numbered(101)
    images, labels = epoch(RandomShift(x, y, batch_size=16, pixels=2))
    assert sorted(labels) == list(range(101))
    np.testing.assert_array_equal(images.max((1, 2)), labels + 1)


def test_every_shift_occurs_about_equally_often():
    x, y = np.zeros((5000, 5, 5), np.uint8), np.arange(5000)
    x[:, 2, 2] = 255
    images, _ = epoch(RandomShift(x, y, batch_size=256, pixels=1))
    places = (images == 255).sum(0)
    assert places.sum() == 5000
    assert (places[[0, -1]] == 0).all() and (places[:, [0, -1]] == 0).all()
    assert places[1:-1, 1:-1].min() > 480 and places[1:-1, 1:-1].max() < 640  # 556 expected


def test_an_epoch_repeats_itself_and_differs_from_the_next():
    x, y = numbered(64)
    batches = RandomShift(x, y, batch_size=10)
    first, again, second = epoch(batches, 3), epoch(batches, 3), epoch(batches, 4)
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    assert (first[1] != second[1]).any()


def test_the_seed_changes_order_and_shifts():
    x, y = numbered(64)
    first = epoch(RandomShift(x, y))
    mc.utils.set_random_seed(6)
    second = epoch(RandomShift(x, y))
    assert (first[1] != second[1]).any()
    assert any((first[0][first[1] == i] != second[0][second[1] == i]).any() for i in range(64))


def test_the_batch_size_changes_no_image():
    x, y = numbered(60)
    small, large = epoch(RandomShift(x, y, batch_size=7)), epoch(RandomShift(x, y, batch_size=60))
    np.testing.assert_array_equal(small[0], large[0])
    np.testing.assert_array_equal(small[1], large[1])


def test_no_pixels_only_shuffles_and_the_source_stays_as_it_is():
    x, y = numbered(40)
    before = x.copy()
    images, labels = epoch(RandomShift(x, y, pixels=0))
    np.testing.assert_array_equal(images, x[labels])
    list(RandomShift(x, y, pixels=3).for_epoch(0))
    np.testing.assert_array_equal(x, before)


def test_length_counts_the_last_short_batch():
    x, y = numbered(101)
    batches = RandomShift(x, y, batch_size=50)
    assert len(batches) == 3
    assert [len(labels) for _, labels in batches.for_epoch(0)] == [50, 50, 1]


@pytest.mark.parametrize(
    ("x", "y", "options", "message"),
    [
        (np.zeros((4, 5)), np.zeros(4), {}, r"x must be images, .*got shape \(4, 5\)"),
        (np.zeros((0, 5, 5)), np.zeros(0), {}, "x has no images"),
        (np.zeros((4, 5, 5)), np.zeros(3), {}, "x has 4 images but y has 3 labels"),
        (np.zeros((4, 5, 5)), np.float32(1), {}, "y has one number"),
        (
            np.zeros((4, 5, 7)),
            np.zeros(4),
            {"pixels": 5},
            "pixels must be at most 4 for images of 5x7",
        ),
        (np.zeros((4, 5, 5)), np.zeros(4), {"pixels": -1}, "pixels must be an integer >= 0"),
        (np.zeros((4, 5, 5)), np.zeros(4), {"batch_size": 0}, "batch_size must be an integer >= 1"),
    ],
)
def test_wrong_arguments_say_what_is_wrong(x, y, options, message):
    with pytest.raises(ValueError, match=message):
        RandomShift(x, y, **options)


def test_fit_learns_from_shifted_images():
    """The classes are vertical and horizontal bars; their position does not matter."""
    x = np.zeros((64, 8, 8, 1), np.uint8)
    x[::2, 1:7, 4], x[1::2, 4, 1:7] = 255, 255
    y = np.arange(64) % 2
    model = mc.Sequential(
        [
            mc.Input((8, 8, 1), rescale=1 / 255),
            mc.layers.Conv2D(4, 3, activation="relu"),
            mc.layers.GlobalMaxPooling2D(),
            mc.layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile(mc.optimizers.Adam(0.03), "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(RandomShift(x, y, 16, pixels=1), epochs=15, verbose=0).history
    assert history["accuracy"][-1] == 1.0
