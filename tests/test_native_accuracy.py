"""The rounding errors of native kernels, in units of 2^-24, on data that brings them out."""

from __future__ import annotations

import numpy as np
import pytest
from kernel_cases import pool

native = pytest.importorskip("minicnn.backends.native", exc_type=ModuleNotFoundError)

UNIT = 2.0**-24


def run(kernel, *reads, **attributes):
    return native.KERNELS[kernel](*reads, **attributes)


def test_batch_norm_of_a_small_variance_at_a_large_mean():
    rng = np.random.default_rng(1)
    x = (1e4 + rng.standard_normal((64, 28, 28, 5))).astype(np.float32)
    one, zero = np.ones(5, np.float32), np.zeros(5, np.float32)
    _, mean, _, moving_mean, moving_variance = run(
        "batch_norm_training_forward", x, one, zero, zero, zero, None, momentum=0.0, epsilon=1e-3
    )
    exact = x.astype(np.float64)
    assert (np.abs(mean - exact.mean((0, 1, 2))) <= 2 * UNIT * np.abs(x).max()).all()
    np.testing.assert_array_equal(moving_mean, mean)
    np.testing.assert_allclose(moving_variance, exact.var((0, 1, 2)), rtol=8 * UNIT)


def test_averages_of_positive_values():
    rng = np.random.default_rng(2)
    x = rng.uniform(1, 2, (2, 31, 33, 17)).astype(np.float32)
    (y,) = run("global_average_pool2d_forward", x, image=(31, 33))
    np.testing.assert_allclose(y, x.mean((1, 2), np.float64), rtol=2 * UNIT)
    window = pool((31, 33), (31, 33))
    (y,) = run("average_pool2d_forward", x, **window)
    np.testing.assert_allclose(y[:, 0, 0], x.mean((1, 2), np.float64), rtol=2 * UNIT)


def test_bias_gradient_of_positive_values():
    dy = np.random.default_rng(3).uniform(1, 2, (100, 28, 28, 7)).astype(np.float32)
    (db,) = run("bias_backward_bias", dy)
    np.testing.assert_allclose(db, dy.sum((0, 1, 2), np.float64), rtol=2 * UNIT)


def test_softmax_rows():
    x = np.random.default_rng(4).uniform(-40, 40, (500, 33)).astype(np.float32)
    (y,) = run("softmax_forward", x)
    depth = x.max(1, keepdims=True).astype(np.float64) - x
    exact = np.exp(-depth) / np.exp(-depth).sum(1, keepdims=True)
    tiny = np.finfo(np.float32).smallest_normal
    normal = exact > tiny
    assert normal.mean() > 0.9
    assert (np.abs(y - exact)[normal] <= (UNIT * (depth + 16) * exact)[normal]).all()
    assert (np.abs(y.sum(1, dtype=np.float64) - 1) <= 33 * UNIT).all()


@pytest.mark.parametrize("operation", ["sigmoid", "tanh", "elu"])
def test_curved_activations_are_within_two_units_in_the_last_place(operation):
    x = np.random.default_rng(5).uniform(-20, 20, 100_000).astype(np.float32)
    exact = {
        "sigmoid": lambda v: 1 / (1 + np.exp(-v)),
        "tanh": np.tanh,
        "elu": lambda v: np.where(v > 0, v, np.expm1(v)),
    }[operation](x.astype(np.float64))
    (y,) = run(f"{operation}_forward", x, **({"alpha": 1.0} if operation == "elu" else {}))
    assert (np.abs(y - exact) <= 2 * np.spacing(np.abs(exact).astype(np.float32))).all()


@pytest.mark.parametrize("beta", [0.75, 0.6])
def test_local_response_norm(beta):
    x = np.random.default_rng(6).uniform(-9, 9, (4, 5, 6, 31)).astype(np.float32)
    y, _ = run("local_response_norm_forward", x, size=5, alpha=2.0, beta=beta, k=1.0)
    squares = np.pad(x.astype(np.float64) ** 2, [(0, 0)] * 3 + [(2, 2)])
    sums = sum(squares[..., i : i + 31] for i in range(5))
    np.testing.assert_allclose(y, x * (1 + 2.0 / 5 * sums) ** -beta, rtol=(5 + 12) * UNIT)
