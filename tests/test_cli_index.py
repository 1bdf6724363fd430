"""`minicnn index` from the command line, on real pictures and real model files."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time

import library_tools
import numpy as np
import pytest

pytest.importorskip("django", reason="Django is missing: pip install -e '.[dev]'")

import minicnn as mc
from minicnn.apps.cli import main
from minicnn.apps.library import listing
from minicnn.apps.library.models import Extractor, Features, Picture
from minicnn.apps.library.opening import NAME_IN_FOLDER
from minicnn.layers import Dense, Flatten


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    """The vectors of a library on a server are kept in the cache."""
    monkeypatch.setenv("MINICNN_HOME", str(tmp_path_factory.mktemp("home")))


def make_model(path, seed=1):
    """Save a small classifier of what is light and what dark."""
    network = mc.Sequential([mc.Input((8, 8, 3)), Flatten(), Dense(4), Dense(2, "softmax")])
    network.class_names, network.preprocess = ["dark", "light"], mc.data.Preprocess((8, 8))
    shapes = [weights.shape for weights in network.get_weights()]
    rng = np.random.default_rng(seed)
    network.set_weights([rng.standard_normal(shape).astype(np.float32) for shape in shapes])
    network.save(path)
    return path


@pytest.fixture
def model(tmp_path):
    return make_model(tmp_path / "shade.mcnn")


@pytest.fixture
def photos(tmp_path):
    library_tools.make_pictures(tmp_path / "my photos", 12)
    return tmp_path / "my photos"


def run(*words, code=0):
    assert main.run(["index", *map(str, words)]) == code


def rows(table, address):
    with library_tools.opened(address) as library:
        return list(table.objects.using(library.alias).order_by("pk"))


def test_a_folder_gets_a_library(photos, model, capsys):
    run(photos, "--model", model)
    out, err = capsys.readouterr()
    assert out.splitlines()[0] == "12 pictures found: 12 new"
    assert re.fullmatch(r"12 pictures indexed in .*, [\d,]+ a second", out.splitlines()[1])
    assert f"{photos / NAME_IN_FOLDER}, described by color, texture, shade" in err
    line = err.splitlines()[-1].removeprefix("To search it: ")
    assert shlex.split(line) == ["minicnn", "search", str(photos), "PICTURE"]
    assert len(rows(Features, photos)) == 36


def test_a_second_run_knows_the_network_and_finds_nothing(photos, model, capsys):
    run(photos, "--model", model)
    capsys.readouterr()
    run(photos)
    out, err = capsys.readouterr()
    assert out == "12 pictures found, nothing has changed\n"
    assert "described by color, texture, shade" in err


def test_a_new_library_has_the_network_that_is_best_here(photos, monkeypatch, capsys):
    from minicnn.apps.library import loading

    monkeypatch.setattr(loading, "default_network", lambda: "photo-small")
    run(photos)
    assert [one.name for one in rows(Extractor, photos)] == ["color", "texture", "photo-small"]
    assert rows(Extractor, photos)[2].source == "photo-small"


def test_the_result_as_json(photos, model, capsys):
    (photos / "broken.png").write_bytes(b"broken")
    (photos / "notes.txt").write_text("no image")
    run(photos, "--model", model, "--json", "--quiet", code=3)
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert found["schema"] == 1
    assert found["library"] == str(photos / NAME_IN_FOLDER)
    assert found["folders"] == [str(photos)]
    assert list(found["extractors"]) == ["color", "texture", "shade"]
    numbers = {
        key: found[key] for key in ("found", "new", "changed", "moved", "deleted", "indexed")
    }
    assert list(numbers.values()) == [13, 13, 0, 0, 0, 12]
    assert found["left_out"] == {listing.NO_IMAGE: 1}
    assert [one["path"] for one in found["failed"]] == [str(photos / "broken.png")]
    assert found["stopped"] is False and found["seconds"] > 0
    assert "broken.png cannot be read" in err and "1 of 13 pictures cannot be read" in err


def test_changes_are_told(photos, model, capsys):
    run(photos, "--model", model)
    (photos / "0000.png").unlink()
    (photos / "0001.png").write_bytes((photos / "0002.png").read_bytes() + b"more")
    (photos / "0003.png").rename(photos / "moved.png")
    library_tools.make_pictures(photos, 2, start=40)
    capsys.readouterr()
    run(photos)
    first = capsys.readouterr().out.splitlines()[0]
    assert first == "13 pictures found: 2 new, 1 changed, 1 moved, 1 deleted"


def test_several_folders_need_a_place_for_their_library(photos, model, tmp_path, capsys):
    library_tools.make_pictures(tmp_path / "more", 3, start=30)
    run(photos, tmp_path / "more", code=2)
    assert "--library FILE" in capsys.readouterr().err
    file = tmp_path / "all.sqlite3"
    run(photos, tmp_path / "more", "--library", file, "--model", model)
    assert len(rows(Picture, file)) == 15
    assert not (photos / NAME_IN_FOLDER).exists()
    library_tools.make_pictures(tmp_path / "more", 1, start=60)
    capsys.readouterr()
    run("--library", file)
    assert capsys.readouterr().out.splitlines()[0] == "16 pictures found: 1 new"


def test_a_database_is_filled(photos, model, postgres, capsys):
    run(photos, "--database", postgres, "--model", model)
    out, err = capsys.readouterr()
    assert out.splitlines()[0] == "12 pictures found: 12 new"
    assert "postgres@" not in err and "postgresql://" in err
    assert len(rows(Features, postgres)) == 36
    run("stats", postgres, "--json")
    assert json.loads(capsys.readouterr().out)["pictures"] == 12
    run("verify", postgres)
    assert "All is in order." in capsys.readouterr().out


def test_no_message_shows_the_password(photos, capsys):
    pytest.importorskip("psycopg", reason="psycopg is missing: pip install -e '.[dev]'")
    run(photos, "--database", "postgresql://me:hidden-word@127.0.0.1:1/pictures", code=1)
    err = capsys.readouterr().err
    assert "postgresql://127.0.0.1:1/pictures" in err and "hidden-word" not in err


def test_another_model_of_the_same_name_is_refused(photos, model, capsys):
    run(photos, "--model", model)
    first = rows(Extractor, photos)[2].sha256[:8]
    make_model(model, seed=2)
    capsys.readouterr()
    run(photos, code=1)
    err = capsys.readouterr().err
    assert f"made with the shade {first}…" in err and "--rebuild" in err
    run(photos, "--rebuild")
    assert rows(Extractor, photos)[-1].sha256[:8] != first
    assert len(rows(Features, photos)) == 36


def test_a_second_network_describes_all_pictures(photos, model, tmp_path):
    run(photos, "--model", model)
    run(photos, "--model", make_model(tmp_path / "other.mcnn", seed=3))
    names = {one.name: one.features.count() for one in rows(Extractor, photos)}
    assert names == {"color": 12, "texture": 12, "shade": 12, "other": 12}


@pytest.mark.filterwarnings("always:the network:UserWarning")
def test_a_network_that_is_gone_is_asked_for(photos, model, tmp_path, capsys):
    run(photos, "--model", model)
    model.rename(tmp_path / "elsewhere.mcnn")
    capsys.readouterr()
    run(photos, code=1)
    assert "network shade cannot be loaded" in capsys.readouterr().err
    run(photos, "--model", tmp_path / "elsewhere.mcnn")
    assert "Warning: the network shade cannot be loaded" in capsys.readouterr().err
    (tmp_path / "new place").mkdir()
    (tmp_path / "elsewhere.mcnn").rename(tmp_path / "new place" / "shade.mcnn")
    run(photos, "--model", tmp_path / "new place" / "shade.mcnn")
    assert str(tmp_path / "new place" / "shade.mcnn") in {
        one.source for one in rows(Extractor, photos)
    }


def test_a_network_is_forgotten(photos, model, tmp_path, capsys):
    run(photos, "--model", model)
    run(photos, "--model", make_model(tmp_path / "other.mcnn", seed=3))
    run("forget", photos, "other")
    assert "12 pictures are no longer described by other." in capsys.readouterr().out
    assert len(rows(Features, photos)) == 36
    run("forget", photos, "other", code=1)
    assert "but by color, shade, texture" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code", "message"),
    {
        "no folder": ([], 2, "DIR is missing"),
        "two places": (["a", "--library", "b", "--database", "c"], 2, "either --library or"),
        "a missing folder": (["missing"], 1, "no such folder"),
        "a missing library": (["--library", "missing.sqlite3"], 1, "no such library; make it with"),
        "a missing model": ([".", "--model", "missing.mcnn"], 1, "missing.mcnn"),
        "stats of nothing": (["stats", "missing"], 1, "no such library; make it with"),
        "no address": ([".", "--database", "postgresql://host"], 1, "HOST:PORT/DATABASE"),
        "no address at all": ([".", "--database", "server"], 2, "postgresql://"),
    }.values(),
)
def test_mistakes_are_one_line_with_what_to_do(words, code, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    run(*words, code=code)
    err = capsys.readouterr().err
    assert message in err and "Traceback" not in err


def test_a_missing_folder_leaves_no_library(tmp_path, capsys):
    run(tmp_path / "missing", code=1)
    assert not list(tmp_path.iterdir())
    (tmp_path / "photos").mkdir()
    run(tmp_path / "photo", code=1)
    assert f"no such folder, did you mean {tmp_path / 'photos'}?" in capsys.readouterr().err


def test_an_empty_folder_is_told(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    run(tmp_path / "empty", "--model", "photo-small", code=1)
    assert "no pictures here" in capsys.readouterr().err


def test_a_vanished_disk_is_refused(photos, model, capsys):
    run(photos, "--model", model)
    for path in photos.glob("*.png"):
        path.unlink()
    run(photos, code=1)
    assert "--force" in capsys.readouterr().err
    run(photos, "--force", code=1)
    assert "no pictures here" in capsys.readouterr().err
    assert rows(Picture, photos) == []


def test_the_numbers_of_a_library(photos, model, capsys):
    (photos / "broken.png").write_bytes(b"broken")
    run(photos, "--model", model, code=3)
    capsys.readouterr()
    run("stats", photos)
    out = capsys.readouterr().out
    assert out.startswith("13 pictures, 1 unreadable; ")
    assert re.search(r"^shade +[0-9a-f]{8} +4 +12$", out, re.MULTILINE)
    assert "class by shade" in out and f"{photos / 'broken.png'}: it is not an image" in out
    run("stats", photos, "--json")
    found = json.loads(capsys.readouterr().out)
    assert (found["pictures"], found["waiting"], len(found["failures"])) == (13, 0, 1)
    assert sum(found["extractors"][2]["classes"].values()) == 12


def test_how_much_an_approximate_search_finds(photos, model, monkeypatch, capsys):
    from minicnn.apps.cli import index_stats

    run(photos, "--model", model)
    monkeypatch.setattr(index_stats, "recall_at", lambda library: {"color": 0.991, "shade": 1.0})
    capsys.readouterr()
    run("stats", photos)
    line = (
        "Approximate search finds of the 20 most similar pictures: 99.1% by color, 100.0% by shade"
    )
    assert line in capsys.readouterr().out


def test_pictures_that_look_the_same_are_listed(photos, model, capsys):
    (photos / "sub").mkdir()
    (photos / "sub" / "equal, copy.png").write_bytes((photos / "0003.png").read_bytes())
    run(photos, "--model", model)
    capsys.readouterr()
    run("duplicates", photos)
    out = capsys.readouterr().out
    assert "1 group" in out and f"{photos / '0003.png'}" in out
    assert f"{photos / 'sub' / 'equal, copy.png'} (equal)" in out
    run("duplicates", photos, "--json")
    [group] = json.loads(capsys.readouterr().out)["groups"]
    assert [one["equal"] for one in group] == [True, True]
    (photos / "sub" / "equal, copy.png").unlink()
    run(photos)
    run("duplicates", photos)
    assert "No two pictures look the same." in capsys.readouterr().out


def test_only_equal_files_are_listed(photos, monkeypatch, capsys):
    from minicnn.apps.cli import index_duplicates
    from minicnn.apps.library.duplicates import Duplicate

    def group(*names):
        return [Duplicate(i, photos / name, "same" in name) for i, name in enumerate(names)]

    found = [group("same 1", "like 1"), group("same 2", "like 2", "same 3")]
    monkeypatch.setattr(index_duplicates, "duplicates", lambda *_: found)
    with library_tools.opened(photos):
        run("duplicates", photos, "--equal", "--json")
    groups = json.loads(capsys.readouterr().out)["groups"]
    assert [[one["picture"] for one in group] for group in groups] == [[0, 2]]
    run("duplicates", photos)
    assert capsys.readouterr().out.startswith("2 groups of pictures that look the same; 3 could go")


def test_a_library_is_checked(photos, model, capsys):
    run(photos, "--model", model)
    run("verify", photos)
    assert "12 pictures with 36 vectors checked\nAll is in order." in capsys.readouterr().out
    for path in sorted(photos.glob("*.png"))[:7]:
        path.unlink()
    run("verify", photos, code=3)
    out, err = capsys.readouterr()
    assert "gone, 7: the file does not exist any more" in out
    assert "and 2 more (--all lists them)" in out and "7 findings in 12 pictures" in err
    run("verify", photos, "--json", code=3)
    found = json.loads(capsys.readouterr().out)
    assert [one["kind"] for one in found["findings"]] == ["gone"] * 7


SLOW = """
import sys, time
from minicnn.apps.cli import main
from minicnn.apps.library import claims, indexing, picture_jobs
claims.BLOCK = indexing.BATCH = 2
read = picture_jobs.read_picture
def slowly(*words):
    time.sleep(0.2)
    return read(*words)
picture_jobs.read_picture = slowly
sys.argv[0] = "minicnn"
main.main()
"""


def test_the_first_interrupt_keeps_what_is_done(photos, model):
    words = [sys.executable, "-c", SLOW, "index", photos, "--model", model]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    try:
        while not _described(photos):
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        err = process.communicate()[1]
    finally:
        process.kill()
    assert process.returncode == 130, err
    assert "To go on, repeat the command." in err
    assert 0 < _described(photos) < 12
    assert {one.claimed_by for one in rows(Picture, photos)} == {""}


def _described(photos):
    if not (photos / NAME_IN_FOLDER).exists() or os.stat(photos / NAME_IN_FOLDER).st_size == 0:
        return 0
    return sum(one.sha256 != "" for one in rows(Picture, photos))
