"""Unreadable images: a few are left out, many are an error, the others keep their positions."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import minicnn as mc
from minicnn.data import DirectoryBatches, ImageDataGenerator, list_folder
from minicnn.errors import ArgumentError, ImageReadError, UnreadableImagesError

NOISE = np.random.default_rng(0).integers(0, 256, (60, 60, 3), dtype=np.uint8)


def make(folder, count=64, classes=("all",)):
    """Make folders in which image i of each class has the uniform gray i, which identifies it."""
    for name in classes:
        (folder / name).mkdir(parents=True)
        for i in range(count):
            Image.fromarray(np.full((4, 4, 3), i, np.uint8)).save(folder / name / f"{i:03}.png")
    return folder


def empty(path):
    path.write_bytes(b"")


def cut_off(path):
    """Truncate a file so that its header is valid and only decoding fails."""
    Image.fromarray(NOISE).save(path)
    path.write_bytes(path.read_bytes()[:4000])


SPOILT = pytest.mark.parametrize("spoil", [empty, cut_off])


def flow(folder, generator=None, **options):
    options = {
        "target_size": 4,
        "batch_size": 8,
        "class_mode": "sparse",
        "verbose": False,
    } | options
    return (generator or ImageDataGenerator()).flow_from_directory(folder, **options)


def shown(batch):
    """Return which images are in a batch."""
    return batch[0][:, 0, 0, 0].astype(int).tolist()


# --- two folders side by side -------------------------------------------------------------------


@SPOILT
def test_without_labels_one_that_cannot_be_read_is_an_error(tmp_path, spoil):
    """Photos and masks are read side by side, and all pairs after a missing file would be wrong."""
    spoil(make(tmp_path) / "all/005.png")
    with pytest.raises(UnreadableImagesError, match=r"1 of 64 images.*005\.png.*At most 0% may"):
        list(flow(tmp_path, class_mode=None).for_epoch(0))


@SPOILT
@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.filterwarnings("ignore:cannot read")
def test_the_others_keep_their_places(tmp_path, spoil, shuffle):
    spoil(make(tmp_path / "photos") / "all/005.png")
    options = {"shuffle": shuffle, "seed": 1}
    photos = flow(tmp_path / "photos", allow_unreadable=1, **options)
    masks = flow(make(tmp_path / "masks"), **options)
    lengths = []
    for epoch in range(2):
        for a, b in zip(photos.for_epoch(epoch), masks.for_epoch(epoch), strict=True):
            assert shown(a) == [i for i in shown(b) if i != 5]
            lengths.append(len(a[0]))
    assert sorted(lengths) == [7] * 2 + [8] * 14
    assert len(photos) == len(masks) == 8


@SPOILT
@pytest.mark.filterwarnings("ignore:cannot read")
def test_the_others_keep_their_changes(tmp_path, spoil):
    spoil(make(tmp_path / "photos") / "all/005.png")
    generator = ImageDataGenerator(brightness_range=(0.5, 1.5))
    photos = flow(tmp_path / "photos", generator, allow_unreadable=1, shuffle=False)
    masks = flow(make(tmp_path / "masks"), generator, shuffle=False)
    a, b = (np.concatenate([x for x, _ in each.for_epoch(3)]) for each in (photos, masks))
    np.testing.assert_array_equal(a, np.delete(b, 5, axis=0))


def test_a_pair_of_batches_of_different_lengths_is_refused(tmp_path):
    empty(make(tmp_path / "photos") / "all/005.png")
    photos = flow(tmp_path / "photos", class_mode=None, allow_unreadable=1)
    masks = flow(make(tmp_path / "masks"), class_mode=None)
    model = mc.Sequential([mc.Input((4, 4, 3)), mc.layers.Conv2D(3, 1)])
    model.compile("sgd", "mse")
    with pytest.raises(ArgumentError, match="x has 7 samples but y has 8"):
        model.fit(zip(photos, masks, strict=True), steps_per_epoch=8, verbose=0)


# --- many ---------------------------------------------------------------------------------------


@SPOILT
@pytest.mark.filterwarnings("ignore:cannot read")
def test_one_in_a_hundred_is_left_out_and_two_are_an_error(tmp_path, spoil):
    make(tmp_path, 100)
    spoil(tmp_path / "all/007.png")
    assert sum(len(x) for x, _ in flow(tmp_path).for_epoch(0)) == 99
    spoil(tmp_path / "all/008.png")
    with pytest.raises(
        UnreadableImagesError, match=r"2 of 100 images.*At most 1% .*allow_"
    ) as seen:
        list(flow(tmp_path).for_epoch(0))
    assert "all/007.png" in str(seen.value) and "all/008.png" in str(seen.value)
    assert isinstance(seen.value, ImageReadError) and len(str(seen.value)) <= 300
    assert sum(len(x) for x, _ in flow(tmp_path, allow_unreadable=0.02).for_epoch(0)) == 98
    with pytest.raises(UnreadableImagesError):
        list(flow(tmp_path, allow_unreadable=0.019).for_epoch(0))


def test_a_long_name_is_shortened_and_escaped(tmp_path):
    path = make(tmp_path, 2) / "all" / ("a" * 200 + "\x1b.png")
    empty(path)
    with pytest.raises(UnreadableImagesError, match=r"aaa \.\.\. aaa+\\x1b\.png") as seen:
        flow(tmp_path)
    assert len(str(seen.value)) <= 300 and seen.value.path == str(path)


@pytest.mark.filterwarnings("ignore:cannot read")
def test_what_shows_late_is_added_to_what_showed_early(tmp_path):
    make(tmp_path, 100)
    empty(tmp_path / "all/007.png")
    cut_off(tmp_path / "all/008.png")
    with pytest.raises(UnreadableImagesError, match="2 of 100 images"):
        list(flow(tmp_path).for_epoch(0))


@pytest.mark.parametrize("wrong", [-0.1, 1.1, "1", True, float("nan")])
def test_a_share_is_from_0_to_1(tmp_path, wrong):
    make(tmp_path, 2)
    with pytest.raises(ArgumentError, match="allow_unreadable must be a"):
        flow(tmp_path, allow_unreadable=wrong)


@SPOILT
@pytest.mark.filterwarnings("ignore:cannot read")
def test_nothing_that_can_be_read_is_an_error_and_no_endless_search(tmp_path, spoil):
    for path in make(tmp_path, 4, ("a", "b")).rglob("*.png"):
        spoil(path)
    model = mc.Sequential([mc.Input((4, 4, 3)), mc.layers.Flatten(), mc.layers.Dense(2)])
    model.compile("sgd", "mse")
    uses = {
        "next": next,
        "list": lambda batches: list(batches.for_epoch(0)),
        "fit": lambda batches: model.fit(batches, epochs=1, verbose=0),
        "predict": lambda batches: model.predict(batches, verbose=0),
    }
    for use in uses.values():
        for allowed in (None, 1):
            with pytest.raises(
                UnreadableImagesError, match=r" of 8 images cannot be read: a/000\."
            ):
                use(flow(tmp_path, batch_size=4, shuffle=False, allow_unreadable=allowed))


@pytest.mark.filterwarnings("ignore:cannot read")
def test_asking_once_more_after_the_error_says_it_again(tmp_path):
    for path in make(tmp_path, 8).rglob("*.png"):
        cut_off(path)
    batches = flow(tmp_path, allow_unreadable=1)
    for _ in range(2):
        with pytest.raises(UnreadableImagesError, match="8 of 8"):
            list(batches.for_epoch(0))


def test_no_images_are_an_error(tmp_path):
    images = list_folder(make(tmp_path, 2))
    with pytest.raises(ArgumentError, match="there are no images"):
        DirectoryBatches(images.pick([]), 4)
