"""A small call of every public operation. Sizes are uneven, so that swapped axes are noticed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from minicnn import operations

N = 3
RNG_KEY = np.array([777, 0, 5, 0], np.uint32)


class OpCase(NamedTuple):
    """`op(*draw(rng), **arguments)`; its backward gives the gradients of the first `gradients`
    arrays. `mixes_batch` says that a sample's result depends on the other samples."""

    name: str
    draw: Callable[[np.random.Generator], tuple[Any, ...]]
    arguments: dict[str, Any]
    gradients: int = 1
    mixes_batch: bool = False

    def op(self, *arrays):
        return getattr(operations, self.name)(*arrays, **self.arguments)

    def backward(self, dy, saved):
        """Gradients as a tuple, also where there is one only."""
        found = getattr(operations, f"{self.name}_backward")(dy, saved)
        return found if isinstance(found, tuple) else (found,)


def normal(*shapes):
    """Arrays away from 0 and from each other, where some operations have a kink."""

    def draw(rng):
        arrays = (rng.permutation(np.linspace(-3, 3, int(np.prod(s)))).reshape(s) for s in shapes)
        return tuple(a + np.where(a < 0, -0.01, 0.01) for a in arrays)

    return draw


def batch_norm_arrays(rng):
    (x,) = normal((N, 4, 3, 5))(rng)
    gamma, variance = rng.uniform(0.5, 2, (2, 5))
    return 3 + 2 * x, gamma, rng.standard_normal(5), rng.standard_normal(5), variance


def probabilities(rng):
    p = rng.uniform(0.1, 1, (N, 4))
    return p / p.sum(1, keepdims=True)


def one_hot(rng):
    return np.eye(4)[rng.integers(0, 4, N)]


def labels(rng):
    return rng.integers(0, 4, N).astype(np.int32)


def answers(rng):
    return rng.integers(0, 2, (N, 4)).astype(np.float64)


def scores(rng):
    return normal((N, 4))(rng)[0]


def pair(first, second):
    return lambda rng: (first(rng), second(rng))


IMAGES = (N, 6, 7, 4)
CONV = normal(IMAGES, (3, 2, 4, 5), (5,))

