"""MINICNN_ISA lowers the instruction set; kernels compute the same function with each."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

pytest.importorskip("minicnn._core")

LEVELS = ("generic", "avx2", "avx512")

# Integers, so that the order of additions changes no bit; sizes that leave a rest at every level.
REPORT = """
import hashlib, json
import numpy as np
from minicnn import _core
from minicnn.backends import native
from minicnn.shapes import Window2D

rng = np.random.default_rng(0)
draw = lambda *shape: rng.integers(-8, 9, shape).astype(np.float32)
x, w, b, dy = draw(2, 13, 11, 21), draw(3, 3, 21, 37), draw(37), draw(2, 13, 11, 37)
window = Window2D((3, 3), (1, 1), (1, 1), (1, 1), (1, 1))
attributes = {"window": window, "groups": 1, "image": (13, 11), "algorithm": "direct"}
noise = rng.standard_normal((30, 9, 70)).astype(np.float32)  # each sum over these has one order
one, rng_key = np.ones(70, np.float32), np.arange(4, dtype=np.uint32)
norm = {"momentum": 0.9, "epsilon": 1e-3}
results = [
    *native.KERNELS["conv2d_forward"](x, w, b, **attributes),
    *native.KERNELS["conv2d_backward_input"](dy, w, **attributes),
    *native.KERNELS["conv2d_backward_weights"](dy, x, **attributes),
    *native.KERNELS["max_pool2d_forward"](x, window=window, image=(13, 11)),
    *native.KERNELS["batch_norm_training_forward"](noise, one, one, one, one, None, **norm),
    *native.KERNELS["batch_norm_training_backward"](noise, noise**2, one, one, one, **norm),
    *native.KERNELS["batch_norm_dropout_forward"](
        noise, one, one, one, one, None, rng_key, rate=0.3, purpose=1, **norm
    ),
    *native.KERNELS["dropout_forward"](noise, rng_key, rate=0.3, purpose=1),
]
digest = hashlib.sha256(b"".join(r.tobytes() for r in results)).hexdigest()
print(json.dumps({"isa": _core.isa(), "digest": digest}))
"""


def run(code: str, isa: str | None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    environment.pop("MINICNN_ISA", None)
    if isa is not None:
        environment["MINICNN_ISA"] = isa
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )


def report(isa: str | None) -> dict[str, str]:
    result = run(REPORT, isa)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_a_level_is_used_if_the_processor_has_it():
    best = report(None)["isa"]
    for level in LEVELS:
        assert report(level)["isa"] == min(level, best, key=LEVELS.index)


def test_every_level_computes_the_same():
    assert len({report(level)["digest"] for level in LEVELS}) == 1


@pytest.mark.parametrize("isa", ["sse9", "AVX2", "avx512 "])
def test_an_unknown_level_is_reported_and_ignored(isa):
    result = run("import minicnn; from minicnn import _core; print(_core.isa())", isa)
    assert result.stdout.strip() == report(None)["isa"]
    needed = f"MINICNN_ISA must be one of ['generic', 'avx2', 'avx512']; got {isa!r}"
    assert needed in result.stderr
