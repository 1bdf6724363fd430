"""Every wrong call gets one clear error, from every engine the same."""

import numpy as np
import pytest
from op_cases import CASES, RNG_KEY, in_dtype

from minicnn import operations
from minicnn.contracts import Spec
from minicnn.errors import ArgumentError, DTypeError, MiniCNNError, ShapeError
from minicnn.operations.conv2d import CONV2D
from minicnn.operations.dense import DENSE

cases = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


def zeros(*shape, dtype="float32"):
    return np.zeros(shape, dtype)


IMAGES = zeros(2, 8, 9, 4)
FILTERS = zeros(3, 3, 4, 6)
FIVE = [zeros(2, 4), *[zeros(4)] * 4]

CALLS = {
    "one image without a batch": (
        lambda: operations.max_pool2d(zeros(28, 28, 1)),
        ShapeError,
        r"x must have 4 axes \(N, H, W, C\); got shape \(28, 28, 1\); for one image pass x\[None\]",
    ),
    "gray images without channels": (
        lambda: operations.max_pool2d(zeros(60, 28, 28)),
        ShapeError,
        r"got shape \(60, 28, 28\); gray images need a channel axis: x\[..., None\]",
    ),
    "no rows": (
        lambda: operations.conv2d(zeros(2, 0, 9, 4), FILTERS),
        ShapeError,
        r"x has shape \(2, 0, 9, 4\): axis 1 is 0; only the batch may be empty",
    ),
    "channels do not match": (
        lambda: operations.conv2d(zeros(2, 8, 9, 3), FILTERS),
        ShapeError,
        r"x has 3 channels, the weights \(3, 3, 4, 6\) with groups=1 are for 4",
    ),
    "groups do not divide the filters": (
        lambda: operations.conv2d(IMAGES, zeros(3, 3, 1, 6), groups=4),
        ShapeError,
        r"groups=4 must divide the number of filters, 6",
    ),
    "bias of another length": (
        lambda: operations.conv2d(IMAGES, FILTERS, zeros(5)),
        ShapeError,
        r"b must have one value per filter, 6; got 5",
    ),
    "kernel larger than the image": (
        lambda: operations.conv2d(zeros(1, 2, 2, 4), FILTERS),
        ShapeError,
        r"the 3x3 kernel does not fit a 2x2 image .* use padding='same'",
    ),
    "stride 0": (
        lambda: operations.conv2d(IMAGES, FILTERS, strides=(0, 1)),
        ArgumentError,
        r"strides must be an integer >= 1 or a pair of them; got \(0, 1\)",
    ),
    "dilation is a float": (
        lambda: operations.conv2d(IMAGES, FILTERS, dilation=1.0),
        ArgumentError,
        r"dilation_rate must be an integer >= 1 .* got 1.0",
    ),
    "padding is another word": (
        lambda: operations.conv2d(IMAGES, FILTERS, padding="full"),
        ArgumentError,
        r"""padding must be "valid", "same" or integers; got 'full'""",
    ),
    "negative padding": (
        lambda: operations.conv2d(IMAGES, FILTERS, padding=-1),
        ArgumentError,
        r"padding must be an integer >= 0 .* got -1",
    ),
    "padding as large as the pooling window": (
        lambda: operations.max_pool2d(IMAGES, 2, padding=2),
        ArgumentError,
        r"padding must be smaller than the window.*padding \(2, 2\) with pool_size 2",
    ),
    "pooling window larger than the image": (
        lambda: operations.average_pool2d(IMAGES, 10),
        ShapeError,
        r"the 10x10 pooling window does not fit a 8x9 image",
    ),
    "a pool of more than 255 cells, fused": (
        lambda: operations.conv2d_max_pool2d(zeros(1, 30, 30, 4), FILTERS, pool_size=16),
        ArgumentError,
        r"pool_size must have at most 255 cells; got 16x16: use conv2d, then max_pool2d",
    ),
    "an activation that is not fused": (
        lambda: operations.conv2d_max_pool2d(IMAGES, FILTERS, activation="tanh"),
        ArgumentError,
        r"activation must be one of \['relu', 'linear'\]; got 'tanh'",
    ),
    "dense of another size": (
        lambda: operations.dense(zeros(2, 7), zeros(8, 10)),
        ShapeError,
        r"x has 7 features, the weights \(8, 10\) are for 8",
    ),
    "dense bias of another size": (
        lambda: operations.dense(zeros(2, 8), zeros(8, 10), zeros(8)),
        ShapeError,
        r"b must have one value per unit, 10; got 8",
    ),
    "one bias too few": (
        lambda: operations.bias(IMAGES, zeros(3)),
        ShapeError,
        r"b must have one value per channel, 4; got 3",
    ),
    "negative slope below 0": (
        lambda: operations.leaky_relu(IMAGES, -0.1),
        ArgumentError,
        r"negative_slope must be a number in \[0, inf\); got -0.1",
    ),
    "alpha is NaN": (
        lambda: operations.elu(IMAGES, float("nan")),
        ArgumentError,
        r"alpha must be a number in \[0, inf\); got nan",
    ),
    "softmax without classes": (
        lambda: operations.softmax(zeros(5)),
        ShapeError,
        r"x must have axes \(N, ..., C\); got shape \(5,\)",
    ),
    "a running mean too long": (
        lambda: operations.batch_norm_training(*FIVE[:3], zeros(5), FIVE[4]),
        ShapeError,
        r"moving_mean must have one value per channel, 4; got 5",
    ),
    "momentum above 1": (
        lambda: operations.batch_norm_training(*FIVE, momentum=1.5),
        ArgumentError,
        r"momentum must be a number in \[0, 1\); got 1.5",
    ),
    "epsilon 0": (
        lambda: operations.batch_norm_inference(*FIVE, epsilon=0),
        ArgumentError,
        r"epsilon must be a number in \(0, inf\); got 0",
    ),
    "an even neighborhood": (
        lambda: operations.local_response_norm(IMAGES, 4),
        ArgumentError,
        r"size must be odd, because the channel itself is in the middle; got 4",
    ),
    "everything dropped": (
        lambda: operations.dropout(IMAGES, RNG_KEY, 1.0),
        ArgumentError,
        r"rate must be a number in \[0, 1\); got 1.0",
    ),
    "a rng_key of other numbers": (
        lambda: operations.dropout(IMAGES, zeros(4), 0.5),
        DTypeError,
        r"rng_key must be an array of uint32; got float32",
    ),
    "a short rng_key": (
        lambda: operations.dropout(IMAGES, RNG_KEY[:3], 0.5),
        ShapeError,
        r"rng_key must have 4 words; got shape \(3,\)",
    ),
    "zero padding by a word": (
        lambda: operations.zero_pad2d(IMAGES, "same"),
        ArgumentError,
        r"padding must be the number of rows and columns; got 'same'",
    ),
    "a reshape that loses numbers": (
        lambda: operations.reshape(IMAGES, (5, -1)),
        ShapeError,
        r"shape \(5, -1\) does not hold the 288 values of \(8, 9, 4\)",
    ),
    "two lengths left open": (
        lambda: operations.reshape(IMAGES, (-1, -1)),
        ArgumentError,
        r"shape may have one -1; got \(-1, -1\)",
    ),
    "sum of other shapes": (
        lambda: operations.add(zeros(2, 3), zeros(2, 4)),
        ShapeError,
        r"a and b must have the same shape; got \(2, 3\) and \(2, 4\)",
    ),
    "concatenation of the batch": (
        lambda: operations.concatenate(zeros(2, 3), zeros(2, 3), axis=0),
        ArgumentError,
        r"axis must be 1 to 1, or -1 for the last; got 0 \(0 is the batch\)",
    ),
    "concatenation of other heights": (
        lambda: operations.concatenate(IMAGES, zeros(2, 7, 9, 4)),
        ShapeError,
        r"a and b may differ in axis 3 only; got \(2, 8, 9, 4\) and \(2, 7, 9, 4\)",
    ),
    "concatenation of two dtypes": (
        lambda: operations.concatenate(zeros(2, 3), zeros(2, 3, dtype="float64")),
        DTypeError,
        r"a and b must have one dtype; got float32 and float64",
    ),
    "a scale that is no number": (
        lambda: operations.rescale(IMAGES, "255"),
        ArgumentError,
        r"scale must be a number in \(-inf, inf\); got '255'",
    ),
    "a label that is no class": (
        lambda: operations.sparse_categorical_crossentropy(
            zeros(3, 10), np.array([1, 2, 12], np.int32)
        ),
        ArgumentError,
        r"y\[2\] = 12, but the model has 10 classes",
    ),
    "a negative label": (
        lambda: operations.softmax_sparse_categorical_crossentropy(
            zeros(2, 10), np.array([-1, 0], np.int32)
        ),
        ArgumentError,
        r"y\[0\] = -1, but the model has 10 classes",
    ),
    "labels of floats": (
        lambda: operations.sparse_categorical_crossentropy(zeros(3, 10), zeros(3)),
        DTypeError,
        r"y_true must be an array of int32; got float32",
    ),
    "one label too few": (
        lambda: operations.sparse_categorical_crossentropy(zeros(3, 10), zeros(2, dtype="int32")),
        ShapeError,
        r"y_true must have one label per sample, \(3,\); got shape \(2,\)",
    ),
    "one-hot labels of other classes": (
        lambda: operations.categorical_crossentropy(zeros(3, 10), zeros(3, 9)),
        ShapeError,
        r"y_pred and y_true must have the same shape; got \(3, 10\) and \(3, 9\)",
    ),
    "all labels smoothed away": (
        lambda: operations.binary_crossentropy(zeros(3, 1), zeros(3, 1), 1.0),
        ArgumentError,
        r"label_smoothing must be a number in \[0, 1\); got 1.0",
    ),
    "losses of single numbers": (
        lambda: operations.mean_squared_error(zeros(3), zeros(3)),
        ShapeError,
        r"y_pred must have axes \(N, ..., C\); got shape \(3,\)",
    ),
}


