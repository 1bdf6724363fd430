"""How a block's sums are stored: epilogues, and the device functions that call them.

Each lane of a warp holds four sums of each of the warp's instructions, of which there are 2 down
and several across. A store gets these sums flat, the lane, and the row and column where the warp's
part of the result begins.
"""

from __future__ import annotations

from typing import Any

from minicnn.backends.cuda.activations import relu
from minicnn.backends.cuda.runtime.api import device, float32, uint32
from minicnn.backends.cuda.runtime.kernel_cache import cached
from minicnn.backends.cuda.tensor_cores.fragments import COLUMNS, ROWS, c_column, c_row
from minicnn.backends.cuda.tensor_cores.operands import WINDOWS
from minicnn.backends.cuda.tensor_cores.tiles import WARP_ROWS, MmaTile, ProductSize

ZERO = float32(0)
NO_ARGMAX = uint32(255)  # after ReLU: no value of the window is positive


@device
def identity(total, extra, index, column):
    return total


@device
def with_bias(total, extra, index, column):
    return total + extra[column]


@device
def with_relu(total, extra, index, column):
    return relu(total)


@device
def with_bias_and_relu(total, extra, index, column):
    return relu(total + extra[column])


@device
def masked_by_relu(total, extra, index, column):
    """The gradient where x > 0, else 0; it may overwrite x, which is `extra`."""
    return total if extra[index] > ZERO else ZERO


EPILOGUES = {
    (False, False): identity,
    (True, False): with_bias,
    (False, True): with_relu,
    (True, True): with_bias_and_relu,
}


@cached
def plain_store(tile: MmaTile, product: ProductSize, epilogue: Any, part_size: int) -> Any:
    """Return a store: out[part, row, column] = epilogue(sum, extra, index, column)."""
    down, across = tile.instructions
    rows, columns, size = uint32(product.rows), uint32(product.columns), uint32(part_size)

    @device
    def store(out, argmax, extra, sums, row, column, lane, part):
        for i in range(down):
            for j in range(across):
                for r in range(4):
                    y = uint32(row + uint32(i * ROWS) + c_row(lane, uint32(r)))
                    x = uint32(column + uint32(j * COLUMNS) + c_column(lane, uint32(r)))
                    if y < rows and x < columns:
                        index = uint32(y * columns + x)
                        total = sums[(i * across + j) * 4 + r]
                        out[uint32(part * size + index)] = epilogue(total, extra, index, x)

    return store


@cached
def pooled_store(
    tile: MmaTile, windows: int, columns: int, epilogue: Any, *, after_relu: bool
) -> Any:
    """Return a store of each window's maximum and its cell; a lane has all 4 sums of a window."""
    _, across = tile.instructions
    count, width, rows = uint32(windows), uint32(columns), uint32(WARP_ROWS)

    @device
    def maximum(sums, first, extra, column):
        best, best_cell = ZERO, uint32(0)
        for cell in range(4):
            total = sums[first + (cell // 2) * across * 4 + cell % 2 * 2]
            value = epilogue(total, extra, uint32(0), column)
            if cell == 0 or value > best or (value != value and best == best):
                best, best_cell = value, uint32(cell)
        return best, best_cell

    @device
    def store(out, argmax, extra, sums, row, column, lane, part):
        window = uint32(row // rows * WINDOWS + c_row(lane, uint32(0)))
        for j in range(across):
            for r in range(2):
                x = uint32(column + uint32(j * COLUMNS) + c_column(lane, uint32(r)))
                if window < count and x < width:
                    best, best_cell = maximum(sums, j * 4 + r, extra, x)
                    index = uint32(window * width + x)
                    out[index] = best
                    argmax[index] = NO_ARGMAX if after_relu and not best > ZERO else best_cell

    return store
