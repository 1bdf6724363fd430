"""Gradients that visit only the argmax of each pooling window, against float64 sums."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from test_native_conv2d import (
    NO_ARGMAX,
    POOLS,
    Case,
    assert_within_bound,
    backward_input,
    backward_weights,
    core,
    float64,
    guarded,
    integers,
    positives,
    run,
    window,
)

CASES = {
    "LeNet's first layer": Case((3, 28, 28, 1), 20, window((5, 5))),
    "LeNet's second layer: several images a tile": Case((9, 12, 12, 20), 50, window((5, 5))),
    "rows that the pool drops": Case((2, 20, 22, 3), 17, window((4, 3))),
    "same padding": Case((2, 17, 24, 33), 40, window((3, 3), pad_h=(1, 1), pad_w=(1, 1))),
    "padding wider than the image": Case(
        (1, 2, 3, 2), 5, window((4, 5), pad_h=(0, 7), pad_w=(6, 1))
    ),
    "more rows and columns than a segment and a tile": Case((2, 81, 75, 5), 9, window((7, 7))),
    "more filters than a slice and a part": Case((1, 7, 9, 70), 300, window((3, 3))),
    "more tiles than a leaf": Case((6, 130, 140, 1), 3, window((2, 6), pad_w=(2, 3))),
    "a pixel is its own window": Case((2, 9, 8, 90), 18, window((1, 1))),
    "one window": Case((1, 2, 2, 1), 1, window((1, 1))),
    "empty batch": Case((0, 8, 8, 3), 4, window((3, 3))),
}


def random_case(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    kernel, image = rng.integers(1, 8, 2), rng.integers(2, 40, 2)
    pads = rng.integers(0, 5, (2, 2)) * (seed % 2)
    image = np.maximum(image, kernel + 1 - pads.sum(1))
    return Case(
        (int(rng.integers(1, 4)), *map(int, image), int(rng.choice([1, 3, 4, 8, 12, 16, 20, 37]))),
        int(rng.choice([1, 5, 16, 31, 64, 70])),
        window(
            tuple(map(int, kernel)), pad_h=tuple(map(int, pads[0])), pad_w=tuple(map(int, pads[1]))
        ),
    )


ALL = [pytest.param(case, id=name) for name, case in CASES.items()] + [
    pytest.param(random_case(seed), id=f"random {seed}") for seed in range(40)
]


def pooled_shape(case: Case) -> tuple[int, ...]:
    n, oh, ow, filters = case.y
    return (n, oh // 2, ow // 2, filters)


def random_argmax(case: Case) -> np.ndarray:
    """Return random cells; one window in five has none."""
    rng, shape = np.random.default_rng(4), pooled_shape(case)
    return np.where(rng.random(shape) < 0.2, NO_ARGMAX, rng.integers(0, 4, shape)).astype(np.uint8)


def unpooled(case: Case, dy: np.ndarray, argmax: np.ndarray) -> np.ndarray:
    dz = np.zeros(case.y)
    for cell in range(4):
        rows, columns = (
            slice(first, 2 * n, 2) for first, n in zip(divmod(cell, 2), dy.shape[1:3], strict=True)
        )
        dz[:, rows, columns] = np.where(argmax == cell, dy, 0)
    return dz


def sparse_input(
    case: Case, reads: list, activation: str = "relu", algorithm: str = "pool_sparse"
) -> np.ndarray:
    attributes = {"pool": POOLS["halves"], "activation": activation, "algorithm": algorithm}
    name, shape = "conv2d_max_pool2d_backward_input", (len(reads[0]), *case.x[1:])
    return run(name, reads, [shape], **{**case.attributes, **attributes})[0]


def sparse_weights(
    case: Case, reads: list, activation: str = "relu", algorithm: str = "pool_sparse"
) -> list[np.ndarray]:
    attributes = {"pool": POOLS["halves"], "activation": activation, "algorithm": algorithm}
    name = "conv2d_max_pool2d_backward_weights"
    return run(name, reads, [case.w, (case.filters,)], **{**case.attributes, **attributes})


@pytest.mark.parametrize("activation", ["relu", "linear"])
@pytest.mark.parametrize("case", ALL)
def test_integers_are_exact(case: Case, activation: str) -> None:
    shape, argmax = pooled_shape(case), random_argmax(case)
    x, w, dy = (integers(s, i) for i, s in enumerate([case.x, case.w, shape]))
    dz = unpooled(case, *float64(dy), argmax)
    dx = sparse_input(case, [dy, argmax, w], activation)
    dw, db = sparse_weights(case, [dy, argmax, x], activation)
    np.testing.assert_array_equal(dx, backward_input(case, dz, *float64(w)))
    np.testing.assert_array_equal(dw, backward_weights(case, dz, *float64(x)))
    np.testing.assert_array_equal(db, dz.sum((0, 1, 2)))


LONG_SUMS = [
    pytest.param(Case((1, 1024, 1024, 1), 2, window((1, 1))), id="dw of 262,144 windows"),
    pytest.param(
        Case((4, 258, 258, 33), 2, window((3, 3))), id="dw of 65,536 windows in tiles of a few"
    ),
    pytest.param(
        Case((1, 9, 9, 5), 256, window((5, 5), pad_h=(2, 2), pad_w=(2, 2))),
        id="dx of 6,400 products",
    ),
    pytest.param(
        Case((1, 6, 6, 5), 2000, window((3, 3), pad_h=(1, 1), pad_w=(1, 1))),
        id="dx of 18,000 products",
    ),
]


@pytest.mark.parametrize("case", [*ALL[:11:2], *LONG_SUMS])
def test_errors_stay_within_the_bound(case: Case) -> None:
    """Positive values are the hardest data: their rounding errors do not cancel."""
    x, w, dy = (positives(s, i) for i, s in enumerate([case.x, case.w, pooled_shape(case)]))
    argmax = random_argmax(case)
    dz = unpooled(case, *float64(dy), argmax)
    exact = backward_input(case, dz, *float64(w))
    products = case.filters * case.w[0] * case.w[1]
    assert_within_bound(sparse_input(case, [dy, argmax, w]), exact, exact, products)
    dw, db = sparse_weights(case, [dy, argmax, x])
    exact = backward_weights(case, dz, *float64(x))
    assert_within_bound(dw, exact, exact, dy.size // case.filters)
    exact = dz.sum((0, 1, 2))
    assert_within_bound(db, exact, exact, 256)


@pytest.mark.parametrize("case", ALL[:16])
def test_bits_do_not_depend_on_threads_or_batch(case: Case, threads: Callable[[int], None]) -> None:
    rng, argmax = np.random.default_rng(5), random_argmax(case)
    x, w, dy = (rng.normal(size=s).astype(np.float32) for s in (case.x, case.w, argmax.shape))
    threads(1)
    dx, gradients = sparse_input(case, [dy, argmax, w]), sparse_weights(case, [dy, argmax, x])
    for count in (2, 3, 4):
        threads(count)
        np.testing.assert_array_equal(sparse_input(case, [dy, argmax, w]), dx)
        for a, b in zip(sparse_weights(case, [dy, argmax, x]), gradients, strict=True):
            np.testing.assert_array_equal(a, b)
    for i in range(case.x[0]):
        one = slice(i, i + 1)
        alone = sparse_input(case, [dy[one], argmax[one], w])
        np.testing.assert_array_equal(alone, dx[one])


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("where", ["x", "w", "dy"])
@pytest.mark.parametrize("name", ["rows that the pool drops", "same padding"])
def test_nan_and_infinity_spread_as_without_a_pooling(name: str, where: str, value: float) -> None:
    """They also spread through gradients that are zero: 0 * NaN is NaN."""
    case, shape = CASES[name], pooled_shape(CASES[name])
    arrays = {"x": integers(case.x, 0), "w": integers(case.w, 1), "dy": integers(shape, 2)}
    for i in (7, -1):
        arrays[where].flat[i] = value
    argmax = random_argmax(case)
    reads = [arrays["dy"], argmax]
    with np.errstate(invalid="ignore"):
        dz = unpooled(case, *float64(arrays["dy"]), argmax)
        dx = backward_input(case, dz, *float64(arrays["w"]))
        dw = backward_weights(case, dz, *float64(arrays["x"]))
    for algorithm in ("pool_sparse", "direct"):
        found = sparse_input(case, [*reads, arrays["w"]], algorithm=algorithm)
        np.testing.assert_array_equal(np.isfinite(found), np.isfinite(dx))
        found, _ = sparse_weights(case, [*reads, arrays["x"]], algorithm=algorithm)
        np.testing.assert_array_equal(np.isfinite(found), np.isfinite(dw))


def test_an_argmax_outside_the_window_is_ignored() -> None:
    case = Case((1, 6, 6, 1), 1, window((3, 3)))
    dy, x, w = (np.ones(s, np.float32) for s in ((1, 2, 2, 1), case.x, case.w))
    for foreign in (4, 5, 255):
        argmax = np.full(dy.shape, foreign, np.uint8)
        np.testing.assert_array_equal(sparse_input(case, [dy, argmax, w]), np.zeros(case.x))
        dw, db = sparse_weights(case, [dy, argmax, x])
        np.testing.assert_array_equal(dw, np.zeros(case.w))
        np.testing.assert_array_equal(db, [0])


@pytest.mark.parametrize("at_end", [True, False], ids=["end", "start"])
@pytest.mark.parametrize("case", [*ALL[:7], *ALL[12::5]])
def test_no_kernel_leaves_its_arrays(case: Case, at_end: bool) -> None:
    attributes = {"pool": POOLS["halves"], "activation": "relu", "algorithm": "pool_sparse"}

    def call(kernel: str, reads: list, writes: list) -> None:
        lists = ([guarded(array, at_end=at_end) for array in arrays] for arrays in (reads, writes))
        core.run(f"conv2d_max_pool2d_{kernel}", *lists, {**case.attributes, **attributes})

    shape, argmax = pooled_shape(case), random_argmax(case)
    x, w, b, dy = (integers(s, i) for i, s in enumerate([case.x, case.w, (case.filters,), shape]))
    call("backward_input", [dy, argmax, w], [x])
    call("backward_weights", [dy, argmax, x], [w, b])


def test_other_shapes_use_the_direct_algorithm() -> None:
    """`pool_sparse` does not fit 3 x 3 windows, strides and groups."""
    for case, pool in [
        (Case((1, 9, 9, 4), 6, window((3, 3))), POOLS["overlapping"]),
        (Case((1, 9, 9, 4), 6, window((3, 3), (2, 1))), POOLS["halves"]),
        (Case((1, 9, 9, 4), 6, window((3, 3)), groups=2), POOLS["halves"]),
        (Case((1, 19, 9, 4), 6, window((8, 3))), POOLS["halves"]),
    ]:
        shape = (1, *pool.out_hw(case.y[1:3]), case.filters)
        w, dy, argmax = integers(case.w, 0), integers(shape, 1), np.zeros(shape, np.uint8)
        attributes = {**case.attributes, "pool": pool, "activation": "relu"}
        for algorithm in ("pool_sparse", "auto", "direct"):
            (dx,) = run(
                "conv2d_max_pool2d_backward_input",
                [dy, argmax, w],
                [case.x],
                **{**attributes, "algorithm": algorithm},
            )
            first = unpooled_first(case, pool, dy)
            np.testing.assert_array_equal(dx, backward_input(case, first, *float64(w)))


def unpooled_first(case: Case, pool, dy: np.ndarray) -> np.ndarray:
    """Return dy at the first cell of each window, else 0."""
    dz = np.zeros(case.y)
    (sy, sx), (ph, pw) = pool.stride, dy.shape[1:3]
    dz[:, : ph * sy : sy, : pw * sx : sx] = dy
    return dz
