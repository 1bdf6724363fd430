"""The gradient of a convolution's weights where max pooling follows: only the maxima are visited.

    dw[ky, kx, ci, co] = sum over p of dy[p, co] * x[p, co; ky, kx, ci]

p is a pooled pixel, and x[p, co; ky, kx, ci] the input that weight (ky, kx, ci) multiplies at the
position of the maximum of (p, co). A block copies the inputs of all cells of a few pooling windows
to shared memory, for a tile of weights; then each filter reads the cell of its own maximum. The
threads of a warp have neighboring weights and the same filters, so they read the same cell, at
neighboring addresses, and skip a window without a maximum together.
"""

from __future__ import annotations

from typing import Any

from minicnn.backends.cuda.conv2d_indices import Geometry, inputs_seen, inputs_seen_transposed
from minicnn.backends.cuda.conv2d_tiles import ConvTile, ImplicitProduct, split_for, tile_for
from minicnn.backends.cuda.implicit_gemm import (
    direct_plan,
    pitch,
    slab,
    tile_corner,
    values_per_thread,
)
from minicnn.backends.cuda.pool_argmax import NO_ARGMAX, cell_by_cell, cells_of, pooled_pixels
from minicnn.backends.cuda.runtime.api import cuda, device, float32, jit, uint32
from minicnn.backends.cuda.runtime.kernel_cache import cached
from minicnn.backends.cuda.runtime.launch import KernelPlan, Launch
from minicnn.backends.cuda.weight_gradient import store_part, with_sum_of_parts
from minicnn.shapes import Window2D

ZERO, ONE = float32(0), float32(1)
WARP = 32
# `pixels` are weights here; a warp takes neighboring ones. Estimates, not measured on a GPU
# (2026-11).
TILES = (
    ConvTile(256, 32, 16, 8, 8),
    ConvTile(128, 32, 16, 4, 8),
    ConvTile(64, 32, 16, 2, 8),
    ConvTile(32, 16, 16, 1, 4),
)
MAX_CELLS = 32  # per pooling window, for which the larger tiles have shared memory
MIN_SPLIT = 64  # pooled pixels; estimate (2026-11)


def argmax_weight_gradient(g: Geometry, pool: Window2D, images: int) -> KernelPlan:
    """Return the launches that compute dw and db from dy, argmax and x: see weight_gradient.py."""
    product = ImplicitProduct(
        rows=g.taps + 1,
        depth=images * pooled_pixels(g, pool),
        columns=g.filters,
        a=inputs_at_argmax(g, pool),
        b=gradient_at_argmax(g.filters),
        epilogue=store_part(g.taps + 1, g.filters),
        groups=g.groups,
    )
    tiles = TILES if cells_of(pool) <= MAX_CELLS else TILES[-1:]
    product = split_for(product, MIN_SPLIT, tiles)
    arguments = ("parts", "argmax", "x", "dy", "x")
    if product.is_small:
        first = direct_plan(product, arguments)
    else:
        tile = tile_for(product, tiles)
        kernel = tiled_argmax_kernel(product, g, pool, tile)
        first = KernelPlan((Launch(kernel, tile.blocks(product), tile.threads, arguments),))
    return with_sum_of_parts(first, product.splits, product.rows, product.columns)


@cached
def inputs_at_argmax(g: Geometry, pool: Window2D) -> Any:
    """Return A[k, p]: what weight k multiplies at the maximum of (p, column); 1 in db's row."""
    x_at = inputs_seen(g, cell_by_cell(pool, g.out_hw))
    taps, filters, cells = uint32(g.taps), uint32(g.filters), uint32(cells_of(pool))

    @device
    def x_of_argmax(x, argmax, k, p, column):
        if k >= taps:
            return ONE
        cell = uint32(argmax[uint32(p * filters + column)])
        if cell == NO_ARGMAX:
            return ZERO
        return x_at(x, argmax, uint32(p * cells + cell), k, column)

    return x_of_argmax


@cached
def gradient_at_argmax(filters: int) -> Any:
    """Return B[p, co]: dy if window p has a maximum, else 0."""
    columns = uint32(filters)

    @device
    def dy_at(dy, argmax, p, co):
        at = uint32(p * columns + co)
        return ZERO if uint32(argmax[at]) == NO_ARGMAX else dy[at]

    return dy_at


