"""The algorithm of a convolution: chosen by the layer, else the process, else automatic."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

import minicnn as mc
from minicnn import layers, operations
from minicnn.backends.settings import conv_algorithm
from minicnn.errors import ArgumentError

X, W = np.ones((1, 5, 5, 2), np.float32), np.ones((3, 3, 2, 4), np.float32)


@pytest.fixture(autouse=True)
def auto():
    before = conv_algorithm.get()
    mc.config.set_conv_algorithm("auto")
    yield
    mc.config.set_conv_algorithm(before)


def asked_for(model):
    """Return the algorithm that each convolution of a prediction is given."""
    steps = model.program(2, training=False).steps
    return [s.attributes.get("algorithm", "auto") for s in steps if s.kernel.startswith("conv2d")]


def small(algorithm="auto"):
    return mc.Sequential(
        [
            mc.Input((9, 9, 2)),
            layers.Conv2D(4, 3, algorithm=algorithm),
            layers.Conv2D(4, 3, activation="relu"),
            layers.Conv2D(4, 3),
            layers.MaxPooling2D(2),
        ]
    )


def test_the_layer_decides_and_the_process_if_it_says_auto(backend):
    assert asked_for(small()) == ["auto"] * 3
    assert asked_for(small("winograd")) == ["winograd", "auto", "auto"]
    mc.config.set_conv_algorithm("direct")
    assert mc.config.get_conv_algorithm() == "direct"
    assert asked_for(small("winograd")) == ["winograd", "direct", "direct"]


def test_a_model_that_has_predicted_follows(backend):
    model = small()
    x = np.random.default_rng(0).random((2, 9, 9, 2), np.float32)
    auto = model.predict(x, verbose=0)
    mc.config.set_conv_algorithm("winograd")
    np.testing.assert_allclose(model.predict(x, verbose=0), auto, rtol=1e-4, atol=1e-5)
    kinds = [
        e.plan.program.steps[0].attributes.get("algorithm") for e in model._executions.values()
    ]
    assert kinds == [None, "winograd"]


@pytest.mark.parametrize("algorithm", ["auto", "direct", "winograd"])
def test_all_algorithms_agree(backend, algorithm):
    for op in (operations.conv2d, operations.conv2d_relu):
        y, saved = op(X, W, algorithm=algorithm)
        np.testing.assert_allclose(y, np.full((1, 3, 3, 4), 18), rtol=1e-5)
        backward = getattr(operations, f"{op.__name__}_backward")
        np.testing.assert_allclose(backward(y, saved)[1], np.full(W.shape, 162), rtol=1e-5)
    y, _ = operations.conv2d_max_pool2d(X, W, algorithm=algorithm)
    np.testing.assert_allclose(y, np.full((1, 1, 1, 4), 18), rtol=1e-5)


def test_it_is_saved_with_the_layer(tmp_path):
    small("direct").save(tmp_path / "m.mcnn")
    again = mc.load_model(tmp_path / "m.mcnn")
    assert [la.algorithm for la in again.layers[0:3]] == ["direct", "auto", "auto"]


def test_wrong_names_are_refused():
    allowed = r"algorithm must be one of \['auto', 'direct', 'winograd'\]; got 'fft'"
    with pytest.raises(ArgumentError, match=allowed):
        layers.Conv2D(4, 3, algorithm="fft")
    with pytest.raises(ArgumentError, match=allowed):
        operations.conv2d(X, W, algorithm="fft")
    with pytest.raises(ArgumentError, match=allowed):
        mc.config.set_conv_algorithm("fft")
    with pytest.raises(ArgumentError, match="algorithm"):
        layers.DepthwiseConv2D(3, algorithm="winograd")  # single channels gain nothing


def test_the_environment_sets_the_default():
    script = "import minicnn as mc; print(mc.config.get_conv_algorithm())"
    for name, text in {"direct": "direct", "fft": "MINICNN_CONV_ALGORITHM must be one of"}.items():
        environment = {**os.environ, "MINICNN_CONV_ALGORITHM": name}
        command = [sys.executable, "-c", script]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        assert text in done.stdout + done.stderr
