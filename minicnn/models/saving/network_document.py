"""A network as a document, and back: its class by name, and what rebuilds it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minicnn.errors import ArgumentError, MiniCNNError
from minicnn.layers.registry import registry as layer_registry
from minicnn.models.compiled_network import CompiledNetwork
from minicnn.models.graph import check_names
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

# The classes that a file may name. `minicnn.models.loading` adds Model and Sequential.
MODELS: Registry[Any] = Registry("kind of model", Network)


def network_to_document(model: CompiledNetwork) -> dict[str, Any]:
    """Return {"class": name, what its `get_config` returns, "parameters": their names in order}."""
    config = model.get_config()
    own = type(model) not in MODELS.built_in
    names = list(model.named_parameters())
    if model.is_subclassed:
        config = {"config": config, "input_shapes": model.input_shape}
        own = False
    return {
        "class": type(model).__name__,
        **({"config": config} if own else config),
        "parameters": names,
    }


def network_from_document(document: Mapping[str, Any]) -> CompiledNetwork:
    """Return the network that `network_to_document` described, with initial weights.

    An instance of a user's class is made by its `from_config`.
    """
    config = document.get("config", document)
    if "config" not in document and "layers" not in document:
        raise ArgumentError(
            "it holds weights only. Build the network in code, then model.load_weights(path)"
        )
    network: CompiledNetwork = MODELS.build(MODELS.find(document["class"]), config)
    if "input_shapes" in document:
        network.build(document["input_shapes"])
    return network


def check_rebuildable(model: CompiledNetwork) -> None:
    """Raise ArgumentError, by name, for what `network_from_document` could not rebuild."""
    layers = model.graph.layers
    check_names(layers)
    for layer in layers:
        layer_registry.check_rebuildable(layer, f"the layer {layer.name!r}")
    with custom_objects(own_classes([model, *layers])), fresh_names():
        again = _rebuilt(model)
    here, there = _shapes(model), _shapes(again)
    if [shape for _, shape in here] != [shape for _, shape in there]:
        pairs = zip(here, there, strict=False)
        differing = [f"{name} {a}, not {b}" for (name, b), (_, a) in pairs if a != b]
        raise ArgumentError(
            f"{model.name} cannot be saved: rebuilt from what its layers' get_config() return, it "
            f"would have {differing[0] if differing else f'{len(there)} arrays, not {len(here)}'}"
        )


def _rebuilt(model: CompiledNetwork) -> CompiledNetwork:
    try:
        return network_from_document(as_json(network_to_document(model)))
    except (MiniCNNError, *WRONG_CONFIG) as err:
        raise ArgumentError(
            f"{model.name} cannot be saved, because {type(model).__name__} could not be rebuilt: "
            f"{str(err)[:MAX_QUOTE] or type(err).__name__}. Give it a get_config() with its "
            "constructor's arguments"
        ) from err


def _shapes(model: CompiledNetwork) -> list[tuple[str, tuple[int, ...]]]:
    return [(path, parameter.shape) for path, parameter in model.named_parameters().items()]
