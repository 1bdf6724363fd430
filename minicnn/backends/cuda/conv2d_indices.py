"""Where convolutions find their numbers: the factors of implicit_gemm.py, in images and weights.

Rows and columns of the matrices are counted as in the reference's conv2d.py: a pixel of the output
is (n, oy, ox), a cell of the window (ky, kx), and k of a sum over a window is (ky, kx, ci). Here
each such number is taken apart again. Coordinates may be negative in the padding: they are int32.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from minicnn.backends.cuda.runtime.api import device, float32, int32, uint32
from minicnn.backends.cuda.runtime.kernel_cache import cached
from minicnn.shapes import Pair, Window2D

ZERO, ONE = float32(0), float32(1)


class Geometry(NamedTuple):
    """Everything about a convolution but the number of its images."""

    window: Window2D
    image: Pair  # (H, W)
    channels: int
    filters: int
    groups: int

    @property
    def out_hw(self) -> Pair:
        """(OH, OW)."""
        return self.window.out_hw(self.image)

    @property
    def pixels(self) -> int:
        """Of one image of the output."""
        return self.out_hw[0] * self.out_hw[1]

    @property
    def cells(self) -> int:
        """Of the window."""
        return self.window.size[0] * self.window.size[1]

    @property
    def taps(self) -> int:
        """Numbers that one output sees."""
        return self.cells * self.channels // self.groups


@cached
def row_by_row(out_hw: Pair) -> Any:
    """Pixel number -> (n, oy, ox), for images one after the other."""
    height, width = map(uint32, out_hw)

    @device
    def pixel(m):
        return (
            uint32(m // (height * width)),
            int32(uint32(m // width) % height),
            int32(m % width),
        )

    return pixel


@cached
def seen(g: Geometry, pixel: Any) -> Any:
    """X[m, k]: what pixel m of the output sees at k = (ky, kx, ci); 0 in the padding."""
    height, width = map(uint32, g.image)
    stride_y, stride_x = map(int32, g.window.stride)
    apart_y, apart_x = map(int32, g.window.dilation)
    top, left = int32(g.window.pad_h[0]), int32(g.window.pad_w[0])
    channels, each = uint32(g.channels), uint32(g.channels // g.groups)
    across, filters = uint32(g.window.size[1]), uint32(g.filters // g.groups)

    @device
    def x_at(x, mask, m, k, column):
        n, oy, ox = pixel(m)
        cell = uint32(k // each)
        # In uint32 what is negative is very large: beyond the image, too.
        iy = uint32(oy * stride_y - top + int32(cell // across) * apart_y)
        ix = uint32(ox * stride_x - left + int32(cell % across) * apart_x)
        if iy >= height or ix >= width:
            return ZERO
        channel = uint32(column // filters * each + k % each)
        row = uint32(n * height + iy)
        return x[uint32(uint32(row * width + ix) * channels + channel)]

    return x_at


@cached
def seen_by_weights(g: Geometry, pixel: Any) -> Any:
    """X^T[k, m], and below it a row of ones: its product with dZ is db."""
    x_at, taps = seen(g, pixel), uint32(g.taps)

    @device
    def x_transposed(x, mask, k, m, column):
        return x_at(x, mask, m, k, column) if k < taps else ONE

    return x_transposed


@cached
def weights(filters: int) -> Any:
    """W[k, co]."""
    columns = uint32(filters)
    return device(lambda w, mask, k, co: w[uint32(k * columns + co)])


@cached
def weights_of_pixels(g: Geometry) -> Any:
    """W[k, ci] with k = (ky, kx, co): how much pixel (.., ci) adds to output (.., co)."""
    channels, filters = uint32(g.channels // g.groups), uint32(g.filters // g.groups)
    all_filters = uint32(g.filters)

    @device
    def w_at(w, mask, k, ci):
        group, cell = uint32(ci // channels), uint32(k // filters)
        tap = uint32(cell * channels + ci % channels)
        return w[uint32(tap * all_filters + group * filters + k % filters)]

    return w_at


@cached
def gradient_seen(g: Geometry, gradient: Any) -> Any:
    """dZ[m, k]: the gradient of what sees pixel m = (n, iy, ix) through its cell; k = (ky, kx, co).

    That is output ((iy + pad - ky * dilation) / stride, ...), if there is one.
    """
    height, width = map(uint32, g.image)
    out_height, out_width = map(uint32, g.out_hw)
    stride_y, stride_x = map(uint32, g.window.stride)
    apart_y, apart_x = map(int32, g.window.dilation)
    top, left = int32(g.window.pad_h[0]), int32(g.window.pad_w[0])
    across, each = uint32(g.window.size[1]), uint32(g.filters // g.groups)
    channels = uint32(g.channels // g.groups)

    @device
    def dz_at(dy, mask, m, k, column):
        cell = uint32(k // each)
        # In uint32 what is negative is very large: beyond the output, too.
        ty = uint32(int32(uint32(m // width) % height) + top - int32(cell // across) * apart_y)
        tx = uint32(int32(m % width) + left - int32(cell % across) * apart_x)
        oy, ox = uint32(ty // stride_y), uint32(tx // stride_x)
        if oy >= out_height or ox >= out_width:
            return ZERO
        if uint32(oy * stride_y) != ty or uint32(ox * stride_x) != tx:
            return ZERO
        co = uint32(column // channels * each + k % each)
        return gradient(dy, mask, uint32(m // (height * width)), oy, ox, co)

    return dz_at


@cached
def gradient_of_pixels(g: Geometry, gradient: Any) -> Any:
    """dZ[m, co], m = (n, oy, ox)."""
    pixel = row_by_row(g.out_hw)

    @device
    def dz_at(dy, mask, m, co):
        n, oy, ox = pixel(m)
        return gradient(dy, mask, n, uint32(oy), uint32(ox), co)

    return dz_at


@cached
def plain(g: Geometry) -> Any:
    """dz = dy."""
    height, width, filters = (uint32(length) for length in (*g.out_hw, g.filters))

    @device
    def gradient(dy, mask, n, oy, ox, co):
        return dy[uint32(uint32(uint32(n * height + oy) * width + ox) * filters + co)]

    return gradient


@cached
def behind_relu(g: Geometry) -> Any:
    """dz = dy where y > 0, else 0; `gate` is y."""
    height, width, filters = (uint32(length) for length in (*g.out_hw, g.filters))

    @device
    def gradient(dy, mask, n, oy, ox, co):
        i = uint32(uint32(uint32(n * height + oy) * width + ox) * filters + co)
        return dy[i] if mask[i] > ZERO else ZERO

    return gradient
