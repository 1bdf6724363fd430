"""The sheet of augmentations, and values without visible effect."""

from __future__ import annotations

import numpy as np
import pytest
from image_folders import make_image, save

from minicnn.apps.cli import main
from minicnn.data.tools.preview import EFFECTS, MARGIN, TEXT_HEIGHT, idle_parameters, preview_sheet

VISIBLE = {
    "rotation_range": 20,
    "width_shift_range": 0.2,
    "height_shift_range": 0.2,
    "brightness_range": (0.5, 1.5),
    "shear_range": 11.5,
    "zoom_range": 0.2,
    "channel_shift_range": 40.0,
    "horizontal_flip": True,
    "vertical_flip": True,
    "perspective_range": 0.1,
}
IDLE = {
    "rotation_range": 0.2,
    "width_shift_range": 0.002,
    "height_shift_range": 0.1,  # of an image of 4 pixels
    "brightness_range": (0.999, 1.001),
    "shear_range": 0.2,
    "zoom_range": 0.001,
    "channel_shift_range": 0.2,
    "perspective_range": 0.002,
}


def test_all_effects_are_tried():
    assert set(VISIBLE) == set(EFFECTS)


@pytest.mark.parametrize("name", EFFECTS)
def test_visible_values_are_not_called_idle(name):
    assert idle_parameters({name: VISIBLE[name]}, (150, 150)) == []


@pytest.mark.parametrize("name", IDLE)
def test_idle_values_are_named(name):
    size = (4, 4) if name == "height_shift_range" else (150, 150)
    (text,) = idle_parameters({name: IDLE[name]}, size)
    assert text.startswith(f"{name}={IDLE[name]!r}")


OFF = [
    {"zoom_range": 0},
    {"zoom_range": (1, 1)},
    {"shear_range": 0},
    {"perspective_range": 0},
    {"width_shift_range": [-3, 3]},
    {"brightness_range": None},
]


@pytest.mark.parametrize("settings", OFF, ids=str)
def test_what_is_off_is_not_idle(settings):
    assert idle_parameters(settings, (150, 150)) == []


def cells(sheet, rows, columns, height, width):
    pixels = np.asarray(sheet).astype(int)
    tops = [MARGIN + r * (height + TEXT_HEIGHT + MARGIN) + TEXT_HEIGHT for r in range(rows)]
    lefts = [MARGIN + c * (width + MARGIN) for c in range(columns)]
    return [[pixels[t : t + height, x : x + width] for x in lefts] for t in tops]


def test_each_row_changes_the_image_by_its_parameter_alone():
    image = np.asarray(make_image(3, 48, 64))
    sheet = preview_sheet(image, VISIBLE, columns=6)
    rows = cells(sheet, len(VISIBLE) + 1, 7, 48, 64)
    for row in rows:
        np.testing.assert_array_equal(row[0], image)
    for name, row in zip(VISIBLE, rows, strict=False):
        assert any(np.abs(one - image).mean() > 1 for one in row[1:]), name
    flips = rows[EFFECTS.index("horizontal_flip")][1:]
    for one in flips:
        assert min(np.abs(one - image).max(), np.abs(one - image[:, ::-1]).max()) <= 1


def test_titles_are_wider_than_small_images():
    shifts = {"width_shift_range": [*range(-20, 21, 5)]}
    sheet = preview_sheet(np.full((8, 8, 3), 255, np.uint8), shifts, columns=1)
    ink = np.flatnonzero((np.asarray(sheet.convert("L")) < 255).any(0))
    assert ink[-1] < sheet.width - 3  # the closing bracket, and white beside it


def test_an_idle_parameter_leaves_the_image_as_it_is():
    image = np.asarray(make_image(3, 48, 64))
    row = cells(preview_sheet(image, {"shear_range": 0.2}, columns=3), 1, 4, 48, 64)[0]
    for one in row[1:]:
        assert np.abs(one - image).mean() < 0.5


@pytest.mark.parametrize("ending", [".png", ".jpg"])
def test_from_the_command_line(tmp_path, capsys, ending):
    path = save(tmp_path / "cat" / "a b.jpg", 1)
    out = tmp_path / f"sheet{ending}"
    words = ["data", "preview", str(path), "shear_range=0.2", "fill_mode=wrap", "--out", str(out)]
    assert main.run(words) == 0
    printed, err = capsys.readouterr()
    assert printed == f"{out}\n"
    assert "Warning: shear_range=0.2 is 0.2 degrees" in err and "write 11.5" in err
    assert out.stat().st_size > 1000
    assert main.run(words) == 1  # not overwritten
    assert main.run(["data", "preview", str(tmp_path), "--out", str(tmp_path / "2.png")]) == 0


def test_an_unknown_parameter_names_the_nearest(tmp_path, capsys):
    path = save(tmp_path / "a.jpg", 1)
    words = ["data", "preview", str(path), "zoom=2", "--out", str(tmp_path / "x.png")]
    assert main.run(words) == 2
    assert "did you mean zoom_range?" in capsys.readouterr().err
