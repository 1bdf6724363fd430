"""The matrix product on tensor cores: one kernel for all convolutions and dense layers.

A block computes a tile of the result, rows x columns, in steps along the depth. Copies to shared
memory start stages - 1 steps before they are used. A step waits for its own copies; one barrier per
step is enough, because what is overwritten next was read before it. A warp computes 32 rows of the
tile: each lane loads its fragments from shared memory, rounds them to TF32 and multiplies. Sums are
float32.

Where rows and columns make too few blocks, the depth is divided into parts, too. Each part's sums
are stored as float32 in a matrix of their own, and a second launch adds the matrices in order, in
float64 (weight_gradient.py). So equal shapes give equal bits.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from minicnn.backends.cuda.runtime.api import cuda, device, float32, jit, uint32
from minicnn.backends.cuda.runtime.kernel_cache import cached
from minicnn.backends.cuda.runtime.launch import Launch
from minicnn.backends.cuda.tensor_cores import mma
from minicnn.backends.cuda.tensor_cores.fragments import (
    COLUMNS,
    DEPTH,
    LANES,
    ROWS,
    a_depth,
    a_row,
    b_column,
    b_depth,
)
from minicnn.backends.cuda.tensor_cores.tiles import WARP_ROWS, MmaTile, ProductSize, SharedLayout

ZERO = float32(0)


class Factor(NamedTuple):
    """One operand: how its tiles are copied to shared memory, and their layout there."""

    copy: Any
    layout: SharedLayout


def launch(
    tile: MmaTile,
    product: ProductSize,
    factors: tuple[Factor, Factor],
    store: Any,
    arguments: tuple[str, ...],
    *,
    parts: int = 1,
    column_sums: bool = False,
) -> Launch:
    """Return the launch of a product, none of whose sizes is 0.

    `column_sums` also stores the sums of B's columns, as an additional row of each part.
    """
    kernel = product_kernel(tile, product, factors, store, parts, column_sums)
    down, across = tile.blocks(product)
    return Launch(kernel, parts * down * across, tile.threads, arguments)


@cached
def product_kernel(
    tile: MmaTile,
    product: ProductSize,
    factors: tuple[Factor, Factor],
    store: Any,
    parts: int,
    column_sums: bool,
) -> Any:
    """Return kernel(out, argmax, a, a_mask, b, b_mask, extra); unused arrays may be any."""
    (copy_a, layout_a), (copy_b, layout_b) = factors
    down, across = map(uint32, tile.blocks(product))
    steps = -(-tile.steps(product) // parts)
    stages, ahead = uint32(tile.stages), tile.stages - 1
    stage_size, b_start = uint32(layout_a.size + layout_b.size), uint32(layout_a.size)
    rows, columns, depth = uint32(tile.rows), uint32(tile.columns), uint32(tile.depth)
    warp_rows, warp_columns = uint32(WARP_ROWS), uint32(tile.warp_columns)
    warps_across, lanes = columns // warp_columns, uint32(LANES)
    sums_held = 4 * tile.instructions[0] * tile.instructions[1]  # per lane
    memory_size, alignment = tile.stages * (layout_a.size + layout_b.size), mma.ALIGNMENT
    multiply = _multiply_step(tile, layout_a, layout_b)
    wait, commit = mma.wait(ahead - 1), mma.commit
    add_column, store_column = _add_column(layout_b), _store_column(product)

    @jit
    def product_on_tensor_cores(out, argmax, a, a_mask, b, b_mask, extra):
        memory = cuda.shared.array(memory_size, float32, alignment=alignment)
        sums = cuda.local.array(sums_held, float32)
        for i in range(sums_held):
            sums[i] = ZERO
        column_sum = ZERO
        thread, block = uint32(cuda.threadIdx.x), uint32(cuda.blockIdx.x)
        warp, lane = thread // lanes, thread % lanes
        row, column = block // across % down * rows, block % across * columns
        part = block // across // down
        begin = part * uint32(steps)
        warp_row, warp_column = warp // warps_across * warp_rows, warp % warps_across * warp_columns
        for step in range(ahead):
            start = uint32(step) * stage_size
            layer = (begin + uint32(step)) * depth
            copy_a(memory, start, a, a_mask, row, layer, thread)
            copy_b(memory, start + b_start, b, b_mask, column, layer, thread)
            commit()
        for step in range(steps):
            wait()
            cuda.syncthreads()
            if step + ahead < steps:
                start = uint32(step + ahead) % stages * stage_size
                layer = (begin + uint32(step + ahead)) * depth
                copy_a(memory, start, a, a_mask, row, layer, thread)
                copy_b(memory, start + b_start, b, b_mask, column, layer, thread)
            commit()
            start = uint32(step) % stages * stage_size
            multiply(memory, start, start + b_start, warp_row, warp_column, lane, sums)
            if column_sums and row == 0 and thread < columns:
                column_sum = add_column(memory, start + b_start + thread, column_sum)
        store(out, argmax, extra, sums, row + warp_row, column + warp_column, lane, part)
        if column_sums and row == 0 and thread < columns:
            store_column(out, part, column + thread, column_sum)

    return product_on_tensor_cores


@cached
def _multiply_step(tile: MmaTile, layout_a: SharedLayout, layout_b: SharedLayout) -> Any:
    """Return a device function: sums += A B for a warp's part of the tiles in shared memory."""
    down, across = tile.instructions
    deep = tile.depth // DEPTH
    a_of, b_of = _fragment_offset(layout_a), _fragment_offset(layout_b)
    multiply, rounded, held = mma.multiply, mma.rounded, 2 * across

    @device
    def multiply_step(memory, a_start, b_start, warp_row, warp_column, lane, sums):
        a = cuda.local.array(4, uint32)
        b = cuda.local.array(held, uint32)
        for layer in range(deep):
            k = uint32(layer * DEPTH)
            for j in range(across):
                for r in range(2):
                    at = b_of(warp_column + b_column(lane), b_depth(lane, uint32(r)))
                    b[2 * j + r] = rounded(memory[b_start + at + b_of(uint32(j * COLUMNS), k)])
            for i in range(down):
                at = a_start + a_of(uint32(i * ROWS), k)
                for r in range(4):
                    offset = a_of(warp_row + a_row(lane, uint32(r)), a_depth(lane, uint32(r)))
                    a[r] = rounded(memory[at + offset])
                for j in range(across):
                    c = (i * across + j) * 4
                    sums[c], sums[c + 1], sums[c + 2], sums[c + 3] = multiply(
                        a[0], a[1], a[2], a[3], b[2 * j], b[2 * j + 1],
                        sums[c], sums[c + 1], sums[c + 2], sums[c + 3],
                    )  # fmt: skip

    return multiply_step


def _fragment_offset(layout: SharedLayout) -> Any:
    outer_step, depth_step = uint32(layout.outer_step), uint32(layout.depth_step)
    return device(lambda outer, depth: outer * outer_step + depth * depth_step)


def _add_column(layout: SharedLayout) -> Any:
    """Return a device function that adds a column of B, for the bias's gradient, in float32."""
    layers, step = layout.depth, uint32(layout.depth_step)

    @device
    def add_column(memory, start, total):
        for k in range(layers):
            total += memory[start + uint32(k) * step]
        return total

    return add_column


def _store_column(product: ProductSize) -> Any:
    """Return a device function that stores a column's sum in the additional row of the part."""
    rows, columns = uint32(product.rows), uint32(product.columns)

    @device
    def store_column(out, part, column, total):
        if column < columns:
            out[uint32((part * (rows + uint32(1)) + rows) * columns + column)] = total

    return store_column
