"""Random networks, built alike with minicnn and with Keras, which have equal names.

`network(api, seed, functions)` returns the network of that seed, made of `api.layers`, where `api`
is the package `minicnn` or `keras`. Weights are filled by `fill`, so that no statistic is 0 or 1.
"""

from __future__ import annotations

import random
from typing import Any

import numpy as np

ACTIVATIONS = (
    "linear", "relu", "sigmoid", "tanh", "elu", "selu", "gelu", "silu", "softplus", "softsign",
    "relu6", "leaky_relu", "hard_sigmoid", "hard_silu", "mish", "exponential", None,
)  # fmt: skip
INITIALIZERS = ("he_normal", "glorot_uniform", "lecun_uniform", "random_normal", "orthogonal")


class Maker:
    """Random layers of a package, all drawn from one generator."""

    def __init__(self, api: Any, seed: int, *, functions: bool = False) -> None:
        self.api, self.layers, self.draw = api, api.layers, random.Random(seed)
        self.functions, self.prefix, self.count = functions, f"net{seed}", 0

    def name(self, kind: str) -> str:
        """Return a name of its own; automatic names would depend on what was made before."""
        self.count += 1
        return f"{kind}_{self.count}" if self.draw.random() < 0.8 else f"{self.prefix}_{self.count}"

    def activation(self) -> Any:
        if self.draw.random() < 0.1:
            return self.layers.LeakyReLU(negative_slope=0.1, name=self.name("slope"))
        return self.draw.choice(ACTIVATIONS)

    def weights(self) -> dict[str, Any]:
        """Return arguments that say how weights begin, and what is demanded of them."""
        options: dict[str, Any] = {"use_bias": self.draw.random() < 0.8}
        if self.draw.random() < 0.3:
            options["bias_initializer"] = self.draw.choice(["zeros", "ones", "random_uniform"])
        if self.draw.random() < 0.2:
            options["bias_regularizer"] = self.draw.choice(["l1", "l2"])
        return options

    def kernel(self) -> dict[str, Any]:
        options: dict[str, Any] = {}
        if self.draw.random() < 0.3:
            options["kernel_initializer"] = self.draw.choice(INITIALIZERS)
        if self.draw.random() < 0.2:
            both = self.api.regularizers.L1L2(0.01, 0.02)
            options["kernel_regularizer"] = self.draw.choice(["l1", "l2", both])
        if self.draw.random() < 0.2:
            options["kernel_constraint"] = self.draw.choice(["max_norm", "non_neg", "unit_norm"])
        return options

    def augmentation(self) -> Any:
        """Return a layer that changes images in training alone."""
        layers, name = self.layers, self.name("augmentation")
        kinds = [
            lambda: layers.RandomFlip("horizontal", name=name),
            lambda: layers.RandomRotation(0.1, name=name),
            lambda: layers.RandomContrast(0.2, name=name),
            lambda: layers.RandomZoom(0.1, name=name),
            lambda: layers.RandomTranslation(0.1, 0.2, name=name),
        ]
        return self.draw.choice(kinds)()

    # --- images -------------------------------------------------------------------------------

    def window(self, shape: tuple[int, ...]) -> dict[str, Any]:
        """Return a kernel's size, strides or dilation, and padding, that fit an image."""
        size = tuple(self.draw.randint(1, min(3, n)) for n in shape[:2])
        options: dict[str, Any] = {
            "kernel_size": size,
            "padding": self.draw.choice(["same", "valid"]),
        }
        if self.draw.random() < 0.3:
            options["strides"] = self.draw.choice([(2, 2), 2])
        elif self.draw.random() < 0.3 and min(shape[:2]) > 6:
            options["dilation_rate"] = self.draw.choice([2, (2, 1)])
            options["padding"] = "same"
        return options

    def convolution(self, shape: tuple[int, ...]) -> Any:
        layers, draw = self.layers, self.draw
        kind = draw.choice(["plain", "plain", "groups", "separable", "depthwise", "transpose"])
        options = {**self.weights(), "activation": self.activation(), "name": self.name(kind)}
        window, filters = self.window(shape), draw.choice([2, 4, 6])
        if kind == "separable":
            multiplier = draw.choice([1, 2])
            return layers.SeparableConv2D(
                filters, **same_strides(window), depth_multiplier=multiplier, **options
            )
        if kind == "depthwise":
            return layers.DepthwiseConv2D(
                **same_strides(window), depth_multiplier=draw.choice([1, 2]), **options
            )
        if kind == "transpose":
            window.pop("dilation_rate", None)
            return layers.Conv2DTranspose(filters, **window, **self.kernel(), **options)
        groups = 2 if kind == "groups" and shape[2] % 2 == 0 else 1
        return layers.Conv2D(filters, **window, groups=groups, **self.kernel(), **options)

    def normalization(self, shape: tuple[int, ...]) -> Any:
        layers, draw = self.layers, self.draw
        kind = draw.choice(["batch", "batch", "layer", "group", "rms", "unit"])
        name = self.name(kind)
        if kind == "batch":
            return layers.BatchNormalization(
                momentum=0.9, epsilon=0.01, center=draw.random() < 0.8, scale=draw.random() < 0.8,
                name=name,
            )  # fmt: skip
        if kind == "layer":
            return layers.LayerNormalization(
                epsilon=0.01, center=draw.random() < 0.8, scale=draw.random() < 0.8, name=name
            )
        if kind == "group":
            groups = draw.choice([n for n in (1, 2, shape[-1]) if shape[-1] % n == 0])
            return layers.GroupNormalization(groups, epsilon=0.01, name=name)
        one = layers.RMSNormalization if kind == "rms" else layers.UnitNormalization
        return one(name=name)

    def plain(self, shape: tuple[int, ...]) -> Any:
        """Return a layer without weights, or with few."""
        layers, draw = self.layers, self.draw
        makers = [
            lambda name: layers.MaxPooling2D(2, padding="same", name=name),
            lambda name: layers.AveragePooling2D((2, 1), strides=1, padding="same", name=name),
            lambda name: layers.Activation(draw.choice(ACTIVATIONS[:-1]), name=name),
            lambda name: layers.ReLU(max_value=draw.choice([None, 3.0]), name=name),
            lambda name: layers.LeakyReLU(negative_slope=0.2, name=name),
            lambda name: layers.ELU(alpha=0.5, name=name),
            lambda name: layers.PReLU(shared_axes=draw.choice([None, [1, 2]]), name=name),
            lambda name: layers.Softmax(name=name),
            lambda name: layers.Dropout(0.3, seed=draw.choice([None, 7]), name=name),
            lambda name: layers.SpatialDropout2D(0.3, name=name),
            lambda name: layers.GaussianNoise(0.1, name=name),
            lambda name: layers.GaussianDropout(0.1, name=name),
            lambda name: layers.AlphaDropout(0.1, name=name),
            lambda name: layers.ZeroPadding2D(((1, 0), (0, 2)), name=name),
            lambda name: layers.UpSampling2D(
                2 if max(shape) < 8 else 1, name=name,
                interpolation=draw.choice(["nearest", "bilinear"]),
            ),
            lambda name: layers.Permute((2, 1, 3), name=name),
            lambda name: layers.Rescaling(0.5, 0.25, name=name),
            lambda name: layers.Identity(name=name),
            lambda name: layers.ActivityRegularization(l2=0.01, name=name),
        ]  # fmt: skip
        if min(shape[:2]) > 4:
            makers.append(lambda name: layers.Cropping2D(((1, 0), (1, 1)), name=name))
        return draw.choice(makers)(self.name("plain"))

    def image_layer(self, shape: tuple[int, ...]) -> Any:
        kind = self.draw.random()
        if kind < 0.45:
            return self.convolution(shape)
        return self.normalization(shape) if kind < 0.6 else self.plain(shape)

    def block(self, x: Any) -> Any:
        """Return what one to three layers, a branch, or a network inside makes of an image."""
        shape = tuple(x.shape[1:])
        kind = self.draw.random()
        if kind < 0.2:
            return self.branches(x)
        if kind < 0.32:
            return self.inner_network(shape)(x)
        if kind < 0.4:
            shared = self.layers.Conv2D(
                shape[2], 3, padding="same", activation=self.activation(), name=self.name("shared")
            )
            return shared(shared(x))
        if kind < 0.5 and self.functions:
            return self.function(x)
        return self.image_layer(shape)(x)

    def branches(self, x: Any) -> Any:
        layers, draw = self.layers, self.draw
        shape = tuple(x.shape[1:])
        count = draw.choice([2, 2, 3])
        ways = [
            layers.Conv2D(shape[2], 3, padding="same", name=self.name("way"))(x)
            for _ in range(count)
        ]
        if draw.random() < 0.4:
            ways[0] = x
        kinds = ["Add", "Multiply", "Average", "Maximum", "Minimum", "Concatenate"]
        if count == 2:
            kinds.append("Subtract")
        return getattr(layers, draw.choice(kinds))(name=self.name("merge"))(ways)

    def inner_network(self, shape: tuple[int, ...]) -> Any:
        start = self.api.Input(shape, name=self.name("inner_input"))
        if self.draw.random() < 0.5:
            found = [
                self.image_layer(shape),
                self.layers.BatchNormalization(name=self.name("norm")),
            ]
            return self.api.Sequential([start, *found], name=self.name("inner"))
        a = self.image_layer(shape)(start)
        b = self.normalization(tuple(a.shape[1:]))(a)
        total = self.layers.Add(name=self.name("merge"))([a, b])
        return self.api.Model(start, total, name=self.name("inner"))

    def function(self, x: Any) -> Any:
        ops, draw = self.api.ops, self.draw
        kinds = [
            lambda: x * 2.0 + 1.0,
            lambda: ops.relu(x) - x,
            lambda: ops.concatenate([x, ops.tanh(x)], axis=-1),
            lambda: x - ops.mean(x, axis=[1, 2], keepdims=True),
            lambda: ops.maximum(x, 0.1) / 2.0,
            lambda: ops.clip(x, -1.0, 1.0),
            lambda: ops.transpose(x, (0, 2, 1, 3)),
            lambda: ops.softmax(x, axis=-1),
            lambda: ops.sqrt(ops.square(x) + 1.0),
            lambda: x[:, :, :, :1],
        ]
        return draw.choice(kinds)()

    # --- after the images -----------------------------------------------------------------------

    def flat(self, x: Any) -> Any:
        """Return one vector per image."""
        layers, draw = self.layers, self.draw
        kind = draw.randrange(5)
        if kind == 0:
            return layers.GlobalAveragePooling2D(name=self.name("pool"))(x)
        if kind == 1:
            return layers.GlobalMaxPooling2D(name=self.name("pool"))(x)
        if kind == 2:
            height, width, channels = x.shape[1:]
            x = layers.Reshape((height * width, channels), name=self.name("reshape"))(x)
            x = layers.Conv1D(
                3, 3, padding=draw.choice(["same", "causal"]), name=self.name("conv")
            )(x)
            x = layers.TimeDistributed(layers.Dense(2, name=self.name("dense")),
                                       name=self.name("each"))(x)  # fmt: skip
            return layers.GlobalAveragePooling1D(name=self.name("pool"))(x)
        return layers.Flatten(name=self.name("flatten"))(x)

    def dense(self, units: int, activation: Any) -> Any:
        options = {**self.weights(), **self.kernel()}
        return self.layers.Dense(units, activation=activation, name=self.name("dense"), **options)


