"""Files that commands write: none is overwritten, and a missing folder is reported first."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import minicnn as mc
from minicnn.apps.cli.main import run
from minicnn.data import Preprocess
from minicnn.layers import Conv2D, Dense, Flatten

WRITING = {
    "data check": (["data", "check", "data", "--csv"], "out.csv"),
    "data preview": (["data", "preview", "data", "--out"], "out.png"),
    "show": (["show", "m.mcnn", "kernels", "--out"], "out.png"),
    "predict": (["predict", "m.mcnn", "data", "--csv"], "out.csv"),
    "test": (["test", "m.mcnn", "data", "--report"], "out.html"),
    "classic": (["classic", "--data", "data", "--features", "color", "--classifier", "tree",
                 "--csv"], "out.csv"),
}  # fmt: skip
each_command = pytest.mark.parametrize(("words", "name"), WRITING.values(), ids=WRITING)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with images of two classes and a small network for them, and us in it."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for lightness, name in enumerate(("dark", "light")):
        (tmp_path / "data" / name).mkdir(parents=True)
        for i in range(10):
            pixels = rng.integers(0, 100, (20, 16, 3)) + 150 * lightness
            Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / "data" / name / f"{i}.png")
    model = mc.Sequential([mc.Input((10, 8, 3)), Conv2D(2, 3), Flatten(), Dense(2, "softmax")])
    model.class_names, model.preprocess = ["dark", "light"], Preprocess((10, 8))
    model.save("m.mcnn")
    return tmp_path


@each_command
def test_a_file_that_is_there_stays_unless_forced(here, capsys, words, name):
    if words[0] == "classic":
        pytest.importorskip("sklearn")
    out = here / name
    out.write_text("mine")
    assert run([*words, name]) == 1
    said = capsys.readouterr()
    assert f"{name}: exists already; give another name, or --force to overwrite it" in said.err
    assert said.out == "" and out.read_text() == "mine"
    assert run([*words, name, "--force"]) == 0
    assert out.stat().st_size > 20


@each_command
def test_a_folder_that_is_not_there_is_named_before_the_work(here, capsys, words, name):
    assert run([*words, f"nowhere/{name}"]) == 1
    said = capsys.readouterr()
    assert said.err == "FileNotFoundError: nowhere: no such folder; create it first\n"
    assert said.out == ""


def test_classic_looks_at_the_run_before_it_trains(here, capsys):
    """The run began and has no model: that was said after all methods had learned."""
    pytest.importorskip("sklearn")
    (here / "run-1").mkdir()
    (here / "run-1" / "config.toml").write_text('model = "photo"\ndata = "data"\n')
    assert run(["classic", "--run", "run-1", "--features", "color", "--classifier", "tree"]) == 1
    err = capsys.readouterr().err
    assert "run-1: this folder has no best.mcnn" in err and "decision tree" not in err


@pytest.mark.parametrize("command", ["data preview", "show"])
@pytest.mark.parametrize("name", ["out.xyz", "out"])
def test_a_figure_of_no_known_kind(here, capsys, command, name):
    assert run([*WRITING[command][0], name]) == 2
    assert f"{name} must end in .png or .jpg" in capsys.readouterr().err
