"""Forty small trainings, described once for Keras and for minicnn.

tools/make_keras_training.py runs them with Keras and writes the weights from before and after;
test_keras_training.py repeats them from the same weights. Inputs and labels are sine waves. Layers
that draw random numbers in training (Dropout, RandomFlip) cannot be compared and are not here.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

STEPS = 20
BATCH = 8
IMAGE = (6, 5, 2)  # height, width, channels
FLAT = (6,)
SERIES = (9, 3)
MERGING = ("Add", "Average", "Concatenate", "Dot", "Maximum", "Minimum", "Multiply", "Subtract")


class Case(NamedTuple):
    """Layers, a loss and an optimizer, each as (name, its keyword arguments)."""

    layers: list[tuple[str, dict[str, Any]]]
    loss: tuple[str, dict[str, Any]]
    optimizer: tuple[str, dict[str, Any]]
    labels: str = "measured"
    last: str | None = None  # activation of the output
    shape: tuple[int, ...] = IMAGE


def conv(filters: int = 3, **options: Any) -> tuple[str, dict[str, Any]]:
    """Return a convolution, 3 x 3 unless the options say otherwise."""
    return "Conv2D", {"filters": filters, "kernel_size": 3, **options}


def schedule(name: str, **options: Any) -> dict[str, Any]:
    """Return the argument `learning_rate` of an optimizer, as a schedule."""
    return {"learning_rate": (name, options)}


SGD = ("SGD", {"learning_rate": 0.05})
MOMENTUM = ("SGD", {"learning_rate": 0.02, "momentum": 0.9})
ADAM = ("Adam", {"learning_rate": 0.01})
MSE = ("MeanSquaredError", {})
SPARSE = ("SparseCategoricalCrossentropy", {})
SPARSE_LOGITS = ("SparseCategoricalCrossentropy", {"from_logits": True})
ONE_HOT = ("CategoricalCrossentropy", {})

CASES = {
    # layers with weights
    "Conv2D": Case([conv(activation="relu")], SPARSE, ADAM, "classes", "softmax"),
    "Conv2D strides": Case(
        [conv(4, strides=2, padding="same", activation="tanh"), conv(3, dilation_rate=1, groups=1)],
        ("CategoricalCrossentropy", {"label_smoothing": 0.1}),
        ("SGD", {"learning_rate": 0.02, "momentum": 0.9, "nesterov": True}),
        "one-hot",
        "softmax",
        (8, 8, 2),
    ),
    "DepthwiseConv2D": Case(
        [("DepthwiseConv2D", {"kernel_size": 3, "depth_multiplier": 2, "activation": "elu"})],
        ("BinaryCrossentropy", {}),
        ("RMSprop", {"learning_rate": 0.003}),
        "yes or no",
        "sigmoid",
    ),
    "SeparableConv2D": Case(
        [("SeparableConv2D", {"filters": 4, "kernel_size": 3, "activation": "swish"})],
        ("CategoricalFocalCrossentropy", {}),
        ("Nadam", {"learning_rate": 0.01}),
        "one-hot",
        "softmax",
    ),
    "Conv2DTranspose": Case(
        [
            conv(2, strides=2, padding="same"),
            ("Conv2DTranspose", {"filters": 2, "kernel_size": 3, "strides": 2}),
        ],
        ("Huber", {"delta": 0.5}),
        ("Adamax", {"learning_rate": 0.01}),
    ),
    "Conv1D": Case(
        [("Conv1D", {"filters": 4, "kernel_size": 3, "padding": "same", "activation": "gelu"})],
        ("LogCosh", {}),
        ("Adagrad", {"learning_rate": 0.05}),
        shape=SERIES,
    ),
    "Dense on images": Case(
        [("Dense", {"units": 3, "activation": "mish"})],
        ("MeanAbsoluteError", {}),
        ("Adadelta", {"learning_rate": 1.0}),
    ),
    "Dense": Case(
        [("Dense", {"units": 8, "activation": "selu"})],
        SPARSE_LOGITS,
        ("AdamW", {"learning_rate": 0.01, "weight_decay": 0.0}),
        "classes",
        shape=FLAT,
    ),
    # normalizations
    "BatchNormalization": Case(
        [conv(3, use_bias=False), ("BatchNormalization", {"momentum": 0.9}), ("ReLU", {})],
        SPARSE_LOGITS,
        ("Adam", {"learning_rate": 0.01, "amsgrad": True}),
        "classes",
    ),
    "LayerNormalization": Case(
        [conv(3, activation="softplus"), ("LayerNormalization", {})],
        ("CosineSimilarity", {}),
        MOMENTUM,
    ),
    "GroupNormalization": Case(
        [conv(4), ("GroupNormalization", {"groups": 2}), ("Activation", {"activation": "silu"})],
        ("KLDivergence", {}),
        ADAM,
        "shares",
        "softmax",
    ),
    "UnitNormalization": Case(
        [conv(3), ("UnitNormalization", {})],
        ("SquaredHinge", {}),
        ("RMSprop", {"learning_rate": 0.005, "centered": True, "momentum": 0.5}),
        "signs",
    ),
    # activations with and without weights
    "PReLU": Case([conv(3), ("PReLU", {"shared_axes": [1, 2]})], ("Hinge", {}), SGD, "signs"),
    "LeakyReLU": Case(
        [conv(3), ("LeakyReLU", {"negative_slope": 0.2})],
        ("BinaryFocalCrossentropy", {"gamma": 2.0}),
        ("Adam", {"learning_rate": 0.01, "beta_1": 0.8, "epsilon": 1e-4}),
        "yes or no",
        "sigmoid",
    ),
    "ELU": Case([conv(3), ("ELU", {"alpha": 0.7})], ("Dice", {}), ADAM, "one-hot", "softmax"),
    "ReLU with a maximum": Case(
        [conv(3), ("ReLU", {"max_value": 1.0, "negative_slope": 0.1})],
        ("Poisson", {}),
        SGD,
        "positive",
        "exponential",
    ),
    "Softmax": Case([conv(3), ("Softmax", {"axis": -1})], MSE, ("Nadam", {"learning_rate": 0.02})),
    "hard activations": Case(
        [conv(3, activation="hard_sigmoid"), conv(3, kernel_size=1, activation="softsign")],
        ("CategoricalHinge", {}),
        MOMENTUM,
        "one-hot",
    ),
    "celu and hard_silu": Case(
        [conv(3, activation="celu"), conv(2, kernel_size=1, activation="hard_silu")],
        ("MeanSquaredLogarithmicError", {}),
        ADAM,
        "positive",
        "softplus",
    ),
    # pooling and shapes
    "MaxPooling2D": Case(
        [conv(3, padding="same"), ("MaxPooling2D", {"pool_size": 2, "padding": "same"})],
        ONE_HOT,
        ("Adamax", {"learning_rate": 0.02}),
        "one-hot",
        "softmax",
    ),
    "AveragePooling2D": Case(
        [conv(3, padding="same"), ("AveragePooling2D", {"pool_size": (2, 3), "strides": 1})],
        ("MeanAbsolutePercentageError", {}),
        ("Adam", {"learning_rate": 0.002}),
        "positive",
        "softplus",
    ),
    "global pools": Case(
        [conv(8, activation="relu"), ("GlobalMaxPooling2D", {"keepdims": True})],
        SPARSE_LOGITS,
        ADAM,
        "classes",
    ),
    "GlobalAveragePooling2D": Case(
        [conv(8, activation="sigmoid"), ("GlobalAveragePooling2D", {})],
        SPARSE_LOGITS,
        ("Adagrad", {"learning_rate": 0.1, "initial_accumulator_value": 0.01}),
        "classes",
    ),
    "1-D pools": Case(
        [
            ("Conv1D", {"filters": 4, "kernel_size": 2, "activation": "tanh"}),
            ("MaxPooling1D", {"pool_size": 2}),
            ("AveragePooling1D", {"pool_size": 2, "strides": 1}),
        ],
        MSE,
        ("Adadelta", {"learning_rate": 0.5}),
        shape=SERIES,
    ),
    "GlobalAveragePooling1D": Case(
        [
            ("Conv1D", {"filters": 6, "kernel_size": 3, "strides": 2, "activation": "relu"}),
            ("GlobalAveragePooling1D", {}),
        ],
        SPARSE_LOGITS,
        MOMENTUM,
        "classes",
        shape=SERIES,
    ),
    "padding and cropping": Case(
        [
            ("ZeroPadding2D", {"padding": ((1, 0), (2, 1))}),
            conv(3),
            ("Cropping2D", {"cropping": ((1, 0), (0, 1))}),
        ],
        MSE,
        ("SGD", schedule("InverseTimeDecay", initial_learning_rate=0.1, decay_steps=5,
                         decay_rate=0.5)),
    ),
    "UpSampling2D nearest": Case(
        [conv(2, strides=2), ("UpSampling2D", {"size": 2})],
        MSE,
        ("Adam", schedule("PolynomialDecay", initial_learning_rate=0.02, decay_steps=15)),
    ),
    "UpSampling2D bilinear": Case(
        [conv(2, strides=2), ("UpSampling2D", {"size": 2, "interpolation": "bilinear"})],
        ("Huber", {}),
        ("SGD", schedule("CosineDecayRestarts", initial_learning_rate=0.1, first_decay_steps=6)),
    ),
    "Permute and Reshape": Case(
        [conv(2), ("Permute", {"dims": (3, 1, 2)}), ("Reshape", {"target_shape": (4, 6)}),
         ("Dense", {"units": 3})],
        MSE,
        ("RMSprop", schedule("ExponentialDecay", initial_learning_rate=0.01, decay_steps=10,
                             decay_rate=0.5)),
    ),
    # two branches
    "Add": Case([conv(3), ("Add", {})], MSE, ("Adam", {"learning_rate": 0.01, "use_ema": True,
                                                      "ema_momentum": 0.9})),
    "Average and Concatenate": Case(
        [conv(3), ("Average", {}), ("Concatenate", {})],
        MSE,
        ("SGD", {"learning_rate": 0.05, "gradient_accumulation_steps": 4}),
    ),
    "Maximum and Minimum": Case([conv(3), ("Maximum", {}), ("Minimum", {})], MSE, ADAM),
    "Multiply and Subtract": Case([conv(3), ("Multiply", {}), ("Subtract", {})], MSE, SGD),
    "Dot": Case(
        [("Dense", {"units": 5, "activation": "tanh"}), ("Dot", {"axes": 1})],
        ("LogCosh", {}),
        ADAM,
        shape=FLAT,
    ),
    # regularizers, constraints, clipping
    "L2 and MaxNorm": Case(
        [conv(3, kernel_regularizer=("L2", {"l2": 0.02}),
              kernel_constraint=("MaxNorm", {"max_value": 0.8}))],
        MSE,
        SGD,
    ),
    "L1 and NonNeg": Case(
        [conv(3, kernel_regularizer=("L1", {"l1": 0.01}), kernel_constraint=("NonNeg", {}))],
        MSE,
        ADAM,
    ),
    "L1L2 and UnitNorm": Case(
        [("Dense", {"units": 6, "kernel_regularizer": ("L1L2", {"l1": 0.001, "l2": 0.01}),
                    "kernel_constraint": ("UnitNorm", {"axis": 0})})],
        MSE,
        ("SGD", {"learning_rate": 0.05, "clipnorm": 0.5}),
        shape=FLAT,
    ),
    "weight decay": Case(
        [("Dense", {"units": 8, "activation": "relu", "use_bias": False})],
        SPARSE_LOGITS,
        ("AdamW", {"learning_rate": 0.01, "weight_decay": 0.1}),
        "classes without bias",
        shape=FLAT,
    ),
    "clipvalue": Case(
        [conv(3, activation="log_softmax")],
        ("MeanSquaredError", {}),
        ("RMSprop", {"learning_rate": 0.005, "clipvalue": 0.05}),
    ),
    "global_clipnorm": Case(
        [conv(3, activation="relu6")],
        ("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.1}),
        ("SGD", {"learning_rate": 0.1, "momentum": 0.9, "global_clipnorm": 0.3}),
        "yes or no",
    ),
}  # fmt: skip


def wave(*shape: int, step: float = 0.7) -> np.ndarray:
    """Return a sine wave of this shape."""
    return np.sin(step * np.arange(np.prod(shape))).astype(np.float32).reshape(shape)


def labels(kind: str) -> np.ndarray:
    """Return labels for a batch."""
    classes = np.arange(BATCH) * 5 % 3
    measured = wave(BATCH, 3, step=1.1)
    return {
        "classes": classes,
        "classes without bias": classes,
        "one-hot": np.eye(3, dtype=np.float32)[classes],
        "yes or no": (np.arange(BATCH) % 2).astype(np.float32)[:, None],
        "measured": measured,
        "signs": np.where(measured > 0, np.float32(1), np.float32(-1)),
        "positive": 0.5 + np.abs(measured),
        "shares": np.abs(measured) / np.abs(measured).sum(-1, keepdims=True),
    }[kind]


def build(keras: Any, case: Case) -> Any:
    """Return the compiled network of a case, of Keras or of minicnn."""
    inputs = x = keras.Input(case.shape)
    for kind, options in case.layers:
        layer = getattr(keras.layers, kind)(**_objects(keras, options))
        x = layer([x, _branch(keras, x)]) if kind in MERGING else layer(x)
    if len(x.shape) > 2:
        x = keras.layers.Flatten()(x)
    units = 1 if case.labels == "yes or no" else 3
    use_bias = "without bias" not in case.labels
    outputs = keras.layers.Dense(units, activation=case.last, use_bias=use_bias)(x)
    model = keras.Model(inputs, outputs)
    (loss, loss_options), (optimizer, options) = case.loss, case.optimizer
    model.compile(
        optimizer=getattr(keras.optimizers, optimizer)(**_objects(keras, options)),
        loss=getattr(keras.losses, loss)(**loss_options),
    )
    return model


def _branch(keras: Any, x: Any) -> Any:
    """Return another tensor of the same shape, computed from `x` with weights."""
    return keras.layers.Dense(x.shape[-1], activation="tanh")(x)


PLACES = {"kernel_regularizer": "regularizers", "kernel_constraint": "constraints"}


def _objects(keras: Any, options: dict[str, Any]) -> dict[str, Any]:
    """Return the options with objects in place of (name, arguments)."""
    found = dict(options)
    for argument, module in PLACES.items():
        if argument in found:
            name, arguments = found[argument]
            found[argument] = getattr(getattr(keras, module), name)(**arguments)
    rate = found.get("learning_rate")
    if isinstance(rate, tuple):
        found["learning_rate"] = getattr(keras.optimizers.schedules, rate[0])(**rate[1])
    return found


def train(model: Any, case: Case) -> None:
    """Take the steps of a case's training."""
    x, y = wave(BATCH, *case.shape), labels(case.labels)
    for _ in range(STEPS):
        model.train_on_batch(x, y)
