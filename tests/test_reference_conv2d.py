"""Convolution: numbers by hand, then the definition written out as loops, on random layers."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from gradcheck import gradients, result
from hypothesis import given
from hypothesis import strategies as st
from kernel_cases import conv, conv_pool

from minicnn.backends.numpy import KERNELS
from minicnn.shapes import Window2D


def test_six_by_six_by_hand():
    """Rows 1..6, 7..12, ... 31..36 under the kernel 1..9: the first output is
    1*1 + 2*2 + 3*3 + 4*7 + 5*8 + 6*9 + 7*13 + 8*14 + 9*15 = 474; a step to the right adds the sum
    of the kernel, 45, and a step down adds 6 * 45 = 270."""
    x = np.arange(1.0, 37).reshape(1, 6, 6, 1)
    w = np.arange(1.0, 10).reshape(3, 3, 1, 1)
    (y,) = KERNELS["conv2d_forward"](x, w, np.array([0.5]), **conv((6, 6), 3))
    assert y[0, :, :, 0].tolist() == [
        [474.5, 519.5, 564.5, 609.5],
        [744.5, 789.5, 834.5, 879.5],
        [1014.5, 1059.5, 1104.5, 1149.5],
        [1284.5, 1329.5, 1374.5, 1419.5],
    ]


def test_the_image_of_paper_4():
    """The kernel adds up the middle and the corners: 18 + 51 + 121 + 35 + 204 = 429."""
    rows = [[18, 54, 51, 239, 244, 188], [55, 121, 75, 78, 95, 88], [35, 24, 204, 113, 109, 221]]
    x = np.array(rows, float).reshape(1, 3, 6, 1)
    w = np.array([[1.0, 0, 1], [0, 1, 0], [1, 0, 1]]).reshape(3, 3, 1, 1)
    (y,) = KERNELS["conv2d_forward"](x, w, None, **conv((3, 6), 3))
    assert y.ravel().tolist() == [429, 505, 686, 856]


def test_gradients_by_hand():
    """One row 1 2 3, kernel 10 20: y = 1*10 + 2*20, 2*10 + 3*20. With dy = 1, 3 the middle pixel
    gets 1*20 + 3*10, and the kernel 1*1 + 3*2, 1*2 + 3*3."""
    arrays = {
        "x": np.array([1.0, 2, 3]).reshape(1, 1, 3, 1),
        "w": np.array([10.0, 20]).reshape(1, 2, 1, 1),
        "b": np.array([0.0]),
    }
    attributes = conv((1, 3), (1, 2))
    assert result("conv2d", arrays, attributes).ravel().tolist() == [50, 80]
    found = gradients("conv2d", arrays, np.array([1.0, 3]).reshape(1, 1, 2, 1), attributes)
    assert found["dx"].ravel().tolist() == [10, 50, 60]
    assert found["dw"].ravel().tolist() == [7, 11]
    assert found["db"].tolist() == [4]


def test_channels_are_added_up_and_filters_are_apart():
    x = np.array([2.0, 3]).reshape(1, 1, 1, 2)
    w = np.array([[1.0, 10, 100], [5, 50, 500]]).reshape(1, 1, 2, 3)
    (y,) = KERNELS["conv2d_forward"](x, w, None, **conv((1, 1), 1))
    assert y.ravel().tolist() == [17, 170, 1700]


def test_groups_see_only_their_own_channels():
    x = np.array([2.0, 3]).reshape(1, 1, 1, 2)
    w = np.array([1.0, 10, 100, 1000]).reshape(1, 1, 1, 4)  # two filters a group
    (y,) = KERNELS["conv2d_forward"](x, w, None, **conv((1, 1), 1, groups=2))
    assert y.ravel().tolist() == [2, 20, 300, 3000]


def by_definition(x, w, window, groups, image):
    """y and, for the same y, which pixel met which weight: the sum of the formula, literally."""
    (sy, sx), (dy, dx) = window.stride, window.dilation
    kh, kw, channels, filters = w.shape
    y = np.zeros((len(x), *window.out_hw(image), filters))
    for n, oy, ox, co in np.ndindex(y.shape):
        first = co // (filters // groups) * channels
        for ky, kx, ci in product(range(kh), range(kw), range(channels)):
            row = oy * sy + ky * dy - window.pad_h[0]
            column = ox * sx + kx * dx - window.pad_w[0]
            if 0 <= row < image[0] and 0 <= column < image[1]:
                y[n, oy, ox, co] += x[n, row, column, first + ci] * w[ky, kx, ci, co]
    return y


few = st.integers(1, 3)
pads = st.tuples(st.integers(0, 2), st.integers(0, 2))


@st.composite
def layers(draw):
    """(window, groups, image) and the shapes of x and w; every window fits."""
    size, stride, dilation = (draw(st.tuples(few, few)) for _ in range(3))
    pad_h, pad_w = draw(pads), draw(pads)
    extent = Window2D(size, stride, dilation, pad_h, pad_w).extent
    # Up to three pixels more than the smallest image that the window fits.
    image = tuple(
        max(e - sum(pad), 1) + draw(st.integers(0, 3))
        for e, pad in zip(extent, (pad_h, pad_w), strict=True)
    )
    groups, channels, filters, n = draw(few), draw(few), draw(few), draw(st.integers(0, 2))
    attributes = {"window": Window2D(size, stride, dilation, pad_h, pad_w), "groups": groups}
    x, w = (n, *image, groups * channels), (*size, channels, groups * filters)
    return attributes | {"image": image}, x, w


@given(layers(), st.integers(0, 2**32 - 1))
def test_is_the_definition_and_its_gradients_are_the_adjoint(layer, seed):
    """Whole numbers: sums are exact in any order, so everything must be equal."""
    attributes, x_shape, w_shape = layer
    rng = np.random.default_rng(seed)
    x, w = (rng.integers(-9, 10, shape).astype(np.float64) for shape in (x_shape, w_shape))
    y = result("conv2d", {"x": x, "w": w}, attributes)
    np.testing.assert_array_equal(y, by_definition(x, w, **attributes))

    dy = rng.integers(-9, 10, y.shape).astype(np.float64)
    found = gradients("conv2d", {"x": x, "w": w}, dy, attributes)
    assert np.vdot(dy, y) == np.vdot(found["dx"], x) == np.vdot(found["dw"], w)
    np.testing.assert_array_equal(found["db"], dy.sum((0, 1, 2)))


def test_a_pixel_that_no_window_sees_has_no_gradient():
    arrays = {"x": np.ones((1, 1, 5, 1)), "w": np.ones((1, 1, 1, 1))}
    found = gradients("conv2d", arrays, np.ones((1, 1, 2, 1)), conv((1, 5), 1, 3))
    assert found["dx"].ravel().tolist() == [1, 0, 0, 1, 0]


def test_nan_reaches_every_window_that_sees_it_and_no_other():
    x = np.zeros((1, 5, 5, 1), np.float32)
    x[0, 1, 1] = np.nan
    (y,) = KERNELS["conv2d_forward"](x, np.ones((2, 2, 1, 1), np.float32), None, **conv((5, 5), 2))
    rows, columns = np.nonzero(np.isnan(y[0, :, :, 0]))
    assert {*zip(rows.tolist(), columns.tolist(), strict=True)} == {(0, 0), (0, 1), (1, 0), (1, 1)}


@pytest.mark.parametrize("activation", ["relu", "linear"])
def test_fused_with_pooling_is_the_composition(activation):
    rng = np.random.default_rng(0)
    attributes = conv_pool(activation, (9, 8), "same", 3, 2)
    plain = {name: attributes[name] for name in ("window", "groups", "image")}
    pool = {"window": attributes["pool"], "image": attributes["window"].out_hw((9, 8))}
    x, w, b = (rng.standard_normal(s).astype(np.float32) for s in ((2, 9, 8, 3), (3, 3, 3, 4), 4))

    y, argmax = KERNELS["conv2d_max_pool2d_forward"](x, w, b, **attributes)
    (z,) = KERNELS["conv2d_forward"](x, w, b, **plain)
    a = KERNELS["relu_forward"](z)[0] if activation == "relu" else z
    want, want_argmax = KERNELS["max_pool2d_forward"](a, **pool)
    np.testing.assert_array_equal(y, want)
    none_positive = (activation == "relu") & (want <= 0)
    np.testing.assert_array_equal(argmax, np.where(none_positive, 255, want_argmax))
    assert argmax.dtype == np.uint8

    dy = rng.standard_normal(y.shape).astype(np.float32)
    (da,) = KERNELS["max_pool2d_backward"](dy, want_argmax, **pool)
    dz = KERNELS["relu_backward"](da, a)[0] if activation == "relu" else da
    for kernel, other in (("backward_input", w), ("backward_weights", x)):
        fused = KERNELS[f"conv2d_max_pool2d_{kernel}"](dy, argmax, other, **attributes)
        separate = KERNELS[f"conv2d_{kernel}"](dz, other, **plain)
        for ours, theirs in zip(fused, separate, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_fused_relu_window_without_anything_positive():
    """If all cells are 0 after the ReLU, there is no argmax and no gradient."""
    arrays = {"x": np.ones((1, 4, 4, 1)), "w": -np.ones((3, 3, 1, 1)), "b": None}
    attributes = conv_pool("relu", (4, 4))
    y, argmax = KERNELS["conv2d_max_pool2d_forward"](*arrays.values(), **attributes)
    assert (y.item(), argmax.item()) == (0, 255)
    found = gradients("conv2d_max_pool2d", arrays, np.ones(y.shape), attributes)
    assert not any(g.any() for g in found.values())
