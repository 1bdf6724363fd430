"""Convolutions on tensor cores: kernel factories with the names of those in ../conv2d.py.

The formulas are the reference's, Y = X W + b, dX = dY W^T and dW = X^T dY, as matrix products whose
factors are read from images and weights (operands.py):

    forward    rows: output pixels     depth: cells, channels              columns: filters
    dx         rows: input pixels      depth: cells, filters               columns: channels
    dw         rows: cells, channels   depth: output pixels, in parts      columns: filters

For dx, an input pixel reads the output pixels whose windows contain it: with stride 1, the only one
allowed, there is one per cell. Where ReLU or max pooling follows the convolution, dz is dy where y
is positive, or at the position of the maximum in the smaller image.
"""

from __future__ import annotations

from typing import Any

from minicnn.backends.cuda.moments import moments_launches
from minicnn.backends.cuda.runtime.launch import KernelPlan
from minicnn.backends.cuda.tensor_cores.operands import (
    PixelGrid,
    ReceptiveField,
    copier,
    masked_by_argmax,
    masked_by_relu,
    matrix,
    patch,
    pooled_patch,
    transposed,
    weights_by_filter,
)
from minicnn.backends.cuda.tensor_cores.product import Factor, launch
from minicnn.backends.cuda.tensor_cores.results import EPILOGUES, plain_store, pooled_store
from minicnn.backends.cuda.tensor_cores.results import masked_by_relu as masked_epilogue
from minicnn.backends.cuda.tensor_cores.tiles import (
    MULTIPROCESSORS,
    MmaTile,
    ProductSize,
    SharedLayout,
    best_tile,
)
from minicnn.backends.cuda.weight_gradient import with_sum_of_parts
from minicnn.contracts import Spec
from minicnn.shapes import Pair, Window2D

# Steps per part of dw's depth: with fewer, storing the sums costs more than computing them. An
# estimate, not measured on a GPU (2026-11).
MIN_STEPS = 16


def conv2d_forward(x: Spec, w: Spec, b: Spec | None, **attributes: Any) -> KernelPlan:
    return _forward(x, w, b, relu=False, **attributes)


def conv2d_relu_forward(x: Spec, w: Spec, b: Spec | None, **attributes: Any) -> KernelPlan:
    return _forward(x, w, b, relu=True, **attributes)


def conv2d_max_pool2d_forward(
    x: Spec, w: Spec, b: Spec | None, *, pool: Window2D, activation: str, **attributes: Any
) -> KernelPlan:
    return _forward(x, w, b, relu=activation == "relu", pool=pool, **attributes)


def conv2d_max_pool2d_moments_forward(
    x: Spec, w: Spec, b: Spec | None, *, pool: Window2D, **attributes: Any
) -> KernelPlan:
    plan = conv2d_max_pool2d_forward(x, w, b, pool=pool, **attributes)
    out = pool.out_hw(attributes["window"].out_hw(attributes["image"]))
    launches, scratch = moments_launches(x.shape[0] * out[0] * out[1], w.shape[3])
    return KernelPlan((*plan.launches, *launches), {**plan.scratch, **scratch})


def conv2d_backward_input(dy: Spec, w: Spec, **attributes: Any) -> KernelPlan:
    return _backward_input(dy, w, **attributes)


def conv2d_relu_backward_input(dy: Spec, y: Spec, w: Spec, **attributes: Any) -> KernelPlan:
    return _backward_input(dy, w, by="y", **attributes)


def conv2d_max_pool2d_backward_input(
    dy: Spec, argmax: Spec, w: Spec, **attributes: Any
) -> KernelPlan:
    return _backward_input(dy, w, by="argmax", **attributes)


def conv2d_backward_input_relu(dy: Spec, w: Spec, x: Spec, **attributes: Any) -> KernelPlan:
    return _backward_input(dy, w, out="dz", **attributes)


def conv2d_relu_backward_input_relu(
    dy: Spec, y: Spec, w: Spec, x: Spec, **attributes: Any
) -> KernelPlan:
    return _backward_input(dy, w, by="y", out="dz", **attributes)


def conv2d_max_pool2d_backward_input_relu(
    dy: Spec, argmax: Spec, w: Spec, x: Spec, **attributes: Any
) -> KernelPlan:
    return _backward_input(dy, w, by="argmax", out="dz", **attributes)


def conv2d_backward_weights(dy: Spec, x: Spec, **attributes: Any) -> KernelPlan:
    return _backward_weights(dy, x, **attributes)


def conv2d_relu_backward_weights(dy: Spec, y: Spec, x: Spec, **attributes: Any) -> KernelPlan:
    return _backward_weights(dy, x, by="y", **attributes)


def conv2d_max_pool2d_backward_weights(
    dy: Spec, argmax: Spec, x: Spec, **attributes: Any
) -> KernelPlan:
    return _backward_weights(dy, x, by="argmax", **attributes)


MASKS = {"": None, "y": masked_by_relu, "argmax": masked_by_argmax}


