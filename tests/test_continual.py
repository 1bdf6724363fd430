"""Continual learning: wider classifiers, rehearsal, before and after, resumed runs."""

from __future__ import annotations

import csv
import json
import re
import shutil

import numpy as np
import pytest
from image_folders import COLORS, make_colored, save_colored
from test_transfer import tiny

import minicnn as mc
from minicnn.apps.cli import main
from minicnn.apps.runs import bases, continual, experiment
from minicnn.apps.runs.before_after import compare
from minicnn.apps.runs.earlier_run import find_run, inherited_settings
from minicnn.apps.runs.folder import RunFolder
from minicnn.apps.runs.log import RunLog
from minicnn.apps.runs.predictions import Predictions
from minicnn.apps.runs.rehearsal import find_known, read_known, sample
from minicnn.apps.runs.settings import Settings, from_toml
from minicnn.apps.runs.widening import widened
from minicnn.data.image_list import ImageList
from minicnn.data.preprocess import Preprocess
from minicnn.errors import ArgumentError
from minicnn.layers import Activation, Conv2D, Dense, Flatten, GlobalAveragePooling2D, Input
from minicnn.models import load_model

X = np.random.default_rng(0).normal(size=(7, 5)).astype(np.float32)


def only(*names):
    return {name: COLORS[name] for name in names}


def silent(text):
    pass


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """old/ has blue and red images, more/ has green ones, and runs/pair-1 knows the old ones."""
    root = tmp_path_factory.mktemp("continual")
    make_colored(root / "old/train", 16, only("blue", "red"))
    make_colored(root / "old/test", 4, only("blue", "red"), noise=25)
    make_colored(root / "more/train", 12, only("green"))
    make_colored(root / "more/test", 5, only("green"), noise=25)
    settings = Settings(
        model="cifar", data=str(root / "old"), name="pair", epochs=4, batch_size=16,
        image_size=(24, 24), augmentation={"horizontal_flip": True},
        optimizer={"name": "adam", "learning_rate": 0.004},
    )  # fmt: skip
    experiment.run(settings, root / "runs", verbose=0, say=silent)
    return root


@pytest.fixture(scope="module")
def settings(place):
    return inherited_settings(place / "runs/pair-1", str(place / "more"), epochs=4)


@pytest.fixture(scope="module")
def finished(place, settings):
    said = []
    return experiment.run(settings, place / "on", verbose=0, say=said.append), said


# The classifier


def dense(units, activation="softmax"):
    model = mc.Sequential([Input((5,)), Dense(8, "relu"), Dense(units, activation)])
    model.get_weights()
    return model


def test_known_classes_keep_their_weights_and_their_odds(backend):
    model = dense(2)
    model.class_names = ["forest", "street"]
    wide = widened(model, ["alley", "forest", "sea", "street"])
    assert wide.class_names == ["alley", "forest", "sea", "street"]
    assert [layer.name for layer in wide.layers] == [layer.name for layer in model.layers]
    before, after = model.layers[-1], wide.layers[-1]
    for old, new in ((before.kernel, after.kernel), (before.bias, after.bias)):
        np.testing.assert_array_equal(new.value[..., [1, 3]], old.value)
    assert np.abs(after.kernel.value[:, [0, 2]]).min() > 0
    p, q = model.predict(X, verbose=0), wide.predict(X, verbose=0)[:, [1, 3]]
    np.testing.assert_allclose(q / q.sum(1, keepdims=True), p, rtol=1e-5)


def test_a_sigmoid_becomes_two_outputs_that_compute_the_same():
    model = dense(1, "sigmoid")
    model.class_names = ["cat", "dog"]
    q = widened(model, ["ant", "cat", "dog"]).predict(X, verbose=0)[:, 1:]
    p = model.predict(X, verbose=0)[:, 0]
    np.testing.assert_allclose((q / q.sum(1, keepdims=True))[:, 1], p, rtol=1e-5)


