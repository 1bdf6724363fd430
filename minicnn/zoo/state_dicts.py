"""Weights of PyTorch's networks in the networks of the zoo.

A state dict of PyTorch names its arrays `MODULE.weight`, `MODULE.bias` and so on. The zoo has a
table for each network, {name of the layer: name of the module}, and this file says which array of a
module is which weight of a layer, and how its axes lie.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from minicnn.contracts import Shape
from minicnn.errors import FormatError
from minicnn.layers import BatchNormalization
from minicnn.layers.base import Layer
from minicnn.layers.parameter import Parameter
from minicnn.models import Model

Arrays = Mapping[str, np.ndarray]
NORMALIZATION = {
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}
WEIGHTED = {"kernel": "weight", "bias": "bias"}
UNUSED = "num_batches_tracked"  # PyTorch counts the batches of its averages


class Source(NamedTuple):
    """A weight of a layer, and the array of the state dict that it gets."""

    parameter: Parameter
    name: str
    layer: Layer


def load_state_dict(
    model: Model,
    arrays: Arrays,
    modules: Mapping[str, str],
    *,
    path: object,
    maps: Mapping[str, Shape] | None = None,
) -> None:
    """Give every weight of a network its array; nothing is changed if one does not fit.

    Parameters
    ----------
    model : the network
    arrays : the state dict, in PyTorch's layout
    modules : {name of a layer: name of its module}, for every layer that has weights
    path : of the file, for the messages
    maps : {name of a dense layer: (H, W, C)}, the maps that it reads, if a Flatten is before it:
        PyTorch flattens them channel by channel

    Raises
    ------
    FormatError : arrays are missing, have other shapes, or belong to no layer
    """
    sources = list(_sources(model, modules))
    _check_names(arrays, [source.name for source in sources], path)
    values = [_fitting(source, arrays, (maps or {}).get(source.layer.name), path)
              for source in sources]  # fmt: skip
    for source, value in zip(sources, values, strict=True):
        source.parameter.assign(value)


def _sources(model: Model, modules: Mapping[str, str]) -> Iterator[Source]:
    for layer in model.layers:
        known = NORMALIZATION if isinstance(layer, BatchNormalization) else WEIGHTED
        for parameter in layer.parameters:
            array = known[parameter.name.rpartition("/")[2]]
            yield Source(parameter, f"{modules[layer.name]}.{array}", layer)


def _check_names(arrays: Arrays, needed: list[str], path: object) -> None:
    given = {name for name in arrays if not name.endswith(UNUSED)}
    missing = [name for name in needed if name not in given]
    if missing:
        raise FormatError(
            path,
            f"{len(missing)} of the {len(needed)} arrays of this network are missing, such as "
            f"{missing[0]!r}; the file has {', '.join(map(repr, sorted(given)[:3]))}, ...",
        )
    others = sorted(given - set(needed))
    if others:
        raise FormatError(
            path, f"{len(others)} of its arrays belong to no layer of this network: {others[0]!r}"
        )


def _fitting(source: Source, arrays: Arrays, maps: Shape | None, path: object) -> np.ndarray:
    """Return the array with the axes of the layer's weight."""
    value, shape = np.asarray(arrays[source.name]), source.parameter.shape
    if value.ndim == len(shape):
        value = _turned(value, maps)
        if value.shape == shape:
            return value
    raise FormatError(
        path,
        f"{source.name} of shape {arrays[source.name].shape} does not fit {source.parameter.name}, "
        f"whose shape is {shape}",
    )


def _turned(value: np.ndarray, maps: Shape | None) -> np.ndarray:
    """Return an array with PyTorch's order of axes in that of NHWC."""
    if value.ndim == 4:
        return value.transpose(2, 3, 1, 0)  # (O, I, KH, KW) -> (KH, KW, I, O)
    if value.ndim != 2:
        return value
    if maps is not None and value.shape[1] == int(np.prod(maps)):
        h, w, c = maps
        value = value.reshape(-1, c, h, w).transpose(0, 2, 3, 1).reshape(len(value), -1)
    return value.T
