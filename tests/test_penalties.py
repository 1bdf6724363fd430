"""What is added to the loss besides the labels' loss, and constraints of weights."""

from __future__ import annotations

import numpy as np
import pytest

import minicnn as mc
from minicnn import layers, ops

X = np.random.default_rng(0).normal(size=(8, 4)).astype(np.float32)
ZEROS = np.zeros((8, 2), np.float32)
RATE = 0.1


def one_layer(**options):
    layer = layers.Dense(2, use_bias=False, kernel_initializer="ones", **options)
    model = mc.Sequential([mc.Input((4,)), layer])
    model.compile(mc.optimizers.SGD(RATE), "mean_squared_error")
    return model, layer


def gradient_of_mse(w):
    """d mean((x w)^2) / dw."""
    return 2 * X.T @ (X @ w) / ZEROS.size


def test_an_l2_regularizer_is_in_the_loss_and_in_the_gradient(backend):
    model, layer = one_layer(kernel_regularizer=mc.regularizers.L2(0.5))
    w = np.ones((4, 2), np.float32)
    loss = float(((X @ w) ** 2).mean()) + 0.5 * 8
    assert model.evaluate(X, ZEROS, verbose=0) == pytest.approx(loss, rel=1e-6)
    assert model.train_on_batch(X, ZEROS) == pytest.approx(loss, rel=1e-6)
    wanted = w - RATE * (gradient_of_mse(w) + 2 * 0.5 * w)
    np.testing.assert_allclose(layer.kernel.value, wanted, rtol=1e-5, atol=1e-6)
    assert float(model.losses[0]) == pytest.approx(0.5 * float((wanted**2).sum()), rel=1e-5)


def test_a_frozen_layer_has_no_penalty(backend):
    model, layer = one_layer(kernel_regularizer="l2")
    layer.trainable = False
    assert model.evaluate(X, ZEROS, verbose=0) == pytest.approx(float(((X.sum(1)) ** 2).mean()))
    assert model.losses == []


def test_a_regularizer_of_ones_own(backend):
    model, layer = one_layer(kernel_regularizer=lambda w: 3.0 * ops.sum(ops.absolute(w)))
    model.train_on_batch(X, ZEROS)
    w = np.ones((4, 2), np.float32)
    np.testing.assert_allclose(
        layer.kernel.value, w - RATE * (gradient_of_mse(w) + 3), rtol=1e-5, atol=1e-6
    )


def test_sample_weights_do_not_weight_penalties(backend):
    model, _ = one_layer(kernel_regularizer=mc.regularizers.L2(0.5))
    nothing = model.test_on_batch(X, ZEROS, sample_weight=np.zeros(8))
    assert nothing == pytest.approx(4.0)


class Adding(layers.Layer):
    def call(self, x):
        self.add_loss(2.0 * ops.mean(ops.square(x)))
        return x


def test_add_loss(backend):
    inputs = mc.Input((4,))
    dense = layers.Dense(2, use_bias=False, kernel_initializer="ones")
    model = mc.Model(inputs, Adding()(dense(inputs)))
    model.compile(mc.optimizers.SGD(RATE), "mean_squared_error")
    w = np.ones((4, 2), np.float32)
    assert model.train_on_batch(X, ZEROS) == pytest.approx(3 * float(((X @ w) ** 2).mean()))
    np.testing.assert_allclose(
        dense.kernel.value, w - RATE * 3 * gradient_of_mse(w), rtol=1e-5, atol=1e-6
    )
    layer = Adding()
    layer(X)
    assert float(layer.losses[0]) == pytest.approx(2 * float((X**2).mean()))
    layer(X)
    assert len(layer.losses) == 1  # of the last call


def test_an_activity_regularizer(backend):
    model, layer = one_layer(activity_regularizer=mc.regularizers.L2(0.25))
    w = np.ones((4, 2), np.float32)
    penalty = 0.25 * float(((X @ w) ** 2).sum()) / 8
    loss = float(((X @ w) ** 2).mean()) + penalty
    assert model.train_on_batch(X, ZEROS) == pytest.approx(loss, rel=1e-6)
    wanted = w - RATE * (gradient_of_mse(w) + 0.25 * 2 * X.T @ (X @ w) / 8)
    np.testing.assert_allclose(layer.kernel.value, wanted, rtol=1e-5, atol=1e-6)


def test_constraints_hold_after_each_step(backend):
    model, layer = one_layer(kernel_constraint="non_neg")
    for _ in range(20):
        model.train_on_batch(X, np.full((8, 2), -3, np.float32))
    assert layer.kernel.value.min() == 0
    model, layer = one_layer(kernel_constraint=mc.constraints.UnitNorm(axis=0))
    model.train_on_batch(X, ZEROS)
    np.testing.assert_allclose((layer.kernel.value**2).sum(0), 1, rtol=1e-5)


def test_a_constraint_of_ones_own(backend):
    def halved_in_the_end(w):
        half = w * 0.5
        ops.square(half)  # an operation whose result is not the constraint's
        return half

    w = np.ones((4, 2), np.float32)
    for constraint, factor in ((lambda w: w, 1.0), (halved_in_the_end, 0.5)):
        model, layer = one_layer(kernel_constraint=constraint)
        model.train_on_batch(X, ZEROS)
        wanted = factor * (w - RATE * gradient_of_mse(w))
        np.testing.assert_allclose(layer.kernel.value, wanted, rtol=1e-5, atol=1e-6)


def test_penalties_and_constraints_are_saved(tmp_path):
    model, _ = one_layer(kernel_regularizer=mc.regularizers.L1(0.1), kernel_constraint="max_norm")
    model.save(tmp_path / "m.mcnn")
    again = mc.load_model(tmp_path / "m.mcnn")
    for _ in range(3):
        assert model.train_on_batch(X, ZEROS) == again.train_on_batch(X, ZEROS)