def test_the_same_classes_give_a_copy_of_any_network():
    model = mc.Sequential([Input((4, 4, 3)), Conv2D(2, 3), GlobalAveragePooling2D()])
    model.class_names = ["a", "b"]
    x = np.ones((1, 4, 4, 3), np.float32)
    copy = widened(model, ["a", "b"])
    np.testing.assert_array_equal(copy.predict(x, verbose=0), model.predict(x, verbose=0))
    copy.set_weights([0 * w for w in copy.get_weights()])
    assert model.predict(x, verbose=0).any()
    with pytest.raises(ArgumentError, match="ends in GlobalAveragePooling2D, so it cannot learn"):
        widened(model, ["a", "b", "c"])


def test_an_activation_may_follow_the_classifier():
    model = mc.Sequential([Input((5,)), Dense(2), Activation("softmax")])
    model.class_names = ["a", "b"]
    assert widened(model, ["a", "b", "c"]).output_shape == (None, 3)


# A run that trains the network further


def test_the_network_learns_the_new_class_and_keeps_the_others(finished, place):
    run, said = finished
    assert run.folder.path.name == "pair-1" and run.report["data"]["classes"] == sorted(COLORS)
    data = run.report["data"]
    # A tenth of 16 blue, 16 red and 12 green images, rounded, is for validation.
    assert (data["train"], data["validation"], data["test"]) == (44 - 5, 5, 13)
    assert not data["validation_is_test"]
    assert said[-2:] == [
        "pair-1 is trained further on 12 new images (new classes: green) and rehearses 32 that it "
        "knows.",
        "5 of the training images are used for validation; no test image is.",
    ]
    model = load_model(run.folder.best)
    assert model.class_names == ["blue", "green", "red"]
    assert model.preprocess == load_model(place / "runs/pair-1/best.mcnn").preprocess


def test_before_and_after_are_in_every_report(finished):
    run, _ = finished
    fields = run.report["before_after"]
    kinds = [(row["name"], row["kind"], row["images"]) for row in fields["classes"]]
    assert kinds == [("blue", "known", 4), ("red", "known", 4), ("green", "new", 5)]
    assert fields["known_classes"]["images"] == 8 and fields["all_classes"]["images"] == 13
    assert fields["all_classes"]["after"] == run.report["test"]["accuracy"]
    assert fields["classes"][2]["before"] is None
    assert fields["table"][3][::2] == ["green, new class", "-", "-"]
    with run.folder.before_after.open() as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == ["blue", "red", "green"] and rows[2]["before"] == ""
    page = (run.folder.path / "report.html").read_text()
    assert "Before and after" in page and "green, new class" in page


def test_the_accuracy_before_is_that_of_the_run(finished, place):
    report = json.loads((place / "runs/pair-1/report.json").read_text())
    assert (
        finished[0].report["before_after"]["known_classes"]["before"]
        == (report["test"]["accuracy"])
    )


def test_reports_name_no_folder_of_the_machine(finished, place):
    text = json.dumps(finished[0].report)
    assert str(place) not in text and 'start = \\"pair-1\\"' in text


def weights(folder):
    return [
        w for name in ("best.mcnn", "checkpoints/last.mcnn")
        for w in load_model(folder / name).get_weights()
    ]  # fmt: skip


