"""The native direct convolution against float64 sums, in thousands of random geometries: exact for
integers, and within a derived error bound for other values."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from minicnn.backends.numpy import KERNELS as REFERENCE
from minicnn.shapes import Pair, Window2D

native = pytest.importorskip("minicnn.backends.native", exc_type=ImportError)

UNIT = 2.0**-24  # the rounding unit of float32
MAX_ZEROS = 0.3  # results with a larger share are not counted: they prove little
many = pytest.mark.parametrize("configurations", [300, pytest.param(2000, marks=pytest.mark.slow)])


def random_search(configurations: int) -> settings:
    """Return settings that draw 20 % more configurations than have to count."""
    return settings(
        max_examples=configurations * 6 // 5,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )


class Geometry(NamedTuple):
    batch: int
    image: Pair
    channels: int  # per group
    filters: int  # per group
    groups: int
    window: Window2D

    @property
    def attributes(self) -> dict[str, Any]:
        return {"window": self.window, "groups": self.groups, "image": self.image}

    @property
    def direct(self) -> dict[str, Any]:
        """Return the attributes for the direct kernels; Winograd's algorithm has other bounds."""
        return {**self.attributes, "algorithm": "direct"}

    @property
    def x(self) -> tuple[int, ...]:
        return (self.batch, *self.image, self.channels * self.groups)

    @property
    def w(self) -> tuple[int, ...]:
        return (*self.window.size, self.channels, self.filters * self.groups)

    @property
    def y(self) -> tuple[int, ...]:
        return (self.batch, *self.window.out_hw(self.image), self.filters * self.groups)

    @property
    def products(self) -> dict[str, int]:
        """Return the most products in a sum, for each result."""
        taps, pixels = np.prod(self.window.size), np.prod(self.y[:3])
        return {"y": taps * self.channels, "dx": taps * self.filters, "dw": pixels, "db": pixels}