@cached
def tiled_argmax_kernel(
    product: ImplicitProduct, g: Geometry, pool: Window2D, tile: ConvTile
) -> Any:
    """Return the kernel; a slab holds whole pooling windows, with about tile.depth cells."""
    cells = cells_of(pool)
    windows = max(tile.depth // cells, 1)
    tile = tile._replace(depth=windows * cells)
    x_seen = inputs_seen_transposed(g, cell_by_cell(pool, g.out_hw))
    x_at = device(lambda x, mask, k, m: x_seen(x, mask, k, m, uint32(0)))
    fetch_x, store_x = slab(x_at, product.rows, tile.pixels, tile, True)
    load_dy = dy_loader(product, tile, windows)
    position, multiply, epilogue = (
        tile_corner(product, tile),
        multiplier_at_argmax(tile, windows),
        warp_epilogue(product, tile),
    )
    x_size, x_each, each = (
        pitch(tile.pixels) * tile.depth,
        values_per_thread(tile, tile.pixels),
        tile.sums,
    )
    dy_size = windows * tile.filters
    whole, chunk, cells_, step = map(uint32, (product.depth, product.chunk, cells, windows))

    @jit
    def argmax_product(out, argmax, x, dy, extra):
        x_tile = cuda.shared.array(x_size, float32)
        dy_tile = cuda.shared.array(dy_size, float32)
        argmax_tile = cuda.shared.array(dy_size, uint32)
        x_next = cuda.local.array(x_each, float32)
        sums = cuda.local.array(each, float32)
        for i in range(each):
            sums[i] = ZERO
        thread = uint32(cuda.threadIdx.x)
        row, column, split = position(uint32(cuda.blockIdx.x))
        p, end = uint32(split * chunk), uint32(min(whole, uint32((split + uint32(1)) * chunk)))
        fetch_x(x_next, x, argmax, row, uint32(p * cells_), uint32(end * cells_), thread)
        while p < end:
            store_x(x_tile, x_next, thread)
            load_dy(dy_tile, argmax_tile, dy, argmax, column, p, end, thread)
            cuda.syncthreads()
            p = uint32(p + step)
            fetch_x(x_next, x, argmax, row, uint32(p * cells_), uint32(end * cells_), thread)
            multiply(sums, x_tile, dy_tile, argmax_tile, thread)
            cuda.syncthreads()
        epilogue(out, argmax, extra, split, row, column, sums, thread)

    return argmax_product


@cached
def dy_loader(product: ImplicitProduct, tile: ConvTile, windows: int) -> Any:
    """Return a device function that copies dy of a few windows to shared memory.

    Beside dy it stores where in the slab of x the row of its window's maximum begins.
    """
    size, threads = uint32(windows * tile.filters), uint32(tile.threads)
    turns, cells = (
        values_per_thread(tile._replace(depth=windows), tile.filters),
        tile.depth // windows,
    )
    width, columns, cells_ = map(uint32, (tile.filters, product.columns, cells))
    row = uint32(pitch(tile.pixels))

    @device
    def load(dy_tile, argmax_tile, dy, argmax, column, p, end, thread):
        for turn in range(turns):
            e = uint32(thread + uint32(turn) * threads)
            if e < size:
                window, co = uint32(e // width), uint32(column + e % width)
                value, cell = ZERO, uint32(0)
                if p + window < end and co < columns:
                    at = uint32(uint32(p + window) * columns + co)
                    argmax_cell = uint32(argmax[at])
                    if argmax_cell != NO_ARGMAX:
                        value, cell = dy[at], argmax_cell
                dy_tile[e] = value
                argmax_tile[e] = uint32(uint32(window * cells_ + cell) * row)

    return load


@cached
def multiplier_at_argmax(tile: ConvTile, windows: int) -> Any:
    """Return a device function: sums[j, i] += x[p, filter j; weight i] dy[p, filter j] over p."""
    rows, columns = tile.per_thread_pixels, tile.per_thread_filters
    width, warp = uint32(tile.filters), uint32(WARP)

    @device
    def multiply(sums, x_tile, dy_tile, argmax_tile, thread):
        lane, first = uint32(thread % warp), uint32(thread // warp * uint32(columns))
        for p in range(windows):
            for j in range(columns):
                at = uint32(uint32(p) * width + first + uint32(j))
                value, position = dy_tile[at], uint32(argmax_tile[at] + lane)
                if value != ZERO:  # equal for the whole warp
                    for i in range(rows):
                        sums[j * rows + i] += x_tile[position + uint32(i) * warp] * value

    return multiply


@cached
def warp_epilogue(product: ImplicitProduct, tile: ConvTile) -> Any:
    """Return a device function that calls the product's epilogue for each of a thread's sums."""
    rows, columns, warp = tile.per_thread_pixels, tile.per_thread_filters, uint32(WARP)
    all_rows, all_columns, epilogue = (
        uint32(product.rows),
        uint32(product.columns),
        product.epilogue,
    )

    @device
    def apply_epilogue(out, mask, extra, split, row, column, sums, thread):
        for j in range(columns):
            c = uint32(column + thread // warp * uint32(columns) + uint32(j))
            for i in range(rows):
                r = uint32(row + thread % warp + uint32(i) * warp)
                if r < all_rows and c < all_columns:
                    epilogue(out, mask, extra, split, r, c, sums, j * rows + i)

    return apply_epilogue
