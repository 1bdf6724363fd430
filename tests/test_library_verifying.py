"""What a library holds in numbers, and what checking it finds."""

from __future__ import annotations

import os

import library_tools
import numpy as np
import pytest

pytest.importorskip("django", reason="Django is missing: pip install -e '.[dev]'")

from minicnn.apps.library import verifying
from minicnn.apps.library.extractors import color_and_texture
from minicnn.apps.library.indexing import index
from minicnn.apps.library.models import Extractor, Features, Picture
from minicnn.apps.library.scanning import scan
from minicnn.apps.library.statistics import ExtractorStats, library_stats
from minicnn.apps.library.verifying import verify


@pytest.fixture
def photos(tmp_path):
    library_tools.make_pictures(tmp_path / "photos", 6)
    return tmp_path / "photos"


@pytest.fixture
def filled(library, photos):
    index(library, [photos], color_and_texture())
    return library


def found(library, **settings):
    """Return what was found as {(kind, name of the picture or model)}."""
    return {(one.kind, os.path.basename(one.what)) for one in verify(library, **settings).findings}


def test_a_good_library_is_in_order(filled):
    told = []
    verified = verify(filled, contents=True, progress=lambda *words: told.append(words))
    assert verified == (6, 12, [])
    assert told == [(6, 6)]


def test_files_are_compared_with_their_rows(filled, photos):
    (photos / "0000.png").unlink()
    (photos / "0001.png").write_bytes(b"another content")
    os.utime(photos / "0002.png", ns=(5, 5))
    library_tools.make_pictures(photos, 1, start=20)
    scan(filled, [photos])
    (photos / "0003.png").unlink()
    (photos / "0003.png").symlink_to(photos / "0004.png")
    assert found(filled) == {
        ("not read", "0001.png"),
        ("not read", "0020.png"),
        ("gone", "0003.png"),
    }


def test_a_changed_file_is_found(filled, photos):
    (photos / "0001.png").write_bytes(b"another content")
    assert found(filled) == {("changed", "0001.png")}


def test_a_content_that_hides_behind_its_old_time_is_found_by_reading_it(filled, photos):
    path = photos / "0001.png"
    content, status = bytearray(path.read_bytes()), path.stat()
    content[-1] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert found(filled) == set()
    assert found(filled, contents=True) == {("changed", "0001.png")}


def test_missing_and_damaged_features_are_found(filled, monkeypatch):
    monkeypatch.setattr(verifying, "ROWS", 4)
    rows = Features.objects.using(filled.alias).order_by("picture__path", "extractor")
    pick = list(rows)
    rows.filter(pk=pick[0].pk).delete()
    rows.filter(pk=pick[2].pk).update(vector=np.ones(3))
    rows.filter(pk=pick[5].pk).update(vector=pick[5].vector * np.float16(2))
    verified = verify(filled)
    texts = {(one.kind, os.path.basename(one.what)): one.text for one in verified.findings}
    assert texts == {
        ("missing", "0000.png"): "color",
        ("damaged", "0001.png"): "color: 3 numbers instead of 150",
        ("damaged", "0002.png"): "texture: its length is 2.000 instead of 1",
    }
    assert verified.vectors == 11


def test_an_unreadable_picture_lacks_nothing(filled, photos):
    (photos / "broken.png").write_bytes(b"broken")
    index(filled, [photos], color_and_texture())
    assert verify(filled).findings == []
    stats = library_stats(filled)
    [(path, reason)] = stats.failures
    assert path == str(photos / "broken.png") and "not an image" in reason


def test_models_that_are_others_now_are_found(filled, tmp_path):
    rows = Extractor.objects.using(filled.alias)
    rows.filter(name="color").update(sha256="0" * 64)
    rows.filter(name="texture").update(name="older", sha256="1" * 64)
    rows.create(name="gone", sha256="2" * 64, source=str(tmp_path / "gone.mcnn"), dimensions=4)
    Picture.objects.using(filled.alias).all().delete()
    assert found(filled) == {
        ("foreign model", "color"),
        ("foreign model", "older"),
        ("model", "gone"),
    }


def test_a_damaged_file_is_found(tmp_path, photos):
    path = tmp_path / "library.sqlite3"
    with library_tools.opened(path) as library:
        index(library, [photos], color_and_texture())
    content = bytearray(path.read_bytes())
    page = int.from_bytes(content[16:18], "big")
    content[-page : -page + 8] = bytes(8)  # the header of the last page
    path.write_bytes(content)
    with library_tools.opened(path) as library:
        assert {one.kind for one in verify(library).findings} == {"database"}


def test_the_numbers_of_a_library(library, photos):
    shades = library_tools.Shades()
    index(library, [photos], [shades])
    scan(library, [photos])
    library_tools.make_pictures(photos / "later", 2, start=50)
    scan(library, [photos])
    stats = library_stats(library)
    assert (stats.pictures, stats.waiting, stats.failures) == (8, 2, [])
    assert stats.folders == {str(photos): 8}
    labels = [each.label for each in Features.objects.using(library.alias)]
    classes = {name: labels.count(name) for name in ("dark", "light")}
    assert stats.extractors == [ExtractorStats("shades", "5" * 64, 4, 6, classes)]
    assert stats.bytes > 50_000
