"""The gradient of a ReLU and the convolution after it in one pass: the same bits as in two."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from test_native_conv2d import POOLS, Case, core, guarded, window
from test_pool_sparse import ALL as POOL_SPARSE
from test_pool_sparse import pooled_shape, random_argmax

CASES = {
    "direct": (Case((2, 9, 11, 5), 7, window((3, 2), (2, 1), pad_h=(1, 0))), "direct"),
    "direct, 1x1": (Case((3, 8, 7, 40), 24, window((1, 1))), "auto"),
    "groups": (Case((2, 9, 9, 4), 6, window((3, 3)), groups=2), "auto"),
    "depthwise": (Case((2, 9, 10, 19), 19, window((3, 3), (2, 2)), groups=19), "auto"),
    "winograd": (Case((2, 18, 23, 35), 33, window((3, 3), pad_h=(1, 1), pad_w=(1, 1))), "winograd"),
    "winograd, 5x5": (Case((1, 13, 14, 6), 70, window((5, 5))), "winograd"),
    "empty batch": (Case((0, 8, 8, 3), 4, window((3, 3))), "winograd"),
}
ALL = [pytest.param(case, name, id=key) for key, (case, name) in CASES.items()]


def normal(shape: tuple[int, ...], seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


def relu_output(shape: tuple[int, ...]) -> np.ndarray:
    """Return values of which half are 0, and one NaN, through which no gradient passes."""
    x = np.maximum(normal(shape, 9), 0)
    x[:1, :1, :1, :1] = np.nan
    return x


def check(kernel: str, reads: list[np.ndarray], case: Case, attributes: dict[str, Any]) -> None:
    """Compare dz of two passes with that of one pass, also where it overwrites x."""
    x = relu_output(case.x)
    dx, dz = np.empty(case.x, np.float32), np.full(case.x, np.nan, np.float32)
    core.run(kernel, reads, [dx], attributes)
    want = np.where(x > 0, dx, np.float32(0))
    core.run(f"{kernel}_relu", [*reads, x], [dz], attributes)
    assert dz.tobytes() == want.tobytes()
    for at_end in (True, False):
        own = [guarded(array, at_end=at_end) for array in (*reads, x)]
        core.run(f"{kernel}_relu", own, own[-1:], attributes)
        assert own[-1].tobytes() == want.tobytes()


@pytest.mark.parametrize("relu", [False, True], ids=["linear", "relu"])
@pytest.mark.parametrize(("case", "algorithm"), ALL)
def test_a_convolution(case: Case, algorithm: str, relu: bool) -> None:
    y = [np.maximum(normal(case.y, 2), 0)] if relu else []
    kernel = "conv2d_relu_backward_input" if relu else "conv2d_backward_input"
    attributes = {**case.attributes, "algorithm": algorithm}
    check(kernel, [normal(case.y, 1), *y, normal(case.w, 3)], case, attributes)


@pytest.mark.parametrize("algorithm", ["pool_sparse", "direct"])
@pytest.mark.parametrize("case", POOL_SPARSE)
def test_a_pooled_convolution(case: Case, algorithm: str) -> None:
    reads = [normal(pooled_shape(case), 1), random_argmax(case), normal(case.w, 3)]
    attributes = {"pool": POOLS["halves"], "activation": "relu", "algorithm": algorithm}
    check("conv2d_max_pool2d_backward_input", reads, case, {**case.attributes, **attributes})


def test_non_finite_values_do_not_pass_where_the_relu_is_zero() -> None:
    """An infinite weight makes dx NaN in every window; dz is 0 where x is 0."""
    case = Case((2, 40, 12, 20), 18, window((3, 3)))
    w = normal(case.w, 3)
    w[1, 1, 4, 5] = np.inf
    attributes = {"pool": POOLS["halves"], "activation": "relu", "algorithm": "pool_sparse"}
    reads = [normal(pooled_shape(case), 1), random_argmax(case), w]
    check("conv2d_max_pool2d_backward_input", reads, case, {**case.attributes, **attributes})
