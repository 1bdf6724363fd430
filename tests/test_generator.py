"""ImageDataGenerator, and the batches of arrays and folders."""

from __future__ import annotations

import numpy as np
import pytest
from image_folders import make_ramps, save_ramp
from PIL import Image, ImageEnhance

import minicnn as mc
from minicnn import random
from minicnn.data import (
    DirectoryBatches,
    ImageDataGenerator,
    decode,
    image_dataset_from_directory,
    list_folder,
)
from minicnn.data.augmentation_ranges import Ranges
from minicnn.data.transform import UNCHANGED, changed, with_brightness, with_channel_shift
from minicnn.errors import ArgumentError, DTypeError, ShapeError, UnreadableImagesError

X = np.random.default_rng(0).integers(0, 256, (11, 8, 6, 3), dtype=np.uint8)
Y = np.arange(11)
WILD = {
    "rotation_range": 30, "width_shift_range": 0.2, "height_shift_range": 0.2,
    "brightness_range": (0.5, 1.5), "shear_range": 20, "zoom_range": 0.3,
    "channel_shift_range": 40.0, "horizontal_flip": True, "vertical_flip": True,
    "perspective_range": 0.2,
}  # fmt: skip


def everything(batches, epoch):
    """Return (x, y) of a whole epoch."""
    xs, ys = zip(*batches.for_epoch(epoch), strict=True)
    return np.concatenate(xs), np.concatenate(ys)


@pytest.fixture
def folder(tmp_path):
    return make_ramps(tmp_path / "train", count=5)


# --- what is random -----------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, WILD], ids=["plain", "wild"])
def test_a_change_depends_on_seed_epoch_and_image_alone(options):
    generator = ImageDataGenerator(**options)
    x, y = everything(generator.flow(X, Y, batch_size=4, threads=1), 3)
    for batch_size, threads in ((1, 2), (11, 3)):
        other = generator.flow(X, Y, batch_size=batch_size, threads=threads)
        list(other.for_epoch(0))  # what came before does not matter
        x2, y2 = everything(other, 3)
        np.testing.assert_array_equal(y2, y)
        np.testing.assert_array_equal(x2, x)
    in_order = generator.flow(X, Y, shuffle=False)
    np.testing.assert_array_equal(everything(in_order, 3)[0][y], x)


def test_another_epoch_or_seed_is_another_change():
    generator = ImageDataGenerator(**WILD)
    seen = {}
    for seed in (None, 777):
        batches = generator.flow(X, Y, shuffle=False, seed=seed)
        seen |= {(seed, epoch): everything(batches, epoch)[0].tobytes() for epoch in (0, 1)}
    random.set_random_seed(1)
    seen["other"] = everything(generator.flow(X, Y, shuffle=False), 0)[0].tobytes()
    assert len(set(seen.values())) == len(seen) == 5


def test_the_order_is_that_of_arrays(tmp_path):
    """So training from files gives the same bits as training from arrays."""
    from minicnn.models.batches import ArrayBatches, EpochStart

    arrays = ArrayBatches((X,), Y, None, 4, shuffle=True)
    flow = ImageDataGenerator().flow(X, Y, batch_size=4)
    for ours, theirs in zip(flow.for_epoch(2), arrays.for_epoch(EpochStart(2)), strict=True):
        np.testing.assert_array_equal(ours[1], theirs.labels)
        np.testing.assert_array_equal(ours[0], theirs.inputs[0])


# --- what is drawn ------------------------------------------------------------------------------


def draws(count=2000, shape=(100, 50, 3), **ranges):
    rng = np.random.default_rng(0)
    return [Ranges(**ranges).draw(rng, shape) for _ in range(count)]


