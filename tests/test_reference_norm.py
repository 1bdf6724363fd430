"""Batch and local response normalization: by hand, and where precision is at stake."""

from __future__ import annotations

import numpy as np
import pytest
from gradcheck import run

from minicnn.backends.numpy import KERNELS

BN = {"momentum": 0.75, "epsilon": 0.0}


def channel(*numbers, **others):
    """One channel of an image, with gamma 3, beta 10 and moving averages 8 and 4."""
    names = {"gamma": 3.0, "beta": 10.0, "moving_mean": 8.0, "moving_variance": 4.0} | others
    x = np.array(numbers, float).reshape(1, -1, 1, 1)
    return {"x": x} | {name: np.array([value]) for name, value in names.items()}


def test_training_by_hand():
    """Mean 4, variance (9 + 1 + 1 + 9) / 4 = 5: division by n, not by n - 1."""
    written = run("batch_norm_training_forward", channel(1, 3, 5, 7), BN)
    assert written["mean"] == 4
    np.testing.assert_allclose(written["inverse_std"], 1 / np.sqrt(5), rtol=1e-15)
    want = 10 + 3 * np.array([-3, -1, 1, 3]) / np.sqrt(5)
    np.testing.assert_allclose(written["y"].ravel(), want, rtol=1e-15)
    assert written["moving_mean"] == 8 * 0.75 + 4 * 0.25
    assert written["moving_variance"] == 4 * 0.75 + 5 * 0.25


def test_training_gradient_by_hand():
    """Two numbers are always -1 and 1 after normalization: their gradients must be 0."""
    arrays = channel(1, 3)
    arrays |= run("batch_norm_training_forward", arrays, BN)
    arrays["dy"] = np.array([2.0, 5]).reshape(1, 2, 1, 1)
    written = run("batch_norm_training_backward", arrays, BN)
    assert written["dx"].ravel().tolist() == [0, 0]
    assert (written["dgamma"], written["dbeta"]) == (3, 7)  # 2 * -1 + 5 * 1 and 2 + 5


def test_inference_by_hand():
    arrays = channel(8, 10, 2)
    assert run("batch_norm_inference_forward", arrays, BN)["y"].ravel().tolist() == [10, 13, 1]
    arrays["dy"] = np.array([1.0, 2, 3]).reshape(1, 3, 1, 1)
    written = run("batch_norm_inference_backward", arrays, BN)
    assert written["dx"].ravel().tolist() == [1.5, 3, 4.5]
    assert (written["dgamma"], written["dbeta"]) == (1 * 0 + 2 * 1 + 3 * -3, 6)


def test_epsilon_is_added_to_the_variance():
    written = run("batch_norm_training_forward", channel(5, 5), BN | {"epsilon": 0.25})
    assert written["inverse_std"] == 2


def test_statistics_of_a_small_deviation_at_a_large_mean():
    rng = np.random.default_rng(0)
    x = (1e4 + rng.standard_normal((64, 20, 20, 3))).astype(np.float32)
    ones = np.ones(3, np.float32)
    arrays = {"x": x, "gamma": ones, "beta": ones, "moving_mean": ones, "moving_variance": ones}
    written = run("batch_norm_training_forward", arrays, {"momentum": 0.0, "epsilon": 0.0})
    exact = x.astype(np.float64)
    u = np.finfo(np.float32).eps / 2
    np.testing.assert_allclose(written["mean"], exact.mean((0, 1, 2)), rtol=2 * u)
    np.testing.assert_allclose(written["moving_variance"], exact.var((0, 1, 2)), rtol=8 * u)
    np.testing.assert_allclose(written["inverse_std"], 1 / exact.std((0, 1, 2)), rtol=4 * u)


def test_vectors_are_normalized_by_feature():
    x = np.array([[1.0, 10], [3, 30]])
    zeros, ones = np.zeros(2), np.ones(2)
    y, *_ = KERNELS["batch_norm_training_forward"](x, ones, zeros, zeros, ones, **BN)
    assert y.tolist() == [[-1, -1], [1, 1]]


@pytest.mark.parametrize(
    ("size", "scale"),
    [
        (1, [4, 13, 28]),  # 1 + 3 / 1 * (1, 4, 9)
        (2, [8.5, 20.5, 14.5]),  # 1 + 3 / 2 * (1 + 4, 4 + 9, 9)
        (3, [6, 15, 14]),  # 1 + 3 / 3 * (1 + 4, 1 + 4 + 9, 4 + 9)
        (5, [9.4, 9.4, 9.4]),  # 1 + 3 / 5 * (1 + 4 + 9): the window is longer than the channels
    ],
)
def test_local_response_norm_by_hand(size, scale):
    x = np.array([1.0, 2, 3]).reshape(1, 1, 1, 3)
    y, found = KERNELS["local_response_norm_forward"](x, size=size, alpha=3.0, beta=2.0, k=1.0)
    np.testing.assert_allclose(found.ravel(), scale, rtol=1e-15)
    np.testing.assert_allclose(y.ravel(), np.array([1, 2, 3]) / np.square(scale), rtol=1e-15)


def test_local_response_norm_does_not_mix_pixels():
    x = np.zeros((1, 1, 2, 3))
    x[0, 0, 0] = 5
    y, _ = KERNELS["local_response_norm_forward"](x, size=3, alpha=1.0, beta=0.75, k=2.0)
    assert y[0, 0, 0].all() and not y[0, 0, 1].any()
