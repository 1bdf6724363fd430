"""Convolution: its output and both gradients as matrix products, see implicit_gemm.py.

    product     rows of C        k              columns    A          B
    forward     (n, oy, ox)      (ky, kx, ci)   co         windows    weights
    by input    (n, iy, ix)      (ky, kx, co)   ci         dz         weights, turned
    by weights  (ky, kx, ci)     (n, oy, ox)    co         windows    dz

The gradient by the input is in gather form: a pixel adds up what it gets from the windows that see
it, so no two threads write the same number. With a stride only every so many cells of A are not 0.
"""

from __future__ import annotations

from typing import Any

from minicnn.backends.cuda.conv2d_indices import (
    Geometry,
    gradient_of_pixels,
    gradient_seen,
    plain,
    row_by_row,
    seen,
    seen_by_weights,
    weights,
    weights_of_pixels,
)
from minicnn.backends.cuda.conv2d_tiles import ImplicitProduct
from minicnn.backends.cuda.implicit_gemm import product_plan
from minicnn.backends.cuda.runtime.api import device, float32, uint32
from minicnn.backends.cuda.runtime.kernel_cache import cached
from minicnn.backends.cuda.runtime.launch import KernelPlan
from minicnn.backends.cuda.weight_gradient import weight_gradient_plan
from minicnn.contracts import Spec
from minicnn.shapes import Pair, Window2D

ZERO = float32(0)


def conv2d_forward(x: Spec, w: Spec, b: Spec | None, **attributes: Any) -> KernelPlan:
    g = geometry(w, **attributes)
    return convolution(g, x.shape[0], "y", bias=b is not None, relu=False)


def conv2d_backward_input(dy: Spec, w: Spec, **attributes: Any) -> KernelPlan:
    g = geometry(w, **attributes)
    return input_gradient(g, dy.shape[0], plain(g), "dy")


def conv2d_backward_weights(dy: Spec, x: Spec, **attributes: Any) -> KernelPlan:
    g = geometry_of_images(x, dy, **attributes)
    return weights_gradient(g, x.shape[0], plain(g), "dy")


def geometry(w: Spec, *, window: Window2D, groups: int, image: Pair, **_: Any) -> Geometry:
    """The convolution with these weights."""
    return Geometry(window, image, w.shape[2] * groups, w.shape[3], groups)


def geometry_of_images(
    x: Spec, dy: Spec, *, window: Window2D, groups: int, image: Pair, **_: Any
) -> Geometry:
    """The convolution from x to images with the channels of dy."""
    return Geometry(window, image, x.shape[3], dy.shape[3], groups)


def convolution(g: Geometry, images: int, out: str, *, bias: bool, relu: bool) -> KernelPlan:
    """conv2d(x) with bias and ReLU as asked for, to the array `out`."""
    product = ImplicitProduct(
        rows=images * g.pixels,
        depth=g.taps,
        columns=g.filters,
        a=seen(g, row_by_row(g.out_hw)),
        b=weights(g.filters),
        finish=activated(g.filters, bias, relu),
        groups=g.groups,
    )
    return product_plan(product, (out, "x", "x", "w", "b" if bias else "w"))


def input_gradient(
    g: Geometry, images: int, gradient: Any, mask: str, *, relu: bool = False
) -> KernelPlan:
    """dx, or dz where x is relu(z). gradient(dy, gate, n, oy, ox, co) is that of conv2d(x)."""
    product = ImplicitProduct(
        rows=images * g.image[0] * g.image[1],
        depth=g.cells * g.filters // g.groups,
        columns=g.channels,
        a=gradient_seen(g, gradient),
        b=weights_of_pixels(g),
        finish=through_relu(g.channels, relu),
        b_down=True,
        groups=g.groups,
    )
    return product_plan(
        product, ("dz", mask, "dy", "w", "x") if relu else ("dx", mask, "dy", "w", "w")
    )


def weights_gradient(g: Geometry, images: int, gradient: Any, mask: str) -> KernelPlan:
    """dw and db; `gradient` as above."""
    product = ImplicitProduct(
        rows=g.taps + 1,
        depth=images * g.pixels,
        columns=g.filters,
        a=seen_by_weights(g, row_by_row(g.out_hw)),
        b=gradient_of_pixels(g, gradient),
        finish=None,
        a_down=True,
        groups=g.groups,
    )
    return weight_gradient_plan(product, mask)


@cached
def activated(filters: int, bias: bool, relu: bool) -> Any:
    """y = sum + b, or relu of it."""
    columns = uint32(filters)

    @device
    def finish(y, mask, b, split, row, column, sums, i):
        z = sums[i] + b[column] if bias else sums[i]
        y[uint32(row * columns + column)] = ZERO if relu and z <= ZERO else z

    return finish


@cached
def through_relu(channels: int, relu: bool) -> Any:
    """dx = sum, or dz = sum where x > 0, else 0. dz may be the memory of x: each reads its own."""
    columns = uint32(channels)

    @device
    def finish(dx, mask, x, split, row, column, sums, i):
        at = uint32(row * columns + column)
        if relu:
            dx[at] = sums[i] if x[at] > ZERO else ZERO
        else:
            dx[at] = sums[i]

    return finish
