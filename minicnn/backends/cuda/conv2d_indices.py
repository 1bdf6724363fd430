"""The factors of a convolution's matrix products, as functions of their indices.

The indices are those of the reference's conv2d.py: m = (n, oy, ox) for a pixel of the output,
(ky, kx) for a cell of the window and k = (ky, kx, ci) for an element of the sum over a window. The
device functions of this module split an index into its coordinates and read the value there.
Coordinates in the padding may be negative, so they are int32.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from minicnn.backends.cuda.runtime.api import device, float32, int32, uint32
from minicnn.backends.cuda.runtime.kernel_cache import cached
from minicnn.shapes import Pair, Window2D

ZERO, ONE = float32(0), float32(1)


class Geometry(NamedTuple):
    """A convolution's sizes, without the number of images."""

    window: Window2D
    image: Pair  # (H, W)
    channels: int
    filters: int
    groups: int

    @property
    def out_hw(self) -> Pair:
        """The size of the output, (OH, OW)."""
        return self.window.out_hw(self.image)

    @property
    def pixels(self) -> int:
        """Pixels per image of the output."""
        return self.out_hw[0] * self.out_hw[1]

    @property
    def cells(self) -> int:
        """Cells per window."""
        return self.window.size[0] * self.window.size[1]

    @property
    def taps(self) -> int:
        """Values per window: cells times the channels of a group."""
        return self.cells * self.channels // self.groups


@cached
def row_by_row(out_hw: Pair) -> Any:
    """Return a device function: pixel index m -> (n, oy, ox), row by row."""
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
def inputs_seen(g: Geometry, pixel: Any) -> Any:
    """Return X[m, k]: the input in the window of pixel m at k = (ky, kx, ci); 0 in the padding."""
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
        # As uint32, a negative coordinate is very large, so it is outside the image, too.
        iy = uint32(oy * stride_y - top + int32(cell // across) * apart_y)
        ix = uint32(ox * stride_x - left + int32(cell % across) * apart_x)
        if iy >= height or ix >= width:
            return ZERO
        channel = uint32(column // filters * each + k % each)
        row = uint32(n * height + iy)
        return x[uint32(uint32(row * width + ix) * channels + channel)]

    return x_at


@cached
def inputs_seen_transposed(g: Geometry, pixel: Any) -> Any:
    """Return X^T[k, m] with a row of ones below, whose product with dZ is db."""
    x_at, taps = inputs_seen(g, pixel), uint32(g.taps)

    @device
    def x_transposed(x, mask, k, m, column):
        return x_at(x, mask, m, k, column) if k < taps else ONE

    return x_transposed


@cached
def weights(filters: int) -> Any:
    """Return W[k, co]."""
    columns = uint32(filters)
    return device(lambda w, mask, k, co: w[uint32(k * columns + co)])


@cached
def weights_of_pixels(g: Geometry) -> Any:
    """Return W[k, ci] with k = (ky, kx, co): the weight between input ci and output co."""
    channels, filters = uint32(g.channels // g.groups), uint32(g.filters // g.groups)
    all_filters = uint32(g.filters)

    @device
    def w_at(w, mask, k, ci):
        group, cell = uint32(ci // channels), uint32(k // filters)
        tap = uint32(cell * channels + ci % channels)
        return w[uint32(tap * all_filters + group * filters + k % filters)]

    return w_at


@cached
def gradient_of_outputs(g: Geometry, gradient: Any) -> Any:
    """Return dZ[m, k]: the gradient of the output whose cell (ky, kx) has the input pixel m.

    m = (n, iy, ix) and k = (ky, kx, co). The output's row is (iy + pad - ky * dilation) / stride,
    its column likewise; where there is none, dZ is 0.
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
        # As uint32, a negative coordinate is very large, so it is outside the output, too.
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
    """Return dZ[m, co] with m = (n, oy, ox)."""
    pixel = row_by_row(g.out_hw)

    @device
    def dz_at(dy, mask, m, co):
        n, oy, ox = pixel(m)
        return gradient(dy, mask, n, uint32(oy), uint32(ox), co)

    return dz_at


@cached
def unmasked(g: Geometry) -> Any:
    """Return a device function: dz = dy."""
    height, width, filters = (uint32(length) for length in (*g.out_hw, g.filters))

    @device
    def gradient(dy, mask, n, oy, ox, co):
        return dy[uint32(uint32(uint32(n * height + oy) * width + ox) * filters + co)]

    return gradient


@cached
def masked_by_relu(g: Geometry) -> Any:
    """Return a device function: dz = dy where y > 0, else 0; `mask` is y."""
    height, width, filters = (uint32(length) for length in (*g.out_hw, g.filters))

    @device
    def gradient(dy, mask, n, oy, ox, co):
        i = uint32(uint32(uint32(n * height + oy) * width + ox) * filters + co)
        return dy[i] if mask[i] > ZERO else ZERO

    return gradient
