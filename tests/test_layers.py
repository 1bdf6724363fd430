"""Layers: shapes, parameters, configs and names. Their operations are tested in test_ops_*."""

from __future__ import annotations

import json

import numpy as np
import pytest

from minicnn import activations, initializers, layers, operations, random
from minicnn.contracts import Spec
from minicnn.errors import ArgumentError, ShapeError
from minicnn.layers import (
    ELU,
    LAYERS,
    Activation,
    ActivityRegularization,
    Add,
    Average,
    AveragePooling1D,
    AveragePooling2D,
    BatchNormalization,
    Concatenate,
    Conv1D,
    Conv1DTranspose,
    Conv2D,
    Conv2DTranspose,
    Cropping1D,
    Cropping2D,
    Dense,
    DepthwiseConv1D,
    DepthwiseConv2D,
    Dot,
    Dropout,
    Flatten,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    Identity,
    Input,
    InputLayer,
    Lambda,
    Layer,
    LeakyReLU,
    LocalResponseNormalization,
    Maximum,
    MaxPooling1D,
    MaxPooling2D,
    Minimum,
    Multiply,
    Permute,
    Pipeline,
    PReLU,
    RandomRotation,
    ReLU,
    RepeatVector,
    Rescaling,
    Reshape,
    SeparableConv1D,
    SeparableConv2D,
    Softmax,
    Subtract,
    TimeDistributed,
    UpSampling1D,
    UpSampling2D,
    ZeroPadding1D,
    ZeroPadding2D,
    layer_from_config,
    register_layer,
)
from minicnn.layers.parameter import Parameter
from minicnn.layers.symbolic import SymbolicTensor
from minicnn.operations.activations import OPERATIONS
from minicnn.support.registry import register_serializable

IMAGE, SEQUENCE = (10, 12, 6), (10, 6)

