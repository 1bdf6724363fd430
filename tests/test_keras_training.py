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


def arrays(stored):
    return [np.frombuffer(base64.b64decode(t), "<f4").reshape(shape) for shape, t in stored]


@pytest.mark.parametrize("name", CASES)
def test_weights_after_twenty_steps(name):
    model = build(mc, CASES[name])
    model.set_weights(arrays(STORED[name]["before"]))
    train(model, CASES[name])
    for ours, theirs in zip(model.get_weights(), arrays(STORED[name]["after"]), strict=True):
        assert np.abs(ours - theirs).max() <= BOUND * np.abs(theirs).max()
