"""Hostile ONNX files: small graphs that ask for large arrays, and impossible sizes of windows."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from museum_onnx import STRING, constant, file, load, model, node, on_input


def folded(op: str, *values: Any, **attributes: Any):
    """An operator on values that are known, which is computed while the file is read."""
    names = [f"c{i}" for i in range(len(values))]
    tensors = [constant(n, v, np.asarray(v).dtype) for n, v in zip(names, values, strict=True)]
    last = node("Add", "x big", "y")
    return file([node(op, " ".join(names), "big", **attributes), last], tensors)


def doubling(path):
    """A constant that 60 nodes join with itself: 2^60 values."""
    nodes = [node("Concat", f"c{i} c{i}", f"c{i + 1}", axis=0) for i in range(60)]
    return model([*nodes, node("Add", "x c60")], [constant("c0", [1, 2, 3])]).SerializeToString()


def growing(path):
    """A constant that 12 nodes repeat a hundred times each."""
    nodes = [node("Tile", f"c{i} by", f"c{i + 1}") for i in range(12)]
    tensors = [constant("c0", [1.0], np.float32), constant("by", [100])]
    return model([*nodes, node("Add", "x c12")], tensors).SerializeToString()


def widening(path):
    """A network in which 60 nodes join the last result with itself: 3 * 2^60 values a sample."""
    names = ["x", *[f"t{i}" for i in range(59)], "y"]
    nodes = [node("Concat", f"{a} {a}", b, axis=1) for a, b in pairwise(names)]
    return model(nodes).SerializeToString()


def convolution(weights: Any = (4, 3, 3, 3), **attributes: Any):
    return file(
        [node("Conv", "x w", **attributes)],
        [constant("w", np.ones(weights), np.float32)],
        shape=("n", 3, 8, 8),
    )


HONEST = {
    "folded": (load, folded("ConstantOfShape", [3])),
    "convolution": (load, convolution()),
}
EXHIBITS = {
    # Bombs in what is computed while the file is read.
    "constant-of-shape-10-to-12": (load, folded("ConstantOfShape", [10**12]), "ConstantOfShape"),
    "constant-of-shape-10-to-18": (load, folded("ConstantOfShape", [10**9, 10**9]), "ConstantOf"),
    "constant-of-shape-overflow": (load, folded("ConstantOfShape", [2**62, 2**62]), "ConstantOf"),
    "constant-of-shape-negative": (load, folded("ConstantOfShape", [-5]), "ConstantOfShape"),
    "expand-10-to-12": (load, folded("Expand", [1.0], [10**6, 10**6]), "Expand"),
    "tile-10-to-12": (load, folded("Tile", [1.0], [10**12]), "Tile"),
    "tile-negative": (load, folded("Tile", [1.0], [-3]), "Tile"),
    "range-10-to-12": (load, folded("Range", 0, 10**12, 1), "Range"),
    "range-of-small-steps": (load, folded("Range", 0.0, 1.0, 1e-300), "Range"),
    "range-step-0": (load, folded("Range", 0, 10, 0), "Range"),
    "range-nan": (load, folded("Range", 0.0, np.nan, 1.0), "Range"),
    "range-infinite": (load, folded("Range", 0.0, np.inf, 1.0), "Range"),
    "pad-10-to-12": (load, folded("Pad", [1.0], [0, 10**12]), "Pad"),
    "one-hot-10-to-12": (load, folded("OneHot", [1, 2], 10**12, [0.0, 1.0]), "OneHot"),
    "resize-10-to-12": (
        load, folded("Resize", np.ones((1, 1, 1, 1), np.float32), np.zeros(0, np.float32),
                     np.array([1, 1, 1e6, 1e6], np.float32)), "Resize",
    ),
    "joined-with-itself": (load, doubling, "Concat"),
    "repeated-12-times": (load, growing, "Tile"),
    "outer-product": (
        load, folded("Mul", np.ones((10**5, 1), np.float32), np.ones((1, 10**5), np.float32)),
        "Mul",
    ),
    "matrix-product": (
        load, folded("MatMul", np.ones((10**5, 1), np.float32), np.ones((1, 10**5), np.float32)),
        "MatMul",
    ),
    "gather-out-of-range": (load, folded("Gather", [1, 2], [10**9]), "Gather"),
    "gather-negative": (load, folded("Gather", [1, 2], [-99]), "Gather"),
    "reshape-mismatch": (load, folded("Reshape", [1.0, 2.0], [3, 5]), "Reshape"),
    "reshape-two-minus-1": (load, folded("Reshape", [1.0, 2.0], [-1, -1]), "Reshape"),
    "reshape-overflow": (load, folded("Reshape", [1.0, 2.0], [2**62, 2**62]), "Reshape"),
    "slice-step-0": (load, folded("Slice", [1.0, 2.0], [0], [2], [0], [0]), "Slice"),
    "transpose-wrong": (load, folded("Transpose", np.ones((2, 3)), perm=[0, 0]), "Transpose"),
    "concat-mismatch": (
        load, folded("Concat", np.ones((2, 3)), np.ones((3, 2)), axis=0), "Concat",
    ),
    "split-10-to-9": (load, folded("Split", [1.0, 2.0], num_outputs=10**9), "Split"),
    "cast-to-string": (load, folded("Cast", [1.0], to=STRING), "strings"),
    "cast-to-99": (load, folded("Cast", [1.0], to=99), "99"),
    # Bombs in the network.
    "input-of-tb": (
        load, file([node("Flatten", "x")], shape=("n", 3, 2**31, 2**31)), "got 2147483648",
    ),
    "network-expand": (load, on_input("Expand", [10**6, 10**6, 3]), "Expand"),
    "network-tile": (load, on_input("Tile", [1, 10**12]), "Tile"),
    "network-reshape": (load, on_input("Reshape", [0, 7]), "Reshape"),
    "convolution-pads": (load, convolution(pads=[2**62] * 4), "Conv"),
    "convolution-pads-negative": (load, convolution(pads=[-1] * 4), "Conv"),
    "convolution-strides-0": (load, convolution(strides=[0, 0]), "Conv"),
    "convolution-dilations": (load, convolution(dilations=[2**40, 2**40]), "Conv"),
    "convolution-group-0": (load, convolution(group=0), "Conv"),
    "convolution-group-negative": (load, convolution(group=-1), "Conv"),
    "convolution-group-other": (load, convolution(group=7), "Conv"),
    "convolution-channels": (load, convolution((4, 5, 3, 3)), "Conv"),
    "convolution-kernel-shape": (load, convolution(kernel_shape=[5, 5]), "Conv"),
    "convolution-of-a-vector": (load, convolution((4,)), "Conv"),
    "pooling-kernel-0": (
        load, on_input("MaxPool", kernel_shape=[0, 0], shape=("n", 1, 4, 4)), "MaxPool",
    ),
    "pooling-kernel-huge": (
        load, on_input("MaxPool", kernel_shape=[2**40, 2**40], shape=("n", 1, 4, 4)), "MaxPool",
    ),
}  # fmt: skip
# Networks that are read, as nothing of this size is made for them, and that cannot run.
TOO_LARGE = {
    "pad": on_input("Pad", [0, 0, 0, 10**12]),
    "joined-with-itself": widening,
    "upsample": on_input(
        "Resize", np.zeros(0, np.float32), np.array([1, 1, 1e6, 1e6], np.float32),
        shape=("n", 1, 2, 2),
    ),
}  # fmt: skip
