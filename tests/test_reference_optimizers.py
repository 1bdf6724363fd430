"""Optimizers: first steps by hand, and rounding in exactly the promised order."""

from __future__ import annotations

import numpy as np
import pytest

from minicnn.backends.numpy import KERNELS

PLAIN = {"weight_decay": 0.0, "decoupled": False, "multiplier": 1.0}
SGD = PLAIN | {"momentum": 0.0, "nesterov": False}
ADAM = PLAIN | {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}
ADAGRAD = PLAIN | {"epsilon": 1e-7}
RMSPROP = PLAIN | {"rho": 0.9, "momentum": 0.0, "epsilon": 0.0, "centered": False}


def one(*values):
    return [None if value is None else np.array([value], float) for value in values]


def update(kernel, *values, rates=(0.1, 0.1), **attributes):
    """The numbers that the kernel makes of numbers."""
    outs = KERNELS[kernel](*one(*values), np.array(rates), **attributes)
    return [None if out is None else out.item() for out in outs]


def assert_close(got, want):
    assert [g is None for g in got] == [w is None for w in want]
    for g, w in zip(got, want, strict=True):
        assert g is None or g == pytest.approx(w, rel=1e-14)


def test_sgd():
    assert_close(update("sgd_update", 1, 0.5, None, **SGD), [0.95, None])


def test_sgd_with_momentum_takes_two_steps():
    w, velocity = update("sgd_update", 1, 0.5, 0, **SGD | {"momentum": 0.9})
    assert_close([w, velocity], [0.95, -0.05])
    w, velocity = update("sgd_update", w, 0.5, velocity, **SGD | {"momentum": 0.9})
    assert_close([w, velocity], [0.95 - 0.095, -0.095])  # 0.9 * 0.05 + 0.05


def test_nesterov_looks_ahead():
    got = update("sgd_update", 1, 0.5, 0, **SGD | {"momentum": 0.9, "nesterov": True})
    assert_close(got, [1 - 0.9 * 0.05 - 0.05, -0.05])


@pytest.mark.parametrize("gradient", [2.0, -0.003, 1e6])
def test_adams_first_step_is_as_long_as_the_learning_rate(gradient):
    """The moving means are (1 - beta) times the gradient and its square; bias correction makes
    the step rate * g / |g|, whatever the size of g."""
    rate = 0.001
    step = rate * np.sqrt(1 - 0.999) / (1 - 0.9)
    w, first, second = update("adam_update", 1, gradient, 0, 0, rates=(rate, step), **ADAM)
    assert w == pytest.approx(1 - rate * np.sign(gradient), rel=1e-5)
    assert_close([first, second], [0.1 * gradient, 0.001 * gradient**2])


def test_adam_by_hand():
    attributes = PLAIN | {"beta_1": 0.5, "beta_2": 0.75, "epsilon": 1.0}
    # first: 4 + (2 - 4) / 2 = 3; second: 32 + (4 - 32) / 4 = 25; w: 1 - 3 * 0.2 / (5 + 1)
    got = update("adam_update", 1, 2, 4, 32, rates=(9.0, 0.2), **attributes)
    assert_close(got, [0.9, 3, 25])


def test_rmsprop():
    # square: 0.9 * 0.4 + 0.1 * 4 = 0.76
    got = update("rmsprop_update", 1, 2, 0.4, None, None, **RMSPROP)
    assert_close(got, [1 - 0.1 * 2 / np.sqrt(0.76), 0.76, None, None])


def test_rmsprop_centered():
    # square: 0.1 * 4 = 0.4; mean: 0.2; 0.4 - 0.04 = 0.36, whose root is 0.6
    got = update("rmsprop_update", 1, 2, 0, None, 0, **RMSPROP | {"centered": True})
    assert_close(got, [1 - 0.2 / 0.6, 0.4, None, 0.2])


def test_rmsprop_with_momentum():
    # increment: 0.1 * 2 / sqrt(0.4 + 0.6) = 0.2; velocity: 0.5 * 0.3 + 0.2 = 0.35
    got = update(
        "rmsprop_update", 1, 2, 0, 0.3, None, **RMSPROP | {"momentum": 0.5, "epsilon": 0.6}
    )
    assert_close(got, [0.65, 0.4, 0.35, None])


def test_adagrad():
    # accumulator: 1.25 + 2 * 2 = 5.25; w: 1 - 0.1 * 2 / sqrt(5.25 + 1)
    got = update("adagrad_update", 1, 2, 1.25, **ADAGRAD | {"epsilon": 1.0})
    assert_close(got, [0.92, 5.25])


