"""CUDA convolutions beyond kernel_cases.py: random windows, each tile, NaN, ties of a maximum."""

from __future__ import annotations

import numpy as np
import pytest
from kernel_cases import Case, arrays, conv, conv_pool
from test_contracts import calls

from minicnn.backends import device
from minicnn.backends import numpy as reference
from minicnn.shapes import Window2D

if device.missing():
    pytest.skip(device.missing(), allow_module_level=True)

from test_cuda_kernels import assert_agrees

from minicnn.backends.cuda import (
    KERNELS,
    argmax_weight_gradient,
    conv2d_tiles,
    weight_gradient,
)
from minicnn.backends.cuda.conv2d_tiles import ConvTile

# Simulated threads compute with NumPy's scalars, which warn about overflow and NaN.
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

SMALL = ConvTile(8, 6, 8, 4, 3)  # few threads, so that the simulator can run many blocks
SMALL_FOR_ARGMAX = ConvTile(32, 4, 10, 1, 4)


def use_tiles(monkeypatch, tile, for_argmax):
    """Use these tiles for the smallest products, too, and several splits."""
    monkeypatch.setattr(conv2d_tiles, "TINY", 0)
    monkeypatch.setattr(conv2d_tiles, "TILES", (tile,))
    monkeypatch.setattr(argmax_weight_gradient, "TILES", (for_argmax,))
    for module in (weight_gradient, argmax_weight_gradient):
        monkeypatch.setattr(module, "MIN_SPLIT", 16)


@pytest.fixture(params=["direct", "tiled"])
def way(request, monkeypatch):
    """Runs the test with the direct kernels, and with tiles that are smaller than its images."""
    if request.param == "tiled":
        use_tiles(monkeypatch, SMALL, SMALL_FOR_ARGMAX)


def draw_window(rng, image, largest, dilation):
    size = tuple(rng.integers(1, largest + 1, 2))
    pads = [tuple(int(pad) for pad in rng.integers(0, k, 2)) for k in size]
    window = Window2D(size, tuple(rng.integers(1, 4, 2)), dilation, *pads)
    window = Window2D(*(tuple(int(n) for n in pair) for pair in window))
    return window if min(window.out_hw(image)) > 0 else draw_window(rng, image, largest, dilation)


def draw_case(seed):
    """A small convolution: with pooling if the seed is odd, with groups for every third seed."""
    rng = np.random.default_rng(seed)
    image, groups = tuple(int(n) for n in rng.integers(3, 6, 2)), 2 if seed % 3 == 2 else 1
    window = draw_window(rng, image, 3, tuple(int(n) for n in rng.integers(1, 3, 2)))
    channels, filters = (groups * int(n) for n in rng.integers(1, 4, 2))
    shape = arrays(
        x=(2, *image, channels), w=(*window.size, channels // groups, filters), b=(filters,)
    )
    attributes = {"window": window, "image": image, "groups": groups}
    if seed % 2 == 0:
        return Case("conv2d_relu", shape, attributes)
    pool = draw_window(rng, window.out_hw(image), 3, (1, 1))
    activation = ("relu", "linear")[seed % 4 // 2]
    return Case("conv2d_max_pool2d", shape, attributes | {"pool": pool, "activation": activation})


@pytest.mark.parametrize("seed", range(6))
def test_any_window(seed, monkeypatch):
    use_tiles(monkeypatch, SMALL, SMALL_FOR_ARGMAX)  # but groups use the direct kernel
    case = draw_case(seed)
    for kernel, known in calls(case, np.float32):
        if not kernel.endswith("backward_input"):  # ..._input_relu covers it
            assert_agrees(kernel, known, case.attributes)


@pytest.mark.parametrize("tile", conv2d_tiles.TILES, ids=str)
def test_each_tile(tile, monkeypatch):
    use_tiles(monkeypatch, tile, SMALL_FOR_ARGMAX)
    case = Case("conv2d_relu", arrays(x=(1, 3, 4, 5), w=(1, 1, 5, 7), b=(7,)), conv((3, 4), 1))
    kernel, known = calls(case, np.float32)[0]
    assert_agrees(kernel, known, case.attributes)


@pytest.mark.parametrize("tile", argmax_weight_gradient.TILES, ids=str)
def test_each_tile_at_the_argmax(tile, monkeypatch):
    use_tiles(monkeypatch, SMALL, tile)
    shapes = arrays(x=(1, 4, 6, 2), w=(3, 3, 2, 3), b=None)
    case = Case("conv2d_max_pool2d", shapes, conv_pool("relu", (4, 6)))
    kernel, known = calls(case, np.float32)[-2]
    assert kernel == "conv2d_max_pool2d_backward_weights"
    assert_agrees(kernel, known, case.attributes)


@pytest.mark.parametrize("activation", ["relu", "linear"])
@pytest.mark.usefixtures("way")
def test_the_argmax_of_a_window(activation):
    nan, inf = np.nan, np.inf
    x = np.array([[1, nan, 2, 2], [3, nan, 1, 2], [-1, -2, -inf, -inf], [-3, 0, -inf, -inf]])
    image = (4, 4)
    attributes = conv(image, 1) | {"activation": activation}
    for pool in (
        Window2D((2, 2), (2, 2), (1, 1), (0, 0), (0, 0)),
        Window2D((2, 2), (2, 2), (1, 1), (1, 1), (1, 1)),
        Window2D((3, 2), (1, 2), (1, 1), (1, 0), (0, 1)),
    ):
        reads = (x.reshape(1, 4, 4, 1).astype(np.float32), np.ones((1, 1, 1, 1), np.float32), None)
        outs = KERNELS["conv2d_max_pool2d_forward"](*reads, pool=pool, **attributes)
        wanted = reference.KERNELS["conv2d_max_pool2d_forward"](*reads, pool=pool, **attributes)
        for out, want in zip(outs, wanted, strict=True):
            np.testing.assert_array_equal(out, want)


@pytest.mark.usefixtures("way")
def test_no_gradient_passes_a_window_without_a_maximum():
    attributes = conv_pool("relu", (6, 6))
    x, w = np.ones((1, 6, 6, 2), np.float32), np.ones((3, 3, 2, 3), np.float32)
    dy, no_argmax = np.ones((1, 2, 2, 3), np.float32), np.full((1, 2, 2, 3), 255, np.uint8)
    for kernel, last in (("backward_weights", x), ("backward_input", w)):
        for out in KERNELS[f"conv2d_max_pool2d_{kernel}"](dy, no_argmax, last, **attributes):
            assert not out.any()


def test_moments_of_many_pixels_at_a_large_mean():
    rng = np.random.default_rng(3)
    x, w = 3000 + rng.standard_normal((1, 13, 11, 2)), np.array([[[[1, 0, 1], [0, 1, 1]]]])
    pool = Window2D((1, 1), (1, 1), (1, 1), (0, 0), (0, 0))
    attributes = conv((13, 11), 1) | {"pool": pool, "activation": "linear"}
    reads = (x.astype(np.float32), w.astype(np.float32), None)
    y, _, moments = KERNELS["conv2d_max_pool2d_moments_forward"](*reads, **attributes)
    y = y.astype(np.float64)
    np.testing.assert_allclose(moments, [y.mean((0, 1, 2)), y.var((0, 1, 2))], rtol=1e-12)
