"""EXIF orientation: a rotated photo is upright for everything that reads it."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import minicnn as mc
from minicnn.apps.cli.show import read_input
from minicnn.apps.runs.batches import batches_from_files
from minicnn.apps.runs.load_images import load_test_folder
from minicnn.apps.runs.settings import Settings
from minicnn.data import (
    ImageDataGenerator,
    Preprocess,
    decode,
    image_dataset_from_directory,
    list_folder,
    load_img,
    read_images,
)
from minicnn.errors import ArgumentError
from minicnn.models.saving.archive import read_archive

SIZE = (16, 16)
QUIET = {"verbose": False}


@pytest.fixture
def folder(tmp_path):
    """Make two classes with the same photo, stored upside down."""
    pixels = np.zeros((16, 16, 3), np.uint8)
    pixels[8:] = 250
    note = Image.Exif()
    note[0x0112] = 3
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        Image.fromarray(pixels).save(tmp_path / name / "1.png", exif=note)
    return tmp_path


def model_of(preprocess):
    """Return a model whose class 0 is brighter in the upper half, class 1 in the lower."""
    kernel = np.zeros((*SIZE, 3, 2), np.float32)
    kernel[:8, ..., 0] = kernel[8:, ..., 1] = 1
    model = mc.Sequential(
        [mc.Input((*SIZE, 3)), mc.layers.Flatten(), mc.layers.Dense(2, activation="softmax")]
    )
    model.set_weights([kernel.reshape(-1, 2), np.zeros(2)])
    model.class_names, model.preprocess = ["above", "below"], preprocess
    return model


def settings(folder):
    return Settings(model="scene", data=str(folder))


READERS = {
    "load_img": lambda d, up: np.asarray(load_img(d / "a/1.png", upright=up)),
    "decode": lambda d, up: decode(d / "a/1.png", upright=up),
    "read_images": lambda d, up: read_images([d / "a/1.png"], SIZE, upright=up)[0][0],
    "flow_from_directory": lambda d, up: next(
        ImageDataGenerator().flow_from_directory(d, SIZE, upright=up, **QUIET)
    )[0][0],
    "image_dataset_from_directory": lambda d, up: next(
        iter(image_dataset_from_directory(d, image_size=SIZE, upright=up, **QUIET))
    )[0][0],
    "train": lambda d, up: next(
        batches_from_files(list_folder(d), settings(d), Preprocess(SIZE, upright=up)).for_epoch(0)
    )[0][0],
    "test": lambda d, up: load_test_folder(
        d, Preprocess(SIZE, upright=up), ["a", "b"], lambda line: None
    )[0].images[0],
    "show": lambda d, up: read_input(model_of(Preprocess(SIZE, upright=up)), d / "a/1.png").pixels,
}


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_every_reader_has_the_one_rule(folder, read):
    for upright in (True, False):
        pixels = read(folder, upright)
        assert (pixels[:8].mean() > pixels[8:].mean()) == upright


USUAL = {
    "load_img": lambda d: np.asarray(load_img(d / "a/1.png")),
    "flow_from_directory": lambda d: next(
        ImageDataGenerator().flow_from_directory(d, SIZE, **QUIET)
    )[0][0],
    "image_dataset_from_directory": lambda d: next(
        iter(image_dataset_from_directory(d, image_size=SIZE, **QUIET))
    )[0][0],
}


@pytest.mark.parametrize("read", USUAL.values(), ids=USUAL)
def test_photos_are_upright_unless_asked_otherwise(folder, read):
    np.testing.assert_array_equal(read(folder), decode(folder / "a/1.png"))


@pytest.mark.parametrize("upright", [True, False])
def test_a_model_predicts_as_it_was_trained(folder, tmp_path, upright):
    model = model_of(Preprocess(SIZE, upright=upright))
    batches = ImageDataGenerator(rescale=1 / 255).flow_from_directory(
        folder, SIZE, upright=upright, **QUIET
    )
    said = model.predict(batches, verbose=0).argmax(1)
    model.save(tmp_path / "m.mcnn")
    for one in (model, mc.load_model(tmp_path / "m.mcnn")):
        assert one.preprocess.upright is upright
        label = one.predict_images(folder / "a/1.png")[0].label
        assert [label] * 2 == [["above", "below"][i] for i in said]
        assert label == ("above" if upright else "below")


def test_files_saved_earlier_turn_photos_as_they_did(folder, tmp_path):
    """Old files have no field `upright`, and a new file with the default has none either."""
    model_of(Preprocess(SIZE)).save(tmp_path / "m.mcnn")
    assert "upright" not in read_archive(tmp_path / "m.mcnn").documents["preprocess"]
    earlier = Preprocess.from_config({"size": [16, 16], "scale": 1.0})
    assert earlier.upright is True
    assert Preprocess.from_config(Preprocess(SIZE, upright=False).as_config()).upright is False
    with pytest.raises(ArgumentError, match="upright must be True or False"):
        Preprocess.from_config({"size": [16, 16], "upright": 1})


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("extension", ["jpg", "tif", "webp"])
def test_every_format_is_turned_once(tmp_path, extension, orientation):
    """A TIFF, which Pillow turns itself, was turned twice."""
    pixels = np.zeros((32, 48, 3), np.uint8)
    pixels[:16, :24, 0] = pixels[16:, 24:, 1] = 250
    note = Image.Exif()
    note[0x0112] = orientation
    Image.fromarray(pixels).save(tmp_path / "expected.png", exif=note)
    Image.fromarray(pixels).save(tmp_path / f"1.{extension}", exif=note, quality=100)
    expected = decode(tmp_path / "expected.png").astype(int)
    found = decode(tmp_path / f"1.{extension}").astype(int)
    assert found.shape == expected.shape
    assert abs(found - expected).mean() < 5