def same_strides(window: dict[str, Any]) -> dict[str, Any]:
    """Return a window that depthwise layers of TensorFlow take: of equal strides and dilations."""
    found = dict(window)
    if isinstance(found.get("dilation_rate"), tuple):
        found["dilation_rate"] = 2
    return found


def network(api: Any, seed: int, *, functions: bool = False) -> Any:
    """Return the random network of a seed: Sequential, or functional with one or two ends."""
    make = Maker(api, seed, functions=functions)
    draw, layers = make.draw, api.layers
    shape = (draw.randint(5, 11), draw.randint(5, 11), draw.choice([1, 2, 3, 4]))
    if draw.random() < 0.25:
        return _sequential(make, shape)
    image = api.Input(shape, name=make.name("image"))
    x = make.augmentation()(image) if draw.random() < 0.15 else image
    for _ in range(draw.randint(1, 5)):
        x = make.block(x)
    x = make.flat(x)
    inputs = image
    if draw.random() < 0.3:
        vector = api.Input((3,), name=make.name("vector"))
        x = layers.Concatenate(name=make.name("merge"))([x, make.dense(4, "relu")(vector)])
        inputs = [image, vector]
    x = make.dense(5, make.activation())(x)
    outputs = make.dense(3, "softmax")(x)
    if draw.random() < 0.3:
        outputs = [outputs, make.dense(1, "sigmoid")(x)]
    return api.Model(inputs, outputs, name=make.name("whole"))


