"""`minicnn sort` from the command line, on real images and a real model file."""

from __future__ import annotations

import csv
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import types

import numpy as np
import pytest
from PIL import Image
from sorted_trees import contents

import minicnn as mc
from minicnn.apps import sorter
from minicnn.apps.cli import main
from minicnn.apps.sorter import finding
from minicnn.layers import Dense, GlobalAveragePooling2D

# By a network whose probability of "light" is the brightness.
SHADES = {"a.jpg": 10, "b.jpg": 250, "c.png": 140, "d.jpg": 30, "sub/a.jpg": 60}
SORTED = {"dark/a.jpg", "light/b.jpg", "unsure/c.png", "dark/d.jpg"}


@pytest.fixture
def model(tmp_path):
    network = mc.Sequential([mc.Input((8, 8, 3)), GlobalAveragePooling2D(), Dense(1)])
    network.class_names, network.preprocess = ["dark", "light"], mc.data.Preprocess((8, 8))
    network.set_weights([np.full((3, 1), 1 / 3, np.float32), np.zeros(1, np.float32)])
    network.save(tmp_path / "shade.mcnn")
    return tmp_path / "shade.mcnn"


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "my photos"
    for name, shade in SHADES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (16, 16), (shade,) * 3).save(folder / name)
    (folder / "a.xmp").write_text("a title")
    (folder / "notes.txt").write_text("no image")
    return folder


def run(*words, code=0):
    assert main.run(["sort", *map(str, words)]) == code


def below(folder):
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and ".minicnn-sort" not in path.parts
    }


def test_the_plan_is_printed_and_nothing_is_changed(model, photos, capsys):
    before = below(photos)
    run(model, photos)
    out, err = capsys.readouterr()
    assert below(photos) == before and not (photos / ".minicnn-sort").exists()
    assert re.search(r"^dark/ +2$", out, re.MULTILINE)
    assert re.search(r"^light/ +1$", out, re.MULTILINE)
    assert re.search(r"^unsure/ +1$", out, re.MULTILINE)
    least = [line.split()[0] for line in out.split("\n\n")[1].splitlines()[1:]]
    assert least == ["c.png", "d.jpg", "a.jpg", "b.jpg"]  # the least certain first
    assert "MB will be written" in out
    assert "4 images found; left alone: 1 no image" in err
    assert f"To sort: {shlex.join(['minicnn', 'sort', str(model), str(photos), '--apply'])}" in err


def test_the_line_that_the_plan_recommends_does_it(model, photos, capsys):
    options = ["--recursive", "--move", "--min-confidence", "0.9", "--unsure-dir", "not sure"]
    run(model, photos, *options, "--into", photos / "out")
    line = capsys.readouterr().err.split("To sort: ")[1]
    assert main.run(shlex.split(line)[1:]) == 0
    assert below(photos) == {
        "out/dark/a.jpg", "out/dark/a.xmp", "out/light/b.jpg", "notes.txt", "out/not sure/c.png",
        "out/not sure/a.jpg", "out/not sure/d.jpg",
    }  # fmt: skip


def test_without_a_model_the_one_that_comes_with_minicnn_sorts(model, photos, capsys, monkeypatch):
    wanted = []

    def photo_small(weights):
        wanted.append(weights)
        return mc.load_model(model)

    monkeypatch.setattr(mc.zoo, "photo_small", photo_small)
    run(photos)
    out, err = capsys.readouterr()
    assert wanted == ["photos"] and re.search(r"^dark/ +2$", out, re.MULTILINE)
    assert f"To sort: {shlex.join(['minicnn', 'sort', str(photos), '--apply'])}" in err


def test_copies_are_made_and_taken_back(model, photos, capsys):
    before = contents(photos)
    run(model, photos, "--apply")
    out, err = capsys.readouterr()
    assert below(photos) == {*SHADES, "a.xmp", "notes.txt"} | SORTED | {"dark/a.xmp"}
    assert re.search(r"^dark/ +2$", out, re.MULTILINE) and "least certain" not in out
    assert "4 images copied." in err and "To take it back: minicnn sort" in err
    run(model, photos)
    assert "There is nothing to do" in capsys.readouterr().err
    run(photos, "--undo")
    assert "4 images back as before." in capsys.readouterr().err
    assert contents(photos) == before
    run(photos, "--undo", code=1)
    assert "no sorting into this folder can be taken back" in capsys.readouterr().err


