"""From files to class names, with real decoders, and bad files among the good ones."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import minicnn as mc
from minicnn.data import Preprocess
from minicnn.data.images import decode
from minicnn.errors import ArgumentError
from minicnn.layers import Dense, Flatten

NAMES = ["dark", "bright", "red"]


@pytest.fixture
def model():
    model = mc.Sequential([mc.Input((6, 5, 3)), Flatten(), Dense(3, activation="softmax")])
    model.class_names = NAMES
    model.preprocess = Preprocess((6, 5))
    return model


@pytest.fixture
def files(tmp_path):
    """Write six images of different sizes and types; b.jpg and e.png cannot be read."""
    rng = np.random.default_rng(0)
    for i, name in enumerate(("a.png", "b.jpg", "c.jpg", "d ä.bmp", "e.png", "f.png")):
        pixels = rng.integers(0, 256, (7 + i, 9, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / name)
    (tmp_path / "b.jpg").write_bytes((tmp_path / "b.jpg").read_bytes()[:100])
    (tmp_path / "e.png").write_text("no picture")
    return sorted(tmp_path.iterdir())


@pytest.mark.parametrize("batch_size", [1, 2, 32])
def test_each_readable_file_gets_its_row_in_order(model, files, batch_size):
    with pytest.warns(UserWarning, match=r"2 of 6 images cannot be read .* first is .*b\.jpg: "):
        rows = model.predict_images(files, top=2, batch_size=batch_size)
    assert [row.path.name for row in rows] == ["a.png", "c.jpg", "d ä.bmp", "f.png"]
    assert [path.name for path, reason in rows.failures if reason] == ["b.jpg", "e.png"]
    for path, label, probability, top in rows:
        x = model.preprocess(decode(path, (6, 5))[None])
        p = model.predict_on_batch(x)[0]
        assert label == NAMES[p.argmax()] == top[0][1]
        assert probability == top[0][0] == pytest.approx(p.max(), abs=1e-6)
        assert len(top) == 2


def test_one_path_and_none(model, files):
    assert len(model.predict_images(files[0])) == len(model.predict_images(str(files[0]))) == 1
    assert model.predict_images([]) == []


def test_a_model_that_cannot_know_says_what_to_type(files):
    model = mc.Sequential([mc.Input((6, 5, 1), rescale=1 / 255), Flatten(), Dense(3)])
    with pytest.raises(ArgumentError, match=r"size=\(6, 5\), color_mode='grayscale'.*scale=1\.0"):
        model.predict_images(files)
