"""A network's structure as plain data, and back: no code, only names from fixed tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from minicnn.errors import ArgumentError, MiniCNNError, SizeLimitError
from minicnn.layers import InputLayer, layer_from_config
from minicnn.layers.base import Layer, SymbolicTensor
from minicnn.layers.registry import registry as layer_registry
from minicnn.models.graph import Graph, check_names, graph_between
from minicnn.models.network import Network
from minicnn.support.auto_names import fresh_names
from minicnn.support.registry import (
    MAX_QUOTE,
    WRONG_CONFIG,
    Registry,
    as_json,
    custom_objects,
    own_classes,
)

if TYPE_CHECKING:
    from minicnn.models.model import Model

# Model and Sequential are added where they are made: see `minicnn.models`.
MODELS: Registry[Any] = Registry("kind of model", Network)

# Far more than any network in use, and few enough to be refused or built in a second.
MAX_LAYERS = 10_000
MAX_TENSORS = 20_000
MAX_CONNECTIONS = 50_000


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


def graph_from_config(config: Mapping[str, Any]) -> Graph:
    """The graph that `graph_to_config` described, with freshly initialized parameters."""
    _check_sizes(config)
    for item in config["layers"]:
        layer_registry.find(item["class"])  # before the first is made
    layers = [layer_from_config(item["class"], item["config"]) for item in config["layers"]]
    tensors: list[SymbolicTensor] = []
    for item in config["tensors"]:
        tensors.append(_tensor(layers[item["layer"]], [tensors[i] for i in item["inputs"]]))
    inputs = tuple(tensors[i] for i in config["inputs"])
    return graph_between(inputs, tuple(tensors[i] for i in config["outputs"]))


def _tensor(layer: Layer, inputs: list[SymbolicTensor]) -> SymbolicTensor:
    return layer.tensor() if isinstance(layer, InputLayer) else layer(*inputs)


def network_to_document(model: Model) -> dict[str, Any]:
    """{"class": name, what its `get_config` gives, "parameters": their names in order}."""
    config = model.get_config()
    own = type(model) not in MODELS.built_in
    names = [parameter.name for parameter in model.parameters]
    return {
        "class": type(model).__name__,
        **({"config": config} if own else config),
        "parameters": names,
    }


def network_from_document(document: Mapping[str, Any]) -> Model:
    """The model that `network_to_document` described, with first weights.

    One of a user's own class is made by its `from_config`.
    """
    config = document.get("config", document)
    if "config" not in document and "layers" not in document:
        raise ArgumentError(
            "it holds weights only. Build the network in code, then model.load_weights(path)"
        )
    model: Model = MODELS.build(MODELS.find(document["class"]), config)
    return model


def check_rebuildable(model: Model) -> None:
    """Raise ArgumentError, by name, for what `network_from_document` could not make again."""
    layers = model.graph.layers
    check_names(layers)
    for layer in layers:
        layer_registry.check_rebuildable(layer, f"the layer {layer.name!r}")
    with custom_objects(own_classes([model, *layers])), fresh_names():
        again = _made_again(model)
    here, there = _sizes(model), _sizes(again)
    if [shape for _, shape in here] != [shape for _, shape in there]:
        pairs = zip(here, there, strict=False)
        differing = [f"{name} {a}, not {b}" for (name, b), (_, a) in pairs if a != b]
        raise ArgumentError(
            f"{model.name} cannot be saved: built again from what its layers' get_config() say, it "
            f"would have {differing[0] if differing else f'{len(there)} arrays, not {len(here)}'}"
        )


def _made_again(model: Model) -> Model:
    try:
        again: Model = network_from_document(as_json(network_to_document(model)))
    except (MiniCNNError, *WRONG_CONFIG) as err:
        raise ArgumentError(
            f"{model.name} cannot be saved, for {type(model).__name__} could not be built again: "
            f"{str(err)[:MAX_QUOTE] or type(err).__name__}. Give it a get_config() with its "
            "constructor's arguments"
        ) from err
    return again


def _sizes(model: Model) -> list[tuple[str, tuple[int, ...]]]:
    return [(parameter.name, parameter.shape) for parameter in model.parameters]


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
