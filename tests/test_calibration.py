"""Calibration: the temperature, what is stated at a threshold, and the model file that holds it."""

from __future__ import annotations

import numpy as np
import pytest

import minicnn as mc
from minicnn.errors import ArgumentError, FormatError, ShapeError
from minicnn.layers import Dense, Input
from minicnn.metrics import Calibration, expected_calibration_error, reliability
from minicnn.metrics.calibration import are_probabilities
from minicnn.models.feature_sample import FeatureSample
from minicnn.models.saving.archive import read_archive, write_archive


def softmax(z):
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def drawn(temperature, count=4000, classes=4, seed=0):
    """Probabilities that are too sharp by this temperature, and labels drawn from the true ones."""
    rng = np.random.default_rng(seed)
    z = rng.normal(0, 1.5, (count, classes))
    true = softmax(z)
    labels = (true.cumsum(1) < rng.random((count, 1))).sum(1)
    return softmax(temperature * z), labels


def mean_loss(p, labels):
    return -np.log(p[np.arange(len(labels)), labels]).mean()


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_the_temperature_is_found(temperature):
    p, labels = drawn(temperature)
    found = Calibration.fitted(p, labels)
    assert found.temperature == pytest.approx(temperature, rel=0.05)
    assert expected_calibration_error(found.confidences, found.correct) < 0.02


def test_no_other_temperature_has_less_loss():
    p, labels = drawn(2.0, count=20_000)
    found = Calibration.fitted(p, labels)
    least = mean_loss(found.probabilities(p), labels)
    for factor in (0.97, 1.03):
        other = Calibration(found.temperature * factor, [], np.zeros(0, bool))
        assert mean_loss(other.probabilities(p), labels) > least


def test_probabilities_are_powers_that_sum_to_one():
    p = softmax(np.random.default_rng(1).normal(size=(50, 5))).astype(np.float32)
    calibrated = Calibration(1.7, [], np.zeros(0, bool)).probabilities(p)
    powers = p ** (1 / 1.7)
    np.testing.assert_allclose(calibrated, powers / powers.sum(1, keepdims=True), rtol=1e-5)
    assert calibrated.dtype == np.float32
    np.testing.assert_array_equal(calibrated.argmax(1), p.argmax(1))


def test_probabilities_of_zero_and_one_stay_finite():
    found = Calibration.fitted(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([0, 0]))
    assert np.isfinite(found.probabilities(np.array([[1.0, 0.0]]))).all()


def test_a_few_answers_that_are_all_right_do_not_make_it_certain():
    p = np.full((5, 2), [0.9, 0.1])
    few = Calibration.fitted(p, np.zeros(5, int))
    many = Calibration.fitted(np.repeat(p, 1000, 0), np.zeros(5000, int))
    assert few.confidences.max() < 0.95 < many.confidences.max()


def test_what_is_stated_at_a_threshold_is_counted():
    known = Calibration(1.0, [0.95, 0.9, 0.6, 0.4], np.array([True, False, True, False]))
    assert known.at(0.0) == (0.5, 0.0)
    assert known.at(0.6) == (pytest.approx(2 / 3), 0.25)
    assert known.at(0.95) == (1.0, 0.75), "a threshold that is reached exactly is reached"
    assert known.at(0.99) == (None, 1.0)


def test_the_statement_holds_on_images_that_fitted_nothing():
    p, labels = drawn(2.0, seed=1)
    known = Calibration.fitted(p, labels)
    other, truth = drawn(2.0, seed=2)
    calibrated = known.probabilities(other)
    for threshold in (0.5, 0.7, 0.9):
        kept = calibrated.max(1) >= threshold
        measured = (calibrated.argmax(1) == truth)[kept].mean()
        stated = known.at(threshold)
        assert stated.accuracy == pytest.approx(measured, abs=0.03)
        assert stated.unsure == pytest.approx(1 - kept.mean(), abs=0.03)


def test_reliability_counts_every_answer_once():
    confidences = np.array([0.0, 0.1, 0.55, 0.58, 0.999, 1.0])
    points = reliability(confidences, np.array([False, False, True, False, True, True]))
    assert [(p.low, p.images) for p in points] == [(0.0, 1), (0.1, 1), (0.5, 2), (0.9, 2)]
    assert [p.accuracy for p in points] == [0, 0, 0.5, 1]
    assert expected_calibration_error(np.ones(4), np.array([True] * 3 + [False])) == 0.25
    assert expected_calibration_error(np.zeros(0), np.zeros(0, bool)) == 0


def test_only_rows_of_a_softmax_are_probabilities():
    assert are_probabilities(np.array([[0.5, 0.5]], np.float32))
    for other in ([[0.5]], [[2.0, -1.0]], [[0.9, 0.9]], [[np.nan, 1.0]], [0.5, 0.5]):
        assert not are_probabilities(np.array(other))


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: Calibration(0.0, [], np.zeros(0, bool)), ArgumentError, "temperature"),
        (lambda: Calibration(1e300, [], np.zeros(0, bool)), ArgumentError, "temperature"),
        (lambda: Calibration(1.0, [1.5], np.array([True])), ArgumentError, "confidences"),
        (lambda: Calibration(1.0, [np.nan], np.array([True])), ArgumentError, "confidences"),
        (lambda: Calibration(1.0, [0.5], np.array([1])), ArgumentError, "true or false"),
        (lambda: Calibration(1.0, [0.5], np.array([True, True])), ShapeError, r"\(N,\)"),
        (lambda: Calibration.fitted(np.ones((2, 1)), np.zeros(2)), ShapeError, "C > 1"),
        (lambda: Calibration.fitted(np.ones((2, 2)), np.zeros(2)), ArgumentError, "sum to 1"),
        (lambda: Calibration.fitted(np.ones((0, 2)), np.zeros(0)), ArgumentError, "at least one"),
        (lambda: Calibration.fitted(np.eye(2), np.array([0, 2])), ArgumentError, "labels"),
    ],
)
def test_what_is_no_calibration_is_refused(call, error, text):
    with pytest.raises(error, match=text):
        call()