# Layer, shape of a sample, shape of its result, number of parameters, operations per image. The
# counts are those of Keras, and were computed by hand.
LAYER_CASES = {
    "Conv2D": (lambda: Conv2D(8, 3), IMAGE, (8, 10, 8), 3 * 3 * 6 * 8 + 8, 640 * 2 * 54),
    "Conv2D, same": (lambda: Conv2D(8, 5, 2, "same"), IMAGE, (5, 6, 8), 1208, 240 * 300),
    "Conv2D, groups": (
        lambda: Conv2D(4, (3, 1), groups=2, use_bias=False), IMAGE, (8, 12, 4), 3 * 3 * 4, 384 * 18,
    ),
    "Conv2D, dilated": (
        lambda: Conv2D(2, 3, 1, "valid", None, (2, 3)), IMAGE, (6, 6, 2), 110, 72 * 108,
    ),
    "Conv2D, channels first": (
        lambda: Conv2D(8, 3, data_format="channels_first"), (6, 10, 12), (8, 8, 10), 440, 640 * 108,
    ),
    "Conv1D": (lambda: Conv1D(8, 3), SEQUENCE, (8, 8), 3 * 6 * 8 + 8, 64 * 36),
    "Conv1D, causal, channels first": (
        lambda: Conv1D(8, 3, 2, "causal", "channels_first"), (6, 10), (8, 5), 152, 40 * 36,
    ),
    "DepthwiseConv1D": (lambda: DepthwiseConv1D(3, 1, "same", 2), SEQUENCE, (10, 12), 48, 720),
    "SeparableConv2D": (
        lambda: SeparableConv2D(8, 3), IMAGE, (8, 10, 8), 54 + 48 + 8, 640 * (12 + 108 // 8),
    ),
    "SeparableConv1D": (
        lambda: SeparableConv1D(8, 3, depth_multiplier=2), SEQUENCE, (8, 8), 36 + 96 + 8,
        64 * (24 + 72 // 8),
    ),
    "Conv2DTranspose": (
        lambda: Conv2DTranspose(4, 3, 2, "same"), IMAGE, (20, 24, 4), 9 * 24 + 4, 1920 * 27,
    ),
    "Conv1DTranspose": (lambda: Conv1DTranspose(4, 3), SEQUENCE, (12, 4), 76, 48 * 36),
    "Conv2D, explicit padding": (
        lambda: Conv2D(1, 3, padding=((1, 0), (2, 3)), activation="relu"), IMAGE, (9, 15, 1), 55,
        135 * 108,
    ),
    "DepthwiseConv2D": (lambda: DepthwiseConv2D(3), IMAGE, (8, 10, 6), 9 * 6 + 6, 480 * 18),
    "DepthwiseConv2D, two a channel": (
        lambda: DepthwiseConv2D((3, 2), 2, "same", 2), IMAGE, (5, 6, 12), 6 * 12 + 12, 360 * 12,
    ),
    "Dense": (lambda: Dense(5, "relu"), (7,), (5,), 40, 70),
    "Dense of pixels": (lambda: Dense(5), IMAGE, (10, 12, 5), 35, 600 * 12),
    "Dense, no bias": (lambda: Dense(5, use_bias=False), (7,), (5,), 35, 70),
    "MaxPooling2D": (lambda: MaxPooling2D(), IMAGE, (5, 6, 6), 0, 180 * 4),
    "MaxPooling2D, overlap": (lambda: MaxPooling2D(3, 2), IMAGE, (4, 5, 6), 0, 120 * 9),
    "MaxPooling2D, ceil": (
        lambda: MaxPooling2D(3, 2, ceil_mode=True), IMAGE, (5, 6, 6), 0, 180 * 9,
    ),
    "AveragePooling2D": (
        lambda: AveragePooling2D((2, 3), padding="same"), IMAGE, (5, 4, 6), 0, 120 * 6,
    ),
    "GlobalMaxPooling2D": (lambda: GlobalMaxPooling2D(), IMAGE, (6,), 0, 6 * 120),
    "GlobalAveragePooling2D": (lambda: GlobalAveragePooling2D(), IMAGE, (6,), 0, 6 * 120),
    "MaxPooling1D": (lambda: MaxPooling1D(3, 2), SEQUENCE, (4, 6), 0, 72),
    "AveragePooling1D": (
        lambda: AveragePooling1D(2, padding="same"), SEQUENCE, (5, 6), 0, 60,
    ),
    "GlobalMaxPooling1D": (lambda: GlobalMaxPooling1D(), SEQUENCE, (6,), 0, 60),
    "GlobalAveragePooling1D": (
        lambda: GlobalAveragePooling1D(keepdims=True), SEQUENCE, (1, 6), 0, 60,
    ),
    "GlobalMaxPooling2D, kept axes, channels first": (
        lambda: GlobalMaxPooling2D("channels_first", True), (6, 10, 12), (6, 1, 1), 0, 720,
    ),
    "Cropping2D": (lambda: Cropping2D(((1, 0), (2, 3))), IMAGE, (9, 7, 6), 0, 0),
    "Cropping1D": (lambda: Cropping1D((1, 2)), SEQUENCE, (7, 6), 0, 0),
    "UpSampling2D": (lambda: UpSampling2D((2, 1), None, "bilinear"), IMAGE, (20, 12, 6), 0, 0),
    "UpSampling1D": (lambda: UpSampling1D(3), SEQUENCE, (30, 6), 0, 0),
    "ZeroPadding1D": (lambda: ZeroPadding1D((1, 2)), SEQUENCE, (13, 6), 0, 0),
    "Permute": (lambda: Permute((3, 1, 2)), IMAGE, (6, 10, 12), 0, 0),
    "RepeatVector": (lambda: RepeatVector(3), (7,), (3, 7), 0, 0),
    "Identity": (lambda: Identity(), IMAGE, IMAGE, 0, 0),
    "Flatten, channels first": (lambda: Flatten("channels_first"), IMAGE, (720,), 0, 0),
    "Lambda": (lambda: Lambda(doubled), IMAGE, IMAGE, 0, 720),
    "TimeDistributed": (
        lambda: TimeDistributed(Dense(2)), SEQUENCE, (10, 2), 14, 20,
    ),
    "Pipeline": (lambda: Pipeline([Dense(4), Dense(2)]), (7,), (2,), 42, 2),
    "ActivityRegularization": (
        lambda: ActivityRegularization(0.1, 0.2), SEQUENCE, SEQUENCE, 0, 60,
    ),
    "PReLU": (lambda: PReLU(), IMAGE, IMAGE, 720, 1440),
    "PReLU, a slope per channel": (lambda: PReLU(shared_axes=[1, 2]), IMAGE, IMAGE, 6, 1440),
    "Softmax of rows": (lambda: Softmax(1), IMAGE, IMAGE, 0, 720),
    "ReLU, everything": (lambda: ReLU(2, 0.1, 0.5), IMAGE, IMAGE, 0, 720),
    "Activation": (lambda: Activation("tanh"), IMAGE, IMAGE, 0, 720),
    "ReLU": (lambda: ReLU(), IMAGE, IMAGE, 0, 720),
    "ReLU, capped": (lambda: ReLU(max_value=6), IMAGE, IMAGE, 0, 720),
    "ReLU, leaky": (lambda: ReLU(negative_slope=0.1), IMAGE, IMAGE, 0, 720),
    "LeakyReLU": (lambda: LeakyReLU(), IMAGE, IMAGE, 0, 720),
    "ELU": (lambda: ELU(0.5), IMAGE, IMAGE, 0, 720),
    "Softmax": (lambda: Softmax(), (9,), (9,), 0, 9),
    "BatchNormalization": (lambda: BatchNormalization(), IMAGE, IMAGE, 24, 1440),
    "BatchNormalization, no scale": (
        lambda: BatchNormalization(scale=False), IMAGE, IMAGE, 18, 1440,
    ),
    "BatchNormalization of vectors": (lambda: BatchNormalization(), (9,), (9,), 36, 18),
    "LocalResponseNormalization": (
        lambda: LocalResponseNormalization(3), IMAGE, IMAGE, 0, 720 * 8,
    ),
    "Dropout": (lambda: Dropout(0.5), IMAGE, IMAGE, 0, 0),
    "RandomRotation": (lambda: RandomRotation((-0.1, 0.2), "wrap", seed=3), IMAGE, IMAGE, 0, 0),
    "RandomFlip": (lambda: layers.RandomFlip("vertical", 3), IMAGE, IMAGE, 0, 0),
    "RandomTranslation": (lambda: layers.RandomTranslation(0.1, (0, 0.2)), IMAGE, IMAGE, 0, 0),
    "RandomZoom": (lambda: layers.RandomZoom((-0.1, 0.2), None, "wrap"), IMAGE, IMAGE, 0, 0),
    "RandomShear": (lambda: layers.RandomShear(0.1, (0.1, 0.2)), IMAGE, IMAGE, 0, 0),
    "RandomContrast": (lambda: layers.RandomContrast(0.2, (0, 1)), IMAGE, IMAGE, 0, 0),
    "RandomBrightness": (lambda: layers.RandomBrightness(0.2), IMAGE, IMAGE, 0, 0),
    "RandomInvert": (lambda: layers.RandomInvert(0.2), IMAGE, IMAGE, 0, 0),
    "RandomGrayscale": (lambda: layers.RandomGrayscale(0.2), (10, 12, 3), (10, 12, 3), 0, 0),
    "RandomCrop": (lambda: layers.RandomCrop(8, 7, seed=2), IMAGE, (8, 7, 6), 0, 0),
    "AutoContrast": (lambda: layers.AutoContrast(), IMAGE, IMAGE, 0, 720),
    "CenterCrop": (lambda: layers.CenterCrop(8, 7), IMAGE, (8, 7, 6), 0, 0),
    "Resizing": (lambda: layers.Resizing(5, 8, "bicubic"), IMAGE, (5, 8, 6), 0, 1920),
    "AlphaDropout": (lambda: layers.AlphaDropout(0.2, (None, 1, 1, 6)), IMAGE, IMAGE, 0, 0),
    "GaussianDropout": (lambda: layers.GaussianDropout(0.2), IMAGE, IMAGE, 0, 0),
    "GaussianNoise": (lambda: layers.GaussianNoise(0.2, 5), IMAGE, IMAGE, 0, 0),
    "SpatialDropout1D": (lambda: layers.SpatialDropout1D(0.2), (12, 6), (12, 6), 0, 0),
    "SpatialDropout2D": (lambda: layers.SpatialDropout2D(0.2, seed=3), IMAGE, IMAGE, 0, 0),
    "GroupNormalization": (lambda: layers.GroupNormalization(3), IMAGE, IMAGE, 12, 3600),
    "LayerNormalization": (lambda: layers.LayerNormalization([2, 3]), IMAGE, IMAGE, 144, 3600),
    "RMSNormalization": (lambda: layers.RMSNormalization(), IMAGE, IMAGE, 6, 2880),
    "UnitNormalization": (lambda: layers.UnitNormalization(), IMAGE, IMAGE, 0, 2160),
    "Normalization": (lambda: layers.Normalization(), IMAGE, IMAGE, 13, 1440),
    "Flatten": (lambda: Flatten(), IMAGE, (720,), 0, 0),
    "Reshape": (lambda: Reshape((-1, 8)), IMAGE, (90, 8), 0, 0),
    "ZeroPadding2D": (lambda: ZeroPadding2D(((1, 0), (2, 3))), IMAGE, (11, 17, 6), 0, 0),
    "Rescaling": (lambda: Rescaling(1 / 255), IMAGE, IMAGE, 0, 1440),
    "InputLayer": (lambda: InputLayer(IMAGE), IMAGE, IMAGE, 0, 0),
}  # fmt: skip

MERGES = {
    "Add": (lambda: Add(), [IMAGE] * 3, IMAGE, 1440),
    "Multiply": (lambda: Multiply(), [IMAGE] * 2, IMAGE, 720),
    "Multiply, a value per channel": (lambda: Multiply(), [IMAGE, (6,)], IMAGE, 720),
    "Average": (lambda: Average(), [IMAGE] * 3, IMAGE, 1440),
    "Maximum, broadcast": (lambda: Maximum(), [(1, 12, 6), IMAGE], IMAGE, 720),
    "Minimum": (lambda: Minimum(), [IMAGE] * 2, IMAGE, 720),
    "Subtract": (lambda: Subtract(), [IMAGE] * 2, IMAGE, 720),
    "Dot": (lambda: Dot((2, 1)), [(4, 3), (3, 5)], (4, 5), 20),
    "Dot of vectors": (lambda: Dot(1, normalize=True), [(7,), (7,)], (1,), 1),
    "Concatenate": (lambda: Concatenate(), [IMAGE, (10, 12, 1), (10, 12, 2)], (10, 12, 9), 0),
    "Concatenate rows": (lambda: Concatenate(axis=1), [IMAGE, (2, 12, 6)], (12, 12, 6), 0),
}


@register_serializable
def doubled(x):
    return x * 2


layer_cases = pytest.mark.parametrize("case", LAYER_CASES.values(), ids=LAYER_CASES.keys())
merges = pytest.mark.parametrize("case", MERGES.values(), ids=MERGES.keys())


def batch(shape, n=2, seed=0):
    return np.random.default_rng(seed).standard_normal((n, *shape)).astype(np.float32)


def test_no_layer_is_left_out():
    tested = {type(make()).__name__ for make, *_ in (*LAYER_CASES.values(), *MERGES.values())}
    elsewhere = {"FunctionLayer", "Model", "Sequential"}  # tests of ops and of nested models
    assert tested == set(LAYERS) - elsewhere


@layer_cases
def test_shape_parameters_and_work(case, backend):
    make, shape, out, size, flops = case
    layer = make()
    tensor = layer(Input(shape))
    assert tensor.shape == (None, *out)
    assert sum(p.value.size for p in layer.parameters) == size
    assert layer.flops([Spec((None, *shape))], tensor.spec) == flops
    y = layer(batch(shape))
    assert y.shape == (2, *out)
    assert y.dtype == np.float32
    assert layer(batch(shape, n=0)).shape == (0, *out)
    assert layer(batch(shape), training=True).shape == (2, *out)


@merges
def test_merges(case, backend):
    make, shapes, out, flops = case
    layer = make()
    tensor = layer([Input(shape) for shape in shapes])
    assert tensor.shape == (None, *out)
    assert layer.flops([Spec((None, *shape)) for shape in shapes], tensor.spec) == flops
    arrays = [batch(shape, seed=i) for i, shape in enumerate(shapes)]
    assert layer(arrays).shape == (2, *out)


@layer_cases
def test_config_makes_the_same_layer(case):
    make, shape, out, size, _ = case
    layer = make()
    config = layer.get_config()
    again = layer_from_config(type(layer).__name__, json.loads(json.dumps(config)))
    assert type(again) is type(layer)
    assert again.get_config() == config
    assert again(Input(shape)).shape == (None, *out)
    assert sum(p.value.size for p in again.parameters) == size


def test_config_keeps_every_argument():
    """No argument has its default, so one that was lost would be noticed."""
    pieces = [
        Conv2D(
            4, (3, 5), (2, 1), ((1, 2), (3, 4)), "channels_first", (1, 1), 2, "elu", False,
            initializers.get("he_normal"), "ones", "l1", "l2", "l1", "max_norm", "non_neg",
            name="c", trainable=False,
        ),
        DepthwiseConv2D(
            (3, 5), (2, 1), "same", 3, "channels_first", (1, 1), "silu", False, "he_uniform",
            "ones", "l1", "l2", "l1", "max_norm", "non_neg",
        ),
        SeparableConv2D(
            4, (3, 5), (2, 1), "same", "channels_first", (1, 1), 3, "silu", False, "he_uniform",
            "he_normal", "ones", "l1", "l2", "l1", "l2", "max_norm", "non_neg", "unit_norm",
        ),
        Conv2DTranspose(
            4, (3, 5), (2, 1), "same", (1, 0), "channels_first", (1, 1), "silu", False,
            "he_uniform", "ones", "l1", "l2", "l1", "max_norm", "non_neg",
        ),
        Conv1D(
            4, 3, 2, "causal", "channels_first", 1, 2, "elu", False, "he_normal", "ones", "l1",
            "l2", "l1", "max_norm", "non_neg",
        ),
        DepthwiseConv1D(
            3, 2, "same", 3, "channels_first", 1, "elu", False, "he_normal", "ones", "l1", "l2",
            "l1", "max_norm", "non_neg",
        ),
        SeparableConv1D(
            4, 3, 2, "same", "channels_first", 1, 3, "silu", False, "he_uniform", "he_normal",
            "ones", "l1", "l2", "l1", "l2", "max_norm", "non_neg", "unit_norm",
        ),
        Conv1DTranspose(
            4, 3, 2, "same", 1, "channels_first", 1, "silu", False, "he_uniform", "ones", "l1",
            "l2", "l1", "max_norm", "non_neg",
        ),
        Dense(
            4, "tanh", False, "lecun_normal", "ones", "l1", "l2", "l1", "max_norm", "non_neg",
        ),
        AveragePooling2D((3, 2), (1, 2), ((1, 0), (0, 1)), "channels_first", "a", ceil_mode=True),
        MaxPooling1D(3, 2, "same", "channels_first", "m"),
        GlobalAveragePooling1D("channels_first", True),
        UpSampling2D((2, 3), "channels_first", "bilinear"),
        UpSampling1D(3),
        Cropping2D(((1, 2), (3, 4)), "channels_first"),
        Cropping1D((1, 2)),
        ZeroPadding1D((1, 2), "channels_first"),
        Permute((2, 1)),
        RepeatVector(3),
        Flatten("channels_first"),
        Dot((1, 2), True),
        PReLU("ones", "l2", "non_neg", [1, 2]),
        Softmax(1),
        ActivityRegularization(0.1, 0.2),
        Lambda(doubled, arguments={}),
        BatchNormalization(
            momentum=0.5, epsilon=0.1, center=False, scale=False, beta_initializer="ones",
            gamma_initializer="zeros", moving_mean_initializer="ones",
            moving_variance_initializer="zeros",
        ),
        LocalResponseNormalization(3, 0.1, 0.5, 2.0),
        InputLayer((3, 4), dtype="uint8"),
        Rescaling(2.0, -1.0),
        Concatenate(2),
        ReLU(6, 0.5, 0.25),
        LeakyReLU(0.7),
        ELU(0.7),
        Reshape((2, -1)),
        ZeroPadding2D(((1, 2), (3, 4)), "channels_first"),
        Dropout(0.7),
        RandomRotation((-0.1, 0.2), "constant", "nearest", 5, 0.5),
        Activation("silu"),
    ]  # fmt: skip
    for layer in pieces:
        config = layer.get_config()
        again = layer_from_config(type(layer).__name__, config)
        state = {
            k: v
            for k, v in vars(layer).items()
            if not k.endswith(
                ("initializer", "regularizer", "constraint", "rng_name", "constructed_with")
            )
        }
        assert state == {k: v for k, v in vars(again).items() if k in state}
        assert again.get_config() == config


# --- what the layers compute, where it is more than one operation ------------------------------


def test_conv2d_is_the_operation_with_its_activation(backend):
    layer, x = Conv2D(5, 3, padding="same", activation="relu"), batch(IMAGE)
    y = layer(x)
    expected, _ = operations.conv2d(x, layer.kernel.value, layer.bias.value, padding="same")
    assert np.array_equal(y, np.maximum(expected, 0))
    assert (y > 0).any() and (y == 0).any()


def test_depthwise_results_of_a_channel_are_neighbors(backend):
    layer, x = DepthwiseConv2D(3, depth_multiplier=2), batch(IMAGE)
    y = layer(x)
    for channel in range(6):
        kernel = np.ascontiguousarray(layer.kernel.value[..., 2 * channel : 2 * channel + 2])
        alone, _ = operations.conv2d(x[..., channel : channel + 1], kernel)
        np.testing.assert_allclose(y[..., 2 * channel : 2 * channel + 2], alone, atol=1e-5)


def test_depthwise_weights_have_keras_shapes():
    layer = DepthwiseConv2D((3, 2), depth_multiplier=2)
    layer(Input((8, 8, 5)))
    kernel, bias = layer.get_weights()
    assert kernel.shape == (3, 2, 5, 2) and bias.shape == (10,)
    layer.set_weights([kernel + 1, bias])
    np.testing.assert_array_equal(layer.kernel.value.reshape(kernel.shape), kernel + 1)
    with pytest.raises(ShapeError, match=r"kernel has shape \(3, 2, 5, 2\); got \(3, 2, 2, 5\)"):
        layer.set_weights([kernel.transpose(0, 1, 3, 2), bias])


def test_depthwise_kernel_is_drawn_as_keras_draws_it():
    layer = DepthwiseConv2D(3)
    layer(Input((8, 8, 16)))
    limit = np.sqrt(6 / (9 * 16 + 9))  # fan in and fan out of (3, 3, 16, 1)
    assert 0.9 * limit < np.abs(layer.kernel.value).max() <= limit


def test_batch_norm_learns_statistics_in_training_only(backend):
    layer, x = BatchNormalization(momentum=0.9), 4 + 2 * batch((6,), n=500)
    before = layer(x)
    np.testing.assert_allclose(before, x / np.sqrt(1.001), rtol=1e-5)
    assert (layer.moving_mean.value == 0).all()
    y = layer(x, training=True)
    np.testing.assert_allclose(y.mean(0), 0, atol=1e-4)
    np.testing.assert_allclose(y.std(0), 1, atol=1e-3)
    np.testing.assert_allclose(layer.moving_mean.value, 0.1 * x.mean(0), rtol=1e-4)
    np.testing.assert_allclose(layer.moving_variance.value, 0.9 + 0.1 * x.var(0), rtol=1e-4)


def test_frozen_batch_norm_uses_and_keeps_its_statistics(backend):
    layer, x = BatchNormalization(trainable=False), 4 + batch((6,))
    assert np.array_equal(layer(x, training=True), layer(x))
    assert (layer.moving_mean.value == 0).all()


def test_batch_norm_without_center_and_scale_has_constants(backend):
    layer, x = BatchNormalization(center=False, scale=False), batch(IMAGE)
    np.testing.assert_allclose(layer(x), x / np.sqrt(1.001), rtol=1e-5)
    assert [p.name for p in layer.parameters] == [
        "batch_normalization/moving_mean", "batch_normalization/moving_variance",
    ]  # fmt: skip
    assert not any(p.trainable for p in layer.parameters)


def test_dropout_works_in_training_only(backend):
    layer, x = Dropout(0.5), np.ones((10, 100), np.float32)
    assert layer(x) is x
    assert Dropout(0)(x, training=True) is x
    y = layer(x, training=True)
    assert set(np.unique(y)) == {np.float32(0), np.float32(2)}
    assert 0.4 < (y == 0).mean() < 0.6
    other = Dropout(0.5)(x, training=True)
    assert not np.array_equal(y, other), "two layers must not drop the same neurons"


def test_merges_take_all_their_inputs(backend):
    a, b, c = (np.full((1, 2), value, np.float32) for value in (2, 3, 5))
    assert Add()([a, b, c]).tolist() == [[10, 10]]
    assert Multiply()([a, b, c]).tolist() == [[30, 30]]
    assert Concatenate()([a, b, c]).tolist() == [[2, 2, 3, 3, 5, 5]]


@pytest.mark.parametrize("name", [*OPERATIONS, "softmax"])
def test_activations_are_the_operations_of_that_name(name, backend):
    x = batch((7,))
    assert np.array_equal(Activation(name)(x), getattr(operations, name)(x)[0])


def test_keras_has_two_slopes(backend):
    x = -np.ones((1, 1), np.float32)
    assert Activation("leaky_relu")(x) == np.float32(-0.2)
    assert LeakyReLU()(x) == np.float32(-0.3)


def test_uint8_images_are_rescaled(backend):
    pixels = np.full((1, 2, 2, 1), 255, np.uint8)
    y = Rescaling(1 / 255, offset=-0.5)(pixels)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, 0.5, rtol=1e-6)


# --- parameters and names ----------------------------------------------------------------------


def test_first_weights_depend_on_seed_and_name_only():
    def kernel(seed, name, before=0):
        random.set_random_seed(seed)
        for _ in range(before):
            Dense(3)(Input((5,)))
        layer = Dense(4, name=name)
        layer(Input((6,)))
        return layer.kernel.value

    assert np.array_equal(kernel(1, "a"), kernel(1, "a", before=3))
    assert not np.array_equal(kernel(1, "a"), kernel(2, "a"))
    assert not np.array_equal(kernel(1, "a"), kernel(1, "b"))


def test_parameters_are_aligned_and_stay_where_they_are():
    layer = Conv2D(5, 3)
    layer(Input(IMAGE))
    address = layer.kernel.value.ctypes.data
    assert address % 64 == 0
    layer.kernel.assign(np.ones(layer.kernel.shape))
    assert layer.kernel.value.ctypes.data == address
    assert (layer.kernel.value == 1).all()
    with pytest.raises(ShapeError, match=r"conv2d/kernel has shape \(3, 3, 6, 5\); got \(5,\)"):
        layer.kernel.assign(np.ones(5))


def test_weight_decay_is_for_weights():
    layer = Conv2D(5, 3)
    layer(Input(IMAGE))
    assert [(p.name, p.decay, p.multiplier) for p in layer.parameters] == [
        ("conv2d/kernel", True, 1.0), ("conv2d/bias", False, 1.0),
    ]  # fmt: skip
    assert all(isinstance(p, Parameter) and p.trainable for p in layer.parameters)


def test_names_count_up_per_class():
    layers = [Conv2D(1, 1), Conv2D(1, 1), MaxPooling2D(), Conv2D(1, 1), LeakyReLU(), ReLU()]
    assert [layer.name for layer in layers] == [
        "conv2d", "conv2d_1", "max_pooling2d", "conv2d_2", "leaky_re_lu", "re_lu",
    ]  # fmt: skip


def test_a_layer_is_built_once():
    layer = Dense(3)
    first, second = layer(Input((4,))), layer(Input((4,)))
    assert isinstance(first, SymbolicTensor) and first is not second
    assert len(layer.parameters) == 2
    with pytest.raises(
        ShapeError, match=r"dense: x has 5 features, the weights \(4, 3\) are for 4"
    ):
        layer(Input((5,)))


def test_input_shape_of_a_first_layer():
    assert Conv2D(1, 3, input_shape=(28, 28, 1)).given_input_shape == (28, 28, 1)
    assert Dense(1, input_shape=[7]).given_input_shape == (7,)


# --- Input -------------------------------------------------------------------------------------


def test_input():
    assert Input((28, 28, 1)).shape == (None, 28, 28, 1)
    assert Input((28, 28, 1), dtype="uint8", name="pixels").dtype == "uint8"
    assert Input(7).shape == (None, 7)
    assert Input((7,), name="pixels").layer.name == "pixels"


def test_input_with_rescale_is_fed_at_the_input_layer():
    x = Input((28, 28, 1), rescale=1 / 255)
    assert isinstance(x.layer, Rescaling)
    assert x.layer.scale == 1 / 255
    assert isinstance(x.source.layer, InputLayer)
    assert Input((3,)).source.shape == (None, 3)


# --- the registry ------------------------------------------------------------------------------


def test_registered_layer_can_be_made_from_its_name():
    class Twice(Layer):
        def forward(self, apply, *inputs, training):
            return apply(operations.elementwise.ADD, inputs[0], inputs[0])

    register_layer(Twice)
    try:
        layer = layer_from_config("Twice", {"name": "two"})
        assert layer(np.ones((1, 2), np.float32)).tolist() == [[2, 2]]
        assert register_layer(Twice) is Twice, "the same class may be registered again"
        with pytest.raises(ArgumentError, match="there is a layer 'Twice' already"):
            register_layer(type("Twice", (Layer,), {}))
    finally:
        del LAYERS["Twice"]


def test_a_name_of_ours_cannot_be_taken():
    with pytest.raises(ArgumentError, match="there is a layer 'Dense' already"):
        register_layer(type("Dense", (Layer,), {}))
    assert LAYERS["Dense"] is Dense


def test_activation_may_be_set_to_none_and_is_checked():
    """The activation None is linear, as in Keras."""
    x = np.array([[-1.0, 2.0]], np.float32)
    kernel = {"kernel_initializer": "ones", "activation": "relu"}
    image = x.reshape(1, 1, 2, 1)
    for layer, given in (
        (Dense(1, **kernel), x - 4),
        (Conv2D(1, 1, **kernel), image),
        (DepthwiseConv2D(1, activation="relu", depthwise_initializer="ones"), image),
        (Activation("relu"), x),
    ):
        assert (layer(given) >= 0).all()
        layer.activation = None
        assert layer.activation is activations.linear
        assert layer.get_config()["activation"] == "linear"
        assert (layer(given) < 0).any()
        with pytest.raises(ArgumentError, match="unknown activation 'rleu': did you mean relu"):
            layer.activation = "rleu"
        assert layer.activation is activations.linear


@pytest.mark.parametrize(
    "make", [lambda p: Conv2D(2, 3, padding=p), lambda p: MaxPooling2D(2, padding=p)]
)
def test_a_padding_of_no_zeros_is_valid(make):
    assert make(0).padding == make(((0, 0), (0, 0))).padding == "valid"
    assert make((0, 1)).padding == ((0, 0), (1, 1))
