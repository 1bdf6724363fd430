"""Thumbnails: read in the background, for what the user looks at, and not too many of them."""

from __future__ import annotations

import threading

import pytest
from image_folders import COLORS, save_colored
from PIL import Image
from window_tools import QtWidgets, make_gallery, until

from minicnn.apps.window import thumbnails
from minicnn.apps.window.picture_list import Picture, PictureList
from minicnn.apps.window.thumbnails import Thumbnails


@pytest.fixture
def small(qtbot):
    made = Thumbnails(16, 1.0)
    yield made
    made.close()


def color_in_the_middle(pixmap):
    side = pixmap.width() // 2
    return pixmap.toImage().pixelColor(side, side).getRgb()


def read_one(qtbot, small, path):
    """Return a file's thumbnail, which is gray until it has been read."""
    signals = counted(small.ready)
    assert color_in_the_middle(small.of(path)) == thumbnails.UNREAD.getRgb()
    until(qtbot, lambda: signals)
    return small.of(path)


def counted(signal):
    """A list that has an item for each time that the signal was emitted."""
    found = []
    signal.connect(lambda: found.append(1))
    return found


def test_a_thumbnail_is_the_square_in_the_middle(qtbot, small, tmp_path):
    image = Image.new("RGB", (90, 30), (250, 0, 0))
    image.paste((0, 0, 250), (30, 0, 60, 30))
    image.save(tmp_path / "a.png")
    pixmap = read_one(qtbot, small, tmp_path / "a.png")
    assert (pixmap.width(), pixmap.height()) == (16, 16)
    assert color_in_the_middle(pixmap) == (0, 0, 250, 255)
    assert pixmap.toImage().pixelColor(1, 8).getRgb() == (0, 0, 250, 255)
    assert pixmap.toImage().pixelColor(0, 0).alpha() < 255  # a round corner


def test_an_image_is_upright_as_its_camera_says(qtbot, small, tmp_path):
    image = Image.new("RGB", (32, 32), (250, 0, 0))
    image.paste((0, 0, 250), (0, 0, 32, 16))  # blue above
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    image.save(tmp_path / "a.png", exif=exif)
    pixmap = read_one(qtbot, small, tmp_path / "a.png")
    assert pixmap.toImage().pixelColor(8, 3).getRgb()[:3] == (250, 0, 0)


def test_more_pixels_on_a_dense_screen(qtbot, tmp_path):
    dense = Thumbnails(16, 2.0)
    save_colored(tmp_path / "a.png", COLORS["red"], 0)
    pixmap = read_one(qtbot, dense, tmp_path / "a.png")
    assert pixmap.width() == 32 and pixmap.deviceIndependentSize().toTuple() == (16, 16)
    dense.close()


def test_an_unreadable_file_stays_gray(qtbot, small, tmp_path):
    (tmp_path / "a.png").write_bytes(b"no image")
    pixmap = read_one(qtbot, small, tmp_path / "a.png")
    assert color_in_the_middle(pixmap) == thumbnails.UNREAD.getRgb()


def test_the_latest_wish_is_read_first_and_old_ones_are_forgotten(qtbot, tmp_path, monkeypatch):
    begun, gate, names = threading.Event(), threading.Event(), []

    def read(path, _):
        names.append(path.name)
        begun.set()
        gate.wait()

    monkeypatch.setattr(thumbnails, "read", read)
    monkeypatch.setattr(thumbnails, "WAITING", 3)
    made = Thumbnails(16, 1.0)
    signals = counted(made.ready)
    made.of(tmp_path / "first")
    begun.wait()
    for name in "0123454":
        made.of(tmp_path / name)
    gate.set()
    until(qtbot, lambda: len(signals) == 4)
    made.close()
    assert names == ["first", "4", "5", "3"]


def test_memory_is_bounded(qtbot, small, tmp_path, monkeypatch):
    monkeypatch.setattr(thumbnails, "KEPT", 2)
    make_gallery(tmp_path, red=4)
    for i in range(4):
        read_one(qtbot, small, tmp_path / f"red_{i}.png")
    assert list(small._kept) == [tmp_path / "red_2.png", tmp_path / "red_3.png"]


def test_only_visible_rows_are_asked_for(qtbot, small, tmp_path, monkeypatch):
    asked = set()
    of = small.of
    monkeypatch.setattr(small, "of", lambda path: asked.add(path) or of(path))
    view = QtWidgets.QListView()
    qtbot.addWidget(view)
    view.setUniformItemSizes(True)
    rows = PictureList(small, view)
    rows.show_all([Picture(i, tmp_path / f"{i}.png", f"{i}.png") for i in range(5000)])
    view.resize(300, 200)
    view.show()
    view.grab()
    assert 5 < len(asked) < 30 and rows.rowCount() == 5000
