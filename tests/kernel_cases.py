"""Small inputs for every operation, each here for one reason. Made to bite: not square, odd sizes,
overlapping windows, asymmetric padding, and no point near a kink or a tie."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from minicnn.contracts import CONTRACTS
from minicnn.shapes import Window2D, conv_window, pool_window


class Case(NamedTuple):
    operation: str
    draw: Callable[[np.random.Generator], dict[str, np.ndarray | None]]  # float64 arrays by name
    attributes: Mapping[str, Any] = MappingProxyType({})
    by: tuple[str, ...] = ("x",)  # the arrays whose gradients are checked
    h: float = 1e-3
    whole: bool = False  # the attributes hold the batch size, too


def arrays(**shapes):
    """Standard normal arrays of these shapes; None stays None."""
    return lambda rng: {
        name: None if shape is None else np.asarray(rng.standard_normal(shape))
        for name, shape in shapes.items()
    }


def conv(image, size, strides=1, padding="valid", dilation=1, groups=1):
    window = conv_window(size, strides, padding, dilation, image)
    return {"window": window, "groups": groups, "image": image}


def pool(image, size, strides=None, padding="valid", *, ceil_mode=False):
    window = pool_window(size, strides, padding, image, ceil_mode=ceil_mode)
    return {"window": window, "image": image}


def conv_pool(activation, image, padding="valid", pool_size=2, pool_strides=None):
    attributes = conv(image, 3, 1, padding)
    window = pool_window(pool_size, pool_strides, "valid", attributes["window"].out_hw(image))
    return attributes | {"pool": window, "activation": activation}


def no_ties(*shape):
    """Return a function that draws an array whose values differ by at least 1."""
    return lambda rng: {"x": rng.permutation(np.arange(float(np.prod(shape)))).reshape(shape)}


def away_from(*kinks):
    """Return a function that draws values in -9...9, at least 0.1 away from each kink."""

    def draw(rng):
        x = rng.uniform(-9, 9, (3, 4, 5, 2))
        for kink in kinks:
            x = np.where(np.abs(x - kink) < 0.1, kink + 0.5, x)
        return {"x": x}

    return draw


def probabilities(rng):
    """(5, 4), positive; rows do not add up to 1, as the loss has to divide by their sum."""
    return rng.uniform(0.1, 1.0, (5, 4))


def apart_from_1(rng):
    return 0.9 * probabilities(rng)


def one_hot(rng):
    return np.eye(4)[rng.integers(0, 4, 5)]


def labels(rng):
    return rng.integers(0, 4, 5).astype(np.int32)


def zeros_and_ones(rng):
    return rng.integers(0, 2, (5, 4)).astype(np.float64)


def truth(prediction, draw_prediction, draw_truth):
    return lambda rng: {prediction: draw_prediction(rng), "y_true": draw_truth(rng)}


def logits(rng):
    return rng.standard_normal((5, 4))


def stream_and_x(rng):
    return {"x": rng.standard_normal((3, 5, 7)), "rng_key": np.array([1, 2, 3, 4], np.uint32)}


def batch_norm_arrays(rng):
    return {
        "x": 3 + 2 * rng.standard_normal((4, 3, 2, 5)),
        "gamma": rng.uniform(0.5, 2, 5),
        "beta": rng.standard_normal(5),
        "moving_mean": rng.standard_normal(5),
        "moving_variance": rng.uniform(0.5, 2, 5),
    }


def batch_norm_dropout_arrays(rng):
    return batch_norm_arrays(rng) | {"rng_key": np.array([1, 2, 3, 4], np.uint32)}


def group_norm_arrays(*shape, of=None, scaled=True):
    """x away from 0, with gamma and beta for the axes from `of` on."""

    def draw(rng):
        channels = shape[-1:] if of is None else shape[of:]
        return {
            "x": 1 + 2 * rng.standard_normal(shape),
            "gamma": rng.uniform(0.5, 2, channels) if scaled else None,
            "beta": rng.standard_normal(channels) if scaled else None,
        }

    return draw


def group_norm(groups=1, statistic="variance", sample_axis=1, channel_axis=3, epsilon=1e-3):
    return {
        "groups": groups, "statistic": statistic, "sample_axis": sample_axis,
        "channel_axis": channel_axis, "epsilon": epsilon,
    }  # fmt: skip


def resample_arrays(rng):
    """Rows and columns that are left out, read twice, and beyond the border."""
    return {
        "x": rng.standard_normal((2, 5, 4, 3)),
        "row_index": np.array([[0, 1], [3, 2], [4, 4]], np.int32),
        "row_weight": rng.uniform(0.1, 1, (3, 2)),
        "column_index": np.array([[-1, 0, 1], [1, 2, 1], [3, 2, 9], [0, 3, 1]], np.int32),
        "column_weight": rng.uniform(0.1, 1, (4, 3)),
    }


BN = {"momentum": 0.9, "epsilon": 1e-3}
BN_DROPOUT = BN | {"rate": 0.3, "purpose": 2}
LRN = {"size": 5, "alpha": 0.3, "beta": 0.75, "k": 1.5}
UNEVEN = Window2D((3, 2), (2, 1), (1, 2), (0, 2), (3, 1))


def positive(**shapes):
    """Arrays of these shapes with values in 0.5...2."""
    return lambda rng: {name: rng.uniform(0.5, 2, shape) for name, shape in shapes.items()}


def chosen(rng):
    condition = rng.integers(0, 2, (3, 4)) > 0
    return {"condition": condition, **arrays(a=(3, 4), b=(3, 4))(rng)}


def taken(*shape):
    """An array, and indices of its axis of 4 with repetitions."""
    return lambda rng: {
        "x": rng.standard_normal(shape),
        "indices": np.array([[0, 3, 3], [1, 0, 3]], np.int32),
    }


def apart(rng):
    """Two arrays whose values differ by at least 0.5."""
    a = rng.uniform(-3, 3, (2, 3, 4))
    return {"a": a, "b": a + rng.uniform(0.5, 2, a.shape) * rng.choice([-1, 1], a.shape)}


def along(axes, image, keepdims=False):
    return {"axes": axes, "keepdims": keepdims, "image": image}


def part(starts, steps, shape, image):
    return {"starts": starts, "steps": steps, "shape": shape, "image": image}


LINEAR = {
    "conv2d": Case(
        "conv2d", arrays(x=(2, 6, 7, 3), w=(3, 2, 3, 4), b=(4,)), conv((6, 7), (3, 2)),
        ("x", "w", "b"),
    ),
    "conv2d without bias": Case(
        "conv2d", arrays(x=(2, 6, 7, 3), w=(3, 3, 3, 4), b=None), conv((6, 7), 3), ("x", "w")
    ),
    "conv2d, stride larger than the window": Case(
        "conv2d", arrays(x=(1, 9, 8, 2), w=(2, 2, 2, 3), b=None), conv((9, 8), 2, 3), ("x", "w")
    ),
    "conv2d, same padding, stride 2": Case(
        "conv2d", arrays(x=(2, 8, 7, 3), w=(3, 4, 3, 2), b=None), conv((8, 7), (3, 4), 2, "same"),
        ("x", "w"),
    ),
    "conv2d, dilated": Case(
        "conv2d", arrays(x=(1, 9, 10, 2), w=(3, 3, 2, 3), b=None),
        conv((9, 10), 3, 1, "same", (2, 3)), ("x", "w"),
    ),
    "conv2d, uneven everything": Case(
        "conv2d", arrays(x=(2, 7, 6, 3), w=(3, 2, 3, 2), b=(2,)),
        {"window": UNEVEN, "groups": 1, "image": (7, 6)}, ("x", "w", "b"),
    ),
    "conv2d, two groups": Case(
        "conv2d", arrays(x=(2, 5, 6, 4), w=(3, 3, 2, 6), b=(6,)), conv((5, 6), 3, groups=2),
        ("x", "w", "b"),
    ),
    "conv2d, depthwise with two filters a channel": Case(
        "conv2d", arrays(x=(2, 5, 6, 3), w=(3, 3, 1, 6), b=(6,)),
        conv((5, 6), 3, 2, "same", groups=3), ("x", "w", "b"),
    ),
    "conv2d, one by one": Case(
        "conv2d", arrays(x=(2, 3, 4, 5), w=(1, 1, 5, 2), b=None), conv((3, 4), 1), ("x", "w")
    ),
    "conv2d_transpose": Case(
        "conv2d_transpose", arrays(x=(2, 4, 3, 3), w=(3, 2, 4, 3)), conv((8, 6), (3, 2), 2, "same"),
        ("x", "w"),
    ),
    "conv2d_transpose, valid, one stride larger than the kernel": Case(
        "conv2d_transpose", arrays(x=(1, 3, 4, 2), w=(3, 2, 5, 2)), conv((5, 12), (3, 2), (1, 3)),
        ("x", "w"),
    ),
    "conv2d_transpose, dilated": Case(
        "conv2d_transpose", arrays(x=(2, 4, 3, 2), w=(2, 3, 1, 2)),
        conv((6, 7), (2, 3), 1, "valid", 2), ("x", "w"),
    ),
    "dense": Case("dense", arrays(x=(4, 7), w=(7, 3), b=(3,)), by=("x", "w", "b")),
    "dense without bias": Case("dense", arrays(x=(4, 7), w=(7, 3), b=None), by=("x", "w")),
    "dense of pixels": Case(
        "dense", arrays(x=(2, 3, 4, 7), w=(7, 3), b=(3,)), by=("x", "w", "b")
    ),
    "bias of images": Case("bias", arrays(x=(2, 3, 4, 5), b=(5,)), by=("x", "b")),
    "bias of vectors": Case("bias", arrays(x=(4, 6), b=(6,)), by=("x", "b")),
    "average_pool2d": Case("average_pool2d", arrays(x=(2, 6, 8, 3)), pool((6, 8), 2)),
    "average_pool2d, overlap, same": Case(
        "average_pool2d", arrays(x=(2, 6, 7, 3)), pool((6, 7), (3, 4), 2, "same")
    ),
    "average_pool2d, ceil mode": Case(
        "average_pool2d", arrays(x=(1, 6, 8, 2)), pool((6, 8), 3, 2, ceil_mode=True)
    ),
    "global_average_pool2d": Case(
        "global_average_pool2d", arrays(x=(2, 3, 5, 4)), {"image": (3, 5)}
    ),
    "zero_pad2d": Case("zero_pad2d", arrays(x=(2, 3, 4, 2)), {"pad_h": (1, 2), "pad_w": (0, 3)}),
    "crop2d": Case("crop2d", arrays(x=(2, 6, 7, 2)), {"pad_h": (1, 2), "pad_w": (0, 3)}),
    "upsample2d": Case(
        "upsample2d", arrays(x=(2, 3, 4, 2)), {"size": (2, 3), "interpolation": "nearest"}
    ),
    "upsample2d, bilinear": Case(
        "upsample2d", arrays(x=(2, 3, 4, 2)), {"size": (3, 2), "interpolation": "bilinear"}
    ),
    "upsample2d, bilinear, one row": Case(
        "upsample2d", arrays(x=(1, 1, 3, 3)), {"size": (4, 1), "interpolation": "bilinear"}
    ),
    "add": Case("add", arrays(a=(2, 3, 4), b=(2, 3, 4)), by=("a", "b")),
    "multiply, in one factor": Case("multiply", arrays(a=(2, 3, 4), b=(2, 3, 4)), by=("a", "b")),
    "scale_channels": Case("scale_channels", arrays(x=(3, 5, 4, 7), s=(7,)), by=("x", "s")),
    "scale_channels, all axes": Case(
        "scale_channels", arrays(x=(3, 5, 4, 7), s=(1, 1, 1, 7)), by=("x", "s")
    ),
    "scale_channels of each image": Case(
        "scale_channels", arrays(x=(3, 5, 4, 7), s=(3, 1, 1, 7)), by=("x", "s"), whole=True
    ),
    "scale_channels of many pixels": Case(
        "scale_channels", arrays(x=(2, 40, 30, 33), s=(2, 1, 1, 33)), by=("x", "s"), whole=True
    ),
    "scale_channels of vectors": Case(
        "scale_channels", arrays(x=(3, 7), s=(3, 7)), by=("x", "s"), whole=True
    ),
    "concatenate channels": Case(
        "concatenate", arrays(a=(2, 3, 4, 2), b=(2, 3, 4, 5)), {"axis": 3, "sizes": (2, 5)},
        ("a", "b"),
    ),
    "concatenate rows": Case(
        "concatenate", arrays(a=(2, 3, 4, 2), b=(2, 1, 4, 2)), {"axis": 1, "sizes": (3, 1)},
        ("a", "b"),
    ),
    "reshape": Case("reshape", arrays(x=(2, 3, 4)), {"shape": (6, 2), "image": (3, 4)}),
    "rescale": Case("rescale", arrays(x=(2, 3, 4)), {"scale": 0.25, "offset": -3.0}),
    "dropout": Case("dropout", stream_and_x, {"rate": 0.3, "purpose": 2}),
    "resample": Case("resample", resample_arrays, {"fill": 0.0, "image": (5, 4)}),
    "resample with borders": Case("resample", resample_arrays, {"fill": 2.0, "image": (5, 4)}),
    "broadcast_to": Case(
        "broadcast_to", arrays(x=(3, 1, 2)), {"shape": (4, 3, 5, 2), "image": (3, 1, 2)},
        whole=True,
    ),
    "broadcast_to, channels": Case(
        "broadcast_to", arrays(x=(5,)), {"shape": (2, 3, 5), "image": (5,)}, whole=True
    ),
    "broadcast_to, rows": Case(
        "broadcast_to", arrays(x=(2, 1, 1)), {"shape": (2, 3, 5), "image": (2, 1, 1)}, whole=True
    ),
    "broadcast_to, one number": Case(
        "broadcast_to", arrays(x=()), {"shape": (2, 3), "image": ()}, whole=True
    ),
    "cumsum": Case("cumsum", arrays(x=(2, 5, 3)), {"axis": 1}),
    "matmul, in one factor": Case(
        "matmul", arrays(a=(2, 3, 4, 5), b=(2, 3, 5, 6)), by=("a", "b")
    ),
    "pad": Case(
        "pad", arrays(x=(2, 3, 4)), {"before": (0, 1, 0), "after": (0, 2, 3), "value": 0.5}
    ),
    "reshape_whole": Case(
        "reshape_whole", arrays(x=(2, 3, 4)), {"shape": (6, 4), "image": (2, 3, 4)}, whole=True
    ),
    "slice": Case(
        "slice", arrays(x=(3, 7, 5)), part((1, 0, 4), (1, 3, -1), (2, 3, 5), (3, 7, 5)), whole=True
    ),
    "slice, rows": Case(
        "slice", arrays(x=(3, 7, 5)), part((0, 2, 0), (1, 1, 1), (3, 4, 5), (3, 7, 5)), whole=True
    ),
    "subtract": Case("subtract", arrays(a=(2, 3, 4), b=(2, 3, 4)), by=("a", "b")),
    "sum": Case("sum", arrays(x=(2, 3, 4, 5)), along((1, 2), (2, 3, 4, 5)), whole=True),
    "sum of everything": Case("sum", arrays(x=(2, 3, 4)), along((0, 1, 2), (2, 3, 4)), whole=True),
    "sum of rows": Case("sum", arrays(x=(2, 3, 5)), along((2,), (2, 3, 5), True), whole=True),
    "sum of a batch": Case("sum", arrays(x=(4, 3, 5)), along((0,), (4, 3, 5)), whole=True),
    "take": Case("take", taken(2, 4, 3), {"axis": 1, "image": (2, 4, 3)}, whole=True),
    "take rows": Case("take", taken(4, 3), {"axis": 0, "image": (4, 3)}, whole=True),
    "transpose": Case("transpose", arrays(x=(2, 3, 4, 5)), {"axes": (0, 3, 1, 2)}),
    "transpose, batch last": Case("transpose", arrays(x=(2, 3, 4)), {"axes": (2, 1, 0)}),
    "where": Case("where", chosen, by=("a", "b"), whole=True),
}  # fmt: skip

CURVED = {
    "max_pool2d": Case("max_pool2d", no_ties(2, 6, 8, 3), pool((6, 8), 2)),
    "max_pool2d, overlap": Case("max_pool2d", no_ties(2, 7, 7, 3), pool((7, 7), 3, 2)),
    "max_pool2d, same": Case("max_pool2d", no_ties(2, 6, 5, 4), pool((6, 5), (3, 2), 2, "same")),
    "max_pool2d, gaps": Case("max_pool2d", no_ties(1, 9, 9, 2), pool((9, 9), 2, 3)),
    "max_pool2d, ceil mode": Case(
        "max_pool2d", no_ties(1, 6, 6, 2), pool((6, 6), 3, 2, ceil_mode=True)
    ),
    "global_max_pool2d": Case("global_max_pool2d", no_ties(2, 3, 5, 4), {"image": (3, 5)}),
    # Piecewise linear, so a small h costs no accuracy and keeps clear of ties.
    "conv2d_max_pool2d, relu": Case(
        "conv2d_max_pool2d", arrays(x=(2, 8, 9, 2), w=(3, 3, 2, 3), b=(3,)),
        conv_pool("relu", (8, 9)), ("x", "w", "b"), h=1e-6,
    ),
    "conv2d_max_pool2d, linear, overlap": Case(
        "conv2d_max_pool2d", arrays(x=(2, 7, 7, 2), w=(3, 3, 2, 3), b=None),
        conv_pool("linear", (7, 7), "same", 3, 2), ("x", "w"), h=1e-6,
    ),
    "conv2d_relu": Case(
        "conv2d_relu", arrays(x=(2, 6, 7, 3), w=(3, 2, 3, 4), b=(4,)), conv((6, 7), (3, 2)),
        ("x", "w", "b"), h=1e-6,
    ),
    "conv2d_relu, strided, same, without bias": Case(
        "conv2d_relu", arrays(x=(2, 7, 8, 3), w=(3, 3, 3, 5), b=None), conv((7, 8), 3, 2, "same"),
        ("x", "w"), h=1e-6,
    ),
    "relu": Case("relu", away_from(0)),
    "leaky_relu": Case("leaky_relu", away_from(0), {"negative_slope": 0.2}),
    "relu6": Case("relu6", away_from(0, 6)),
    "elu": Case("elu", away_from(0), {"alpha": 0.7}),
    "sigmoid": Case("sigmoid", away_from()),
    "tanh": Case("tanh", away_from()),
    "silu": Case("silu", away_from()),
    "gelu": Case("gelu", away_from(), {"approximate": False}),
    "gelu by tanh": Case("gelu", away_from(), {"approximate": True}),
    "softmax": Case("softmax", arrays(x=(5, 7))),
    "softmax of pixels": Case("softmax", arrays(x=(2, 3, 2, 4))),
    "batch_norm_training": Case(
        "batch_norm_training", batch_norm_arrays, BN, ("x", "gamma", "beta")
    ),
    "batch_norm_dropout": Case(
        "batch_norm_dropout", batch_norm_dropout_arrays, BN_DROPOUT, ("x", "gamma", "beta")
    ),
    "batch_norm_inference": Case(
        "batch_norm_inference", batch_norm_arrays, BN, ("x", "gamma", "beta")
    ),
    "group_norm, three groups": Case(
        "group_norm", group_norm_arrays(2, 4, 3, 6), group_norm(3), ("x", "gamma", "beta")
    ),
    "group_norm of vectors, without gamma": Case(
        "group_norm", group_norm_arrays(4, 6, scaled=False), group_norm(2, channel_axis=1)
    ),
    "group_norm of each pixel": Case(
        "group_norm", group_norm_arrays(2, 3, 2, 11), group_norm(sample_axis=3),
        ("x", "gamma", "beta"),
    ),
    "group_norm of whole images": Case(
        "group_norm", group_norm_arrays(3, 4, 3, 2, of=1), group_norm(channel_axis=1),
        ("x", "gamma", "beta"),
    ),
    "group_norm by mean squares": Case(
        "group_norm", group_norm_arrays(3, 4, 5), group_norm(1, "mean_square", 2, 2, 1e-2),
        ("x", "gamma", "beta"),
    ),
    "group_norm by norms": Case(
        "group_norm", group_norm_arrays(3, 4, 5, scaled=False), group_norm(1, "norm", 1, 1, 1e-12)
    ),
    "group_norm by norms of groups": Case(
        "group_norm", group_norm_arrays(3, 4, 6), group_norm(2, "norm", 1, 2, 1e-12),
        ("x", "gamma", "beta"),
    ),
    # All norms are below epsilon, which is then what everything is divided by.
    "group_norm by small norms": Case(
        "group_norm", group_norm_arrays(3, 4, scaled=False), group_norm(1, "norm", 1, 1, 128.0)
    ),
    "local_response_norm": Case("local_response_norm", arrays(x=(2, 3, 2, 7)), LRN),
    "local_response_norm, even size": Case(
        "local_response_norm", arrays(x=(2, 2, 3, 6)), LRN | {"size": 4}
    ),
    "local_response_norm, more neighbors than channels": Case(
        "local_response_norm", arrays(x=(2, 2, 3, 2)), LRN
    ),
    "multiply": Case("multiply", arrays(a=(2, 3, 4), b=(2, 3, 4)), by=("a", "b")),
    "categorical_crossentropy": Case(
        "categorical_crossentropy", truth("y_pred", probabilities, one_hot),
        {"label_smoothing": 0.0}, ("y_pred",),
    ),
    "categorical_crossentropy, smoothed": Case(
        "categorical_crossentropy", truth("y_pred", probabilities, one_hot),
        {"label_smoothing": 0.2}, ("y_pred",),
    ),
    "sparse_categorical_crossentropy": Case(
        "sparse_categorical_crossentropy", truth("y_pred", probabilities, labels),
        {"label_smoothing": 0.1}, ("y_pred",),
    ),
    "binary_crossentropy": Case(
        "binary_crossentropy", truth("y_pred", apart_from_1, zeros_and_ones),
        {"label_smoothing": 0.1}, ("y_pred",),
    ),
    "mean_squared_error": Case(
        "mean_squared_error", arrays(y_pred=(3, 4, 2), y_true=(3, 4, 2)), by=("y_pred",)
    ),
    "softmax_categorical_crossentropy": Case(
        "softmax_categorical_crossentropy", truth("logits", logits, one_hot),
        {"label_smoothing": 0.1}, ("logits",),
    ),
    "softmax_categorical_crossentropy, rows of truth not adding up to 1": Case(
        "softmax_categorical_crossentropy", truth("logits", logits, probabilities),
        {"label_smoothing": 0.0}, ("logits",),
    ),
    "softmax_sparse_categorical_crossentropy": Case(
        "softmax_sparse_categorical_crossentropy", truth("logits", logits, labels),
        {"label_smoothing": 0.1}, ("logits",),
    ),
    "sigmoid_binary_crossentropy": Case(
        "sigmoid_binary_crossentropy", truth("logits", logits, zeros_and_ones),
        {"label_smoothing": 0.1}, ("logits",),
    ),
    "absolute": Case("absolute", away_from(0)),
    "clip": Case("clip", away_from(-2, 3), {"minimum": -2.0, "maximum": 3.0}),
    "cos": Case("cos", away_from()),
    "divide": Case("divide", positive(a=(2, 3, 4), b=(2, 3, 4)), by=("a", "b")),
    "exp": Case("exp", arrays(x=(3, 4, 5))),
    "expm1": Case("expm1", arrays(x=(3, 4, 5))),
    "fixed_power": Case("fixed_power", positive(x=(3, 4)), {"exponent": 2.5}),
    "fixed_power, cubes": Case("fixed_power", arrays(x=(3, 4)), {"exponent": 3.0}),
    "log": Case("log", positive(x=(3, 4, 5))),
    "log1p": Case("log1p", positive(x=(3, 4, 5))),
    "matmul": Case("matmul", arrays(a=(3, 4), b=(4, 2)), by=("a", "b"), whole=True),
    "max": Case("max", no_ties(2, 3, 4, 5), along((1, 2), (2, 3, 4, 5)), whole=True),
    "max of rows": Case("max", no_ties(3, 7), along((1,), (3, 7), True), whole=True),
    "maximum": Case("maximum", apart, by=("a", "b"), h=1e-6),
    "min": Case("min", no_ties(2, 3, 4, 5), along((0, 3), (2, 3, 4, 5)), whole=True),
    "minimum": Case("minimum", apart, by=("a", "b"), h=1e-6),
    "power": Case("power", positive(a=(2, 3, 4), b=(2, 3, 4)), by=("a", "b")),
    "prod": Case("prod", positive(x=(2, 3, 4)), along((0, 2), (2, 3, 4)), whole=True),
    "reciprocal": Case("reciprocal", positive(x=(3, 4, 5))),
    "rsqrt": Case("rsqrt", positive(x=(3, 4, 5))),
    "sin": Case("sin", away_from()),
    "softplus": Case("softplus", away_from()),
    "sqrt": Case("sqrt", positive(x=(3, 4, 5))),
    "square": Case("square", arrays(x=(3, 4, 5))),
}  # fmt: skip

CASES = LINEAR | CURVED
# Those of kernels that are not left to the reference.
COMPILED = {
    name: case for name, case in CASES.items() if not CONTRACTS[f"{case.operation}_forward"].on_host
}


def of_any_batch(cases):
    """Those that may be cut to another number of samples."""
    return {name: case for name, case in cases.items() if not case.whole}