def test_adadelta():
    # square: 0.5 * 4 + 0.5 * 4 = 4; delta: sqrt(8 + 1) * 2 / sqrt(4 + 1); its mean square after it
    got = update("adadelta_update", 1, 2, 4, 8, **PLAIN | {"rho": 0.5, "epsilon": 1.0})
    delta = 3 * 2 / np.sqrt(5)
    assert_close(got, [1 - 0.1 * delta, 4, 4 + 0.5 * delta**2])


def test_adamax():
    attributes = PLAIN | {"beta_1": 0.5, "beta_2": 0.75, "epsilon": 1.0}
    # first: 4 + (2 - 4) / 2 = 3; norm: max(0.75 * 4, 2) = 3, or max(0.75 * 1, 2) = 2
    got = update("adamax_update", 1, -2, 8, 4, rates=(9.0, 0.2), **attributes)
    assert_close(got, [1 - 3 * 0.2 / 4, 3, 3])
    got = update("adamax_update", 1, -2, 8, 1, rates=(9.0, 0.2), **attributes)
    assert_close(got, [1 - 3 * 0.2 / 3, 3, 2])


def test_amsgrad_keeps_the_largest_mean_square():
    attributes = PLAIN | {"beta_1": 0.5, "beta_2": 0.75, "epsilon": 1.0}
    got = update("amsgrad_update", 1, 2, 4, 32, 36, rates=(9.0, 0.2), **attributes)
    assert_close(got, [1 - 3 * 0.2 / 7, 3, 25, 36])
    got = update("amsgrad_update", 1, 2, 4, 32, 16, rates=(9.0, 0.2), **attributes)
    assert_close(got, [1 - 3 * 0.2 / 6, 3, 25, 25])


def test_nadam():
    attributes = PLAIN | {"beta_1": 0.5, "beta_2": 0.75, "epsilon": 1.0}
    # ahead: 2 * 3 + 0.5 * 2 = 7; the root of 25 * 4 is 10
    got = update("nadam_update", 1, 2, 4, 32, rates=(0.1, 2.0, 0.5, 4.0), **attributes)
    assert_close(got, [1 - 7 * 0.1 / 11, 3, 25])


@pytest.mark.parametrize(("gradient", "sign"), [(2.0, 1), (-3.0, -1), (-1.0, 0)])
def test_lion_steps_by_the_sign(gradient, sign):
    attributes = PLAIN | {"beta_1": 0.5, "beta_2": 0.75}
    got = update("lion_update", 1, gradient, 1, **attributes)
    assert_close(got, [1 - 0.1 * sign, 0.75 + 0.25 * gradient])


def test_ftrl():
    attributes = PLAIN | {"l1": 1.0, "l2": 0.5, "shrinkage": 0.25, "beta": 2.0}
    # total: 5 + 4 = 9; change: (3 - sqrt(5)) / 0.1; linear: -7 + (2 + 0.5 * 1) - change
    linear = -4.5 - (3 - np.sqrt(5)) / 0.1
    got = update("ftrl_update", 1, 2, 5, -7, **attributes)
    assert_close(got, [(-1 - linear) / (5 / 0.1 + 1), 9, linear])
    got = update("ftrl_update", 1, 0, 9, -1.5, **attributes)  # the penalty makes it 0
    assert_close(got, [0, 9, -1])


def test_means_of_several_batches():
    assert_close(update_of("add_gradient", 3, 2), [5])
    assert_close(update_of("mean_gradient", 3, 6, batches=3), [3])
    assert_close(update_of("moving_average", 8, 4, momentum=0.75), [7])


def update_of(kernel, *values, **attributes):
    return [out.item() for out in KERNELS[kernel](*one(*values), **attributes)]


