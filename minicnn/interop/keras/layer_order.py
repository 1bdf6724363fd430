"""The order in which Keras lists the layers of a network, which its files of weights follow."""

from __future__ import annotations

from typing import Any

from minicnn.layers import FunctionLayer, InputLayer
from minicnn.layers.base import Layer
from minicnn.layers.symbolic import SymbolicTensor
from minicnn.models.network import Network
from minicnn.models.sequential import Sequential


def keras_layers(network: Network) -> list[Layer]:
    """Return the layers as Keras's `model.layers` has them: functions are none."""
    return [one for one in keras_operations(network) if not isinstance(one, FunctionLayer)]


def keras_operations(network: Network) -> list[Layer]:
    """Return the layers and functions of a network in Keras's order.

    A layer's depth is the longest way from it to an output. Deep layers come first, and those of
    one depth in the order in which they are first met from the outputs.
    """
    if isinstance(network, Sequential) or network.is_subclassed:
        return list(network.layers)
    calls, met = _calls(network)
    depths: dict[int, int] = {}  # of calls, by their ids
    of_layer: dict[int, int] = {}
    for tensor in reversed(calls):
        layer = id(tensor.layer)
        depth = max(depths.get(id(tensor.call), 0), of_layer.get(layer, 0))
        of_layer[layer] = depths[id(tensor.call)] = depth
        for read in tensor.inputs:
            depths[id(read.call)] = max(depth + 1, depths.get(id(read.call), 0))
    layers = {id(one): one for one in (*network.graph.layers, *met)}
    for one in network.graph.inputs:
        of_layer.setdefault(id(one.layer), 0)
    places = {id(one): i for i, one in enumerate(met)}
    return sorted(
        (layers[key] for key in of_layer),
        key=lambda one: (-of_layer[id(one)], places.get(id(one), -1)),
    )


def _calls(network: Network) -> tuple[list[SymbolicTensor], list[Layer]]:
    """Return a tensor of each call, after those that it needs, and the layers as they are met."""
    ready: dict[int, SymbolicTensor] = {}
    met: dict[int, Layer] = {}
    stack: list[tuple[SymbolicTensor, bool]] = []
    for output in network.graph.outputs:
        stack.append((output, False))
        while stack:
            tensor, is_done = stack.pop()
            if is_done:
                ready.setdefault(id(tensor.call), tensor)
            elif id(tensor.call) not in ready:
                met.setdefault(id(tensor.layer), tensor.layer)
                stack.append((tensor, True))
                if not isinstance(tensor.layer, InputLayer):
                    stack += [(read, False) for read in reversed(tensor.inputs)]
    return list(ready.values()), list(met.values())


def keras_class(layer: Any) -> str:
    """Return the name of the class in Keras: a network of tensors is a "Functional" there."""
    name = type(layer).__name__
    return "Functional" if name == "Model" else name
