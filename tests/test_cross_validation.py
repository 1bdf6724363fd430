"""Cross-validation: a run per fold and one result, in whatever order and by whatever processes."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import statistics
import time
from pathlib import Path

import fold_kills
import numpy as np
import pytest
import train_kills
from test_transfer import tiny
from tiny_folds import FOLDS, IMAGES, make_settings, quiet
from train_kills import NAME, end_of, start

from minicnn.apps.cli import main
from minicnn.apps.runs import bases, cross_validation
from minicnn.apps.runs.log import RunLog
from minicnn.apps.runs.settings import from_toml, to_toml
from minicnn.data.preprocess import Preprocess
from minicnn.errors import ArgumentError, FolderInUseError
from minicnn.models import load_model
from minicnn.support.locks import FolderLock


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return make_settings(tmp_path_factory.mktemp("colors"))


@pytest.fixture(scope="module")
def finished(settings, tmp_path_factory):
    """The folder of a cross-validation from the command line."""
    runs = tmp_path_factory.mktemp("runs")
    config = runs / "colors.toml"
    config.write_text(to_toml(settings.changed(folds=2)))
    arguments = ["train", config, "--runs", runs, "--folds", FOLDS, "--quiet"]
    assert main.run([str(one) for one in arguments]) == 0
    return runs / "colors-1"


def report_of(folder):
    return json.loads((folder / "report.json").read_text())


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def assert_same(folder, other):
    """Assert that two cross-validations have the same models and the same numbers."""
    ours, theirs = report_of(folder), report_of(other)
    assert {name: ours[name] for name in fold_kills.NUMBERS} == {
        name: theirs[name] for name in fold_kills.NUMBERS
    }
    for name in fold_kills.TABLES:
        assert (folder / name).read_bytes() == (other / name).read_bytes(), name
    for number in range(1, FOLDS + 1):
        assert_same_models(folder / f"fold-{number}", other / f"fold-{number}")


def assert_same_models(run, other):
    for name in ("best.mcnn", "checkpoints/last.mcnn"):
        ours, theirs = (load_model(one / name).get_weights() for one in (run, other))
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(a, b)


# The result


def test_each_fold_has_a_run_folder_of_its_own(finished, settings):
    for number in range(1, FOLDS + 1):
        run = finished / f"fold-{number}"
        assert from_toml(run / "config.toml") == settings.changed(
            fold=number, name=f"colors-fold-{number}"
        )
        report = report_of(run)
        assert report["fold"] == {"number": number, "of": 3, "test_images_left_alone": 0}
        assert report["data"]["test"] == 17 and not report["data"]["validation_is_test"]
        page = (run / "report.html").read_text()
        assert f"fold {number} of 3" in page and "3 of the other images have chosen" in page
        assert {path.name for path in (run / "checkpoints").iterdir()} == {"last.mcnn"}
    assert not list(finished.rglob(".minicnn*"))


def test_a_folds_config_repeats_its_run(finished, tmp_path):
    arguments = ["train", finished / "fold-2/config.toml", "--runs", tmp_path, "--quiet"]
    assert main.run([str(one) for one in arguments]) == 0
    assert_same_models(tmp_path / "colors-fold-2-1", finished / "fold-2")


def test_the_statistics_are_those_of_the_folds(finished):
    rows, report = rows_of(finished / "folds.csv"), report_of(finished)
    assert [row["fold"] for row in rows] == ["1", "2", "3", "mean", "standard deviation"]
    runs = [report_of(finished / f"fold-{number}") for number in (1, 2, 3)]
    accuracies = [run["test"]["accuracy"] for run in runs]
    assert [float(row["accuracy"]) for row in rows[:3]] == accuracies
    assert float(rows[3]["accuracy"]) == statistics.fmean(accuracies) == report["mean"]["accuracy"]
    assert float(rows[4]["loss"]) == pytest.approx(
        np.std([run["test"]["loss"] for run in runs], ddof=1)
    )
    assert [int(row["best_epoch"]) for row in rows[:3]] == [run["best_epoch"] for run in runs]
    f1 = [np.mean([one["f1"] for one in run["per_class"]]) for run in runs]
    assert [float(row["macro_f1"]) for row in rows[:3]] == pytest.approx(f1)
    assert report["standard_deviation"]["macro_f1"] == pytest.approx(np.std(f1, ddof=1))


def test_each_image_has_one_prediction_by_a_network_that_has_not_seen_it(finished, settings):
    data = Path(settings.data)
    rows, report = rows_of(finished / "predictions.csv"), report_of(finished)
    assert sorted(row["path"] for row in rows) == sorted(
        str(path.relative_to(data)) for path in data.rglob("*.png")
    )
    names = report["data"]["classes"]
    confusion = np.zeros((3, 3), int)
    for row in rows:
        confusion[names.index(row["truth"]), names.index(row["label"])] += 1
    assert confusion.tolist() == report["confusion"]
    wrong = IMAGES - np.trace(confusion)
    assert report["all_folds"] == {"wrong": wrong, "accuracy": 1 - wrong / IMAGES}
    assert 0 < wrong < IMAGES / 2  # noisy enough for mistakes, and something was learned
    for row in rows:
        own = rows_of(finished / f"fold-{row['fold']}" / "predictions.csv")
        assert row["path"] in {one["path"] for one in own}


def test_the_page_needs_no_other_file_and_has_the_worst_mistakes(finished):
    page = (finished / "report.html").read_text()
    sources = re.findall(r'(?:src|href)="([^"]{0,30})', page)
    assert sources and all(source.startswith("data:image/") for source in sources)
    assert "3-fold cross-validation" in page
    mistakes = [row for n in (1, 2, 3) for row in rows_of(finished / f"fold-{n}" / "mistakes.csv")]
    worst = max(mistakes, key=lambda row: float(row["probability"]))
    gallery = page.partition("The worst mistakes")[2]
    assert worst["path"] in gallery.partition("</figure>")[0]
    assert gallery.count("<figure>") == len(mistakes)
    for name in ("curves.png", "confusion.png", "mistakes.png", "confusion.csv", "per_class.csv"):
        assert (finished / name).exists()


def test_the_terminal_and_json_have_the_result(settings, tmp_path, capsys):
    config = tmp_path / "c.toml"
    config.write_text(to_toml(settings.changed(epochs=1, folds=2)))
    arguments = ["train", str(config), "--runs", str(tmp_path), "--quiet"]
    assert main.run([*arguments, "--fail-under", "1"]) == 4
    out, err = capsys.readouterr()
    assert re.search(r"^mean +\d+\.\d\d% ", out, re.MULTILINE)
    assert re.search(r"^standard deviation +", out, re.MULTILINE)
    assert "images, on average over the folds, are right, below --fail-under" in err
    assert main.run([*arguments, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["complete"] and printed["mean"] == report_of(tmp_path / "colors-2")["mean"]


# Other ways to the same result


def test_folds_one_by_one_in_another_order_give_the_same_result(settings, finished, tmp_path):
    said = []
    first = cross_validation.run(settings, tmp_path, fold=3, verbose=0, say=said.append)
    assert first.report is None and first.folder.unfinished == [1, 2]
    second = cross_validation.resume("colors", tmp_path, fold=1, verbose=0, say=quiet)
    assert second.report is None and not (tmp_path / "colors-1/report.json").exists()
    with pytest.raises(ArgumentError, match="fold-1 is complete; there is nothing to resume"):
        cross_validation.resume("colors", tmp_path, fold=1, verbose=0, say=quiet)
    for wrong in ({"epochs": 9}, {"folds": 4}):
        with pytest.raises(ArgumentError, match=r"was started with \w+ = 3, not \d, and all its"):
            cross_validation.resume("colors", tmp_path, **wrong, say=quiet)
    last = cross_validation.resume("colors", tmp_path, fold=2, verbose=0, say=quiet)
    assert last.report == report_of(tmp_path / "colors-1")
    assert_same(tmp_path / "colors-1", finished)


def test_images_on_disk_give_the_same_result(settings, finished, tmp_path):
    on_disk = cross_validation.run(
        settings.changed(memory_mb=0), tmp_path, verbose=0, say=quiet
    ).folder.path
    for number in range(1, FOLDS + 1):
        assert_same_models(on_disk / f"fold-{number}", finished / f"fold-{number}")


def test_a_trained_base_has_folds_too(settings, tmp_path, monkeypatch):
    preprocess = Preprocess((24, 24), scale=1.0, mean=(127.0,) * 3, std=(128.0,) * 3)
    monkeypatch.setitem(bases.BASES, "tiny", bases.Base(tiny, preprocess, "late"))
    based = settings.changed(model="tiny", base="tiny", fine_tune=1, image_size=(24, 24))
    done = cross_validation.run(based, tmp_path, verbose=0, say=quiet)
    runs = [report_of(fold.path) for fold in done.folder.folds]
    assert [(run["data"]["train"], run["data"]["validation"]) for run in runs] == [(31, 3)] * 3
    assert all(run["epochs"] == settings.epochs + 1 for run in runs)


def test_an_interrupted_cross_validation_is_resumed(settings, finished, tmp_path, monkeypatch):
    ended = RunLog.on_epoch_end
    calls = []

    def interrupt(self, epoch, logs=None):
        calls.append(epoch)
        if len(calls) == settings.epochs + 2:  # in the second epoch of the second fold
            raise KeyboardInterrupt
        ended(self, epoch, logs)

    said = []
    with monkeypatch.context() as patch:
        patch.setattr(RunLog, "on_epoch_end", interrupt)
        with pytest.raises(KeyboardInterrupt):
            cross_validation.run(settings, tmp_path, verbose=0, say=said.append)
    assert said[-1] == (
        f"To resume: minicnn train {tmp_path}/colors-1/config.toml --runs {tmp_path} --resume"
    )
    words = ["train", "--name", "colors", "--folds", "3", "--epochs", "3", "--runs", str(tmp_path)]
    words += ["--resume"]
    assert main.run([*words, "--quiet"]) == 0
    assert_same(tmp_path / "colors-1", finished)
    assert main.run(words) == 1  # it is complete


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGSTOP")
def test_two_processes_share_the_folds(tmp_path):
    config = fold_kills.write_config(tmp_path)
    alone = start(config, tmp_path / "alone")
    first = start(config, tmp_path / "runs")
    folder = tmp_path / "runs" / f"{NAME}-1"
    while not (folder / "fold-1" / "history.csv").exists():
        assert first.poll() is None, first.communicate()[1]
        time.sleep(0.01)
    first.send_signal(signal.SIGSTOP)
    try:
        if (folder / "fold-1" / "report.json").exists():
            return  # it was faster
        end_of(start(config, tmp_path / "runs", "--resume"))
        assert [(folder / f"fold-{n}" / "report.json").exists() for n in (1, 2, 3)] == [
            False, True, True,
        ]  # fmt: skip
        assert not (folder / "report.json").exists()
        with pytest.raises(FolderInUseError, match=f"process {first.pid} is working"):
            cross_validation.resume(NAME, tmp_path / "runs", fold=1, verbose=0, say=quiet)
    finally:
        first.send_signal(signal.SIGCONT)
    for process in (first, alone):
        end_of(process)
    assert fold_kills.digests(folder) == fold_kills.digests(tmp_path / "alone" / f"{NAME}-1")
    assert not list(folder.rglob(".minicnn*"))


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
def test_killed_in_the_second_fold_it_ends_with_the_same_bits(tmp_path):
    config = fold_kills.write_config(tmp_path)
    alone = start(config, tmp_path / "alone")
    process = start(config, tmp_path / "runs")
    folder = tmp_path / "runs" / f"{NAME}-1"
    while not list((folder / "fold-2" / "checkpoints").glob("checkpoint-*")):
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not (folder / "report.json").exists()
    end_of(start(config, tmp_path / "runs", "--resume"))
    end_of(alone)
    assert fold_kills.digests(folder) == fold_kills.digests(tmp_path / "alone" / f"{NAME}-1")
    assert not train_kills.leftovers(folder)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
def test_twenty_kills_change_nothing():
    """More of them: `python tests/fold_kills.py 100`."""
    assert fold_kills.main(20) == 0


def test_a_result_that_another_process_writes_is_left_to_it(finished, settings):
    folder = cross_validation.FoldsFolder(finished, FOLDS)
    report = (finished / "report.json").read_bytes()
    (finished / "report.json").unlink()
    with FolderLock(finished):
        done = cross_validation.resume("colors", finished.parent, verbose=0, say=quiet)
        assert done.report is None and done.folder.unfinished == []
    done = cross_validation.resume("colors", finished.parent, verbose=0, say=quiet)
    assert done.report == report_of(folder.path)
    before = json.loads(report)
    assert {name: done.report[name] for name in fold_kills.NUMBERS} == {
        name: before[name] for name in fold_kills.NUMBERS
    }
