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

# Copies with the attributes `shape`, of the result, and `image`, of the argument.
IN_SHAPE = ("broadcast_to", "reshape_whole", "slice")


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


def _padded(x: Spec, *, before: Shape, after: Shape, **_: Any) -> tuple[Spec]:
    lengths = zip(before, x.shape, after, strict=True)
    return (Spec(tuple(map(sum, lengths)), x.dtype),)


def _unpadded(dy: Spec, *, before: Shape, after: Shape, **_: Any) -> tuple[Spec]:
    lengths = zip(dy.shape, before, after, strict=True)
    return (Spec(tuple(n - first - last for n, first, last in lengths), dy.dtype),)


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


def _host(reads: tuple[str, ...], writes: tuple[str, ...], specs: Any) -> Contract:
    """Return the contract of a kernel that every engine leaves to the reference."""
    return Contract(reads, writes, specs, on_host=True)


X, Y, DX, AB, DAB = ("x",), ("y",), ("dx",), ("a", "b"), ("da", "db")

TENSOR_CONTRACTS: dict[str, Contract] = {
    **{f"{name}_forward": Contract(X, Y, same(0), in_place="x") for name in (*UNARY, *STEPS)},
    **{
        f"{name}_backward": Contract(("dy", saved), DX, same(0), in_place="dy")
        for name, saved in UNARY.items()
    },
    **{f"{name}_forward": Contract(AB, Y, same(0), in_place="a") for name in BINARY},
    **{f"{name}_backward": Contract(reads, DAB, same(0, 0)) for name, reads in BINARY.items()},
    # Products with factors per channel, in place of `broadcast_to` and `multiply`.
    "scale_channels_forward": Contract(("x", "s"), Y, same(0), in_place="x"),
    "scale_channels_backward": Contract(("dy", "x", "s"), ("dx", "ds"), same(0, 2), in_place="dy"),
    "compare_forward": Contract(AB, Y, _truth),
    # Integers and truth values: a function of NumPy by its name.
    "elementwise_forward": _host(("a", "b?"), Y, _applied),
    "cast_forward": Contract(X, Y, _cast),
    "where_forward": Contract(("condition", "a", "b"), Y, same(1)),
    "where_backward": Contract(("dy", "condition"), DAB, same(0, 0)),
    **{f"{name}_forward": Contract(X, Y, _reduction) for name in REDUCTIONS},
    **{f"{name}_backward": Contract(reads, DX, _in_image) for name, reads in REDUCTIONS.items()},
    "prod_forward": _host(X, Y, _reduction),
    "prod_backward": _host(("dy", "x"), DX, _in_image),
    "cumsum_forward": _host(X, Y, same(0)),
    "cumsum_backward": _host(("dy",), DX, same(0)),
    "argmax_forward": _host(X, Y, _extreme_at),
    "argmin_forward": _host(X, Y, _extreme_at),
    **{f"{name}_forward": Contract(X, Y, _in_shape) for name in IN_SHAPE},
    **{f"{name}_backward": Contract(("dy",), DX, _in_image) for name in IN_SHAPE},
    "transpose_forward": Contract(X, Y, _transposed),
    "transpose_backward": Contract(("dy",), DX, _transposed_back),
    "pad_forward": Contract(X, Y, _padded),
    "pad_backward": Contract(("dy",), DX, _unpadded),
    "stop_gradient_forward": Contract(X, Y, same(0)),
    "take_forward": _host(("x", "indices"), Y, _taken),
    "take_backward": _host(("dy", "indices"), DX, _in_image),
    "one_hot_forward": _host(X, Y, _one_hot),
    "matmul_forward": _host(AB, Y, _product),
    "matmul_backward": _host(("dy", "a", "b"), DAB, same(1, 2)),
}
