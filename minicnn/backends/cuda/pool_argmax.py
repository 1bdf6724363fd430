"""The position of the maximum in a pooling window: how it is found, and how dz is read by it.

A pooled pixel is p = (n, py, px). Cells of pooling windows have the index (p, cell), so the cells
of a window are neighbors: a thread that has the convolution at all of them takes their maximum.
"""

from __future__ import annotations

from typing import Any

from minicnn.backends.cuda.conv2d_indices import Geometry
from minicnn.backends.cuda.runtime.api import cuda, device, float32, int32, jit, uint32
from minicnn.backends.cuda.runtime.kernel_cache import cached
from minicnn.shapes import Pair, Window2D

ZERO = float32(0)
NO_ARGMAX = uint32(255)  # after ReLU: no value of the window is positive


def cells_of(pool: Window2D) -> int:
    """Return the number of cells in a pooling window."""
    return pool.size[0] * pool.size[1]


def pooled_pixels(g: Geometry, pool: Window2D) -> int:
    """Return the number of pooled pixels per image."""
    height, width = pool.out_hw(g.out_hw)
    return height * width


@cached
def cell_by_cell(pool: Window2D, out_hw: Pair) -> Any:
    """Return a device function: (p, cell) -> (n, oy, ox) of the image, or of its padding."""
    height, width = map(uint32, pool.out_hw(out_hw))
    cells, across = uint32(cells_of(pool)), uint32(pool.size[1])
    stride_y, stride_x = map(int32, pool.stride)
    top, left = int32(pool.pad_h[0]), int32(pool.pad_w[0])

    @device
    def pixel(m):
        p, cell = uint32(m // cells), uint32(m % cells)
        py, px = int32(uint32(p // width) % height), int32(p % width)
        return (
            uint32(p // (height * width)),
            int32(py * stride_y - top + int32(cell // across)),
            int32(px * stride_x - left + int32(cell % across)),
        )

    return pixel


@cached
def inside(out_hw: Pair) -> Any:
    """Return a device function: whether (oy, ox) is a pixel of the image, not of its padding."""
    height, width = map(int32, out_hw)
    return device(lambda oy, ox: oy >= 0 and oy < height and ox >= 0 and ox < width)


@cached
def store_maximum(g: Geometry, pool: Window2D, bias: bool, relu: bool) -> Any:
    """Return an epilogue that stores the maximum of a window's sums, and its cell.

    Of several equal values it is the first, NaN counts as the largest, and padding is ignored.
    """
    cells, across, columns = cells_of(pool), uint32(pool.size[1]), uint32(g.filters)
    unpadded = not any(pool.pad_h + pool.pad_w)
    first_cell, is_pixel = cell_by_cell(pool, g.out_hw), inside(g.out_hw)

    @device
    def epilogue(y, argmax, b, split, row, column, sums, i):
        _, top, left = first_cell(row)
        best, argmax_cell = ZERO, NO_ARGMAX
        for cell in range(cells):
            oy, ox = top + int32(uint32(cell) // across), left + int32(uint32(cell) % across)
            z = sums[i + cell] + b[column] if bias else sums[i + cell]
            is_larger = argmax_cell == NO_ARGMAX or z > best or (z != z and best == best)
            if is_larger and (unpadded or is_pixel(oy, ox)):
                best, argmax_cell = z, uint32(cell)
        at = uint32(uint32(row // uint32(cells)) * columns + column)
        y[at] = ZERO if relu and best <= ZERO else best
        argmax[at] = NO_ARGMAX if relu and not best > ZERO else argmax_cell

    return epilogue


@cached
def pool_kernel(g: Geometry, pool: Window2D, relu: bool, count: int) -> Any:
    """Return a kernel that pools z, which is in memory; one thread per value of y."""
    cells, columns, all_ = cells_of(pool), uint32(g.filters), uint32(count)
    height, width = map(uint32, g.out_hw)
    pixel, epilogue = cell_by_cell(pool, g.out_hw), store_maximum(g, pool, False, relu)
    is_pixel = inside(g.out_hw)

    @jit
    def pooled(y, argmax, z):
        window = cuda.local.array(cells, float32)
        thread = uint32(cuda.grid(1))
        if thread < all_:
            column, row = uint32(thread % columns), uint32(thread // columns * uint32(cells))
            for cell in range(cells):
                n, oy, ox = pixel(uint32(row + uint32(cell)))
                window[cell] = ZERO
                if is_pixel(oy, ox):
                    m = uint32(uint32(n * height + uint32(oy)) * width + uint32(ox))
                    window[cell] = z[uint32(m * columns + column)]
            epilogue(y, argmax, z, uint32(0), row, column, window, 0)

    return pooled


@cached
def masked_by_argmax(g: Geometry, pool: Window2D) -> Any:
    """Return a device function: dz = sum of dy over the windows with their maximum at (oy, ox).

    `mask` is argmax.
    """
    height, width = map(int32, pool.out_hw(g.out_hw))
    size_y, size_x = map(int32, pool.size)
    stride_y, stride_x = map(int32, pool.stride)
    top, left, filters = uint32(pool.pad_h[0]), uint32(pool.pad_w[0]), uint32(g.filters)
    # How many windows a row can lie in: the last one that begins before it, the one before, ...
    windows_y, windows_x = (
        -(-size // stride) for size, stride in zip(pool.size, pool.stride, strict=True)
    )

    @device
    def gradient(dy, argmax, n, oy, ox, co):
        total = ZERO
        y, x = uint32(oy + top), uint32(ox + left)
        for back_y in range(windows_y):
            for back_x in range(windows_x):
                py = int32(int32(y // uint32(stride_y)) - int32(back_y))
                px = int32(int32(x // uint32(stride_x)) - int32(back_x))
                ky, kx = int32(int32(y) - py * stride_y), int32(int32(x) - px * stride_x)
                inside_y = py >= 0 and py < height and ky < size_y
                inside_x = px >= 0 and px < width and kx < size_x
                if inside_y and inside_x:
                    p = uint32(uint32(n * uint32(height) + uint32(py)) * uint32(width) + uint32(px))
                    at = uint32(p * filters + co)
                    if int32(argmax[at]) == int32(ky * size_x + kx):
                        total += dy[at]
        return total

    return gradient
