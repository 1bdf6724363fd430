"""Cross-validations that fail or cannot begin, and commands that need one model."""

from __future__ import annotations

import pytest
from image_folders import make_colored, save_colored
from tiny_folds import make_settings, quiet

from minicnn.apps.cli import main
from minicnn.apps.runs import cross_validation, experiment
from minicnn.errors import ArgumentError, NumericError, ShapeError


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return make_settings(tmp_path_factory.mktemp("colors"))


def test_a_fold_that_fails_ends_the_cross_validation(settings, tmp_path, capsys):
    said = []
    exploding = settings.changed(optimizer={"name": "sgd", "learning_rate": 1e30})
    with pytest.raises(NumericError, match="Fold 1 of 3: the loss became"):
        cross_validation.run(exploding, tmp_path, verbose=0, say=said.append)
    assert said[-1] == f"To find the cause: minicnn doctor {tmp_path}/colors-1"
    assert (tmp_path / "colors-1/fold-1/failed.txt").read_text().startswith("the loss became")
    assert main.run(["doctor", str(tmp_path / "colors-1")]) == 3
    assert "! the training failed: Fold 1 of 3: the loss became" in capsys.readouterr().out
    with pytest.raises(ArgumentError, match="colors-1 failed"):
        cross_validation.resume("colors", tmp_path, say=quiet)


WRONG = {
    "no folder": ({"data": "nowhere"}, FileNotFoundError, "does not exist"),
    "too many folds": ({"folds": 18}, ArgumentError, "no class has k=18 images, the largest has"),
    "no folds": ({"folds": 0}, ArgumentError, "a cross-validation needs folds >= 2"),
    "one of them": ({"fold": 1}, ArgumentError, "a cross-validation needs folds >= 2 and fold = 0"),
    "images too small": ({"image_size": (4, 4)}, ShapeError, "images of at least"),
}


@pytest.mark.parametrize(("changes", "kind", "words"), WRONG.values(), ids=WRONG)
def test_a_cross_validation_that_cannot_begin_leaves_no_folder(
    settings, tmp_path, changes, kind, words
):
    with pytest.raises(kind, match=words):
        cross_validation.run(settings.changed(**changes), tmp_path, verbose=0, say=quiet)
    assert list(tmp_path.iterdir()) == []


def test_a_class_that_only_one_fold_has_is_refused(settings, tmp_path):
    make_colored(tmp_path / "data", 9)
    save_colored(tmp_path / "data" / "yellow" / "only.png", (250, 250, 0), 1)
    with (
        pytest.warns(UserWarning, match=r"fewer images than that: yellow \(1\)"),
        pytest.raises(FileNotFoundError, match="no training image of yellow"),
    ):
        cross_validation.run(
            settings.changed(data=str(tmp_path / "data")), tmp_path / "runs", say=quiet
        )
    assert not (tmp_path / "runs").exists()


def test_settings_of_a_cross_validation_are_no_single_run(settings, tmp_path):
    with pytest.raises(ArgumentError, match=r"folds=3 needs 3 runs, which cross_validation\.run"):
        experiment.run(settings, tmp_path, say=quiet)
    with pytest.raises(ArgumentError, match="fold must be one of the folds, 1 to 3; got 4"):
        settings.changed(fold=4)
    with pytest.raises(ArgumentError, match="folds must be 2 or more"):
        settings.changed(folds=1)


USAGE = {
    "a fold of none": (["--fold", "1"], "--fold needs --folds"),
    "one fold": (["--folds", "1"], "Invalid value for '--folds'"),
}


@pytest.mark.parametrize(("words", "text"), USAGE.values(), ids=USAGE)
def test_options_that_do_not_fit(words, text, capsys, tmp_path):
    start = ["train", "--model", "cifar", "--data", str(tmp_path), "--runs", str(tmp_path)]
    assert main.run([*start, *words]) == 2
    assert text in " ".join(capsys.readouterr().err.split())


def test_a_single_run_and_a_cross_validation_are_resumed_by_their_own_words(tmp_path):
    single, folds = tmp_path / "a-1", tmp_path / "a-2"
    (folds / "fold-1").mkdir(parents=True)
    single.mkdir()
    (folds / "config.toml").write_text("")
    with pytest.raises(ArgumentError, match="a-2 is a cross-validation; add --folds"):
        experiment.resume("a", tmp_path, say=quiet)
    (folds / "config.toml").unlink()
    (single / "config.toml").write_text("")
    with pytest.raises(ArgumentError, match="a-1 is a single run; leave out --folds"):
        cross_validation.resume("a", tmp_path, say=quiet)


@pytest.fixture(scope="module")
def finished(settings, tmp_path_factory):
    runs = tmp_path_factory.mktemp("runs")
    shorter = settings.changed(epochs=1)
    return cross_validation.run(shorter, runs, verbose=0, say=quiet).folder.path


@pytest.mark.parametrize("command", ["predict", "test", "doctor", "summary"])
def test_a_command_that_needs_one_model_names_the_folds(finished, settings, command, capsys):
    more = [settings.data] if command in ("predict", "test") else []
    assert main.run([command, str(finished), *more]) == 1
    error = " ".join(capsys.readouterr().err.split())
    assert "this is a cross-validation, whose 3 folds have a model each" in error
    assert "fold-1 to fold-3" in error
    assert main.run([command, str(finished / "fold-1"), *more, "--json"]) in (0, 3)