@st.composite
def geometries(draw: st.DrawFn) -> Geometry:
    """Draw shapes, among them depthwise, dilated, and with large strides and paddings."""
    groups = draw(st.sampled_from([1, 1, 1, 2, 3, 8]))
    axes = [draw(_axes()) for _ in "hw"]
    image, size, stride, dilation, pads = zip(*axes, strict=True)
    return Geometry(
        batch=draw(st.integers(1, 3)),
        image=image,
        channels=draw(st.integers(1, 40 // groups)),
        filters=draw(st.integers(1, 72 // groups)),
        groups=groups,
        window=Window2D(size, stride, dilation, *pads),
    )


@st.composite
def _axes(draw: st.DrawFn) -> tuple[int, int, int, int, Pair]:
    size, dilation = draw(st.integers(1, 5)), draw(st.integers(1, 3))
    pad = draw(st.tuples(st.integers(0, 4), st.integers(0, 4)))
    least = max(1, (size - 1) * dilation + 1 - sum(pad))
    return draw(st.integers(least, least + 14)), size, draw(st.integers(1, 5)), dilation, pad


def oracle(g: Geometry, x: np.ndarray, w: np.ndarray, b: np.ndarray, dy: np.ndarray) -> dict:
    """Return y, dx, dw and db by definition in float64, one tap at a time."""
    (top, _), (left, _) = g.window.pad_h, g.window.pad_w
    padded = np.pad(x, ((0, 0), g.window.pad_h, g.window.pad_w, (0, 0)))
    padded = np.moveaxis(padded.reshape(*padded.shape[:3], g.groups, g.channels), 3, 0)
    kernel = np.moveaxis(w.reshape(*g.window.size, g.channels, g.groups, g.filters), 3, 2)
    dz = np.moveaxis(dy.reshape(-1, g.groups, g.filters), 1, 0)
    z, dpadded, dw = np.zeros(dz.shape), np.zeros(padded.shape), np.zeros(kernel.shape)
    for ky, kx in np.ndindex(*g.window.size):
        at = (slice(None), slice(None), _every(g, 0, ky), _every(g, 1, kx))
        cells = padded[at].reshape(g.groups, -1, g.channels)
        z += cells @ kernel[ky, kx]
        dpadded[at] += (dz @ kernel[ky, kx].swapaxes(1, 2)).reshape(padded[at].shape)
        dw[ky, kx] = cells.swapaxes(1, 2) @ dz
    dx = np.moveaxis(dpadded, 0, 3)[:, top : top + g.image[0], left : left + g.image[1]]
    y = np.moveaxis(z, 0, 1).reshape(g.y) + b
    dw = np.moveaxis(dw, 2, 3)
    return {"y": y, "dx": dx.reshape(g.x), "dw": dw.reshape(g.w), "db": dy.sum((0, 1, 2))}


def _every(g: Geometry, axis: int, k: int) -> slice:
    """Return the padded rows (or columns) that cell k of the window reads."""
    first, stride = k * g.window.dilation[axis], g.window.stride[axis]
    return slice(first, first + (g.y[1 + axis] - 1) * stride + 1, stride)


def computed(g: Geometry, x: np.ndarray, w: np.ndarray, b: np.ndarray, dy: np.ndarray) -> dict:
    """Return the same results, computed by the native kernels."""
    run = native.KERNELS
    (y,) = run["conv2d_forward"](x, w, b, **g.direct)
    (dx,) = run["conv2d_backward_input"](dy, w, **g.direct)
    dw, db = run["conv2d_backward_weights"](dy, x, **g.direct)
    return {"y": y, "dx": dx, "dw": dw, "db": db}


def integers(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.integers(-32, 33, shape).astype(np.float64)


@many
def test_integers_give_exact_results(configurations):
    counted = 0

    @random_search(configurations)
    @given(geometries(), st.integers(0, 2**32 - 1))
    def search(g, seed):
        nonlocal counted
        rng = np.random.default_rng(seed)
        # Sums stay below 2^24: 32 * 32 * 8192 products would be needed to reach it.
        arrays = [integers(rng, shape) for shape in (g.x, g.w, g.y[-1:], g.y)]
        found = computed(g, *(a.astype(np.float32) for a in arrays))
        wanted = oracle(g, *arrays)
        for name, want in wanted.items():
            np.testing.assert_array_equal(found[name], want, err_msg=name)
        counted += np.mean(wanted["y"] == 0) <= MAX_ZEROS

    search()
    print(f"{counted} convolutions, three kernels each, equal to the last bit")
    assert counted >= configurations


def fill_normal(rng, shape):
    return rng.standard_normal(shape)


def fill_uniform(rng, shape):
    return rng.uniform(-1, 1, shape)


def fill_positive(rng, shape):
    """Return data whose rounding errors do not cancel: the hardest."""
    return rng.uniform(0, 1, shape)


FILLS = {"normal": fill_normal, "uniform": fill_uniform, "positive": fill_positive}


def worst_errors(g: Geometry, seed: int, fill: str) -> dict[str, float]:
    """Return r of each result: the largest |error| / (2^-24 * sum of the terms' magnitudes)."""
    rng = np.random.default_rng(seed)
    arrays = [FILLS[fill](rng, s).astype(np.float32) for s in (g.x, g.w, g.y[-1:], g.y)]
    found = computed(g, *arrays)
    exact = oracle(g, *(a.astype(np.float64) for a in arrays))
    sizes = oracle(g, *(np.abs(a.astype(np.float64)) for a in arrays))
    worst = {}
    for name, size in sizes.items():
        error = np.abs(found[name] - exact[name])
        assert (error[size == 0] == 0).all(), name
        worst[name] = float(np.max(error[size > 0] / (UNIT * size[size > 0]), initial=0))
    return worst


def demand_bounds(g: Geometry, worst: dict[str, float]) -> None:
    """Assert the bound for any order of additions, and the smaller errors of sums in blocks."""
    for name, r in worst.items():
        n = int(g.products[name])
        law = (n + 2) / (1 - (n + 2) * UNIT)
        quality = 8 + np.sqrt(min(n, 256))
        assert r <= min(law, quality), (
            f"{name}: r = {r:.1f}, n = {n}, {law = :.1f}, {quality = :.1f}"
        )


@many
def test_rounding_errors_keep_the_bound(configurations):
    worst: dict[str, float] = {}
    count = 0

    @random_search(configurations)
    @given(geometries(), st.integers(0, 2**32 - 1), st.sampled_from(sorted(FILLS)))
    def search(g, seed, fill):
        nonlocal count
        errors = worst_errors(g, seed, fill)
        note(str(errors))
        demand_bounds(g, errors)
        worst.update({name: max(r, worst.get(name, 0)) for name, r in errors.items()})
        count += 1

    search()
    print(f"{count} convolutions, worst r: {worst}")
    assert count >= configurations


def square(batch, side, channels, filters, k, pad=0):
    window = Window2D((k, k), (1, 1), (1, 1), (pad, pad), (pad, pad))
    return Geometry(batch, (side, side), channels, filters, 1, window)


# Sums of thousands of products, for which a plain running sum loses digits.
LONG_SUMS = {
    "y of 4,608 products": square(1, 9, 512, 33, 3),
    "dx of 6,400 products": square(1, 8, 5, 256, 5, pad=2),
    "dw of 40,000 pixels": square(4, 100, 3, 18, 3, pad=1),
    "dw of 65,536 pixels, one channel": square(1, 256, 1, 20, 5, pad=2),
}


@pytest.mark.parametrize("fill", sorted(FILLS))
@pytest.mark.parametrize("g", LONG_SUMS.values(), ids=LONG_SUMS.keys())
def test_long_sums_keep_the_bound(g, fill):
    worst = worst_errors(g, 0, fill)
    print(f"worst r: {worst}")
    demand_bounds(g, worst)


@pytest.mark.parametrize("fill", sorted(FILLS))
def test_long_dense_sums_keep_the_bound(fill):
    inputs, units, rows = 57_600, 18, 3
    g = Geometry(rows, (1, 1), inputs, units, 1, Window2D((1, 1), (1, 1), (1, 1), (0, 0), (0, 0)))
    rng = np.random.default_rng(0)
    x, w, b = (FILLS[fill](rng, s).astype(np.float32) for s in ((rows, inputs), g.w[2:], (units,)))
    (y,) = native.KERNELS["dense_forward"](x, w, b)
    x, w, b = (a.astype(np.float64) for a in (x, w, b))
    r = np.abs(y - (x @ w + b)) / (UNIT * (np.abs(x) @ np.abs(w) + np.abs(b)))
    demand_bounds(g, {"y": float(r.max())})


@pytest.mark.parametrize("configurations", [100, pytest.param(500, marks=pytest.mark.slow)])
def test_fused_pooling_of_integers_is_exact(configurations):
    count = 0

    @random_search(configurations)
    @given(geometries(), st.data(), st.sampled_from(["relu", "linear"]))
    def search(g, data, activation):
        nonlocal count
        pool = _draw_pool(data, g.y[1:3])
        rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
        shapes = (g.x, g.w, g.y[-1:], (g.batch, *pool.out_hw(g.y[1:3]), g.y[3]))
        arrays = [integers(rng, shape) for shape in shapes]
        pooled = {"pool": pool, "activation": activation}
        results = [
            _fused(kernels, *(a.astype(dtype) for a in arrays), conv | pooled)
            for kernels, dtype, conv in (
                (REFERENCE, np.float64, g.attributes),
                (native.KERNELS, np.float32, g.direct),
            )
        ]
        for want, found in zip(*results, strict=True):
            np.testing.assert_array_equal(found, want)
        count += 1

    search()
    assert count >= configurations


def _draw_pool(data: st.DataObject, image: Pair) -> Window2D:
    """Draw a pooling that fits; it may overlap, leave gaps or a rest, and pad."""
    size = tuple(data.draw(st.integers(1, min(4, n))) for n in image)
    stride = data.draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    pads = [(data.draw(st.integers(0, k - 1)), 0) for k in size]
    return Window2D(size, stride, (1, 1), *pads)


def _fused(kernels, x, w, b, dy, attributes) -> list[np.ndarray]:
    """Return everything that the fused operation's kernels write."""
    name = "conv2d_max_pool2d"
    y, argmax = kernels[f"{name}_forward"](x, w, b, **attributes)
    (dx,) = kernels[f"{name}_backward_input"](dy, argmax, w, **attributes)
    return [y, argmax, dx, *kernels[f"{name}_backward_weights"](dy, argmax, x, **attributes)]