def _sequential(make: Maker, shape: tuple[int, ...]) -> Any:
    start = make.api.Input(shape, name=make.name("image"))
    found = []
    for _ in range(make.draw.randint(1, 5)):
        found.append(make.image_layer(shape))
        shape = tuple(found[-1].compute_output_shape((None, *shape))[1:])
    flatten = make.layers.Flatten(name=make.name("flatten"))
    ends = [flatten, make.dense(3, "softmax")]
    return make.api.Sequential([start, *found, *ends], name=make.name("whole"))


def fill(model: Any, seed: int) -> None:
    """Give every weight random values: variances are positive, the others around their start."""
    rng = np.random.default_rng(seed)
    values = []
    for weight, array in zip(model.weights, model.get_weights(), strict=True):
        noise = rng.standard_normal(array.shape)
        name = getattr(weight, "path", weight.name).rpartition("/")[2]
        if "variance" in name:
            values.append((0.5 + rng.random(array.shape)).astype(np.float32))
        elif "gamma" in name or "scale" in name:
            values.append((1 + 0.2 * noise).astype(np.float32))
        else:
            values.append(
                (noise / np.sqrt(max(1, array.size / array.shape[-1]))).astype(np.float32)
            )
    model.set_weights(values)


def data(model: Any, seed: int, count: int = 3) -> list[np.ndarray]:
    """Return random inputs."""
    rng = np.random.default_rng(seed + 1)
    shapes = [tuple(x.shape[1:]) for x in model.inputs]
    return [rng.standard_normal((count, *shape)).astype(np.float32) for shape in shapes]


