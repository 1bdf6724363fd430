"""Layers with the names that they have in Keras.

`LAYERS` has all of them by name; `register_layer` adds a layer of your own. Some have a second
name, as in Keras: MaxPool2D is MaxPooling2D.
"""

from minicnn.layers.activation import ELU, Activation, LeakyReLU, ReLU, Softmax
from minicnn.layers.auto_contrast import AutoContrast
from minicnn.layers.base import Layer
from minicnn.layers.borders import (
    Cropping1D,
    Cropping2D,
    UpSampling1D,
    UpSampling2D,
    ZeroPadding1D,
    ZeroPadding2D,
)
from minicnn.layers.conv1d import Conv1D, DepthwiseConv1D
from minicnn.layers.conv2d import Conv2D, DepthwiseConv2D
from minicnn.layers.conv_transpose import Conv1DTranspose, Conv2DTranspose
from minicnn.layers.dense import Dense
from minicnn.layers.dot import Dot, dot
from minicnn.layers.dropout import Dropout, SpatialDropout1D, SpatialDropout2D
from minicnn.layers.function_layers import ActivityRegularization, Lambda, TimeDistributed
from minicnn.layers.functions import FunctionLayer
from minicnn.layers.input_normalization import Normalization
from minicnn.layers.input_spec import InputSpec
from minicnn.layers.inputs import Input, InputLayer, Rescaling
from minicnn.layers.merge import (
    Add,
    Average,
    Concatenate,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
    add,
    average,
    concatenate,
    maximum,
    minimum,
    multiply,
    subtract,
)
from minicnn.layers.noise import AlphaDropout, GaussianDropout, GaussianNoise
from minicnn.layers.normalization import BatchNormalization, LocalResponseNormalization
from minicnn.layers.pipeline import Pipeline
from minicnn.layers.pool import (
    AveragePooling1D,
    AveragePooling2D,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    MaxPooling1D,
    MaxPooling2D,
)
from minicnn.layers.prelu import PReLU
from minicnn.layers.random_colors import (
    RandomBrightness,
    RandomContrast,
    RandomGrayscale,
    RandomInvert,
)
from minicnn.layers.random_geometry import RandomFlip, RandomShear, RandomTranslation, RandomZoom
from minicnn.layers.random_rotation import RandomRotation
from minicnn.layers.registry import (
    LAYERS,
    deserialize,
    layer_from_config,
    register_layer,
    serialize,
)
from minicnn.layers.registry import registry as _registry
from minicnn.layers.resizing import CenterCrop, RandomCrop, Resizing
from minicnn.layers.sample_normalization import (
    GroupNormalization,
    LayerNormalization,
    RMSNormalization,
    UnitNormalization,
)
from minicnn.layers.separable_conv import SeparableConv1D, SeparableConv2D
from minicnn.layers.shape import Flatten, Identity, Permute, RepeatVector, Reshape

AvgPool1D, AvgPool2D = AveragePooling1D, AveragePooling2D
Convolution1D, Convolution2D = Conv1D, Conv2D
Convolution1DTranspose, Convolution2DTranspose = Conv1DTranspose, Conv2DTranspose
GlobalAvgPool1D, GlobalAvgPool2D = GlobalAveragePooling1D, GlobalAveragePooling2D
GlobalMaxPool1D, GlobalMaxPool2D = GlobalMaxPooling1D, GlobalMaxPooling2D
MaxPool1D, MaxPool2D = MaxPooling1D, MaxPooling2D
SeparableConvolution1D, SeparableConvolution2D = SeparableConv1D, SeparableConv2D

__all__ = [
    "ELU",
    "LAYERS",
    "Activation",
    "ActivityRegularization",
    "Add",
    "AlphaDropout",
    "AutoContrast",
    "Average",
    "AveragePooling1D",
    "AveragePooling2D",
    "AvgPool1D",
    "AvgPool2D",
    "BatchNormalization",
    "CenterCrop",
    "Concatenate",
    "Conv1D",
    "Conv1DTranspose",
    "Conv2D",
    "Conv2DTranspose",
    "Convolution1D",
    "Convolution1DTranspose",
    "Convolution2D",
    "Convolution2DTranspose",
    "Cropping1D",
    "Cropping2D",
    "Dense",
    "DepthwiseConv1D",
    "DepthwiseConv2D",
    "Dot",
    "Dropout",
    "Flatten",
    "FunctionLayer",
    "GaussianDropout",
    "GaussianNoise",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAvgPool1D",
    "GlobalAvgPool2D",
    "GlobalMaxPool1D",
    "GlobalMaxPool2D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GroupNormalization",
    "Identity",
    "Input",
    "InputLayer",
    "InputSpec",
    "Lambda",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "LocalResponseNormalization",
    "MaxPool1D",
    "MaxPool2D",
    "MaxPooling1D",
    "MaxPooling2D",
    "Maximum",
    "Minimum",
    "Multiply",
    "Normalization",
    "PReLU",
    "Permute",
    "Pipeline",
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
    "RepeatVector",
    "Rescaling",
    "Reshape",
    "Resizing",
    "SeparableConv1D",
    "SeparableConv2D",
    "SeparableConvolution1D",
    "SeparableConvolution2D",
    "Softmax",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "Subtract",
    "TimeDistributed",
    "UnitNormalization",
    "UpSampling1D",
    "UpSampling2D",
    "ZeroPadding1D",
    "ZeroPadding2D",
    "add",
    "average",
    "concatenate",
    "deserialize",
    "dot",
    "layer_from_config",
    "maximum",
    "minimum",
    "multiply",
    "register_layer",
    "serialize",
    "subtract",
]

_exported = [globals()[name] for name in __all__]
_classes = [one for one in _exported if isinstance(one, type) and issubclass(one, Layer)]
_registry.add(*(one for one in _classes if one is not Layer))
