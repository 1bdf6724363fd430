"""The dense layer: three matrix products (gemm.py). The reference's dense.py has the formulas."""

from __future__ import annotations

import math
from typing import Any

from minicnn.backends.cuda.activations import map_kernel
from minicnn.backends.cuda.column_sums import column_sums
from minicnn.backends.cuda.elementwise import identity
from minicnn.backends.cuda.gemm import MatrixProduct, matrix_product
from minicnn.backends.cuda.runtime.api import cuda, jit, uint32
from minicnn.backends.cuda.runtime.kernel_cache import cached
from minicnn.backends.cuda.runtime.launch import KernelPlan, elementwise, joined
from minicnn.contracts import Spec


def dense_forward(x: Spec, w: Spec, b: Spec | None) -> KernelPlan:
    product = MatrixProduct(rows_of(x), w.shape[1], w.shape[0])
    return matrix_product("y", "x", "w", product, bias=None if b is None else "b")


def dense_backward_input(dy: Spec, w: Spec) -> KernelPlan:
    product = MatrixProduct(rows_of(dy), w.shape[0], w.shape[1], b_transposed=True)
    return matrix_product("dx", "dy", "w", product)


def dense_backward_weights(dy: Spec, x: Spec) -> KernelPlan:
    return joined(weights_gradient(dy, x), bias_backward_bias(dy))


def weights_gradient(dy: Spec, x: Spec) -> KernelPlan:
    """Return a plan for dW = X^T dY, without db."""
    product = MatrixProduct(x.shape[-1], dy.shape[-1], rows_of(dy), a_transposed=True)
    return matrix_product("dw", "x", "dy", product)


def rows_of(x: Spec) -> int:
    """Return the number of rows if all axes but the last are one."""
    return math.prod(x.shape[:-1])


def bias_forward(x: Spec, b: Spec) -> KernelPlan:
    count = math.prod(x.shape)
    return elementwise(_bias_kernel(count, x.shape[-1]), count, ("y", "x", "b"))


def bias_backward_input(dy: Spec) -> KernelPlan:
    count = math.prod(dy.shape)
    return elementwise(map_kernel(identity, count), count, ("dx", "dy"))


def bias_backward_bias(dy: Spec) -> KernelPlan:
    return column_sums("db", "dy", rows_of(dy), dy.shape[-1])


@cached
def _bias_kernel(count: int, channels: int) -> Any:
    @jit
    def biased(y, x, b):
        i = uint32(cuda.grid(1))
        if i < count:
            y[i] = x[i] + b[i % uint32(channels)]

    return biased
