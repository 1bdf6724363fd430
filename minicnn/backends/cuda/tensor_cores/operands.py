"""Where a product's factors are, and how a block copies a tile of them to shared memory.

A *place* is a device function (i, k) -> (index, cell, inside): where number k of row i of A, or of
column i of B, is in the array that holds it. The convolution's matrices X, W and dY (the formulas
stand in the reference's `conv2d.py`) are never made: places find their numbers in the images. The
`cell` is what the number must be the argmax of, behind a max pooling.

A *copier* is a device function that brings a tile to shared memory, by the block's threads in turn.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from minicnn.backends.cuda.runtime.api import device, float32, int32, uint32
from minicnn.backends.cuda.runtime.kernel_cache import cached
from minicnn.backends.cuda.tensor_cores import mma
from minicnn.backends.cuda.tensor_cores.tiles import WARP_ROWS, SharedLayout
from minicnn.shapes import Pair

ZERO, NOWHERE = float32(0), uint32(0)
WINDOWS = uint32(8)  # pooling windows of a warp's rows, 4 pixels each


class Grid(NamedTuple):
    """The pixels of a batch that stand for a product's rows (or its depth), in their order."""

    images: int
    height: int
    width: int
    pooled: bool = False  # the 4 pixels of a 2x2 window 8 rows apart: one lane of a warp has them

    @property
    def rows(self) -> int:
        """Rows of the product."""
        pixels = self.images * self.height * self.width
        if not self.pooled:
            return pixels
        windows = self.images * (self.height // 2) * (self.width // 2)
        return -(-windows // int(WINDOWS)) * WARP_ROWS


class Sight(NamedTuple):
    """What the pixel (y, x) sees of an image: (y * step + first + ky * dilation, ... x ...)."""

    image: Pair
    channels: int
    size: Pair
    step: Pair
    first: Pair
    dilation: Pair


@cached
def pixel_of(grid: Grid) -> Any:
    """row -> (n, y, x, inside)."""
    height, width = uint32(grid.height), uint32(grid.width)
    images, rows, two = uint32(grid.images), uint32(WARP_ROWS), uint32(2)

    @device
    def plain(row):
        line = row // width
        n = line // height
        return n, line % height, row % width, n < images

    @device
    def pooled(row):
        window = row // rows * WINDOWS + row % WINDOWS
        cell = row % rows // WINDOWS
        line = window // (width // two)
        n = line // (height // two)
        y = line % (height // two) * two + cell // two
        return n, y, window % (width // two) * two + cell % two, n < images

    return pooled if grid.pooled else plain


@cached
def patch(grid: Grid, sight: Sight) -> Any:
    """(row of the grid, entry (ky, kx, c) of what it sees) -> place in the image.

    What depends on the row alone, or on the entry alone, stands apart: of a thread's copies all in
    a step have the same entry, and all steps the same rows. The compiler then computes it once.
    """
    pixel, (height, width) = pixel_of(grid), sight.image
    channels, wide = uint32(sight.channels), int32(width)
    entries = uint32(sight.channels * sight.size[0] * sight.size[1])
    numbers, across = int32(sight.channels), uint32(sight.size[1])
    (step_y, step_x), (first_y, first_x) = map(int32, sight.step), map(int32, sight.first)
    dilation_y, dilation_x = map(int32, sight.dilation)

    @device
    def place(row, entry):
        n, oy, ox, inside = pixel(row)
        top, left = int32(int32(oy) * step_y + first_y), int32(int32(ox) * step_x + first_x)
        corner = int32(((int32(n) * int32(height) + top) * wide + left) * numbers)
        cell, c = entry // channels, entry % channels
        down, right = (
            int32(int32(cell // across) * dilation_y),
            int32(int32(cell % across) * dilation_x),
        )
        offset = int32((down * wide + right) * numbers + int32(c))
        y, x = int32(top + down), int32(left + right)
        seen = (y >= 0) & (y < height) & (x >= 0) & (x < width)
        inside = seen & inside & (entry < entries)  # no `and`: it would branch
        return uint32(int32(corner + offset)) if inside else NOWHERE, NOWHERE, inside

    return place


@cached
def pooled_patch(grid: Grid, sight: Sight, pool: Pair) -> Any:
    """The same where the image is known pooled: the place in that, and which cell the pixel is."""
    pixel, (height, width) = pixel_of(grid), sight.image
    channels, across = uint32(sight.channels), uint32(sight.size[1])
    entries = uint32(sight.channels * sight.size[0] * sight.size[1])
    (first_y, first_x), (pool_y, pool_x) = map(int32, sight.first), map(uint32, pool)
    dilation_y, dilation_x = map(int32, sight.dilation)
    tall, wide = uint32(height) // pool_y, uint32(width) // pool_x

    @device
    def place(row, entry):
        n, oy, ox, inside = pixel(row)
        cell, c = entry // channels, entry % channels
        y = int32(int32(oy) + first_y + int32(cell // across) * dilation_y)
        x = int32(int32(ox) + first_x + int32(cell % across) * dilation_x)
        if not inside or entry >= entries or y < 0 or x < 0:
            return NOWHERE, NOWHERE, False
        py, px = uint32(y) // pool_y, uint32(x) // pool_x
        argmax_cell = uint32(y) % pool_y * pool_x + uint32(x) % pool_x
        index = ((n * tall + py) * wide + px) * channels + c
        return (
            uint32(index),
            uint32(argmax_cell),
            py < tall and px < wide,
        )  # a window may end before y

    return place


@cached
def turned(place: Any) -> Any:
    """(k, i) for (i, k)."""
    return device(lambda i, k: place(k, i))


@cached
def matrix(columns: int, depth: int) -> Any:
    """(column i, layer k) -> place in a matrix (depth, columns)."""
    width, deep = uint32(columns), uint32(depth)

    @device
    def place(i, k):
        return uint32(k * width + i), NOWHERE, (i < width) & (k < deep)

    return place


@cached
def weights_by_filter(cells: int, channels: int, filters: int) -> Any:
    """(channel i, layer k = (cell, filter)) -> place in weights (cells, channels, filters)."""
    inputs, outputs, depth = uint32(channels), uint32(filters), uint32(cells * filters)

    @device
    def place(i, k):
        index = (k // outputs * inputs + i) * outputs + k % outputs
        return uint32(index), NOWHERE, (i < inputs) & (k < depth)

    return place


@device
def behind_relu(dy, y, cell):
    return dy if y > ZERO else ZERO


@device
def behind_pooling(dy, argmax, cell):
    return dy if argmax == cell else ZERO


@cached
def copier(place: Any, layout: SharedLayout, threads: int, words: int, choose: Any = None) -> Any:
    """Copies a tile, `words` neighbors at once; `choose(a, by, cell)`, if given, makes numbers."""
    chunks, width = uint32(layout.length // words), uint32(words)
    count, all_threads = uint32(layout.lines * layout.length // words), uint32(threads)
    turns, pitch, inside_out = -(-int(count) // threads), uint32(layout.pitch), layout.depth_inside
    whole = int(count) % threads == 0
    bring = _asynchronous(words) if choose is None else _chosen(words, choose)

    @device
    def copy(memory, start, a, by, outer, depth, thread):
        for turn in range(turns):
            chunk = uint32(thread + uint32(turn) * all_threads)
            line, along = chunk // chunks, chunk % chunks * width
            if whole or chunk < count:
                i, k = (line, along) if inside_out else (along, line)
                index, cell, inside = place(uint32(outer + i), uint32(depth + k))
                bring(memory, uint32(start + line * pitch + along), a, by, index, cell, inside)

    return copy


def _asynchronous(words: int) -> Any:
    copy = mma.COPIES[words]

    @device
    def bring(memory, to, a, by, index, cell, inside):
        copy(memory, to, a, index, inside)

    return bring


def _chosen(words: int, choose: Any) -> Any:
    @device
    def bring(memory, to, a, by, index, cell, inside):
        for i in range(words):
            at = uint32(index + uint32(i))
            memory[uint32(to + uint32(i))] = choose(a[at], by[at], cell) if inside else ZERO

    return bring
