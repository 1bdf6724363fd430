"""Winograd's algorithm, compared with float64 sums within bounds of its rounding errors."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from test_native_conv2d import (
    NO_ARGMAX,
    Case,
    backward_input,
    backward_weights,
    float64,
    forward,
    guarded,
    pooled,
    run,
    run_pool,
    window,
)

core = pytest.importorskip("minicnn._core")

# Bounds relative to the outputs' root mean square, by kernel size: the rms and the largest error.
LIMITS = {3: (2e-6, 1e-5), 5: (1e-5, 1e-4)}
HALVES = window((2, 2), (2, 2))


def conv(x: tuple[int, int, int, int], filters: int, k: int, top=0, bottom=0, left=0, right=0):
    return Case(x, filters, window((k, k), pad_h=(top, bottom), pad_w=(left, right)))


def cases_of(k: int) -> dict[str, Case]:
    rest = k - 1
    return {
        "whole tiles": conv((2, 16 + rest, 20 + rest, 32), 32, k),
        "a rest of everything": conv((2, 17, 23, 35), 33, k, 1, 1, 1, 1),
        "padding wider than the kernel": conv((1, 4, 5, 7), 5, k, 7, 1, 0, 6),
        "two blocks of products": conv((1, 12, 13, 150), 70, k),
        "many blocks of tiles": conv((5, 90, 99, 3), 6, k),
        "many images in a block": conv((9, 6, 7, 20), 50, k),
        "one of everything": conv((1, k, k, 1), 1, k),
        "an output smaller than a tile": conv((3, 1, 2, 1), 2, k, k // 2, k // 2, k // 2, k // 2),
        "empty batch": conv((0, 8, 8, 3), 4, k),
    }


def random_case(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    k = int(rng.choice([3, 5]))
    top, bottom, left, right = map(int, rng.integers(0, k + 1, 4))
    h = int(rng.integers(max(1, k - top - bottom), 30))
    w = int(rng.integers(max(1, k - left - right), 30))
    channels, filters = map(int, rng.integers(1, 60, 2))
    return conv((int(rng.integers(1, 4)), h, w, channels), filters, k, top, bottom, left, right)


CASES = [
    pytest.param(case, id=f"{k}x{k}: {name}") for k in (3, 5) for name, case in cases_of(k).items()
] + [pytest.param(random_case(seed), id=f"random {seed}") for seed in range(30)]


def normal(shape: tuple[int, ...], seed: int) -> np.ndarray:
    return np.random.default_rng([seed, *shape]).standard_normal(shape, np.float32)


def asked(case: Case) -> dict:
    return {**case.attributes, "algorithm": "winograd"}


def assert_close(found: np.ndarray, exact: np.ndarray, k: int) -> None:
    assert found.shape == exact.shape
    if exact.size == 0:
        return
    scale, error = np.sqrt(np.mean(exact**2)), np.abs(found - exact)
    mean, largest = LIMITS[k]
    assert np.sqrt(np.mean(error**2)) <= mean * scale
    assert error.max() <= largest * scale


@pytest.mark.parametrize("case", CASES)
def test_forward_errors_keep_the_bound(case: Case) -> None:
    x, w, b = (normal(s, i) for i, s in enumerate([case.x, case.w, (case.filters,)]))
    for bias in (b, None):
        (y,) = run("conv2d_forward", [x, w, bias], [case.y], **asked(case))
        exact = forward(case, *float64(x, w), bias)
        assert_close(y, exact, case.window.size[0])


@pytest.mark.parametrize("case", CASES)
def test_gradients_errors_keep_the_bound(case: Case) -> None:
    x, w, dy = (normal(s, i) for i, s in enumerate([case.x, case.w, case.y]))
    (dx,) = run("conv2d_backward_input", [dy, w], [case.x], **asked(case))
    dw, db = run("conv2d_backward_weights", [dy, x], [case.w, (case.filters,)], **asked(case))
    assert_close(dx, backward_input(case, *float64(dy, w)), case.window.size[0])
    assert_close(dw, backward_weights(case, *float64(dy, x)), case.window.size[0])
    np.testing.assert_allclose(db, dy.sum((0, 1, 2), dtype=np.float64), rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("case", CASES)
def test_a_fused_relu_has_the_bits_of_a_separate_one(case: Case) -> None:
    shapes = [case.x, case.w, (case.filters,), case.y]
    x, w, b, dy = (normal(s, i) for i, s in enumerate(shapes))
    (z,) = run("conv2d_forward", [x, w, b], [case.y], **asked(case))
    (y,) = run("conv2d_relu_forward", [x, w, b], [case.y], **asked(case))
    np.testing.assert_array_equal(y, np.maximum(z, 0))
    dz, weights = np.where(y > 0, dy, np.float32(0)), [case.w, (case.filters,)]
    (dx,) = run("conv2d_relu_backward_input", [dy, y, w], [case.x], **asked(case))
    (dx_apart,) = run("conv2d_backward_input", [dz, w], [case.x], **asked(case))
    np.testing.assert_array_equal(dx, dx_apart)
    dw, db = run("conv2d_relu_backward_weights", [dy, y, x], weights, **asked(case))
    dw_apart, _ = run("conv2d_backward_weights", [dz, x], weights, **asked(case))
    np.testing.assert_array_equal(dw, dw_apart)
    np.testing.assert_allclose(db, dz.sum((0, 1, 2), dtype=np.float64), rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("k", [3, 5])
def test_a_weights_gradient_of_many_tiles_keeps_the_bound(k: int) -> None:
    """With more than 32 blocks of 256 tiles, sums of blocks are added to a total."""
    case = conv((3, 230, 230, 2), 3, k)
    x, dy = normal(case.x, 0), normal(case.y, 1)
    dw, _ = run("conv2d_backward_weights", [dy, x], [case.w, (3,)], **asked(case))
    assert_close(dw, backward_weights(case, *float64(dy, x)), k)


@pytest.mark.parametrize("activation", ["relu", "linear"])
@pytest.mark.parametrize("case", [c for c in CASES if min(c.values[0].y[1:3]) > 1])
def test_pooled_forward_is_the_composition(case: Case, activation: str) -> None:
    """Among cells that differ by less than the error, any may be the argmax."""
    x, w, b = (normal(s, i) for i, s in enumerate([case.x, case.w, (case.filters,)]))
    z = forward(case, *float64(x, w, b))
    z = np.maximum(z, 0) if activation == "relu" else z
    y_exact, _ = pooled(case, HALVES, z)
    attributes = {**asked(case), "pool": HALVES, "activation": activation}
    y, argmax = run_pool([x, w, b], y_exact.shape, **attributes)
    assert_close(y, y_exact, case.window.size[0])
    clipped = (activation == "relu") & (y <= 0)
    np.testing.assert_array_equal(argmax == NO_ARGMAX, clipped)
    assert (argmax[~clipped] < 4).all()
    _, ph, pw, _ = y.shape
    cells = [z[:, ky : 2 * ph : 2, kx : 2 * pw : 2] for ky in (0, 1) for kx in (0, 1)]
    chosen = np.choose(np.where(clipped, 0, argmax), cells)
    assert_close(np.where(clipped, 0, chosen), y_exact, case.window.size[0])


@pytest.mark.parametrize("k", [3, 5])
def test_the_argmax_is_the_first_of_equal_values(k: int) -> None:
    """For images of zeros every output is exactly the bias."""
    case = conv((1, 8 + k - 1, 8 + k - 1, 4), 20, k)
    x, w = np.zeros(case.x, np.float32), normal(case.w, 0)
    attributes = {**asked(case), "pool": HALVES, "activation": "relu"}
    y, argmax = run_pool([x, w, normal((20,), 1)], (1, 4, 4, 20), **attributes)
    np.testing.assert_array_equal(y[0, 0, 0], np.maximum(normal((20,), 1), 0))
    np.testing.assert_array_equal(argmax, np.where(y > 0, 0, NO_ARGMAX))


@pytest.mark.parametrize("case", CASES[::2])
def test_bits_do_not_depend_on_threads_or_batch(case: Case, threads: Callable[[int], None]) -> None:
    x, w, dy = (normal(s, i) for i, s in enumerate([case.x, case.w, case.y]))

    def of_images(i: slice) -> list[np.ndarray]:
        return [
            *run("conv2d_forward", [x[i], w, None], [dy[i].shape], **asked(case)),
            *run("conv2d_backward_input", [dy[i], w], [x[i].shape], **asked(case)),
        ]

    def of_batch() -> list[np.ndarray]:
        dw = run("conv2d_backward_weights", [dy, x], [case.w, (case.filters,)], **asked(case))
        return [*of_images(slice(None)), *dw]

    threads(1)
    once = of_batch()
    for count in (2, 3, 4):
        threads(count)
        for a, b in zip(once, of_batch(), strict=True):
            np.testing.assert_array_equal(a, b)
    for i in range(case.x[0]):
        for a, b in zip(once, of_images(slice(i, i + 1)), strict=False):
            np.testing.assert_array_equal(a[i : i + 1], b)


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("k", [3, 5])
def test_nan_and_infinity_reach_all_their_outputs_and_only_their_tiles(
    k: int, value: float
) -> None:
    """Where the direct sum is not finite, neither is Winograd's; tiles that do not read it are."""
    case = conv((2, 19, 22, 5), 9, k, 1, 1, 1, 1)
    x, w = normal(case.x, 0), normal(case.w, 1)
    for at in [(0, 0, 0), (0, 5, 5), (1, 8, 13), (1, 18, 21)]:
        poisoned = x.copy()
        poisoned[(*at, 2)] = value
        (y,) = run("conv2d_forward", [poisoned, w, None], [case.y], **asked(case))
        with np.errstate(invalid="ignore"):
            hit = ~np.isfinite(forward(case, *float64(poisoned, w), None))
        spoiled = ~np.isfinite(y)
        assert hit.any()
        assert spoiled[hit].all()
        tiles = {(n, oy // 4, ox // 4) for n, oy, ox, _ in np.argwhere(hit)}
        assert all((n, oy // 4, ox // 4) in tiles for n, oy, ox, _ in np.argwhere(spoiled))


@pytest.mark.parametrize("k", [3, 5])
def test_nan_reaches_the_weights_gradient(k: int) -> None:
    case = conv((2, 9, 9, 5), 9, k)
    x, dy = normal(case.x, 0), normal(case.y, 1)
    x[0, 4, 4, 2] = dy[1, 0, 0, 7] = np.nan
    dw, db = run("conv2d_backward_weights", [dy, x], [case.w, (9,)], **asked(case))
    hit = np.isnan(backward_weights(case, *float64(dy, x)))
    np.testing.assert_array_equal(np.isnan(dw), hit)
    assert np.isnan(db).nonzero()[0].tolist() == [7]


def test_pooling_keeps_nan() -> None:
    case = conv((1, 6, 6, 3), 17, 3)
    x = normal(case.x, 0)
    x[0, 0, 0, 1] = np.nan
    for activation in ("relu", "linear"):
        attributes = {**asked(case), "pool": HALVES, "activation": activation}
        y, _ = run_pool([x, normal(case.w, 1), None], (1, 2, 2, 17), **attributes)
        assert np.isnan(y[0, 0, 0]).all()


def answers(case: Case, algorithm: str) -> list[np.ndarray]:
    """Return everything that the kernels of a convolution write."""
    x, w, dy = (normal(s, i) for i, s in enumerate([case.x, case.w, case.y]))
    attributes = {**case.attributes, "algorithm": algorithm}
    return [
        *run("conv2d_forward", [x, w, None], [case.y], **attributes),
        *run("conv2d_backward_input", [dy, w], [case.x], **attributes),
        *run("conv2d_backward_weights", [dy, x], [case.w, (case.filters,)], **attributes),
    ]


@pytest.mark.parametrize(
    "case",
    [
        Case((1, 9, 9, 20), 20, window((3, 3), (2, 2))),
        Case((1, 9, 9, 20), 20, window((3, 3), dilation=(1, 2))),
        Case((1, 9, 9, 20), 20, window((3, 3)), groups=2),
        Case((1, 9, 9, 20), 20, window((3, 5))),
        Case((1, 9, 9, 20), 20, window((2, 2))),
    ],
)
def test_other_shapes_use_the_direct_algorithm(case: Case) -> None:
    for found, want in zip(answers(case, "winograd"), answers(case, "direct"), strict=True):
        np.testing.assert_array_equal(found, want)


@pytest.mark.parametrize(
    ("case", "choice"),
    [
        (conv((1, 16, 16, 32), 32, 3, 1, 1, 1, 1), "winograd"),
        (conv((2, 28, 28, 20), 50, 5, 2, 2, 2, 2), "winograd"),
        (conv((1, 18, 18, 3), 4, 3), "direct"),  # transforms would cost more than they save
        (conv((1, 7, 7, 32), 32, 3), "direct"),  # 5 x 5 outputs: four tiles, mostly outside
    ],
)
def test_the_automatic_selection(case: Case, choice: str) -> None:
    for found, want in zip(answers(case, "auto"), answers(case, choice), strict=True):
        np.testing.assert_array_equal(found, want)


@pytest.mark.parametrize(("images", "choice"), [(1, "direct"), (16, "winograd")])
def test_one_small_image_is_not_worth_transforming_the_weights(images: int, choice: str) -> None:
    case = conv((images, 6, 6, 64), 128, 3)
    y, *_ = answers(case, "auto")
    assert y.tobytes() == answers(case, choice)[0].tobytes()


# The error bounds of "auto" by kernel size, in units of 2^-24 of the values that a tile reads.
PROMISED = {3: 32, 5: 128}


def seen_by_tiles(images: np.ndarray, h: int, w: int, top: int, left: int, k: int) -> np.ndarray:
    """Return (N, h, w, C): the largest value per channel that an output's 4 x 4 tile reads."""
    n, _, _, c = images.shape
    seen = np.zeros((n, h, w, c))
    for y in range(0, h, 4):
        for x in range(0, w, 4):
            rows = slice(max(y - top, 0), max(y - top + k + 3, 0))
            columns = slice(max(x - left, 0), max(x - left + k + 3, 0))
            largest = np.abs(images[:, rows, columns]).max((1, 2), initial=0)
            seen[:, y : y + 4, x : x + 4] = largest[:, None, None]
    return seen


def ratio(found: np.ndarray, exact: np.ndarray, size: np.ndarray) -> float:
    """Return the largest error in units of 2^-24 of `size`; it must be 0 where `size` is 0."""
    error, size = np.broadcast_arrays(np.abs(found - exact), size)
    assert (error[size == 0] == 0).all()
    return float(np.max(error[size > 0] / size[size > 0], initial=0)) * 2**24


def padded_case(seed: int) -> Case:
    """Draw a case with many channels, and padding of up to two more than the kernel."""
    rng = np.random.default_rng([8, seed])
    k = (3, 5)[seed % 2]
    top, bottom, left, right = map(int, rng.integers(0, k + 3, 4))
    h = int(rng.integers(max(1, k - top - bottom), 26))
    w = int(rng.integers(max(1, k - left - right), 26))
    channels, filters = map(int, rng.integers(16, 60, 2))
    return conv((int(rng.integers(1, 3)), h, w, channels), filters, k, top, bottom, left, right)


FILLS = {
    "normal": lambda rng, shape: rng.standard_normal(shape),
    "positive": lambda rng, shape: rng.random(shape),
    "of all sizes": lambda rng, s: rng.standard_normal(s) * 10.0 ** rng.integers(-3, 4, s),
}


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("seed", range(30))
def test_the_automatic_selection_keeps_its_bounds_for_any_padding(seed: int, fill: str) -> None:
    case, rng = padded_case(seed), np.random.default_rng(seed)
    shapes = case.x, case.w, (case.filters,), case.y
    x, w, b, dy = (FILLS[fill](rng, shape).astype(np.float32) for shape in shapes)
    automatic = {**case.attributes, "algorithm": "auto"}
    (y,) = run("conv2d_forward", [x, w, b], [case.y], **automatic)
    (dx,) = run("conv2d_backward_input", [dy, w], [case.x], **automatic)
    dw, _ = run("conv2d_backward_weights", [dy, x], [case.w, (case.filters,)], **automatic)

    k = case.window.size[0]
    (top, bottom), (left, right) = case.window.pad_h, case.window.pad_w
    weights = np.abs(w.astype(np.float64)).sum((0, 1))
    x_seen = seen_by_tiles(x, *case.y[1:3], top, left, k)
    dy_seen = seen_by_tiles(dy, *case.x[1:3], k - 1 - top, k - 1 - left, k)
    dw_size = np.einsum("nhwc,nhwf->cf", x_seen, np.abs(dy.astype(np.float64)))
    exact = forward(case, *float64(x, w, b))
    assert ratio(y, exact, x_seen @ weights + np.abs(b)) <= PROMISED[k]
    exact = backward_input(case, *float64(dy, w))
    assert ratio(dx, exact, dy_seen @ weights.T) <= PROMISED[k]
    exact = backward_weights(case, *float64(dy, x))
    assert ratio(dw, exact, dw_size) <= PROMISED[k]

    rows, columns = (
        np.arange(-before, n + after - k + 1)
        for n, before, after in ((case.x[1], top, bottom), (case.x[2], left, right))
    )
    beside_h = (rows + k <= 0) | (rows >= case.x[1])
    beside_w = (columns + k <= 0) | (columns >= case.x[2])
    beside = beside_h[:, None] | beside_w
    np.testing.assert_array_equal(y[:, beside], np.broadcast_to(b, y[:, beside].shape))


@pytest.mark.parametrize("pooled", [False, True], ids=["plain", "pooled"])
def test_outputs_of_padding_alone_are_exactly_the_bias(pooled: bool) -> None:
    case = conv((1, 30, 30, 48), 67, 3, right=3)
    x, w, b = (normal(s, i) for i, s in enumerate([case.x, case.w, (67,)]))
    if pooled:
        case = conv((1, 30, 30, 48), 67, 3, left=4)  # two columns of outputs: one of windows
        attributes = {**case.attributes, "pool": HALVES, "activation": "linear"}
        y, _ = run_pool([x, w, b], (1, 14, 16, 67), **attributes)
        alone = y[:, :, 0]
    else:
        (y,) = run("conv2d_forward", [x, w, b], [case.y], **case.attributes)
        alone = y[:, :, -1]
    np.testing.assert_array_equal(alone, np.broadcast_to(b, alone.shape))


@pytest.mark.parametrize("image", [(2, 40), (40, 2)])
def test_weights_that_read_padding_alone_have_no_gradient(image: tuple[int, int]) -> None:
    case = conv((8, *image, 48), 64, 5, 2, 2, 2, 2)
    x, dy = normal(case.x, 0), normal(case.y, 1)
    dw, _ = run("conv2d_backward_weights", [dy, x], [case.w, (64,)], **case.attributes)
    rest = np.moveaxis(dw, image.index(2), 0)[[0, 4]]
    np.testing.assert_array_equal(rest, np.zeros_like(rest))


@pytest.mark.parametrize("at_end", [True, False], ids=["end", "start"])
@pytest.mark.parametrize("case", CASES[::2])
def test_no_kernel_leaves_its_arrays(case: Case, at_end: bool) -> None:
    shapes = case.x, case.w, (case.filters,), case.y
    x, w, b, y = (guarded(normal(s, 0), at_end=at_end) for s in shapes)
    core.run("conv2d_forward", [x, w, b], [y], asked(case))
    core.run("conv2d_backward_input", [y, w], [x], asked(case))
    core.run("conv2d_backward_weights", [y, x], [w, b], asked(case))
    if min(case.y[1:3]) > 1:
        n, oh, ow, filters = case.y
        y = guarded(np.empty((n, oh // 2, ow // 2, filters), np.float32), at_end=at_end)
        argmax = guarded(np.empty(y.shape, np.uint8), at_end=at_end)
        attributes = {**asked(case), "pool": HALVES, "activation": "relu"}
        core.run("conv2d_max_pool2d_forward", [x, w, b], [y, argmax], attributes)
