"""The repr of each object shows how to create it."""

from __future__ import annotations

import numpy as np
import pytest

import minicnn as mc
from minicnn import initializers, losses, metrics, optimizers, schedules
from minicnn.layers import Add, BatchNormalization, Conv2D, Dense, Dropout, Flatten, Input, Layer


def built():
    return mc.Sequential([Input((8, 8, 1)), Conv2D(2, 3), Flatten(), Dense(3)], name="net")


def two_inputs():
    a, b = Input((3,)), Input((3,))
    return mc.Model([a, b], Add()([a, b]), name="sum")


class Broken(Layer):
    def get_config(self):
        raise RuntimeError("not yet")


class HalfMade(Layer):
    def __init__(self):  # never calls super().__init__
        pass


REPRS = {
    "layer": (lambda: Dense(10, "relu", name="d"), "Dense(name='d', units=10, activation='relu')"),
    "defaults": (lambda: BatchNormalization(name="n"), "BatchNormalization(name='n')"),
    "frozen": (
        lambda: Dropout(0.25, name="d", trainable=False),
        "Dropout(name='d', trainable=False, rate=0.25)",
    ),
    "initializer of a layer": (
        lambda: Dense(1, name="d", kernel_initializer="ones"),
        "Dense(name='d', units=1, kernel_initializer=Ones())",
    ),
    "broken": (lambda: Broken(name="b"), "<Broken>"),
    "half made": (HalfMade, "<HalfMade>"),
    "model": (built, "<Sequential 'net': (None, 8, 8, 1) -> (None, 3), 3 layers, 239 parameters>"),
    "inputs": (
        two_inputs,
        "<Model 'sum': (None, 3), (None, 3) -> (None, 3), 3 layers, 0 parameters>",
    ),
    "waiting": (
        lambda: mc.Sequential([Dense(4), Dense(1)], name="w"),
        "<Sequential 'w': 2 layers, the input's shape not known yet>",
    ),
    "optimizer": (optimizers.Adam, "Adam(learning_rate=0.001)"),
    "momentum": (lambda: optimizers.SGD(0.1, 0.9), "SGD(learning_rate=0.1, momentum=0.9)"),
    "schedule": (lambda: schedules.CosineDecay(0.1, 5), (
        "CosineDecay(initial_learning_rate=0.1, decay_steps=5)"
    )),
    "scheduled": (
        lambda: optimizers.SGD(schedules.Constant(0.5)),
        "SGD(learning_rate=Constant(learning_rate=0.5))",
    ),
    "loss": (losses.MeanSquaredError, "MeanSquaredError()"),
    "logits": (
        lambda: losses.CategoricalCrossentropy(from_logits=True),
        "CategoricalCrossentropy(from_logits=True)",
    ),
    "metric": (lambda: metrics.Precision(top_k=3), "Precision(top_k=3, name='precision')"),
    "initializer": (initializers.Zeros, "Zeros()"),
    "constant": (lambda: initializers.Constant(2.0), "Constant(value=2)"),
    "parameter": (lambda: built().parameters[0], "<Parameter conv2d/kernel (3, 3, 1, 2)>"),
}  # fmt: skip


@pytest.mark.parametrize("name", REPRS)
def test_what_is_printed(name):
    make, text = REPRS[name]
    assert repr(make()) == text


def test_printing_draws_no_weights():
    class Counted(initializers.Initializer):
        draws = 0

        def __call__(self, shape, rng):
            Counted.draws += 1
            return np.ones(shape, np.float32)

    model = mc.Sequential([Input((4,)), Dense(2, kernel_initializer=Counted())])
    assert "10 parameters" in repr(model)
    assert "Counted" in repr(Counted()) and Counted.draws == 0


@pytest.mark.parametrize("name", sorted(set(mc.layers.LAYERS) - {"Model", "Sequential"}))
def test_every_layer_says_its_class(name):
    assert type(mc.layers.LAYERS[name].__repr__) is type(Layer.__repr__)
    assert mc.layers.LAYERS[name].__repr__ is Layer.__repr__
