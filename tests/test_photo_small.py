"""photo_small: its size, and the trained one that comes with minicnn."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import minicnn as mc
from minicnn.errors import ArgumentError, ShapeError
from minicnn.models.saving.archive import read_archive
from minicnn.zoo.pretrained.photos import FILE

CLASSES = ["animals", "architecture", "car", "food", "nature", "people"]


@pytest.fixture(scope="module")
def trained():
    return mc.zoo.photo_small(weights="photos")


def test_it_has_no_large_layer():
    model = mc.zoo.photo_small()
    assert model.count_params() == 843_942
    assert max(p.value.size for p in model.parameters) == 3 * 3 * 160 * 160
    assert model.output_shape == (None, 6)


def test_it_takes_other_images_and_classes():
    assert mc.zoo.photo_small((16, 40, 1), classes=3).output_shape == (None, 3)
    with pytest.raises(ShapeError):
        mc.zoo.photo_small((8, 8, 3))


def test_the_trained_one_is_small_and_knows_what_it_needs(trained):
    assert FILE.stat().st_size < 2_000_000
    assert trained.class_names == CLASSES
    assert trained.preprocess.image_shape == (112, 112, 3)
    assert len(trained.calibration.correct) == 360
    assert trained.calibration.at(0.0).accuracy >= 0.85
    assert {p.value.dtype for p in trained.parameters} == {np.dtype("float32")}


def test_it_keeps_features_of_every_class(trained):
    for held_out in (False, True):
        features, labels = trained.feature_sample.part(held_out=held_out)
        assert features.shape == (240, 160)
        assert np.bincount(labels).tolist() == [40] * 6
        head = trained.get_layer("classes")
        p = features @ head.kernel.value + head.bias.value
        assert (p.argmax(1) == labels).mean() > 0.85


def test_its_file_names_no_folder_and_no_training():
    documents = read_archive(FILE).documents
    assert set(documents) == {"config", "classes", "preprocess", "metadata"}


@pytest.mark.parametrize(("name", "wanted"), [("coffee", "food"), ("chelsea", "animals")])
def test_it_knows_photographs_that_are_in_no_data_set(trained, name, wanted):
    data = pytest.importorskip("skimage.data", reason="pip install -e '.[classic]'")
    image = Image.fromarray(getattr(data, name)()).resize((112, 112), Image.Resampling.BILINEAR)
    p = trained.predict(trained.preprocess(np.asarray(image)[None]), verbose=0)
    assert CLASSES[p.argmax()] == wanted


@pytest.mark.parametrize(
    "wrong", [{"classes": 5}, {"image_shape": (96, 96, 3)}, {"rescale": 1 / 255}]
)
def test_the_trained_one_is_what_it_is(wrong):
    with pytest.raises(ArgumentError, match="minicnn sort learn"):
        mc.zoo.photo_small(weights="photos", **wrong)


def test_weights_of_a_file(tmp_path, trained):
    trained.save(tmp_path / "m.mcnn")
    model = mc.zoo.photo_small(weights=tmp_path / "m.mcnn")
    for a, b in zip(model.get_weights(), trained.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
