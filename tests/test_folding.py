"""Folded batch norms at inference: the same predictions, with the current weights."""

from __future__ import annotations

import numpy as np
import pytest

import minicnn as mc
from minicnn import layers

BATCH = 3


def after():
    """Return batch norms after convolutions: padded, pooled, grouped, read twice."""
    x = mc.Input((11, 10, 3))
    y = layers.Conv2D(6, 3, padding="same", use_bias=False)(x)
    y = layers.ReLU()(layers.BatchNormalization()(y))
    y = layers.MaxPooling2D(2)(y)
    y = layers.BatchNormalization(scale=False)(layers.Conv2D(4, 3, groups=2)(y))
    return mc.Model(x, layers.Add()([y, layers.Activation("tanh")(y)]))


def before():
    """Return a batch norm before a convolution, as in the scene network."""
    x = mc.Input((11, 10, 3))
    y = layers.MaxPooling2D(2)(layers.Conv2D(6, 3, activation="relu")(x))
    y = layers.Dropout(0.2)(layers.BatchNormalization(center=False)(y))
    y = layers.Conv2D(5, (2, 3), use_bias=False, activation="relu")(y)
    return mc.Model(x, layers.Conv2D(4, 1)(layers.BatchNormalization()(y)))


def both():
    """Return a convolution between two batch norms, which takes over both."""
    x = mc.Input((11, 10, 3))
    y = layers.BatchNormalization()(layers.Conv2D(4, 3)(layers.BatchNormalization()(x)))
    return mc.Model(x, y)


def neither():
    """Return batch norms that cannot be folded: padded, activated, read twice, an output."""
    x = mc.Input((11, 10, 3))
    y = layers.Conv2D(4, 3, padding="same")(layers.BatchNormalization()(x))
    y = layers.BatchNormalization()(layers.Activation("relu")(y))
    y = layers.Add()([layers.Conv2D(4, 1)(y), y])
    y = layers.Conv2D(4, 1)(y)
    return mc.Model(x, [y, layers.BatchNormalization()(y)])


def computed():
    """Return a batch norm before a convolution whose weights are computed: it cannot be folded."""
    x = mc.Input((11, 10, 3))
    y = layers.BatchNormalization()(layers.Activation("tanh")(layers.Conv2D(1, 1)(x)))
    return mc.Model(x, layers.SeparableConv2D(4, 3)(y))


FOLDED = {
    "computed": (computed, 0),
    "after": (after, 2),
    "before": (before, 2),
    "both": (both, 2),
    "neither": (neither, 0),
}
every = pytest.mark.parametrize(("build", "folded"), FOLDED.values(), ids=FOLDED)


def unsettle(model, seed=1):
    """Set statistics and weights as training might leave them."""
    rng = np.random.default_rng(seed)
    for parameter in model.parameters:
        low, high = (0.3, 2.0) if "variance" in parameter.name else (-0.7, 0.7)
        parameter.assign(rng.uniform(low, high, parameter.shape))
    return model


def pictures(seed=0):
    return np.random.default_rng(seed).random((BATCH, 11, 10, 3), np.float32)


def outputs(model):
    found = model.predict_on_batch(pictures())
    return found if isinstance(found, list) else [found]


def unfused(model):
    fuse, model.fuse = model.fuse, False
    model._executions.clear()
    plain = outputs(model)
    model.fuse = fuse
    model._executions.clear()
    return plain


@every
def test_predictions_stay_the_same(backend, build, folded):
    model = unsettle(build())
    program = model.program(BATCH)
    norms = [s for s in program.steps if s.kernel == "batch_norm_inference_forward"]
    every_norm = [la for la in model.layers if isinstance(la, layers.BatchNormalization)]
    assert program.constant_steps == folded == len(every_norm) - len(norms)
    for y, plain in zip(outputs(model), unfused(model), strict=True):
        np.testing.assert_allclose(y, plain, rtol=1e-5, atol=1e-5 * np.abs(plain).max())


def test_relu_and_pooling_follow_the_folded_convolution():
    kernels = [step.kernel for step in after().program(BATCH).steps]
    assert "conv2d_max_pool2d_forward" in kernels and "relu_forward" not in kernels


@pytest.mark.parametrize("build", [after, before, both])
def test_every_change_of_a_parameter_is_seen(backend, build):
    model = unsettle(build())
    outputs(model)
    for parameter in model.parameters:
        parameter.assign(parameter.value * np.float32(1.5))
        for y, plain in zip(outputs(model), unfused(model), strict=True):
            np.testing.assert_allclose(y, plain, rtol=1e-4, atol=1e-5 * np.abs(plain).max())
        assign_first(parameter, np.nan)
        outputs(model)
        assign_first(parameter, 0.25)


def test_weights_are_prepared_once_and_after_each_change(backend, monkeypatch):
    model = unsettle(before())
    outputs(model)
    (execution,) = model._executions.values()
    runs = []
    run = execution.runner.run
    monkeypatch.setattr(execution.runner, "run", lambda *part: (runs.append(part), run(*part)))
    outputs(model)
    ones = np.ones(model.parameters[0].shape, np.float32)
    model.parameters[0].assign(ones)  # no batch norm's, and of a convolution that has none
    outputs(model)
    kernel = model.layers[-1].kernel
    kernel.assign(np.full(kernel.shape, np.nan))
    outputs(model)
    outputs(model)
    assert runs == [(2,), (2,), (0, 2), (2,), (2,)]


def test_kept_weights_follow_every_change(backend):
    layers = [
        mc.layers.Conv2D(5, 3, activation="relu", padding="same", algorithm="winograd"),
        mc.layers.Conv2D(4, 3, padding="same", algorithm="winograd"),
        mc.layers.Conv2D(3, 3, padding="same", algorithm="winograd"),
        mc.layers.MaxPooling2D(2),
    ]
    model = mc.Sequential([mc.Input((11, 10, 3)), *layers])
    for value in (0.5, -0.5, 0.25, np.nan, 1.0):
        for changed in layers[:3]:
            weights = changed.kernel.value.copy()
            weights.flat[7] = value
            changed.kernel.assign(weights)
            y = pictures()
            for layer in layers:
                y = layer(y)
            np.testing.assert_allclose(outputs(model)[0], y, rtol=1e-4, atol=1e-5)


def test_validation_between_steps_sees_the_new_weights(backend):
    model = mc.Sequential([mc.Input((11, 10, 3)), *tail()])
    model.compile(mc.optimizers.SGD(0.5), "sparse_categorical_crossentropy")
    x, y = pictures(), np.array([0, 1, 2])
    before_training = model.test_on_batch(x, y)
    for _ in range(5):
        model.train_on_batch(x, y)
    loss = model.test_on_batch(x, y)
    assert loss != before_training
    model.fuse = False
    model._executions.clear()
    assert model.test_on_batch(x, y) == pytest.approx(loss, rel=1e-5)


def assign_first(parameter, number):
    value = parameter.value.copy()
    value.flat[0] = number
    parameter.assign(value)


def tail():
    return [
        layers.Conv2D(4, 3, use_bias=False),
        layers.BatchNormalization(momentum=0.5),
        layers.ReLU(),
        layers.Flatten(),
        layers.Dense(3, activation="softmax"),
    ]
