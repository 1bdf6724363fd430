"""A finished run's model states what its probabilities are worth, and keeps some features."""

from __future__ import annotations

import json

import numpy as np
import pytest
from image_folders import make_colored

from minicnn import layers
from minicnn.apps.cli import main
from minicnn.apps.runs import experiment, feature_sampling
from minicnn.apps.runs.calibrating import CalibrationCheck, calibrated
from minicnn.apps.runs.classifier_parts import feature_network
from minicnn.apps.runs.load_images import load_images
from minicnn.apps.runs.predictions import Predictions, evaluate
from minicnn.apps.runs.settings import Settings
from minicnn.metrics import Calibration
from minicnn.models import Sequential, load_model

NEAR = {"dark": (100, 100, 100), "gray": (115, 115, 115), "light": (130, 130, 130)}


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    """Three shades of gray with so much noise that a network confuses some."""
    root = make_colored(tmp_path_factory.mktemp("grays"), 40, NEAR, noise=120)
    return Settings(
        model="cifar", data=str(root), name="grays", epochs=2, batch_size=16, image_size=(24, 24),
        split=(50, 30, 20),
    )  # fmt: skip


@pytest.fixture(scope="module")
def finished(settings, tmp_path_factory):
    return experiment.run(settings, tmp_path_factory.mktemp("runs"), verbose=0, say=lambda _: None)


@pytest.fixture(scope="module")
def model(finished):
    return load_model(finished.folder.best)


@pytest.fixture(scope="module")
def images(settings, model):
    with experiment.random.seeded(settings.seed):
        return load_images(settings, model.preprocess, lambda _: None)


def test_it_is_fitted_on_the_validation_images(model, images):
    answers, _ = evaluate(model, model.preprocess, images.validation, images.class_names)
    wanted = Calibration.fitted(answers.probabilities, images.validation.labels)
    assert model.calibration.temperature == wanted.temperature
    np.testing.assert_array_equal(model.calibration.confidences, wanted.confidences)
    np.testing.assert_array_equal(model.calibration.correct, wanted.correct)


def test_without_validation_images_the_test_images_fit_it(model, images):
    shared = images._replace(validation=images.test, shared=True)
    test, _ = evaluate(model, model.preprocess, images.test, images.class_names)
    found = calibrated(model, model.preprocess, shared, test)
    assert len(found.correct) == images.test.total
    assert found.correct.mean() == test.accuracy


def test_a_network_of_one_sigmoid_has_none(images):
    binary = Sequential([layers.Input((24, 24, 3)), layers.Flatten(), layers.Dense(1, "sigmoid")])
    two = images._replace(class_names=["a", "b"])
    assert calibrated(binary, None, two, None) is None


def test_a_network_without_softmax_has_none(model, images):
    logits = Predictions(np.array([[2.0, -1.0, 0.5]]), np.array([0]), images.class_names)
    assert calibrated(model, model.preprocess, images._replace(shared=True), logits) is None


def test_the_report_compares_what_is_stated_with_the_test(finished, model):
    fields = json.loads(finished.folder.report.read_text())["calibration"]
    predictions = finished.result.predictions
    confidence = model.calibration.probabilities(predictions.probabilities).max(1)
    for row in fields["thresholds"]:
        kept = confidence >= np.float32(row["threshold"])
        assert row["unsure"] == pytest.approx(1 - kept.mean())
        if kept.any():
            right = predictions.predicted == predictions.labels
            assert row["accuracy"] == pytest.approx(right[kept].mean())
        stated = model.calibration.at(row["threshold"])
        assert (row["stated_accuracy"], row["stated_unsure"]) == stated
    page = (finished.folder.path / "report.html").read_text()
    assert "fitted on the answers for 36 validation images" in page
    assert 'alt="Accuracy by probability' in page


def test_the_command_test_shows_it(finished, settings, tmp_path, capsys):
    words = ["test", str(finished.folder.path), "--report", str(tmp_path / "out.html"), "--quiet"]
    assert main.run(words) == 0
    temperature = finished.report["calibration"]["temperature"]
    assert f"at the temperature {temperature:.2f}" in capsys.readouterr().out
    assert "Can its probabilities be trusted?" in (tmp_path / "out.html").read_text()
    assert main.run(["test", str(finished.folder.path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["calibration"]
    assert found == finished.report["calibration"]


def test_a_threshold_that_nothing_reaches_is_shown():
    unsure = Predictions(np.full((2, 4), 0.25), np.array([0, 1]), list("abcd"))
    check = CalibrationCheck(Calibration(1.0, [0.25, 0.25], np.array([True, False])), unsure)
    assert check.rows[-1].cells == ["0.95", "-", "-", "100.0%", "100.0%"]
    assert check.error == check.error_before == 0.25


def test_the_features_are_those_that_the_last_layer_reads(model, images):
    sample = model.feature_sample
    network = feature_network(model)
    for split, held_out in ((images.train, False), (images.validation, True)):
        features, labels = sample.part(held_out=held_out)
        assert np.bincount(labels).tolist() == np.bincount(split.labels).tolist()
        whole = network.predict_on_batch(model.preprocess(split.images))
        for one, label in zip(features[::7], labels[::7], strict=True):
            same = np.isclose(whole, one, rtol=2e-3, atol=2e-3).all(1)
            assert label in split.labels[same]


def test_few_features_of_many_classes_are_kept(model, images, monkeypatch):
    monkeypatch.setattr(feature_sampling, "PER_CLASS", 3)
    some = feature_sampling.sampled_features(model, model.preprocess, images, 0.0)
    assert np.bincount(some.part(held_out=False)[1]).tolist() == [3, 3, 3]
    monkeypatch.setattr(feature_sampling, "AT_MOST", 2)
    some = feature_sampling.sampled_features(model, model.preprocess, images, 0.0)
    assert np.bincount(some.part(held_out=True)[1]).tolist() == [1, 1, 1]


def test_a_network_that_ends_in_a_convolution_keeps_none(images):
    model = Sequential(
        [layers.Input((24, 24, 3)), layers.Conv2D(3, 1), layers.GlobalAveragePooling2D()]
    )
    assert feature_sampling.sampled_features(model, None, images, 0.0) is None
