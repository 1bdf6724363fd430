"""Layers, losses, optimizers and metrics against values that Keras computed.

The values come from Keras 3.15.1 on TensorFlow 2.21.0 (CPU), with the same inputs and the same
initial weights: sine waves, so that no file is needed. A fingerprint is the dot product of all
values, in order, with a cosine wave.
"""

from __future__ import annotations

import numpy as np
import pytest

import minicnn as mc
from minicnn import layers, losses, metrics, optimizers


def wave(*shape, step=0.7):
    return np.sin(step * np.arange(np.prod(shape))).astype(np.float32).reshape(shape)


def fingerprint(arrays):
    flat = np.concatenate([np.asarray(array, np.float64).ravel() for array in arrays])
    return float(flat @ np.cos(0.3 * np.arange(flat.size)))


CLASSES = np.array([0, 2, 1, 1, 0, 2])
ONE_HOT = np.eye(3, dtype=np.float32)[CLASSES]
YES = np.array([[0], [1], [1], [0], [1], [0]], np.float32)
MEASURED = wave(6, 3, step=1.1)
BY_CLASS = {"class_weight": {0: 1.0, 1: 3.0, 2: 0.5}}
BY_SAMPLE = {"sample_weight": np.array([1, 2, 0, 0.5, 1, 4], np.float32)}

# What follows each case: the predictions' fingerprint and the loss before the first step, the loss
# and the weights' fingerprint after the last.

# A layer between a 1x1 convolution and a softmax; two steps of SGD(0.05).
LAYERS = {
    "conv, valid, strides 2x1": (
        "Conv2D",
        (5, (3, 2), (2, 1)),
        {},
        (-0.819632, 1.140873, 1.195436, 5.699882),
    ),
    "conv, same, strides 2": (
        "Conv2D",
        (5, 3, 2, "same"),
        {},
        (-0.8057394, 1.176007, 1.337615, 1.291271),
    ),
    "conv, even kernel, same": (
        "Conv2D",
        (5, 4),
        {"padding": "same"},
        (-0.6371112, 1.094605, 2.608268, 1.563727),
    ),
    "conv, dilated": (
        "Conv2D",
        (5, (2, 3)),
        {"padding": "same", "dilation_rate": (2, 3)},
        (-0.7622297, 1.093624, 2.813066, 6.35066),
    ),
    "conv, grouped": (
        "Conv2D",
        (6, 3),
        {"groups": 2, "activation": "relu"},
        (-0.3829392, 1.16046, 14.30978, 3.894091),
    ),
    "depthwise": (
        "DepthwiseConv2D",
        (3,),
        {"padding": "same", "depth_multiplier": 2},
        (0.2852152, 2.752079, 19.91078, 4.208272),
    ),
    "max, same": ("MaxPooling2D", (3, 2, "same"), {}, (-0.8227838, 1.116714, 1.085158, 4.863887)),
    "max, overlapping": (
        "MaxPooling2D",
        ((3, 2), 1),
        {},
        (-0.8695613, 1.206855, 1.170293, 3.983743),
    ),
    "average, same": (
        "AveragePooling2D",
        (3, 2, "same"),
        {},
        (-0.8160375, 1.12828, 1.101668, 4.874378),
    ),
    "average, valid": (
        "AveragePooling2D",
        ((2, 3), (3, 1)),
        {},
        (-0.8233871, 1.135269, 1.106225, 5.141411),
    ),
    "batch norm": ("BatchNormalization", (), {}, (-0.8314319, 1.137638, 1.130945, -0.3295342)),
    "batch norm, own numbers": (
        "BatchNormalization",
        (-1, 0.8, 0.01),
        {},
        (-0.8314305, 1.135297, 1.139039, 1.088362),
    ),
    "elu": ("ELU", (0.7,), {}, (-0.8057097, 1.121296, 1.087453, 4.264862)),
    "leaky relu": ("LeakyReLU", (), {}, (-0.8098786, 1.124901, 1.078683, 4.269074)),
    "relu6": ("ReLU", (6.0,), {}, (-0.8137023, 1.131667, 1.071679, 4.271503)),
    "silu": ("Activation", ("silu",), {}, (-0.828802, 1.134137, 1.09354, 4.263933)),
    "gelu": ("Activation", ("gelu",), {}, (-0.8320327, 1.134065, 1.091052, 4.263223)),
    "zero padding": (
        "ZeroPadding2D",
        (((1, 0), (2, 3)),),
        {},
        (-0.8188647, 1.280658, 1.311382, 1.933519),
    ),
}

