"""The command `minicnn sort learn`: its table, its file and its words."""

from __future__ import annotations

import json

import numpy as np
import pytest
from image_folders import COLORS, make_colored

from minicnn.apps.cli import main
from minicnn.data import Preprocess
from minicnn.layers import Dense, GlobalAveragePooling2D, Input
from minicnn.models import Sequential, load_model
from minicnn.models.feature_sample import FeatureSample


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with colors.mcnn, which tells red from blue, and pictures of a third color."""
    monkeypatch.chdir(tmp_path)
    layers = [Input((8, 8, 3)), GlobalAveragePooling2D(), Dense(2, activation="softmax")]
    model = Sequential(layers, name="colors")
    model.class_names, model.preprocess = ["blue", "red"], Preprocess((8, 8))
    model.set_weights([np.array([[-9, 9], [0, 0], [9, -9]], np.float32), np.zeros(2, np.float32)])
    values = np.repeat([COLORS["blue"], COLORS["red"]], 10, axis=0) / 255
    model.feature_sample = FeatureSample(values, np.repeat([0, 1], 10), np.arange(20) % 2 == 1)
    model.save("colors.mcnn")
    make_colored(tmp_path / "new", 10, {"green": COLORS["green"]})
    return tmp_path


def test_it_writes_another_model_and_shows_what_changed(here, capsys):
    before = (here / "colors.mcnn").read_bytes()
    assert main.run(["sort", "learn", "colors.mcnn", "new"]) == 0
    out = capsys.readouterr().out
    assert "green, new class" in out and "from 10 pictures: 10 of green" in out
    assert "known classes" in out and "colors-2.mcnn" in out
    assert (here / "colors.mcnn").read_bytes() == before
    assert load_model(here / "colors-2.mcnn").class_names == ["blue", "red", "green"]


def test_its_result_for_programs(here, capsys):
    words = ["sort", "learn", "colors.mcnn", "new", "--out", "a.mcnn", "--json"]
    assert main.run(words) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["new_classes"] == ["green"] and found["pictures"] == {"green": 10}
    assert found["known_classes"]["before"] == found["known_classes"]["after"] == 1
    assert found["changes"][-1]["after"] >= 0.9 and found["file"] == "a.mcnn"
    assert main.run(words) == 1, "a.mcnn is there already"
    assert main.run([*words, "--force"]) == 0


def test_a_second_lesson_has_a_third_file(here):
    assert main.run(["sort", "learn", "colors.mcnn", "new", "--quiet"]) == 0
    assert main.run(["sort", "learn", "colors.mcnn", "new", "--quiet"]) == 0
    assert (here / "colors-3.mcnn").exists()


@pytest.mark.parametrize("words", [[], ["a", "b", "c"]])
def test_it_wants_a_folder(here, capsys, words):
    assert main.run(["sort", "learn", *words]) == 2
    assert "minicnn sort learn [MODEL] DIR" in capsys.readouterr().err


def test_pictures_that_cannot_be_read_are_counted(here, capsys):
    (here / "new" / "green" / "broken.jpg").write_bytes(b"nothing")
    assert main.run(["sort", "learn", "colors.mcnn", "new"]) == 0
    assert "1 of the pictures cannot be read" in capsys.readouterr().err


def test_without_the_word_learn_it_still_sorts(here, capsys):
    assert main.run(["sort", "colors.mcnn", "new", "--recursive", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)
