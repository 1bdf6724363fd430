"""Convolutions on the tensor cores: makers with the names and arguments of the other makers.

The formulas are the reference's, Y = X W + b, dX = dY W^T, dW = X^T dY, as matrix products whose
factors are found in the images as they are (`operands.py`):

    forward    rows: output pixels     depth: cells, channels      columns: filters
    dx         rows: input pixels      depth: cells, filters       columns: channels
    dw         rows: cells, channels   depth: output pixels, cut   columns: filters

For dx every input pixel looks back at the output pixels that saw it; that is one of each cell if
the stride is 1, the only one allowed. Behind ReLU or max pooling the gradient dy is looked up in
the smaller image: where y is positive, or where the pixel won.
"""

from __future__ import annotations

from typing import Any

from minicnn.backends.cuda.moments import moments_launches
from minicnn.backends.cuda.runtime.launch import THREADS, KernelPlan, Launch, blocks_for
from minicnn.backends.cuda.tensor_cores.operands import (
    Grid,
    Sight,
    behind_pooling,
    behind_relu,
    copier,
    matrix,
    patch,
    pooled_patch,
    turned,
    weights_by_filter,
)
from minicnn.backends.cuda.tensor_cores.product import Factor, launch, sum_of_parts
from minicnn.backends.cuda.tensor_cores.results import FINISHES, plain_store, pooled_store
from minicnn.backends.cuda.tensor_cores.results import behind_relu as finished_behind_relu
from minicnn.backends.cuda.tensor_cores.tiles import (
    MULTIPROCESSORS,
    ProductSize,
    SharedLayout,
    WarpTile,
    best_tile,
)
from minicnn.contracts import Spec
from minicnn.shapes import Pair, Window2D

# Steps of a part of dw's depth at least: less work than storing its sums. An estimate, not measured
# on a GPU (2026-11).
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


CHOICES = {"": None, "y": behind_relu, "argmax": behind_pooling}


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
    grid = Grid(x.shape[0], *window.out_hw(image), pooled=pool is not None)
    product = ProductSize(grid.rows, w.shape[3], window.size[0] * window.size[1] * w.shape[2])
    if not product.rows:
        return KernelPlan(())
    tile = best_tile(product)
    place = patch(grid, _sight(window, image, w.shape[2]))
    factors = (
        _factor(tile, place, tile.rows, w.shape[2]),
        _factor(tile, matrix(product.columns, product.depth), tile.columns, product.columns, False),
    )
    finish = FINISHES[b is not None, relu]
    beside = "w" if b is None else "b"
    if pool is None:
        store = plain_store(tile, product, finish, 0)
        return KernelPlan(
            (launch(tile, product, factors, store, ("y", "y", "x", "x", "w", "w", beside)),)
        )
    windows = grid.images * (grid.height // 2) * (grid.width // 2)
    store = pooled_store(tile, windows, product.columns, finish, nobody=relu)
    arguments = ("y", "argmax", "x", "x", "w", "w", beside)
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
    grid, filters = Grid(dy.shape[0], *image), w.shape[3]
    product = ProductSize(grid.rows, w.shape[2], window.size[0] * window.size[1] * filters)
    if not product.rows:
        return KernelPlan(())
    tile = best_tile(product)
    sight = Sight(
        image=window.out_hw(image),
        channels=filters,
        size=window.size,
        step=(1, 1),
        first=(window.pad_h[0], window.pad_w[0]),
        dilation=(-window.dilation[0], -window.dilation[1]),
    )
    weights = weights_by_filter(window.size[0] * window.size[1], w.shape[2], filters)
    factors = (
        _factor(tile, _gradient(grid, sight, pool), tile.rows, filters, choose=CHOICES[by]),
        _factor(tile, weights, tile.columns, filters),
    )
    finish = finished_behind_relu if out == "dz" else FINISHES[False, False]
    store = plain_store(tile, product, finish, 0)
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
    grid = Grid(dy.shape[0], *out_hw)
    product = ProductSize(window.size[0] * window.size[1] * channels, filters, grid.rows)
    tile = best_tile(product, shared_depth=True)
    parts = _parts(tile, product)
    sums = Spec((parts, product.rows + 1, filters))
    add = sum_of_parts(parts, product.rows, filters)
    size = (product.rows + 1) * filters
    second = Launch(add, blocks_for(size), THREADS, ("dw", "db", "sums"))
    if not parts:
        return KernelPlan((second._replace(arguments=("dw", "db", "dw")),))
    themselves = Sight(out_hw, filters, (1, 1), (1, 1), (0, 0), (1, 1))
    gradient = turned(_gradient(grid, themselves, pool))
    factors = (
        _factor(
            tile, turned(patch(grid, _sight(window, image, channels))), tile.rows, channels, False
        ),
        _factor(tile, gradient, tile.columns, filters, False, CHOICES[by]),
    )
    store = plain_store(tile, product, FINISHES[False, False], size)
    arguments = ("sums", "sums", "x", "x", "dy", by or "dy", "x")
    first = launch(tile, product, factors, store, arguments, parts=parts, column_sums=True)
    return KernelPlan((first, second), {"sums": sums})


def _sight(window: Window2D, image: Pair, channels: int) -> Sight:
    """What an output pixel sees of the input."""
    first = (-window.pad_h[0], -window.pad_w[0])
    return Sight(image, channels, window.size, window.stride, first, window.dilation)


def _gradient(grid: Grid, sight: Sight, pool: Window2D | None) -> Any:
    """Where dy is for the pixels in sight, before a pooling, if there was one."""
    return pooled_patch(grid, sight, pool.size) if pool else patch(grid, sight)


def _factor(
    tile: WarpTile,
    place: Any,
    outer: int,
    neighbors: int,
    depth_inside: bool = True,
    choose: Any = None,
) -> Factor:
    """`neighbors` numbers stand side by side; 4 are copied at once if that divides them."""
    layout = SharedLayout(outer, tile.depth, depth_inside)
    words = 4 if neighbors % 4 == 0 else 1
    return Factor(copier(place, layout, tile.threads, words, choose), layout)


def _parts(tile: WarpTile, product: ProductSize) -> int:
    """Enough for all multiprocessors, twice; by the shapes alone, so that results never change."""
    down, across = tile.blocks(product)
    wanted = -(-2 * MULTIPROCESSORS // (down * across))
    return min(wanted, -(-tile.steps(product) // MIN_STEPS))
