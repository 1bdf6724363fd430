"""How a matrix product is divided among blocks and threads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from minicnn.backends.cuda.runtime.launch import THREADS, blocks_for


class ImplicitProduct(NamedTuple):
    """C = A B, (rows, columns), as functions of its indices. Numbers are float32, indices uint32.

    Every function is also given `gate`, the array that says where a gradient passes (y or argmax;
    the pooled forward writes its winners there).
    """

    rows: int
    depth: int
    columns: int
    a: Any  # (array, gate, row, k, column) -> A[row, k]; of the column only its group counts
    b: Any  # (array, gate, k, column) -> B[k, column]
    finish: (
        Any  # (out, gate, extra, split, row, column, sums, i): row has sums[i], row + 1 the next
    )
    adjacent: int = 1  # rows that one `finish` takes; `rows` is a multiple of it
    a_down: bool = False  # neighbors in memory are those in a column of A, not in a row
    b_down: bool = False  # the same of B
    groups: int = 1
    splits: int = 1  # of k

    @property
    def chunk(self) -> int:
        """Length of a split."""
        return blocks_for(self.depth, self.splits)

    @property
    def is_small(self) -> bool:
        """Not for tiles."""
        return self.groups > 1 or self.rows * self.depth * self.columns < TINY


class ConvTile(NamedTuple):
    """How much of C a block computes, and a thread of it; `depth` of k are in shared memory."""

    pixels: int
    filters: int
    depth: int
    per_thread_pixels: int
    per_thread_filters: int

    @property
    def threads(self) -> int:
        """In a block."""
        return self.pixels // self.per_thread_pixels * self.threads_across

    @property
    def threads_across(self) -> int:
        """Threads side by side."""
        return self.filters // self.per_thread_filters

    @property
    def sums(self) -> int:
        """Of a thread."""
        return self.per_thread_pixels * self.per_thread_filters

    def tiles(self, product: ImplicitProduct) -> tuple[int, int]:
        """Tiles that cover C: one below the other, side by side."""
        return blocks_for(product.rows, self.pixels), blocks_for(product.columns, self.filters)

    def blocks(self, product: ImplicitProduct) -> int:
        """Tiles that cover C, for all splits."""
        down, across = self.tiles(product)
        return down * across * product.splits

    def area(self, product: ImplicitProduct) -> int:
        """Numbers of C that are computed, with those beyond its edges."""
        down, across = self.tiles(product)
        return down * self.pixels * across * self.filters

    def of_whole_windows(self, cells: int) -> ConvTile:
        """Nearly the same tile, with a multiple of `cells` pixels a thread."""
        down = self.pixels // self.per_thread_pixels
        each = max(self.per_thread_pixels // cells, 1) * cells
        return self._replace(pixels=down * each, per_thread_pixels=each)


# Large tiles read less memory, small ones make more blocks. Estimates, not measured on a GPU
# (2026-11), as are the numbers below.
TILES = (
    ConvTile(128, 64, 8, 8, 8),
    ConvTile(64, 64, 16, 8, 4),
    ConvTile(64, 32, 16, 4, 4),
    ConvTile(32, 32, 16, 4, 4),
)
ENOUGH_BLOCKS = 256  # two for each multiprocessor of a large GPU
WASTE = 1.25  # a larger tile may compute so much more than the smallest, beyond C's edges
TINY = 2**18  # multiplications that are not worth tiles


def tile_for(product: ImplicitProduct, tiles: Sequence[ConvTile] | None = None) -> ConvTile:
    """The largest tile that makes enough blocks; if none does, the smallest."""
    whole = [tile.of_whole_windows(product.adjacent) for tile in tiles or TILES]
    enough = [tile for tile in whole if tile.blocks(product) >= ENOUGH_BLOCKS]
    return _largest(product, enough or whole[-1:])


def split_for(
    product: ImplicitProduct, shortest: int, tiles: Sequence[ConvTile] | None = None
) -> ImplicitProduct:
    """`product` in as many splits as make enough blocks, none shorter than `shortest`."""
    blocks = _largest(product, tiles or TILES).blocks(product)
    if product.is_small:
        blocks = blocks_for(product.rows * product.columns, THREADS)
    splits = min(blocks_for(ENOUGH_BLOCKS, blocks), product.depth // shortest)
    return product._replace(splits=max(splits, 1))


def _largest(product: ImplicitProduct, tiles: Sequence[ConvTile]) -> ConvTile:
    most = WASTE * tiles[-1].area(product)
    return next(tile for tile in tiles if tile.area(product) <= most)
