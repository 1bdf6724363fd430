"""Products of matrices: the layer Dense where the second one is a constant."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn import ops
from minicnn.interop.onnx.nodes import Node, filled
from minicnn.interop.onnx.operators.registry import operator
from minicnn.interop.onnx.values import FlatValue, Value, arranged, is_fill
from minicnn.layers import Dense


@operator("Gemm")
def gemm(node: Node, a: Value, b: Value, c: Value | None = None) -> Value:
    """Return alpha * A @ B + beta * C, where A and B may be transposed."""
    alpha, beta = node.number("alpha", 1.0), node.number("beta", 1.0)
    if a.rank != 2 or b.rank != 2:
        raise node.refused(f"matrices are needed; got {a.shape} and {b.shape}")
    if node.integer("transA", 0) and not a.known:
        raise node.refused("it transposes a batch of samples, which are independent here")
    if a.known and b.known:
        node.limit((max(a.shape), max(b.shape)), 8)
    kernel = arranged(b.logical(), (1, 0)) if node.integer("transB", 0) else b.logical()
    bias = _bias(c, kernel.shape[1])
    if not node.integer("transA", 0) and b.known and (c is None or bias is not None):
        bias = None if bias is None else beta * bias
        return dense(node, a, kernel if alpha == 1 else alpha * kernel, bias)
    data = arranged(a.logical(), (1, 0)) if node.integer("transA", 0) else a.logical()
    y = ops.multiply(ops.matmul(data, kernel), alpha)
    return Value(y if c is None else ops.add(y, ops.multiply(c.logical(), beta)))


def _bias(c: Value | None, units: int) -> np.ndarray | None:
    """Return C as one value for each unit; None if it is something else."""
    if c is None or not c.known or c.rank > 2 or (c.rank == 2 and c.shape[0] != 1):
        return None
    row = c.logical().ravel()
    return np.broadcast_to(row, (units,)) if row.size in (1, units) else None


@operator("MatMul")
def matmul(node: Node, a: Value, b: Value, bias: Value | None = None) -> Value:
    """Return the product of matrices. `bias` is that of an Add that follows."""
    _limit_product(node, a, b)
    added = None if bias is None else bias.logical()
    if b.known and b.rank == 2 and a.rank > 1:
        if a.order[-1] == a.rank - 1 and not isinstance(a, FlatValue):
            y = dense(node, Value(a.data), b.logical(), added)
            return Value(y.data, a.order)
        return dense(node, a, b.logical(), added)
    y = ops.matmul(a.logical(), b.logical())
    return Value(y if bias is None else ops.add(y, added))


def _limit_product(node: Node, a: Value, b: Value) -> None:
    """Check the size of a product of constants before it is made."""
    if a.known and b.known:
        batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        node.limit((*batch, *a.shape[-2:-1], *b.shape[-1:]), 8)


def dense(node: Node, x: Value, kernel: np.ndarray, bias: np.ndarray | None) -> Value:
    """Return a layer of x; its rows of weights are in the order in which the features lie."""
    lie = (x.source.shape, x.source.order) if isinstance(x, FlatValue) else None
    if isinstance(x, FlatValue):
        data = x.as_it_lies()
        if len(kernel) == x.shape[1] and not is_fill(kernel):
            kernel = kernel[x.permutation()]
    else:
        data = x.logical()
    if x.shape[-1] != len(kernel):
        raise node.refused(f"an input {x.shape} with a matrix of shape {kernel.shape}")
    if 0 in kernel.shape:
        raise node.refused(f"a matrix of shape {kernel.shape}")
    layer = node.layer(Dense, kernel.shape[1], use_bias=bias is not None, weights_lie=lie)
    return Value(filled(layer, data, kernel=kernel, bias=bias))


@operator("Einsum")
def einsum(node: Node, *values: Value) -> Value:
    """Return a sum of products by Einstein's convention."""
    equation = node.text("equation")
    if node.context.building and all(value.known for value in values):
        raise node.refused("it computes with constants alone, which no network needs")
    operands: list[Any] = [value.logical() for value in values]
    return Value(ops.einsum(equation.replace(" ", ""), *operands))
