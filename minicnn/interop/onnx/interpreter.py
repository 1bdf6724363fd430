"""Going through a graph node by node: arrays are computed, tensors become a network."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from minicnn.errors import FormatError, MiniCNNError, SizeLimitError, UnsupportedError
from minicnn.interop.onnx.nodes import Node
from minicnn.interop.onnx.operators import OPERATORS
from minicnn.interop.onnx.operators.constants import sizes_operator
from minicnn.interop.onnx.values import Value, is_fill
from minicnn.layers.functions import FunctionLayer
from minicnn.layers.symbolic import SymbolicTensor
from minicnn.support.text import printable, shortened

# What a node with arguments of a wrong kind may raise on the way through our functions.
WRONG = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, NotImplementedError)
MOST_BYTES = 64 << 20  # that constants of a graph may make, whatever the file's size
MOST_LETTERS = 120  # of a layer's name


class Interpreter:
    """The values of a graph by their names, and what its nodes may ask for.

    Parameters
    ----------
    values : what is known before the first node: initializers and inputs
    path : of the file, for errors
    batch : the number of images that the file fixes, or None
    held : bytes that the file holds, of which its constants may make more
    building : whether a network is built, which has no images among its constants
    """

    def __init__(
        self,
        values: Mapping[str, Any],
        path: str,
        batch: int | None = None,
        held: int = 0,
        *,
        building: bool = False,
    ) -> None:
        self.values: dict[str, Any] = dict(values)
        self.path, self.batch, self.building = path, batch, building
        self.left = max(MOST_BYTES, 20 * held)
        self.names: set[str] = set()
        self.uses: Counter[str] = Counter()
        self.shared: dict[Any, Any] = {}  # layers by their weights
        self.twice: set[str] = set()  # names of layers that several nodes use

    def run(self, nodes: Sequence[Node], results: Sequence[str]) -> list[Any]:
        """Return the values of these names; others are forgotten after their last use."""
        self.uses = Counter(name for node in nodes for name in node.inputs)
        self.uses.update(results)
        uses = self.uses.copy()
        for node in nodes:
            node.context = self
            for name, value in zip(node.outputs, self._outputs(node), strict=False):
                if name:
                    self.values[name] = value
            for name in node.inputs:
                uses[name] -= 1
                if uses[name] <= 0:
                    self.values.pop(name, None)
        return [self._named(name, "the graph") for name in results]

    def _named(self, name: str, where: str) -> Any:
        if name not in self.values:
            raise FormatError(self.path, f"{where} reads {printable(name)!r}, which nothing gives")
        return self.values[name]

    def _outputs(self, node: Node) -> list[Any]:
        inputs = [None if not name else self._named(name, node.label) for name in node.inputs]
        while inputs and inputs[-1] is None:
            inputs.pop()
        try:
            with np.errstate(all="ignore"):
                found = self._computed(node, inputs)
        except UnsupportedError:
            raise
        except SizeLimitError as error:
            raise SizeLimitError(f"{self.path}: {node.label}: {error}") from error
        except (MiniCNNError, *WRONG) as error:
            raise FormatError(self.path, f"{node.label}: {shortened(str(error), 200)}") from error
        return found if isinstance(found, list) else [found]

    def _computed(self, node: Node, inputs: list[Any]) -> Any:
        entry = OPERATORS[node.op]
        values = [one for one in inputs if isinstance(one, Value)]
        if any(one.is_sizes for one in values) and node.op not in TAKE_SIZES:
            return sizes_operator(node, values)
        if self.building and node.op in OF_IMAGES and all(one.known for one in values):
            raise node.refused("it computes with constants alone, which no network needs")
        found = entry.function(node, *inputs)
        results = found if isinstance(found, list) else [found]
        self._name(node, results)
        self._count(node, results)
        if entry.same_dtype and values and values[0].known:
            results[0] = _in_dtype(results[0], values[0].dtype)
        return results

    def _name(self, node: Node, results: list[Any]) -> None:
        """Give the last function that was added to the network the node's name."""
        for one in results[:1]:
            data = getattr(one, "source", one)
            tensor = data.data if isinstance(data, Value) else None
            layer = tensor.layer if isinstance(tensor, SymbolicTensor) else None
            if isinstance(layer, FunctionLayer) and layer.name not in self.names:
                layer.name = self.layer_name(node)

    def _count(self, node: Node, results: list[Any]) -> None:
        """Count the memory of constants that were made; one repeated value takes none."""
        for one in results:
            if isinstance(one, Value) and one.known and not is_fill(one.data):
                self.limit(one.data.shape, one.data.itemsize, node)

    def layer_name(self, node: Node) -> str:
        """Return a name for a layer, that of the node, made unique."""
        base = name = printable(node.name)[:MOST_LETTERS]
        number = 1
        while name in self.names:
            number += 1
            name = f"{base}_{number}"
        self.names.add(name)
        return name

    def limit(self, shape: Sequence[Any], itemsize: int, node: Node) -> None:
        """Count the bytes of a constant; raise SizeLimitError if there are too many."""
        size = math.prod(max(int(n or 0), 0) for n in shape) * itemsize
        self.left -= size
        if self.left < 0:
            raise SizeLimitError(
                f"constants of more than {MOST_BYTES >> 20} MiB would be made of a small file"
            )


# Operators for which axis 1 has channels.
OF_IMAGES = {
    "AveragePool", "BatchNormalization", "Conv", "ConvTranspose", "DepthToSpace",
    "GlobalAveragePool", "GlobalLpPool", "GlobalMaxPool", "GroupNormalization",
    "InstanceNormalization", "LRN", "LpPool", "MaxPool", "Resize", "SpaceToDepth", "Upsample",
}  # fmt: skip
# They take sizes with a batch as a shape, or leave them as they are.
TAKE_SIZES = {"Reshape", "Expand", "Resize", "ConstantOfShape"}


def _in_dtype(value: Any, dtype: str) -> Any:
    if not isinstance(value, Value) or not value.known or value.dtype == dtype:
        return value
    return value.with_data(value.data.astype(dtype))
