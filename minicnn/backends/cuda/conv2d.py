"""Convolution: its output and both gradients as matrix products, see implicit_gemm.py.

    product    rows of C        k              columns    A          B
    forward    (n, oy, ox)      (ky, kx, ci)   co         windows    weights
    dx         (n, iy, ix)      (ky, kx, co)   ci         dz         weights, transposed
    dw         (ky, kx, ci)     (n, oy, ox)    co         windows    dz

dz is the gradient of the convolution's own output: dy, or dy with a mask where a ReLU follows. dx
is computed by gathering: each input pixel adds up the gradients of the windows that contain it, so
no two threads write the same value. With a stride > 1 most values of A are 0.
"""

from __future__ import annotations

from typing import Any

from minicnn.backends.cuda.conv2d_indices import (
    Geometry,
    gradient_of_outputs,
    gradient_of_pixels,
    inputs_seen,
    inputs_seen_transposed,
    row_by_row,
    unmasked,
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
    return input_gradient(g, dy.shape[0], unmasked(g), "dy")


def conv2d_backward_weights(dy: Spec, x: Spec, **attributes: Any) -> KernelPlan:
    g = geometry_of_images(x, dy, **attributes)
    return weights_gradient(g, x.shape[0], unmasked(g), "dy")


def geometry(w: Spec, *, window: Window2D, groups: int, image: Pair, **_: Any) -> Geometry:
    """Return the sizes of the convolution with these weights."""
    return Geometry(window, image, w.shape[2] * groups, w.shape[3], groups)


def geometry_of_images(
    x: Spec, dy: Spec, *, window: Window2D, groups: int, image: Pair, **_: Any
) -> Geometry:
    """Return the sizes of the convolution from x to images with the channels of dy."""
    return Geometry(window, image, x.shape[3], dy.shape[3], groups)


def convolution(g: Geometry, images: int, out: str, *, bias: bool, relu: bool) -> KernelPlan:
    """Return a plan that writes conv2d(x), with or without bias and ReLU, to the array `out`."""
    product = ImplicitProduct(
        rows=images * g.pixels,
        depth=g.taps,
        columns=g.filters,
        a=inputs_seen(g, row_by_row(g.out_hw)),
        b=weights(g.filters),
        epilogue=store_output(g.filters, bias, relu),
        groups=g.groups,
    )
    # out, mask, A, B, extra: an array that the kernel does not use can be any array.
    return product_plan(product, (out, "x", "x", "w", "b" if bias else "w"))


def input_gradient(
    g: Geometry, images: int, gradient: Any, mask: str, *, relu: bool = False
) -> KernelPlan:
    """Return a plan for dx, or with `relu` for dz where x = relu(z).

    gradient(dy, mask, n, oy, ox, co) is the gradient of conv2d(x).
    """
    product = ImplicitProduct(
        rows=images * g.image[0] * g.image[1],
        depth=g.cells * g.filters // g.groups,
        columns=g.channels,
        a=gradient_of_outputs(g, gradient),
        b=weights_of_pixels(g),
        epilogue=store_input_gradient(g.channels, relu),
        b_down=True,
        groups=g.groups,
    )
    # out, mask, A, B, extra
    return product_plan(
        product, ("dz", mask, "dy", "w", "x") if relu else ("dx", mask, "dy", "w", "w")
    )


def weights_gradient(g: Geometry, images: int, gradient: Any, mask: str) -> KernelPlan:
    """Return a plan for dw and db; `gradient` as in `input_gradient`."""
    product = ImplicitProduct(
        rows=g.taps + 1,
        depth=images * g.pixels,
        columns=g.filters,
        a=inputs_seen_transposed(g, row_by_row(g.out_hw)),
        b=gradient_of_pixels(g, gradient),
        epilogue=None,
        a_down=True,
        groups=g.groups,
    )
    return weight_gradient_plan(product, mask)


@cached
def store_output(filters: int, bias: bool, relu: bool) -> Any:
    """Return an epilogue: y = sum + b, or relu(sum + b)."""
    columns = uint32(filters)

    @device
    def epilogue(y, mask, b, split, row, column, sums, i):
        z = sums[i] + b[column] if bias else sums[i]
        y[uint32(row * columns + column)] = ZERO if relu and z <= ZERO else z

    return epilogue


@cached
def store_input_gradient(channels: int, relu: bool) -> Any:
    """Return an epilogue: dx = sum, or with `relu` dz = sum where x > 0, else 0.

    dz may have the memory of x: a thread reads the value of x that it overwrites.
    """
    columns = uint32(channels)

    @device
    def epilogue(dx, mask, x, split, row, column, sums, i):
        at = uint32(row * columns + column)
        if relu:
            dx[at] = sums[i] if x[at] > ZERO else ZERO
        else:
            dx[at] = sums[i]

    return epilogue
