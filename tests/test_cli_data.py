"""`minicnn data ...` from the command line, on real files."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
from pathlib import Path

import pytest
from fetch_server import answer, internet
from image_folders import make_folder, save

from minicnn.apps.cli import main

DATA = Path(os.environ.get("MINICNN_DATA", "/nowhere"))
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="MINICNN_DATA is not set")


@pytest.fixture
def photos(tmp_path):
    return make_folder(tmp_path / "my photos", {"cat": 20, "dog": 10})


def run(*words, code=0):
    assert main.run(["data", *map(str, words)]) == code


def test_split(photos, tmp_path, capsys):
    run("split", photos, tmp_path / "sets", "--parts", "70/20/10")
    out, err = capsys.readouterr()
    assert re.search(r"^cat +14 +4 +2$", out, re.MULTILINE)
    assert re.search(r"^all +21 +6 +3$", out, re.MULTILINE)
    assert "Found 30 images belonging to 2 classes." in err
    assert len(list((tmp_path / "sets" / "val" / "dog").iterdir())) == 2
    run("split", photos, tmp_path / "sets", code=1)
    assert "exists already" in capsys.readouterr().err
    capsys.readouterr()
    run("split", photos, tmp_path / "other", "--parts", "half", code=2)
    run("split", photos, tmp_path / "other", "--group-by", "(", code=2)
    run("split", tmp_path / "sets", tmp_path / "other", code=1)
    assert "is split already, into train, val, test" in capsys.readouterr().err


@pytest.mark.parametrize("inside", [".", "sets", "cat/sets"])
def test_a_split_never_lands_among_the_classes(photos, capsys, inside):
    run("split", photos, photos / inside, code=1)
    assert "must be outside of" in capsys.readouterr().err
    assert sorted(path.name for path in photos.iterdir()) == ["cat", "dog"]


def test_a_split_counts_what_was_copied_and_ends_with_3_where_that_is_not_all(
    photos, tmp_path, capsys
):
    (photos / "cat" / "cat_000.jpg").unlink()
    os.mkfifo(photos / "cat" / "cat_000.jpg")
    save(tmp_path / "elsewhere.jpg", 99)
    (photos / "dog" / "z.jpg").symlink_to(tmp_path / "elsewhere.jpg")
    run("split", photos, tmp_path / "sets", "--parts", "80/20", "--json", code=3)
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert sum(found["counts"]["train"].values()) + sum(found["counts"]["test"].values()) == 29
    assert sum(1 for _ in (tmp_path / "sets").rglob("*.jpg")) == 29
    assert "2 of 31 images were not copied" in err
    assert "z.jpg could not be copied (a link leads out of the folder)" in err
    run("split", photos, tmp_path / "more", "--follow-links", "--json", code=3)
    assert len(json.loads(capsys.readouterr().out)["failures"]) == 1


def test_no_command_waits_for_a_pipe_among_the_images(photos, tmp_path, capsys):
    os.mkfifo(photos / "cat" / "p.jpg")
    run("check", photos, code=3)
    out = capsys.readouterr().out
    assert re.search(r"cat.p\.jpg \(is a device, a pipe or a socket; give a regular file\)", out)
    run("stats", photos)
    assert "p.jpg could not be read (is a device, a pipe" in capsys.readouterr().err
    run("preview", photos / "cat" / "p.jpg", "--out", tmp_path / "sheet.png", code=1)
    run("rename", photos, "--apply")
    assert (photos / "cat" / "cat_0021.jpg").is_fifo()
    os.mkfifo(tmp_path / "journal.csv")
    run("rename", photos, "--undo", tmp_path / "journal.csv", code=1)
    os.mkfifo(tmp_path / "links.csv")
    run("fetch", tmp_path / "links.csv", "--to", tmp_path / "new", code=1)
    assert capsys.readouterr().err.count("is a device, a pipe or a socket") == 3


def test_split_as_json(photos, tmp_path, capsys):
    run("split", photos, tmp_path / "sets", "--parts", "80/20", "--json", "--quiet")
    out, err = capsys.readouterr()
    assert json.loads(out)["counts"] == {
        "train": {"cat": 16, "dog": 8}, "test": {"cat": 4, "dog": 2},
    }  # fmt: skip
    assert err == ""


def test_stats(photos, capsys):
    (photos / "cat" / "bad.jpg").write_bytes(b"")
    run("stats", photos, "--pixels")
    out, err = capsys.readouterr()
    assert re.search(r"^cat +20 +24\.0 +24 +24 +32\.0 +32 +32 .*20 JPEG RGB$", out, re.MULTILINE)
    assert "bad.jpg could not be read (the file is empty)" in err
    run("stats", photos, "--paper", "dog")
    assert capsys.readouterr().out.startswith(
        "Average Height: 24.0\nMax Height: 24\nMin Height: 24"
    )
    run("stats", photos, "--json")
    found = json.loads(capsys.readouterr().out)
    assert found["classes"][2] | {"bytes": 0} == {
        "part": "my photos", "name": "all", "images": 30, "bytes": 0,
        "height": {"mean": 24.0, "min": 24, "max": 24},
        "width": {"mean": 32.0, "min": 32, "max": 32}, "kinds": {"JPEG RGB": 30},
        "mean": None, "std": None,
    }  # fmt: skip


def test_check_ends_with_3_where_there_are_errors(photos, tmp_path, capsys):
    run("check", photos)
    assert "Nothing found" in capsys.readouterr().out
    shutil.copy(photos / "cat" / "cat_000.jpg", photos / "dog" / "0.jpg")
    for i in range(5):
        (photos / "cat" / f"bad{i}.jpg").write_bytes(b"x")
    run("check", photos, "--csv", tmp_path / "found.csv", code=3)
    out, err = capsys.readouterr()
    assert "ERROR: unreadable, 5" in out and "and 2 more" in out
    assert "ERROR: two classes, 1" in out
    assert f"cat{os.sep}cat_000.jpg = dog{os.sep}0.jpg (cat and dog)" in out
    assert "6 errors in 36 images" in err
    assert len((tmp_path / "found.csv").read_text().splitlines()) == 7
    run("check", photos, "--csv", tmp_path / "found.csv", code=1)
    capsys.readouterr()
    run("check", photos, "--json", code=3)
    assert json.loads(capsys.readouterr().out)["errors"] == 6


def test_rename_is_a_dry_run_until_it_is_applied(photos, tmp_path, capsys):
    save(photos / "dog" / "new.png", 77)
    run("rename", photos)
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 21 and out.endswith("and 11 more (--all lists them)\n")
    assert "31 files would be renamed" in err
    run("rename", photos, "--all")
    assert len(capsys.readouterr().out.splitlines()) == 31
    run("rename", photos, "--json")
    assert len(json.loads(capsys.readouterr().out)["renames"]) == 31
    assert (photos / "dog" / "new.png").exists()
    run("rename", photos, "--apply")
    assert (photos / "dog" / "dog_0011.png").exists()
    # What it says takes it back, as a shell reads the line.
    line = capsys.readouterr().out.strip().partition("; to undo: ")[2]
    assert main.run(shlex.split(line)[1:]) == 0
    assert (photos / "dog" / "new.png").exists()
    assert "31 files have their old names again" in capsys.readouterr().out
    run("rename", code=2)
    run("rename", photos, "--pattern", "no number", code=2)


def test_rename_of_the_folder_where_one_is(photos, tmp_path, monkeypatch):
    monkeypatch.chdir(photos)
    run("rename", ".", "--apply", "--json")
    assert (tmp_path / "my photos-renamed.csv").exists()


def test_commands_recognize_splits(photos, tmp_path, capsys):
    run("split", photos, tmp_path / "sets", "--parts", "80/20")
    capsys.readouterr()
    run("stats", tmp_path / "sets")
    out, err = capsys.readouterr()
    assert "train: Found 24 images belonging to 2 classes." in err
    assert [line.split()[:2] for line in out.splitlines() if line.startswith(("cat", "all"))] == [
        ["cat", "16"], ["all", "24"], ["cat", "4"], ["all", "6"],
    ]  # fmt: skip
    run("stats", tmp_path / "sets", "--json")
    rows = json.loads(capsys.readouterr().out)["classes"]
    assert [(row["part"], row["name"], row["images"]) for row in rows] == [
        ("train", "cat", 16), ("train", "dog", 8), ("train", "all", 24),
        ("test", "cat", 4), ("test", "dog", 2), ("test", "all", 6),
    ]  # fmt: skip
    run("rename", tmp_path / "sets", "--apply")
    assert (tmp_path / "sets" / "test" / "cat" / "cat_0004.jpg").exists()


def test_colors_have_a_table_that_fits_80_columns(photos, capsys):
    run("stats", photos, "--pixels")
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    assert re.search(r"^class +mean red +green +blue +std red +green +blue$", out, re.MULTILINE)


def test_fetch_from_a_server_of_the_local_network(tmp_path, capsys):
    image = save(tmp_path / "x.jpg", 1).read_bytes()
    with internet({"/1.jpg": answer(image), "/2": answer(b"<html>", "text/html")}) as net:
        home = f"http://127.0.0.1:{net.port}"
        lines = ["link", f"{home}/1.jpg", f"{home}/2", "file:///etc/passwd"]
        (tmp_path / "cat.csv").write_text("\n".join(lines))
        run("fetch", tmp_path / "cat.csv", "--to", tmp_path / "photos", code=3)
        out, err = capsys.readouterr()
        assert "0 of 3 links" in out and "no link is an image in cat" in err
        assert net.requests == []  # a private address, refused
        run("fetch", tmp_path / "cat.csv", "--to", tmp_path / "photos", "--allow-private")
    assert "1 of 3 links are images; for the others see" in capsys.readouterr().out
    assert (tmp_path / "photos" / "cat" / "00001.jpg").read_bytes() == image
    report = (tmp_path / "photos" / "cat.fetched.csv").read_text().splitlines()
    assert "'text/html', which is not an image" in report[2]
    assert report[3].startswith("file:///etc/passwd,,")


def test_lists_that_would_fill_one_folder_are_refused(tmp_path, capsys):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "cat.csv").write_text("http://127.0.0.1/1.jpg")
    lists = [tmp_path / "a" / "cat.csv", tmp_path / "b" / "cat.csv"]
    run("fetch", *lists, "--to", tmp_path / "photos", code=2)
    assert "would both fill the folder cat" in capsys.readouterr().err
    assert not (tmp_path / "photos").exists()


NOT_THERE = {
    "no folder": ("nowhere", "no such folder"),
    "an empty folder": ("empty", "no class folders here"),
    "a file": ("file.txt", "is a file; give a folder with one folder of images per class"),
}


@pytest.mark.parametrize("command", ["check", "stats", "rename"])
@pytest.mark.parametrize(("name", "text"), NOT_THERE.values(), ids=NOT_THERE)
def test_folders_that_cannot_be_used(tmp_path, capsys, command, name, text):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file.txt").write_text("x")
    run(command, tmp_path / name, code=1)
    assert text in capsys.readouterr().err


def test_a_class_that_is_not_there_and_those_that_are(photos, capsys):
    run("stats", photos, "--paper", "cats", code=1)
    text = "no folder for the class 'cats'; there are: cat, dog"
    assert text in capsys.readouterr().err


@needs_data
def test_the_papers_figures_on_real_scenes(capsys):
    run("stats", DATA / "scenes" / "train", "--paper", "glacier")
    out = capsys.readouterr().out
    assert re.search(r"^Average Width: 150\.0\nMax Width: 150\nMin Width: 150$", out, re.MULTILINE)
    assert "Max Height: 150" in out


@needs_data
def test_real_photos_split_70_20_10(tmp_path, capsys):
    run("split", DATA / "photos", tmp_path / "sets")
    assert re.search(r"^all +1260 +360 +180$", capsys.readouterr().out, re.MULTILINE)
    run("check", tmp_path / "sets", "--no-look-alikes", code=0)


def test_a_name_with_a_line_end_makes_no_line_of_its_own(photos, capsys):
    (photos / "cat" / "a\nERROR: all is lost.txt").write_text("")
    run("check", photos)
    assert "\nERROR" not in (out := capsys.readouterr().out)
    assert "cat/a\\nERROR: all is lost.txt" in out