def assert_same(folder, other):
    for a, b in zip(weights(folder), weights(other), strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_settings_repeat_the_run(finished, place, tmp_path, capsys):
    run, _ = finished
    words = ["train", str(run.folder.config), "--runs", str(tmp_path), "--quiet"]
    assert main.run(words) == 0
    assert_same(tmp_path / "pair-1", run.folder.path)
    assert "green, new class" in capsys.readouterr().out


def test_an_interrupted_run_ends_with_the_same_bits(settings, finished, tmp_path):
    ended = RunLog.on_epoch_end

    def interrupt(self, number, logs=None):
        if number == 2:
            raise KeyboardInterrupt
        ended(self, number, logs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RunLog, "on_epoch_end", interrupt)
        with pytest.raises(KeyboardInterrupt):
            experiment.run(settings, tmp_path, verbose=0, say=silent)
    again = experiment.resume("pair", tmp_path, verbose=0, say=silent)
    assert_same(again.folder.path, finished[0].folder.path)
    assert again.report["before_after"] == finished[0].report["before_after"]


def test_the_command_takes_the_settings_of_the_run(place, tmp_path, capsys):
    words = [
        "train", "--from", str(place / "runs/pair-1"), "--data", str(place / "more"),
        "--runs", str(tmp_path), "--epochs", "2", "--keep-per-class", "5", "--quiet",
    ]  # fmt: skip
    assert main.run(words) == 0
    got, before = (
        from_toml(tmp_path / "pair-1/config.toml"),
        from_toml(place / "runs/pair-1/config.toml"),
    )
    assert (got.model, got.image_size, got.augmentation) == (
        before.model, before.image_size, before.augmentation,
    )  # fmt: skip
    assert got.optimizer == {"name": "adam", "learning_rate": pytest.approx(0.0004)}
    assert (got.epochs, got.keep_per_class, got.balance) == (2, 5, True)
    assert "known classes" in capsys.readouterr().out
    assert main.run(["doctor", str(tmp_path / "pair-1")]) in (0, 3)
    assert main.run([*words, "--resume"]) == 1
    assert "pair-1 is complete" in re.sub(r"\s+", " ", capsys.readouterr().err)


def test_a_network_is_trained_further_twice(finished, place, tmp_path):
    """Its images are those of both runs, and its learning rate is not lowered again."""
    make_colored(tmp_path / "third/train", 10, {"white": (250, 250, 250), **only("red")})
    make_colored(tmp_path / "third/test", 3, {"white": (250, 250, 250), **only("red")})
    run, _ = finished
    settings = inherited_settings(run.folder.path, str(tmp_path / "third"), epochs=1)
    assert settings.optimizer == inherited_settings(place / "runs/pair-1", "x").optimizer
    again = experiment.run(settings, tmp_path / "runs", verbose=0, say=silent)
    data, fields = again.report["data"], again.report["before_after"]
    assert data["classes"] == ["blue", "green", "red", "white"]
    assert data["train"] + data["validation"] == 16 + 16 + 12 + 10 + 10
    kinds = [(row["name"], row["kind"], row["images"]) for row in fields["classes"]]
    assert kinds == [
        ("blue", "known", 4), ("green", "known", 5), ("red", "known", 4), ("red", "more", 3),
        ("white", "new", 3),
    ]  # fmt: skip
    assert ["red, new images", "3"] in [row[:2] for row in fields["table"]]


def test_a_model_file_of_a_run_is_the_run(place, settings):
    one = find_run(place / "runs/pair-1/checkpoints/last.mcnn")
    assert one.name == "pair-1" and one.folder.path == place / "runs/pair-1"
    again = inherited_settings(place / "runs/pair-1/best.mcnn", settings.data, epochs=4)
    assert again.changed(start=settings.start) == settings


# The images that are rehearsed


def test_a_sample_has_the_same_number_of_each_class():
    parts = [
        ImageList([f"{i}{c}" for c in "ab" for i in range(n)], np.repeat([0, 1], n), ["a", "b"], "")
        for n in (3, 5)
    ]
    with mc.random.seeded(1):
        first, again = sample(parts, 4), sample(parts, 4)
    assert first[0].paths == again[0].paths and first[1].paths == again[1].paths
    labels = np.concatenate([part.labels for part in first])
    assert np.bincount(labels).tolist() == [4, 4]
    assert all(
        path[-1] == "ab"[c] for p in first for path, c in zip(p.paths, p.labels, strict=True)
    )
    assert [len(part.paths) for part in sample(parts, 100)] == [6, 10]
    assert sample([], 4) == []


def test_no_test_image_is_learned(place, settings):
    """Also if the run split its images at random."""
    one = continual.prepare(settings, silent)
    assert one.earlier_tests == 8
    digests = [{image.tobytes() for image in split.images} for split in one.images[:3]]
    assert not digests[0] & digests[1] and not digests[2] & (digests[0] | digests[1])


@pytest.fixture
def unsplit(tmp_path):
    """A run on images that are split at random: runs/mixed-1."""
    make_colored(tmp_path / "all", 20, only("blue", "red"))
    settings = Settings(
        model="cifar", data=str(tmp_path / "all"), name="mixed", epochs=1, batch_size=16,
        image_size=(24, 24), seed=5,
    )  # fmt: skip
    experiment.run(settings, tmp_path / "runs", verbose=0, say=silent)
    return tmp_path


def test_a_random_split_is_repeated(unsplit, place):
    with (unsplit / "runs/mixed-1/predictions.csv").open() as file:
        tested = {row["path"] for row in csv.DictReader(file)}
    settings = inherited_settings(unsplit / "runs/mixed-1", str(place / "more"), seed=6)
    images = continual.prepare(settings, silent).images
    assert set(images.test.files[:4]) == tested and len(tested) == 4
    assert images.train.total == 2 * 14 + 12 - 1  # one of green is for validation
    assert not tested & set(images.train.files) | tested & set(images.validation.files)
    assert images.validation.total == 2 * 4 + 1


def test_images_that_were_added_to_a_random_split_are_refused(unsplit):
    save_colored(unsplit / "all/red/red 99.png", COLORS["red"], 9)
    settings = inherited_settings(unsplit / "runs/mixed-1", str(unsplit / "all"))
    with pytest.raises(ArgumentError, match=r"has changed since mixed-1 split it .* --data NEW"):
        continual.prepare(settings, silent)


def test_known_images_are_not_new(unsplit, place, tmp_path):
    settings = inherited_settings(unsplit / "runs/mixed-1", str(unsplit / "all"))
    with pytest.raises(ArgumentError, match="have been learned already; there is nothing new"):
        continual.prepare(settings, silent)
    shutil.copytree(place / "old", tmp_path / "grown")
    first = from_toml(place / "runs/pair-1/config.toml").changed(epochs=1)
    first = first.changed(data=str(tmp_path / "grown"))
    experiment.run(first, tmp_path / "runs", verbose=0, say=silent)
    for split, count in (("train", 12), ("test", 5)):
        make_colored(tmp_path / "grown" / split, count, only("green"))
    said = []
    grown = inherited_settings(tmp_path / "runs/pair-1", str(tmp_path / "grown"))
    images = continual.prepare(grown, said.append).images
    assert "40 of these images are known already and do not count as new." in said
    assert images.test.total == 13 and images.train.total == 39


def test_lost_images_are_named_by_keep(place, tmp_path):
    shutil.copytree(place / "runs", tmp_path / "runs")
    config = tmp_path / "runs/pair-1/config.toml"
    config.write_text(config.read_text().replace(str(place / "old"), str(tmp_path / "gone")))
    settings = inherited_settings(tmp_path / "runs/pair-1", str(place / "more"), epochs=1)
    with pytest.raises(FileNotFoundError, match=r"pair-1 would forget blue, red .* --keep DIR"):
        continual.prepare(settings, silent)
    kept = continual.prepare(settings.changed(keep=str(place / "old")), silent)
    assert kept.earlier_tests == 8 and kept.images.train.total == 39
    said = []
    run = experiment.run(settings.changed(keep_per_class=0), tmp_path, verbose=0, say=said.append)
    assert "The images of pair-1 are gone, so its accuracy on them cannot be measured." in said
    assert run.report["before_after"]["known_classes"] is None
    with pytest.raises(FileNotFoundError, match="no folder for the class 'blue', 'red'"):
        continual.prepare(settings.changed(keep=str(place / "more")), silent)


def test_a_model_without_a_run_needs_keep(place, tmp_path):
    shutil.copy(place / "runs/pair-1/best.mcnn", tmp_path / "mine.mcnn")
    settings = inherited_settings(tmp_path / "mine.mcnn", str(place / "more"), epochs=1)
    assert settings.optimizer["learning_rate"] == pytest.approx(0.0001)
    with pytest.raises(FileNotFoundError, match=r"mine\.mcnn would forget blue, red"):
        continual.prepare(settings, silent)
    assert continual.prepare(settings.changed(keep=str(place / "old")), silent).earlier_tests == 8


def test_images_of_an_archive_are_known(tmp_path, place):
    """MNIST's four files, of which the digits 3 and 8 alone are of interest here."""
    run = find_run(place / "runs/pair-1")
    model = mc.zoo.lenet()
    model.class_names = [str(digit) for digit in range(10)]
    model.preprocess = Preprocess((28, 28), "grayscale", scale=1.0, background="dark")
    lenet = Settings(model="lenet", data="")
    digits = run._replace(
        name="lenet-1", model=model, class_names=model.class_names, preprocess=model.preprocess,
        settings=lenet,
    )  # fmt: skip
    settings = lenet.changed(start="runs/lenet-1", data="x", keep_per_class=3)
    known = read_known(find_known(digits, settings, silent), digits, settings, silent)
    assert np.bincount(known.train.labels).tolist() == [3] * 10
    assert known.test.total == 10_000 and known.shared


# Before and after


def test_changes_are_counted_by_hand(place):
    run = find_run(place / "runs/pair-1")
    one = continual.prepare(inherited_settings(place / "runs/pair-1", str(place / "more")), silent)
    test = one.images.test  # 4 blue, 4 red, 5 green
    predicted = np.array([0, 0, 0, 1, 2, 2, 1, 1, 1, 1, 1, 1, 0])
    after = Predictions(np.eye(3)[predicted], test.labels, ["blue", "green", "red"])
    changes = compare(run, test, 6, after)  # as if two red images were new
    shares = [(c.name, c.kind, c.images, c.after) for c in changes.classes]
    assert shares == [
        ("blue", "known", 4, 0.75), ("red", "known", 2, 1.0), ("red", "more", 2, 0.0),
        ("green", "new", 5, 0.8),
    ]  # fmt: skip
    assert changes.known.after == 5 / 8 and changes.everything.after == 9 / 13
    assert changes.known.points == pytest.approx(100 * (5 / 8 - changes.known.before))


# A base with a head


def test_the_head_of_a_base_is_trained_further(tmp_path, place):
    preprocess = Preprocess((24, 24), scale=1.0, mean=(127.0,) * 3, std=(128.0,) * 3)
    bases.BASES["tiny"] = bases.Base(tiny, preprocess, "late")
    try:
        first = Settings(
            model="tiny", base="tiny", data=str(place / "old"), epochs=3, batch_size=16,
            optimizer={"name": "adam", "learning_rate": 0.02},
        )  # fmt: skip
        experiment.run(first, tmp_path, verbose=0, say=silent)
        settings = inherited_settings(tmp_path / "tiny-1", str(place / "more"), epochs=3)
        run = experiment.run(settings, tmp_path, verbose=0, say=silent)
        tuned = experiment.run(settings.changed(fine_tune=1), tmp_path, verbose=0, say=silent)
    finally:
        del bases.BASES["tiny"]
    before, after = (load_model(tmp_path / f"tiny-{i}/best.mcnn") for i in (1, 2))
    assert after.class_names == ["blue", "green", "red"] and after.output_shape == (None, 3)
    for layer in before.layers[:-1]:
        for old, new in zip(layer.parameters, after.get_layer(layer.name).parameters, strict=True):
            np.testing.assert_array_equal(new.value, old.value)
    assert run.report["before_after"]["known_classes"]["images"] == 8
    assert len(tuned.report["history"]["loss"]) == 4


def test_a_base_without_a_head_has_no_parts():
    model = mc.Sequential([Input((2, 2, 1)), Flatten(), Dense(2, "softmax")])
    with pytest.raises(ArgumentError, match="is no base with a head"):
        bases.parts(model)


# What is refused


def test_an_unfinished_run_is_refused(place, tmp_path):
    shutil.copytree(place / "runs/pair-1", tmp_path / "pair-1")
    RunFolder(tmp_path / "pair-1").report.unlink()
    for path in (tmp_path / "pair-1", tmp_path / "pair-1/best.mcnn"):
        with pytest.raises(ArgumentError, match=r"pair-1 is unfinished.* --resume"):
            find_run(path)


def test_a_fold_is_refused(place, tmp_path):
    shutil.copytree(place / "runs/pair-1", tmp_path / "fold-1")
    config = tmp_path / "fold-1/config.toml"
    text = config.read_text().replace("folds = 0\nfold = 0", "folds = 2\nfold = 1")
    config.write_text(text)
    with pytest.raises(ArgumentError, match="fold-1 is a fold of a cross-validation"):
        find_run(tmp_path / "fold-1")


def test_a_cross_validation_is_refused(place, tmp_path):
    shutil.copytree(place / "runs/pair-1", tmp_path / "pair-1")
    config = tmp_path / "pair-1/config.toml"
    config.write_text(config.read_text().replace("folds = 0", "folds = 2"))
    (tmp_path / "pair-1/best.mcnn").unlink()
    with pytest.raises(ArgumentError, match="is a cross-validation, of which no network"):
        find_run(tmp_path / "pair-1")


def test_a_model_without_class_names_is_refused(tmp_path):
    dense(2).save(tmp_path / "m.mcnn")
    with pytest.raises(ArgumentError, match="has no preprocessing, so it cannot be"):
        find_run(tmp_path / "m.mcnn")
    model = mc.Sequential([Input((4, 4, 3)), Flatten(), Dense(2, "softmax")])
    model.preprocess = Preprocess((4, 4))
    model.save(tmp_path / "m.mcnn")
    with pytest.raises(ArgumentError, match="has no class names, so it cannot be"):
        find_run(tmp_path / "m.mcnn")


@pytest.mark.parametrize("path", ["nothing", "empty"])
def test_what_is_no_run_is_refused(tmp_path, path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="is neither a run folder"):
        find_run(tmp_path / path)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"normalize": True}, "normalize cannot be set with start"),
        ({"network": {"classes": 3}}, "network cannot be set with start"),
        ({"folds": 2, "fold": 1}, "folds cannot be set with start"),
        ({"start": "", "keep": "x"}, "keep needs start"),
        ({"start": "", "keep_per_class": 5}, "keep_per_class needs start"),
        ({"image_size": (32, 32)}, "image_size must be [24, 24], as pair-1 was trained"),
        ({"memory_mb": 0}, "the new images take more than memory_mb = 0"),
    ],
    ids=["normalize", "network", "folds", "keep", "keep-per-class", "image-size", "memory"],
)
def test_settings_that_do_not_fit_are_refused(settings, tmp_path, changes, text):
    with pytest.raises(ArgumentError, match=re.escape(text)):
        experiment.run(settings.changed(**changes), tmp_path, verbose=0, say=silent)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--model", "scene"], "--model cannot be given with --from"),
        (["--image-size", "9", "9"], "--image-size cannot be given with --from"),
        (["x.toml"], "--from takes the settings of RUN; leave CONFIG out"),
        (["--folds", "3"], "--folds cannot be given with --from"),
        (["--fold", "3"], "--folds cannot be given with --from"),
    ],
    ids=["model", "image-size", "config", "folds", "fold"],
)
def test_options_that_do_not_fit_are_refused(place, capsys, words, text):
    run = ["--from", str(place / "runs/pair-1"), "--data", str(place / "more")]
    assert main.run(["train", *run, *words]) == 2
    assert text in capsys.readouterr().err


def test_new_images_must_be_named(place, capsys):
    assert main.run(["train", "--from", str(place / "runs/pair-1")]) == 2
    assert "--data is missing: minicnn train --from RUN --data NEW" in capsys.readouterr().err
