"""Implicit matrix products, and how they are divided among blocks and threads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from minicnn.backends.cuda.runtime.launch import THREADS, blocks_for


class ImplicitProduct(NamedTuple):
    """C = A B, (rows, columns), with A and B as functions of their indices.

    Values are float32, indices uint32. Every function also gets `mask`, the array that decides
    where a gradient passes: y for ReLU, argmax for max pooling. Forward, pooling writes argmax
    there.
    """

    rows: int
    depth: int
    columns: int
    a: Any  # (array, mask, row, k, column) -> A[row, k] of the column's group
    b: Any  # (array, mask, k, column) -> B[k, column]
    epilogue: Any  # (out, mask, extra, split, row, column, sums, i): stores sums[i], ...
    adjacent: int = 1  # rows per call of the epilogue, from sums[i] on; divides `rows`
    a_down: bool = False  # neighbors in memory are in a column of A, not in a row
    b_down: bool = False  # the same for B
    groups: int = 1
    splits: int = 1  # parts of k

    @property
    def chunk(self) -> int:
        """The length of a split."""
        return blocks_for(self.depth, self.splits)

    @property
    def is_small(self) -> bool:
        """Whether the direct kernel computes it."""
        return self.groups > 1 or self.rows * self.depth * self.columns < TINY


class ConvTile(NamedTuple):
    """What a block and each of its threads compute of C, with slabs of `depth` in shared memory."""

    pixels: int
    filters: int
    depth: int
    per_thread_pixels: int
    per_thread_filters: int

    @property
    def threads(self) -> int:
        """Threads per block."""
        return self.pixels // self.per_thread_pixels * self.threads_across

    @property
    def threads_across(self) -> int:
        """Threads that share a row of the tile."""
        return self.filters // self.per_thread_filters

    @property
    def sums(self) -> int:
        """Sums per thread."""
        return self.per_thread_pixels * self.per_thread_filters

    def tiles(self, product: ImplicitProduct) -> tuple[int, int]:
        """Return how many tiles cover C: (down, across)."""
        return blocks_for(product.rows, self.pixels), blocks_for(product.columns, self.filters)

    def blocks(self, product: ImplicitProduct) -> int:
        """Return how many tiles cover C in all splits."""
        down, across = self.tiles(product)
        return down * across * product.splits

    def area(self, product: ImplicitProduct) -> int:
        """Return how many values the tiles compute, with those beyond the edges of C."""
        down, across = self.tiles(product)
        return down * self.pixels * across * self.filters

    def of_whole_windows(self, cells: int) -> ConvTile:
        """Return a tile of about this size with a multiple of `cells` pixels per thread."""
        down = self.pixels // self.per_thread_pixels
        each = max(self.per_thread_pixels // cells, 1) * cells
        return self._replace(pixels=down * each, per_thread_pixels=each)


# Large tiles read less memory, small ones make more blocks. These and the constants below are
# estimates, not measured on a GPU (2026-11).
TILES = (
    ConvTile(128, 64, 8, 8, 8),
    ConvTile(64, 64, 16, 8, 4),
    ConvTile(64, 32, 16, 4, 4),
    ConvTile(32, 32, 16, 4, 4),
)
ENOUGH_BLOCKS = 256  # two per multiprocessor of a large GPU
MAX_WASTE = 1.25  # area of a larger tile's blocks, as a multiple of the smallest tile's
TINY = 2**18  # multiplications, below which tiles do not pay


def tile_for(product: ImplicitProduct, tiles: Sequence[ConvTile] | None = None) -> ConvTile:
    """Return the largest tile that makes enough blocks; if none does, the smallest."""
    whole = [tile.of_whole_windows(product.adjacent) for tile in tiles or TILES]
    enough = [tile for tile in whole if tile.blocks(product) >= ENOUGH_BLOCKS]
    return _largest(product, enough or whole[-1:])


def split_for(
    product: ImplicitProduct, shortest: int, tiles: Sequence[ConvTile] | None = None
) -> ImplicitProduct:
    """Return `product` with as many splits as make enough blocks, none shorter than `shortest`."""
    blocks = _largest(product, tiles or TILES).blocks(product)
    if product.is_small:
        blocks = blocks_for(product.rows * product.columns, THREADS)
    splits = min(blocks_for(ENOUGH_BLOCKS, blocks), product.depth // shortest)
    return product._replace(splits=max(splits, 1))


def _largest(product: ImplicitProduct, tiles: Sequence[ConvTile]) -> ConvTile:
    most = MAX_WASTE * tiles[-1].area(product)
    return next(tile for tile in tiles if tile.area(product) <= most)
