"""The structure of a graph as plain data, and back: no code, only names from fixed tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minicnn.errors import SizeLimitError
from minicnn.layers import InputLayer, layer_from_config
from minicnn.layers.base import Layer, SymbolicTensor
from minicnn.layers.registry import registry as layer_registry
from minicnn.models.graph import Graph, graph_between

# Far more than real networks have, and few enough to be refused or built in a second.
MAX_LAYERS = 10_000
MAX_TENSORS = 20_000
MAX_CONNECTIONS = 50_000


def graph_to_config(graph: Graph) -> dict[str, Any]:
    """Return {"layers": [...], "tensors": [...], "inputs": [...], "outputs": [...]}, JSON-able.

    A tensor is the index of its layer and the indices of the tensors that the layer reads. A layer
    that is used twice is listed once.
    """
    layers = graph.layers
    layer_index = {id(layer): i for i, layer in enumerate(layers)}
    tensor_index = {id(tensor): i for i, tensor in enumerate(graph.tensors)}
    config = {
        "layers": [{"class": type(la).__name__, "config": la.get_config()} for la in layers],
        "tensors": [
            {"layer": layer_index[id(t.layer)], "inputs": [tensor_index[id(u)] for u in t.inputs]}
            for t in graph.tensors
        ],
        "inputs": [tensor_index[id(t)] for t in graph.inputs],
        "outputs": [tensor_index[id(t)] for t in graph.outputs],
    }
    _check_sizes(config)  # so that nothing is written that could not be read
    return config


def graph_from_config(config: Mapping[str, Any]) -> Graph:
    """Return the graph that `graph_to_config` described, with initial parameters."""
    _check_sizes(config)
    for item in config["layers"]:
        layer_registry.find(item["class"])  # an unknown class is an error before any layer is built
    layers = [layer_from_config(item["class"], item["config"]) for item in config["layers"]]
    tensors: list[SymbolicTensor] = []
    for item in config["tensors"]:
        tensors.append(_tensor(layers[item["layer"]], [tensors[i] for i in item["inputs"]]))
    inputs = tuple(tensors[i] for i in config["inputs"])
    return graph_between(inputs, tuple(tensors[i] for i in config["outputs"]))


def _tensor(layer: Layer, inputs: list[SymbolicTensor]) -> SymbolicTensor:
    return layer.tensor() if isinstance(layer, InputLayer) else layer(*inputs)


def _check_sizes(config: Mapping[str, Any]) -> None:
    ends = len(config["inputs"]) + len(config["outputs"])
    counts = {
        "layers": (len(config["layers"]), MAX_LAYERS),
        "tensors": (len(config["tensors"]), MAX_TENSORS),
        "connections": (ends + sum(len(t["inputs"]) for t in config["tensors"]), MAX_CONNECTIONS),
    }
    for what, (count, most) in counts.items():
        if count > most:
            raise SizeLimitError(f"a network of {count:,} {what}; at most {most:,} can be saved")