# Five steps of a softmax regression. Keras was told to leave biases out of the weight decay.
OPTIMIZERS = [
    ("SGD", (0.1, 0.9), {}, (-0.836074, 1.124135, 0.8752348, 2.210341)),
    ("SGD", (0.1, 0.9, True), {}, (-0.836074, 1.124135, 0.8485454, 2.251265)),
    ("SGD", (0.1,), {"clipnorm": 0.05}, (-0.836074, 1.124135, 1.107262, 1.975025)),
    ("SGD", (0.1,), {"clipvalue": 0.01}, (-0.836074, 1.124135, 1.114858, 1.963621)),
    ("SGD", (0.1,), {"global_clipnorm": 0.1}, (-0.836074, 1.124135, 1.098092, 1.990374)),
    ("SGD", (0.1, 0.9), {"weight_decay": 0.1}, (-0.836074, 1.124135, 0.8776188, 2.12888)),
    ("Adam", (0.01,), {}, (-0.836074, 1.124135, 1.037556, 1.897595)),
    ("Adam", (0.01, 0.8, 0.99, 0.001), {}, (-0.836074, 1.124135, 1.042109, 1.922667)),
    ("AdamW", (0.01,), {}, (-0.836074, 1.124135, 1.037567, 1.897283)),
    ("AdamW", (0.01, 0.1), {}, (-0.836074, 1.124135, 1.037837, 1.889813)),
    ("RMSprop", (0.01,), {}, (-0.836074, 1.124135, 0.9641742, 1.83371)),
    ("RMSprop", (0.01, 0.8, 0.5), {}, (-0.836074, 1.124135, 0.9345106, 1.799369)),
    ("RMSprop", (0.01, 0.9, 0.3, 1e-05, True), {}, (-0.836074, 1.124135, 0.9088469, 1.800293)),
    ("Adagrad", (0.1,), {}, (-0.836074, 1.124135, 0.9032621, 2.114691)),
    (
        "Adagrad",
        (0.1, 0.01, 1e-3),
        {"clipnorm": 0.05},
        (-0.836074, 1.124135, 0.9896388, 2.011049),
    ),
    ("Adagrad", (0.1,), {"weight_decay": 0.1}, (-0.836074, 1.124135, 0.9067571, 2.033174)),
]

# (loss, its arguments, labels, activation, weights); two steps of SGD(0.1).
LOSSES = [
    (
        "CategoricalCrossentropy",
        (False, 0.1),
        ONE_HOT,
        "softmax",
        {},
        (-0.836074, 1.128633, 1.085083, 2.005008),
    ),
    (
        "CategoricalCrossentropy",
        (True, 0.1),
        ONE_HOT,
        None,
        {},
        (-2.359879, 1.128633, 1.085083, 2.005008),
    ),
    (
        "CategoricalCrossentropy",
        (),
        ONE_HOT,
        "softmax",
        BY_SAMPLE,
        (-0.836074, 1.350574, 1.060882, 2.081715),
    ),
    (
        "SparseCategoricalCrossentropy",
        (),
        CLASSES,
        "softmax",
        BY_CLASS,
        (-0.836074, 1.687205, 1.082409, 1.975818),
    ),
    (
        "SparseCategoricalCrossentropy",
        (True,),
        CLASSES,
        None,
        BY_SAMPLE,
        (-2.359879, 1.350574, 1.060882, 2.081715),
    ),
    (
        "BinaryCrossentropy",
        (False, 0.2),
        YES,
        "sigmoid",
        {},
        (2.074755, 0.8152328, 0.7904284, 1.406851),
    ),
    (
        "BinaryCrossentropy",
        (True,),
        YES,
        None,
        BY_SAMPLE,
        (0.7105306, 1.293929, 0.7308756, 1.354365),
    ),
    ("MeanSquaredError", (), MEASURED, None, {}, (-2.359879, 0.5254751, 0.4095035, 1.919759)),
    (
        "MeanSquaredError",
        (),
        MEASURED,
        None,
        BY_SAMPLE,
        (-2.359879, 0.8680053, 0.3456318, 2.031464),
    ),
]


