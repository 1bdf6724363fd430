"""The structure of a graph as plain data, and back: no code, only names from fixed tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minicnn.checks import check_int
from minicnn.errors import SizeLimitError
from minicnn.layers import InputLayer, layer_from_config
from minicnn.layers.base import Layer
from minicnn.layers.registry import registry as layer_registry
from minicnn.layers.symbolic import InputAt, SymbolicTensor, with_inputs
from minicnn.models.graph import Graph, graph_between
from minicnn.support.structures import flat, replaced, single

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
        "tensors": [_tensor_config(t, layer_index, tensor_index) for t in graph.tensors],
        "inputs": [tensor_index[id(t)] for t in graph.inputs],
        "outputs": [tensor_index[id(t)] for t in graph.outputs],
    }
    _check_sizes(config)  # so that nothing is written that could not be read
    return config


def _tensor_config(
    tensor: SymbolicTensor, layer_index: Mapping[int, int], tensor_index: Mapping[int, int]
) -> dict[str, Any]:
    """Return a tensor's layer and inputs; and if they are not the usual, its call's arguments."""
    call = tensor.call
    config: dict[str, Any] = {
        "layer": layer_index[id(tensor.layer)],
        "inputs": [tensor_index[id(t)] for t in tensor.inputs],
    }
    if tensor.index:
        config["index"] = tensor.index
    if call.training is not None:
        config["training"] = call.training
    if call.kwargs or call.args != call.inputs_in_order:
        config["arguments"] = replaced([list(call.args), call.kwargs], InputAt, InputAt.as_config)
    return config


def graph_from_config(config: Mapping[str, Any]) -> tuple[Graph, Any, Any]:
    """Return the graph that `graph_to_config` described, with initial parameters.

    The inputs and outputs are also returned as they were nested.
    """
    _check_sizes(config)
    for item in config["layers"]:
        layer_registry.find(item["class"])  # an unknown class is an error before any layer is built
    layers = [layer_from_config(item["class"], item["config"]) for item in config["layers"]]
    tensors: list[SymbolicTensor] = []
    calls: dict[str, Any] = {}  # the outputs of each call, of which a file names one at a time
    for item in config["tensors"]:
        tensors.append(_tensor(layers[item["layer"]], item, tensors, calls))
    inputs, outputs = ([tensors[i] for i in config[name]] for name in ("inputs", "outputs"))
    graph = graph_between(tuple(inputs), tuple(outputs))
    return (
        graph,
        _nested(config.get("input_structure"), inputs),
        _nested(config.get("output_structure"), outputs),
    )


def _nested(structure: Any, tensors: list[SymbolicTensor]) -> Any:
    return single(tensors) if structure is None else with_inputs(structure, tensors)


def _tensor(
    layer: Layer, item: Mapping[str, Any], tensors: list[SymbolicTensor], calls: dict[str, Any]
) -> SymbolicTensor:
    """Return the tensor of one entry: output number "index" of a layer's call."""
    if isinstance(layer, InputLayer):
        return layer.tensor()
    inputs = [tensors[i] for i in item["inputs"]]
    key = repr((item["layer"], item["inputs"], item.get("arguments"), item.get("training")))
    if not item.get("index") or key not in calls:
        args, kwargs = with_inputs(item.get("arguments", [inputs, {}]), inputs)
        training = {"training": item["training"]} if "training" in item else {}
        calls[key] = flat(layer(*args, **kwargs, **training))
    found: SymbolicTensor = calls[key][check_int(item.get("index", 0), "index", 0)]
    return found


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
