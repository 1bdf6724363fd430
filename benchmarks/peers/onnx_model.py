"""Export a network as an ONNX model for the engines that only run inference."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from peers.networks import BatchNorm, Conv, Dense, Network, Pool

OPSET = 17


def onnx_model(network: Network, weights: list[np.ndarray]) -> bytes:
    """A model with input "x", uint8 (N, C, H, W), and output float32 (N, classes)."""
    graph = _Graph()
    x = graph.add("Cast", "x", to=TensorProto.FLOAT)
    x = graph.add("Mul", x, graph.constant(np.float32(network.scale)))
    given = iter(weights)
    shape = (network.image[2], *network.image[:2])  # C, H, W
    for layer in network.layers:
        if isinstance(layer, Conv):
            x = graph.convolution(layer, x, given)
            c, side = layer.filters, layer.kernel - 1
            shape = (c, shape[1] - side, shape[2] - side)
        elif isinstance(layer, Pool):
            size = [layer.size, layer.size]
            x = graph.add("MaxPool", x, kernel_shape=size, strides=size)
            shape = (shape[0], shape[1] // layer.size, shape[2] // layer.size)
        elif isinstance(layer, BatchNorm):
            parts = [graph.constant(next(given)) for _ in range(4)]
            x = graph.add("BatchNormalization", x, *parts, epsilon=layer.epsilon)
        elif isinstance(layer, Dense):
            x = graph.dense(layer, x, given, shape)
            shape = (layer.units,)
    return graph.model(graph.add("Softmax", x, axis=1), network)


class _Graph:
    """The nodes and constants of a model; results are named y0, y1, ... and constants w0, ..."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[TensorProto] = []

    def add(self, kind: str, *inputs: str, **attributes: object) -> str:
        """Add a node and return the name of its result."""
        name = f"y{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def constant(self, value: np.ndarray) -> str:
        """Add a constant and return its name."""
        name = f"w{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def convolution(self, layer: Conv, x: str, given: Iterator[np.ndarray]) -> str:
        """Add a convolution; ONNX's kernels are (CO, CI, KH, KW)."""
        w, b = next(given), next(given)
        y = self.add("Conv", x, self.constant(w.transpose(3, 2, 0, 1)), self.constant(b))
        return self.add("Relu", y) if layer.activation == "relu" else y

    def dense(
        self, layer: Dense, x: str, given: Iterator[np.ndarray], shape: tuple[int, ...]
    ) -> str:
        """Add a dense layer; the first one's rows are reordered as ONNX flattens, (C, H, W)."""
        w, b = next(given), next(given)
        if len(shape) == 3:
            x = self.add("Flatten", x)
            c, height, width = shape
            w = w.reshape(height, width, c, -1).transpose(2, 0, 1, 3).reshape(w.shape)
        y = self.add("Gemm", x, self.constant(w), self.constant(b))
        return self.add("Relu", y) if layer.activation == "relu" else y

    def model(self, result: str, network: Network) -> bytes:
        """The model as the bytes of a file."""
        height, width, c = network.image
        x = helper.make_tensor_value_info("x", TensorProto.UINT8, ["N", c, height, width])
        y = helper.make_tensor_value_info(result, TensorProto.FLOAT, ["N", network.classes])
        graph = helper.make_graph(self.nodes, network.name, [x], [y], self.constants)
        opset = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(graph, opset_imports=opset, ir_version=8)
        onnx.checker.check_model(model)
        return model.SerializeToString()