@pytest.mark.parametrize(
    ("ranges", "name", "low", "high"),
    [
        ({"rotation_range": 30}, "theta", -30, 30),
        ({"height_shift_range": 0.2}, "tx", -20, 20),
        ({"width_shift_range": 0.2}, "ty", -10, 10),
        ({"width_shift_range": 3.0}, "ty", -3, 3),
        ({"shear_range": 20}, "shear", -20, 20),
        ({"zoom_range": 0.2}, "zx", 0.8, 1.2),
        ({"zoom_range": (0.5, 2)}, "zy", 0.5, 2),
        ({"channel_shift_range": 9}, "channel_shift_intensity", -9, 9),
        ({"brightness_range": (0.2, 1)}, "brightness", 0.2, 1),
    ],
)
def test_a_range_is_used_whole_and_alone(ranges, name, low, high):
    numbers = draws(**ranges)
    values = np.array([change[name] for change in numbers])
    margin = 0.01 * (high - low)
    assert low <= values.min() < low + margin and high - margin < values.max() <= high
    with_others = {"zx", "zy"} if "zoom_range" in ranges else {name}
    others = [{k: v for k, v in change.items() if k not in with_others} for change in numbers]
    assert all(other.items() <= UNCHANGED.items() for other in others)


def test_each_corner_moves_by_its_own_share_of_the_sides():
    moves = np.array([change["perspective"] for change in draws(perspective_range=0.2)])
    assert moves.shape == (2000, 4, 2)
    for axis, side in enumerate((100, 50)):
        corners = moves[..., axis]
        assert -0.2 * side <= corners.min() < -0.197 * side
        assert 0.197 * side < corners.max() <= 0.2 * side
    numbers = np.abs(np.corrcoef(moves.reshape(2000, 8).T))
    np.fill_diagonal(numbers, 0)
    assert numbers.max() < 0.1


def test_perspective_leaves_all_other_draws_as_they_are():
    """The ten values that were drawn before there was perspective, and those of one seed."""
    with_it, without = (Ranges(**WILD | {"perspective_range": p}) for p in (0.2, 0.0))
    first, second = (one.draw(np.random.default_rng(5), (40, 60, 3)) for one in (with_it, without))
    assert second["perspective"] is None and first.pop("perspective") is not None
    assert first.items() <= second.items()
    theta = np.random.default_rng(5).random(10)[0]
    assert second["theta"] == 30 * (2 * theta - 1)


def test_perspective_leans_lines_and_keeps_them_straight():
    x = np.zeros((41, 41, 1), np.uint8)
    x[:, 20] = 255  # a vertical line
    rows, slopes = np.arange(41), []
    for seed in range(8):
        y = ImageDataGenerator(perspective_range=0.2).random_transform(x, seed=seed)[..., 0]
        places = (y * np.arange(41)).sum(1) / y.sum(1)
        slope, start = np.polyfit(rows, places, 1)
        assert np.abs(places - start - slope * rows).max() < 0.3
        slopes.append(abs(slope))
    assert max(slopes) > 0.1


@pytest.mark.parametrize("wrong", [-0.1, 0.25, "0.1", None, (0.1, 0.2)])
def test_perspective_ranges_that_may_fold_an_image_are_refused(wrong):
    with pytest.raises(ArgumentError, match=r"perspective_range must be a number in \[0.0, 0.25\)"):
        ImageDataGenerator(perspective_range=wrong)


def test_shifts_from_a_list_and_by_whole_pixels():
    assert {d["ty"] for d in draws(width_shift_range=[2, 5])} == {-5, -2, 2, 5}
    assert {d["tx"] for d in draws(height_shift_range=3)} == {-2, -1, 0, 1, 2}


@pytest.mark.parametrize(("name", "axis"), [("height_shift_range", 0), ("width_shift_range", 1)])
def test_height_moves_up_and_down_and_width_sideways(name, axis):
    """Keras 3 swaps the two."""
    x = np.zeros((40, 60, 1), np.uint8)
    x[20, 30] = 255
    generator = ImageDataGenerator(**{name: [5]}, fill_mode="constant")
    (place,) = np.argwhere(generator.random_transform(x, seed=1)[..., 0] == 255)
    moved = place - (20, 30)
    assert abs(moved[axis]) == 5 and moved[1 - axis] == 0


def test_zoom_may_keep_proportions():
    assert all(d["zx"] == d["zy"] for d in draws(10, zoom_range=0.5, zoom_keep_aspect=True))
    assert any(d["zx"] != d["zy"] for d in draws(10, zoom_range=0.5))


def test_half_of_the_images_are_mirrored():
    flips = np.mean([d["flip_horizontal"] for d in draws(horizontal_flip=True)])
    assert 0.45 < flips < 0.55


