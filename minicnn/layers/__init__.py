"""Layers with the names that they have in Keras.

`LAYERS` has all of them by name; `register_layer` adds a layer of your own.
"""

from minicnn.layers.activation import ELU, Activation, LeakyReLU, ReLU, Softmax
from minicnn.layers.base import Layer
from minicnn.layers.conv2d import Conv2D, DepthwiseConv2D
from minicnn.layers.dense import Dense
from minicnn.layers.dropout import Dropout, SpatialDropout1D, SpatialDropout2D
from minicnn.layers.functions import FunctionLayer
from minicnn.layers.input_normalization import Normalization
from minicnn.layers.inputs import Input, InputLayer, Rescaling
from minicnn.layers.merge import Add, Concatenate, Multiply
from minicnn.layers.noise import AlphaDropout, GaussianDropout, GaussianNoise
from minicnn.layers.normalization import BatchNormalization, LocalResponseNormalization
from minicnn.layers.pool import (
    AveragePooling2D,
    GlobalAveragePooling2D,
    GlobalMaxPooling2D,
    MaxPooling2D,
)
from minicnn.layers.random_colors import (
    RandomBrightness,
    RandomContrast,
    RandomGrayscale,
    RandomInvert,
)
from minicnn.layers.random_geometry import RandomFlip, RandomShear, RandomTranslation, RandomZoom
from minicnn.layers.random_rotation import RandomRotation
from minicnn.layers.registry import LAYERS, layer_from_config, register_layer
from minicnn.layers.registry import registry as _registry
from minicnn.layers.resizing import CenterCrop, RandomCrop, Resizing
from minicnn.layers.sample_normalization import (
    GroupNormalization,
    LayerNormalization,
    RMSNormalization,
    UnitNormalization,
)
from minicnn.layers.shape import Flatten, Reshape, ZeroPadding2D

__all__ = [
    "ELU",
    "LAYERS",
    "Activation",
    "Add",
    "AlphaDropout",
    "AveragePooling2D",
    "BatchNormalization",
    "CenterCrop",
    "Concatenate",
    "Conv2D",
    "Dense",
    "DepthwiseConv2D",
    "Dropout",
    "Flatten",
    "FunctionLayer",
    "GaussianDropout",
    "GaussianNoise",
    "GlobalAveragePooling2D",
    "GlobalMaxPooling2D",
    "GroupNormalization",
    "Input",
    "InputLayer",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "LocalResponseNormalization",
    "MaxPooling2D",
    "Multiply",
    "Normalization",
    "RMSNormalization",
    "RandomBrightness",
    "RandomContrast",
    "RandomCrop",
    "RandomFlip",
    "RandomGrayscale",
    "RandomInvert",
    "RandomRotation",
    "RandomShear",
    "RandomTranslation",
    "RandomZoom",
    "ReLU",
    "Rescaling",
    "Reshape",
    "Resizing",
    "Softmax",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "UnitNormalization",
    "ZeroPadding2D",
    "layer_from_config",
    "register_layer",
]

_exported = [globals()[name] for name in __all__]
_registry.add(*(one for one in _exported if isinstance(one, type) and one is not Layer))