# --- in a model and in its file ---------------------------------------------------------------


def network():
    model = mc.Sequential([Input((4,)), Dense(3, activation="softmax")])
    model.calibration = Calibration(1.5, [0.9, 0.4], np.array([True, False]))
    values, labels = np.arange(12).reshape(3, 4) / 7, np.array([0, 1, 2])
    model.feature_sample = FeatureSample(values, labels, np.array([False, True, True]))
    return model


def test_they_are_saved_with_the_model(tmp_path):
    model = network()
    model.save(tmp_path / "m.mcnn")
    again = mc.load_model(tmp_path / "m.mcnn")
    assert again.calibration.temperature == 1.5
    np.testing.assert_array_equal(again.calibration.confidences, model.calibration.confidences)
    np.testing.assert_array_equal(again.calibration.correct, [True, False])
    np.testing.assert_array_equal(again.feature_sample.values, model.feature_sample.values)
    features, labels = again.feature_sample.part(held_out=True)
    assert features.dtype == np.float32 and labels.tolist() == [1, 2]
    again.save(tmp_path / "again.mcnn")
    assert (tmp_path / "again.mcnn").read_bytes() == (tmp_path / "m.mcnn").read_bytes()


def test_a_file_without_them_is_read(tmp_path):
    model = network()
    model.calibration = model.feature_sample = None
    model.save(tmp_path / "m.mcnn")
    again = mc.load_model(tmp_path / "m.mcnn")
    assert again.calibration is None and again.feature_sample is None


def test_they_end_where_the_weights_change(tmp_path):
    x, y = np.zeros((4, 4), np.float32), np.zeros(4, int)
    network().save(tmp_path / "m.mcnn")
    changes = {
        "fit": lambda model: model.fit(x, y, verbose=0),
        "train_on_batch": lambda model: model.train_on_batch(x, y),
        "load_weights": lambda model: model.load_weights(tmp_path / "m.mcnn"),
    }
    for name, change in changes.items():
        model = network()
        model.compile("sgd", "sparse_categorical_crossentropy")
        change(model)
        assert model.calibration is None and model.feature_sample is None, name


HOSTILE = {
    "temperature of nothing": {"calibration/temperature": np.zeros(0)},
    "temperature of two": {"calibration/temperature": np.ones(2)},
    "temperature of zero": {"calibration/temperature": np.zeros(1)},
    "temperature of NaN": {"calibration/temperature": np.array([np.nan])},
    "confidences above 1": {"calibration/confidences": np.array([0.5, 7.0], np.float32)},
    "confidences of NaN": {"calibration/confidences": np.array([0.5, np.nan], np.float32)},
    "more confidences": {"calibration/confidences": np.zeros(3, np.float32)},
    "answers that are numbers": {"calibration/correct": np.array([2, 3])},
    "no answers": {"calibration/correct": None},
    "infinite features": {"features/values": np.full((3, 4), np.inf, np.float16)},
    "flat features": {"features/values": np.zeros(3, np.float16)},
    "labels that are no classes": {"features/labels": np.array([0, 1, 3])},
    "labels below zero": {"features/labels": np.array([0, 1, -1])},
    "labels that are fractions": {"features/labels": np.array([0.0, 1.0, 0.5])},
    "fewer labels": {"features/labels": np.array([0, 1])},
    "held out in parts": {"features/held_out": np.ones(3, np.float32)},
    "no labels": {"features/labels": None},
    "something else": {"code": np.zeros(1)},
}


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_file_with_others_is_refused(tmp_path, change):
    network().save(tmp_path / "m.mcnn")
    found = read_archive(tmp_path / "m.mcnn")
    documents = {k: v for k, v in found.documents.items() if k != "metadata"}
    samples = {k: v for k, v in {**found.samples, **change}.items() if v is not None}
    write_archive(tmp_path / "m.mcnn", found.weights, documents, found.arrays, samples)
    with pytest.raises(FormatError):
        mc.load_model(tmp_path / "m.mcnn")


def test_a_model_takes_nothing_else():
    model = network()
    with pytest.raises(ArgumentError, match="Calibration; got 1"):
        model.calibration = 1.5
    with pytest.raises(ArgumentError, match="FeatureSample; got"):
        model.feature_sample = np.zeros((3, 4))
    with pytest.raises(ArgumentError, match="has 3 classes; got a feature_sample of class 3"):
        model.feature_sample = FeatureSample(np.zeros((1, 4)), np.array([3]), np.array([False]))
    with pytest.raises(ArgumentError, match="finite as float16"):
        FeatureSample(np.full((1, 4), 1e6), np.array([0]), np.array([False]))
