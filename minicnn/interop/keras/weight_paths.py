"""Weights as Keras 3 stores them: `layers/conv2d_1/vars/0`, by classes and places, not by names.

The groups of a network's layers are called by their classes in snake case, numbered in Keras's
order. A layer inside another one is called by the attribute that holds it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from minicnn.errors import CheckpointError
from minicnn.interop.keras.hdf5_reading import Hdf5
from minicnn.interop.keras.hdf5_writing import put_array
from minicnn.interop.keras.layer_order import keras_class, keras_layers
from minicnn.layers.base import Layer
from minicnn.layers.parameter import Parameter
from minicnn.models.network import Network
from minicnn.models.saving.archive.container import shown
from minicnn.support.structures import leaves

Change = tuple[Parameter, np.ndarray]
OLDER = "_layer_checkpoint_dependencies"  # in place of "layers", in TensorFlow 2.13
COUNTS = {"count": np.int64}  # weights that are integers in Keras, and scalars


class Store(NamedTuple):
    """A layer's own weights, and the group in which they are."""

    path: str  # "layers/dense_1"; "" for the whole model
    name: str  # of the layer
    parameters: list[Parameter]


def stores(network: Network) -> list[Store]:
    """Return the groups of all layers, an outer one first, each layer once."""
    return list(_walk(network, "", set()))


def own_parameters(layer: Layer) -> list[Parameter]:
    """Return a layer's own weights in Keras's order: those that are trained come first."""
    return sorted(layer.own_parameters, key=lambda parameter: not parameter.trainable)


def changes(network: Network, file: Hdf5) -> list[Change]:
    """Return each weight with its value in the file; nothing is changed yet.

    Raises
    ------
    CheckpointError : a weight is missing, one too many, or of another shape
    FormatError : the file is damaged or hostile
    """
    found: list[Change] = []
    for store in stores(network):
        place = _group(file, store)
        count = len(file.names(place))
        if count != len(store.parameters):
            raise other_network(
                file.path,
                f"{shown(place)} has {count} weights, {shown(store.name)} {len(store.parameters)}",
            )
        for i, parameter in enumerate(store.parameters):
            value = file.array(f"{place}/{i}")
            found.append((parameter, fitting(parameter, value, f"{place}/{i}", file.path)))
    return found


def fitting(parameter: Parameter, value: np.ndarray, place: str, path: object) -> np.ndarray:
    """Return a value of a file in the shape that the weight has here."""
    if value.shape == parameter.keras_shape or value.size == parameter.size == 1:
        value = value.reshape(parameter.shape)
    if value.shape != parameter.shape:
        raise other_network(
            path,
            f"{shown(place)} is {value.shape}, {shown(parameter.name)} {parameter.keras_shape}",
        )
    return value


def other_network(path: object, difference: str) -> CheckpointError:
    """Return the error for a file whose weights do not fit."""
    return CheckpointError(f"{path} is of another network ({difference})")


def write_stores(network: Network, group: Any) -> None:
    """Write all weights into an HDF5 group."""
    for store in stores(network):
        inner = group.create_group(f"{store.path}/vars" if store.path else "vars")
        inner.attrs["name"] = store.name
        for i, parameter in enumerate(store.parameters):
            put_array(inner, str(i), keras_array(parameter))


def keras_array(parameter: Parameter) -> np.ndarray:
    """Return a weight's value as Keras stores it."""
    kind = COUNTS.get(parameter.name.rpartition("/")[2])
    if kind is not None and not parameter.trainable and parameter.size == 1:
        return np.asarray(parameter.value.reshape(()), kind)
    return parameter.value.reshape(parameter.keras_shape)


def _group(file: Hdf5, store: Store) -> str:
    place = f"{store.path}/vars" if store.path else "vars"
    if store.parameters and not file.has(place):
        older = place.replace("layers", OLDER)
        if file.has(older):
            return older
    return place


def _walk(layer: Layer, path: str, visited: set[int]) -> Iterator[Store]:
    if id(layer) in visited:
        return
    visited.add(id(layer))
    yield Store(path, layer.name, own_parameters(layer))
    if isinstance(layer, Network) and not layer.is_subclassed:
        yield from _walk_list(keras_layers(layer), joined(path, "layers"), visited)
        return
    for name, value in sorted(_attributes(layer).items()):
        if isinstance(value, Layer):
            yield from _walk(value, joined(path, name), visited)
        else:
            yield from _walk_list(list(leaves(value, Layer)), joined(path, name), visited)


def _walk_list(layers: list[Layer], path: str, visited: set[int]) -> Iterator[Store]:
    used: dict[str, int] = {}
    for layer in layers:
        stem = keras_snake(keras_class(layer))
        used[stem] = used.get(stem, -1) + 1
        name = f"{stem}_{used[stem]}" if used[stem] else stem
        yield from _walk(layer, joined(path, name), visited)


def joined(path: str, name: str) -> str:
    """Return the path of what has this name in a group; the path of the whole file is empty."""
    return f"{path}/{name}" if path else name


def _attributes(layer: Layer) -> dict[str, Any]:
    """Return the attributes that hold layers, by the names that they have in Keras."""
    return {
        name.lstrip("_"): value
        for name, value in vars(layer).items()
        if any(True for _ in leaves(value, Layer))
    }


def keras_snake(name: str) -> str:
    """Return a class's name in snake case, as Keras has it: "p_re_lu" for PReLU.

    >>> keras_snake("Conv2DTranspose"), keras_snake("ReLU")
    ('conv2d_transpose', 're_lu')
    """
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()
