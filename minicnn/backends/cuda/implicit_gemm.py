"""Matrix products whose factors are never written: C = A B, with A and B as functions of indices.

A convolution and both its gradients are such products (see the reference's conv2d.py). What makes
one of them is how A and B are found in the images and weights, and what is done with a sum:

    C[row, column] = sum over k of A[row, k] * B[k, column]

`Product` says it, with device functions; two kernels compute it.

tiled   A block computes a tile of C. Its threads bring `depth` columns of A and rows of B into
        shared memory at a time, where each number is read many times, and each thread adds up a
        small tile of sums in registers: adjacent rows, and columns that are so far apart that
        neighboring threads read neighboring numbers. While they do, the next slabs of A and B
        are on their way from memory to registers.
direct  A thread computes one number of C (or `adjacent` ones of a column) from memory. For groups,
        each of which has a C of its own, and for what is too small for tiles.

Where C has too few numbers to keep a GPU busy, k is cut into `splits` of the same length, and a
second launch adds up what they give (weight_gradient.py).
"""

from __future__ import annotations

from typing import Any

from minicnn.backends.cuda.conv2d_tiles import ConvTile, ImplicitProduct, tile_for
from minicnn.backends.cuda.runtime.api import cuda, device, float32, jit, uint32
from minicnn.backends.cuda.runtime.kernel_cache import cached
from minicnn.backends.cuda.runtime.launch import THREADS, KernelPlan, Launch, blocks_for

ZERO = float32(0)


def product_plan(product: ImplicitProduct, arguments: tuple[str, ...]) -> KernelPlan:
    """The launch that computes it; `arguments` names out, gate, A's array, B's and extra."""
    if product.rows == 0:
        return KernelPlan(())
    if product.is_small:
        return direct_plan(product, arguments)
    tile = tile_for(product)
    return KernelPlan(
        (Launch(tiled(product, tile), tile.blocks(product), tile.threads, arguments),)
    )


def direct_plan(product: ImplicitProduct, arguments: tuple[str, ...]) -> KernelPlan:
    """The same without tiles."""
    count = product.rows // product.adjacent * product.columns * product.splits
    return KernelPlan((Launch(direct(product, count), blocks_for(count), THREADS, arguments),))


@cached
def tiled(product: ImplicitProduct, tile: ConvTile) -> Any:
    """The kernel `tiled`."""
    whole, chunk, depth = map(uint32, (product.depth, product.chunk, tile.depth))
    a_of, b_of = product.a, product.b
    a_at = device(lambda a, mask, row, k: a_of(a, mask, row, k, uint32(0)))
    b_at = device(lambda b, mask, column, k: b_of(b, mask, k, column))
    fetch_a, store_a = slab(a_at, product.rows, tile.pixels, tile, product.a_down)
    fetch_b, store_b = slab(b_at, product.columns, tile.filters, tile, not product.b_down)
    a_size, b_size = pitch(tile.pixels) * tile.depth, pitch(tile.filters) * tile.depth
    a_each, b_each = (held(tile, width) for width in (tile.pixels, tile.filters))
    place, multiply, finish = corner(product, tile), multiplier(tile), finisher(product, tile)
    each = tile.sums

    @jit
    def tiled_product(out, mask, a, b, extra):
        a_tile = cuda.shared.array(a_size, float32)
        b_tile = cuda.shared.array(b_size, float32)
        a_next = cuda.local.array(a_each, float32)
        b_next = cuda.local.array(b_each, float32)
        sums = cuda.local.array(each, float32)
        for i in range(each):
            sums[i] = ZERO
        thread = uint32(cuda.threadIdx.x)
        row, column, split = place(uint32(cuda.blockIdx.x))
        k, end = uint32(split * chunk), uint32(min(whole, uint32((split + uint32(1)) * chunk)))
        fetch_a(a_next, a, mask, row, k, end, thread)
        fetch_b(b_next, b, mask, column, k, end, thread)
        while k < end:
            store_a(a_tile, a_next, thread)
            store_b(b_tile, b_next, thread)
            cuda.syncthreads()
            k = uint32(k + depth)
            fetch_a(a_next, a, mask, row, k, end, thread)
            fetch_b(b_next, b, mask, column, k, end, thread)
            multiply(sums, a_tile, b_tile, thread)
            cuda.syncthreads()
        finish(out, mask, extra, split, row, column, sums, thread)

    return tiled_product


def pitch(length: int) -> int:
    """Distance of rows in shared memory: odd, so that a column lies in different banks."""
    return length | 1


def held(tile: ConvTile, width: int) -> int:
    """Numbers of a slab, `width` times tile.depth, that a thread brings."""
    return blocks_for(width * tile.depth, tile.threads)


