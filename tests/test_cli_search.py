"""`minicnn search` from the command line."""

from __future__ import annotations

import csv
import json

import library_tools
import pytest

pytest.importorskip("django", reason="pip install -e '.[web]'")
from image_folders import make_image
from PIL import Image

import minicnn as mc
from minicnn.apps.cli import main
from minicnn.apps.cli.search import read_weights
from minicnn.data.images import decode
from minicnn.errors import ArgumentError
from minicnn.layers import Dense, Flatten

pytestmark = pytest.mark.usefixtures("no_fsync")


def make_model(path, seed):
    """Save a small classifier with random weights."""
    mc.random.set_random_seed(seed)
    network = mc.Sequential([mc.Input((8, 8, 3)), Flatten(), Dense(4), Dense(2, "softmax")])
    network.class_names, network.preprocess = ["dark", "light"], mc.data.Preprocess((8, 8))
    network.save(path)
    return path


@pytest.fixture
def photos(tmp_path):
    """A folder with twelve pictures and their library, indexed by a network in a file."""
    folder = tmp_path / "photos"
    library_tools.make_pictures(folder, 12)
    model = make_model(tmp_path / "shade.mcnn", 1)
    assert main.run(["index", str(folder), "--model", str(model), "--quiet"]) == 0
    return folder


def run(capsys, *words, code=0):
    capsys.readouterr()
    assert main.run(["search", *map(str, words)]) == code
    return capsys.readouterr()


def hits(capsys, *words):
    return json.loads(run(capsys, *words, "--json").out)["hits"]


def test_the_picture_itself_is_the_first_hit(photos, capsys):
    path = photos / "0005.png"
    found = hits(capsys, photos, path, "--top", 3)
    assert len(found) == 3 and found[0]["path"] == str(path)
    assert found[0]["score"] == pytest.approx(1, abs=1e-6)
    for hit in found:
        assert list(hit["parts"]) == ["shade", "class", "color", "texture"]
        assert hit["score"] == sum(hit["parts"].values())
        assert hit["label"] in ("dark", "light")


def test_the_table_has_the_parts_and_the_path(photos, capsys):
    lines = run(capsys, photos, photos / "0005.png", "--top", 2, "--by", "features=3,colour").out
    headings, first, _ = lines.splitlines()
    assert headings.split() == ["number", "score", "shade", "color", "class", "path"]
    assert first.split()[1:4] == ["1.0000", "0.7500", "0.2500"] and first.endswith("0005.png")


def test_pictures_of_the_library_are_liked_and_not(photos, capsys):
    numbers = {hit["path"]: hit["picture"] for hit in hits(capsys, photos, photos / "0001.png")}
    one, two, three = (numbers[str(photos / f"000{i}.png")] for i in (1, 2, 3))
    found = hits(capsys, photos, "--like", one, "--like", two, "--unlike", three)
    assert len(found) == 9 and not {one, two, three} & {hit["picture"] for hit in found}
    both = hits(capsys, photos, photos / "0004.png", "--like", one)
    assert len(both) == 11 and one not in {hit["picture"] for hit in both}


def test_colors_alone_need_no_network(photos, capsys):
    photos.with_name("shade.mcnn").unlink()
    found = hits(capsys, photos, photos / "0003.png", "--by", "color,texture")
    assert found[0]["path"] == str(photos / "0003.png")
    done = run(capsys, photos, photos / "0003.png", code=1)
    assert "shade cannot be loaded" in done.err and "--model FILE" in done.err


def test_a_network_that_was_moved_is_named(photos, capsys):
    model = photos.with_name("shade.mcnn")
    (model.parent / "elsewhere").mkdir()
    moved = model.rename(model.parent / "elsewhere" / "shade.mcnn")
    assert hits(capsys, photos, photos / "0003.png", "--model", moved)


def test_another_model_of_that_name_is_refused(photos, capsys):
    make_model(photos.with_name("shade.mcnn"), 2)
    done = run(capsys, photos, photos / "0003.png", code=1)
    assert "distances would mean nothing" in done.err


def test_only_pictures_of_a_class(photos, capsys):
    everything = hits(capsys, photos, photos / "0003.png")
    for label in ("dark", "light"):
        found = hits(capsys, photos, photos / "0003.png", "--class", label)
        assert found == [hit for hit in everything if hit["label"] == label]
    done = run(capsys, photos, photos / "0003.png", "--class", "unicorn")
    assert done.out == "" and "No picture was found" in done.err


def test_the_hits_are_written_as_a_table_and_drawn(photos, capsys, tmp_path):
    table, sheet = tmp_path / "hits.csv", tmp_path / "hits.png"
    words = (photos, photos / "0003.png", "--top", 7, "--csv", table, "--sheet", sheet)
    run(capsys, *words)
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["number", "score", "shade", "class", "color", "texture", "class", "path"]
    assert len(rows) == 8 and rows[1][-1] == str(photos / "0003.png")
    pixels, query = decode(sheet), decode(photos / "0003.png")[8, 12]
    assert (pixels[100, 100] == query).all()  # the query is the first tile,
    assert (pixels[100, 290] == query).all()  # and the most similar picture the second
    assert "exists already" in run(capsys, *words, code=1).err


def test_a_picture_that_is_gone_leaves_an_empty_tile(photos, capsys, tmp_path):
    (photos / "0003.png").unlink()
    sheet = tmp_path / "hits.png"
    make_image(1).save(tmp_path / "query.png")
    run(capsys, photos, tmp_path / "query.png", "--sheet", sheet)
    with Image.open(sheet) as drawn:
        assert drawn.width > 900


WRONG = {
    "nothing to search for": ((), "give an IMAGE"),
    "a part that is not there": (("--like", 1, "--by", "shape"), "no part 'shape'; it has shade"),
    "a weight that is no number": (("--like", 1, "--by", "color=much"), "PART or PART=NUMBER"),
    "a weight below 0": (("--like", 1, "--by", "color=-1"), "--by"),
    "a picture that is not there": (("--like", 999), "picture 999 is not in the library"),
    "a sheet of no known format": (("--like", 1, "--sheet", "a.svg"), "must end in .png"),
}


@pytest.mark.parametrize(("words", "message"), WRONG.values(), ids=WRONG)
def test_wrong_words_are_named(photos, capsys, words, message):
    assert message in " ".join(run(capsys, photos, *words, code=2).err.split())


def test_missing_files_are_named(photos, capsys, tmp_path):
    assert "none.jpg" in run(capsys, photos, tmp_path / "none.jpg", code=1).err
    assert "minicnn index" in run(capsys, tmp_path / "none.sqlite3", "x.jpg", code=1).err
    (tmp_path / "text.jpg").write_text("no image")
    assert "not an image" in run(capsys, photos, tmp_path / "text.jpg", code=1).err


def test_weights_are_read():
    assert read_weights("features, class=2.5,colour=0") == {
        "features": 1.0, "class": 2.5, "color": 0.0,
    }  # fmt: skip
    with pytest.raises(ArgumentError, match="PART or PART=NUMBER"):
        read_weights("color=")