def test_a_shear_too_small_to_see_is_said():
    with pytest.warns(UserWarning, match=r"0.2 degrees.*For 0.2 radians write 11.5"):
        ImageDataGenerator(shear_range=0.2)


@pytest.mark.parametrize(
    "wrong",
    [{"zoom_range": 1.0}, {"zoom_range": (1, 2, 3)}, {"zoom_range": (0, 1)}, {"rotation_range": -1},
     {"brightness_range": 0.5}, {"brightness_range": (2, 1)}, {"fill_mode": "mirror"},
     {"interpolation_order": 3}, {"data_format": "channels_first"}, {"validation_split": 1.0},
     {"dtype": "uint8"}, {"horizontal_flip": 1}, {"width_shift_range": "a"}],
    ids=str,
)  # fmt: skip
def test_wrong_ranges(wrong):
    with pytest.raises(ArgumentError):
        ImageDataGenerator(**wrong)


# --- what is done -------------------------------------------------------------------------------


def test_rescaling_in_the_kernel_is_rescaling_afterwards():
    change = {"theta": 10.0, "flip_horizontal": True}
    for more in ({}, {"brightness": 1.3}, {"channel_shift_intensity": 5.0}):
        at_once = changed(X[0], change | more, scale=0.5)
        np.testing.assert_allclose(at_once, changed(X[0], change | more) * 0.5, rtol=1e-6)


def test_brightness_and_channel_shift():
    x = np.array([[[10.0, 100.0, 250.0]]], np.float32)
    assert with_brightness(x, 2.0).tolist() == [[[20, 200, 255]]]
    assert with_channel_shift(x, 20.0).tolist() == [[[30, 120, 250]]]
    with pytest.raises(ArgumentError, match="'rotation'"):
        changed(X[0], {"rotation": 5})


FLOATS = np.random.default_rng(1).random((4, 8, 6, 3)).astype(np.float32)
SCALES = {
    "0...1": FLOATS,
    "0...255": 255 * FLOATS,
    "-1...1": 2 * FLOATS - 1,
    "beyond 255": 1000 * FLOATS,
    "two channels": FLOATS[..., :2],
    "bytes": X,
}


@pytest.mark.parametrize("x", SCALES.values(), ids=SCALES)
def test_the_factor_1_changes_nothing(x):
    generator = ImageDataGenerator(brightness_range=(1.0, 1.0))
    np.testing.assert_array_equal(next(generator.flow(x, shuffle=False)), x)


@pytest.mark.parametrize(("x", "white"), [(FLOATS, 1), (255 * FLOATS, 255), (X, 255)])
@pytest.mark.parametrize("factor", [0.0, 0.5, 1.7])
def test_lightness_is_multiplied_up_to_white(x, white, factor):
    generator = ImageDataGenerator(brightness_range=(factor, factor))
    expected = np.minimum(x * np.float64(factor), white)
    np.testing.assert_allclose(next(generator.flow(x, shuffle=False)), expected, rtol=1e-6)


def test_bytes_become_as_light_as_pillow_makes_them():
    for factor in (0.0, 0.3, 1.0, 1.5, 2.7):
        whole = np.asarray(ImageEnhance.Brightness(Image.fromarray(X[0])).enhance(factor))
        exact = changed(X[0], {"brightness": factor})
        assert (np.floor(exact + 1e-4) == whole).all()  # Pillow cuts off what is behind the point


def test_nearly_black_bytes_are_not_taken_for_0_to_1():
    x = np.array([[[0, 1, 1]]], np.uint8)
    assert changed(x, {"brightness": 2.0}).tolist() == [[[0, 2, 2]]]


def test_standardize_goes_in_keras_s_order():
    generator = ImageDataGenerator(
        rescale=0.5, preprocessing_function=lambda x: x + 2, samplewise_std_normalization=True
    )
    x = np.array([[[0.0], [2.0]], [[4.0], [6.0]]])
    rescaled = (x + 2) * 0.5
    expected = (rescaled - rescaled.mean()) / rescaled.std()
    np.testing.assert_allclose(generator.standardize(x), expected, rtol=1e-5)
    batch = next(generator.flow(x[None].astype(np.uint8), shuffle=False))
    np.testing.assert_allclose(batch[0], expected, rtol=1e-5)


