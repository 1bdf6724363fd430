"""`minicnn tune` and `minicnn classic`, from folders of images to tables and models."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from image_folders import make_colored

from minicnn import random
from minicnn.apps.cli import main, output
from minicnn.apps.runs import tuning_data
from minicnn.apps.runs.image_splits import Split, split_off_validation
from minicnn.models import load_model

pytest.importorskip("optuna")

COLORS = {"blue": (60, 60, 160), "green": (60, 160, 60), "red": (160, 60, 60)}
SEARCH = ["--epochs", "1", "--image-size", "16", "16"]


@pytest.fixture(autouse=True)
def as_before(no_fsync):
    seed = random.seed()
    yield
    random.set_random_seed(seed)
    output.be_quiet(False)


@pytest.fixture(scope="module")
def flowers(tmp_path_factory):
    return make_colored(tmp_path_factory.mktemp("data") / "colors", 20, COLORS, noise=50)


@pytest.fixture
def runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path / "runs"


def tune_search(data, *more):
    return main.run(["tune", "search", "--data", str(data), "--trials", "2", *SEARCH, *more])


def test_search_report_and_train(flowers, runs, capsys):
    assert tune_search(flowers) == 0
    out, err = capsys.readouterr()
    assert out.startswith("Results summary\n|-Results in runs/search-colors\n|-Showing 2 best")
    assert "Trial 2/2 complete" in err
    assert "To train the best network: minicnn tune train runs/search-colors" in err
    folder = runs / "search-colors"
    assert len((folder / "trials.csv").read_text().splitlines()) == 3

    assert main.run(["tune", "report", str(folder), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    best = report["trials"][0]
    assert report["objective"] == "val_accuracy" and len(report["trials"]) == 2

    assert main.run(["tune", "train", str(folder), "--epochs", "2", "--patience", "2"]) == 0
    assert "test images wrong" in capsys.readouterr().out
    model = load_model(runs / "search-colors-best-1" / "best.mcnn")
    assert model.layers[0].filters == best["conv_input_units"]
    assert model.class_names == ["blue", "green", "red"]

    arguments = ["classic", "--run", str(runs / "search-colors-best-1"), "--features", "color"]
    pytest.importorskip("sklearn")
    assert main.run([*arguments, "--classifier", "tree", "--csv", "table.csv", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert {row["features"] for row in rows} == {"learned", "color"}
    assert {row["images"] for row in rows} == {6}  # the same test images
    assert next(row for row in rows if row["features"] == "color")["accuracy"] == 1
    assert Path("table.csv").read_text().startswith("data,features,classifier,")


def test_a_search_is_continued_and_other_options_are_refused(flowers, runs, capsys):
    assert tune_search(flowers) == 0
    table = (runs / "search-colors" / "trials.csv").read_bytes()
    assert tune_search(flowers) == 0  # all done already, times included
    assert (runs / "search-colors" / "trials.csv").read_bytes() == table
    capsys.readouterr()
    assert tune_search(flowers, "--batch-size", "8") == 1
    assert "was started with batch_size 32, not batch_size 8" in capsys.readouterr().err
    assert tune_search(flowers, "--batch-size", "8", "--force") == 0
    assert "batch_size = 8" in (runs / "search-colors" / "config.toml").read_text()


def test_machines_share_a_search_in_a_database(flowers, tmp_path, runs, postgres, capsys):
    """Each machine has a folder of runs of its own; the second one has the images elsewhere."""
    shutil.copytree(flowers, tmp_path / "elsewhere" / "colors")
    other = ["--runs", "other", "--storage", postgres]
    assert tune_search(flowers, "--storage", postgres) == 0
    out, err = capsys.readouterr()
    assert out.startswith("Results summary\n|-Results in postgresql://")
    assert "minicnn tune train runs/search-colors --storage ADDRESS" in err
    assert tune_search(tmp_path / "elsewhere" / "colors", *other, "--trials", "3") == 0
    assert "Trial 3/3 complete" in capsys.readouterr().err

    assert main.run(["tune", "report", "third/search-colors", "--storage", postgres, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert len(report["trials"]) == 3
    assert len(Path("third/search-colors/trials.csv").read_text().splitlines()) == 4
    arguments = ["other/search-colors", "--storage", postgres, "--epochs", "1", "--runs", "other"]
    assert main.run(["tune", "train", *arguments]) == 0
    model = load_model(Path("other/search-colors-best-1/best.mcnn"))
    assert model.layers[0].filters == report["trials"][0]["conv_input_units"]


def test_a_machine_with_other_images_is_refused_and_may_try_again(
    flowers, tmp_path, runs, postgres, capsys
):
    assert tune_search(flowers, "--storage", postgres) == 0
    changed = tmp_path / "elsewhere" / "colors"
    shutil.copytree(flowers, changed)
    shutil.copy(next(changed.glob("red/*")), changed / "blue" / "red.png")
    other = ["--runs", "other", "--storage", postgres]
    assert tune_search(changed, *other) == 1
    assert "was begun with x='uint8 (" in capsys.readouterr().err
    assert not (tmp_path / "other" / "search-colors").exists()
    assert tune_search(flowers, *other) == 0


@pytest.mark.parametrize(
    ("address", "code", "words"),
    [
        ("server/searches", 2, "give postgresql://HOST/DATABASE"),
        ("postgresql://server", 1, "USER:PASSWORD@HOST:PORT/DATABASE"),
        (
            "postgresql://me:hidden-word@127.0.0.1:1/a",
            1,
            "StorageError: postgresql://127.0.0.1:1/a",
        ),
    ],
)
def test_a_wrong_database_is_named(flowers, runs, capsys, address, code, words):
    pytest.importorskip("psycopg", reason="psycopg is missing: pip install -e '.[dev]'")
    assert tune_search(flowers, "--storage", address) == code
    err = capsys.readouterr().err
    assert words in err and "hidden-word" not in err
    assert not runs.exists() or list(runs.iterdir()) == []


def test_a_search_that_cannot_begin_leaves_no_folder(tmp_path, runs, capsys):
    """Else one with other options would be told that it was begun."""
    for size in ("16", "20"):
        words = ["tune", "search", "--data", str(tmp_path / "nowhere"), "--image-size", size, size]
        assert main.run(words) == 1
        assert "does not exist. Give a folder" in capsys.readouterr().err
    assert not (runs / "search-nowhere").exists()


def test_the_test_images_are_left_alone(flowers, tmp_path, runs):
    shutil.copytree(flowers, tmp_path / "sets" / "train")
    shutil.copytree(flowers, tmp_path / "sets" / "test")
    settings = tuning_data.search_settings(
        runs / "s", model="stacked", data=str(tmp_path / "sets"), image_size=(16, 16)
    )
    said = []
    train, validation, names = tuning_data.load_search_images(settings, said.append)
    assert (train.total, validation.total) == (48, 12)
    assert np.bincount(validation.labels).tolist() == [4, 4, 4]
    assert not set(train.files) & set(validation.files)
    assert said[-1] == "12 of the training images are used for validation; no test image is."
    assert names == ["blue", "green", "red"]


def test_validation_images_are_split_off_the_same_way_again():
    images = Split(np.arange(40), np.repeat([0, 1], 20), [str(i) for i in range(40)])
    train, validation = split_off_validation(images, 0.2)
    assert validation.total == 8
    assert [str(i) for i in train.images] == train.files
    assert split_off_validation(images, 0.2)[1].files == validation.files


def test_wrong_folders_say_what_is_wrong(flowers, runs, tmp_path, capsys):
    assert main.run(["tune", "report", str(flowers)]) == 1
    assert (
        "is not the folder of a search; start one with: minicnn tune search"
        in capsys.readouterr().err
    )
    assert tune_search(tmp_path / "nowhere") == 1
    assert "does not exist" in capsys.readouterr().err
    assert main.run(["classic"]) == 2
    assert "give the images with --data DIR or --run DIR" in capsys.readouterr().err


def test_runs_on_other_images_are_not_compared(flowers, runs, capsys):
    pytest.importorskip("sklearn")
    train = ["train", "--data", str(flowers), "--model", "cifar", "--epochs", "1"]
    assert main.run([*train, "--image-size", "24", "24"]) == 0
    assert main.run([*train, "--image-size", "24", "24", "--seed", "1"]) == 0
    capsys.readouterr()
    assert main.run(["classic", "--run", "runs/cifar-1", "--run", "runs/cifar-2"]) == 1
    assert "seed is 777 in runs/cifar-1 and 1 elsewhere" in capsys.readouterr().err


def test_real_photographs(tmp_path, runs, capsys):
    """Sixteen of each kind, where the real images are at hand."""
    photos = Path(os.environ.get("MINICNN_DATA", "nowhere")) / "photos"
    if not photos.is_dir():
        pytest.skip("MINICNN_DATA names no folder with photos/")
    pytest.importorskip("sklearn")
    pytest.importorskip("skimage")
    for path in sorted(photos.glob("*/*"))[::18]:
        copied = tmp_path / "some" / path.parent.name / path.name
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, copied)
    assert tune_search(tmp_path / "some") == 0
    assert main.run(["tune", "train", "runs/search-some", "--epochs", "1"]) == 0
    capsys.readouterr()
    arguments = ["classic", "--run", "runs/search-some-best-1", "--features", "hog+lbp"]
    assert main.run([*arguments, "--classifier", "svm", "--json"]) == 0
    best = json.loads(capsys.readouterr().out)["rows"][0]
    assert best["features"] == "hog+lbp"
    assert best["accuracy"] > 2 / 6  # twice as often as by chance
