"""The nodes and constants of an ONNX graph that is being written, each with a name of its own."""

from __future__ import annotations

from typing import Any

import numpy as np

# The lowest version of ONNX's operators that has all that is written: LayerNormalization came last.
OPSET = 17
IR_VERSION = 8  # of the file, the one that came with this opset


class Graph:
    """Nodes and constants in the order in which they are added.

    `onnx` is the package, which is imported only where a file is written. A node's tensor is called
    as the node, with ":0" at the end.
    """

    def __init__(self, onnx: Any) -> None:
        self.onnx = onnx
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.bytes_of_constants = 0
        self._node_names: dict[str, int] = {}
        self._tensor_names: dict[str, int] = {}

    def node(self, op: str, inputs: list[str], name: str, **attributes: Any) -> str:
        """Add a node; return the name of its tensor. A name that is taken gets a number."""
        name = numbered(name, self._node_names)
        tensor = numbered(f"{name}:0", self._tensor_names)
        self.nodes.append(self.onnx.helper.make_node(op, inputs, [tensor], name, **attributes))
        return tensor

    def constant(self, array: np.ndarray, name: str) -> str:
        """Add a constant; return the name of its tensor."""
        name = numbered(name, self._tensor_names)
        self.bytes_of_constants += array.nbytes
        array = np.ascontiguousarray(array).reshape(array.shape)
        self.constants.append(self.onnx.numpy_helper.from_array(array, name))
        return name

    def integers(self, values: list[int], name: str) -> str:
        """Add a constant list of integers, such as a shape or axes."""
        return self.constant(np.array(values, np.int64), name)

    def tensor_name(self, name: str) -> str:
        """Return a name for an input or output that no other tensor has."""
        return numbered(name, self._tensor_names)

    def rename(self, old: str, new: str) -> None:
        """Give a node's tensor another name."""
        for node in self.nodes:
            for names in (node.input, node.output):
                for i, name in enumerate(names):
                    if name == old:
                        names[i] = new


def numbered(name: str, taken: dict[str, int]) -> str:
    """Return the name, or with the first number that makes it new, and remember it.

    >>> taken = {}
    >>> numbered("a", taken), numbered("a", taken), numbered("a", taken)
    ('a', 'a_1', 'a_2')
    """
    found = name
    while found in taken:
        taken[name] += 1
        found = f"{name}_{taken[name]}"
    taken[found] = 0
    return found