def test_featurewise_normalization():
    generator = ImageDataGenerator(featurewise_std_normalization=True, rescale=0.1)
    with pytest.raises(ArgumentError, match="fit"):
        generator.flow(X)
    generator.fit(X)
    x = next(generator.flow(X, batch_size=11))
    np.testing.assert_allclose(x.mean((0, 1, 2)), 0, atol=1e-4)
    np.testing.assert_allclose(x.std((0, 1, 2)), 1, rtol=1e-4)


SEEN = {
    "function": {"preprocessing_function": lambda image: image / 127.5 - 1},
    "function and rescale": {"preprocessing_function": np.sqrt, "rescale": 0.1},
    "own mean": {"samplewise_center": True},
    "own deviation": {"samplewise_std_normalization": True, "rescale": 1 / 255},
}


@pytest.mark.parametrize("more", SEEN.values(), ids=SEEN)
@pytest.mark.parametrize("augment", [False, True])
def test_featurewise_statistics_are_those_of_what_the_network_sees(more, augment):
    x = (X * np.array([1, 0.9, 0.7])).astype(np.uint8)  # no two channels alike
    generator = ImageDataGenerator(
        featurewise_center=True, featurewise_std_normalization=True, **more
    )
    generator.fit(x, augment=augment)  # there is no change to make: both times the images
    seen = next(generator.flow(x, batch_size=11)).astype(np.float64)
    np.testing.assert_allclose(seen.mean((0, 1, 2)), 0, atol=2e-6)
    np.testing.assert_allclose(seen.std((0, 1, 2)), 1, rtol=2e-5)
    in_order = next(generator.flow(x, batch_size=11, shuffle=False))
    np.testing.assert_allclose(generator.standardize(x), in_order, rtol=1e-5, atol=1e-6)


def test_statistics_of_many_images_lose_no_digits():
    x = np.full((300, 100, 100, 1), 200.125, np.float32)
    x[::2] += 0.25  # a plain sum in single precision would be off by 1e-2
    generator = ImageDataGenerator(featurewise_std_normalization=True)
    generator.fit(x)
    assert generator.whitening.mean.tolist() == [200.25]
    assert generator.whitening.std.tolist() == [0.125]


@pytest.mark.parametrize("more", [{}, {"featurewise_std_normalization": True}], ids=str)
def test_zca_whitening_makes_pixels_independent(more):
    x = np.random.default_rng(0).normal(5, size=(500, 2, 3, 1)).astype(np.float32)
    x[:, 1] += 2 * x[:, 0]
    generator = ImageDataGenerator(zca_whitening=True, **more)
    generator.fit(x)
    white = next(generator.flow(x, batch_size=500)).reshape(500, 6)
    np.testing.assert_allclose(white.T @ white / 500, np.eye(6), atol=1e-3)
    with pytest.raises(ShapeError):
        generator.standardize(np.zeros((3, 3, 1)))


def test_fit_on_changed_images():
    generator = ImageDataGenerator(featurewise_center=True, **WILD)
    generator.fit(X, augment=True, rounds=2, seed=1)
    first = generator.whitening.mean
    generator.fit(X, augment=True, rounds=2, seed=1)
    np.testing.assert_array_equal(generator.whitening.mean, first)
    assert not np.allclose(first, X.mean((0, 1, 2)))


def test_one_image():
    generator = ImageDataGenerator(**WILD)
    change = generator.get_random_transform(X[0].shape, seed=5)
    np.testing.assert_array_equal(
        generator.random_transform(X[0], seed=5), generator.apply_transform(X[0], change)
    )
    assert generator.get_random_transform(X[0].shape) != generator.get_random_transform(X[0].shape)


# --- flow ---------------------------------------------------------------------------------------


def test_flow_gives_what_it_was_given():
    generator = ImageDataGenerator(validation_split=0.3)
    assert next(generator.flow(X, batch_size=4)).shape == (4, 8, 6, 3)
    x, y, w = next(generator.flow(X, Y, 4, sample_weight=Y / 2))
    np.testing.assert_array_equal(x, X[y])
    np.testing.assert_array_equal(w, y / 2)
    assert everything(generator.flow(X, Y, subset="validation", shuffle=False), 0)[1].tolist() == [
        0, 1, 2,
    ]  # fmt: skip
    assert generator.flow(X, Y, subset="training").n == 8
    with pytest.raises(ArgumentError):
        generator.flow(X, Y[:3])


