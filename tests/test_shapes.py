"""Windows against numbers worked out by hand: every engine shares them, so no comparison of
engines could find a mistake in them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minicnn.errors import ArgumentError, ShapeError
from minicnn.shapes import Window2D, as_pair, conv_window, is_int, pool_window, span


@pytest.mark.parametrize(
    ("n", "k", "s", "d", "padding", "pad", "out"),
    [
        (28, 5, 1, 1, "valid", (0, 0), 24),
        (7, 3, 2, 1, "valid", (0, 0), 3),
        (8, 3, 2, 1, "valid", (0, 0), 3),  # the last column is not read
        (9, 3, 2, 2, "valid", (0, 0), 3),  # cells at 0, 2, 4; 2, 4, 6; 4, 6, 8
        (10, 2, 1, 9, "valid", (0, 0), 1),
        (5, 1, 7, 1, "valid", (0, 0), 1),  # a step beyond the image
        (6, 3, 1, 1, "same", (1, 1), 6),
        (6, 4, 1, 1, "same", (1, 2), 6),  # the odd cell goes after
        (6, 3, 2, 1, "same", (0, 1), 3),
        (5, 3, 2, 1, "same", (1, 1), 3),
        (4, 2, 2, 1, "same", (0, 0), 2),
        (3, 1, 2, 1, "same", (0, 0), 2),  # stride larger than the window: nothing negative
        (7, 3, 1, 3, "same", (3, 3), 7),  # the dilated window is 7 long
        (7, 2, 3, 4, "same", (2, 2), 3),  # 5 long; 3 windows need 2 * 3 + 5 = 11
        (1, 5, 1, 1, "same", (2, 2), 1),
        (5, 3, 1, 1, 2, (2, 2), 7),
        (11, 11, 4, 1, 0, (0, 0), 1),
        (227, 11, 4, 1, "valid", (0, 0), 55),  # CaffeNet's first layer
        (27, 5, 1, 1, 2, (2, 2), 27),  # and its second
    ],
)
def test_padding_and_output_length_of_convolutions(n, k, s, d, padding, pad, out):
    window = conv_window(k, s, padding, d, (n, n))
    assert window == Window2D((k, k), (s, s), (d, d), pad, pad)
    assert window.out_hw((n, n)) == (out, out)


@pytest.mark.parametrize(
    ("n", "k", "s", "padding", "ceil_mode", "pad", "out"),
    [
        (24, 2, None, "valid", False, (0, 0), 12),
        (5, 2, None, "valid", False, (0, 0), 2),
        (5, 2, None, "valid", True, (0, 1), 3),  # the leftover column has a window of its own
        (5, 2, None, "same", False, (0, 1), 3),
        (6, 3, 2, "valid", False, (0, 0), 2),
        (6, 3, 2, "valid", True, (0, 1), 3),  # windows at 0, 2, 4; the last sees 4, 5 and padding
        (7, 3, 2, "valid", True, (0, 0), 3),  # nothing is left over
        (55, 3, 2, "valid", False, (0, 0), 27),  # CaffeNet
        (32, 3, 2, "valid", True, (0, 1), 16),  # Caffe's CIFAR-10 net
        (4, 1, 3, "valid", True, (0, 0), 2),
        (3, 1, 3, "valid", True, (0, 0), 1),  # a second window would start at 3: not there
        (4, 2, 3, "valid", True, (0, 1), 2),
        (5, 3, 3, 1, True, (1, 1), 2),  # -1..1, 2..4
        (3, 2, 2, 1, True, (1, 1), 2),  # -1..0, 1..2; a third would see padding only
        (4, 3, 1, "same", False, (1, 1), 4),
        (2, 3, 3, "valid", True, (0, 1), 1),  # the first window is the last, incomplete one
    ],
)
def test_padding_and_output_length_of_poolings(n, k, s, padding, ceil_mode, pad, out):
    window = pool_window(k, s, padding, (n, n), ceil_mode=ceil_mode)
    assert (window.pad_h, window.pad_w) == (pad, pad)
    assert window.out_hw((n, n)) == (out, out)


def test_rows_and_columns_are_not_mixed_up():
    window = conv_window((3, 2), (2, 1), "same", (1, 3), (5, 8))
    assert window == Window2D((3, 2), (2, 1), (1, 3), (1, 1), (1, 2))
    assert window.extent == (3, 4)
    assert window.out_hw((5, 8)) == (3, 8)
    assert pool_window((3, 2), (1, 2), "valid", (5, 8)).out_hw((5, 8)) == (3, 4)


@pytest.mark.parametrize(
    ("padding", "pads"),
    [
        (1, ((1, 1), (1, 1))),
        ((1, 2), ((1, 1), (2, 2))),
        ([0, 2], ((0, 0), (2, 2))),
        (((1, 2), (0, 3)), ((1, 2), (0, 3))),
        ((np.int64(1), np.int32(2)), ((1, 1), (2, 2))),
    ],
)
def test_padding_in_numbers(padding, pads):
    window = conv_window(3, 1, padding, 1, (5, 5))
    assert (window.pad_h, window.pad_w) == pads


def test_span_counts_the_gaps():
    assert [span(3, d) for d in (1, 2, 5)] == [3, 5, 11]
    assert span(1, 9) == 1


@pytest.mark.parametrize(("value", "pair"), [(3, (3, 3)), ((2, 5), (2, 5)), ([1, 4], (1, 4))])
def test_as_pair(value, pair):
    assert as_pair(value, "strides") == pair


@pytest.mark.parametrize("value", [0, -1, 1.5, "3", None, True, (1,), (1, 2, 3), (1, 0), 2**31])
def test_what_is_no_pair_is_named(value):
    with pytest.raises(ArgumentError, match=r"strides must be an integer >= 1 or a pair of them"):
        as_pair(value, "strides")


def test_is_int():
    assert is_int(3) and is_int(np.int8(3))
    assert not is_int(True) and not is_int(3.0) and not is_int("3")


@pytest.mark.parametrize("padding", ["full", None, 1.5, (1,), (1, 2, 3)])
def test_unknown_padding(padding):
    with pytest.raises(ArgumentError, match="padding must be"):
        conv_window(3, 1, padding, 1, (5, 5))


@pytest.mark.parametrize("padding", [-1, (-1, 0), ((0, 0), (0, -2)), (1.5, 0)])
def test_padding_is_a_number_of_cells(padding):
    with pytest.raises(ArgumentError, match="padding must be an integer >= 0"):
        conv_window(3, 1, padding, 1, (5, 5))


@pytest.mark.parametrize("padding", [2, (1, 2), ((0, 2), (0, 0))])
def test_a_pooling_window_may_not_see_padding_only(padding):
    with pytest.raises(ArgumentError, match="smaller than the window"):
        pool_window(2, None, padding, (5, 5))


def test_a_window_that_does_not_fit_says_what_would():
    with pytest.raises(ShapeError, match=r"the 5x3 kernel does not fit a 4x9 image .*='same'"):
        conv_window((3, 3), 1, "valid", (2, 1), (4, 9))
    with pytest.raises(ShapeError, match="the 3x3 pooling window does not fit a 2x2 image"):
        pool_window(3, 2, "valid", (2, 2))


def test_an_image_without_pixels():
    with pytest.raises(ShapeError, match="the image is 0x5; only the batch may be empty"):
        conv_window(1, 1, 1, 1, (0, 5))


@pytest.mark.parametrize("strides", [1, 2])
def test_ceil_mode_does_not_save_a_window_that_is_larger_than_image_and_stride(strides):
    with pytest.raises(ShapeError, match="does not fit"):
        pool_window(3, strides, "valid", (1, 3), ceil_mode=True)


@given(
    n=st.integers(6, 30),
    k=st.integers(1, 6),
    s=st.integers(1, 8),
    pad=st.tuples(st.integers(0, 5), st.integers(0, 5)),
    ceil_mode=st.booleans(),
)
def test_pooling_windows_one_by_one(n, k, s, pad, ceil_mode):
    """Windows start every s cells as long as they fit; in ceil mode one more follows if cells are
    left over and it starts before the image ends."""
    before, after = (min(p, k - 1) for p in pad)
    starts = [start for start in range(-before, n + after, s) if start + k <= n + after]
    if ceil_mode and starts[-1] + k < n + after and starts[-1] + s < n:
        starts.append(starts[-1] + s)

    window = pool_window(k, s, ((before, after), (0, 0)), (n, k), ceil_mode=ceil_mode)

    assert window.out_hw((n, k)) == (len(starts), 1)
    assert window.pad_h[0] == before and window.pad_h[1] >= after
    assert all(set(range(start, start + k)) & set(range(n)) for start in starts)