@cached
def corner(product: ImplicitProduct, tile: ConvTile) -> Any:
    """Block number -> the first row and column of its tile, and its split."""
    down, across = (uint32(tiles) for tiles in tile.tiles(product))
    pixels, filters = uint32(tile.pixels), uint32(tile.filters)

    @device
    def place(block):
        return (
            uint32(uint32(block // across) % down * pixels),
            uint32(block % across * filters),
            uint32(block // (across * down)),
        )

    return place


@cached
def slab(number: Any, length: int, width: int, tile: ConvTile, across: bool) -> tuple[Any, Any]:
    """Two device functions that bring number(array, gate, i, k) to shared[k, i].

    The slab is `width` i times tile.depth k; beyond the edges of `length` and `end` there are
    zeros. Neighboring threads take neighbors in memory: along i if `across`, else along k.
    """
    turns, even = held(tile, width), width * tile.depth % tile.threads == 0
    size, threads = uint32(width * tile.depth), uint32(tile.threads)
    row, depth, all_, step = map(uint32, (width, tile.depth, length, pitch(width)))

    @device
    def fetch(numbers, array, mask, first, k, end, thread):
        for turn in range(turns):
            e = uint32(thread + uint32(turn) * threads)
            if even or e < size:
                i = uint32(first + (e % row if across else e // depth))
                kk = uint32(k + (e // row if across else e % depth))
                numbers[turn] = number(array, mask, i, kk) if i < all_ and kk < end else ZERO

    @device
    def store(shared, numbers, thread):
        for turn in range(turns):
            e = uint32(thread + uint32(turn) * threads)
            if even or e < size:
                i, k = (e % row, e // row) if across else (e // depth, e % depth)
                shared[uint32(k * step + i)] = numbers[turn]

    return fetch, store


@cached
def multiplier(tile: ConvTile) -> Any:
    """sums[j, i] += A[thread's row i, k] B[k, thread's column j] for every k in shared memory."""
    rows, columns, depth = tile.per_thread_pixels, tile.per_thread_filters, tile.depth
    side = uint32(tile.threads_across)
    a_step, b_step = uint32(pitch(tile.pixels)), uint32(pitch(tile.filters))

    @device
    def multiply(sums, a_tile, b_tile, thread):
        a_first, b_first = uint32(thread // side * uint32(rows)), uint32(thread % side)
        a = cuda.local.array(rows, float32)
        for k in range(depth):
            for i in range(rows):
                a[i] = a_tile[uint32(k) * a_step + a_first + uint32(i)]
            for j in range(columns):
                b = b_tile[uint32(k) * b_step + b_first + uint32(j) * side]
                for i in range(rows):
                    sums[j * rows + i] += a[i] * b

    return multiply


@cached
def finisher(product: ImplicitProduct, tile: ConvTile) -> Any:
    """Hands a thread's sums to the product's `finish`, `adjacent` rows at a time."""
    rows, columns, adjacent = tile.per_thread_pixels, tile.per_thread_filters, product.adjacent
    all_rows, all_columns = uint32(product.rows), uint32(product.columns)
    side, finish = uint32(tile.threads_across), product.finish

    @device
    def finish_all(out, mask, extra, split, row, column, sums, thread):
        for j in range(columns):
            c = uint32(column + thread % side + uint32(j) * side)
            for i in range(0, rows, adjacent):
                r = uint32(row + thread // side * uint32(rows) + uint32(i))
                if r < all_rows and c < all_columns:
                    finish(out, mask, extra, split, r, c, sums, j * rows + i)

    return finish_all


@cached
def direct(product: ImplicitProduct, count: int) -> Any:
    """The kernel `direct`."""
    adjacent, all_ = product.adjacent, uint32(count)
    columns, heaps = uint32(product.columns), uint32(product.rows // product.adjacent)
    whole, chunk = uint32(product.depth), uint32(product.chunk)
    a_at, b_at, finish = product.a, product.b, product.finish

    @jit
    def direct_product(out, mask, a, b, extra):
        sums = cuda.local.array(adjacent, float32)
        thread = uint32(cuda.grid(1))
        if thread < all_:
            column = uint32(thread % columns)
            row = uint32(uint32(thread // columns) % heaps * uint32(adjacent))
            split = uint32(thread // (columns * heaps))
            first, end = uint32(split * chunk), min(whole, uint32((split + uint32(1)) * chunk))
            for i in range(adjacent):
                sums[i] = ZERO
                r = uint32(row + uint32(i))
                for k in range(first, end):
                    kk = uint32(k)
                    sums[i] += a_at(a, mask, r, kk, column) * b_at(b, mask, kk, column)
            finish(out, mask, extra, split, row, column, sums, 0)

    return direct_product
