"""The weights' gradient that skips outputs clipped by a ReLU, against float64 sums."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from test_native_conv2d import (
    Case,
    assert_within_bound,
    backward_weights,
    core,
    float64,
    guarded,
    integers,
    positives,
    run,
    window,
)
from test_pool_sparse import ALL, CASES

SAME = CASES["same padding"]
DENSITIES = [0, 0.02, 0.5, 1]


def relu_output(case: Case, density: float) -> np.ndarray:
    """Return an array in which a fraction `density` is not 0."""
    rng = np.random.default_rng(7)
    return np.where(rng.random(case.y) < density, rng.uniform(0.1, 1, case.y), 0).astype(np.float32)


def gradients(case: Case, reads: list, algorithm: str = "relu_sparse") -> list[np.ndarray]:
    attributes = {**case.attributes, "algorithm": algorithm}
    return run("conv2d_relu_backward_weights", reads, [case.w, (case.filters,)], **attributes)


@pytest.mark.parametrize("density", DENSITIES)
@pytest.mark.parametrize("case", ALL)
def test_integers_are_exact(case: Case, density: float) -> None:
    x, dy, y = integers(case.x, 0), integers(case.y, 1), relu_output(case, density)
    passed = np.where(y > 0, *float64(dy), 0)
    dw, db = gradients(case, [dy, y, x])
    np.testing.assert_array_equal(dw, backward_weights(case, passed, *float64(x)))
    np.testing.assert_array_equal(db, passed.sum((0, 1, 2)))
    (alone, none) = run(
        "conv2d_relu_backward_weights",
        [dy, y, x],
        [case.w, None],
        **{**case.attributes, "algorithm": "relu_sparse"},
    )
    assert none is None
    np.testing.assert_array_equal(alone, dw)


@pytest.mark.parametrize(
    "case",
    [
        *ALL[:11:2],
        pytest.param(Case((1, 512, 512, 1), 2, window((1, 1))), id="sums of 262,144 pixels"),
        pytest.param(Case((4, 130, 130, 33), 2, window((3, 3))), id="sums of 65,536 pixels"),
    ],
)
def test_errors_stay_within_the_bound(case: Case) -> None:
    """Positive values are the hardest data: their rounding errors do not cancel."""
    x, dy = positives(case.x, 0), positives(case.y, 1)
    dw, db = gradients(case, [dy, dy, x])
    exact = backward_weights(case, *float64(dy, x))
    assert_within_bound(dw, exact, exact, dy.size // case.filters)
    exact = dy.sum((0, 1, 2), dtype=np.float64)
    assert_within_bound(db, exact, exact, 256)


@pytest.mark.parametrize("algorithm", ["relu_sparse", "auto"])
@pytest.mark.parametrize("density", [0.02, 0.5])
@pytest.mark.parametrize("case", ALL[:16])
def test_bits_do_not_depend_on_threads(
    case: Case, density: float, algorithm: str, threads: Callable[[int], None]
) -> None:
    rng, y = np.random.default_rng(5), relu_output(case, density)
    x, dy = (rng.normal(size=s).astype(np.float32) for s in (case.x, case.y))
    threads(1)
    alone = gradients(case, [dy, y, x], algorithm)
    for count in (2, 3, 4):
        threads(count)
        for a, b in zip(gradients(case, [dy, y, x], algorithm), alone, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("where", ["x", "dy", "y"])
@pytest.mark.parametrize("name", ["rows that the pool drops", "same padding"])
def test_nan_and_infinity_spread_as_in_the_direct_sum(name: str, where: str, value: float) -> None:
    """A NaN of x spreads through zero gradients too, as 0 * NaN is NaN; one of dy where y > 0."""
    case = CASES[name]
    arrays = {"x": integers(case.x, 0), "dy": integers(case.y, 1), "y": relu_output(case, 0.5)}
    let_through = np.flatnonzero(arrays["y"] > 0)[40]
    arrays[where].flat[[let_through % arrays[where].size, -1]] = value
    dy, y, x = arrays["dy"], arrays["y"], arrays["x"]
    with np.errstate(invalid="ignore"):
        dw = backward_weights(case, np.where(y > 0, *float64(dy), 0), *float64(x))
    assert where == "y" or not np.isfinite(dw).all()
    for algorithm in ("relu_sparse", "direct"):
        found, _ = gradients(case, [dy, y, x], algorithm)
        np.testing.assert_array_equal(np.isfinite(found), np.isfinite(dw))


@pytest.mark.parametrize("at_end", [True, False], ids=["end", "start"])
@pytest.mark.parametrize("case", [*ALL[:7], *ALL[12::5]])
def test_no_kernel_leaves_its_arrays(case: Case, at_end: bool) -> None:
    x, w, b = integers(case.x, 0), np.empty(case.w, np.float32), np.empty(case.filters, np.float32)
    dy, y = integers(case.y, 1), relu_output(case, 0.5)
    for algorithm in ("relu_sparse", "auto"):
        reads, writes = (
            [guarded(array, at_end=at_end) for array in arrays] for arrays in ([dy, y, x], [w, b])
        )
        attributes = {**case.attributes, "algorithm": algorithm}
        core.run("conv2d_relu_backward_weights", reads, writes, attributes)


BY_DENSITY = {
    "winograd": Case((4, 20, 21, 32), 48, window((3, 3), pad_h=(1, 1), pad_w=(1, 1))),
    "direct": Case((4, 20, 21, 16), 48, window((7, 7))),
}


def chosen(case: Case, dense: str, y: np.ndarray) -> str:
    """Return the algorithm whose bits "auto" computes."""
    rng = np.random.default_rng(6)
    x, dy = (rng.normal(size=s).astype(np.float32) for s in (case.x, case.y))
    auto, sparse, full = (
        gradients(case, [dy, y, x], name)[0].tobytes() for name in ("auto", "relu_sparse", dense)
    )
    assert sparse != full
    return {sparse: "relu_sparse", full: dense}[auto]


@pytest.mark.parametrize("dense", BY_DENSITY)
def test_the_selection_follows_the_density(dense: str) -> None:
    case = BY_DENSITY[dense]
    for density, expected in {0.05: "relu_sparse", 1: dense}.items():
        assert chosen(case, dense, relu_output(case, density)) == expected


def test_few_channels_use_the_direct_algorithm_at_any_density() -> None:
    case = Case((4, 20, 21, 3), 48, window((3, 3)))
    assert chosen(case, "direct", relu_output(case, 0.05)) == "direct"


@pytest.mark.parametrize("case", ALL[:7])
def test_a_masked_gradient_needs_no_relu_output(case: Case) -> None:
    """It has the same bits as a gradient that is masked by the ReLU's output."""
    rng, y = np.random.default_rng(8), relu_output(case, 0.3)
    x, dy = (rng.normal(size=s).astype(np.float32) for s in (case.x, case.y))
    attributes = {**case.attributes, "algorithm": "relu_sparse"}
    reads = [np.where(y > 0, dy, 0).astype(np.float32), x]
    writes = [case.w, (case.filters,)]
    gated = run("conv2d_backward_weights", reads, writes, **attributes)
    for a, b in zip(gated, gradients(case, [dy, y, x]), strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_selection_reads_more_than_the_first_row_of_each_image() -> None:
    case = Case((17, 18, 18, 16), 64, window((3, 3)))
    first_rows, others = np.zeros((2, *case.y), np.float32)
    first_rows[:, :1], others[:, 1:] = 1, 1
    assert chosen(case, "winograd", first_rows) == "relu_sparse"
    assert chosen(case, "winograd", others) == "winograd"


@pytest.mark.parametrize(
    "case",
    [
        Case((2, 9, 9, 4), 6, window((3, 3), (2, 1))),
        Case((2, 9, 9, 4), 6, window((3, 3), dilation=(1, 2))),
        Case((2, 9, 9, 4), 6, window((3, 3)), groups=2),
        Case((2, 9, 9, 4), 4, window((3, 3)), groups=4),
        Case((2, 19, 9, 4), 6, window((8, 3))),
    ],
)
def test_other_shapes_use_another_algorithm(case: Case) -> None:
    """Shapes that `relu_sparse` does not fit use another algorithm."""
    x, dy, y = integers(case.x, 0), integers(case.y, 1), relu_output(case, 0.1)
    passed = np.where(y > 0, *float64(dy), 0)
    for algorithm in ("relu_sparse", "auto"):
        dw, db = gradients(case, [dy, y, x], algorithm)
        np.testing.assert_array_equal(dw, backward_weights(case, passed, *float64(x)))
        np.testing.assert_array_equal(db, passed.sum((0, 1, 2)))
