"""The config of a Keras model becomes a network: Sequential, functional, or of a user's class.

Functional configs list the layers, and for each layer its calls ("inbound nodes"). A tensor is
named by the layer, the number of the call and the number of the call's output. Keras 2 writes a
call as a list of such names, Keras 3 as the arguments of the call with names inside.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minicnn.errors import ArgumentError, FormatError, SizeLimitError, UnsupportedError
from minicnn.interop.keras.operations import is_operation, operation_from
from minicnn.interop.keras.reading_objects import known_name, layer_from, plain
from minicnn.layers import BatchNormalization, InputLayer
from minicnn.layers.base import Layer
from minicnn.layers.symbolic import SymbolicTensor
from minicnn.models.loading import MODELS
from minicnn.models.model import Model
from minicnn.models.network import Network
from minicnn.models.saving.archive.container import shown
from minicnn.models.saving.graph_config import MAX_LAYERS
from minicnn.models.sequential import Sequential
from minicnn.support.registry import UnknownClassError
from minicnn.support.structures import flat

NETWORKS = ("Functional", "Model", "Sequential")
Calls = dict[str, list[Any]]  # the outputs of each call of a layer, by the layer's name


def is_network(value: Mapping[str, Any]) -> bool:
    """Return whether a description is that of a network."""
    config = value.get("config")
    inside = isinstance(config, Mapping) and "layers" in config and "name" in config
    return value.get("class_name") in NETWORKS or (inside and value.get("class_name") != "Pipeline")


def network_from(value: Any, path: object, place: str = "the model") -> Model:
    """Return the network that a Keras config describes, with new weights.

    Raises
    ------
    FormatError : it is no description of a network, or one that minicnn cannot build
    """
    if not isinstance(value, Mapping) or not isinstance(value.get("class_name"), str):
        raise FormatError(
            path, f"{place} has no class_name; this is not Keras's description of one"
        )
    name, config = value["class_name"], value.get("config")
    if isinstance(config, list):  # the first versions of Keras wrote a Sequential's layers alone
        config = {"name": "sequential", "layers": config}
    if not isinstance(config, Mapping):
        raise FormatError(path, f"{place}: its config must be a dict")
    if name in NETWORKS and not isinstance(config.get("layers"), list):
        raise FormatError(path, f"{place} has no list of layers")
    kind = _kind(name, value, path, place)
    if not (isinstance(config.get("layers"), list) and is_network({**value, "config": config})):
        return _of_own_class(kind, value, config, path, place)
    if len(config["layers"]) > MAX_LAYERS:
        raise SizeLimitError(f"{path}: {place} has {len(config['layers']):,} layers")
    made = _functional if "input_layers" in config else _sequential
    network = made(kind, config, path, place)
    if config.get("trainable") is False:
        network.trainable = False
    return network


def _kind(name: str, value: Mapping[str, Any], path: object, place: str) -> type[Model]:
    """Return the class of the network: minicnn's own, or the user's."""
    if name in ("Functional", "Model"):
        return Model
    if name == "Sequential":
        return Sequential
    name = known_name(value, path, place)
    try:
        return MODELS.find(name)
    except UnknownClassError as error:
        raise UnsupportedError(
            path, f"{place} is a {shown(name)}, which is a class of its maker: "
            f"load_model(path, custom_objects={{{shown(name)}: TheClass}})"
        ) from error  # fmt: skip


def _of_own_class(
    kind: type[Model], value: Mapping[str, Any], config: Any, path: object, place: str
) -> Model:
    """Return a network of a user's class, which its own config describes."""
    arguments = {key: plain(one, path, place) for key, one in config.items() if key != "dtype"}
    network = MODELS.build(kind, arguments)
    shape = (value.get("build_config") or {}).get("input_shape")
    if network.is_subclassed and isinstance(shape, list):
        network.build(tuple(shape))
    return network


def _sequential(kind: type[Model], config: Mapping[str, Any], path: object, place: str) -> Model:
    """Return the network whose layers follow each other."""
    layers = [
        _layer(item, path, f"layer {i} of {place}") for i, item in enumerate(config["layers"])
    ]
    shape = config.get("build_input_shape")
    start = layers[0] if layers else None
    has_shape = isinstance(start, (InputLayer, Model)) or start is None or start.given_input_shape
    if not has_shape and isinstance(shape, list):
        layers.insert(0, InputLayer(batch_shape=tuple(shape)))
    return kind(layers, name=config.get("name"))


