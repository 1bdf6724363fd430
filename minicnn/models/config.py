"""A network's structure as plain data, and back: no code, only names from a fixed table."""

from __future__ import annotations

from typing import Any

from minicnn.errors import SizeLimitError
from minicnn.layers import InputLayer, layer_from_config
from minicnn.layers.base import Layer, SymbolicTensor
from minicnn.models.graph import Graph, graph_between

# Far more than any network in use, and few enough to be refused or built in a second.
MOST_LAYERS = 10_000
MOST_TENSORS = 20_000
MOST_CONNECTIONS = 50_000


def graph_to_config(graph: Graph) -> dict[str, Any]:
    """{"layers": [...], "tensors": [...], "inputs": [...], "outputs": [...]}, JSON-able.

    A tensor is the number of its layer and the numbers of the tensors that feed it; a layer that
    is used twice stands once among the layers.
    """
    layers = graph.layers
    number = {id(layer): i for i, layer in enumerate(layers)}
    place = {id(tensor): i for i, tensor in enumerate(graph.tensors)}
    config = {
        "layers": [{"class": type(la).__name__, "config": la.get_config()} for la in layers],
        "tensors": [
            {"layer": number[id(t.layer)], "inputs": [place[id(u)] for u in t.inputs]}
            for t in graph.tensors
        ],
        "inputs": [place[id(t)] for t in graph.inputs],
        "outputs": [place[id(t)] for t in graph.outputs],
    }
    _check_sizes(config)  # what could not be read is not written
    return config


def graph_from_config(config: dict[str, Any]) -> Graph:
    """The graph that `graph_to_config` described, with freshly initialised parameters."""
    _check_sizes(config)
    layers = [layer_from_config(item["class"], item["config"]) for item in config["layers"]]
    tensors: list[SymbolicTensor] = []
    for item in config["tensors"]:
        tensors.append(_tensor(layers[item["layer"]], [tensors[i] for i in item["inputs"]]))
    inputs = tuple(tensors[i] for i in config["inputs"])
    return graph_between(inputs, tuple(tensors[i] for i in config["outputs"]))


def _tensor(layer: Layer, inputs: list[SymbolicTensor]) -> SymbolicTensor:
    return layer.tensor() if isinstance(layer, InputLayer) else layer(*inputs)


def _check_sizes(config: dict[str, Any]) -> None:
    ends = len(config["inputs"]) + len(config["outputs"])
    counts = {
        "layers": (len(config["layers"]), MOST_LAYERS),
        "tensors": (len(config["tensors"]), MOST_TENSORS),
        "connections": (ends + sum(len(t["inputs"]) for t in config["tensors"]), MOST_CONNECTIONS),
    }
    for what, (count, most) in counts.items():
        if count > most:
            raise SizeLimitError(f"a network of {count:,} {what}; at most {most:,} can be saved")
