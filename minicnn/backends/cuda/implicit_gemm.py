"""Matrix products whose factors are never written: C = A B, with A and B as functions of indices.

A convolution and both its gradients are such products (see the reference's conv2d.py). What makes
one of them is how A and B are found in the images and weights, and what is done with a sum:

    C[row, column] = sum over k of A[row, k] * B[k, column]

`Product` says it, with device functions; two kernels compute it.

tiled   A block computes a tile of C. Its threads bring `depth` columns of A and rows of B into
        shared memory at a time, where each number is read many times, and each thread adds up a
        small tile of sums in registers: adjacent rows, and columns that are so far apart that
        neighbouring threads read neighbouring numbers.
direct  A thread computes one number of C (or `adjacent` ones of a column) from memory. For groups,
        where every group has a C of its own, and for what is too small for tiles.

Where C has too few numbers to keep a GPU busy, k is cut into `splits` of the same length, and a
second launch adds up what they give (weight_gradient.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from minicnn.backends.cuda.api import cuda, device, float32, jit, uint32
from minicnn.backends.cuda.work import THREADS, Launch, Work, blocks_for

ZERO = float32(0)


class Product(NamedTuple):
    """C = A B, (rows, columns), as functions of its indices. Numbers are float32, indices uint32.

    Every function is also given `gate`, the array that says where a gradient passes (dy's y or
    winner; the pooled forward writes its winners there).
    """

    rows: int
    depth: int
    columns: int
    a: Any  # (array, gate, row, k, column) -> A[row, k]; of column only its group counts
    b: Any  # (array, gate, k, column) -> B[k, column]
    finish: Any  # (out, gate, extra, split, row, column, sums, i): sums[i], ... are of row, row + 1, ...
    adjacent: int = 1  # rows that one `finish` takes; `rows` is a multiple
    a_down: bool = False  # neighbours in memory are those in a column of A, not in a row
    b_down: bool = False  # the same of B
    groups: int = 1
    splits: int = 1

    @property
    def chunk(self) -> int:
        """Length of a split."""
        return blocks_for(self.depth, self.splits)

    @property
    def operations(self) -> int:
        """Multiplications."""
        return self.rows * self.depth * self.columns


class Tile(NamedTuple):
    """How much of C a block computes, and a thread of it; `depth` of k are in shared memory."""

    pixels: int
    filters: int
    depth: int
    per_thread_pixels: int
    per_thread_filters: int

    @property
    def threads(self) -> int:
        """In a block."""
        return self.pixels // self.per_thread_pixels * self.columns_of_threads

    @property
    def columns_of_threads(self) -> int:
        """Threads side by side, and so the distance between a thread's columns."""
        return self.filters // self.per_thread_filters

    def blocks(self, product: Product) -> int:
        """Tiles that cover C, over all splits."""
        down, across = self.tiles(product)
        return down * across * product.splits

    def tiles(self, product: Product) -> tuple[int, int]:
        """Tiles that cover C: one below the other, side by side."""
        return blocks_for(product.rows, self.pixels), blocks_for(product.columns, self.filters)

    def area(self, product: Product) -> int:
        """Numbers of C that are computed, with those beyond its edges."""
        down, across = self.tiles(product)
        return down * self.pixels * across * self.filters

    def of_whole_windows(self, cells: int) -> Tile:
        """Nearly the same tile, with a multiple of `cells` pixels a thread."""
        down = self.pixels // self.per_thread_pixels
        each = max(self.per_thread_pixels // cells, 1) * cells
        return self._replace(pixels=down * each, per_thread_pixels=each)


# Large tiles read less memory, small ones make more blocks. Estimates, not measured on a GPU
# (2026-11).
TILES = (
    Tile(128, 64, 8, 8, 8),
    Tile(64, 64, 16, 8, 4),
    Tile(64, 32, 16, 4, 4),
    Tile(32, 32, 16, 4, 4),
)
ENOUGH_BLOCKS = 256  # two for each multiprocessor of a large GPU; estimate (2026-11)
TINY = 2**18  # multiplications that are not worth tiles; estimate (2026-11)
WASTE = 1.25  # a larger tile may compute so much more than the smallest


def product_work(product: Product, arguments: tuple[str, ...]) -> Work:
    """The launch that computes it; `arguments` names out, gate, A's array, B's and extra."""
    if product.rows == 0:
        return Work(())
    if is_small(product):
        return direct_work(product, arguments)
    tile = tile_for(product)
    return Work((Launch(tiled(product, tile), tile.blocks(product), tile.threads, arguments),))


def is_small(product: Product) -> bool:
    """Not for tiles."""
    return product.groups > 1 or product.operations < TINY


def direct_work(product: Product, arguments: tuple[str, ...]) -> Work:
    """The launch without tiles."""
    count = product.rows // product.adjacent * product.columns * product.splits
    return Work((Launch(direct(product, count), blocks_for(count), THREADS, arguments),))


def tile_for(product: Product) -> Tile:
    """The largest tile that makes enough blocks; if none does, the smallest."""
    tiles = [tile.of_whole_windows(product.adjacent) for tile in TILES]
    enough = [tile for tile in tiles if tile.blocks(product) >= ENOUGH_BLOCKS]
    return best_tile(product, enough or tiles[-1:])


def best_tile(product: Product, tiles: Sequence[Tile]) -> Tile:
    """The first of them that does not compute far more than the last one beyond C's edges."""
    most = WASTE * tiles[-1].area(product)
    return next(tile for tile in tiles if tile.area(product) <= most)


@cache
def tiled(product: Product, tile: Tile) -> Any:
    """The kernel `tiled`."""
    pixels, filters, depth = map(uint32, tile[:3])
    down, across = (uint32(tiles) for tiles in tile.tiles(product))
    whole, chunk = uint32(product.depth), uint32(product.chunk)
    a_size, b_size = pitch(tile.pixels) * tile.depth, pitch(tile.filters) * tile.depth
    each = tile.per_thread_pixels * tile.per_thread_filters
    a_of_tile = device(lambda a, gate, row, k: product.a(a, gate, row, k, uint32(0)))
    load_a = loader(a_of_tile, product.rows, tile.pixels, tile, product.a_down)
    load_b = loader(_turned(product.b), product.columns, tile.filters, tile, not product.b_down)
    multiply, finish = multiplier(tile), finisher(product, tile)

    @jit
    def tiled_product(out, gate, a, b, extra):
        a_tile = cuda.shared.array(a_size, float32)
        b_tile = cuda.shared.array(b_size, float32)
        sums = cuda.local.array(each, float32)
        for i in range(each):
            sums[i] = ZERO
        thread, block = uint32(cuda.threadIdx.x), uint32(cuda.blockIdx.x)
        column = uint32(block % across * filters)
        row = uint32(block // across % down * pixels)
        split = uint32(block // (across * down))
        k, end = uint32(split * chunk), uint32(min(whole, uint32((split + uint32(1)) * chunk)))
        while k < end:
            load_a(a_tile, a, gate, row, k, end, thread)
            load_b(b_tile, b, gate, column, k, end, thread)
            cuda.syncthreads()
            multiply(sums, a_tile, b_tile, thread)
            cuda.syncthreads()
            k = uint32(k + depth)
        finish(out, gate, extra, split, row, column, sums, thread)

    return tiled_product


def pitch(length: int) -> int:
    """Distance of rows in shared memory: odd, so that a column lies in different banks."""
    return length | 1


@cache
def _turned(b: Any) -> Any:
    """B with its column first, as A has its row."""
    return device(lambda array, gate, column, k: b(array, gate, k, column))


@cache
def loader(number: Any, length: int, width: int, tile: Tile, neighbours_along_width: bool) -> Any:
    """Brings number(array, gate, i, k), for `width` i and tile.depth k, to shared[k, i].

    Neighbouring threads bring what are neighbours in memory. Beyond the edges there are zeros.
    """
    size, threads, step = width * tile.depth, tile.threads, pitch(width)
    loads, even = -(-size // threads), size % threads == 0
    last, row, depth, all_rows = uint32(size), uint32(width), uint32(tile.depth), uint32(length)
    stride, threads_, apart = uint32(step), uint32(threads), neighbours_along_width

    @device
    def load(shared, array, gate, first, k, end, thread):
        for turn in range(loads):
            e = uint32(thread + uint32(turn) * threads_)
            if even or e < last:
                down = uint32(e // row) if apart else uint32(e % depth)
                side = uint32(e % row) if apart else uint32(e // depth)
                i, kk = uint32(first + side), uint32(k + down)
                inside = i < all_rows and kk < end
                shared[down * stride + side] = number(array, gate, i, kk) if inside else ZERO

    return load


@cache
def multiplier(tile: Tile) -> Any:
    """sums[j, i] += A[thread's row i, k] B[k, thread's column j] for every k in shared memory."""
    rows, columns, depth = tile.per_thread_pixels, tile.per_thread_filters, tile.depth
    side = uint32(tile.columns_of_threads)
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


@cache
def finisher(product: Product, tile: Tile) -> Any:
    """Hands a thread's sums to the product's `finish`, `adjacent` rows at a time."""
    rows, columns, adjacent = tile.per_thread_pixels, tile.per_thread_filters, product.adjacent
    all_rows, all_columns = uint32(product.rows), uint32(product.columns)
    side, finish = uint32(tile.columns_of_threads), product.finish

    @device
    def finish_all(out, gate, extra, split, row, column, sums, thread):
        for j in range(columns):
            c = uint32(column + thread % side + uint32(j) * side)
            for i in range(0, rows, adjacent):
                r = uint32(row + thread // side * uint32(rows) + uint32(i))
                if r < all_rows and c < all_columns:
                    finish(out, gate, extra, split, r, c, sums, j * rows + i)

    return finish_all


@cache
def direct(product: Product, count: int) -> Any:
    """The kernel `direct`."""
    adjacent, all_ = product.adjacent, uint32(count)
    columns, heaps = uint32(product.columns), uint32(product.rows // product.adjacent)
    whole, chunk = uint32(product.depth), uint32(product.chunk)
    a_of, b_of, finish = product.a, product.b, product.finish

    @jit
    def direct_product(out, gate, a, b, extra):
        sums = cuda.local.array(adjacent, float32)
        thread = uint32(cuda.grid(1))
        if thread < all_:
            column = uint32(thread % columns)
            row = uint32(thread // columns % heaps * uint32(adjacent))
            split = uint32(thread // (columns * heaps))
            first, end = uint32(split * chunk), min(whole, uint32((split + uint32(1)) * chunk))
            for i in range(adjacent):
                sums[i] = ZERO
                for k in range(first, end):
                    kk = uint32(k)
                    sums[i] += a_of(a, gate, uint32(row + uint32(i)), kk, column) * b_of(
                        b, gate, kk, column
                    )
            finish(out, gate, extra, split, row, column, sums, 0)

    return direct_product
