"""Layers with the names that they have in Keras.

`LAYERS` has all of them by name; `register_layer` adds a layer of your own.
"""

from minicnn.layers.activation import ELU, Activation, LeakyReLU, ReLU, Softmax
from minicnn.layers.base import Layer
from minicnn.layers.conv2d import Conv2D, DepthwiseConv2D
from minicnn.layers.dense import Dense
from minicnn.layers.dropout import Dropout
from minicnn.layers.functions import FunctionLayer
from minicnn.layers.inputs import Input, InputLayer, Rescaling
from minicnn.layers.merge import Add, Concatenate, Multiply
from minicnn.layers.normalization import BatchNormalization, LocalResponseNormalization
from minicnn.layers.pool import (
    AveragePooling2D,
    GlobalAveragePooling2D,
    GlobalMaxPooling2D,
    MaxPooling2D,
)
from minicnn.layers.random_rotation import RandomRotation
from minicnn.layers.registry import LAYERS, layer_from_config, register_layer
from minicnn.layers.registry import registry as _registry
from minicnn.layers.shape import Flatten, Reshape, ZeroPadding2D

__all__ = [
    "ELU",
    "LAYERS",
    "Activation",
    "Add",
    "AveragePooling2D",
    "BatchNormalization",
    "Concatenate",
    "Conv2D",
    "Dense",
    "DepthwiseConv2D",
    "Dropout",
    "Flatten",
    "FunctionLayer",
    "GlobalAveragePooling2D",
    "GlobalMaxPooling2D",
    "Input",
    "InputLayer",
    "Layer",
    "LeakyReLU",
    "LocalResponseNormalization",
    "MaxPooling2D",
    "Multiply",
    "RandomRotation",
    "ReLU",
    "Rescaling",
    "Reshape",
    "Softmax",
    "ZeroPadding2D",
    "layer_from_config",
    "register_layer",
]

_exported = [globals()[name] for name in __all__]
_registry.add(*(one for one in _exported if isinstance(one, type) and one is not Layer))