@pytest.mark.parametrize("way", ["folder first", "folder last", "journal", "into"])
def test_moved_files_are_taken_back(model, photos, tmp_path, capsys, way):
    before = contents(photos)
    into = tmp_path / "out" if way == "into" else photos
    run(model, photos, "--apply", "--move", "--into", into)
    assert below(into) - {"sub/a.jpg", "notes.txt"} == {*SORTED, "dark/a.xmp"}
    words = {
        "folder first": [photos, "--undo"],
        "folder last": ["--undo", photos],
        "journal": ["--undo", sorter.latest_journal(into)],
        "into": [photos, "--undo", "--into", into],
    }
    run(*words[way])
    assert contents(photos) == before


def test_json(model, photos, capsys):
    run(model, photos, "--json", "--min-confidence", "0.5")
    plan = json.loads(capsys.readouterr().out)
    assert plan["counts"] == {"dark": 2, "light": 2} and plan["applied"] is False
    assert plan["left_alone"] == {"no image": 1} and plan["expected"] is None
    first = plan["images"][0]
    assert first["path"] == str(photos / "a.jpg") and first["label"] == "dark"
    assert first["companions"] == [str(photos / "a.xmp")]
    assert first["target"] == str(photos / "dark" / "a.jpg")
    assert [one["label"] for one in first["top"]] == ["dark", "light"]
    run(model, photos, "--json", "--apply")
    done = json.loads(capsys.readouterr().out)
    assert (done["applied"], done["done"], done["failed"]) == (True, 4, [])
    run("--undo", done["journal"], "--json")
    assert json.loads(capsys.readouterr().out)["done"] == 4


def test_csv(model, photos, tmp_path, capsys):
    run(model, photos, "--csv", tmp_path / "plan.csv")
    rows = list(csv.DictReader((tmp_path / "plan.csv").read_text().splitlines()))
    assert [row["label"] for row in rows] == ["dark", "light", "", "dark"]
    assert rows[2]["note"] == "unsure" and rows[2]["top1"] == "light"
    assert rows[0]["target"] == str(photos / "dark" / "a.jpg")
    run(model, photos, "--csv", tmp_path / "plan.csv", code=1)
    run(model, photos, "--csv", tmp_path / "plan.csv", "--force")


def test_taken_names_are_told(model, photos, capsys):
    (photos / "dark").mkdir()
    (photos / "dark" / "A.JPG").write_text("another one")
    run(model, photos)
    out = capsys.readouterr().out
    assert "1 names exist already in their folders" in out
    assert "saved as a (1).jpg; nothing is overwritten" in out


def test_what_the_threshold_means_is_told(model, photos, capsys, monkeypatch):
    class Calibration:
        """Changes no probability, and knows what a threshold is worth."""

        def probabilities(self, rows):
            return rows

        def at(self, threshold):
            return types.SimpleNamespace(accuracy=0.934 * (threshold == 0.7), unsure=0.081)

    monkeypatch.setattr(mc.Sequential, "calibration", Calibration(), raising=False)
    run(model, photos, "--min-confidence", "0.7")
    assert (
        "At 0.70 about 93% of what is sorted is right, 8% are left unsure."
        in capsys.readouterr().out
    )
    run(model, photos, "--min-confidence", "0.7", "--json")
    expected = json.loads(capsys.readouterr().out)["expected"]
    assert expected == {"accuracy": 0.934, "unsure": 0.081}


def test_images_that_cannot_be_read_stay_and_are_named(model, photos, capsys):
    (photos / "broken.jpg").write_bytes((photos / "a.jpg").read_bytes()[:50])
    run(model, photos, "--apply", "--move", code=3)
    out, err = capsys.readouterr()
    assert re.search(r"^stay: unreadable +1$", out, re.MULTILINE)
    assert "broken.jpg cannot be read" in err and "1 image unreadable" in err
    assert (photos / "broken.jpg").exists()


def test_without_pillow_heif_the_command_says_what_heic_needs(model, photos, capsys, monkeypatch):
    (photos / "1.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0")
    monkeypatch.setattr(finding, "reads_heic", lambda: False)
    run(model, photos)
    err = capsys.readouterr().err
    assert "1 HEIC, which needs pillow-heif" in err
    assert re.search(r"HEIC images are read after: .*pip install .*\[heic\]", err)


