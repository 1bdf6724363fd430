"""Pictures that look the same are found: equal files, and copies that were saved again."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

pytest.importorskip("django", reason="pip install -e '.[web]'")
from image_folders import make_image
from PIL import Image, ImageEnhance

from minicnn.apps.library import duplicates as module
from minicnn.apps.library.duplicates import duplicates
from minicnn.apps.library.extractors import color_and_texture
from minicnn.apps.library.indexing import index
from minicnn.apps.library.models import Features

pytestmark = pytest.mark.usefixtures("no_fsync")


COPIES = {
    "quality": lambda image, path: image.save(path, quality=60),
    "half": lambda image, path: image.resize((96, 72), Image.Resampling.BICUBIC).save(path),
    "brighter": lambda image, path: ImageEnhance.Brightness(image).enhance(1.1).save(path),
    "other format": lambda image, path: image.save(path.with_suffix(".png")),
    "on its side": lambda image, path: image.transpose(Image.Transpose.ROTATE_90).save(
        path, exif=with_orientation(6)
    ),
}


def with_orientation(value):
    exif = Image.Exif()
    exif[0x0112] = value
    return exif


def picture(seed):
    return make_image(seed, 144, 192)


def names(groups):
    return [[one.path.name for one in group] for group in groups]


@pytest.mark.parametrize("copy", COPIES.values(), ids=COPIES)
def test_copies_are_found(library, tmp_path, copy):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for seed in range(6):
        picture(seed).save(folder / f"{seed}.jpg", quality=90)
    copy(picture(3), folder / "3 again.jpg")
    index(library, [folder], color_and_texture())
    (group,) = duplicates(library)
    assert sorted(one.path.stem for one in group) == ["3", "3 again"]
    assert [one.equal for one in group] == [True, False]


def test_equal_files_and_copies_are_one_group(library, tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    picture(1).save(folder / "a.jpg", quality=90)
    picture(2).save(folder / "other.jpg", quality=90)
    index(library, [folder], color_and_texture())
    shutil.copy(folder / "a.jpg", folder / "b.jpg")
    picture(1).save(folder / "c.jpg", quality=60)
    index(library, [folder], color_and_texture())
    (group,) = duplicates(library)
    assert group[0].path.name == "a.jpg"
    assert {one.path.name: one.equal for one in group} == {
        "a.jpg": True, "b.jpg": True, "c.jpg": False,
    }  # fmt: skip


def test_different_pictures_of_one_look_are_told_apart(library, tmp_path):
    """Their hashes are equal: one by its colors, one by its details, which a thumbnail has."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    image = np.asarray(picture(5).convert("L"))
    gray, green = np.stack([image] * 3, -1), np.stack([image // 3, image, image // 3], -1)
    rng = np.random.default_rng(0)
    detailed = gray + np.kron(rng.integers(-60, 60, (36, 48, 1)), np.ones((4, 4, 1)))
    for name, pixels in {"gray": gray, "green": green, "detailed": detailed}.items():
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / f"{name}.png")
    index(library, [folder], color_and_texture())
    assert module._Pictures(library).near(0, np.zeros(3, bool)) == [1, 2]
    assert duplicates(library) == []


def test_uniform_pictures_are_duplicates_only_if_their_files_are_equal(library, tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name, gray in {"a": 100, "b": 100, "c": 104}.items():
        Image.new("RGB", (50, 50), (gray,) * 3).save(folder / f"{name}.png")
    index(library, [folder], color_and_texture())
    assert names(duplicates(library)) == [["a.png", "b.png"]]


def test_pictures_whose_files_are_gone_are_compared_by_their_colors(library, tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name, quality in {"a": 90, "b": 60}.items():
        picture(1).save(folder / f"{name}.jpg", quality=quality)
    index(library, [folder], color_and_texture())
    shutil.rmtree(folder)
    assert len(duplicates(library)) == 1
    Features.objects.using(library.alias).filter(extractor__name="color").first().delete()
    assert len(duplicates(library)) == 1


def test_progress_counts_the_pictures(library, tmp_path):
    for seed in range(3):
        picture(seed).save(tmp_path / f"{seed}.jpg")
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff no picture")
    index(library, [tmp_path], color_and_texture())
    seen = []
    assert duplicates(library, lambda done, total: seen.append((done, total))) == []
    assert seen == [(1, 3), (2, 3), (3, 3)]