@pytest.mark.parametrize(
    ("kernel", "slots", "attributes"),
    [
        ("adadelta_update", [0.1, 0.2], PLAIN | {"rho": 0.9, "epsilon": 1e-7}),
        ("adamax_update", [0.1, 0.2], ADAM),
        ("amsgrad_update", [0.1, 0.2, 0.3], ADAM),
        ("lion_update", [0.1], PLAIN | {"beta_1": 0.9, "beta_2": 0.99}),
        ("adagrad_update", [0.1], ADAGRAD),
        ("sgd_update", [None], SGD),
        ("adam_update", [0.1, 0.2], ADAM),
        ("rmsprop_update", [0.1, None, None], RMSPROP),
    ],
)
def test_weight_decay_and_multiplier(kernel, slots, attributes):
    w, dw, rates = 3.0, 0.5, (0.1, 0.02)
    plain = update(kernel, w, dw, *slots, rates=rates, **attributes)
    # Coupled: as if the gradient were dw + decay * w.
    coupled = update(kernel, w, dw, *slots, rates=rates, **attributes | {"weight_decay": 0.25})
    assert_close(coupled, update(kernel, w, dw + 0.25 * w, *slots, rates=rates, **attributes))
    # Decoupled: the same step, and the weight shrinks by the learning rate (not Adam's step).
    decay = {"weight_decay": 0.25, "decoupled": True}
    decoupled = update(kernel, w, dw, *slots, rates=rates, **attributes | decay)
    assert_close(decoupled, [plain[0] - 0.1 * 0.25 * w, *plain[1:]])
    # A multiplier of 2 is twice the rates, decay included.
    doubled = update(kernel, w, dw, *slots, rates=rates, **attributes | decay | {"multiplier": 2})
    twice = (2 * rates[0], 2 * rates[1])
    assert_close(doubled, update(kernel, w, dw, *slots, rates=twice, **attributes | decay))


def test_float32_rounds_after_each_operation_in_the_written_order():
    """What a loop over single numbers gives, to the last bit."""
    rng = np.random.default_rng(0)
    f = np.float32
    w, g, first, velocity = rng.standard_normal((4, 500)).astype(f)
    second = rng.random(500, f)
    rates = np.array([0.01, 0.003], f)
    b1, epsilon, decay, multiplier = f(0.9), f(1e-7), f(0.004), f(1.7)

    adam = ADAM | {"weight_decay": 0.004, "decoupled": True, "multiplier": 1.7}
    got = KERNELS["adam_update"](w, g, first, second, rates, **adam)
    for i in range(500):
        w_i = w[i] - rates[0] * multiplier * decay * w[i]
        m = first[i] + (g[i] - first[i]) * f(1 - 0.9)
        v = second[i] + (g[i] * g[i] - second[i]) * f(1 - 0.999)
        w_i = w_i - m * (rates[1] * multiplier) / (np.sqrt(v) + epsilon)
        assert (got[0][i], got[1][i], got[2][i]) == (w_i, m, v)

    sgd = {"momentum": 0.9, "nesterov": True, "weight_decay": 0.004, "decoupled": False}
    got = KERNELS["sgd_update"](w, g, velocity, rates, **sgd, multiplier=1.7)
    for i in range(500):
        rate = rates[0] * multiplier
        g_i = g[i] + decay * w[i]
        v = b1 * velocity[i] - rate * g_i
        assert (got[0][i], got[1][i]) == (w[i] + (b1 * v - rate * g_i), v)


def test_clip_by_value():
    (got,) = KERNELS["clip_by_value"](np.array([-3, -0.5, np.nan, 0.2, np.inf]), limit=0.5)
    np.testing.assert_array_equal(got, [-0.5, -0.5, np.nan, 0.2, 0.5])


def test_clip_by_norm():
    dw = np.array([[3.0], [-4]])
    assert KERNELS["clip_by_norm"](dw, limit=1.0)[0].tolist() == [[0.6000000000000001], [-0.8]]
    assert KERNELS["clip_by_norm"](dw, limit=5.0)[0].tolist() == dw.tolist()
    assert KERNELS["clip_by_norm"](dw, limit=50.0)[0].tolist() == dw.tolist()
    assert not KERNELS["clip_by_norm"](np.zeros(3), limit=1.0)[0].any()


def test_clip_by_global_norm():
    """Lengths 3 and 4 are 5 together."""
    a, b = np.array([1.0, 2, 2], np.float32), np.full((4, 4), 1, np.float32)
    (total,) = KERNELS["squared_norm_start"](a)
    (total,) = KERNELS["squared_norm_add"](b, total)
    assert total.tolist() == [25]
    (clipped,) = KERNELS["clip_by_global_norm"](b, total, limit=2.5)
    assert (clipped == 0.5).all()
    (same,) = KERNELS["clip_by_global_norm"](b, total, limit=6.0)
    np.testing.assert_array_equal(same, b)


def test_squares_do_not_overflow():
    dw = np.full(4, 1e30, np.float32)
    (clipped,) = KERNELS["clip_by_norm"](dw, limit=1.0)
    np.testing.assert_allclose(clipped, 0.5, rtol=1e-6)


def test_a_nan_in_a_gradient_is_not_hidden_by_clipping():
    dw = np.array([np.nan, 1.0])
    assert np.isnan(KERNELS["clip_by_norm"](dw, limit=1.0)[0]).all()