def _layer(item: Any, path: object, place: str) -> Any:
    """Return a layer, a function of tensors or a whole network."""
    if not isinstance(item, Mapping) or not isinstance(item.get("class_name"), str):
        raise FormatError(path, f"{place} has no class_name")
    name = item.get("name", (item.get("config") or {}).get("name") if isinstance(
        item.get("config"), Mapping) else None)  # fmt: skip
    if isinstance(name, str):
        place = f"the layer {shown(name)}"
    if is_operation(item):
        return operation_from(item, path, place)
    if is_network(item):
        return network_from(item, path, place)
    return layer_from(item, path, place)


def _functional(kind: type[Model], config: Mapping[str, Any], path: object, place: str) -> Model:
    """Return the network from the input layers to the output layers."""
    items = config["layers"]
    layers = [_layer(item, path, f"layer {i} of {place}") for i, item in enumerate(items)]
    names = [_name_in_file(item, layer) for item, layer in zip(items, layers, strict=True)]
    if len(set(names)) < len(names):
        raise FormatError(path, f"{place} has two layers of one name")
    graph = _Graph(config, dict(zip(names, layers, strict=True)), path, place)
    graph.connect(
        {name: item.get("inbound_nodes", []) for name, item in zip(names, items, strict=True)}
    )
    inputs, outputs = (graph.ends(config[key]) for key in ("input_layers", "output_layers"))
    return kind(inputs, outputs, name=config.get("name"))


def _name_in_file(item: Mapping[str, Any], layer: Layer) -> str:
    name = item.get("name")
    return name if isinstance(name, str) else layer.name


def keeps_training(layer: Any, training: Any) -> bool:
    """Return whether the `training` of a call in a file of Keras 3 is the user's.

    Keras writes the default of the layer's own `call`, such as False for Dropout, too, and gives
    each call in a network the network's own `training` whatever was written. What is meant is
    False for a network inside, or for its normalization: they are used, but not trained.
    """
    return training is False and isinstance(layer, (Network, BatchNormalization))


