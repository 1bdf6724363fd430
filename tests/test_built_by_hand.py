"""Layers whose `build` a script calls itself, and results of sizes that are not known before."""

from __future__ import annotations

import numpy as np
import pytest

import minicnn as mc
from minicnn import layers


def test_a_layer_that_was_built_by_hand_is_not_built_again():
    dense = layers.Dense(3)
    dense.build((None, 4))
    kernel = dense.kernel
    assert dense.built
    dense(np.zeros((2, 4), np.float32))
    assert dense.kernel is kernel
    assert len(dense.parameters) == 2


def test_a_build_that_fails_leaves_the_layer_unbuilt():
    class Fails(layers.Dense):
        def build(self, input_shape):
            super().build(input_shape)
            raise ValueError("no")

    layer = Fails(3)
    with pytest.raises(ValueError, match="no"):
        layer.build((None, 4))
    assert not layer.built


def test_layers_of_a_layer_built_in_its_build():
    class Twice(layers.Layer):
        def build(self, input_shape):
            self.inner = layers.Dense(2)
            self.inner.build((None, input_shape[-1]))

        def call(self, x):
            return self.inner(x)

    model = mc.Sequential([mc.Input((4,)), Twice()])
    assert model.count_params() == 10


def test_predictions_of_images_of_any_size():
    model = mc.Sequential([mc.Input((None, None, 1)), layers.Conv2D(2, 1)])
    assert model.predict(np.zeros((3, 5, 6, 1), np.float32), verbose=0).shape == (3, 5, 6, 2)
    assert model.predict(np.zeros((3, 4, 4, 1), np.float32), verbose=0).shape == (3, 4, 4, 2)
