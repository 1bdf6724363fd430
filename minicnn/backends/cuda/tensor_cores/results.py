"""What becomes of a block's sums: stores, each a device function.

A warp's lane holds four sums of each of its instructions, 2 down and some across. A store gets them
flat, with the row and the column of the warp's part of the result and the lane.
"""

from __future__ import annotations

from typing import Any

from minicnn.backends.cuda.activations import relu
from minicnn.backends.cuda.runtime.api import device, float32, uint32
from minicnn.backends.cuda.runtime.kernel_cache import cached
from minicnn.backends.cuda.tensor_cores.fragments import COLUMNS, ROWS, c_column, c_row
from minicnn.backends.cuda.tensor_cores.operands import WINDOWS
from minicnn.backends.cuda.tensor_cores.tiles import WARP_ROWS, ProductSize, WarpTile

ZERO = float32(0)
NO_ARGMAX = uint32(255)  # won a window whose largest number is not positive behind ReLU


@device
def as_it_is(total, beside, index, column):
    return total


@device
def with_bias(total, beside, index, column):
    return total + beside[column]


@device
def with_relu(total, beside, index, column):
    return relu(total)


@device
def with_bias_and_relu(total, beside, index, column):
    return relu(total + beside[column])


@device
def behind_relu(total, beside, index, column):
    """The gradient goes on where x, which may be overwritten by it, is positive."""
    return total if beside[index] > ZERO else ZERO


FINISHES = {
    (False, False): as_it_is,
    (True, False): with_bias,
    (False, True): with_relu,
    (True, True): with_bias_and_relu,
}


@cached
def plain_store(tile: WarpTile, product: ProductSize, finish: Any, part_size: int) -> Any:
    """out[row, column] = finish(sum, beside, index, column), in matrix number `part` of out."""
    down, across = tile.instructions
    rows, columns, size = uint32(product.rows), uint32(product.columns), uint32(part_size)

    @device
    def store(out, argmax, beside, sums, row, column, lane, part):
        for i in range(down):
            for j in range(across):
                for r in range(4):
                    y = uint32(row + uint32(i * ROWS) + c_row(lane, uint32(r)))
                    x = uint32(column + uint32(j * COLUMNS) + c_column(lane, uint32(r)))
                    if y < rows and x < columns:
                        index = uint32(y * columns + x)
                        total = sums[(i * across + j) * 4 + r]
                        out[uint32(part * size + index)] = finish(total, beside, index, x)

    return store


@cached
def pooled_store(tile: WarpTile, windows: int, columns: int, finish: Any, *, nobody: bool) -> Any:
    """The largest of each window's 4 sums and its number; by the grid's order one lane has them."""
    _, across = tile.instructions
    count, wide, rows = uint32(windows), uint32(columns), uint32(WARP_ROWS)

    @device
    def store(out, argmax, beside, sums, row, column, lane, part):
        window = uint32(row // rows * WINDOWS + c_row(lane, uint32(0)))
        for j in range(across):
            for r in range(2):
                x = uint32(column + uint32(j * COLUMNS) + c_column(lane, uint32(r)))
                if window < count and x < wide:
                    best, argmax_cell = float32(0), uint32(0)
                    for cell in range(4):
                        total = sums[((cell // 2) * across + j) * 4 + cell % 2 * 2 + r]
                        value = finish(total, beside, uint32(0), x)
                        if cell == 0 or value > best or (value != value and best == best):
                            best, argmax_cell = value, uint32(cell)
                    index = uint32(window * wide + x)
                    out[index] = best
                    argmax[index] = NO_ARGMAX if nobody and not best > ZERO else argmax_cell

    return store
