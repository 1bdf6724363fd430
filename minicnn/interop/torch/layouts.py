"""PyTorch's tensors of a layer, for each layer of ours: their names and their order of axes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from minicnn import layers
from minicnn.models.network import Network

Turn = Callable[[np.ndarray], np.ndarray]


class Part(NamedTuple):
    """One weight of a layer of ours, and PyTorch's name and layout of it."""

    name: str  # PyTorch's
    parameter: Any
    shape: tuple[int, ...]  # PyTorch's
    to_ours: Turn
    to_torch: Turn


class Place(NamedTuple):
    """A layer with weights, its path in the network, and its parts in PyTorch's order."""

    path: str
    layer: Any
    parts: list[Part]


def places(model: Any) -> list[Place]:
    """Return the layers with weights in the order in which the network computes them.

    Raises
    ------
    ValueError : a layer has weights that PyTorch's layers do not have; the message names it
    """
    return list(_places(model, ""))


def _places(network: Any, path: str) -> Iterator[Place]:
    images = _flattened_images(network)
    for layer in network.graph.layers:
        if isinstance(layer, Network):
            yield from _places(layer, f"{path}{layer.name}/")
        elif layer.parameters:
            yield Place(f"{path}{layer.name}", layer, parts_of(layer, images.get(id(layer))))


def parts_of(layer: Any, pixels: tuple[int, int, int] | None) -> list[Part]:
    """Return the weights of a layer; `pixels` is (H, W, C) of a flattened image that it reads."""
    for kind, make in LAYOUTS.items():
        if isinstance(layer, kind):
            return make(layer, pixels)
    raise ValueError(
        f"the layer {layer.name!r} ({type(layer).__name__}) has weights of a kind that PyTorch's "
        "files are not read into or written from"
    )


def _same(name: str, parameter: Any) -> Part:
    return _part(name, parameter, tuple(range(parameter.ndim)))


def _part(name: str, parameter: Any, axes: tuple[int, ...]) -> Part:
    """Return a weight whose axes in PyTorch are these of ours."""
    shape = tuple(parameter.shape[axis] for axis in axes)
    back = tuple(np.argsort(axes))
    return Part(name, parameter, shape, lambda x: x.transpose(back), lambda x: x.transpose(axes))


def _convolution(layer: Any, _pixels: Any) -> list[Part]:
    """Return the kernel, (O, I, KH, KW) in PyTorch and (KH, KW, I, O) here, and the bias."""
    rank = layer.kernel.ndim
    axes = (rank - 1, rank - 2, *range(rank - 2))
    bias = [] if layer.bias is None else [_same("bias", layer.bias)]
    return [_part("weight", layer.kernel, axes), *bias]


def _dense(layer: Any, pixels: tuple[int, int, int] | None) -> list[Part]:
    """Return the weights, whose rows have the order of the pixels in PyTorch, and the bias."""
    bias = [] if layer.bias is None else [_same("bias", layer.bias)]
    features, units = layer.kernel.shape
    if pixels is None or math.prod(pixels) != features:
        return [_part("weight", layer.kernel, (1, 0)), *bias]
    h, w, c = pixels

    def to_ours(x: np.ndarray) -> np.ndarray:
        return x.reshape(units, c, h, w).transpose(2, 3, 1, 0).reshape(features, units)

    def to_torch(x: np.ndarray) -> np.ndarray:
        return x.reshape(h, w, c, units).transpose(3, 2, 0, 1).reshape(units, features)

    return [Part("weight", layer.kernel, (units, features), to_ours, to_torch), *bias]


def _normalization(layer: Any, _pixels: Any) -> list[Part]:
    """Return gamma, beta and the running statistics."""
    here = {id(one): one for one in layer.parameters}
    named = (("weight", "gamma"), ("bias", "beta"), ("running_mean", "moving_mean"),
             ("running_var", "moving_variance"))  # fmt: skip
    found = ((theirs, getattr(layer, ours, None)) for theirs, ours in named)
    return [_same(theirs, one) for theirs, one in found if id(one) in here]


def _prelu(layer: Any, _pixels: Any) -> list[Part]:
    """Return the slopes, which PyTorch has as a vector."""
    shape = layer.alpha.shape
    return [Part("weight", layer.alpha, (math.prod(shape),), lambda x: x.reshape(shape), np.ravel)]


LAYOUTS: dict[type, Callable[[Any, Any], list[Part]]] = {
    layers.Conv1D: _convolution,
    layers.Conv2D: _convolution,
    layers.DepthwiseConv1D: _convolution,
    layers.DepthwiseConv2D: _convolution,
    layers.Conv1DTranspose: _convolution,
    layers.Conv2DTranspose: _convolution,
    layers.Dense: _dense,
    layers.BatchNormalization: _normalization,
    layers.LayerNormalization: _normalization,
    layers.GroupNormalization: _normalization,
    layers.PReLU: _prelu,
}
# Layers that leave a vector as it is, or change each number of it.
OF_EACH_NUMBER = (
    layers.Activation, layers.Dropout, layers.ReLU, layers.LeakyReLU, layers.ELU, layers.Rescaling,
    layers.Identity, layers.GaussianNoise, layers.GaussianDropout, layers.AlphaDropout,
)  # fmt: skip


def _flattened_images(network: Any) -> dict[int, tuple[int, int, int]]:
    """Return {id of a Dense layer: shape (H, W, C) of the image that is flattened before it}."""
    found = {}
    for tensor in network.graph.tensors:
        if isinstance(tensor.layer, layers.Dense) and tensor.inputs:
            shape = _image_before(tensor.inputs[0])
            if shape is not None:
                found[id(tensor.layer)] = shape
    return found


def _image_before(tensor: Any) -> tuple[int, int, int] | None:
    while tensor.inputs and isinstance(tensor.layer, OF_EACH_NUMBER):
        tensor = tensor.inputs[0]
    if not isinstance(tensor.layer, (layers.Flatten, layers.Reshape)) or not tensor.inputs:
        return None
    shape = tensor.inputs[0].shape
    if len(tensor.shape) != 2 or len(shape) != 4 or None in shape[1:]:
        return None
    if getattr(tensor.layer, "data_format", None) == "channels_first":
        return None
    return shape[1], shape[2], shape[3]
