"""Where the values of a product's factors are, and how a block copies them to shared memory.

A *locator* is a device function (i, k) -> (index, cell, inside): where value k of row i of A, or of
column i of B, is in the array that holds it. The matrices X, W and dY of a convolution (see the
reference's conv2d.py) are never made: locators find their values in images and weights. Where max
pooling follows, `cell` is the position of the pixel in its pooling window: dY is not 0 if the
maximum is there.

A *copier* is a device function with which the threads of a block copy a tile to shared memory.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from minicnn.backends.cuda.runtime.api import device, float32, int32, uint32
from minicnn.backends.cuda.runtime.kernel_cache import cached
from minicnn.backends.cuda.tensor_cores import mma
from minicnn.backends.cuda.tensor_cores.tiles import WARP_ROWS, SharedLayout
from minicnn.shapes import Pair

ZERO, NOWHERE = float32(0), uint32(0)
WINDOWS = uint32(8)  # pooling windows per warp, with 4 rows each


class PixelGrid(NamedTuple):
    """The pixels of a batch in the order of a product's rows, or of its depth."""

    images: int
    height: int
    width: int
    pooled: bool = False  # the pixels of a 2x2 window are 8 rows apart, so one lane has them all

    @property
    def rows(self) -> int:
        """Rows of the product, with those that fill the last warp."""
        pixels = self.images * self.height * self.width
        if not self.pooled:
            return pixels
        windows = self.images * (self.height // 2) * (self.width // 2)
        return -(-windows // int(WINDOWS)) * WARP_ROWS


class ReceptiveField(NamedTuple):
    """The pixels that (y, x) reads: rows y * step + first + ky * dilation, columns likewise."""

    image: Pair
    channels: int
    size: Pair
    step: Pair
    first: Pair
    dilation: Pair


@cached
def pixel_of(grid: PixelGrid) -> Any:
    """Return a device function: row of the product -> (n, y, x, inside)."""
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
def patch(grid: PixelGrid, field: ReceptiveField) -> Any:
    """Return a locator in an image: (row of the grid, entry (ky, kx, c) of its receptive field).

    What depends only on the row, or only on the entry, is computed separately: a thread's copies
    of one step have the same entry, and all steps the same rows. So the compiler can compute each
    of them once.
    """
    pixel, (height, width) = pixel_of(grid), field.image
    channels, width_ = uint32(field.channels), int32(width)
    entries = uint32(field.channels * field.size[0] * field.size[1])
    depth, across = int32(field.channels), uint32(field.size[1])
    (step_y, step_x), (first_y, first_x) = map(int32, field.step), map(int32, field.first)
    dilation_y, dilation_x = map(int32, field.dilation)

    @device
    def locate(row, entry):
        n, oy, ox, inside = pixel(row)
        top, left = int32(int32(oy) * step_y + first_y), int32(int32(ox) * step_x + first_x)
        corner = int32(((int32(n) * int32(height) + top) * width_ + left) * depth)
        cell, c = entry // channels, entry % channels
        down, right = (
            int32(int32(cell // across) * dilation_y),
            int32(int32(cell % across) * dilation_x),
        )
        offset = int32((down * width_ + right) * depth + int32(c))
        y, x = int32(top + down), int32(left + right)
        seen = (y >= 0) & (y < height) & (x >= 0) & (x < width)
        inside = seen & inside & (entry < entries)  # `and` would branch
        return uint32(int32(corner + offset)) if inside else NOWHERE, NOWHERE, inside

    return locate


@cached
def pooled_patch(grid: PixelGrid, field: ReceptiveField, pool: Pair) -> Any:
    """Return a locator like `patch` in the pooled image, with the pixel's cell in its window."""
    pixel, (height, width) = pixel_of(grid), field.image
    channels, across = uint32(field.channels), uint32(field.size[1])
    entries = uint32(field.channels * field.size[0] * field.size[1])
    (first_y, first_x), (pool_y, pool_x) = map(int32, field.first), map(uint32, pool)
    dilation_y, dilation_x = map(int32, field.dilation)
    tall, wide = uint32(height) // pool_y, uint32(width) // pool_x

    @device
    def locate(row, entry):
        n, oy, ox, inside = pixel(row)
        cell, c = entry // channels, entry % channels
        y = int32(int32(oy) + first_y + int32(cell // across) * dilation_y)
        x = int32(int32(ox) + first_x + int32(cell % across) * dilation_x)
        if not inside or entry >= entries or y < 0 or x < 0:
            return NOWHERE, NOWHERE, False
        py, px = uint32(y) // pool_y, uint32(x) // pool_x
        pool_cell = uint32(y) % pool_y * pool_x + uint32(x) % pool_x
        index = ((n * tall + py) * wide + px) * channels + c
        seen = py < tall and px < wide  # the pixel may lie after the last window
        return uint32(index), uint32(pool_cell), seen

    return locate


@cached
def transposed(locate: Any) -> Any:
    """Return a locator with the arguments (k, i) for one with (i, k)."""
    return device(lambda i, k: locate(k, i))


@cached
def matrix(columns: int, depth: int) -> Any:
    """Return a locator in a matrix (depth, columns)."""
    width, deep = uint32(columns), uint32(depth)

    @device
    def locate(i, k):
        return uint32(k * width + i), NOWHERE, (i < width) & (k < deep)

    return locate


@cached
def weights_by_filter(cells: int, channels: int, filters: int) -> Any:
    """Return a locator in weights (cells, channels, filters): (channel i, k = (cell, filter))."""
    inputs, outputs, depth = uint32(channels), uint32(filters), uint32(cells * filters)

    @device
    def locate(i, k):
        index = (k // outputs * inputs + i) * outputs + k % outputs
        return uint32(index), NOWHERE, (i < inputs) & (k < depth)

    return locate


@device
def masked_by_relu(dy, y, cell):
    return dy if y > ZERO else ZERO


@device
def masked_by_argmax(dy, argmax, cell):
    return dy if argmax == cell else ZERO


@cached
def copier(locate: Any, layout: SharedLayout, threads: int, words: int, mask: Any = None) -> Any:
    """Return a copier of `words` neighbors at once, or of mask(a, mask_array, cell)."""
    chunks, width = uint32(layout.length // words), uint32(words)
    count, all_threads = uint32(layout.lines * layout.length // words), uint32(threads)
    turns, pitch, inside_out = -(-int(count) // threads), uint32(layout.pitch), layout.depth_inside
    whole = int(count) % threads == 0
    copy_words = _asynchronous(words) if mask is None else _masked(words, mask)

    @device
    def copy(memory, start, a, mask_array, outer, depth, thread):
        for turn in range(turns):
            chunk = uint32(thread + uint32(turn) * all_threads)
            line, along = chunk // chunks, chunk % chunks * width
            if whole or chunk < count:
                i, k = (line, along) if inside_out else (along, line)
                index, cell, inside = locate(uint32(outer + i), uint32(depth + k))
                to = uint32(start + line * pitch + along)
                copy_words(memory, to, a, mask_array, index, cell, inside)

    return copy


def _asynchronous(words: int) -> Any:
    copy = mma.COPIES[words]

    @device
    def copy_words(memory, to, a, mask_array, index, cell, inside):
        copy(memory, to, a, index, inside)

    return copy_words


def _masked(words: int, mask: Any) -> Any:
    @device
    def copy_words(memory, to, a, mask_array, index, cell, inside):
        for i in range(words):
            at = uint32(index + uint32(i))
            memory[uint32(to + uint32(i))] = mask(a[at], mask_array[at], cell) if inside else ZERO

    return copy_words