class _Graph:
    """The tensors of a functional network, as far as its layers have been called."""

    def __init__(
        self, config: Mapping[str, Any], layers: dict[str, Layer], path: object, place: str
    ) -> None:
        self.layers, self.path, self.place = layers, path, place
        self.is_keras_2 = _is_keras_2(config)
        self.first = _first_calls(config, layers, is_keras_2=self.is_keras_2)
        self.calls: Calls = {name: [] for name in layers}
        for name, layer in layers.items():
            if isinstance(layer, InputLayer):
                self.calls[name].append([layer.tensor()])

    def connect(self, nodes: dict[str, Any]) -> None:
        """Call the layers, each as soon as the tensors that it reads are known."""
        waiting = {name: list(_listed(calls)) for name, calls in nodes.items()}
        waiting = {name: calls for name, calls in waiting.items() if calls}
        while waiting:
            before = sum(map(len, waiting.values()))
            for name in list(waiting):
                while waiting[name] and self._is_ready(waiting[name][0]):
                    self._call(name, waiting[name].pop(0))
                if not waiting[name]:
                    del waiting[name]
            if waiting and sum(map(len, waiting.values())) == before:
                raise FormatError(
                    self.path, f"{self.place}: the layer {shown(next(iter(waiting)))} reads "
                    "tensors that no layer makes, or that depend on its own"
                )  # fmt: skip

    def ends(self, structure: Any) -> Any:
        """Return the tensors of `input_layers` or `output_layers`, nested as these are."""
        if _is_reference(structure):
            return self._tensor(structure, end=True)
        if isinstance(structure, Mapping):
            return {key: self.ends(one) for key, one in structure.items()}
        if not isinstance(structure, list):
            raise FormatError(self.path, f"{self.place}: its inputs and outputs must be lists")
        if self.is_keras_2 and len(structure) == 1:
            return self.ends(structure[0])
        return [self.ends(one) for one in structure]

    def _is_ready(self, node: Any) -> bool:
        for name, call, _ in _references(node):
            if name not in self.layers:
                raise FormatError(self.path, f"{self.place} has no layer {shown(str(name))}")
            if call - self.first.get(name, 0) >= len(self.calls[name]):
                return False
        return True

    def _tensor(self, reference: Any, *, end: bool = False) -> SymbolicTensor:
        name, call, index = reference[:3]
        if name not in self.calls:
            raise FormatError(self.path, f"{self.place} has no layer {shown(str(name))}")
        first = self.first.get(name, 0)
        if end and not self.is_keras_2 and type(self.layers[name]) is Model:
            first = 1  # Keras counts a call in which a functional network was made
        try:
            if call < first or index < 0:
                raise IndexError
            found: SymbolicTensor = self.calls[name][call - first][index]
        except IndexError:
            raise FormatError(
                self.path, f"{self.place}: {shown(str(name))} has no output {index} of call {call}"
            ) from None
        return found

    def _call(self, name: str, node: Any) -> None:
        layer = self.layers[name]
        args, kwargs = self._arguments(node)
        if kwargs.get("mask") is None:
            kwargs.pop("mask", None)
        if not self.is_keras_2 and not keeps_training(layer, kwargs.get("training")):
            kwargs.pop("training", None)
        if isinstance(layer, InputLayer):
            raise FormatError(self.path, f"{self.place}: the input {shown(name)} reads a tensor")
        try:
            self.calls[name].append(flat(layer(*args, **kwargs)))
        except ArgumentError as error:
            raise UnsupportedError(self.path, f"{self.place}: {error}") from error

    def _arguments(self, node: Any) -> tuple[list[Any], dict[str, Any]]:
        """Return the arguments of a call, with the tensors in their places."""
        if isinstance(node, Mapping):
            args = self._filled(node.get("args", []))
            kwargs = self._filled(node.get("kwargs", {}))
            if isinstance(args, list) and isinstance(kwargs, dict):
                return args, kwargs
            raise FormatError(self.path, f"{self.place}: a call has no args and kwargs")
        tensors = [self._tensor(one) for one in node]
        extra = node[0][3] if node and len(node[0]) > 3 else {}
        kwargs = self._filled_2(extra if isinstance(extra, dict) else {})
        return [tensors[0] if len(tensors) == 1 else tensors], kwargs

    def _filled(self, value: Any) -> Any:
        """Return arguments of Keras 3 with tensors in place of their names."""
        if isinstance(value, list):
            return [self._filled(one) for one in value]
        if not isinstance(value, Mapping):
            return value
        if value.get("class_name") == "__keras_tensor__":
            return self._tensor(_history(value, self.path))
        if "class_name" in value:
            return _constant(value, self.path, self.place)
        return {key: self._filled(one) for key, one in value.items()}

    def _filled_2(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        """Return further arguments of Keras 2, in which [layer, call, output] is a tensor."""
        return {
            key: self._tensor(value) if _is_reference(value) else value
            for key, value in kwargs.items()
            if key != "name" or value is not None
        }


def _constant(value: Mapping[str, Any], path: object, place: str) -> Any:
    """Return a slice, an ellipsis or numbers among the arguments of a call."""
    name, config = value["class_name"], value.get("config") or {}
    if name == "__ellipsis__":
        return Ellipsis
    if name == "__slice__":
        return slice(config.get("start"), config.get("stop"), config.get("step"))
    return plain(value, path, place)


def _history(value: Mapping[str, Any], path: object) -> list[Any]:
    history: Any = (value.get("config") or {}).get("keras_history")
    if not _is_reference(history):
        raise FormatError(path, f"a tensor has the keras_history {shown(str(history))}")
    return list(history)


def _is_reference(value: Any) -> bool:
    """Return whether this names a tensor: [layer, call, output], perhaps with arguments."""
    return (
        isinstance(value, list)
        and len(value) in (3, 4)
        and isinstance(value[0], str)
        and all(type(one) is int for one in value[1:3])
    )


def _references(node: Any) -> list[tuple[str, int, int]]:
    """Return the names of all tensors that a call reads."""
    if _is_reference(node):
        inner = _references(node[3]) if len(node) == 4 else []
        return [(node[0], node[1], node[2]), *inner]
    if isinstance(node, Mapping):
        if "keras_history" in node:
            return _references(node["keras_history"])
        node = list(node.values())
    if isinstance(node, list):
        return [one for value in node for one in _references(value)]
    return []


def _listed(calls: Any) -> list[Any]:
    """Return the calls of a layer; an input has none."""
    return [one for one in calls if one] if isinstance(calls, list) else []


def _is_keras_2(config: Mapping[str, Any]) -> bool:
    """Return whether any call is written as Keras 2 writes it, in a list."""
    nodes = [node for item in config["layers"] for node in _listed(item.get("inbound_nodes"))]
    return any(isinstance(node, list) for node in nodes)


def _first_calls(
    config: Mapping[str, Any], layers: dict[str, Layer], *, is_keras_2: bool
) -> dict[str, int]:
    """Return the number of the first call, which is 1 for networks in files of Keras 2.

    There the call in which a network was made counts, unless a Sequential was made without one.
    """
    if not is_keras_2:
        return {}
    ends = [config[key] for key in ("input_layers", "output_layers")]
    nodes = [item.get("inbound_nodes", []) for item in config["layers"]]
    first: dict[str, int] = {}
    for name, call, _ in _references([*nodes, *ends]):
        if isinstance(layers.get(name), Model):
            first[name] = min(call, first.get(name, call))
    return first