CASES = {
    "conv2d": OpCase("conv2d", CONV, {"strides": (1, 2), "padding": "same"}, 3),
    "conv2d, groups and dilation": OpCase(
        "conv2d", normal(IMAGES, (3, 2, 2, 6), (6,)), {"dilation": (2, 1), "groups": 2}, 3
    ),
    "conv2d_max_pool2d": OpCase("conv2d_max_pool2d", CONV, {"pool_size": (2, 3)}, 3),
    "conv2d_max_pool2d, linear": OpCase(
        "conv2d_max_pool2d", CONV, {"pool_size": 3, "pool_strides": 1, "activation": "linear"}, 3
    ),
    "conv2d_relu": OpCase("conv2d_relu", CONV, {"strides": (1, 2), "padding": "same"}, 3),
    "conv2d_transpose": OpCase(
        "conv2d_transpose", normal(IMAGES, (3, 2, 5, 4)), {"strides": (1, 2), "padding": "same"}, 2
    ),
    "dense of pixels": OpCase("dense", normal(IMAGES, (4, 5), (5,)), {}, 3),
    "dense": OpCase("dense", normal((N, 7), (7, 5), (5,)), {}, 3),
    "bias": OpCase("bias", normal(IMAGES, (4,)), {}, 2),
    "max_pool2d": OpCase("max_pool2d", normal(IMAGES), {"pool_size": (3, 2), "strides": 2}),
    "max_pool2d, ceil mode": OpCase("max_pool2d", normal(IMAGES), {"ceil_mode": True}),
    "average_pool2d": OpCase(
        "average_pool2d", normal(IMAGES), {"pool_size": 3, "strides": 2, "padding": "same"}
    ),
    "global_max_pool2d": OpCase("global_max_pool2d", normal(IMAGES), {}),
    "global_average_pool2d": OpCase("global_average_pool2d", normal(IMAGES), {}),
    "relu": OpCase("relu", normal(IMAGES), {}),
    "leaky_relu": OpCase("leaky_relu", normal(IMAGES), {"negative_slope": 0.3}),
    "relu6": OpCase("relu6", lambda rng: (4 * normal(IMAGES)(rng)[0],), {}),
    "elu": OpCase("elu", normal(IMAGES), {"alpha": 1.5}),
    "sigmoid": OpCase("sigmoid", normal(IMAGES), {}),
    "tanh": OpCase("tanh", normal(IMAGES), {}),
    "silu": OpCase("silu", normal(IMAGES), {}),
    "gelu": OpCase("gelu", normal(IMAGES), {}),
    "gelu by tanh": OpCase("gelu", normal(IMAGES), {"approximate": True}),
    "softmax": OpCase("softmax", normal((N, 6)), {}),
    "batch_norm_training": OpCase(
        "batch_norm_training", batch_norm_arrays, {"momentum": 0.9}, 3, mixes_batch=True
    ),
    "batch_norm_dropout": OpCase(
        "batch_norm_dropout",
        lambda rng: (*batch_norm_arrays(rng), RNG_KEY),
        {"rate": 0.4, "purpose": 9},
        3,
        mixes_batch=True,
    ),
    "batch_norm_inference": OpCase("batch_norm_inference", batch_norm_arrays, {}, 3),
    "group_norm": OpCase("group_norm", normal(IMAGES, (4,), (4,)), {"groups": 2}, 3),
    "group_norm of pixels": OpCase(
        "group_norm", normal(IMAGES, (4,), (4,)), {"sample_axis": 3, "statistic": "mean_square"}, 3
    ),
    "local_response_norm": OpCase(
        "local_response_norm", normal((N, 2, 3, 7)), {"alpha": 0.4, "k": 1.5}
    ),
    "dropout": OpCase(
        "dropout", lambda rng: (*normal(IMAGES)(rng), RNG_KEY), {"rate": 0.4, "purpose": 9}
    ),
    "zero_pad2d": OpCase("zero_pad2d", normal(IMAGES), {"padding": ((1, 0), (2, 3))}),
    "crop2d": OpCase("crop2d", normal(IMAGES), {"cropping": ((1, 0), (2, 3))}),
    "upsample2d": OpCase("upsample2d", normal(IMAGES), {"size": (2, 3)}),
    "upsample2d, bilinear": OpCase(
        "upsample2d", normal(IMAGES), {"size": (3, 2), "interpolation": "bilinear"}
    ),
    "reshape": OpCase("reshape", normal(IMAGES), {"shape": (4, -1)}),
    "add": OpCase("add", normal(IMAGES, IMAGES), {}, 2),
    "multiply": OpCase("multiply", normal(IMAGES, IMAGES), {}, 2),
    "scale_channels": OpCase("scale_channels", normal(IMAGES, (4,)), {}, 2),
    "scale_channels of each image": OpCase("scale_channels", normal(IMAGES, (N, 1, 1, 4)), {}, 2),
    "concatenate": OpCase("concatenate", normal(IMAGES, (N, 6, 7, 3)), {}, 2),
    "concatenate rows": OpCase("concatenate", normal(IMAGES, (N, 2, 7, 4)), {"axis": 1}, 2),
    "rescale": OpCase("rescale", normal(IMAGES), {"scale": 0.25, "offset": -3.0}),
    "categorical_crossentropy": OpCase(
        "categorical_crossentropy", pair(probabilities, one_hot), {"label_smoothing": 0.1}
    ),
    "sparse_categorical_crossentropy": OpCase(
        "sparse_categorical_crossentropy", pair(probabilities, labels), {}
    ),
    "binary_crossentropy": OpCase("binary_crossentropy", pair(probabilities, answers), {}),
    "mean_squared_error": OpCase("mean_squared_error", pair(scores, answers), {}),
    "softmax_categorical_crossentropy": OpCase(
        "softmax_categorical_crossentropy", pair(scores, one_hot), {"label_smoothing": 0.1}
    ),
    "softmax_sparse_categorical_crossentropy": OpCase(
        "softmax_sparse_categorical_crossentropy", pair(scores, labels), {}
    ),
    "sigmoid_binary_crossentropy": OpCase(
        "sigmoid_binary_crossentropy", pair(scores, answers), {"label_smoothing": 0.1}
    ),
}


def in_dtype(arrays, dtype):
    """Float arrays in that dtype; labels and the RNG key stay as they are."""
    return tuple(a.astype(dtype) if a.dtype.kind == "f" else a for a in arrays)
