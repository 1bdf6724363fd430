"""What every kernel reads and writes: the table that all engines, operations and the planner share.

A kernel is a function from arrays and attributes to arrays. Its contract names the arrays and gives
the shape and dtype of each array that it writes. What it computes is defined by the reference's
function of the same name in `backends/numpy`.

Names connect a forward kernel with its backward kernels: a backward kernel reads arrays that the
forward kernel read or wrote, by the same names, and `d` + name is the gradient of the loss with
respect to the array of that name.
"""

from __future__ import annotations

from typing import Any, Literal

from minicnn.shapes import Pair, Window2D
from minicnn.specs import Contract, Shape, Spec, same
from minicnn.tensor_contracts import TENSOR_CONTRACTS

# --- convolution, (N, H, W, CI) with w (KH, KW, CI / groups, CO) ------------------------------


def _conv2d(
    x: Spec, w: Spec, b: Spec | None, *, window: Window2D, image: Pair, **_: Any
) -> tuple[Spec]:
    return (Spec((x.shape[0], *window.out_hw(image), w.shape[3])),)


def _conv2d_dx(dy: Spec, w: Spec, *, image: Pair, groups: int, **_: Any) -> tuple[Spec]:
    return (Spec((dy.shape[0], *image, w.shape[2] * groups)),)