def outputs(result: Any) -> list[np.ndarray]:
    """Return the outputs as a list of arrays."""
    return (
        [np.asarray(y) for y in result]
        if isinstance(result, (list, tuple))
        else [np.asarray(result)]
    )


OPTIMIZERS = (
    "SGD",
    "Adam",
    "RMSprop",
    "Adagrad",
    "Adamax",
    "Nadam",
    "AdamW",
    "Adadelta",
    "Lion",
    "Ftrl",
)


def compiled(api: Any, model: Any, seed: int) -> None:
    """Compile a network, with an optimizer, losses and metrics that go by its seed."""
    draw = random.Random(seed + 2)
    optimizer = getattr(api.optimizers, draw.choice(OPTIMIZERS))
    options: dict[str, Any] = {"learning_rate": 0.01}
    if optimizer.__name__ in ("SGD", "RMSprop"):
        options["momentum"] = draw.choice([0.0, 0.9])
    if optimizer.__name__ == "Adam":
        options["amsgrad"] = draw.random() < 0.5
    if draw.random() < 0.3:
        options["learning_rate"] = api.optimizers.schedules.ExponentialDecay(0.01, 10, 0.9)
    if draw.random() < 0.3:
        options["clipnorm"] = 1.0
    first = api.losses.CategoricalCrossentropy(label_smoothing=0.1)
    several = len(model.outputs) == 2
    model.compile(
        optimizer(**options),
        loss=[first, "binary_crossentropy"] if several else first,
        metrics=[["accuracy"], ["mae"]] if several else ["accuracy", "mse"],
    )


def labels(model: Any, seed: int, count: int = 3) -> list[np.ndarray]:
    """Return random labels."""
    rng = np.random.default_rng(seed + 3)
    found = [np.eye(3, dtype=np.float32)[rng.integers(0, 3, count)]]
    if len(model.outputs) == 2:
        found.append(rng.integers(0, 2, (count, 1)).astype(np.float32))
    return found
