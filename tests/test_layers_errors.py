"""Layers: every wrong use and every hostile config raises one clear error."""

from __future__ import annotations

import numpy as np
import pytest

from minicnn.errors import ArgumentError, DTypeError, MiniCNNError, ShapeError, SizeLimitError
from minicnn.layers import (
    Activation,
    Add,
    BatchNormalization,
    Concatenate,
    Conv1D,
    Conv2D,
    Conv2DTranspose,
    Cropping2D,
    Dense,
    Dot,
    Dropout,
    Flatten,
    Input,
    Lambda,
    Layer,
    LeakyReLU,
    LocalResponseNormalization,
    MaxPooling2D,
    Permute,
    PReLU,
    ReLU,
    Rescaling,
    Reshape,
    Softmax,
    Subtract,
    ZeroPadding2D,
    layer_from_config,
)

IMAGE = (10, 12, 6)

HOSTILE = {
    "near miss": ("MaxPool2D", {}, r"^unknown layer 'MaxPool2D'; did you mean 'MaxPooling2D'\?$"),
    "far off": (
        "os.system",
        {},
        r"^unknown layer 'os.system'; there are Activation, .*\.\.\.$",
    ),
    "no name": (None, {}, "^unknown layer None"),
    "endless name": ("A" * 10**6, {}, r"^unknown layer 'A+ ... A+'"),
    "no config": ("Dense", [10], "Dense: config must be a dict; got list"),
    "unknown argument": (
        "Dense",
        {"units": 1, "code": "x"},
        "Dense: its arguments do not fit.*code",
    ),
    "missing argument": ("Conv2D", {"filters": 1}, "Conv2D: its arguments do not fit.*kernel_size"),
    "argument of a wrong kind": (
        "Dense",
        {"units": "ten"},
        "units must be an integer >= 1; got 'ten'",
    ),
    "nested argument": ("MaxPooling2D", {"pool_size": [[2]]}, "pool_size must be an integer"),
    "name of a wrong kind": ("Flatten", {"name": 5}, "name must be a string"),
    "trainable of a wrong kind": (
        "Flatten",
        {"trainable": "no"},
        "trainable must be True or False",
    ),
}


@pytest.mark.parametrize(("name", "config", "text"), HOSTILE.values(), ids=HOSTILE.keys())
def test_config_from_a_hostile_file(name, config, text):
    with pytest.raises(ArgumentError, match=text) as caught:
        layer_from_config(name, config)
    assert len(str(caught.value)) < 600


def chain(*layers):
    tensor = Input((28, 28, 1))
    for layer in layers:
        tensor = layer(tensor)