def train(middle, x, y, loss, optimizer, steps, *, last="softmax", **weights):
    units = y.shape[1] if y.ndim == 2 else 3
    model = mc.Sequential(
        [mc.Input(x.shape[1:]), *middle, layers.Flatten(), layers.Dense(units, activation=last)]
    )
    model.compile(optimizer, loss)
    for parameter in model.parameters:
        start = wave(*parameter.shape, step=0.9) * 0.9
        parameter.assign(start + ("variance" in parameter.name))
    predictions = model.predict(x, verbose=0)
    before, *_ = [model.train_on_batch(x, y, **weights) for _ in range(steps)]
    after = model.test_on_batch(x, y)
    return fingerprint([predictions]), before, after, fingerprint(model.get_weights())


def close(numbers):
    return pytest.approx(numbers, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize(
    ("kind", "arguments", "options", "numbers"), LAYERS.values(), ids=LAYERS.keys()
)
def test_layers(backend, kind, arguments, options, numbers):
    middle = [layers.Conv2D(4, 1), getattr(layers, kind)(*arguments, **options)]
    loss, optimizer = "categorical_crossentropy", optimizers.SGD(0.05)
    assert train(middle, wave(6, 7, 8, 4), ONE_HOT, loss, optimizer, 2) == close(numbers)


@pytest.mark.parametrize(("kind", "arguments", "options", "numbers"), OPTIMIZERS)
def test_optimizers(backend, kind, arguments, options, numbers):
    optimizer = getattr(optimizers, kind)(*arguments, **options)
    result = train([], wave(6, 5), ONE_HOT, "categorical_crossentropy", optimizer, 5)
    assert result == close(numbers)


@pytest.mark.parametrize(("kind", "arguments", "y", "last", "weights", "numbers"), LOSSES)
def test_losses(backend, kind, arguments, y, last, weights, numbers):
    names = ("from_logits", "label_smoothing")
    loss = getattr(losses, kind)(**dict(zip(names, arguments, strict=False)))
    result = train([], wave(6, 5), y, loss, optimizers.SGD(0.1), 2, last=last, **weights)
    assert result == close(numbers)


# 12 samples of 4 classes, and of yes or no; the second number is with weights.
SCORES = np.abs(wave(12, 4, step=1.3)) / np.abs(wave(12, 4, step=1.3)).sum(-1, keepdims=True)
TRUTH = np.eye(4, dtype=np.float32)[np.arange(12) * 5 % 7 % 4]
CHANCES = np.abs(wave(12, step=2.1))
FACTS = (np.arange(12) % 3 == 1).astype(np.float32)
WEIGHTS = 1 + wave(12, step=0.4)

METRICS = [
    ("Precision", (), {}, FACTS, CHANCES, (0.5, 0.518286)),
    ("Recall", (0.3,), {}, FACTS, CHANCES, (1, 1)),
    ("Precision", (), {"top_k": 2}, TRUTH, SCORES, (0.25, 0.3254849)),
    ("Recall", (), {"top_k": 1, "class_id": 2}, TRUTH, SCORES, (0.3333333, 0.537024)),
    ("Precision", (0.3,), {"class_id": 1}, TRUTH, SCORES, (0.3333333, 0.4668826)),
    ("F1Score", ("macro",), {}, TRUTH, SCORES, (0.2291666, 0.342839)),
    ("F1Score", ("micro", 0.3), {}, TRUTH, SCORES, (0.3125, 0.4282668)),
    ("F1Score", ("weighted",), {}, TRUTH, SCORES, (0.2222222, 0.3184629)),
    ("AUC", (), {}, FACTS, CHANCES, (0.5, 0.5280272)),
    ("AUC", (20,), {}, TRUTH, SCORES, (0.4548611, 0.6115602)),
    ("TopKCategoricalAccuracy", (2,), {}, TRUTH, SCORES, (0.5, 0.6509697)),
    ("CategoricalAccuracy", (), {}, TRUTH, SCORES, (0.25, 0.3830111)),
    (
        "BinaryAccuracy",
        (),
        {"threshold": 0.3},
        FACTS[:, None],
        CHANCES[:, None],
        (0.6666667, 0.6869802),
    ),
]


@pytest.mark.parametrize(("kind", "arguments", "options", "y", "scores", "numbers"), METRICS)
def test_metrics(kind, arguments, options, y, scores, numbers):
    results = []
    for weights in (None, WEIGHTS):
        metric = getattr(metrics, kind)(*arguments, **options)
        for rows in (slice(0, 5), slice(5, 12)):
            metric.update(y[rows], scores[rows], None if weights is None else weights[rows])
        results.append(metric.result())
    assert tuple(results) == close(numbers)
