"""The gradient by the weights behind max pooling: one product for each pooled output and weight.

    dw[ky, kx, ci, co] = sum over p of dy[p, co] * x[what the argmax of (p, co) sees at ky, kx, ci]

It is a product with a choice in it: of the cells of window p, filter co reads the one that won. A
block brings what all cells of a few windows see to shared memory, for a tile of weights. The
threads of a warp stand along the weights and share their filters, so they make the same choice,
read neighboring numbers, and go on together where nobody won.
"""

from __future__ import annotations

from typing import Any

from minicnn.backends.cuda.conv2d_indices import Geometry, seen, seen_by_weights
from minicnn.backends.cuda.conv2d_tiles import ConvTile, ImplicitProduct, split_for, tile_for
from minicnn.backends.cuda.implicit_gemm import corner, direct_plan, held, pitch, slab
from minicnn.backends.cuda.pool_argmax import NO_ARGMAX, by_windows, cells_of, pooled_pixels
from minicnn.backends.cuda.runtime.api import cuda, device, float32, jit, uint32
from minicnn.backends.cuda.runtime.kernel_cache import cached
from minicnn.backends.cuda.runtime.launch import KernelPlan, Launch
from minicnn.backends.cuda.weight_gradient import into_parts, with_join
from minicnn.shapes import Window2D

ZERO, ONE = float32(0), float32(1)
WARP = 32
# `pixels` are weights here; a warp stands along them. Estimates, not measured on a GPU (2026-11).
TILES = (
    ConvTile(256, 32, 16, 8, 8),
    ConvTile(128, 32, 16, 4, 8),
    ConvTile(64, 32, 16, 2, 8),
    ConvTile(32, 16, 16, 1, 4),
)
MAX_CELLS = 32  # of a window, for which the larger tiles have shared memory
MIN_SPLIT = 64  # pooled pixels; estimate (2026-11)


def argmax_weight_gradient(g: Geometry, pool: Window2D, images: int) -> KernelPlan:
    """dw and db from dy, argmax and x, in weight_gradient.py's two launches."""
    product = ImplicitProduct(
        rows=g.taps + 1,
        depth=images * pooled_pixels(g, pool),
        columns=g.filters,
        a=seen_at_argmax(g, pool),
        b=passed(g.filters),
        finish=into_parts(g.taps + 1, g.filters),
        groups=g.groups,
    )
    tiles = TILES if cells_of(pool) <= MAX_CELLS else TILES[-1:]
    product = split_for(product, MIN_SPLIT, tiles)
    arguments = ("parts", "argmax", "x", "dy", "x")
    if product.is_small:
        return with_join(direct_plan(product, arguments), product)
    tile = tile_for(product, tiles)
    kernel = tiled_at_argmax(product, g, pool, tile)
    return with_join(
        KernelPlan((Launch(kernel, tile.blocks(product), tile.threads, arguments),)), product
    )


@cached
def seen_at_argmax(g: Geometry, pool: Window2D) -> Any:
    """What the argmax of (p, column) sees at weight k; 1 in the row below, which gives db."""
    x_at = seen(g, by_windows(pool, g.out_hw))
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
def passed(filters: int) -> Any:
    """dy[p, co] if the window has an argmax, else 0."""
    columns = uint32(filters)

    @device
    def dy_at(dy, argmax, p, co):
        at = uint32(p * columns + co)
        return ZERO if uint32(argmax[at]) == NO_ARGMAX else dy[at]

    return dy_at


@cached
def tiled_at_argmax(product: ImplicitProduct, g: Geometry, pool: Window2D, tile: ConvTile) -> Any:
    """The kernel. A slab holds as many whole windows as have about tile.depth cells."""
    cells = cells_of(pool)
    windows = max(tile.depth // cells, 1)
    tile = tile._replace(depth=windows * cells)
    x_seen = seen_by_weights(g, by_windows(pool, g.out_hw))
    x_at = device(lambda x, mask, k, m: x_seen(x, mask, k, m, uint32(0)))
    fetch_x, store_x = slab(x_at, product.rows, tile.pixels, tile, True)
    load_dy = dy_loader(product, tile, windows)
    place, multiply, finish = corner(product, tile), chooser(tile, windows), finisher(product, tile)
    x_size, x_each, each = pitch(tile.pixels) * tile.depth, held(tile, tile.pixels), tile.sums
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
        row, column, split = place(uint32(cuda.blockIdx.x))
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
        finish(out, argmax, extra, split, row, column, sums, thread)

    return argmax_product


@cached
def dy_loader(product: ImplicitProduct, tile: ConvTile, windows: int) -> Any:
    """Brings dy of a few windows, and where in the slab of x each argmax's row begins."""
    size, threads = uint32(windows * tile.filters), uint32(tile.threads)
    turns, cells = held(tile._replace(depth=windows), tile.filters), tile.depth // windows
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
def chooser(tile: ConvTile, windows: int) -> Any:
    """sums[j, i] += x[argmax of (p, filter j), weight i] dy[p, filter j], where dy is not 0."""
    rows, columns = tile.per_thread_pixels, tile.per_thread_filters
    width, warp = uint32(tile.filters), uint32(WARP)

    @device
    def multiply(sums, x_tile, dy_tile, argmax_tile, thread):
        lane, first = uint32(thread % warp), uint32(thread // warp * uint32(columns))
        for p in range(windows):
            for j in range(columns):
                at = uint32(uint32(p) * width + first + uint32(j))
                value, place = dy_tile[at], uint32(argmax_tile[at] + lane)
                if value != ZERO:  # the same in the whole warp
                    for i in range(rows):
                        sums[j * rows + i] += x_tile[place + uint32(i) * warp] * value

    return multiply


@cached
def finisher(product: ImplicitProduct, tile: ConvTile) -> Any:
    """Hands a thread's sums to the product's `finish`."""
    rows, columns, warp = tile.per_thread_pixels, tile.per_thread_filters, uint32(WARP)
    all_rows, all_columns, finish = uint32(product.rows), uint32(product.columns), product.finish

    @device
    def finish_all(out, mask, extra, split, row, column, sums, thread):
        for j in range(columns):
            c = uint32(column + thread // warp * uint32(columns) + uint32(j))
            for i in range(rows):
                r = uint32(row + thread % warp + uint32(i) * warp)
                if r < all_rows and c < all_columns:
                    finish(out, mask, extra, split, r, c, sums, j * rows + i)

    return finish_all
