"""What a drawing of a network calls its layers: "conv 5×5, 20", "max pool 2×2", "ReLU"."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from minicnn import layers
from minicnn.layers.activation import serialize
from minicnn.layers.activation_functions import ACTIVATIONS
from minicnn.layers.base import Layer
from minicnn.layers.convolution import Convolution
from minicnn.models.network import Network
from minicnn.support.text import shortened

# {activation: what it is called}; others keep their names.
ACTIVATION_WORDS = {
    "elu": "ELU", "gelu": "GELU", "hard_sigmoid": "hard sigmoid", "hard_silu": "hard swish",
    "leaky_relu": "leaky ReLU", "linear": "", "relu": "ReLU", "relu6": "ReLU6", "selu": "SELU",
    "silu": "SiLU",
}  # fmt: skip
# {class: what it is called}, where the words of its name would be longer.
CLASS_WORDS = {
    "BatchNormalization": "batch norm", "Concatenate": "concat", "Cropping1D": "crop",
    "Cropping2D": "crop", "ELU": "ELU", "GlobalAveragePooling1D": "global average pool",
    "GlobalAveragePooling2D": "global average pool", "GlobalMaxPooling1D": "global max pool",
    "GlobalMaxPooling2D": "global max pool", "GroupNormalization": "group norm",
    "LayerNormalization": "layer norm", "LeakyReLU": "leaky ReLU",
    "LocalResponseNormalization": "local response norm", "Normalization": "normalize",
    "PReLU": "PReLU", "RMSNormalization": "RMS norm", "RepeatVector": "repeat",
    "Resizing": "resize", "SpatialDropout1D": "spatial dropout",
    "SpatialDropout2D": "spatial dropout", "UnitNormalization": "unit norm",
    "ZeroPadding1D": "zero padding", "ZeroPadding2D": "zero padding",
}  # fmt: skip
MAX_POOLINGS = (layers.MaxPooling1D, layers.MaxPooling2D)
MEAN_POOLINGS = (layers.AveragePooling1D, layers.AveragePooling2D)
POOLINGS = (*MAX_POOLINGS, *MEAN_POOLINGS)
MAX_TEXT = 40  # letters
DROPOUTS = (layers.Dropout, layers.GaussianDropout, layers.AlphaDropout)


class LayerWords(NamedTuple):
    """What a drawing says of a layer."""

    text: str  # "conv 5×5, 20"; "" for a layer that is not worth a word
    short: str  # the same without a number that differs from block to block, that of dropout
    activation: str  # that the layer applies to its result; "" for none


def words_of(layer: Layer) -> LayerWords:
    """Return what a drawing says of a layer.

    >>> from minicnn.layers import Conv2D, Dropout
    >>> words_of(Conv2D(20, 5, activation="relu"))
    LayerWords(text='conv 5×5, 20', short='conv 5×5, 20', activation='ReLU')
    >>> words_of(Dropout(0.2))
    LayerWords(text='dropout 0.2', short='dropout', activation='')
    """
    text = _text(layer)
    activated = isinstance(layer, (layers.Dense, Convolution))
    activation = _activation(layer.activation) if activated else ""  # type: ignore[attr-defined]
    return LayerWords(text, _class(layer) if isinstance(layer, DROPOUTS) else text, activation)


def window_of(layer: Layer) -> tuple[int, ...] | None:
    """Return the lengths of the window that a convolution or pooling moves over its input."""
    if isinstance(layer, POOLINGS):
        return tuple(layer.pool_size)
    if isinstance(layer, Convolution) and not isinstance(layer, layers.Conv2DTranspose):
        return tuple(layer.kernel_size)
    return None


def _text(layer: Layer) -> str:
    """Return what a layer is called, by the first rule for its class."""
    words = next(words for kinds, words in RULES if isinstance(layer, kinds))
    return shortened(words(layer), MAX_TEXT)


def _convolution(name: str, sign: str = "/") -> Callable[[Any], str]:
    """Return a rule for convolutions of that name; the sign is that of strides."""

    def words(layer: Any) -> str:
        text = f"{name} {_times(layer.kernel_size)}"
        filters = getattr(layer, "filters", None)
        text += "" if filters is None else f", {filters}"
        text += _stride(layer.strides, (1,) * len(layer.kernel_size), sign)
        if max(layer.dilation_rate) > 1:
            text += f", dilation {_times(layer.dilation_rate)}"
        # A depthwise convolution has no filters, and its groups are its channels.
        grouped = filters is not None and layer.groups > 1
        return text + (f", {layer.groups} groups" if grouped else "")

    return words


def _pooling(name: str) -> Callable[[Any], str]:
    """Return a rule for poolings of that name."""

    def words(layer: Any) -> str:
        return f"{name} {_times(layer.pool_size)}{_stride(layer.strides, layer.pool_size)}"

    return words


def _stride(strides: Iterable[int], usual: Iterable[int], sign: str = "/") -> str:
    """Return ", /2" for a stride of 2, "" for the usual one."""
    lengths = tuple(strides)
    if lengths == tuple(usual):
        return ""
    return f", {sign}{lengths[0] if len(set(lengths)) == 1 else _times(lengths)}"


def _times(lengths: Any) -> str:
    """Return "3×3" for (3, 3), and "5" for (5,) and 5."""
    return "×".join(map(str, lengths if isinstance(lengths, Iterable) else (lengths,)))


def _relu(layer: Any) -> str:
    if layer.negative_slope:
        return "leaky ReLU"
    return "ReLU" if layer.max_value is None else f"ReLU{layer.max_value:g}"


def _rescaling(layer: Any) -> str:
    """Return "× 1/255" where that is all that a Rescaling layer does."""
    scale = layer.scale
    if isinstance(scale, (int, float)) and layer.offset == 0 and 0 < scale < 1:
        return f"× 1/{1 / scale:.5g}"
    return "rescale"


def _activation(activation: Any) -> str:
    """Return what an activation is called: "" for none, or a linear one."""
    if activation is None:
        return ""
    if isinstance(activation, Layer):
        return _text(activation)
    name = serialize(activation)
    return _function(name if isinstance(name, str) else activation)


def _function(function: Any) -> str:
    """Return what a function, or the function of that name, is called."""
    name = function if isinstance(function, str) else getattr(function, "__name__", "function")
    name = name.rpartition(".")[2].replace("<lambda>", "function")
    return ACTIVATION_WORDS.get(name, name.replace("_", " "))


def _class(layer: Layer) -> str:
    """Return the words of a class's name, as "random flip"; a class of one's own keeps its name."""
    name = type(layer).__name__
    if not type(layer).__module__.startswith(f"{layers.__name__}."):
        return name
    words = re.findall("[A-Z][a-z]+|[A-Z]+(?![a-z])", name)
    return CLASS_WORDS.get(name) or " ".join(words).lower()


def is_activation(layer: Layer) -> bool:
    """Return whether the layer is a function of `minicnn.activations` applied to a tensor."""
    if not isinstance(layer, layers.FunctionLayer):
        return False
    group, _, name = layer.function.rpartition(".")
    return group == "activations" and name in ACTIVATIONS


# (classes, what they are called); the first one counts.
RULES: tuple[tuple[Any, Callable[[Any], str]], ...] = (
    (Network, lambda layer: layer.name),
    ((layers.DepthwiseConv1D, layers.DepthwiseConv2D), _convolution("depthwise")),
    (layers.SeparableConv2D, _convolution("separable conv")),
    (layers.Conv2DTranspose, _convolution("transposed conv", "×")),
    ((layers.Conv1D, layers.Conv2D), _convolution("conv")),
    (MAX_POOLINGS, _pooling("max pool")),
    (MEAN_POOLINGS, _pooling("average pool")),
    (layers.Dense, lambda layer: f"dense {layer.units}"),
    (DROPOUTS, lambda layer: f"{_class(layer)} {layer.rate:.2g}"),
    ((layers.UpSampling1D, layers.UpSampling2D), lambda layer: f"upsample {_times(layer.size)}"),
    (layers.ReLU, _relu),
    (layers.Activation, lambda layer: _activation(layer.activation)),
    (layers.Rescaling, _rescaling),
    ((layers.FunctionLayer, layers.Lambda), lambda layer: _function(layer.function)),
    (layers.TimeDistributed, lambda layer: f"each step: {_text(layer.layer)}"),
    ((layers.Identity, layers.ActivityRegularization), lambda layer: ""),
    (Layer, _class),
)