@pytest.mark.parametrize("as_list", [False, True])
def test_images_may_have_other_arrays_beside_them(as_list):
    other = np.arange(11.0)[:, None]
    generator = ImageDataGenerator(validation_split=0.3)
    x = (X, [other, Y]) if as_list else (X, other)
    for subset, count in ((None, 11), ("training", 8), ("validation", 3)):
        batches = generator.flow(x, Y, 4, subset=subset)
        assert batches.n == count
        for inputs, y in batches.for_epoch(0):
            assert isinstance(inputs, list) and len(inputs) == 2 + as_list
            np.testing.assert_array_equal(inputs[0], X[y])
            np.testing.assert_array_equal(inputs[1][:, 0], y)
            if as_list:
                np.testing.assert_array_equal(inputs[2], y)
    images, _ = next(generator.flow(x, batch_size=5))[:2]
    assert images.shape == (5, 8, 6, 3)
    with pytest.raises(ArgumentError, match="11 images but the array 0 beside the images has 5"):
        generator.flow((X, other[:5]), Y)


def test_a_network_with_two_inputs_learns_from_them():
    image, number = mc.Input((8, 6, 3)), mc.Input((1,))
    flat = mc.layers.Concatenate()([mc.layers.Flatten()(image), number])
    model = mc.Model([image, number], mc.layers.Dense(1)(flat))
    model.compile("sgd", "mse")
    batches = ImageDataGenerator(rescale=1 / 255).flow((X, np.ones((11, 1))), Y / 10, 4)
    losses = model.fit(batches, epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert model.predict(batches, verbose=0).shape == (11, 1)


def test_flow_has_no_end_but_epochs():
    batches = ImageDataGenerator().flow(X, Y, batch_size=4)
    seen = np.concatenate([next(batches)[1] for _ in range(6)])  # two epochs of 4 + 4 + 3
    assert sorted(seen[:11]) == sorted(seen[11:]) == Y.tolist()
    assert seen[:11].tolist() != seen[11:].tolist()
    assert len(batches) == 3
    np.testing.assert_array_equal(ImageDataGenerator().flow(X, Y, 4, shuffle=False)[2][1], Y[8:])
    with pytest.raises(IndexError):
        batches[3]


def test_what_is_handed_out_can_be_saved(tmp_path):
    generator = ImageDataGenerator()
    next(generator.flow(X, batch_size=2, shuffle=False, save_to_dir=tmp_path, save_prefix="a"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a_0_0.png", "a_1_0.png"]
    assert decode(tmp_path / "a_0_0.png").shape == (8, 6, 3)


# --- what a training would ask for late ---------------------------------------------------------


def test_the_folder_for_what_is_handed_out_is_made(tmp_path):
    target = tmp_path / "a" / "b"
    batches = ImageDataGenerator().flow(X, batch_size=2, save_to_dir=target, save_format="jpg")
    assert target.is_dir()
    next(batches)
    assert len(list(target.iterdir())) == 2
    (tmp_path / "file").write_text("")
    with pytest.raises(FileExistsError):
        ImageDataGenerator().flow(X, save_to_dir=tmp_path / "file")


def test_what_cannot_be_saved_is_refused_at_once(tmp_path):
    generator = ImageDataGenerator()
    with pytest.raises(ArgumentError, match="save_format must be one of"):
        generator.flow(X, save_to_dir=tmp_path, save_format="mp4")
    with pytest.raises(ShapeError, match="1, 3 or 4 channels"):
        generator.flow(X[..., :2], save_to_dir=tmp_path)
    next(generator.flow(X, save_to_dir=tmp_path, save_format="png"))


def test_a_function_that_changes_the_shape_is_refused_at_once(folder):
    generator = ImageDataGenerator(preprocessing_function=lambda image: image.mean(2))
    for batches in (
        lambda: generator.flow(X),
        lambda: generator.flow_from_directory(folder, 6, verbose=False),
    ):
        with pytest.raises(
            ShapeError, match="preprocessing_function must return an image of the sh"
        ):
            batches()
    with pytest.raises(ArgumentError, match="preprocessing_function must be a function"):
        ImageDataGenerator(preprocessing_function="vgg16")


@pytest.mark.parametrize("channels", [1, 3])
def test_images_of_other_channels_than_fit_saw_are_refused_at_once(channels):
    generator = ImageDataGenerator(featurewise_center=True)
    generator.fit(X[..., :channels])
    with pytest.raises(ShapeError, match=f"was fitted on images of {channels} channels"):
        generator.flow(X[..., : 4 - channels])


def test_images_of_another_size_than_whitening_saw_are_refused_at_once():
    generator = ImageDataGenerator(zca_whitening=True)
    generator.fit(X)
    with pytest.raises(ShapeError, match="zca_whitening was fitted on images of 144 values"):
        generator.flow(X[:, :7])


# --- folders ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("class_mode", "expected"),
    [("categorical", [[1, 0], [0, 1]]), ("sparse", [0, 1]), ("binary", [0.0, 1.0])],
)
def test_labels(folder, capsys, class_mode, expected):
    generator = ImageDataGenerator(rescale=1 / 255)
    batches = generator.flow_from_directory(folder, (6, 5), class_mode=class_mode, shuffle=False)
    assert capsys.readouterr().out == "Found 10 images belonging to 2 classes.\n"
    x, y = everything(batches, 0)
    assert y[[0, 5]].tolist() == expected
    pixels = decode(folder / "cats" / "0.png", (6, 5), interpolation="nearest")
    np.testing.assert_array_equal(x[0], pixels * np.float32(1 / 255))


def test_no_labels_and_the_image_itself(folder):
    generator = ImageDataGenerator()
    assert next(generator.flow_from_directory(folder, 6, class_mode=None)).shape == (10, 6, 6, 3)
    x, y = next(generator.flow_from_directory(folder, 6, "grayscale", class_mode="input"))
    assert x.shape == (10, 6, 6, 1) and y is not x
    np.testing.assert_array_equal(x, y)


def test_keras_s_attributes(folder):
    batches = ImageDataGenerator().flow_from_directory(folder, 6, batch_size=4)
    assert (batches.samples, batches.n, batches.batch_size, len(batches)) == (10, 10, 4, 3)
    assert batches.class_indices == {"cats": 0, "dogs": 1} and batches.num_classes == 2
    assert batches.classes.tolist() == [0] * 5 + [1] * 5
    assert batches.filenames[0] == "cats/0.png"
    assert batches.filepaths[0] == str(folder / "cats/0.png")
    _, y = everything(batches, 1)
    np.testing.assert_array_equal(batches.classes[batches.order], y.argmax(1))


def test_the_parts_of_a_folder(folder):
    generator = ImageDataGenerator(validation_split=0.4)
    names = {
        subset: generator.flow_from_directory(folder, 6, subset=subset).filenames
        for subset in ("training", "validation")
    }
    assert names["validation"] == ["cats/0.png", "cats/1.png", "dogs/0.png", "dogs/1.png"]
    assert len(names["training"]) == 6 and not {*names["training"]} & {*names["validation"]}


def cut_off(path):
    """Truncate an image, whose valid header does not show it."""
    noise = np.random.default_rng(0).integers(0, 256, (60, 60, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:4000])


def test_files_that_are_no_images_are_left_out_from_the_beginning(folder, capsys):
    (folder / "cats/1.png").write_bytes(b"")
    (folder / "dogs/4.png").write_bytes(b"not an image")
    batches = DirectoryBatches(list_folder(folder), 6, allow_unreadable=0.2)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Found 8 images belonging to 2 classes."
    assert lines[1].startswith(
        "Skipped 2 that cannot be read: cats/1.png (the file is empty), dogs/4.png. "
    )
    assert [path.name for path, _ in batches.bad_files] == ["1.png", "4.png"]
    assert len(everything(batches, 0)[0]) == batches.n == 8
    for path in folder.rglob("*.png"):
        path.write_bytes(b"")
    with pytest.raises(UnreadableImagesError, match=r"10 of 10 images cannot be read: cats/0\.png"):
        DirectoryBatches(list_folder(folder), 6, allow_unreadable=1)


@pytest.mark.parametrize("threads", [1, 4])
def test_a_bad_file_is_named_skipped_and_counted(folder, threads):
    cut_off(folder / "cats/1.png")
    cut_off(folder / "dogs/4.png")
    batches = DirectoryBatches(
        list_folder(folder), 6, batch_size=2, threads=threads, allow_unreadable=0.2
    )
    with pytest.warns(UserWarning, match="Skipped") as warned:
        x, y = everything(batches, 0)
    assert len(warned) == 2 and len(x) == len(y) == 8
    assert {path.name for path, _ in batches.bad_files} == {"1.png", "4.png"}
    np.testing.assert_array_equal(batches.classes[batches.order], y.argmax(1))
    assert len(everything(batches, 1)[0]) == 8  # and is not said again


def test_a_batch_of_bad_files_alone_is_left_out(folder):
    for i in range(5):
        cut_off(folder / f"cats/{i}.png")
    batches = DirectoryBatches(
        list_folder(folder), 6, batch_size=5, shuffle=False, allow_unreadable=0.5
    )
    with pytest.warns(UserWarning, match="Skipped"):
        assert [len(x) for x, _ in batches.for_epoch(0)] == [5]


def test_an_epoch_may_be_left_early(folder):
    batches = DirectoryBatches(list_folder(folder), 6, batch_size=1)
    for _ in batches.for_epoch(0):
        break
    assert len(list(batches.for_epoch(0))) == 10


def test_a_dataset_ends_after_an_epoch(folder, capsys):
    dataset = image_dataset_from_directory(folder, image_size=(6, 5), batch_size=4)
    assert capsys.readouterr().out == "Found 10 files belonging to 2 classes.\n"
    for _ in range(2):
        assert sorted(np.concatenate([y for _, y in dataset])) == [0] * 5 + [1] * 5
    x, _ = next(iter(dataset))
    assert x.shape == (4, 6, 5, 3) and x.dtype == np.float32 and x.max() > 1


def test_a_loop_that_is_left_early_was_an_epoch_too(folder):
    dataset = image_dataset_from_directory(folder, image_size=6, batch_size=10)
    first = [next(iter(dataset))[0] for _ in range(3)]  # of each epoch's order the first batch
    assert len({x.tobytes() for x in first}) == 3
    again = image_dataset_from_directory(folder, image_size=6, batch_size=10)
    for epoch, x in enumerate(first):
        np.testing.assert_array_equal(next(again.for_epoch(epoch))[0], x)


def test_the_parts_of_a_dataset(folder, capsys):
    names = []
    for subset in ("training", "validation"):
        options = {"validation_split": 0.2, "subset": subset, "seed": 1}
        names.append(image_dataset_from_directory(folder, image_size=6, **options).filenames)
    assert [len(part) for part in names] == [8, 2] and not {*names[0]} & {*names[1]}
    assert "Using 8 files for training.\n" in capsys.readouterr().out
    with pytest.raises(ArgumentError):
        image_dataset_from_directory(folder, subset="training")


def test_without_labels_all_images_count(folder, capsys):
    save_ramp(folder / "in the root.png")
    for labels_off in (
        {"labels": None},
        {"labels": None, "label_mode": None},
        {"label_mode": None},
    ):
        dataset = image_dataset_from_directory(folder, image_size=6, **labels_off)
        assert (dataset.n, dataset.class_names) == (11, None)
        assert "in the root.png" in dataset.filenames
        assert [x.shape for x in dataset] == [(11, 6, 6, 3)]
    assert capsys.readouterr().out.splitlines() == ["Found 11 files."] * 3


def test_labels_may_be_given_for_all_images(tmp_path):
    for name in ("b/1.png", "a.png", "c.png"):
        save_ramp(tmp_path / name)
    dataset = image_dataset_from_directory(tmp_path, [2, 0, 1], image_size=6, shuffle=False)
    assert dataset.filenames == ["a.png", "c.png", "b/1.png"]  # as Keras
    assert dataset.class_names == ["0", "1", "2"]
    assert next(iter(dataset))[1].tolist() == [2, 0, 1]
    for wrong in ([0, 1], [0, 1, -1], [0.0, 1.0, 2.0], "cats"):
        with pytest.raises(ArgumentError, match="labels must be"):
            image_dataset_from_directory(tmp_path, wrong, image_size=6)
    with pytest.raises(ArgumentError, match='so it needs labels="inferred"'):
        image_dataset_from_directory(tmp_path, None, class_names=["b"], image_size=6)


@pytest.mark.parametrize(
    ("mode", "dtype", "shape", "rows"),
    [  # Keras 3.15's
        ("int", np.int32, (10,), [0, 1]),
        ("binary", np.float32, (10, 1), [[0], [1]]),
        ("categorical", np.float32, (10, 2), [[1, 0], [0, 1]]),
    ],
)
def test_labels_of_a_dataset_have_keras_s_types(folder, mode, dtype, shape, rows):
    dataset = image_dataset_from_directory(folder, label_mode=mode, image_size=6, shuffle=False)
    _, y = next(iter(dataset))
    assert (y.dtype, y.shape) == (dtype, shape) and y[[0, 5]].tolist() == rows


@pytest.mark.parametrize("wrong", ["int8", "color", None])
def test_a_dtype_that_pixels_cannot_have_is_refused_at_once(folder, wrong):
    with pytest.raises(ArgumentError, match="dtype must be one of"):
        image_dataset_from_directory(folder, image_size=6, dtype=wrong)


@pytest.mark.parametrize("wrong", [5, "abc", np.zeros((3, 4, 4))])
def test_what_is_no_images_is_refused_at_once(wrong):
    for options in ({}, {"subset": "training"}):
        with pytest.raises((ShapeError, DTypeError)):
            ImageDataGenerator(validation_split=0.5).flow(wrong, **options)


def test_binary_is_for_two_classes(tmp_path):
    folder = make_ramps(tmp_path, classes=("a", "b", "c"))
    with pytest.raises(ArgumentError, match="there are 3"):
        ImageDataGenerator().flow_from_directory(folder, 6, class_mode="binary")


# --- training -----------------------------------------------------------------------------------


def small_model():
    layers = [mc.Input((6, 5, 3)), mc.layers.Flatten(), mc.layers.Dense(2, activation="softmax")]
    model = mc.Sequential(layers)
    model.compile("sgd", "categorical_crossentropy", metrics=["accuracy"])
    return model


def test_training_from_files_has_the_bits_of_training_from_arrays(folder):
    generator = ImageDataGenerator(rescale=1 / 255)
    batches = generator.flow_from_directory(folder, (6, 5), batch_size=3)
    x, y = everything(generator.flow_from_directory(folder, (6, 5), shuffle=False), 0)
    weights = []
    for data in ((batches,), (x, y)):
        mc.utils.set_random_seed(3)
        mc.utils.clear_session()
        model = small_model()
        batch_size = None if len(data) == 1 else 3
        model.fit(*data, epochs=3, batch_size=batch_size, verbose=0)
        weights.append(model.get_weights())
        assert model.evaluate(*data, verbose=0)
    for ours, theirs in zip(*weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_predictions_can_be_aligned(folder):
    batches = ImageDataGenerator().flow_from_directory(folder, (6, 5), batch_size=4)
    predictions = small_model().predict(batches, verbose=0)
    assert predictions.shape == (10, 2) and sorted(batches.order) == list(range(10))


def test_the_script_of_paper_2_runs(folder):
    from minicnn.preprocessing.image import ImageDataGenerator as Generator

    save_ramp(folder / "dogs/8.jpg")
    with pytest.warns(UserWarning, match="degrees"):
        train_datagen = Generator(
            rescale=1.0 / 255, shear_range=0.2, zoom_range=0.2, horizontal_flip=True
        )
    train_generator = train_datagen.flow_from_directory(
        folder, target_size=(6, 5), batch_size=2, class_mode="categorical", seed=777, shuffle=True
    )
    history = small_model().fit(
        train_generator, epochs=2, validation_data=train_generator, verbose=0
    )
    assert set(history.history) == {"loss", "accuracy", "val_loss", "val_accuracy"}