@pytest.mark.parametrize(("call", "error", "text"), CALLS.values(), ids=CALLS.keys())
def test_wrong_call(call, error, text, backend):
    with pytest.raises(error, match=text) as caught:
        call()
    assert len(str(caught.value)) <= 300
    assert isinstance(caught.value, (ValueError, TypeError))  # which callers' except clauses catch


WRONG_FIRST = {
    "int64": (zeros(3, 4, dtype="int64"), r"got int64: pass \w+\.astype\('float32'\)"),
    "float16": (zeros(3, 4, dtype="float16"), "got float16"),
    "complex": (zeros(3, 4, dtype="complex64"), "got complex64$"),
    "objects": (np.array([[None]]), "got object$"),
    "text": (np.array([["1.0"]]), r"got str\d*$"),
    "a list": ([[1.0, 2.0]], "got list"),
    "nothing": (None, "got NoneType"),
}


@pytest.mark.parametrize(("wrong", "text"), WRONG_FIRST.values(), ids=WRONG_FIRST.keys())
@cases
def test_first_array_of_a_wrong_kind(case, wrong, text):
    rest = in_dtype(case.draw(np.random.default_rng(0)), np.float32)[1:]
    with pytest.raises(DTypeError, match=text):
        case.op(wrong, *rest)


