"""The inputs of an ONNX graph as those of a network, and whether their channels come last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minicnn import ops
from minicnn.errors import UnsupportedError
from minicnn.interop.onnx.interpreter import OF_IMAGES
from minicnn.interop.onnx.metadata import channel_axis
from minicnn.interop.onnx.nodes import Node
from minicnn.interop.onnx.operators.constants import IN_NETWORKS
from minicnn.interop.onnx.operators.elementwise import BINARY, COMPARISONS, MANY, UNARY
from minicnn.interop.onnx.tensors import numpy_dtype
from minicnn.interop.onnx.values import Value, channels_last
from minicnn.layers import Input
from minicnn.support.text import printable

# Operators that do not care where the channels are.
OF_ANYTHING = {
    *UNARY, *BINARY, *COMPARISONS, *MANY,
    "Abs", "Cast", "Clip", "Div", "Dropout", "Elu", "Gelu", "HardSigmoid", "Identity", "LeakyRelu",
    "Neg", "PRelu", "Pad", "Selu", "Swish", "Concat", "Split", "Slice",
}  # fmt: skip
MOST_LETTERS = 120


class GraphInput:
    """One input of a graph: its name, dtype and lengths, None for those that may differ."""

    def __init__(self, info: Any, path: str) -> None:
        self.name = info.name
        what = f"input {printable(info.name)!r}"
        kind = info.type.WhichOneof("value")
        if kind != "tensor_type" or not info.type.tensor_type.HasField("shape"):
            raise UnsupportedError(path, f"{what} is no tensor, or the number of its axes is open")
        self.dtype = numpy_dtype(info.type.tensor_type.elem_type, path).name
        dims = info.type.tensor_type.shape.dim
        self.shape = tuple(d.dim_value if d.dim_value > 0 else None for d in dims)
        self.channel_axis = channel_axis(info)
        if not 2 <= len(self.shape) <= 4:
            raise UnsupportedError(
                path,
                f"{what} has {len(self.shape)} axes; a network takes a batch of vectors, sequences "
                "or images: 2 to 4 axes",
            )

    @property
    def batch(self) -> int | None:
        """The number of images in a batch, if the file fixes it."""
        return self.shape[0]

    def value(self, nodes: Sequence[Node]) -> tuple[Any, Value]:
        """Return the Input of a network, and its Value in the graph."""
        rank = len(self.shape)
        if self.channel_axis is None:
            last = comes_last(self.name, rank, nodes)
        else:
            last = self.channel_axis == 1 and rank > 2
        order = channels_last(rank) if last else tuple(range(rank))
        sample: list[Any] = [self.shape[axis] for axis in order[1:]]
        dtype = "uint8" if self.dtype == "uint8" else "float32"
        tensor = Input(tuple(sample), dtype=dtype, name=printable(self.name)[:MOST_LETTERS])
        wanted = IN_NETWORKS[self.dtype]
        return tensor, Value(tensor if wanted == dtype else ops.cast(tensor, wanted), order)


def comes_last(name: str, rank: int, nodes: Sequence[Node]) -> bool:
    """Return whether an input's axis 1 holds channels, which a network has as the last axis.

    Images (N, C, H, W) are assumed where a tensor has 4 axes, unless the graph transposes them
    first, as graphs do that were made from TensorFlow's.
    """
    names = {name}
    for node in nodes:
        if not names & set(node.inputs):
            continue
        if node.op == "Transpose":
            return False
        if node.op in OF_IMAGES:
            return rank > 2
        if node.op in OF_ANYTHING:
            names |= set(node.outputs)
    return rank == 4
