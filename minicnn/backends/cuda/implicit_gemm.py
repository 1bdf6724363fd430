"""Matrix products with implicit factors: C = A B, where A and B are functions of their indices.

    C[row, column] = sum over k of A[row, k] * B[k, column]

A convolution and both its gradients are such products (see the reference's conv2d.py). They differ
in how A and B are read from images and weights, and in the epilogue, which stores a sum. An
`ImplicitProduct` has these as device functions; two kernels compute it.

tiled   A block computes a tile of C. Its threads copy `depth` columns of A and rows of B to shared
        memory, where each value is read many times. Each thread adds up a small tile of sums in
        registers: adjacent rows, and columns at such a distance that neighboring threads read
        neighboring values. Meanwhile the next slabs of A and B are copied to registers.
direct  A thread computes one value of C (or `adjacent` values of a column) from global memory. It
        is for groups, each of which has its own C, and for products too small for tiles.

Where C has too few values to keep a GPU busy, k is divided into `splits` of equal length, and a
second launch adds their results (weight_gradient.py).
"""

from __future__ import annotations

from typing import Any

from minicnn.backends.cuda.conv2d_tiles import ConvTile, ImplicitProduct, tile_for
from minicnn.backends.cuda.runtime.api import cuda, device, float32, jit, uint32
from minicnn.backends.cuda.runtime.kernel_cache import cached
from minicnn.backends.cuda.runtime.launch import THREADS, KernelPlan, Launch, blocks_for

ZERO = float32(0)


def product_plan(product: ImplicitProduct, arguments: tuple[str, ...]) -> KernelPlan:
    """Return the launch; `arguments` are the names of out, mask, A's array, B's array and extra."""
    if product.rows == 0:
        return KernelPlan(())
    if product.is_small:
        return direct_plan(product, arguments)
    tile = tile_for(product)
    return KernelPlan(
        (Launch(tiled_kernel(product, tile), tile.blocks(product), tile.threads, arguments),)
    )


def direct_plan(product: ImplicitProduct, arguments: tuple[str, ...]) -> KernelPlan:
    """Return the launch of the direct kernel."""
    count = product.rows // product.adjacent * product.columns * product.splits
    return KernelPlan(
        (Launch(direct_kernel(product, count), blocks_for(count), THREADS, arguments),)
    )


@cached
def tiled_kernel(product: ImplicitProduct, tile: ConvTile) -> Any:
    """Return the tiled kernel: kernel(out, mask, a, b, extra)."""
    whole, chunk, depth = map(uint32, (product.depth, product.chunk, tile.depth))
    a_of, b_of = product.a, product.b
    a_at = device(lambda a, mask, row, k: a_of(a, mask, row, k, uint32(0)))
    b_at = device(lambda b, mask, column, k: b_of(b, mask, k, column))
    fetch_a, store_a = slab(a_at, product.rows, tile.pixels, tile, product.a_down)
    fetch_b, store_b = slab(b_at, product.columns, tile.filters, tile, not product.b_down)
    a_size, b_size = pitch(tile.pixels) * tile.depth, pitch(tile.filters) * tile.depth
    a_each, b_each = (values_per_thread(tile, width) for width in (tile.pixels, tile.filters))
    position, multiply, epilogue = (
        tile_corner(product, tile),
        multiplier(tile),
        tile_epilogue(product, tile),
    )
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
        row, column, split = position(uint32(cuda.blockIdx.x))
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
        epilogue(out, mask, extra, split, row, column, sums, thread)

    return tiled_product


def pitch(length: int) -> int:
    """Return the distance of rows in shared memory: odd, so a column lies in different banks."""
    return length | 1


def values_per_thread(tile: ConvTile, width: int) -> int:
    """Return how many values of a slab, `width` x tile.depth, a thread copies."""
    return blocks_for(width * tile.depth, tile.threads)


@cached
def tile_corner(product: ImplicitProduct, tile: ConvTile) -> Any:
    """Return a device function: block number -> first row and column of its tile, and its split."""
    down, across = (uint32(tiles) for tiles in tile.tiles(product))
    pixels, filters = uint32(tile.pixels), uint32(tile.filters)

    @device
    def position(block):
        return (
            uint32(uint32(block // across) % down * pixels),
            uint32(block % across * filters),
            uint32(block // (across * down)),
        )

    return position


@cached
def slab(value: Any, length: int, width: int, tile: ConvTile, across: bool) -> tuple[Any, Any]:
    """Return device functions: copy value(array, mask, i, k) to registers, then to shared[k, i].

    The slab has `width` values of i and tile.depth of k; beyond `length` and `end` it is 0.
    Neighboring threads copy neighbors in memory: along i if `across`, else along k.
    """
    turns, even = values_per_thread(tile, width), width * tile.depth % tile.threads == 0
    size, threads = uint32(width * tile.depth), uint32(tile.threads)
    row, depth, all_, step = map(uint32, (width, tile.depth, length, pitch(width)))

    @device
    def fetch(values, array, mask, first, k, end, thread):
        for turn in range(turns):
            e = uint32(thread + uint32(turn) * threads)
            if even or e < size:
                i = uint32(first + (e % row if across else e // depth))
                kk = uint32(k + (e // row if across else e % depth))
                values[turn] = value(array, mask, i, kk) if i < all_ and kk < end else ZERO

    @device
    def store(shared, values, thread):
        for turn in range(turns):
            e = uint32(thread + uint32(turn) * threads)
            if even or e < size:
                i, k = (e % row, e // row) if across else (e // depth, e % depth)
                shared[uint32(k * step + i)] = values[turn]

    return fetch, store


@cached
def multiplier(tile: ConvTile) -> Any:
    """Return a device function: sums[j, i] += A[row i, k] B[k, column j] over k of the slabs."""
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
def tile_epilogue(product: ImplicitProduct, tile: ConvTile) -> Any:
    """Return a device function that calls the epilogue for `adjacent` rows of sums at a time."""
    rows, columns, adjacent = tile.per_thread_pixels, tile.per_thread_filters, product.adjacent
    all_rows, all_columns = uint32(product.rows), uint32(product.columns)
    side, epilogue = uint32(tile.threads_across), product.epilogue

    @device
    def apply_epilogue(out, mask, extra, split, row, column, sums, thread):
        for j in range(columns):
            c = uint32(column + thread % side + uint32(j) * side)
            for i in range(0, rows, adjacent):
                r = uint32(row + thread // side * uint32(rows) + uint32(i))
                if r < all_rows and c < all_columns:
                    epilogue(out, mask, extra, split, r, c, sums, j * rows + i)

    return apply_epilogue


@cached
def direct_kernel(product: ImplicitProduct, count: int) -> Any:
    """Return the direct kernel: kernel(out, mask, a, b, extra)."""
    adjacent, all_ = product.adjacent, uint32(count)
    columns, heaps = uint32(product.columns), uint32(product.rows // product.adjacent)
    whole, chunk = uint32(product.depth), uint32(product.chunk)
    a_at, b_at, epilogue = product.a, product.b, product.epilogue

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
            epilogue(out, mask, extra, split, row, column, sums, 0)

    return direct_product
