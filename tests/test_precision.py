"""The precision is a setting of the process; engines without TF32 ignore it."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

import minicnn as mc
from minicnn import layers
from minicnn.errors import ArgumentError


@pytest.fixture(autouse=True)
def as_before():
    before = mc.config.get_precision()
    yield
    mc.set_precision(before)


def test_a_model_follows_the_setting(backend):
    model = mc.Sequential([mc.Input((6, 6, 2)), layers.Conv2D(4, 3)])
    x = np.random.default_rng(0).random((2, 6, 6, 2), np.float32)
    programs = []
    for name in ("float32", "tf32", "float32"):
        mc.set_precision(name)
        programs.append(model.execution("predict", (x,)))
    assert programs[0] is programs[2] is not programs[1]
    exact, coarse = (p.predict((x,))[0] for p in programs[:2])
    np.testing.assert_allclose(coarse, exact, rtol=2e-3, atol=2e-3)


def test_an_unknown_precision_is_an_error_that_names_the_choices():
    with pytest.raises(ArgumentError, match=r"precision must be one of .*'tf32'"):
        mc.set_precision("bfloat16")


def test_the_environment_sets_it():
    script = "import minicnn as mc; print(mc.config.get_precision())"
    for name, text in {"tf32": "tf32", "int8": "MINICNN_PRECISION must be one of"}.items():
        environment = {**os.environ, "MINICNN_PRECISION": name}
        command = [sys.executable, "-c", script]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        assert text in done.stdout + done.stderr