ERRORS = {
    "an image too small": (
        lambda: chain(
            Conv2D(1, 3), MaxPooling2D(), Conv2D(1, 3), MaxPooling2D(padding="same"),
            Conv2D(1, 3), Conv2D(1, 3), Conv2D(1, 3),
        ),
        ShapeError,
        r"^conv2d_4: the 3x3 kernel does not fit a 2x2 image .*\. Input 28x28 shrank "
        r"28→26→13→11→6→4→2 over the layers before; use images of at least 32x32$",
    ),
    "the count in the shape": (
        lambda: Input((60000, 28, 28, 1)),
        ShapeError,
        r"^shape=\(60000, 28, 28, 1\) has 4 axes; give the shape of one image without the "
        r"batch: \(28, 28, 1\)$",
    ),
    "the count in the first layer's shape": (
        lambda: Conv2D(1, 3, input_shape=(60000, 28, 28, 1)),
        ShapeError,
        r"^input_shape=\(60000, 28, 28, 1\) has 4 axes; give",
    ),
    "an open size": (
        lambda: Dense(3)(Flatten()(Input((None, None, 3)))),
        ShapeError,
        r"weights would be \(None, 3\), but they need known lengths",
    ),
    "convolution after Flatten": (
        lambda: chain(Flatten(), Conv2D(1, 3)),
        ShapeError,
        r"^conv2d: x must have 4 axes \(N, H, W, C\); got shape \(None, 784\)\. Put this layer "
        r"before Flatten\(\)$",
    ),
    "pooling after Flatten": (
        lambda: chain(Flatten(), MaxPooling2D()),
        ShapeError,
        r"^max_pooling2d: .* before Flatten\(\)",
    ),
    "groups and channels": (
        lambda: Conv2D(4, 3, groups=4)(Input((8, 8, 6))),
        ArgumentError,
        "^conv2d: groups=4 must divide the 6 input channels",
    ),
    "groups and filters": (
        lambda: Conv2D(6, 3, groups=4), ArgumentError, "groups=4 must divide filters=6",
    ),
    "other channels than it was built for": (
        lambda: built(Conv2D(4, 3), IMAGE)(np.zeros((1, 8, 8, 3), np.float32)),
        ShapeError,
        r"^conv2d: x has 3 channels, the weights \(3, 3, 6, 4\) with groups=1 are for 6",
    ),
    "integers": (
        lambda: Dense(3)(np.zeros((2, 4), np.int64)),
        DTypeError,
        r"^dense: x must be an array of float32; got int64: pass x.astype\('float32'\)",
    ),
    "a list of numbers": (
        lambda: Dense(3)([1.0]), DTypeError, "^dense: the input must be a NumPy array.*got float",
    ),
    "arrays and promises mixed": (
        lambda: Add()([Input((3,)), np.zeros((1, 3), np.float32)]),
        DTypeError,
        "^add: the input must be a NumPy array, or what Input.* got ndarray",
    ),
    "two inputs for one": (
        lambda: Dense(3)([Input((3,)), Input((3,))]),
        ArgumentError,
        "^dense: takes one input; got 2",
    ),
    "one input for a merge": (
        lambda: Add()([Input((3,))]),
        ArgumentError,
        "^add: takes a list of at least 2 inputs; got 1",
    ),
    "no input": (lambda: Flatten()([]), ArgumentError, "^flatten: takes one input; got 0"),
    "sum of other shapes": (
        lambda: Add()([Input((3,)), Input((4,))]),
        ShapeError,
        r"^add: all inputs must have the same shape, or length 1 where they differ; got "
        r"\(None, 3\) and \(None, 4\)$",
    ),
    "filters 0": (lambda: Conv2D(0, 3), ArgumentError, "filters must be an integer >= 1; got 0"),
    "filters True": (lambda: Conv2D(True, 3), ArgumentError, "filters must be an integer >= 1"),
    "units beyond 32 bits": (lambda: Dense(2**31), ArgumentError, "units must be an integer >= 1"),
    "more weights than memory": (
        lambda: Dense(2**30)(Input((1000,))), SizeLimitError, "^dense: .*would need 4,?295.0 GB",
    ),
    "another word for padding": (
        lambda: Conv2D(1, 3, padding="causal"),
        ArgumentError,
        """padding must be "valid", "same" or""",
    ),
    "a misspelt activation": (
        lambda: Dense(1, activation="Relu"),
        ArgumentError,
        r"unknown activation 'Relu': did you mean relu\?",
    ),
    "an activation that is a function": (
        lambda: Activation(np.tanh), ArgumentError, "unknown activation 'ufunc'",
    ),
    "a misspelt initializer": (
        lambda: Dense(1, kernel_initializer="glorot"), ArgumentError, "glorot",
    ),
    "another axis": (
        lambda: BatchNormalization(axis=1)(Input((4, 5, 3))), ArgumentError,
        r"axis must be -1 or 3, the channels of an input of shape \(None, 4, 5, 3\); got 1",
    ),
    "the batch axis": (lambda: Concatenate(axis=0), ArgumentError, "axis must be .* other than 0"),
    "softmax over an axis that is not there": (
        lambda: chain(Softmax(axis=4)), ArgumentError, "axis must be an integer from -4 to 3",
    ),
    "a negative cap": (
        lambda: ReLU(max_value=-1), ArgumentError, r"max_value must be a number in \[0, inf\)",
    ),
    "images for Keras's other format": (
        lambda: Conv2D(1, 3, data_format="NCHW"), ArgumentError,
        r"data_format must be one of \['channels_last', 'channels_first'\]; got 'NCHW'",
    ),
    "a dilation where Keras has the data format": (
        lambda: Conv2D(1, 3, 1, "valid", (2, 2)), ArgumentError, "data_format must be one of",
    ),
    "low rank": (lambda: Dense(1, lora_rank=4), ArgumentError, "lora_rank must be None"),
    "a class as activation": (
        lambda: Dense(1, activation=LeakyReLU), ArgumentError, r"needed: LeakyReLU\(...\)",
    ),
    "an activation that looks at values": (
        lambda: Dense(1, activation=lambda x: x if x > 0 else -x)(Input((3,))),
        ArgumentError, "cannot look at a tensor's values",
    ),
    "an activation that returns a number": (
        lambda: Dense(1, activation=lambda x: 1)(Input((3,))),
        ArgumentError, "the activation <lambda> must return a tensor.* got int",
    ),
    "a crop of everything": (
        lambda: chain(Cropping2D(14)), ShapeError, "cropping leaves nothing of an image with 28",
    ),
    "a large output_padding": (
        lambda: chain(Conv2DTranspose(1, 3, 2, "same", 4)), ArgumentError,
        r"output_padding=\(4, 4\) does not fit strides \(2, 2\)",
    ),
    "a sequence for images": (
        lambda: Conv1D(1, 3)(Input((28, 28, 1))), ShapeError, r"must have 3 axes \(N, T, C\)",
    ),
    "two kernel sizes for a sequence": (
        lambda: Conv1D(1, (3, 3)), ArgumentError, r"kernel_size must be an integer >= 1; got \(3",
    ),
    "a wrong order of axes": (lambda: Permute((1, 3)), ArgumentError, "dims must have each of"),
    "three to subtract": (
        lambda: Subtract()([Input((3,))] * 3), ArgumentError, "takes a list of 2 inputs; got 3",
    ),
    "a product of other lengths": (
        lambda: Dot(1)([Input((3,)), Input((4,))]), ShapeError, "summed axes must have the same",
    ),
    "a lambda that is none": (lambda: Lambda(3), ArgumentError, "must be a function of tensors"),
    "no such shared axis": (
        lambda: PReLU(shared_axes=[3])(Input((3,))), ShapeError, r"shared_axes=\[3\], but",
    ),
    "everything dropped": (lambda: Dropout(1), ArgumentError, r"rate must be a number in \[0, 1\)"),
    "a reshape that does not fit": (
        lambda: chain(Reshape((5, -1))),
        ShapeError,
        r"^reshape: shape \(5, -1\) does not hold the 784 values of \(28, 28, 1\)$",
    ),
    "two open lengths": (lambda: Reshape((-1, -1)), ArgumentError, "may have one -1"),
    "padding by a word": (
        lambda: ZeroPadding2D("same"), ArgumentError, "padding must be numbers of rows and columns",
    ),
    "an even neighborhood": (
        lambda: LocalResponseNormalization(4), ArgumentError, "size must be odd",
    ),
    "uint8 without rescaling": (
        lambda: Conv2D(1, 3)(Input((8, 8, 1), dtype="uint8")),
        DTypeError,
        "^conv2d: x must be an array of float32; got uint8",
    ),
    "a dtype that is not an image's": (
        lambda: Input((3,), dtype="int64"),
        ArgumentError,
        r"dtype must be one of \['float32', 'uint8'\]",
    ),
    "a scale that is no number": (lambda: Rescaling(None), ArgumentError, "scale must be a number"),
    "an empty name": (lambda: Dense(1, name=""), ArgumentError, "name must be a string of 1 to"),
    "use_bias is text": (lambda: Dense(1, use_bias="no"), ArgumentError, "must be True or False"),
}  # fmt: skip


