"""Pooling: numbers by hand, ties, NaN, infinity and padding, then the definition as loops."""

from __future__ import annotations

import numpy as np
import pytest
from gradcheck import gradients
from hypothesis import given
from hypothesis import strategies as st
from kernel_cases import pool

from minicnn.backends.numpy import KERNELS
from minicnn.shapes import Window2D, pool_window

INF, NAN = np.inf, np.nan


def image(*rows):
    x = np.array(rows, np.float64)
    return x.reshape(1, *x.shape, 1)


def test_max_pool_by_hand():
    x = image([1, 5, 2, 0], [3, 4, 8, 7])
    y, argmax = KERNELS["max_pool2d_forward"](x, **pool((2, 4), 2))
    assert y.ravel().tolist() == [5, 8]
    assert argmax.ravel().tolist() == [1, 2]  # row * 2 + column inside the window
    dx = gradients("max_pool2d", {"x": x}, np.array([10.0, 20]).reshape(1, 1, 2, 1),
                   pool((2, 4), 2))["dx"]  # fmt: skip
    assert dx[0, :, :, 0].tolist() == [[0, 10, 0, 0], [0, 0, 20, 0]]


def test_overlapping_windows_add_up_at_a_shared_argmax():
    x = image([1, 9, 2])
    attributes = pool((1, 3), (1, 2), 1)
    dx = gradients("max_pool2d", {"x": x}, np.array([10.0, 20]).reshape(1, 1, 2, 1), attributes)
    assert dx["dx"].ravel().tolist() == [0, 30, 0]


@pytest.mark.parametrize(
    ("cells", "argmax"),
    [
        ([7, 7, 7, 7], 0),
        ([1, 7, 7, 2], 1),
        ([-0.0, 0.0, -1, -1], 0),  # equal, whatever the sign
        ([1, NAN, 3, NAN], 1),
        ([INF, NAN, 3, 4], 1),
        ([-INF, -INF, -INF, -INF], 0),
        ([-INF, -5, INF, INF], 2),
        ([NAN, NAN, NAN, INF], 0),
    ],
)
@pytest.mark.parametrize("operation", ["max_pool2d", "global_max_pool2d"])
def test_first_of_equals_and_first_nan_win(operation, cells, argmax):
    x = np.array(cells, float).reshape(1, 2, 2, 1)
    attributes = pool((2, 2), 2) if operation == "max_pool2d" else {"image": (2, 2)}
    y, found = KERNELS[f"{operation}_forward"](x, **attributes)
    assert found.item() == argmax
    np.testing.assert_array_equal(y.item(), cells[argmax])
    dx = gradients(operation, {"x": x}, np.full(y.shape, 5.0), attributes)["dx"]
    assert dx.ravel().tolist() == [5.0 if i == argmax else 0.0 for i in range(4)]


@pytest.mark.parametrize("value", [-3.0, -INF])
def test_padding_never_wins(value):
    x = np.full((1, 2, 2, 1), value)
    y, argmax = KERNELS["max_pool2d_forward"](x, **pool((2, 2), 3, 1, 1))
    assert (y == value).all()
    # The first real cell: at the top left it is the center, (1, 1), of the window.
    assert argmax[0, :, :, 0].tolist() == [[4, 3], [1, 0]]
    dx = gradients("max_pool2d", {"x": x}, np.ones(y.shape), pool((2, 2), 3, 1, 1))["dx"]
    assert dx[0, :, :, 0].tolist() == [[4, 0], [0, 0]]


def test_average_counts_real_pixels_only():
    x = image([1, 2], [3, 4])
    (y,) = KERNELS["average_pool2d_forward"](x, **pool((2, 2), 2, 1, 1))
    assert y[0, :, :, 0].tolist() == [[1, 1.5, 2], [2, 2.5, 3], [3, 3.5, 4]]
    dx = gradients("average_pool2d", {"x": x}, np.ones(y.shape), pool((2, 2), 2, 1, 1))["dx"]
    assert dx[0, :, :, 0].tolist() == [[2.25, 2.25], [2.25, 2.25]]  # 1 + 1/2 + 1/2 + 1/4


def test_global_pools_by_hand():
    x = np.array([[1.0, 8], [7, 2], [4, 2]]).reshape(1, 3, 1, 2)
    y, argmax = KERNELS["global_max_pool2d_forward"](x, image=(3, 1))
    assert (y.tolist(), argmax.tolist()) == ([[7, 8]], [[1, 0]])
    (mean,) = KERNELS["global_average_pool2d_forward"](x, image=(3, 1))
    assert mean.tolist() == [[4, 4]]
    (dx,) = KERNELS["global_average_pool2d_backward"](np.array([[3.0, 6]]), image=(3, 1))
    assert dx[0, :, 0].tolist() == [[1, 2], [1, 2], [1, 2]]


def test_global_average_of_many_large_numbers_is_exact_in_float32():
    x = np.full((1, 600, 600, 1), 16777213, np.float32)  # a float32 sum would lose the last digits
    assert KERNELS["global_average_pool2d_forward"](x, image=(600, 600))[0].item() == 16777213


def by_definition(x, window: Window2D, size):
    """(maximum, its cell, average) of one image and channel, window by window."""
    shape = window.out_hw(size)
    y, argmax, average = np.empty(shape), np.empty(shape, int), np.empty(shape)
    for oy, ox in np.ndindex(shape):
        seen = [
            (ky * window.size[1] + kx, x[row, column])
            for ky, kx in np.ndindex(window.size)
            if 0 <= (row := oy * window.stride[0] + ky - window.pad_h[0]) < size[0]
            and 0 <= (column := ox * window.stride[1] + kx - window.pad_w[0]) < size[1]
        ]
        values = np.array([value for _, value in seen])
        is_nan = np.isnan(values)
        first = np.flatnonzero(is_nan if is_nan.any() else values == values.max())[0]
        y[oy, ox], argmax[oy, ox] = values[first], seen[first][0]
        average[oy, ox] = values.sum() / len(values)
    return y, argmax, average


sizes = st.tuples(st.integers(1, 3), st.integers(1, 3))


@given(
    size=sizes,
    strides=sizes,
    more=st.tuples(st.integers(0, 4), st.integers(0, 4)),
    pads=st.tuples(*[st.integers(0, 2)] * 4),
    ceil_mode=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_is_the_definition(size, strides, more, pads, ceil_mode, seed):
    hw = (size[0] + more[0], size[1] + more[1])
    top, bottom = (min(p, size[0] - 1) for p in pads[:2])
    left, right = (min(p, size[1] - 1) for p in pads[2:])
    padding = ((top, bottom), (left, right))
    window = pool_window(size, strides, padding, hw, ceil_mode=ceil_mode)
    rng = np.random.default_rng(seed)
    x = rng.choice([-INF, NAN, -2.0, -1.0, 0.0, 1.0], (2, *hw, 2), p=[0.2, 0.1, *[0.175] * 4])

    y, argmax = KERNELS["max_pool2d_forward"](x, window=window, image=hw)
    finite = np.where(np.isfinite(x), x, 3)
    (average,) = KERNELS["average_pool2d_forward"](finite, window=window, image=hw)
    for n, c in np.ndindex(2, 2):
        want_y, want_argmax, _ = by_definition(x[n, :, :, c], window, hw)
        np.testing.assert_array_equal(y[n, :, :, c], want_y)
        np.testing.assert_array_equal(argmax[n, :, :, c], want_argmax)
        *_, want = by_definition(finite[n, :, :, c], window, hw)
        np.testing.assert_allclose(average[n, :, :, c], want, rtol=1e-15)