def _forward(
    x: Spec,
    w: Spec,
    b: Spec | None,
    *,
    window: Window2D,
    image: Pair,
    relu: bool,
    pool: Window2D | None = None,
    **_: Any,
) -> KernelPlan:
    grid = PixelGrid(x.shape[0], *window.out_hw(image), pooled=pool is not None)
    product = ProductSize(grid.rows, w.shape[3], window.size[0] * window.size[1] * w.shape[2])
    if not product.rows:
        return KernelPlan(())
    tile = best_tile(product)
    locate = patch(grid, _receptive_field(window, image, w.shape[2]))
    factors = (
        _factor(tile, locate, tile.rows, w.shape[2]),
        _factor(tile, matrix(product.columns, product.depth), tile.columns, product.columns, False),
    )
    epilogue = EPILOGUES[b is not None, relu]
    extra = "w" if b is None else "b"
    if pool is None:
        store = plain_store(tile, product, epilogue, 0)
        return KernelPlan(
            (launch(tile, product, factors, store, ("y", "y", "x", "x", "w", "w", extra)),)
        )
    windows = grid.images * (grid.height // 2) * (grid.width // 2)
    store = pooled_store(tile, windows, product.columns, epilogue, after_relu=relu)
    arguments = ("y", "argmax", "x", "x", "w", "w", extra)
    return KernelPlan((launch(tile, product, factors, store, arguments),))


def _backward_input(
    dy: Spec,
    w: Spec,
    *,
    window: Window2D,
    image: Pair,
    by: str = "",
    out: str = "dx",
    pool: Window2D | None = None,
    **_: Any,
) -> KernelPlan:
    grid, filters = PixelGrid(dy.shape[0], *image), w.shape[3]
    product = ProductSize(grid.rows, w.shape[2], window.size[0] * window.size[1] * filters)
    if not product.rows:
        return KernelPlan(())
    tile = best_tile(product)
    field = ReceptiveField(
        image=window.out_hw(image),
        channels=filters,
        size=window.size,
        step=(1, 1),
        first=(window.pad_h[0], window.pad_w[0]),
        dilation=(-window.dilation[0], -window.dilation[1]),
    )
    weights = weights_by_filter(window.size[0] * window.size[1], w.shape[2], filters)
    factors = (
        _factor(tile, _gradient(grid, field, pool), tile.rows, filters, mask=MASKS[by]),
        _factor(tile, weights, tile.columns, filters),
    )
    epilogue = masked_epilogue if out == "dz" else EPILOGUES[False, False]
    store = plain_store(tile, product, epilogue, 0)
    arguments = (out, out, "dy", by or "dy", "w", "w", "x" if out == "dz" else "w")
    return KernelPlan((launch(tile, product, factors, store, arguments),))


def _backward_weights(
    dy: Spec,
    x: Spec,
    *,
    window: Window2D,
    image: Pair,
    by: str = "",
    pool: Window2D | None = None,
    **_: Any,
) -> KernelPlan:
    out_hw, (channels, filters) = window.out_hw(image), (x.shape[3], dy.shape[3])
    grid = PixelGrid(dy.shape[0], *out_hw)
    product = ProductSize(window.size[0] * window.size[1] * channels, filters, grid.rows)
    tile = best_tile(product, shared_depth=True)
    parts = _parts(tile, product)
    rows = product.rows + 1  # the last one is db
    if not parts:
        return with_sum_of_parts(KernelPlan(()), 0, rows, filters)
    themselves = ReceptiveField(out_hw, filters, (1, 1), (1, 1), (0, 0), (1, 1))
    gradient = transposed(_gradient(grid, themselves, pool))
    factors = (
        _factor(
            tile,
            transposed(patch(grid, _receptive_field(window, image, channels))),
            tile.rows,
            channels,
            False,
        ),
        _factor(tile, gradient, tile.columns, filters, False, MASKS[by]),
    )
    store = plain_store(tile, product, EPILOGUES[False, False], rows * filters)
    arguments = ("parts", "parts", "x", "x", "dy", by or "dy", "x")
    first = launch(tile, product, factors, store, arguments, parts=parts, column_sums=True)
    return with_sum_of_parts(KernelPlan((first,)), parts, rows, filters)


def _receptive_field(window: Window2D, image: Pair, channels: int) -> ReceptiveField:
    """Return the input pixels in the window of an output pixel."""
    first = (-window.pad_h[0], -window.pad_w[0])
    return ReceptiveField(image, channels, window.size, window.stride, first, window.dilation)


def _gradient(grid: PixelGrid, field: ReceptiveField, pool: Window2D | None) -> Any:
    """Return a locator of dy for the pixels of `field`, which may have been pooled."""
    return pooled_patch(grid, field, pool.size) if pool else patch(grid, field)


def _factor(
    tile: MmaTile,
    locate: Any,
    outer: int,
    neighbors: int,
    depth_inside: bool = True,
    mask: Any = None,
) -> Factor:
    """Return an operand with `neighbors` contiguous values, copied four at a time if possible."""
    layout = SharedLayout(outer, tile.depth, depth_inside)
    words = 4 if neighbors % 4 == 0 else 1
    return Factor(copier(locate, layout, tile.threads, words, mask), layout)


def _parts(tile: MmaTile, product: ProductSize) -> int:
    """Return how many parts of the depth make two blocks per multiprocessor.

    The number depends on shapes only, so results do not depend on the GPU.
    """
    down, across = tile.blocks(product)
    wanted = -(-2 * MULTIPROCESSORS // (down * across))
    return min(wanted, -(-tile.steps(product) // MIN_STEPS))
