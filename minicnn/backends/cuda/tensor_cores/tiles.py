"""The tiles of a product, one per block of threads, and their layout in shared memory."""

from __future__ import annotations

from typing import NamedTuple

from minicnn.backends.cuda.tensor_cores.fragments import COLUMNS, LANES, ROWS

WARP_ROWS = 32  # rows of the result per warp: two instructions
MULTIPROCESSORS = 128  # of a large GPU; each needs a block
# A step copies rows + columns values per unit of depth, for rows * columns multiplications. This is
# the cost of one copy in multiplications. An estimate, not measured on a GPU (2026-11).
COPY_COST = 32


class ProductSize(NamedTuple):
    """The sizes of a product: (rows, depth) times (depth, columns)."""

    rows: int
    columns: int
    depth: int


class MmaTile(NamedTuple):
    """A block's tile of the result. It is computed in steps of `depth`, `stages` at a time."""

    rows: int
    columns: int
    depth: int
    warp_columns: int
    stages: int

    @property
    def threads(self) -> int:
        """Threads per block: 32 per warp, (rows / 32) x (columns / warp_columns) warps."""
        return self.rows // WARP_ROWS * (self.columns // self.warp_columns) * LANES

    @property
    def instructions(self) -> tuple[int, int]:
        """Instructions per warp: (down, across) its part of the tile."""
        return WARP_ROWS // ROWS, self.warp_columns // COLUMNS

    def blocks(self, product: ProductSize) -> tuple[int, int]:
        """Return how many tiles cover the result: (down, across)."""
        return -(-product.rows // self.rows), -(-product.columns // self.columns)

    def steps(self, product: ProductSize) -> int:
        """Return how many steps cover the depth."""
        return -(-product.depth // self.depth)


# At most 48 KB of shared memory, which needs no special launch. Estimates, not measured on a GPU
# (2026-11).
TILES = (
    MmaTile(128, 128, 16, 64, stages=2),
    MmaTile(128, 64, 16, 64, stages=3),
    MmaTile(64, 64, 16, 32, stages=3),
    MmaTile(128, 32, 16, 32, stages=3),
    MmaTile(64, 32, 16, 16, stages=3),
    MmaTile(128, 16, 16, 16, stages=3),
)


def best_tile(product: ProductSize, *, shared_depth: bool = False) -> MmaTile:
    """Return the tile with the least cost; blocks may also share the depth of a tile."""

    def cost(tile: MmaTile) -> int:
        down, across = tile.blocks(product)
        blocks = down * across
        turns = blocks if shared_depth else -(-blocks // MULTIPROCESSORS)
        return turns * (tile.rows * tile.columns + COPY_COST * (tile.rows + tile.columns))

    return min(TILES, key=cost)


class SharedLayout(NamedTuple):
    """The layout of an operand's tile in shared memory: `outer` rows of A, or columns of B.

    Value (i, k) is at i * outer_step + k * depth_step, so what is contiguous in global memory is
    contiguous here, too. The lanes of a warp read 8 neighbors in each of 4 lines: lines are padded
    so that these 32 values are in different banks.
    """

    outer: int
    depth: int
    depth_inside: bool  # a line runs along the depth

    @property
    def length(self) -> int:
        """Values per line."""
        return self.depth if self.depth_inside else self.outer

    @property
    def lines(self) -> int:
        """Lines of the tile."""
        return self.outer if self.depth_inside else self.depth

    @property
    def pitch(self) -> int:
        """The distance from a line to the next, which avoids bank conflicts: see above."""
        return self.length + (4 if self.depth_inside else 8)

    @property
    def outer_step(self) -> int:
        """The distance from a row of A, or a column of B, to the next."""
        return self.pitch if self.depth_inside else 1

    @property
    def depth_step(self) -> int:
        """The distance from one k to the next."""
        return 1 if self.depth_inside else self.pitch

    @property
    def size(self) -> int:
        """Values of shared memory."""
        return self.lines * self.pitch
