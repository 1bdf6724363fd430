"""`minicnn test --robustness`: its files, the section of the report, and what is refused."""

from __future__ import annotations

import csv
import json
import re

import pytest
from image_folders import make_colored

import minicnn as mc
from minicnn.apps.cli import main
from minicnn.apps.runs.robustness import add_to_report
from minicnn.apps.runs.settings import Settings, to_toml
from minicnn.explain import IMAGE_CHANGES

NAMES = [change.name for change in IMAGE_CHANGES]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two runs of three colors, without and with augmentation."""
    root = tmp_path_factory.mktemp("robust")
    make_colored(root / "data" / "train", 16)
    make_colored(root / "data" / "test", 4)
    plain = Settings(
        model="cifar", data=str(root / "data"), name="plain", epochs=2, batch_size=16,
        image_size=(24, 24), optimizer={"name": "adam", "learning_rate": 0.003},
    )  # fmt: skip
    moving = {"perspective_range": 0.1, "rotation_range": 20, "brightness_range": [0.5, 2.0]}
    for settings in (plain, plain.changed(name="moving", augmentation=moving)):
        config = root / f"{settings.name}.toml"
        config.write_text(to_toml(settings))
        assert main.run(["train", str(config), "--runs", str(root), "--quiet"]) == 0
    return root


def test_a_run_is_tested_on_its_own_test_images(runs, capsys, tmp_path):
    run = runs / "plain-1"
    assert main.run(["test", str(run), "--json", "--quiet"]) == 0
    found = json.loads(capsys.readouterr().out)
    report = json.loads((run / "report.json").read_text())
    assert found["confusion"] == report["confusion"] and found["images"] == 12
    assert main.run(["test", str(run / "best.mcnn"), "--quiet"]) == 2
    assert "is not a run folder" in capsys.readouterr().err


def test_the_files_and_the_section_of_the_report(runs, capsys):
    pytest.importorskip("matplotlib")
    run = runs / "plain-1"
    before = (run / "report.html").read_text()
    words = ["test", str(run), "--robustness", "--quiet"]
    assert main.run(words) == 0
    out = capsys.readouterr().out
    assert re.search(r"rotation, degrees +5 +10 +15 +20 +30 +45", out)
    with (run / "robustness.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["model", "change", "strength", "unit", "images", "right", "accuracy"]
    assert rows[0]["change"] == "unchanged" and {row["images"] for row in rows} == {"12"}
    assert [row["change"] for row in rows[1:]] == sorted(
        (row["change"] for row in rows[1:]), key=NAMES.index
    )
    accuracy = json.loads((run / "report.json").read_text())["test"]["accuracy"]
    assert float(rows[0]["accuracy"]) == accuracy
    for name in ("robustness.png", "robustness_images.png"):
        assert (run / name).read_bytes().startswith(b"\x89PNG")
    page = (run / "report.html").read_text()
    assert page.count("<h2>Robustness</h2>") == 1
    assert page.index("<h2>Robustness</h2>") < page.index("<h2>How it was made</h2>")

    assert main.run(words) == 1
    assert (
        "robustness.csv: exists already; give another name, or --force" in capsys.readouterr().err
    )
    assert main.run([*words, "--force"]) == 0
    assert (run / "report.html").read_text() == page
    assert (
        re.sub(r"<!-- robustness -->.*<!-- end of robustness -->\n", "", page, flags=16) == before
    )


def test_several_runs_are_compared(runs, capsys, tmp_path):
    words = ["test", str(runs / "moving-1"), "--robustness", "--compare", str(runs / "plain-1")]
    words += ["--out", str(tmp_path), "--report", str(tmp_path / "out.html"), "--json"]
    before = (runs / "moving-1" / "report.html").read_bytes()
    assert main.run(words) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert "Warning" not in err
    assert {row["model"] for row in found["robustness"]} == {"moving-1", "plain-1"}
    assert set(found["tolerated"]) == {"moving-1", "plain-1"}
    assert set(found["tolerated"]["plain-1"]) == set(NAMES)
    assert all(tmp_path.joinpath(path).exists() for path in found["files"])
    page = (tmp_path / "out.html").read_text()
    assert "moving-1" in page and "plain-1" in page and page.count("<h2>Robustness</h2>") == 1
    assert (runs / "moving-1" / "report.html").read_bytes() == before


def test_models_that_cannot_be_compared_are_refused(runs, capsys, tmp_path):
    run = str(runs / "plain-1")
    assert main.run(["test", run, "--compare", run]) == 2
    assert "belong to --robustness" in capsys.readouterr().err
    model = mc.load_model(runs / "plain-1" / "best.mcnn")
    model.class_names = ["a", "b", "c"]
    model.save(tmp_path / "other.mcnn")
    words = ["test", run, "--robustness", "--out", str(tmp_path), "--quiet", "--compare"]
    assert main.run([*words, str(tmp_path / "other.mcnn")]) == 1
    assert "must see the same images" in capsys.readouterr().err
    assert not (tmp_path / "robustness.csv").exists()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("/data", "/elsewhere"),
        ("folds = 0\nfold = 0", "folds = 2\nfold = 1"),
        ("images = 0", "images = 9"),
    ],
    ids=["data", "fold", "images"],
)
def test_a_run_on_other_images_is_warned_of(runs, capsys, tmp_path, before, after):
    other = tmp_path / "other"
    other.mkdir()
    (other / "best.mcnn").write_bytes((runs / "plain-1" / "best.mcnn").read_bytes())
    config = (runs / "plain-1" / "config.toml").read_text()
    assert before in config
    (other / "config.toml").write_text(config.replace(before, after))
    words = ["test", str(runs / "plain-1"), "--robustness", "--out", str(tmp_path), "--quiet"]
    assert main.run([*words, "--compare", str(other)]) == 0
    assert "may be among its training images" in capsys.readouterr().err


def test_a_folder_that_has_other_classes_now_is_refused(runs, capsys, tmp_path):
    make_colored(tmp_path / "data" / "train", 2)
    make_colored(tmp_path / "data" / "test", 2)
    for split in ("train", "test"):
        (tmp_path / "data" / split / "red").rename(tmp_path / "data" / split / "crimson")
    run = tmp_path / "run"
    run.mkdir()
    (run / "best.mcnn").write_bytes((runs / "plain-1" / "best.mcnn").read_bytes())
    config = (runs / "plain-1" / "config.toml").read_text()
    (run / "config.toml").write_text(config.replace(str(runs), str(tmp_path)))
    assert main.run(["test", str(run), "--quiet"]) == 1
    assert "was trained on" in capsys.readouterr().err


def test_a_report_without_a_place_for_the_section_stays_as_it_is(tmp_path):
    page = tmp_path / "report.html"
    assert not add_to_report(page, "x") and not page.exists()
    page.write_text("something else")
    assert not add_to_report(page, "x") and page.read_text() == "something else"
