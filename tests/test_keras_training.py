"""Forty small trainings end with Keras's weights, from Keras's initial weights.

The weights were made by tools/make_keras_training.py with Keras 3.15.1 on TensorFlow.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path

import numpy as np
import pytest
from keras_training_cases import CASES, build, train

import minicnn as mc

STORED = json.loads(Path(__file__).with_name("keras_training.json").read_text())["cases"]
BOUND = 2e-3  # of the largest weight of each array


def arrays(stored, model):
    """Keras's weights in minicnn's shapes: depthwise kernels are (H, W, 1, channels) here."""
    flat = [np.frombuffer(base64.b64decode(text), "<f4") for _, text in stored]
    return [x.reshape(w.shape) for x, w in zip(flat, model.get_weights(), strict=True)]


@pytest.mark.parametrize("name", CASES)
def test_weights_after_twenty_steps(name):
    model = build(mc, CASES[name])
    model.set_weights(arrays(STORED[name]["before"], model))
    train(model, CASES[name])
    expected = arrays(STORED[name]["after"], model)
    for ours, theirs in zip(model.get_weights(), expected, strict=True):
        assert np.abs(ours - theirs).max() <= BOUND * np.abs(theirs).max()
