"""A network becomes Keras 3's config: of a Sequential, a functional model or a user's class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minicnn.errors import ArgumentError, UnsupportedError
from minicnn.interop.keras.layer_order import keras_operations
from minicnn.interop.keras.operations import operation_call, operation_config
from minicnn.interop.keras.reading_networks import keeps_training
from minicnn.interop.keras.writing_objects import FLOAT32, keras_value, layer_config
from minicnn.layers import FunctionLayer
from minicnn.layers.base import Layer
from minicnn.layers.symbolic import InputAt, LayerCall, SymbolicTensor
from minicnn.models.model import Model
from minicnn.models.network import Network
from minicnn.models.sequential import Sequential
from minicnn.support.structures import flat, replaced

OWN = {Model: ("keras.src.models.functional", "Functional"), Sequential: ("keras", "Sequential")}


def network_config(network: Network, path: object, *, legacy: bool = False) -> dict[str, Any]:
    """Return {"module", "class_name", "config", "registered_name"} of a network.

    Parameters
    ----------
    legacy : whether it is for an HDF5 file, in which layers have no modules

    Raises
    ------
    ArgumentError : the network does not know its input's shape yet
    UnsupportedError : Keras's config cannot describe it
    """
    if not network.is_built:
        raise ArgumentError(
            f"{network.name} has no layers yet, so it cannot be saved; build it first"
        )
    module, name = OWN.get(type(network), (None, type(network).__name__))
    if network.is_subclassed:
        config = {k: keras_value(v, k, path) for k, v in network.get_config().items()}
    elif isinstance(network, Sequential):
        config = _sequential(network, path, legacy=legacy)
    else:
        config = _functional(network, path, legacy=legacy)
    found = {"module": module, "class_name": name, "config": config}
    found["registered_name"] = None if name == "Sequential" and module else name
    if network.is_subclassed:
        found["build_config"] = {"input_shape": _as_list(network.input_shape)}
    return _without_module(found) if legacy else found


def _without_module(found: dict[str, Any]) -> dict[str, Any]:
    return {key: found[key] for key in ("class_name", "config")}


def _as_list(shape: Any) -> Any:
    if isinstance(shape, dict):
        return {key: _as_list(one) for key, one in shape.items()}
    return [_as_list(one) for one in shape] if isinstance(shape, (list, tuple)) else shape


def _entry(layer: Layer, path: object, *, legacy: bool) -> dict[str, Any]:
    """Return a layer of a network: a layer, a function or a network."""
    if isinstance(layer, FunctionLayer):
        if legacy:
            raise UnsupportedError(
                path, f"{layer.name!r} is a function of minicnn.ops, which Keras cannot load from "
                "an HDF5 file; save the model as .keras"
            )  # fmt: skip
        return operation_config(layer, path)
    if isinstance(layer, Network):
        return network_config(layer, path, legacy=legacy)
    found = layer_config(layer, path)
    return _without_module(found) if legacy else found


def _sequential(network: Sequential, path: object, *, legacy: bool) -> dict[str, Any]:
    first = network.graph.inputs[0]
    layers = [first.layer, *network.layers]
    return {
        "name": network.name,
        "trainable": True,
        "dtype": FLOAT32,
        "layers": [_entry(layer, path, legacy=legacy) for layer in layers],
        "build_input_shape": list(first.shape),
    }


def _functional(network: Network, path: object, *, legacy: bool) -> dict[str, Any]:
    calls = _Calls(network, path)
    layers = []
    for layer in keras_operations(network):
        entry = _entry(layer, path, legacy=legacy)
        nodes = [calls.node(call) for call in calls.of_layer[id(layer)] if call.inputs]
        layers.append({**entry, "name": layer.name, "inbound_nodes": nodes})
    ends = (
        (network.input_structure, network.graph.inputs),
        (network.output_structure, network.graph.outputs),
    )
    inputs, outputs = (calls.ends(structure, tensors) for structure, tensors in ends)
    return {
        "name": network.name,
        "trainable": True,
        "layers": layers,
        "input_layers": inputs,
        "output_layers": outputs,
    }


class _Calls:
    """The calls of each layer of a network, which Keras numbers."""

    def __init__(self, network: Network, path: object) -> None:
        self.path = path
        self.of_layer: dict[int, list[LayerCall]] = {}
        for tensor in network.graph.tensors:
            calls = self.of_layer.setdefault(id(tensor.layer), [])
            if not any(call is tensor.call for call in calls):
                calls.append(tensor.call)

    def reference(self, tensor: SymbolicTensor, first: int = 0) -> list[Any]:
        """Return [layer, number of the call, number of its output]."""
        calls = self.of_layer[id(tensor.layer)]
        number = next(i for i, call in enumerate(calls) if call is tensor.call)
        return [tensor.layer.name, first + number, tensor.index]

    def ends(self, structure: Any, tensors: Any) -> Any:
        """Return the inputs or outputs of the network, nested as they were given.

        Keras counts the call in which a functional network was made, but here alone.
        """
        references = [self.reference(t, int(type(t.layer) is Model)) for t in tensors]
        if structure is None:
            return references[0] if len(references) == 1 else references
        return replaced(structure, InputAt, lambda at: references[at.index])

    def node(self, call: LayerCall) -> dict[str, Any]:
        """Return the arguments of a call, with descriptions of tensors in their places."""
        args, kwargs = _keras_arguments(call)
        if call.training is not None:
            if not keeps_training(call.layer, call.training):
                raise UnsupportedError(
                    self.path,
                    f"{call.layer.name!r} is called with training={call.training}, which Keras 3 "
                    "does not keep; it knows training=False of a network or a normalization",
                )
            kwargs = {**kwargs, "training": call.training}
        described = [self._described(tensor) for tensor in call.inputs]
        args, kwargs = replaced((args, kwargs), InputAt, lambda at: described[at.index])
        return {"args": list(args), "kwargs": kwargs}

    def _described(self, tensor: SymbolicTensor) -> dict[str, Any]:
        config = {
            "shape": list(tensor.shape),
            "dtype": str(tensor.dtype),
            "keras_history": self.reference(tensor),
        }
        return {"class_name": "__keras_tensor__", "config": config}


def _keras_arguments(call: LayerCall) -> tuple[Any, dict[str, Any]]:
    """Return the arguments of a call as Keras's layers take them: several tensors in one list."""
    layer = call.layer
    if isinstance(layer, FunctionLayer):
        return operation_call(call)
    if layer.has_call or len(call.inputs) == 1:
        return list(call.args), dict(call.kwargs)
    structure = layer.input_structure if isinstance(layer, Network) else None
    if isinstance(structure, Mapping):
        return [structure], dict(call.kwargs)
    return [flat(list(call.args))], dict(call.kwargs)
