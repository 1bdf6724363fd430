"""Losses: numbers by hand, the clip, stability, and labels that are no class."""

from __future__ import annotations

import numpy as np
import pytest
from gradcheck import gradients, result

from minicnn.backends.numpy import KERNELS

PLAIN = {"label_smoothing": 0.0}
LN2 = np.log(2)


def loss(operation, prediction, truth, label_smoothing=0.0):
    name = "logits" if operation.startswith(("softmax", "sigmoid")) else "y_pred"
    dtype = np.int32 if "sparse" in operation else float
    arrays = {name: np.array(prediction, float), "y_true": np.array(truth, dtype)}
    return result(operation, arrays, {"label_smoothing": label_smoothing})


@pytest.mark.parametrize(
    ("operation", "prediction", "truth", "want"),
    [
        ("categorical_crossentropy", [[0.25, 0.25, 0.5]], [[0, 0, 1]], LN2),
        ("categorical_crossentropy", [[1, 1, 2]], [[0, 1, 0]], 2 * LN2),  # divided by their sum
        ("categorical_crossentropy", [[0.5, 0.25, 0.25]], [[0.5, 0.5, 0]], 1.5 * LN2),
        ("sparse_categorical_crossentropy", [[0.25, 0.25, 0.5]], [2], LN2),
        ("binary_crossentropy", [[0.5, 0.75]], [[1, 0]], 1.5 * LN2),  # (ln 2 + ln 4) / 2
        ("softmax_categorical_crossentropy", [[0, 0, LN2]], [[1, 0, 0]], 2 * LN2),
        ("softmax_sparse_categorical_crossentropy", [[0, 0, LN2]], [0], 2 * LN2),
        ("sigmoid_binary_crossentropy", [[0, np.log(3)]], [[1, 0]], 1.5 * LN2),
    ],
)
def test_by_hand(operation, prediction, truth, want):
    np.testing.assert_allclose(loss(operation, prediction, truth), [want], rtol=1e-15)


def test_mean_squared_error_by_hand():
    y_pred, y_true = np.array([[1.0, 2], [0, 5]]), np.array([[3.0, 2], [0, 1]])
    (losses,) = KERNELS["mean_squared_error_forward"](y_pred, y_true)
    assert losses.tolist() == [2, 8]
    dloss = np.array([1.0, 10])
    (dy_pred,) = KERNELS["mean_squared_error_backward"](dloss, y_pred, y_true)
    assert dy_pred.tolist() == [[-2, 0], [0, 40]]


def test_gradient_from_logits_is_the_difference_of_probabilities():
    arrays = {"logits": np.log([[1.0, 2, 5]]), "y_true": np.array([1], np.int32)}
    operation = "softmax_sparse_categorical_crossentropy"
    dlogits = gradients(operation, arrays, np.array([8.0]), PLAIN)["dlogits"]
    np.testing.assert_allclose(dlogits, [[1, -6, 5]], rtol=1e-14)
    arrays = {"logits": np.array([[0, np.log(3)]]), "y_true": np.array([[1.0, 0]])}
    dlogits = gradients("sigmoid_binary_crossentropy", arrays, np.array([8.0]), PLAIN)["dlogits"]
    np.testing.assert_allclose(dlogits, [[-2, 3]], rtol=1e-14)


@pytest.mark.parametrize(
    ("operation", "prediction", "truth"),
    [
        ("categorical_crossentropy", [[0.5, 1.5]], [[1, 0]]),
        ("sparse_categorical_crossentropy", [[0.5, 1.5]], [0]),
        ("softmax_categorical_crossentropy", [[0, np.log(3)]], [[1, 0]]),
        ("softmax_sparse_categorical_crossentropy", [[0, np.log(3)]], [0]),
    ],
)
def test_label_smoothing(operation, prediction, truth):
    """Probabilities 1/4 and 3/4. Half of the truth is spread evenly, so it is 3/4 and 1/4."""
    want = -(0.75 * np.log(0.25) + 0.25 * np.log(0.75))
    np.testing.assert_allclose(loss(operation, prediction, truth, 0.5), [want], rtol=1e-15)


def test_label_smoothing_of_two_sided_truth():
    """Smoothed by 0.5, yes is 0.75 and no is 0.25."""
    want = -(0.75 * np.log(0.8) + 0.25 * np.log(0.2))
    for operation, p in (
        ("binary_crossentropy", 0.8),
        ("sigmoid_binary_crossentropy", np.log(0.8 / 0.2)),
    ):
        np.testing.assert_allclose(loss(operation, [[p]], [[1]], 0.5), [want], rtol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_clip_keeps_the_loss_finite_and_stops_the_gradient(dtype):
    arrays = {"y_pred": np.array([[1, 0]], dtype), "y_true": np.array([1], np.int32)}
    operation = "sparse_categorical_crossentropy"
    np.testing.assert_allclose(result(operation, arrays, PLAIN), [-np.log(1e-7)], rtol=1e-6)
    assert not gradients(operation, arrays, np.ones(1, dtype), PLAIN)["dy_pred"].any()

    arrays["y_true"] = np.array([[0, 1]], dtype)
    wrong = result("binary_crossentropy", arrays, PLAIN)
    assert 15 < wrong.item() < 17  # float32's 1 - 1e-7 is 1 - 2^-23
    assert not gradients("binary_crossentropy", arrays, np.ones(1, dtype), PLAIN)["dy_pred"].any()


def test_logits_of_any_size():
    z = [[1000, -1000]]
    assert loss("sigmoid_binary_crossentropy", z, [[1, 0]]).tolist() == [0]
    assert loss("sigmoid_binary_crossentropy", z, [[0, 1]]).tolist() == [1000]
    assert loss("softmax_sparse_categorical_crossentropy", z, [0]).tolist() == [0]
    assert loss("softmax_sparse_categorical_crossentropy", z, [1]).tolist() == [2000]
    assert loss("softmax_sparse_categorical_crossentropy", [[-np.inf, 0]], [1]).tolist() == [0]


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize(
    ("operation", "name"),
    [
        ("sparse_categorical_crossentropy", "y_pred"),
        ("softmax_sparse_categorical_crossentropy", "logits"),
    ],
)
def test_a_label_that_is_no_class_is_seen_in_its_own_loss_only(operation, name, smoothing):
    rng = np.random.default_rng(0)
    arrays = {name: rng.uniform(0.1, 1, (4, 3)), "y_true": np.array([0, 3, -1, 2], np.int32)}
    attributes = {"label_smoothing": smoothing}
    losses = result(operation, arrays, attributes)
    assert np.isnan(losses).tolist() == [False, True, True, False]
    gradient = gradients(operation, arrays, np.ones(4), attributes)[f"d{name}"]
    assert np.isfinite(gradient).all()
    assert gradient.any(1).tolist() == [True, False, False, True]
