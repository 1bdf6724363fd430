"""Contracts of the kernels behind `minicnn.ops`: functions of values, of axes, and of arrangement.

They are the bricks of layers, losses and activations of one's own. Arrays may have any number of
axes, none included; two arrays that are combined have equal shapes, which `broadcast_to` gives
them. Attributes describe whole shapes, the batch included.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from minicnn.specs import Contract, Shape, Spec, same

# Functions of each value. The derivative is computed from the output y, or from the input x.
UNARY: dict[str, Literal["x", "y"]] = {
    "absolute": "x",
    "clip": "x",
    "cos": "x",
    "exp": "y",
    "expm1": "y",
    "fixed_power": "x",
    "log": "x",
    "log1p": "x",
    "reciprocal": "y",
    "rsqrt": "y",
    "sin": "x",
    "softplus": "x",
    "sqrt": "y",
    "square": "x",
}
# Functions whose derivative is 0 wherever it exists.
STEPS = ("ceil", "floor", "round", "sign")

# Functions of two values, and what their gradients read.
BINARY: dict[str, tuple[str, ...]] = {
    "divide": ("dy", "b", "y"),
    "maximum": ("dy", "a", "b"),
    "minimum": ("dy", "a", "b"),
    "power": ("dy", "a", "b", "y"),
    "subtract": ("dy",),
}

# Sums and extremes along axes, and what their gradients read.
REDUCTIONS: dict[str, tuple[str, ...]] = {
    "max": ("dy", "x", "y"),
    "min": ("dy", "x", "y"),
    "prod": ("dy", "x"),
    "sum": ("dy",),
}


def reduced(shape: Shape, axes: tuple[int, ...], *, keepdims: bool) -> Shape:
    """Return the shape without these axes, or with length 1 in their places."""
    if keepdims:
        return tuple(1 if i in axes else n for i, n in enumerate(shape))
    return tuple(n for i, n in enumerate(shape) if i not in axes)


def _reduction(x: Spec, *, axes: tuple[int, ...], keepdims: bool, **_: Any) -> tuple[Spec]:
    return (Spec(reduced(x.shape, axes, keepdims=keepdims), x.dtype),)


def _extreme_at(x: Spec, *, axis: int, keepdims: bool) -> tuple[Spec]:
    return (Spec(reduced(x.shape, (axis,), keepdims=keepdims), "int32"),)


def _in_shape(x: Spec, *_: Spec, shape: Shape, **__: Any) -> tuple[Spec]:
    return (Spec(shape, x.dtype),)


def _in_image(x: Spec, *_: Spec, image: Shape, **__: Any) -> tuple[Spec]:
    return (Spec(image, x.dtype),)


def _transposed(x: Spec, *, axes: tuple[int, ...]) -> tuple[Spec]:
    return (Spec(tuple(x.shape[i] for i in axes), x.dtype),)


def _transposed_back(dy: Spec, *, axes: tuple[int, ...]) -> tuple[Spec]:
    return (Spec(tuple(dy.shape[axes.index(i)] for i in range(len(axes))), dy.dtype),)


def _padded(x: Spec, *, pads: tuple[tuple[int, int], ...], **_: Any) -> tuple[Spec]:
    return (Spec(tuple(n + sum(p) for n, p in zip(x.shape, pads, strict=True)), x.dtype),)


def _unpadded(dy: Spec, *, pads: tuple[tuple[int, int], ...], **_: Any) -> tuple[Spec]:
    return (Spec(tuple(n - sum(p) for n, p in zip(dy.shape, pads, strict=True)), dy.dtype),)


def _cast(x: Spec, *, dtype: str) -> tuple[Spec]:
    return (Spec(x.shape, dtype),)


def _taken(x: Spec, indices: Spec, *, axis: int, **_: Any) -> tuple[Spec]:
    return (Spec((*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]), x.dtype),)


def _one_hot(x: Spec, *, classes: int) -> tuple[Spec]:
    return (Spec((*x.shape, classes)),)


def _product(a: Spec, b: Spec) -> tuple[Spec]:
    return (Spec((*a.shape[:-1], b.shape[-1]), a.dtype),)


def _truth(a: Spec, *_: Spec, **__: Any) -> tuple[Spec]:
    return (Spec(a.shape, "bool"),)


def _applied(a: Spec, b: Spec | None, *, function: str) -> tuple[Spec]:
    reads = [np.empty(0, one.dtype) for one in (a, b) if one is not None]
    return (Spec(a.shape, getattr(np, function)(*reads).dtype.name),)


def _differentiable(
    name: str, forward: Contract, *reads: str, specs: Any = None
) -> dict[str, Contract]:
    """Return the contracts of a forward and a backward kernel; gradients look like their arrays."""
    writes = tuple(f"d{read}" for read in forward.reads)
    backward = Contract(reads, writes, specs or same(*[0] * len(writes)), on_host=True)
    return {f"{name}_forward": forward, f"{name}_backward": backward}


def _host(reads: tuple[str, ...], specs: Any, in_place: str = "") -> Contract:
    return Contract(reads, ("y",), specs, in_place=in_place, on_host=True)


TENSOR_CONTRACTS: dict[str, Contract] = {
    **{f"{name}_forward": _host(("x",), same(0), "x") for name in (*UNARY, *STEPS)},
    **{
        f"{name}_backward": Contract(("dy", saved), ("dx",), same(0), in_place="dy", on_host=True)
        for name, saved in UNARY.items()
    },
    **{
        key: contract
        for name, reads in BINARY.items()
        for key, contract in _differentiable(name, _host(("a", "b"), same(0), "a"), *reads).items()
    },
    **{
        key: contract
        for name, reads in REDUCTIONS.items()
        for key, contract in _differentiable(
            name, _host(("x",), _reduction), *reads, specs=_in_image
        ).items()
    },
    "compare_forward": _host(("a", "b"), _truth),
    # Integers and truth values: a function of NumPy by its name.
    "elementwise_forward": _host(("a", "b?"), _applied),
    "argmax_forward": _host(("x",), _extreme_at),
    "argmin_forward": _host(("x",), _extreme_at),
    **_differentiable("cumsum", _host(("x",), lambda x, **_: (x,)), "dy"),
    **_differentiable("broadcast_to", _host(("x",), _in_shape), "dy", specs=_in_image),
    **_differentiable("reshape_whole", _host(("x",), _in_shape), "dy", specs=_in_image),
    **_differentiable("transpose", _host(("x",), _transposed), "dy", specs=_transposed_back),
    **_differentiable("slice", _host(("x",), _in_shape), "dy", specs=_in_image),
    **_differentiable("pad", _host(("x",), _padded), "dy", specs=_unpadded),
    **_differentiable("matmul", _host(("a", "b"), _product), "dy", "a", "b", specs=same(1, 2)),
    "where_forward": _host(("condition", "a", "b"), same(1)),
    "where_backward": Contract(("dy", "condition"), ("da", "db"), same(0, 0), on_host=True),
    "take_forward": _host(("x", "indices"), _taken),
    "take_backward": Contract(("dy", "indices"), ("dx",), _in_image, on_host=True),
    "one_hot_forward": _host(("x",), _one_hot),
    "cast_forward": _host(("x",), _cast),
    "stop_gradient_forward": _host(("x",), same(0)),
}
