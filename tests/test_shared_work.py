"""`predict --csv`, `sort --csv` and `index` by several processes: the same results as by one."""

from __future__ import annotations

import shutil

import library_tools
import numpy as np
import pytest
from mpi import ROOT, mpirun, needs_mpi
from PIL import Image

import minicnn as mc
from minicnn.apps.cli import main, predict_table
from minicnn.data import Preprocess
from minicnn.layers import Dense, Flatten

GOES_ON = ("--enable-recovery",)  # mpirun's option: without it, a killed process ends all
DYING = ROOT / "tests" / "dying_rank.py"


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a small model and 200 images, two of which cannot be read, and us in it."""
    monkeypatch.chdir(tmp_path)
    mc.utils.set_random_seed(3)
    model = mc.Sequential([mc.Input((6, 6, 3)), Flatten(), Dense(3, "softmax")])
    model.class_names, model.preprocess = ["dark", "bright", "=red"], Preprocess((6, 6))
    model.save("m.mcnn")
    rng = np.random.default_rng(0)
    for i in range(200):
        path = tmp_path / "images" / f"{i % 2}" / f"{i:03d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (8, 7, 3), dtype=np.uint8)).save(path)
    for name in ("0/000.png", "1/101.png"):
        (tmp_path / "images" / name).write_bytes(b"no image")
    return tmp_path


def run(*words, code=0):
    assert main.run(list(map(str, words))) == code


def in_ranks(here, count, *words, options=(), code=0, program=("-m", "minicnn")):
    done = mpirun(count, *program, *words, options=("--wdir", str(here), *options))
    assert done.returncode == code, done.stderr
    return done


def expected_table(here):
    """The table that a model gives for each image, written at once."""
    files = sorted((here / "images").rglob("*.png"))
    found = predict_table.predict(mc.load_model("m.mcnn"), files, 2)
    columns, rows = predict_table.as_table(found)
    relative = [[row[0].relative_to(here), *row[1:]] for row in rows]
    return predict_table.csv_text([columns, *relative]).encode()


def test_a_table_in_blocks_is_that_of_all_images_at_once(here, capsys):
    run("predict", "m.mcnn", "images", "--top", 2, "--csv", "out.csv", code=3)
    assert (here / "out.csv").read_bytes() == expected_table(here)
    err = capsys.readouterr().err
    assert "Written: out.csv, 198 rows" in err and "2 of 200 files cannot be read" in err
    assert err.count("is left out") == 2 and "images/1/101.png" in err
    assert {path.name for path in here.iterdir()} == {"m.mcnn", "images", "out.csv"}


def test_a_table_without_images_has_headings(here):
    run("predict", "m.mcnn", "images/0/000.png", "--csv", "out.csv", code=3)
    assert (here / "out.csv").read_bytes() == b"path,label,probability\r\n"


def test_the_paths_may_be_in_a_file(here, capsys):
    (here / "list").write_text("images/1\nimages/0\n\nimages/0/002.png\n")
    run("predict", "m.mcnn", "--files-from", "list", "--csv", "out.csv", code=3)
    lines = (here / "out.csv").read_text().splitlines()
    assert len(lines) == 199 and lines[1].startswith("images/1/001.png")
    run("predict", "m.mcnn", code=2)
    assert "--files-from LIST" in capsys.readouterr().err


def interrupt(here, monkeypatch, *words):
    """Run a command that is interrupted at its second block."""
    calls = iter([False, True])
    predict = predict_table.predict

    def interrupted(*arguments):
        if next(calls):
            raise KeyboardInterrupt
        return predict(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(predict_table, "predict", interrupted)
        run(*words, code=130)


def test_an_interrupted_table_goes_on(here, monkeypatch, capsys):
    words = ["predict", "m.mcnn", "images", "--top", "2", "--csv", "out.csv"]
    interrupt(here, monkeypatch, *words)
    assert "To go on, repeat the command." in capsys.readouterr().err
    seen = []
    predict = predict_table.predict
    monkeypatch.setattr(
        predict_table, "predict", lambda *all: seen.append(len(all[1])) or predict(*all)
    )
    run(*words, code=3)
    assert seen == [64, 64, 8]  # and not the first 64
    assert (here / "out.csv").read_bytes() == expected_table(here)


@pytest.mark.parametrize(
    ("change", "message"),
    {
        "another option": (lambda: ["--top", "3"], "its top is 2, here 3"),
        "a new image": (lambda: shutil.copy("images/0/002.png", "images/2.png"), "files, here 201"),
        "another model": (
            lambda: mc.Sequential([mc.Input((6, 6, 3)), Dense(3)]).save("m.mcnn") or None,
            "its model is ",
        ),
    }.values(),
)
def test_what_has_changed_since_is_named(change, message, here, monkeypatch, capsys):
    interrupt(here, monkeypatch, "predict", "m.mcnn", "images", "--top", "2", "--csv", "out.csv")
    more = change()
    monkeypatch.setattr(predict_table, "load_classifier", lambda path: None)
    monkeypatch.setattr(predict_table.PredictionTable, "model", None)
    more = more if isinstance(more, list) else ["--top", "2"]
    run("predict", "m.mcnn", "images", "--csv", "out.csv", *more, code=1)
    err = capsys.readouterr().err
    assert message in err and "add --force" in err


def test_several_processes_need_a_table(here, monkeypatch, capsys):
    monkeypatch.setenv("OMPI_COMM_WORLD_RANK", "0")
    monkeypatch.setenv("OMPI_COMM_WORLD_SIZE", "4")
    for command in (["predict", "m.mcnn", "images"], ["sort", "m.mcnn", "images"]):
        run(*command, code=2)
        assert f"mpirun -n 4 minicnn {command[0]} ... --csv out.csv" in capsys.readouterr().err
    run("predict", "m.mcnn", "-", "--csv", "out.csv", code=2)
    assert "--files-from LIST" in capsys.readouterr().err


@needs_mpi
def test_ranks_make_the_table_of_one_process(here):
    words = ["predict", "m.mcnn", "images", "--top", "2", "--csv", "out.csv"]
    done = in_ranks(here, 2, *words, code=3)
    assert (here / "out.csv").read_bytes() == expected_table(here)
    assert done.stderr.count("Written: out.csv, 198 rows") == 1 and done.stdout == ""
    assert not (here / "out.csv.parts").exists()
    done = in_ranks(here, 2, *words, code=1)
    assert "out.csv: exists already" in done.stderr


@needs_mpi
def test_a_job_goes_on_without_a_killed_rank(here):
    """Rank 0 has made the list and dies in its first block; another one takes its place."""
    words = ["predict", "m.mcnn", "images", "--top", "2", "--csv", "out.csv"]
    done = in_ranks(here, 3, "0", *words, options=GOES_ON, code=3, program=(str(DYING),))
    assert (here / "out.csv").read_bytes() == expected_table(here)
    assert done.stderr.count("Written: out.csv, 198 rows") == 1  # by the one that has written it
    assert done.stderr.count("is left out") == 2
    assert not (here / "out.csv.parts").exists()


@needs_mpi
def test_a_job_that_ends_with_a_killed_rank_is_resumed(here):
    words = ["predict", "m.mcnn", "images", "--top", "2", "--csv", "out.csv"]
    done = in_ranks(here, 2, "01", *words, code=137, program=(str(DYING),))
    assert "signal 9" in done.stderr and (here / "out.csv.parts").exists()
    in_ranks(here, 3, *words, code=3)
    assert (here / "out.csv").read_bytes() == expected_table(here)


@needs_mpi
def test_ranks_sort_as_one_process(here):
    words = ["sort", "m.mcnn", "images", "--recursive", "--into", "sorted"]
    run(*words, "--csv", "one.csv")
    done = in_ranks(here, 2, *words, "--csv", "out.csv", "--apply")
    assert (here / "out.csv").read_bytes() == (here / "one.csv").read_bytes()
    assert done.stderr.count("198 images copied") == 1
    assert len(list((here / "sorted").rglob("*.png"))) == 198


def check_library(photos):
    from minicnn.apps.library.models import Features, Picture

    with library_tools.opened(photos) as library:
        pictures = Picture.objects.using(library.alias)
        assert pictures.filter(failure="").count() == 198
        assert Features.objects.using(library.alias).count() == 3 * 198


@needs_mpi
def test_ranks_fill_a_library(here):
    pytest.importorskip("django", reason="Django is missing: pip install -e '.[dev]'")
    done = in_ranks(here, 3, "index", "images", "--model", "m.mcnn", code=3)
    assert "200 pictures found: 200 new\n198 pictures indexed in" in done.stdout
    assert done.stderr.count("2 of 200 pictures cannot be read") == 1
    check_library(here / "images")


@needs_mpi
def test_a_library_is_filled_without_a_killed_rank(here):
    """Rank 0 has compared the folders and dies in its first block, which another one does."""
    pytest.importorskip("django", reason="Django is missing: pip install -e '.[dev]'")
    words = ["index", "images", "--model", "m.mcnn"]
    in_ranks(here, 3, "0", *words, options=GOES_ON, program=(str(DYING),))
    check_library(here / "images")
