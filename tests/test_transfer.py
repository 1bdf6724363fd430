"""Transfer learning: a head on the features of a frozen base, fine-tuning, and resumed runs."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from image_folders import make_colored

import minicnn as mc
from minicnn import layers
from minicnn.apps.cli import main
from minicnn.apps.runs import bases, experiment
from minicnn.apps.runs.log import RunLog
from minicnn.apps.runs.settings import Settings, from_table
from minicnn.data.preprocess import Preprocess
from minicnn.errors import ArgumentError
from minicnn.models import load_model
from minicnn.support.auto_names import clear_session


def tiny(input_shape):
    """A base that the tests can afford; its weights depend on nothing but this code."""
    with mc.random.seeded(1):
        x = inputs = mc.Input(input_shape)
        for name, filters in (("early", 4), ("late", 8)):
            x = layers.Conv2D(filters, 3, strides=2, use_bias=False, name=name)(x)
            x = layers.BatchNormalization(name=f"{name}_bn")(x)
            x = layers.ReLU(6.0, name=f"{name}_relu")(x)
        outputs = layers.GlobalAveragePooling2D(name="avg_pool")(x)
        model = mc.Model(inputs, outputs, name="tiny")
        model.get_weights()  # draws them
    return model


@pytest.fixture(scope="module", autouse=True)
def _tiny_base():
    preprocess = Preprocess((24, 24), scale=1.0, mean=(127.0,) * 3, std=(128.0,) * 3)
    bases.BASES["tiny"] = bases.Base(tiny, preprocess, "late")
    yield
    del bases.BASES["tiny"]


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    root = tmp_path_factory.mktemp("colors")
    make_colored(root / "train", 20)
    make_colored(root / "test", 4)
    return Settings(
        model="tiny", base="tiny", data=str(root), name="colors", epochs=6, batch_size=16,
        fine_tune=2, optimizer={"name": "adam", "learning_rate": 0.02},
    )  # fmt: skip


@pytest.fixture(scope="module")
def finished(settings, tmp_path_factory):
    said = []
    run = experiment.run(settings, tmp_path_factory.mktemp("runs"), verbose=0, say=said.append)
    return run, said


def weights(model):
    return {p.name: p.numpy() for p in model.parameters}


def base_weights():
    clear_session()
    return weights(tiny((24, 24, 3)))


def assert_same(folder, other):
    for name in ("best.mcnn", "checkpoints/last.mcnn"):
        ours, theirs = (weights(load_model(run / name)) for run in (folder, other))
        assert ours.keys() == theirs.keys()
        for one in ours:
            np.testing.assert_array_equal(ours[one], theirs[one])


def test_the_result_is_one_ordinary_model(finished, settings):
    run, _ = finished
    model = load_model(run.folder.best)
    assert model.class_names == ["blue", "green", "red"]
    assert model.preprocess == bases.find("tiny").preprocess
    assert [layer.name for layer in model.layers][-3:] == ["avg_pool", "head_dropout", "head"]
    assert main.run(["test", str(run.folder.path), settings.data, "--quiet"]) == 0
    assert run.report["test"]["accuracy"] > 0.5
    assert run.report["parameters"] == model.count_params()


def test_the_head_alone_leaves_the_base_as_it_was(settings, tmp_path):
    run = experiment.run(settings.changed(fine_tune=0), tmp_path, verbose=0, say=lambda _: None)
    before, after = base_weights(), weights(load_model(run.folder.best))
    for name, value in before.items():
        np.testing.assert_array_equal(after[name], value)
    assert len(run.report["history"]["loss"]) == settings.epochs
    assert not run.folder.fine_tuning.exists()
    left = {path.name for path in run.folder.checkpoints.iterdir()}
    assert left == {"last.mcnn"}


def test_fine_tuning_changes_the_last_blocks_but_no_batch_normalization(finished, settings):
    run, said = finished
    before, after = base_weights(), weights(load_model(run.folder.last))
    changed = {name for name, value in before.items() if not np.array_equal(after[name], value)}
    assert changed == {"late/kernel"}
    assert any("Fine-tuning from late on" in line for line in said)
    with run.folder.fine_tuning.open() as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["6", "7"]
    assert len(run.report["history"]["val_accuracy"]) == settings.epochs + settings.fine_tune


def test_test_images_choose_nothing(finished):
    run, said = finished
    data = run.report["data"]
    assert (data["train"], data["validation"], data["test"]) == (54, 6, 12)
    assert not data["validation_is_test"]
    assert "6 of the training images are used for validation; no test image is." in said


@pytest.mark.parametrize("epoch", [2, 6])
def test_an_interrupted_run_ends_with_the_same_bits(settings, finished, tmp_path, epoch):
    """In the training of the head, and in the fine-tuning."""
    ended = RunLog.on_epoch_end

    def interrupt(self, number, logs=None):
        if number == epoch:
            raise KeyboardInterrupt
        ended(self, number, logs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RunLog, "on_epoch_end", interrupt)
        with pytest.raises(KeyboardInterrupt):
            experiment.run(settings, tmp_path, verbose=0, say=lambda _: None)
    again = experiment.resume("colors", tmp_path, verbose=0, say=lambda _: None)
    assert_same(again.folder.path, finished[0].folder.path)
    history = finished[0].report["history"]
    assert again.report["history"] == history
    assert {path.name for path in again.folder.checkpoints.iterdir()} == {"last.mcnn"}


def test_images_on_disk_give_the_same_features(settings, finished, tmp_path):
    on_disk = settings.changed(memory_mb=0)
    again = experiment.run(on_disk, tmp_path, verbose=0, say=lambda _: None)
    ours, theirs = again.report["history"], finished[0].report["history"]
    assert ours["val_loss"][: settings.epochs] == theirs["val_loss"][: settings.epochs]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"normalize": True}, "normalize cannot be set with a base"),
        ({"shift": 1}, "shift cannot be set with a base"),
        ({"base": "tinny"}, "no base 'tinny': did you mean tiny\\?"),
        ({"base": ""}, "fine_tune needs a base"),
    ],
    ids=["normalize", "shift", "unknown", "no-base"],
)
def test_settings_that_do_not_fit_are_refused(settings, tmp_path, changes, text):
    with pytest.raises(ArgumentError, match=text):
        experiment.run(settings.changed(**changes), tmp_path, verbose=0, say=lambda _: None)
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_settings_needs_no_model_beside_the_base():
    assert from_table({"base": "tiny", "data": "x"}).title == "tiny"


def test_a_base_with_another_model_is_refused(capsys, tmp_path):
    words = ["train", "--data", str(tmp_path), "--base", "efficientnet-lite0", "--model", "scene"]
    assert main.run(words) == 2
    assert "--base is itself a network" in capsys.readouterr().err


def test_layers_that_do_not_exist_cannot_be_thawed():
    nets = bases.networks(tiny((24, 24, 3)), 3)
    with pytest.raises(ArgumentError, match="no layer 'latte': did you mean late\\?"):
        bases.thaw(nets.whole, "latte")
    assert nets.head.count_params() == 8 * 3 + 3
