"""The native direct convolution and dense kernels, compared with float64 sums over all cells."""

from __future__ import annotations

import ctypes
import mmap
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

from minicnn.layers.parameter import aligned
from minicnn.shapes import Window2D

core = pytest.importorskip("minicnn._core")

UNIT = 2.0**-24


class Case(NamedTuple):
    """The shapes of a convolution; (KH, KW, channels, filters) include all groups."""

    x: tuple[int, int, int, int]
    filters: int
    window: Window2D
    groups: int = 1

    @property
    def attributes(self) -> dict[str, Any]:
        """Return the attributes for the direct algorithm; test_winograd.py tests Winograd's."""
        shapes = {"window": self.window, "groups": self.groups, "image": self.x[1:3]}
        return {**shapes, "algorithm": "direct" if self.groups < self.x[3] else "auto"}

    @property
    def w(self) -> tuple[int, int, int, int]:
        return (*self.window.size, self.x[3] // self.groups, self.filters)

    @property
    def y(self) -> tuple[int, int, int, int]:
        return (self.x[0], *self.window.out_hw(self.x[1:3]), self.filters)


def window(size, stride=(1, 1), dilation=(1, 1), pad_h=(0, 0), pad_w=(0, 0)) -> Window2D:
    return Window2D(size, stride, dilation, pad_h, pad_w)


CASES = {
    "LeNet's first layer": Case((3, 28, 28, 1), 20, window((5, 5))),
    "LeNet's second layer: filters no multiple of a vector": Case(
        (2, 12, 12, 20), 50, window((5, 5))
    ),
    "same padding": Case((2, 17, 23, 3), 33, window((3, 3), pad_h=(1, 1), pad_w=(1, 1))),
    "asymmetric padding wider than the image": Case(
        (1, 2, 3, 2), 5, window((4, 5), pad_h=(0, 7), pad_w=(6, 1))
    ),
    "stride larger than the kernel": Case((2, 11, 13, 4), 7, window((2, 1), stride=(3, 4))),
    "dilated and strided": Case(
        (2, 15, 14, 3), 9, window((3, 2), (2, 3), (2, 3), pad_h=(2, 1), pad_w=(0, 3))
    ),
    "groups": Case((2, 9, 8, 12), 18, window((3, 3), pad_h=(1, 1), pad_w=(1, 1)), groups=3),
    "depthwise": Case((2, 9, 10, 21), 21, window((3, 3), pad_h=(1, 1), pad_w=(1, 1)), groups=21),
    "depthwise with two filters a channel": Case((1, 9, 10, 6), 12, window((3, 3)), groups=6),
    "depthwise, strided, dilated, padded on one side, three filters a channel": Case(
        (2, 15, 14, 13), 39, window((3, 2), (2, 3), (2, 3), (2, 1), (0, 3)), groups=13
    ),
    "depthwise, many rows and channels": Case(
        (5, 33, 40, 70), 70, window((3, 3), (2, 1), pad_h=(0, 1), pad_w=(1, 1)), groups=70
    ),
    "depthwise, a large window": Case(
        (1, 20, 19, 5), 5, window((17, 17), pad_h=(3, 3), pad_w=(9, 9)), groups=5
    ),
    "one filter": Case((2, 9, 10, 33), 1, window((3, 3), pad_h=(1, 1), pad_w=(1, 1))),
    "one filter, few channels": Case((2, 9, 10, 9), 1, window((3, 2), pad_w=(0, 1))),
    "one filter, strided, dilated, padded on one side": Case(
        (2, 15, 14, 16), 1, window((3, 2), (2, 3), (2, 3), (2, 1), (0, 3))
    ),
    "one filter, many rows and channels": Case((3, 33, 40, 70), 1, window((5, 5))),
    "one filter of padding alone": Case(
        (1, 3, 4, 8), 1, window((2, 2), pad_h=(3, 0), pad_w=(0, 4))
    ),
    "a pixel is its own window": Case((3, 7, 9, 17), 40, window((1, 1))),
    "a pixel is its own window, strided": Case((3, 7, 9, 5), 40, window((1, 1), (2, 2))),
    "more than one block of products": Case((1, 8, 40, 70), 35, window((3, 3), pad_w=(1, 1))),
    "many blocks of pixels": Case((5, 50, 61, 3), 6, window((3, 3))),
    "empty batch": Case((0, 8, 8, 3), 4, window((3, 3), pad_h=(1, 1))),
    "one of everything": Case((1, 1, 1, 1), 1, window((1, 1))),
}


def random_case(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    while True:
        groups = int(rng.choice([1, 1, 1, 2, 3]))
        channels, filters = (groups * int(rng.integers(1, 24)) for _ in range(2))
        kernel, stride, dilation, pad_h, pad_w = (
            tuple(int(v) for v in rng.integers(low, high, 2))
            for low, high in [(1, 6), (1, 4), (1, 3), (0, 4), (0, 4)]
        )
        image = tuple(int(v) for v in rng.integers(1, 34, 2))
        case = Case(
            (int(rng.integers(1, 4)), *image, channels),
            filters + groups * int(rng.choice([0, 0, 30])),
            Window2D(kernel, stride, dilation, pad_h, pad_w),
            groups,
        )
        if min(case.y[1:3]) >= 1:
            return case


ALL = [pytest.param(case, id=name) for name, case in CASES.items()] + [
    pytest.param(random_case(seed), id=f"random {seed}") for seed in range(40)
]


# --- expected results -------------------------------------------------------------------------


def cells(case: Case, padded: np.ndarray):
    """Yield each kernel cell's index and the view of `padded` that it reads for all outputs."""
    win = case.window
    for ky in range(win.size[0]):
        for kx in range(win.size[1]):
            y, x = ky * win.dilation[0], kx * win.dilation[1]
            rows = slice(y, y + (case.y[1] - 1) * win.stride[0] + 1, win.stride[0])
            columns = slice(x, x + (case.y[2] - 1) * win.stride[1] + 1, win.stride[1])
            yield (ky, kx), padded[:, rows, columns]


def grouped(case: Case, array: np.ndarray) -> np.ndarray:
    return array.reshape(*array.shape[:-1], case.groups, array.shape[-1] // case.groups)


def pads(case: Case) -> list[tuple[int, int]]:
    return [(0, 0), case.window.pad_h, case.window.pad_w, (0, 0)]


def forward(case: Case, x: np.ndarray, w: np.ndarray, b: np.ndarray | None) -> np.ndarray:
    y = np.zeros((*case.y[:3], case.groups, case.filters // case.groups))
    for cell, seen in cells(case, np.pad(x, pads(case))):
        y += np.einsum("nyxgc,cgf->nyxgf", grouped(case, seen), grouped(case, w[cell]))
    return y.reshape(case.y) + (0 if b is None else b)


def backward_input(case: Case, dy: np.ndarray, w: np.ndarray) -> np.ndarray:
    padded = np.pad(np.zeros(case.x), pads(case))
    for cell, seen in cells(case, padded):
        part = np.einsum("nyxgf,cgf->nyxgc", grouped(case, dy), grouped(case, w[cell]))
        seen += part.reshape(seen.shape)
    (top, _), (left, _) = case.window.pad_h, case.window.pad_w
    return padded[:, top : top + case.x[1], left : left + case.x[2]]


def backward_weights(case: Case, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
    dw = np.zeros(case.w)
    for cell, seen in cells(case, np.pad(x, pads(case))):
        part = np.einsum("nyxgc,nyxgf->cgf", grouped(case, seen), grouped(case, dy))
        dw[cell] = part.reshape(dw[cell].shape)
    return dw


# --- calls ------------------------------------------------------------------------------------


def run(kernel: str, reads: list, specs: list, **attributes: Any) -> list[np.ndarray]:
    """Run a kernel on writes filled with NaN (255 for bytes), so that unwritten values show."""
    writes = [None if s is None else np.full(s, np.nan, np.float32) for s in specs]
    core.run(kernel, reads, writes, attributes)
    return writes


def run_pool(reads: list, spec: tuple[int, ...], **attributes: Any) -> tuple[np.ndarray, ...]:
    y, argmax = np.full(spec, np.nan, np.float32), np.full(spec, 255, np.uint8)
    core.run("conv2d_max_pool2d_forward", reads, [y, argmax], attributes)
    return y, argmax


def integers(shape, seed: int, most: int = 3) -> np.ndarray:
    values = np.random.default_rng([seed, *shape]).integers(-most, most + 1, shape)
    return values.astype(np.float32)


def positives(shape, seed: int) -> np.ndarray:
    return np.random.default_rng([seed, *shape]).uniform(0.1, 1, shape).astype(np.float32)


def assert_within_bound(got: np.ndarray, exact: np.ndarray, size: np.ndarray, n: int) -> None:
    """Assert |error| <= u S (8 + sqrt(min(n, 256))); S is the sum of the terms' magnitudes."""
    assert got.shape == exact.shape
    bound = UNIT * size * (8 + np.sqrt(min(n, 256)))
    np.testing.assert_array_less(np.abs(got - exact), bound + 1e-300)


def float64(*arrays: np.ndarray) -> list[np.ndarray]:
    return [a.astype(np.float64) for a in arrays]


# --- convolution ------------------------------------------------------------------------------


@pytest.mark.parametrize("case", ALL)
def test_integers_are_exact(case: Case) -> None:
    x, w, b, dy = (integers(s, i) for i, s in enumerate([case.x, case.w, (case.filters,), case.y]))
    (y,) = run("conv2d_forward", [x, w, b], [case.y], **case.attributes)
    (dx,) = run("conv2d_backward_input", [dy, w], [case.x], **case.attributes)
    dw, db = run("conv2d_backward_weights", [dy, x], [case.w, (case.filters,)], **case.attributes)
    np.testing.assert_array_equal(y, forward(case, *float64(x, w, b)))
    np.testing.assert_array_equal(dx, backward_input(case, *float64(dy, w)))
    np.testing.assert_array_equal(dw, backward_weights(case, *float64(dy, x)))
    np.testing.assert_array_equal(db, dy.sum((0, 1, 2), dtype=np.float64))


@pytest.mark.parametrize("case", ALL)
def test_errors_stay_within_the_bound(case: Case) -> None:
    """Positive values are the hardest data: their rounding errors do not cancel."""
    x, w, dy = (positives(s, i) for i, s in enumerate([case.x, case.w, case.y]))
    (y,) = run("conv2d_forward", [x, w, None], [case.y], **case.attributes)
    (dx,) = run("conv2d_backward_input", [dy, w], [case.x], **case.attributes)
    dw, db = run("conv2d_backward_weights", [dy, x], [case.w, (case.filters,)], **case.attributes)
    exact = forward(case, *float64(x, w), None)
    assert_within_bound(y, exact, exact, int(np.prod(case.w[:3])))
    exact = backward_input(case, *float64(dy, w))
    assert_within_bound(dx, exact, exact, int(np.prod(case.w)) // case.w[2])
    exact = backward_weights(case, *float64(dy, x))
    assert_within_bound(dw, exact, exact, int(np.prod(case.y[:3])))
    exact = dy.sum((0, 1, 2), dtype=np.float64)
    assert_within_bound(db, exact, exact, 256)


@pytest.mark.parametrize("case", ALL[::3])
def test_optional_arrays_may_be_none(case: Case) -> None:
    x, w, dy = (integers(s, i) for i, s in enumerate([case.x, case.w, case.y]))
    (y,) = run("conv2d_forward", [x, w, None], [case.y], **case.attributes)
    dw, db = run("conv2d_backward_weights", [dy, x], [case.w, None], **case.attributes)
    assert db is None
    np.testing.assert_array_equal(y, forward(case, *float64(x, w), None))
    np.testing.assert_array_equal(dw, backward_weights(case, *float64(dy, x)))


@pytest.mark.parametrize("case", ALL[:17])
def test_bits_do_not_depend_on_threads_or_batch(case: Case, threads: Callable[[int], None]) -> None:
    rng = np.random.default_rng(5)
    x, w, dy = (rng.normal(size=s).astype(np.float32) for s in [case.x, case.w, case.y])

    def everything() -> list[np.ndarray]:
        return [
            *run("conv2d_forward", [x, w, None], [case.y], **case.attributes),
            *run("conv2d_backward_input", [dy, w], [case.x], **case.attributes),
            *run("conv2d_backward_weights", [dy, x], [case.w, (case.filters,)], **case.attributes),
        ]

    threads(1)
    once = everything()
    for count in (2, 3, 4):
        threads(count)
        for a, b in zip(once, everything(), strict=True):
            np.testing.assert_array_equal(a, b)
    for i in range(case.x[0]):
        one = slice(i, i + 1)
        (y,) = run("conv2d_forward", [x[one], w, None], [(1, *case.y[1:])], **case.attributes)
        (dx,) = run("conv2d_backward_input", [dy[one], w], [(1, *case.x[1:])], **case.attributes)
        np.testing.assert_array_equal(y, once[0][one])
        np.testing.assert_array_equal(dx, once[1][one])


@pytest.mark.parametrize("filters", [32, 48, 24], ids="{} filters".format)
def test_an_output_larger_than_the_caches_has_the_same_bits(filters: int) -> None:
    """Whole cache lines then bypass the caches; 24 filters are not whole lines."""
    case = Case((3, 260, 260, 3), filters, window((3, 3)))
    y = aligned((3 * 48 // filters, 258, 258, filters), "float32")
    assert y.nbytes > 32 << 20
    x = np.resize(positives(case.x, 0), (len(y), 260, 260, 3))
    w, b = positives(case.w, 1), positives((filters,), 2)
    core.run("conv2d_forward", [x, w, b], [y], case.attributes)
    for image, of_image in zip(x, y, strict=True):
        (alone,) = run(
            "conv2d_forward", [image[None], w, b], [(1, *y.shape[1:])], **case.attributes
        )
        np.testing.assert_array_equal(of_image, alone[0])


def test_nan_and_infinity_pass_through() -> None:
    case = CASES["same padding"]
    x, w = integers(case.x, 0), integers(case.w, 1)
    x[0, 5, 5, 1], x[1, 0, 0, 0] = np.nan, np.inf
    (y,) = run("conv2d_forward", [x, w, None], [case.y], **case.attributes)
    with np.errstate(invalid="ignore"):
        exact = forward(case, *float64(x, w), None)
    assert np.isnan(exact).any() and np.isinf(exact).any()
    np.testing.assert_array_equal(y, exact)


# --- convolution, activation and pooling as one -----------------------------------------------

POOLS = {
    "halves": window((2, 2), (2, 2)),
    "overlapping": window((3, 3), (2, 2)),
    "overlapping and padded": window((3, 2), (1, 2), pad_h=(1, 2), pad_w=(1, 1)),
    "gaps between the windows": window((2, 1), (3, 2)),
}


NO_ARGMAX = 255  # where the ReLU leaves nothing


def pooled(case: Case, pool: Window2D, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the maxima of z and their indices: of the first of equal values, or the first NaN."""
    n, (ph, pw) = case.x[0], pool.out_hw(case.y[1:3])
    y, argmax = np.empty((2, n, ph, pw, case.filters))
    for index in np.ndindex(n, ph, pw, case.filters):
        best = None
        for ky, kx in np.ndindex(*pool.size):
            oy = index[1] * pool.stride[0] - pool.pad_h[0] + ky
            ox = index[2] * pool.stride[1] - pool.pad_w[0] + kx
            if not (0 <= oy < z.shape[1] and 0 <= ox < z.shape[2]):
                continue
            value = z[index[0], oy, ox, index[3]]
            if best is None or value > best or (np.isnan(value) and not np.isnan(best)):
                best, argmax[index] = value, ky * pool.size[1] + kx
        y[index] = best
    return y, argmax


def unpooled(case: Case, pool: Window2D, dy: np.ndarray, argmax: np.ndarray) -> np.ndarray:
    full = np.zeros(case.y)
    for index in zip(*np.nonzero(argmax != NO_ARGMAX), strict=True):
        oy = index[1] * pool.stride[0] - pool.pad_h[0] + int(argmax[index]) // pool.size[1]
        ox = index[2] * pool.stride[1] - pool.pad_w[0] + int(argmax[index]) % pool.size[1]
        full[index[0], oy, ox, index[3]] += dy[index]
    return full


POOLED = [
    pytest.param(case, pool, activation, id=f"{name}, {activation}, {i}")
    for name, pool in POOLS.items()
    for activation in ("relu", "linear")
    for i, case in enumerate(
        [
            Case((2, 12, 11, 2), 20, window((5, 5))),
            Case((1, 9, 8, 3), 37, window((3, 3), (1, 2), pad_h=(1, 1), pad_w=(2, 0))),
            Case((1, 7, 7, 4), 6, window((3, 3)), groups=2),
            Case((0, 7, 7, 4), 6, window((3, 3)), groups=2),
            Case((1, 7, 140, 1), 3, window((1, 3))),
            # One pixel more than a piece of a row, for each instruction set; pools may leave it.
            *(
                Case((1, 3, w, 2), 3, window((3, 3), pad_h=(1, 1), pad_w=(1, 1)))
                for w in (17, 25, 57)
            ),
        ]
    )
]


@pytest.mark.parametrize(("case", "pool", "activation"), POOLED)
def test_pooled_convolution_is_the_composition(case: Case, pool: Window2D, activation: str) -> None:
    attributes = {**case.attributes, "pool": pool, "activation": activation}
    x, w, b = integers(case.x, 0, 1), integers(case.w, 1, 1), integers((case.filters,), 2)
    z = forward(case, *float64(x, w, b))
    y_exact, argmax_exact = pooled(case, pool, np.maximum(z, 0) if activation == "relu" else z)
    y, argmax = run_pool([x, w, b], y_exact.shape, **attributes)
    np.testing.assert_array_equal(y, y_exact)
    clipped = (activation == "relu") & (y_exact <= 0)
    np.testing.assert_array_equal(argmax, np.where(clipped, NO_ARGMAX, argmax_exact))

    dy = integers(y.shape, 3)
    dz = unpooled(case, pool, *float64(dy), argmax)
    (dx,) = run("conv2d_max_pool2d_backward_input", [dy, argmax, w], [case.x], **attributes)
    dw, db = run(
        "conv2d_max_pool2d_backward_weights",
        [dy, argmax, x],
        [case.w, (case.filters,)],
        **attributes,
    )
    np.testing.assert_array_equal(dx, backward_input(case, dz, *float64(w)))
    np.testing.assert_array_equal(dw, backward_weights(case, dz, *float64(x)))
    np.testing.assert_array_equal(db, dz.sum((0, 1, 2)))


@pytest.mark.parametrize("activation", ["relu", "linear"])
def test_pooling_keeps_the_first_nan(activation: str) -> None:
    x = np.array([[3, 1, np.nan, 9], [2, np.nan, 4, 7], [-1, -2, -3, -4], [-1, -5, -9, -4]])
    case = Case((1, 4, 4, 1), 1, window((1, 1)))
    one = np.ones((1, 1, 1, 1), np.float32)
    attributes = {**case.attributes, "pool": POOLS["halves"], "activation": activation}
    y, argmax = run_pool(
        [x.astype(np.float32)[None, ..., None], one, None], (1, 2, 2, 1), **attributes
    )
    low = [0, 0] if activation == "relu" else [-1, -3]
    np.testing.assert_array_equal(y.ravel(), [np.nan, np.nan, *low])
    expected = [NO_ARGMAX] * 4 if activation == "relu" else [3, 0, 0, 0]
    np.testing.assert_array_equal(argmax.ravel(), expected)


def test_an_argmax_outside_the_window_is_ignored() -> None:
    case, pool = Case((1, 6, 6, 1), 1, window((3, 3))), POOLS["halves"]
    attributes = {**case.attributes, "pool": pool, "activation": "linear"}
    dy = np.ones((1, 2, 2, 1), np.float32)
    w = np.ones(case.w, np.float32)
    argmax = np.full(dy.shape, 255, np.uint8)
    (dx,) = run("conv2d_max_pool2d_backward_input", [dy, argmax, w], [case.x], **attributes)
    np.testing.assert_array_equal(dx, np.zeros(case.x))


# --- dense ------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [0, 1, 5, 64, 300])
@pytest.mark.parametrize(("inputs", "units"), [(1, 1), (800, 50), (17, 10), (3, 70), (300, 33)])
def test_dense(n: int, inputs: int, units: int) -> None:
    x, w, b, dy = (
        integers(s, i) for i, s in enumerate([(n, inputs), (inputs, units), (units,), (n, units)])
    )
    (y,) = run("dense_forward", [x, w, b], [(n, units)])
    (dx,) = run("dense_backward_input", [dy, w], [(n, inputs)])
    dw, db = run("dense_backward_weights", [dy, x], [(inputs, units), (units,)])
    np.testing.assert_array_equal(y, x @ w + b)
    np.testing.assert_array_equal(dx, dy @ w.T)
    np.testing.assert_array_equal(dw, x.T @ dy)
    np.testing.assert_array_equal(db, dy.sum(0))


def test_dense_bits_do_not_depend_on_threads_or_batch(threads: Callable[[int], None]) -> None:
    rng = np.random.default_rng(6)
    x, w, dy = (rng.normal(size=s).astype(np.float32) for s in [(65, 700), (700, 90), (65, 90)])
    threads(1)
    (y,) = run("dense_forward", [x, w, None], [(65, 90)])
    (dx,) = run("dense_backward_input", [dy, w], [(65, 700)])
    for count, rows in [(2, slice(0, 1)), (3, slice(20, 53)), (4, slice(0, 65))]:
        threads(count)
        size = len(x[rows])
        np.testing.assert_array_equal(
            run("dense_forward", [x[rows], w, None], [(size, 90)])[0], y[rows]
        )
        np.testing.assert_array_equal(
            run("dense_backward_input", [dy[rows], w], [(size, 700)])[0], dx[rows]
        )


# --- memory safety ----------------------------------------------------------------------------

PAGE = mmap.PAGESIZE


def guarded(array: np.ndarray, *, at_end: bool) -> np.ndarray:
    """Return a copy that ends where a forbidden page begins, or begins where one ends."""
    pages = -(-array.nbytes // PAGE)
    memory = mmap.mmap(-1, (pages + 2) * PAGE)
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    for page in (0, pages + 1):
        status = ctypes.CDLL(None).mprotect(ctypes.c_void_p(start + page * PAGE), PAGE, 0)
        assert status == 0
    offset = PAGE + (pages * PAGE - array.nbytes if at_end else 0)
    copy = np.frombuffer(memory, array.dtype, array.size, offset).reshape(array.shape)
    copy[...] = array
    return copy


WITH_IMAGES = [param for param in ALL if param.values[0].x[0] > 0]


@pytest.mark.parametrize("at_end", [True, False], ids=["end", "start"])
@pytest.mark.parametrize("case", WITH_IMAGES[::2])
def test_no_kernel_leaves_its_arrays(case: Case, at_end: bool) -> None:
    def call(kernel: str, reads: list, writes: list, **attributes: Any) -> None:
        lists = ([guarded(array, at_end=at_end) for array in arrays] for arrays in (reads, writes))
        core.run(kernel, *lists, attributes)

    x, w, b, y = (integers(s, i) for i, s in enumerate([case.x, case.w, (case.filters,), case.y]))
    call("conv2d_forward", [x, w, b], [y], **case.attributes)
    call("conv2d_backward_input", [y, w], [x], **case.attributes)
    call("conv2d_backward_weights", [y, x], [w, b], **case.attributes)
    pool = {"pool": window((1, 1)), "activation": "relu"}
    argmax = np.zeros(y.shape, np.uint8)
    call("conv2d_max_pool2d_forward", [x, w, b], [y, argmax], **case.attributes, **pool)
    reads = [y, argmax]
    call("conv2d_max_pool2d_backward_input", [*reads, w], [x], **case.attributes, **pool)
    call("conv2d_max_pool2d_backward_weights", [*reads, x], [w, b], **case.attributes, **pool)
    x, w, y = x.reshape(len(x), -1), integers((x[:1].size or 7, 9), 7), integers((len(x), 9), 8)
    if x.size:
        call("dense_forward", [x, w, y[0]], [y])
        call("dense_backward_input", [y, w], [x])
        call("dense_backward_weights", [y, x], [w, y[0]])


GOOD = CASES["same padding"]
WRONG = {
    "weights of another kernel size": {"w": np.zeros((3, 2, 3, 33), np.float32)},
    "weights of other channels": {"w": np.zeros((3, 3, 4, 33), np.float32)},
    "a short bias": {"b": np.zeros(32, np.float32)},
    "an output of another size": {"y": np.zeros((2, 17, 22, 33), np.float32)},
    "another image": {"image": (17, 22)},
    "groups that do not divide": {"groups": 2},
    "no groups": {"groups": 0},
    "a kernel larger than the image": {"window": window((3, 3), dilation=(99, 1))},
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_wrong_shapes_are_refused(wrong: dict[str, Any]) -> None:
    arrays = {"x": GOOD.x, "w": GOOD.w, "b": (GOOD.filters,), "y": GOOD.y}
    given = {name: np.zeros(shape, np.float32) for name, shape in arrays.items()}
    given.update(GOOD.attributes)
    given.update(wrong)
    x, w, b, y = (given.pop(name) for name in arrays)
    with pytest.raises(ValueError, match="conv2d_forward: "):
        core.run("conv2d_forward", [x, w, b], [y], given)


def test_wrong_dtypes_are_refused() -> None:
    x, w, y = (np.zeros(s, np.float32) for s in (GOOD.x, GOOD.w, GOOD.y))
    with pytest.raises(TypeError, match="dtype"):
        core.run("conv2d_forward", [x.astype(float), w, None], [y], GOOD.attributes)
