"""Every gradient of the reference, in float64, on random inputs."""

from __future__ import annotations

import numpy as np
import pytest
from gradcheck import assert_adjoint, assert_gradient
from kernel_cases import CASES, CURVED, LINEAR

from minicnn.backends.numpy import KERNELS
from minicnn.contracts import CONTRACTS

TRIALS = 20


@pytest.mark.parametrize("case", LINEAR.values(), ids=LINEAR.keys())
def test_adjoint_identity(case):
    for trial in range(TRIALS):
        rng = np.random.default_rng(trial)
        arrays = case.draw(rng)
        for by in case.by:
            assert_adjoint(case.operation, arrays, by, case.attributes, rng)


@pytest.mark.parametrize("case", CURVED.values(), ids=CURVED.keys())
def test_gradient_is_the_derivative(case):
    for trial in range(TRIALS):
        rng = np.random.default_rng(trial)
        arrays = case.draw(rng)
        for by in case.by:
            assert_gradient(case.operation, arrays, by, case.attributes, rng, case.h)


def test_no_operation_is_left_out():
    with_gradient = {name.split("_backward")[0] for name in CONTRACTS if "_backward" in name}
    assert with_gradient == {case.operation for case in CASES.values()}


def slightly_wrong(kernel, error):
    return lambda *reads, **attributes: tuple(
        out * (1 + error) for out in kernel(*reads, **attributes)
    )


@pytest.mark.parametrize(
    ("case", "check", "error"),
    [
        (LINEAR["average_pool2d"], assert_adjoint, 1e-11),
        (CURVED["tanh"], assert_gradient, 1e-6),
        (CURVED["batch_norm_training"], assert_gradient, 1e-6),
    ],
)
def test_the_checks_catch_a_slightly_wrong_gradient(case, check, error, monkeypatch):
    """A net with holes would let everything pass."""
    kernel = f"{case.operation}_backward"
    monkeypatch.setitem(KERNELS, kernel, slightly_wrong(KERNELS[kernel], error))
    rng = np.random.default_rng(0)
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        check(case.operation, case.draw(rng), "x", case.attributes, rng)