def built(layer, shape):
    layer(Input(shape))
    return layer


@pytest.mark.parametrize(("call", "error", "text"), ERRORS.values(), ids=ERRORS.keys())
def test_wrong_use(call, error, text):
    with pytest.raises(error, match=text) as caught:
        call()
    assert isinstance(caught.value, MiniCNNError)
    assert len(str(caught.value)) <= 300


def test_the_suggested_size_is_the_smallest_that_works():
    def through(size):
        tensor = Input((size, size, 1))
        for layer in (Conv2D(1, 5), MaxPooling2D(3), Conv2D(1, 3, strides=2), Conv2D(1, 4)):
            tensor = layer(tensor)

    with pytest.raises(ShapeError, match=r"use images of at least 31x31"):
        through(20)
    through(31)
    with pytest.raises(ShapeError):
        through(30)


def test_no_size_is_suggested_where_size_is_not_the_reason():
    left, right = Conv2D(1, 3)(Input((8, 8, 1))), Conv2D(1, 5)(Input((8, 8, 1)))
    with pytest.raises(ShapeError, match="must have the same shape") as caught:
        Add()([left, right])
    assert "use images of" not in str(caught.value)


def test_unknown_arguments_are_named_with_those_there_are():
    with pytest.raises(TypeError, match=r"^Conv2D has no .*'dataformat'; it has act") as text:
        Conv2D(3, 3, dataformat="channels_last")
    assert isinstance(text.value, ArgumentError) and "kernel_size" in str(text.value)
    assert "options" not in str(text.value)


def test_a_layer_of_ones_own_must_return_something():
    class Silent(Layer):
        def forward(self, apply, *inputs, training):
            return None

    with pytest.raises(ArgumentError, match=r"silent: forward must return .* got NoneType"):
        Silent()(Input((3,)))


def test_trainable_is_checked_whenever_it_is_set():
    layer = Dense(3, name="d")
    with pytest.raises(ArgumentError, match=r"d\.trainable must be True or False; got 'no'"):
        layer.trainable = "no"
    assert layer.trainable is True