@cases
def test_single_number(case):
    rest = in_dtype(case.draw(np.random.default_rng(0)), np.float32)[1:]
    with pytest.raises(
        ShapeError, match="must be a batch, \\(N, \\.\\.\\.\\); got a single number"
    ):
        case.op(np.float32(1), *rest)


@cases
def test_gradient_of_another_shape(case, backend):
    y, saved = case.op(*in_dtype(case.draw(np.random.default_rng(0)), np.float32))
    with pytest.raises(ShapeError, match=r"must have the same shape; got"):
        case.backward(np.zeros((*y.shape[:-1], y.shape[-1] + 1), np.float32), saved)


@cases
def test_gradient_of_another_kind(case):
    y, saved = case.op(*in_dtype(case.draw(np.random.default_rng(0)), np.float32))
    with pytest.raises(DTypeError, match=r"d\w+ must be an array of float32; got int64"):
        case.backward(np.zeros(y.shape, np.int64), saved)


def test_shapes_are_checked_without_arrays():
    """Layers and the planner ask with Specs; the batch's size may be unknown."""
    attributes = CONV2D.resolve(Spec((None, 28, 28, 1)), Spec((5, 5, 1, 20)), None)
    assert attributes["window"].out_hw(attributes["image"]) == (24, 24)
    with pytest.raises(ShapeError, match=r"x has 7 features, the weights \(8, 10\)"):
        DENSE.resolve(Spec((None, 7)), Spec((8, 10)), None)


def test_every_error_is_of_the_family():
    assert all(issubclass(error, MiniCNNError) for _, error, _ in CALLS.values())
