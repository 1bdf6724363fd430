"""Convolution, activation and max pooling in one launch: the image between them is never written.

The product has one row per (pooled pixel, cell), and a thread has all cells of its windows, so it
takes the maximum itself and stores its position. Where windows overlap, cells would be computed
several times: then the convolution is written to scratch memory and pooled from there.

Backward, dz is dy at the positions of the maxima and 0 elsewhere. For dx, dz is looked up as it is
read. For dw, only the positions of the maxima are visited: see argmax_weight_gradient.py.
"""

from __future__ import annotations

from typing import Any

from minicnn.backends.cuda.argmax_weight_gradient import argmax_weight_gradient
from minicnn.backends.cuda.conv2d import (
    convolution,
    geometry,
    geometry_of_images,
    input_gradient,
)
from minicnn.backends.cuda.conv2d_indices import Geometry, inputs_seen, weights
from minicnn.backends.cuda.conv2d_tiles import ImplicitProduct
from minicnn.backends.cuda.implicit_gemm import product_plan
from minicnn.backends.cuda.moments import moments_launches
from minicnn.backends.cuda.pool_argmax import (
    cell_by_cell,
    cells_of,
    masked_by_argmax,
    pool_kernel,
    pooled_pixels,
    store_maximum,
)
from minicnn.backends.cuda.runtime.launch import THREADS, KernelPlan, Launch, blocks_for
from minicnn.contracts import Spec
from minicnn.shapes import Window2D

MAX_CELLS = 16  # per window, which a thread keeps in registers


def conv2d_max_pool2d_forward(
    x: Spec, w: Spec, b: Spec | None, *, pool: Window2D, activation: str, **attributes: Any
) -> KernelPlan:
    g, relu = geometry(w, **attributes), activation == "relu"
    if overlaps(pool) or cells_of(pool) > MAX_CELLS:
        return _convolved_then_pooled(g, pool, x.shape[0], b is not None, relu)
    product = ImplicitProduct(
        rows=x.shape[0] * pooled_pixels(g, pool) * cells_of(pool),
        depth=g.taps,
        columns=g.filters,
        a=inputs_seen(g, cell_by_cell(pool, g.out_hw)),
        b=weights(g.filters),
        epilogue=store_maximum(g, pool, b is not None, relu),
        adjacent=cells_of(pool),
        groups=g.groups,
    )
    return product_plan(product, ("y", "argmax", "x", "w", "w" if b is None else "b"))


def conv2d_max_pool2d_moments_forward(
    x: Spec, w: Spec, b: Spec | None, *, pool: Window2D, **attributes: Any
) -> KernelPlan:
    plan = conv2d_max_pool2d_forward(x, w, b, pool=pool, **attributes)
    g = geometry(w, **attributes)
    launches, scratch = moments_launches(x.shape[0] * pooled_pixels(g, pool), g.filters)
    return KernelPlan((*plan.launches, *launches), {**plan.scratch, **scratch})


def conv2d_max_pool2d_backward_input(
    dy: Spec, argmax: Spec, w: Spec, *, pool: Window2D, **attributes: Any
) -> KernelPlan:
    g = geometry(w, **attributes)
    return input_gradient(g, dy.shape[0], masked_by_argmax(g, pool), "argmax")


def conv2d_max_pool2d_backward_weights(
    dy: Spec, argmax: Spec, x: Spec, *, pool: Window2D, **attributes: Any
) -> KernelPlan:
    return argmax_weight_gradient(geometry_of_images(x, dy, **attributes), pool, x.shape[0])


def overlaps(pool: Window2D) -> bool:
    """Return whether a pixel can lie in several windows."""
    return pool.stride[0] < pool.size[0] or pool.stride[1] < pool.size[1]


def _convolved_then_pooled(
    g: Geometry, pool: Window2D, images: int, bias: bool, relu: bool
) -> KernelPlan:
    count = images * pooled_pixels(g, pool) * g.filters
    convolved = convolution(g, images, "z", bias=bias, relu=False)
    kernel = pool_kernel(g, pool, relu, count)
    pooled = Launch(kernel, blocks_for(count), THREADS, ("y", "argmax", "z"))
    scratch = {"z": Spec((images, *g.out_hw, g.filters))}
    return KernelPlan((*convolved.launches, pooled), scratch) if count else KernelPlan(())