def _conv2d_dw(dy: Spec, x: Spec, *, window: Window2D, groups: int, **_: Any) -> tuple[Spec, Spec]:
    channels, filters = x.shape[3], dy.shape[3]
    return Spec((*window.size, channels // groups, filters)), Spec((filters,))


def _conv2d_transpose(x: Spec, w: Spec, *, image: Pair, **_: Any) -> tuple[Spec]:
    return (Spec((x.shape[0], *image, w.shape[2])),)


def _conv2d_transpose_dx(dy: Spec, w: Spec, *, window: Window2D, image: Pair, **_: Any) -> Any:
    return (Spec((dy.shape[0], *window.out_hw(image), w.shape[3])),)


def _conv2d_transpose_dw(x: Spec, dy: Spec, *, window: Window2D, **_: Any) -> tuple[Spec]:
    return (Spec((*window.size, dy.shape[3], x.shape[3])),)


def _conv2d_pool(
    x: Spec, w: Spec, b: Spec | None, *, window: Window2D, image: Pair, pool: Window2D, **_: Any
) -> tuple[Spec, Spec]:
    shape = (x.shape[0], *pool.out_hw(window.out_hw(image)), w.shape[3])
    return Spec(shape), Spec(shape, "uint8")


def _conv2d_pool_moments(
    x: Spec, w: Spec, b: Spec | None, **attributes: Any
) -> tuple[Spec, Spec, Spec]:
    return *_conv2d_pool(x, w, b, **attributes), Spec((2, w.shape[3]), "float64")


# --- pooling ----------------------------------------------------------------------------------


def _pool(x: Spec, *, window: Window2D, image: Pair) -> tuple[Spec]:
    return (Spec((x.shape[0], *window.out_hw(image), x.shape[3])),)


def _max_pool(x: Spec, *, window: Window2D, image: Pair) -> tuple[Spec, Spec]:
    (y,) = _pool(x, window=window, image=image)
    return y, Spec(y.shape, "int32")


def _unpool(dy: Spec, *_reads: Spec, image: Pair, **_: Any) -> tuple[Spec]:
    return (Spec((dy.shape[0], *image, dy.shape[-1])),)


def _global_pool(x: Spec, **_: Any) -> tuple[Spec]:
    return (Spec((x.shape[0], x.shape[3])),)


def _global_max_pool(x: Spec, **_: Any) -> tuple[Spec, Spec]:
    return Spec((x.shape[0], x.shape[3])), Spec((x.shape[0], x.shape[3]), "int32")


# --- the rest ---------------------------------------------------------------------------------


def _dense(x: Spec, w: Spec, b: Spec | None) -> tuple[Spec]:
    return (Spec((*x.shape[:-1], w.shape[1])),)


def _dense_dx(dy: Spec, w: Spec) -> tuple[Spec]:
    return (Spec((*dy.shape[:-1], w.shape[0])),)


def _dense_dw(dy: Spec, x: Spec) -> tuple[Spec, Spec]:
    return Spec((x.shape[-1], dy.shape[-1])), Spec(dy.shape[-1:])


def _channels(dy: Spec, **_: Any) -> tuple[Spec]:
    return (Spec(dy.shape[-1:]),)


def _batch_norm(x: Spec, gamma: Spec, *_: Spec, **__: Any) -> tuple[Spec, ...]:
    return x, gamma, gamma, gamma, gamma


def _folded(w: Spec, *_: Spec | None, **__: Any) -> tuple[Spec, Spec]:
    return w, Spec(w.shape[-1:])


def _zero_pad(x: Spec, *, pad_h: Pair, pad_w: Pair) -> tuple[Spec]:
    n, h, w, c = x.shape
    return (Spec((n, h + sum(pad_h), w + sum(pad_w), c)),)


def _zero_unpad(dy: Spec, *, pad_h: Pair, pad_w: Pair) -> tuple[Spec]:
    n, h, w, c = dy.shape
    return (Spec((n, h - sum(pad_h), w - sum(pad_w), c)),)


def _upsample(x: Spec, *, size: Pair, **_: Any) -> tuple[Spec]:
    n, h, w, c = x.shape
    return (Spec((n, h * size[0], w * size[1], c)),)


def _downsample(dy: Spec, *, size: Pair, **_: Any) -> tuple[Spec]:
    n, h, w, c = dy.shape
    return (Spec((n, h // size[0], w // size[1], c)),)


def _reshape(x: Spec, *, shape: Shape, **_: Any) -> tuple[Spec]:
    return (Spec((x.shape[0], *shape), x.dtype),)


def _reshape_back(dy: Spec, *, image: Shape, **_: Any) -> tuple[Spec]:
    return (Spec((dy.shape[0], *image), dy.dtype),)


def _concatenate(a: Spec, b: Spec, *, axis: int, sizes: Pair) -> tuple[Spec]:
    return (Spec((*a.shape[:axis], sum(sizes), *a.shape[axis + 1 :])),)


def _split(dy: Spec, *, axis: int, sizes: Pair) -> tuple[Spec, ...]:
    return tuple(Spec((*dy.shape[:axis], size, *dy.shape[axis + 1 :])) for size in sizes)


def _float(x: Spec, **_: Any) -> tuple[Spec]:
    return (Spec(x.shape),)


def _per_sample(prediction: Spec, *_: Spec, **__: Any) -> tuple[Spec]:
    return (Spec(prediction.shape[:1]),)


def _loss_and_probabilities(logits: Spec, *_: Spec, **__: Any) -> tuple[Spec, Spec]:
    return Spec(logits.shape[:1]), logits


def _second(*reads: Spec, **_: Any) -> tuple[Spec]:
    return (reads[1],)


def _group_norm(
    x: Spec, *_: Spec | None, groups: int, sample_axis: int, **__: Any
) -> tuple[Spec, ...]:
    statistics = Spec((*x.shape[:sample_axis], groups))
    return x, statistics, statistics


def _group_norm_gradients(
    dy: Spec, x: Spec, *_: Spec | None, channel_axis: int, **__: Any
) -> tuple[Spec, ...]:
    channels = Spec(x.shape[channel_axis:])
    return x, channels, channels


def _resample(x: Spec, rows: Spec, _: Spec, columns: Spec, *__: Spec, **___: Any) -> tuple[Spec]:
    return (Spec((x.shape[0], rows.shape[0], columns.shape[0], x.shape[3])),)


def _given_shape(rng_key: Spec, *, shape: Shape, **_: Any) -> tuple[Spec]:
    return (Spec(tuple(shape)),)


# --- optimizers -------------------------------------------------------------------------------


def _update(*slots: str) -> Contract:
    """An optimizer's kernel, which moves w along its gradient dw and updates `slots`, in place.

    Slots are arrays of w's shape that the optimizer keeps for each weight. `rates` is (2,): the
    learning rate, and the length of this step, which is another one for Adam's bias correction. For
    nadam_update it is (4,): the learning rate, and factors of the mean, the gradient and the mean
    square.
    """
    writes = ("w", *(name.rstrip("?") for name in slots))
    specs = same(0, *range(2, 2 + len(slots)))
    return Contract(("w", "dw", *slots, "rates"), writes, specs, updates=writes)


def _dense_update(update: Contract) -> Contract:
    """The same for a dense layer's w, whose gradient the kernel computes itself, from dy and x."""
    w, _, *others = update.reads
    specs = same(0, *range(3, 2 + len(others)))
    return Contract((w, "dy", "x", *others), update.writes, specs, updates=update.updates)


OPTIMIZER_UPDATES = {
    "sgd_update": _update("velocity?"),
    "adam_update": _update("first", "second"),
    "rmsprop_update": _update("square", "velocity?", "mean?"),
    "adagrad_update": _update("accumulator"),
    "adadelta_update": _update("square", "delta_square"),
    "adamax_update": _update("first", "norm"),
    "amsgrad_update": _update("first", "second", "largest"),
    "ftrl_update": _update("accumulator", "linear"),
    "lion_update": _update("momentum"),
    "nadam_update": _update("first", "second"),
}
# The kernel that is dense_backward_weights and an optimizer's update in one. Each is made of the
# two, so every optimizer has one; the planner uses it where the gradient is needed nowhere else.
DENSE_UPDATES = {name: f"dense_{name}" for name in OPTIMIZER_UPDATES}


# Functions that are applied to each value. The derivative is computed from the output y, which
# spares the memory of the input x, or from x where y does not tell it.
ACTIVATIONS: dict[str, Literal["x", "y"]] = {
    "relu": "y",
    "leaky_relu": "x",
    "relu6": "y",
    "elu": "y",
    "sigmoid": "y",
    "tanh": "y",
    "silu": "x",
    "gelu": "x",
}

CONTRACTS: dict[str, Contract] = {
    "conv2d_forward": Contract(("x", "w", "b?"), ("y",), _conv2d),
    "conv2d_backward_input": Contract(("dy", "w"), ("dx",), _conv2d_dx),
    "conv2d_backward_weights": Contract(("dy", "x"), ("dw", "db"), _conv2d_dw),
    "conv2d_max_pool2d_forward": Contract(("x", "w", "b?"), ("y", "argmax"), _conv2d_pool),
    "conv2d_max_pool2d_moments_forward": Contract(
        ("x", "w", "b?"), ("y", "argmax", "moments"), _conv2d_pool_moments
    ),
    "conv2d_max_pool2d_backward_input": Contract(
        ("dy", "argmax", "w"), ("dx",), lambda dy, argmax, w, **a: _conv2d_dx(dy, w, **a)
    ),
    "conv2d_max_pool2d_backward_weights": Contract(
        ("dy", "argmax", "x"), ("dw", "db"), lambda dy, argmax, x, **a: _conv2d_dw(dy, x, **a)
    ),
    "conv2d_relu_forward": Contract(("x", "w", "b?"), ("y",), _conv2d),
    "conv2d_relu_backward_input": Contract(
        ("dy", "y", "w"), ("dx",), lambda dy, y, w, **a: _conv2d_dx(dy, w, **a)
    ),
    "conv2d_relu_backward_weights": Contract(
        ("dy", "y", "x"), ("dw", "db"), lambda dy, y, x, **a: _conv2d_dw(dy, x, **a)
    ),
    # If x = relu(z), the ReLU's gradient is computed in the same pass, in the memory of x.
    "conv2d_backward_input_relu": Contract(
        ("dy", "w", "x"), ("dz",), lambda dy, w, x, **a: (x,), in_place="x"
    ),
    "conv2d_max_pool2d_backward_input_relu": Contract(
        ("dy", "argmax", "w", "x"), ("dz",), lambda dy, argmax, w, x, **a: (x,), in_place="x"
    ),
    "conv2d_relu_backward_input_relu": Contract(
        ("dy", "y", "w", "x"), ("dz",), lambda dy, y, w, x, **a: (x,), in_place="x"
    ),
    "conv2d_transpose_forward": Contract(("x", "w"), ("y",), _conv2d_transpose),
    "conv2d_transpose_backward_input": Contract(("dy", "w"), ("dx",), _conv2d_transpose_dx),
    "conv2d_transpose_backward_weights": Contract(("x", "dy"), ("dw",), _conv2d_transpose_dw),
    "dense_forward": Contract(("x", "w", "b?"), ("y",), _dense),
    "dense_backward_input": Contract(("dy", "w"), ("dx",), _dense_dx),
    "dense_backward_weights": Contract(("dy", "x"), ("dw", "db"), _dense_dw),
    "bias_forward": Contract(("x", "b"), ("y",), same(0)),
    "bias_backward_input": Contract(("dy",), ("dx",), same(0)),
    "bias_backward_bias": Contract(("dy",), ("db",), _channels),
    "max_pool2d_forward": Contract(("x",), ("y", "argmax"), _max_pool),
    "max_pool2d_backward": Contract(("dy", "argmax"), ("dx",), _unpool),
    "average_pool2d_forward": Contract(("x",), ("y",), _pool),
    "average_pool2d_backward": Contract(("dy",), ("dx",), _unpool),
    "global_max_pool2d_forward": Contract(("x",), ("y", "argmax"), _global_max_pool),
    "global_max_pool2d_backward": Contract(("dy", "argmax"), ("dx",), _unpool),
    "global_average_pool2d_forward": Contract(("x",), ("y",), _global_pool),
    "global_average_pool2d_backward": Contract(("dy",), ("dx",), _unpool),
    **{f"{name}_forward": Contract(("x",), ("y",), same(0), in_place="x") for name in ACTIVATIONS},
    **{
        f"{name}_backward": Contract(("dy", saved), ("dx",), same(0), in_place="dy")
        for name, saved in ACTIVATIONS.items()
    },
    "softmax_forward": Contract(("x",), ("y",), same(0)),
    "softmax_backward": Contract(("dy", "y"), ("dx",), same(0)),
    "batch_norm_training_forward": Contract(
        ("x", "gamma", "beta", "moving_mean", "moving_variance", "moments?"),
        ("y", "mean", "inverse_std", "moving_mean", "moving_variance"),
        _batch_norm,
        updates=("moving_mean", "moving_variance"),
    ),
    "batch_norm_training_backward": Contract(
        ("dy", "x", "gamma", "mean", "inverse_std"),
        ("dx", "dgamma", "dbeta"),
        same(0, 2, 2),
        in_place="dy",
    ),
    "batch_norm_dropout_forward": Contract(
        ("x", "gamma", "beta", "moving_mean", "moving_variance", "moments?", "rng_key"),
        ("y", "mean", "inverse_std", "moving_mean", "moving_variance"),
        _batch_norm,
        updates=("moving_mean", "moving_variance"),
    ),
    "batch_norm_dropout_backward": Contract(
        ("dy", "x", "gamma", "mean", "inverse_std", "rng_key"),
        ("dx", "dgamma", "dbeta"),
        same(0, 2, 2),
        in_place="dy",
    ),
    "batch_norm_inference_forward": Contract(
        ("x", "gamma", "beta", "moving_mean", "moving_variance"), ("y",), same(0)
    ),
    "batch_norm_inference_backward": Contract(
        ("dy", "x", "gamma", "moving_mean", "moving_variance"),
        ("dx", "dgamma", "dbeta"),
        same(0, 2, 2),
    ),
    # At inference, a batch norm and the convolution beside it are one convolution.
    **{
        f"fold_batch_norm_{place}_conv2d": Contract(
            ("w", "b?", "gamma", "beta", "moving_mean", "moving_variance"),
            ("folded_w", "folded_b"),
            _folded,
        )
        for place in ("after", "before")
    },
    "local_response_norm_forward": Contract(("x",), ("y", "scale"), same(0, 0)),
    "local_response_norm_backward": Contract(("dy", "x", "y", "scale"), ("dx",), same(0)),
    "group_norm_forward": Contract(
        ("x", "gamma?", "beta?"), ("y", "mean", "inverse_std"), _group_norm
    ),
    "group_norm_backward": Contract(
        ("dy", "x", "gamma", "mean", "inverse_std"),  # gamma may be None
        ("dx", "dgamma", "dbeta"),
        _group_norm_gradients,
    ),
    "dropout_forward": Contract(("x", "rng_key"), ("y",), same(0), in_place="x"),
    "dropout_backward": Contract(("dy", "rng_key"), ("dx",), same(0), in_place="dy"),
    "zero_pad2d_forward": Contract(("x",), ("y",), _zero_pad),
    "zero_pad2d_backward": Contract(("dy",), ("dx",), _zero_unpad),
    "crop2d_forward": Contract(("x",), ("y",), _zero_unpad),
    "crop2d_backward": Contract(("dy",), ("dx",), _zero_pad),
    "upsample2d_forward": Contract(("x",), ("y",), _upsample),
    "upsample2d_backward": Contract(("dy",), ("dx",), _downsample),
    "reshape_forward": Contract(("x",), ("y",), _reshape),
    "reshape_backward": Contract(("dy",), ("dx",), _reshape_back),
    "add_forward": Contract(("a", "b"), ("y",), same(0), in_place="a"),
    "add_backward": Contract(("dy",), ("da", "db"), same(0, 0)),
    "multiply_forward": Contract(("a", "b"), ("y",), same(0), in_place="a"),
    "multiply_backward": Contract(("dy", "a", "b"), ("da", "db"), same(0, 0)),
    "concatenate_forward": Contract(("a", "b"), ("y",), _concatenate),
    "concatenate_backward": Contract(("dy",), ("da", "db"), _split),
    "rescale_forward": Contract(("x",), ("y",), _float),
    "rescale_backward": Contract(("dy",), ("dx",), same(0)),
    **{
        f"{name}_forward": Contract(("y_pred", "y_true"), ("loss",), _per_sample)
        for name in (
            "categorical_crossentropy",
            "sparse_categorical_crossentropy",
            "binary_crossentropy",
            "mean_squared_error",
        )
    },
    **{
        f"{name}_backward": Contract(("dloss", "y_pred", "y_true"), ("dy_pred",), _second)
        for name in (
            "categorical_crossentropy",
            "sparse_categorical_crossentropy",
            "binary_crossentropy",
            "mean_squared_error",
        )
    },
    **{
        f"{name}_forward": Contract(
            ("logits", "y_true"), ("loss", "probabilities"), _loss_and_probabilities
        )
        for name in (
            "softmax_categorical_crossentropy",
            "softmax_sparse_categorical_crossentropy",
            "sigmoid_binary_crossentropy",
        )
    },
    **{
        f"{name}_backward": Contract(("dloss", "probabilities", "y_true"), ("dlogits",), _second)
        for name in (
            "softmax_categorical_crossentropy",
            "softmax_sparse_categorical_crossentropy",
            "sigmoid_binary_crossentropy",
        )
    },
    "assign": Contract(("value",), ("target",), same(0)),
    **OPTIMIZER_UPDATES,
    **{DENSE_UPDATES[name]: _dense_update(one) for name, one in OPTIMIZER_UPDATES.items()},
    # Gradients of several batches are added up, and the last batch takes their mean.
    "add_gradient": Contract(
        ("gradient_sum", "dw"), ("gradient_sum",), same(0), updates=("gradient_sum",)
    ),
    "mean_gradient": Contract(("dw", "gradient_sum"), ("dw",), same(0), updates=("dw",)),
    "moving_average": Contract(("average", "w"), ("average",), same(0), updates=("average",)),
    # Clipping works in place.
    "clip_by_value": Contract(("dw",), ("dw",), same(0), updates=("dw",)),
    "clip_by_norm": Contract(("dw",), ("dw",), same(0), updates=("dw",)),
    # `total` is (1,) float64: squares of all gradients so far. The first adder starts it at 0.
    "squared_norm_start": Contract(("dw",), ("total",), lambda dw: (Spec((1,), "float64"),)),
    "squared_norm_add": Contract(("dw", "total"), ("total",), same(1), updates=("total",)),
    "clip_by_global_norm": Contract(("dw", "total"), ("dw",), same(0), updates=("dw",)),
    # Images before they are learned from: x uint8 or float32, a row of `matrix` each: (N, 6)
    # affine, (N, 9) homographies.
    "augment_forward": Contract(("x", "matrix"), ("y",), lambda x, matrix, **_: _float(x)),
    **TENSOR_CONTRACTS,
    # The same with (gain, shift, gray) of each image, (N, 3).
    "adjust_colors_forward": Contract(("x", "levels"), ("y",), lambda x, levels, **_: _float(x)),
    # An index and a weight for each of the rows and columns that one of the result is made of.
    "resample_forward": Contract(
        ("x", "row_index", "row_weight", "column_index", "column_weight"), ("y",), _resample
    ),
    "resample_backward": Contract(
        ("dy", "row_index", "row_weight", "column_index", "column_weight"), ("dx",), _unpool
    ),
    # Random arrays of a shape that is an attribute.
    "dropout_mask_forward": Contract(("rng_key",), ("y",), _given_shape),
    "random_normal_forward": Contract(("rng_key",), ("y",), _given_shape),
}
