"""Float32 inputs of every kernel for images of a given size, made by the reference's kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from gpu_parts import layer_cases
from gpu_parts.draws import Size, normal, positive
from minicnn.backends import numpy as reference
from minicnn.contracts import CONTRACTS
from minicnn.shapes import conv_window, pool_window

Arrays = dict[str, Any]
Draw = Callable[..., np.ndarray]


class Call(NamedTuple):
    """One kernel with its inputs."""

    kernel: str
    case: str
    arrays: Arrays
    attributes: dict[str, Any]

    @property
    def reads(self) -> list[np.ndarray | None]:
        """The inputs in the order of the contract."""
        return [self.arrays.get(name.rstrip("?")) for name in CONTRACTS[self.kernel].reads]


# Odd sizes that fill no tile; the size of a layer in the middle; thousands of blocks.
SIZES = (Size(3, 9, 7, 5, 6), Size(8, 30, 31, 32, 48), Size(16, 48, 46, 33, 64))
TINY = (Size(2, 6, 7, 3, 4),)

BATCH_NORM = {"momentum": 0.9, "epsilon": 1e-3}
DROPPED = {"rate": 0.3, "purpose": 2}
STEP = {"weight_decay": 0.1, "decoupled": False, "multiplier": 2.0}
SGD = {**STEP, "momentum": 0.9, "nesterov": True}
ADAM = {**STEP, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}
RMSPROP = {**STEP, "rho": 0.9, "momentum": 0.5, "epsilon": 1e-2, "centered": True}
ADAGRAD = {**STEP, "epsilon": 1e-7}
LION = {**STEP, "beta_1": 0.9, "beta_2": 0.99}
FTRL = {**STEP, "l1": 0.1, "l2": 0.2, "shrinkage": 0.3, "beta": 0.4}
UPDATES = {
    "sgd": SGD, "rmsprop": RMSPROP, "adagrad": ADAGRAD, "lion": LION, "ftrl": FTRL,
    "adadelta": {**ADAGRAD, "rho": 0.95},
    **dict.fromkeys(("adam", "adamax", "amsgrad", "nadam"), ADAM),
}  # fmt: skip
AUGMENT = {"fill_mode": "reflect", "interpolation": "bilinear", "cval": 0.0, "scale": 0.5}


def calls(size: Size) -> list[Call]:
    """Return calls of every kernel of the contracts; convolutions have several."""
    rng = np.random.default_rng(size)
    found: list[Call] = []
    for case, (operation, arrays, attributes) in {
        **_convolutions(size, rng), **_of_images(size, rng), **_of_rows(size, rng),
        **layer_cases.differentiable(size, rng),
    }.items():  # fmt: skip
        found += _forward_and_backward(case, operation, arrays, attributes, rng)
    return found + _others(size, rng)


def _conv(
    size: Size, rng: np.random.Generator, kernel: int, strides: int = 1, padding: Any = "valid",
    groups: int = 1,
) -> tuple[Arrays, dict[str, Any]]:  # fmt: skip
    image = (size.h, size.w)
    filters = size.filters if groups == 1 else 2 * groups
    inputs = size.channels // groups
    arrays = {
        "x": normal(rng, size.n, *image, size.channels),
        "w": normal(rng, kernel, kernel, inputs, filters) / np.float32(kernel * inputs**0.5),
        "b": normal(rng, filters),
    }
    window = conv_window(kernel, strides, padding, 1, image)
    return arrays, {"window": window, "groups": groups, "image": image}


def _pooled(attributes: dict[str, Any], activation: str) -> dict[str, Any]:
    window = attributes["window"].out_hw(attributes["image"])
    return {**attributes, "pool": pool_window(2, None, "valid", window), "activation": activation}


def _convolutions(size: Size, rng: np.random.Generator) -> dict[str, Any]:
    arrays, attributes = _conv(size, rng, 3)
    wide = _conv(size, rng, 5, 1, "same")
    image = (2 * size.h, 2 * size.w)
    doubled = {**attributes, "window": conv_window(3, 2, "same", 1, image), "image": image}
    w = normal(rng, 3, 3, size.filters, size.channels) / np.float32(3 * size.channels**0.5)
    return {
        "3x3": ("conv2d", arrays, attributes),
        "1x1": ("conv2d", *_conv(size, rng, 1)),
        "5x5 same": ("conv2d", *wide),
        "3x3 stride 2": ("conv2d", *_conv(size, rng, 3, 2, "same")),
        "depthwise": ("conv2d", *_conv(size, rng, 3, 1, "same", size.channels)),
        "3x3 transposed": ("conv2d_transpose", {"x": arrays["x"], "w": w}, doubled),
        "3x3, relu": ("conv2d_relu", arrays, attributes),
        "3x3, relu, pool": ("conv2d_max_pool2d", arrays, _pooled(attributes, "relu")),
        "5x5, pool": ("conv2d_max_pool2d", wide[0], _pooled(wide[1], "linear")),
    }


def _of_images(size: Size, rng: np.random.Generator) -> dict[str, Any]:
    image = (size.h, size.w)
    x = {"x": normal(rng, size.n, *image, size.channels)}
    pairs = {"a": x["x"], "b": normal(rng, *x["x"].shape)}
    per_channel = {
        name: positive(rng, size.channels)
        for name in ("gamma", "beta", "moving_mean", "moving_variance")
    }
    rng_key = {"rng_key": np.array([1, 2, 3, 4], np.uint32)}
    overlap = {"window": pool_window(3, 2, "same", image), "image": image}
    lrn = {"size": 5, "alpha": 0.3, "beta": 0.75, "k": 1.5}
    count = size.h * size.w * size.channels
    plain = {"relu": {}, "relu6": {}, "sigmoid": {}, "tanh": {}, "silu": {}}
    activations = {**plain, "leaky_relu": {"negative_slope": 0.2}, "elu": {"alpha": 0.7}}
    activations["gelu"] = {"approximate": False}
    joined = {"axis": 3, "sizes": (size.channels, size.channels)}
    return {
        **{name: (name, x, attributes) for name, attributes in activations.items()},
        "max_pool2d": ("max_pool2d", x, overlap),
        "average_pool2d": ("average_pool2d", x, overlap),
        "global_max_pool2d": ("global_max_pool2d", x, {"image": image}),
        "global_average_pool2d": ("global_average_pool2d", x, {"image": image}),
        "bias": ("bias", {**x, "b": normal(rng, size.channels)}, {}),
        "batch_norm_training": ("batch_norm_training", {**x, **per_channel}, BATCH_NORM),
        "batch_norm_inference": ("batch_norm_inference", {**x, **per_channel}, BATCH_NORM),
        "batch_norm_dropout": (
            "batch_norm_dropout", {**x, **per_channel, **rng_key}, {**BATCH_NORM, **DROPPED},
        ),
        "local_response_norm": ("local_response_norm", x, lrn),
        "dropout": ("dropout", {**x, **rng_key}, DROPPED),
        "zero_pad2d": ("zero_pad2d", x, {"pad_h": (1, 2), "pad_w": (0, 3)}),
        "crop2d": ("crop2d", x, {"pad_h": (1, 2), "pad_w": (0, 3)}),
        "upsample2d": ("upsample2d", x, {"size": (2, 3), "interpolation": "nearest"}),
        "upsample2d, bilinear": ("upsample2d", x, {"size": (3, 2), "interpolation": "bilinear"}),
        "reshape": ("reshape", x, {"shape": (count,), "image": (*image, size.channels)}),
        "rescale": ("rescale", x, {"scale": 0.25, "offset": -3.0}),
        "add": ("add", pairs, {}),
        "multiply": ("multiply", pairs, {}),
        "concatenate": ("concatenate", pairs, joined),
    }  # fmt: skip


def _of_rows(size: Size, rng: np.random.Generator) -> dict[str, Any]:
    """Return calls for dense layers and losses, from logits, probabilities and targets."""
    rows, features, classes = 4 * size.n + 1, size.h * size.channels, size.filters
    scores = normal(rng, rows, classes)
    shares = rng.uniform(0.1, 0.9, (rows, classes)).astype(np.float32)
    labels = rng.integers(0, classes, rows).astype(np.int32)
    hot = np.eye(classes, dtype=np.float32)[labels]
    smooth = {"label_smoothing": 0.1}
    dense = {
        "x": normal(rng, rows, features),
        "w": normal(rng, features, classes) / np.float32(features**0.5),
        "b": normal(rng, classes),
    }
    logits, shown = {"logits": scores}, {"y_pred": shares}
    return {
        "dense": ("dense", dense, {}),
        "softmax": ("softmax", {"x": scores}, {}),
        **{
            name: (name, {**shown, "y_true": targets}, attributes)
            for name, targets, attributes in (
                ("categorical_crossentropy", hot, smooth),
                ("sparse_categorical_crossentropy", labels, smooth),
                ("binary_crossentropy", hot, smooth),
                ("mean_squared_error", hot, {}),
            )
        },
        **{
            name: (name, {**logits, "y_true": targets}, smooth)
            for name, targets in (
                ("softmax_categorical_crossentropy", hot),
                ("softmax_sparse_categorical_crossentropy", labels),
                ("sigmoid_binary_crossentropy", hot),
            )
        },
    }


def _forward_and_backward(
    case: str, operation: str, arrays: Arrays, attributes: Any, rng: np.random.Generator
) -> list[Call]:
    """Return calls of a forward kernel, and of its backward kernels with a random gradient."""
    forward = Call(f"{operation}_forward", case, arrays, attributes)
    writes = CONTRACTS[forward.kernel].writes
    outs = reference.KERNELS[forward.kernel](*forward.reads, **attributes)
    known = {**dict(zip(writes, outs, strict=True)), **arrays}
    known[f"d{writes[0]}"] = normal(rng, *outs[0].shape)
    backward = [name for name in CONTRACTS if name.startswith(f"{operation}_backward")]
    return [forward, *(Call(name, case, known, attributes) for name in backward)]


def _others(size: Size, rng: np.random.Generator) -> list[Call]:
    """Return calls of the kernels that belong to no differentiable operation."""
    rows, features, units = 4 * size.n + 1, size.h * size.channels, size.filters
    names = ("w", "dw", "velocity", "first", "second", "square", "value", "accumulator", "norm")
    names += ("delta_square", "largest", "linear", "momentum", "gradient_sum", "average")
    state = {name: positive(rng, features, units) for name in names}
    state["mean"] = state["square"] / 4  # its square is below the mean of squares
    state["momentum"] *= 40  # so that rounding decides no sign
    state |= {"dy": normal(rng, rows, units), "x": normal(rng, rows, features)}
    state |= {"rates": np.array([0.1, 0.2], np.float32), "total": np.array([2.0])}
    four = {"rates": np.array([0.1, 0.2, 0.3, 0.4], np.float32)}
    arrays, attributes = _conv(size, rng, 3)
    norm = ("gamma", "beta", "moving_mean", "moving_variance")
    folded = {
        side: {**arrays, **{n: positive(rng, length) for n in norm}}
        for side, length in (("after", size.filters), ("before", size.channels))
    }
    matrix = np.tile(np.array([0.9, 0.2, 0.5, -0.1, 1.1, 0.3]), (size.n, 1))
    pixels = rng.integers(0, 256, arrays["x"].shape).astype(np.uint8)
    listed: list[tuple[str, Arrays, dict[str, Any]]] = [
        ("assign", state, {}),
        *((f"{place}{name}_update", {**state, **four} if name == "nadam" else state, options)
          for place in ("", "dense_")
          for name, options in UPDATES.items()),
        *((f"fold_batch_norm_{side}_conv2d", known, {"epsilon": 1e-3})
          for side, known in folded.items()),
        ("conv2d_max_pool2d_moments_forward", arrays, _pooled(attributes, "relu")),
        ("clip_by_value", state, {"limit": 0.7}),
        ("clip_by_norm", state, {"limit": 0.5}),
        ("squared_norm_start", state, {}),
        ("squared_norm_add", state, {}),
        ("clip_by_global_norm", state, {"limit": 0.5}),
        ("add_gradient", state, {}),
        ("mean_gradient", state, {"batches": 3}),
        ("moving_average", state, {"momentum": 0.9}),
        ("augment_forward", {"x": pixels, "matrix": matrix.astype(np.float32)}, AUGMENT),
        *layer_cases.without_gradient(size, rng).values(),
    ]  # fmt: skip
    return [Call(name, name, known, attributes) for name, known, attributes in listed]
