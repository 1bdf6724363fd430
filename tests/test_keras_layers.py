"""Layers and activations against Keras: outputs, and gradients by inputs and weights.

`keras_layers.json` has what Keras computed, with the same arguments, inputs and weights: sine
waves, so that no further file is needed. A fingerprint is the dot product of all values, in order,
with a cosine wave. Convolutions with channels first, which Keras does not compute on a CPU, were
computed with channels last and transposed.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import minicnn as mc
from minicnn.explain import Tape
from minicnn.layers import Input

FILE = Path(__file__).parent / "keras_layers.json"
CASES = json.loads(FILE.read_text())["cases"]
keras_cases = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


def wave(*shape, step=0.7):
    return np.sin(step * np.arange(np.prod(shape))).astype(np.float32).reshape(shape)


def fingerprint(arrays):
    flat = np.concatenate([np.asarray(a, np.float64).ravel() for a in arrays])
    return float(flat @ np.cos(0.3 * np.arange(flat.size)))


def network(case):
    """The layer in a network of its own, with the weights that it had in Keras, and the inputs."""
    layer = getattr(mc.layers, case["layer"])(**case["arguments"], name="layer")
    tensors = [Input(tuple(shape)) for shape in case["inputs"]]
    model = mc.Model(tensors, layer(tensors if len(tensors) > 1 else tensors[0]))
    scale = 4.0 if case["layer"] == "Activation" else 1.0
    inputs = [scale * wave(2, *shape, step=0.7 + 0.1 * i) for i, shape in enumerate(case["inputs"])]
    for i, parameter in enumerate(model.parameters):
        parameter.assign(0.5 * wave(*parameter.shape, step=1.3 + 0.2 * i))
    return model, [x.astype(np.float32) for x in inputs]


def assert_fingerprint(arrays, expected):
    size = sum(np.abs(np.asarray(a, np.float64)).sum() for a in arrays)
    assert abs(fingerprint(arrays) - expected) <= 2e-6 * size + 1e-6


@keras_cases
def test_outputs_and_gradients(case, backend):
    model, inputs = network(case)
    tape = Tape(model, inputs)
    y = tape["layer"]
    assert list(y.shape[1:]) == case["shape"]
    assert model.output_shape == (None, *case["shape"])
    assert model.count_params() == case["parameters"]
    assert_fingerprint([y], case["y"])
    found = tape.gradient(y, wave(*y.shape, step=1.1))
    assert_fingerprint([found.of(x) for x in tape.inputs], case["dx"])
    if "dw" in case:
        assert_fingerprint([found.of(p) for p in model.parameters], case["dw"])


@keras_cases
def test_programs_compute_and_train_the_same(case):
    """One step with the learning rate 1 moves the weights by their gradients."""
    model, inputs = network(case)
    y = Tape(model, inputs)["layer"]
    np.testing.assert_allclose(model.predict(inputs, verbose=0), y, rtol=1e-5, atol=1e-6)
    if not model.parameters:
        return
    before = [p.value.copy() for p in model.parameters]
    target = wave(*y.shape, step=0.9)
    tape = Tape(model, inputs)
    # The mean squared error's gradient: 2 (y - target) / number of values.
    found = tape.gradient(tape["layer"], 2 * (y - target) / y.size)
    model.compile(mc.optimizers.SGD(1.0), "mse")
    model.train_on_batch(inputs, target)
    for parameter, old in zip(model.parameters, before, strict=True):
        moved = old - found.of(parameter)
        np.testing.assert_allclose(parameter.value, moved, rtol=1e-4, atol=1e-5)


ONE_OF_EACH = {case["layer"]: case for case in CASES.values()}


@pytest.mark.parametrize("case", ONE_OF_EACH.values(), ids=ONE_OF_EACH.keys())
def test_a_saved_network_gives_the_same(case, tmp_path):
    model, inputs = network(case)
    model.save(tmp_path / "model.mcnn")
    again = mc.load_model(tmp_path / "model.mcnn")
    np.testing.assert_array_equal(
        again.predict(inputs, verbose=0), model.predict(inputs, verbose=0)
    )