def test_heic_is_sorted_with_its_video(model, photos):
    pillow_heif = pytest.importorskip("pillow_heif", reason="pip install -e '.[heic]'")
    pillow_heif.from_pillow(Image.new("RGB", (64, 64), (250,) * 3)).save(photos / "1.HEIC")
    (photos / "1.MOV").write_bytes(b"a video")
    run(model, photos, "--apply", "--move")
    assert below(photos) >= {"light/1.HEIC", "light/1.MOV"}


def test_files_that_stay_are_named(model, photos, capsys):
    (photos / "dark").write_text("a file with the name of a class")
    run(model, photos, "--apply", code=3)
    err = capsys.readouterr().err
    assert "2 images copied." in err and "a.jpg stays where it is" in err
    assert "2 images not sorted" in err


WRONG = {
    "nothing": ([], 2, "DIR is missing"),
    "no folder of images": (["{model}"], 1, "is a file; give a folder of images"),
    "three words": (["{model}", "{photos}", "{photos}"], 2, "at most one model, and one folder"),
    "no folder": (["{model}", "{photos}/nothing"], 1, "no such folder"),
    "no images": (["{model}", "{photos}/empty"], 1, "no images here; folders below it are read"),
    "a model that is none": (["{photos}/a.jpg", "{photos}"], 1, "a.jpg"),
    "a threshold": (["{model}", "{photos}", "--min-confidence", "7"], 2, "0<=x<=1"),
    "a folder for unsure ones": (["{model}", "{photos}", "--unsure-dir", "../x"], 2, "unsure"),
    "undo what": (["--undo"], 2, "DIR is missing"),
    "undo and resume": (["{photos}", "--undo", "--resume"], 2, "either --undo or --resume"),
    "undo nothing": (["{photos}", "--undo"], 1, "can be taken back"),
    "resume nothing": (["{photos}", "--resume"], 1, "can be gone on with"),
    "undo no journal": (["--undo", "{photos}/notes.txt"], 1, "is not a journal"),
}


@pytest.mark.parametrize(("words", "code", "text"), WRONG.values(), ids=WRONG)
def test_mistakes(model, photos, capsys, words, code, text):
    (photos / "empty").mkdir()
    run(*[word.format(model=model, photos=photos) for word in words], code=code)
    assert text in capsys.readouterr().err


def test_ctrl_c_stops_between_images_and_the_rest_can_be_resumed(
    model, photos, capsys, monkeypatch
):
    monkeypatch.setattr(sorter.jobs, "GROUPS_AT_A_TIME", 1)
    real = sorter.carrying.Carrier.carry

    def carry(self, groups):
        os.kill(os.getpid(), signal.SIGINT)
        return real(self, groups)

    with monkeypatch.context() as patched:
        patched.setattr(sorter.carrying.Carrier, "carry", carry)
        run(model, photos, "--apply", "--move", code=130)
    err = capsys.readouterr().err
    assert "1 image moved" in err and "To go on: minicnn sort" in err
    assert len(below(photos) & SORTED) == 1
    run(*shlex.split(err.split("To go on: ")[1].splitlines()[0])[2:])
    assert below(photos) >= SORTED


def test_an_interrupted_sorting_comes_first(model, photos, capsys):
    before = contents(photos)
    run(model, photos, "--apply", "--move")
    journal = sorter.latest_journal(photos)
    lines = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join(lines[:-2]))  # as if it had been killed at the end
    capsys.readouterr()
    (photos / "dark" / "a.jpg").rename(photos / "new.jpg")
    run(model, photos)
    assert "an earlier sorting was interrupted" in capsys.readouterr().err
    run(model, photos, "--apply", code=1)
    assert f"minicnn sort {shlex.quote(str(photos))} --undo" in capsys.readouterr().err
    (photos / "new.jpg").rename(photos / "dark" / "a.jpg")
    run("--undo", journal)
    assert contents(photos) == before


def test_a_killed_command_is_undone_by_another_one(model, photos, tmp_path):
    """The whole program, killed while it sorts."""
    for i in range(200):
        Image.new("RGB", (16, 16), (i,) * 3).save(photos / f"more {i}.jpg")
    before = contents(photos)
    words = [sys.executable, "-m", "minicnn", "sort"]
    process = subprocess.Popen([*words, model, photos, "--apply", "--move"])
    while process.poll() is None and not (photos / "dark").exists():
        time.sleep(0.001)
    process.kill()
    process.wait()
    subprocess.run([*words, "--undo", photos], check=True)
    assert contents(photos) == before
