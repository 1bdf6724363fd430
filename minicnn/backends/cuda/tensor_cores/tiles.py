"""Into what tiles a product is cut, one a block of threads, and how they lie in shared memory."""

from __future__ import annotations

from typing import NamedTuple

from minicnn.backends.cuda.tensor_cores.fragments import COLUMNS, LANES, ROWS

WARP_ROWS = 32  # of the result that a warp computes: two instructions high
MULTIPROCESSORS = 128  # that want a block each; of the larger cards
# A step moves rows + columns numbers for each layer of depth and multiplies rows * columns: what
# one number moved costs, in products. An estimate, not measured on a GPU (2026-11).
MOVE = 32


class ProductSize(NamedTuple):
    """(rows, columns) = (rows, depth) times (depth, columns)."""

    rows: int
    columns: int
    depth: int


class WarpTile(NamedTuple):
    """What a block computes, by steps of `depth`, with `stages` steps in shared memory at once."""

    rows: int
    columns: int
    depth: int
    warp_columns: int
    stages: int

    @property
    def threads(self) -> int:
        """32 for each warp; warps stand (rows / 32) down and (columns / warp_columns) across."""
        return self.rows // WARP_ROWS * (self.columns // self.warp_columns) * LANES

    @property
    def instructions(self) -> tuple[int, int]:
        """Down and across a warp's part of the tile."""
        return WARP_ROWS // ROWS, self.warp_columns // COLUMNS

    def blocks(self, product: ProductSize) -> tuple[int, int]:
        """Tiles that cover the result: (down, across)."""
        return -(-product.rows // self.rows), -(-product.columns // self.columns)

    def steps(self, product: ProductSize) -> int:
        """Along the depth."""
        return -(-product.depth // self.depth)


# At most 48 KB of shared memory; more must be asked for. Estimates, not measured on a GPU
# (2026-11).
TILES = (
    WarpTile(128, 128, 16, 64, stages=2),
    WarpTile(128, 64, 16, 64, stages=3),
    WarpTile(64, 64, 16, 32, stages=3),
    WarpTile(128, 32, 16, 32, stages=3),
    WarpTile(64, 32, 16, 16, stages=3),
    WarpTile(128, 16, 16, 16, stages=3),
)


def best_tile(product: ProductSize, *, shared_depth: bool = False) -> WarpTile:
    """The one that should be done first; where blocks share the depth, few tiles are enough."""

    def cost(tile: WarpTile) -> int:
        down, across = tile.blocks(product)
        blocks = down * across
        turns = blocks if shared_depth else -(-blocks // MULTIPROCESSORS)
        return turns * (tile.rows * tile.columns + MOVE * (tile.rows + tile.columns))

    return min(TILES, key=cost)


class SharedLayout(NamedTuple):
    """An operand's tile in shared memory, `outer` rows of A or columns of B, `depth` deep.

    Number (i, k) lies at i * outer_step + k * depth_step. What is contiguous in global memory is
    so here, too. Lanes of a fragment read 8 neighbors by 4 layers: lines are longer than the tile
    by what spreads these 32 numbers over the 32 banks.
    """

    outer: int
    depth: int
    depth_inside: bool  # are a line's numbers neighbors in depth?

    @property
    def length(self) -> int:
        """Numbers of a line."""
        return self.depth if self.depth_inside else self.outer

    @property
    def lines(self) -> int:
        """Of the tile."""
        return self.outer if self.depth_inside else self.depth

    @property
    def pitch(self) -> int:
        """From a line to the next: 4 modulo 8 lines or 8 modulo 32 banks."""
        return self.length + (4 if self.depth_inside else 8)

    @property
    def outer_step(self) -> int:
        """From a row of A, a column of B, to the next."""
        return self.pitch if self.depth_inside else 1

    @property
    def depth_step(self) -> int:
        """From a layer to the next."""
        return 1 if self.depth_inside else self.pitch

    @property
    def size(self) -> int:
        """Numbers in shared memory."""
        return self.lines * self.pitch
