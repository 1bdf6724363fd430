"""Weights as Keras 2 stores them: a group for each layer, in which a list names its weights.

Keras 3 writes them so, too, in HDF5 files of whole models. The layers of a network inside another
one have no groups of their own there.
"""

from __future__ import annotations

from typing import Any

from minicnn.interop.keras.hdf5_reading import Hdf5
from minicnn.interop.keras.hdf5_writing import put_array, put_texts
from minicnn.interop.keras.layer_order import keras_layers
from minicnn.interop.keras.weight_paths import (
    Change,
    fitting,
    joined,
    keras_array,
    other_network,
    own_parameters,
)
from minicnn.layers.base import Layer
from minicnn.layers.parameter import Parameter
from minicnn.models.network import Network
from minicnn.models.saving.archive.container import shown

TOP_LEVEL = "top_level_model_weights"
KERAS_VERSION = "3.15.1"  # whose files these are like


def is_legacy(file: Hdf5, place: str = "") -> bool:
    """Return whether a group has the layers' names in a list."""
    return file.texts("layer_names", place) is not None


def legacy_weights(layer: Layer) -> list[tuple[str, Parameter]]:
    """Return a layer's weights with their paths, those that are trained first.

    >>> import minicnn as mc
    >>> layer = mc.layers.BatchNormalization(name="norm")
    >>> y = layer(mc.ops.zeros((1, 2), np.float32))
    >>> [path for path, _ in legacy_weights(layer)]
    ['norm/gamma', 'norm/beta', 'norm/moving_mean', 'norm/moving_variance']
    """
    every = {id(parameter): (path, parameter) for path, parameter in _named(layer, "")}
    trained = {id(parameter) for parameter in layer.trainable_parameters}
    return sorted(every.values(), key=lambda one: id(one[1]) not in trained)


def changes(network: Network, file: Hdf5, place: str = "") -> list[Change]:
    """Return each weight with its value in the file; nothing is changed yet.

    Layers are matched by their names, or by their order if any name differs.

    Raises
    ------
    CheckpointError : a weight is missing, one too many, or of another shape
    FormatError : the file is damaged or hostile
    """
    names = file.texts("layer_names", place) or []
    stored = {name: file.texts("weight_names", joined(place, name)) or [] for name in names}
    stored = {name: weights for name, weights in stored.items() if weights}
    here = {one.name: legacy_weights(one) for one in keras_layers(network)}
    here = {name: weights for name, weights in here.items() if weights}
    if len(stored) != len(here):
        raise other_network(file.path, f"{len(stored)} layers with weights there, {len(here)} here")
    pairs = [(n, n) for n in here] if set(here) == set(stored) else list(zip(here, stored))  # noqa: B905
    found: list[Change] = []
    for name, there in pairs:
        found += _of_layer(here[name], stored[there], file, joined(place, there))
    return found


def write_weights(network: Network, group: Any) -> None:
    """Write all weights into an HDF5 group."""
    layers = keras_layers(network)
    put_texts(group, "layer_names", [layer.name for layer in layers])
    group.attrs["backend"] = "tensorflow"
    group.attrs["keras_version"] = KERAS_VERSION
    for layer in sorted(layers, key=lambda one: one.name):
        _write_layer(group.create_group(layer.name), legacy_weights(layer))
    _write_layer(group.create_group(TOP_LEVEL), [])


def _of_layer(
    here: list[tuple[str, Parameter]], names: list[str], file: Hdf5, place: str
) -> list[Change]:
    if len(names) != len(here):
        raise other_network(
            file.path, f"{shown(place)}: {len(names)} weights there, {len(here)} here"
        )
    places = [f"{place}/{name}" for name in names]
    return [
        (parameter, fitting(parameter, file.array(one), one, file.path))
        for (_, parameter), one in zip(here, places, strict=True)
    ]


def _write_layer(group: Any, weights: list[tuple[str, Parameter]]) -> None:
    put_texts(group, "weight_names", [path for path, _ in weights])
    for path, parameter in weights:
        put_array(group, path, keras_array(parameter))


def _named(layer: Layer, outer: str) -> list[tuple[str, Parameter]]:
    """Return a layer's weights with their paths, "inner/conv2d/kernel", in Keras's order."""
    path = f"{outer}{layer.name}/"
    found = [(f"{path}{p.name.rpartition('/')[2]}", p) for p in own_parameters(layer)]
    inside = layer.sublayers
    if isinstance(layer, Network) and not layer.is_subclassed:
        inside = keras_layers(layer)
    for one in inside:
        found += _named(one, path)
    return found
