"""Copies of networks: with new layers and new initial weights, and from JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from minicnn.errors import ArgumentError
from minicnn.layers import InputLayer
from minicnn.layers.base import Layer
from minicnn.layers.symbolic import SymbolicTensor
from minicnn.models.graph import Graph
from minicnn.models.model import Model
from minicnn.models.saving.network_document import MODELS
from minicnn.models.sequential import Sequential
from minicnn.models.structures import filled
from minicnn.support.registry import Classes
from minicnn.support.registry import custom_objects as objects
from minicnn.support.structures import flat


def clone_model(
    model: Model,
    input_tensors: Any = None,
    clone_function: Callable[[Layer], Layer] | None = None,
) -> Model:
    """Return a model of new layers like those of `model`, with new initial weights.

    Parameters
    ----------
    model : a functional Model or a Sequential; one that has a `call` is rebuilt by its class
    input_tensors : tensors in place of new inputs: one, or as many as the model has in a list
    clone_function : function of a layer that returns the layer of the copy; by default it is built
        from the layer's `get_config`

    Raises
    ------
    ArgumentError : the number of `input_tensors` is another than that of the model's inputs

    Examples
    --------
    >>> from minicnn import Input, layers
    >>> model = Sequential([Input((4,)), layers.Dense(2, name="d")])
    >>> clone_model(model).get_layer("d") is model.get_layer("d")
    False
    """
    if model.is_subclassed or not model.is_built:
        return type(model).from_config(model.get_config())
    copy = _copy if clone_function is None else clone_function
    graph = model.graph
    inputs = _inputs(graph, input_tensors)
    outputs = _outputs(graph, inputs, copy)
    if isinstance(model, Sequential):
        return Sequential([inputs[0], *(t.layer for t in _after(inputs, outputs))], model.name)
    return Model(
        filled(model.input_structure, inputs) if model.input_structure else inputs[0],
        model.packed(outputs),
        name=model.name,
    )


def _copy(layer: Layer) -> Layer:
    copy: Layer = type(layer).from_config(layer.get_config())
    return copy


def _inputs(graph: Graph, given: Any) -> list[SymbolicTensor]:
    if given is None:
        return [_copy(t.layer).tensor() for t in graph.inputs]  # type: ignore[attr-defined]
    tensors = flat(given)
    if len(tensors) != len(graph.inputs):
        raise ArgumentError(
            f"input_tensors must be {len(graph.inputs)}, one for each input; got {len(tensors)}"
        )
    return tensors


def _outputs(
    graph: Graph, inputs: list[SymbolicTensor], copy: Callable[[Layer], Layer]
) -> list[SymbolicTensor]:
    """Return the outputs of the copied layers, each of which is copied once."""
    layers: dict[int, Layer] = {}
    calls: dict[int, list[SymbolicTensor]] = {}
    new = {id(t): x for t, x in zip(graph.inputs, inputs, strict=True)}
    for tensor in graph.tensors:
        if id(tensor) in new or isinstance(tensor.layer, InputLayer):
            continue
        call = tensor.call
        if id(call) not in calls:
            layer = layers.setdefault(id(tensor.layer), copy(tensor.layer))
            read = [new[id(t)] for t in call.inputs]
            args, kwargs = filled((call.args, call.kwargs), read)
            training = {} if call.training is None else {"training": call.training}
            calls[id(call)] = flat(layer(*args, **kwargs, **training))
        new[id(tensor)] = calls[id(call)][tensor.index]
    return [new[id(t)] for t in graph.outputs]


def _after(inputs: list[SymbolicTensor], outputs: list[SymbolicTensor]) -> list[SymbolicTensor]:
    """Return the tensors of a chain after its input."""
    path = outputs[0].path()
    return path[[id(t) for t in path].index(id(inputs[0])) + 1 :]


def model_from_json(text: str, custom_objects: Classes | None = None) -> Model:
    """Return the network that `model.to_json()` described, with initial weights.

    Parameters
    ----------
    text : the JSON
    custom_objects : classes of yours that it names, {"Scale": Scale}

    Raises
    ------
    ArgumentError : it is no JSON of a network, or names an unknown class
    """
    try:
        document = json.loads(text)
        kind, config = document["class"], document["config"]
    except (TypeError, ValueError, KeyError, RecursionError) as err:
        raise ArgumentError(
            f"text must be what model.to_json() returned; reading it failed: {err}"
        ) from err
    with objects(custom_objects):
        model: Model = MODELS.build(MODELS.find(kind), config)
    return model
