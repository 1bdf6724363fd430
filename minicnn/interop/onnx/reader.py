"""Building a network from an ONNX graph: layers where there are weights, functions elsewhere."""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

from minicnn.errors import FormatError, MiniCNNError, SizeLimitError, UnsupportedError
from minicnn.interop.onnx.inputs import GraphInput
from minicnn.interop.onnx.interpreter import WRONG, Interpreter
from minicnn.interop.onnx.metadata import channel_axis, take_metadata
from minicnn.interop.onnx.nodes import Node
from minicnn.interop.onnx.operators import OPERATORS
from minicnn.interop.onnx.parsing import modelproto, nodes_of
from minicnn.interop.onnx.tensors import array_of
from minicnn.interop.onnx.values import MOST_FILLED, Value, channels_last
from minicnn.interop.onnx.writer_rebuild import own_network
from minicnn.layers import Identity
from minicnn.models.model import Model
from minicnn.support import memory_limits
from minicnn.support.files import Path
from minicnn.support.registry import Classes
from minicnn.support.text import printable


def read_model(path: Path, compile: bool = True, custom_objects: Classes | None = None) -> Model:
    """Return the network of an ONNX file; it can predict, be trained, and be saved.

    Images are (N, H, W, C) in the network, whatever they are in the file; `docs/interop.md` says
    how inputs and outputs lie. ONNX has no optimizer, so `compile` changes nothing.

    Raises
    ------
    FormatError : the file is damaged, hostile, or has what a network here cannot have
    MissingExtraError : the package onnx is not installed
    """
    model = modelproto(path)
    name = os.fspath(path)
    own = own_network(model, name, custom_objects)
    if own is not None:
        return own
    try:
        return network_of(model, name)
    except (FormatError, SizeLimitError):
        raise
    except (MiniCNNError, RecursionError, *WRONG) as error:
        raise FormatError(name, f"its network cannot be built: {error}") from error


def network_of(model: Any, path: str) -> Model:
    """Return the network of a parsed ModelProto."""
    graph = model.graph
    nodes = nodes_of(model, path, OPERATORS)
    known = {one.name: Value(array_of(one, path)) for one in graph.initializer}
    nodes = with_biases(nodes, known, {one.name for one in graph.output})
    given = [GraphInput(one, path) for one in graph.input if one.name not in known]
    if not given or not graph.output:
        raise UnsupportedError(path, "it has no inputs, or no outputs")
    pairs = {one.name: one.value(nodes) for one in given}
    held = sum(value.data.nbytes for value in known.values())
    values = {**known, **{name: value for name, (_, value) in pairs.items()}}
    interpreter = Interpreter(values, path, given[0].batch, held, building=True)
    interpreter.names.update(tensor.name for tensor, _ in pairs.values())
    with memory_limits.budget(max(MOST_FILLED, 20 * held)):
        results = interpreter.run(nodes, [one.name for one in graph.output])
    images = any(value.order == channels_last(4) for _, value in pairs.values())
    outputs = [
        _output(one, value, nodes, path, images=images)
        for one, value in zip(graph.output, results, strict=True)
    ]
    inputs = [tensor for tensor, _ in pairs.values()]
    network = Model(_single(inputs), _single(outputs), name=_name(graph))
    take_metadata(network, model, path)
    return network


def _single(tensors: list[Any]) -> Any:
    return tensors[0] if len(tensors) == 1 else tensors


def _name(graph: Any) -> str | None:
    name = printable(graph.name)[:100]
    return name or None


TO_NHWC = [0, 2, 3, 1]  # what an exported network ends with that had images (N, H, W, C) before


def _output(info: Any, value: Any, nodes: list[Node], path: str, *, images: bool) -> Any:
    """Return an output with its channels last if the inputs are so; else as the graph has it."""
    name = info.name
    if not isinstance(value, Value) or value.known:
        raise UnsupportedError(path, f"output {printable(name)!r} does not depend on an input")
    turned = any(
        name in node.outputs and node.op == "Transpose" and node.attributes.get("perm") == TO_NHWC
        for node in nodes
    )
    if channel_axis(info) == value.rank - 1:
        tensor = value.logical()
    elif value.rank == 4 and images and not turned:
        tensor = value.channels_last()
    elif value.rank == 3 and value.order == channels_last(3) and not turned:
        tensor = value.data
    else:
        tensor = value.logical()
    return Identity()(tensor) if not tensor.inputs else tensor


def with_biases(nodes: list[Node], known: dict[str, Value], outputs: set[str]) -> list[Node]:
    """Return the nodes with each Add of a constant vector made the bias of the MatMul before it."""
    uses = Counter(name for node in nodes for name in node.inputs)
    products = {node.outputs[0]: node for node in nodes if _is_product(node, known)}
    merged: list[Node] = []
    for node in nodes:
        product, bias = _product_and_bias(node, products, known)
        if product is None or uses[product.outputs[0]] != 1 or product.outputs[0] in outputs:
            merged.append(node)
        else:
            product.inputs.append(bias)
            product.outputs = node.outputs
    return merged


def _is_product(node: Node, known: dict[str, Value]) -> bool:
    """Return whether it is a product with a constant matrix."""
    matrix = known.get(node.inputs[1]) if len(node.inputs) == 2 else None
    return node.op == "MatMul" and matrix is not None and matrix.rank == 2 and bool(node.outputs)


def _product_and_bias(
    node: Node, products: dict[str, Node], known: dict[str, Value]
) -> tuple[Node | None, str]:
    if node.op != "Add" or len(node.inputs) != 2 or node.opset < 7:
        return None, ""
    for name, bias in (node.inputs, node.inputs[::-1]):
        product, value = products.get(name), known.get(bias)
        if product is None or value is None:
            continue
        if value.shape == (known[product.inputs[1]].shape[1],):
            return product, bias
    return None, ""
