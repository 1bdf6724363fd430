"""Random networks for the tests of ONNX files: images, sequences and features, branches that meet,
layers that are used twice, networks inside networks, several inputs and outputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import minicnn as mc
from minicnn import backends, layers, ops

ACTIVATIONS = (
    "relu", "relu6", "leaky_relu", "elu", "selu", "celu", "gelu", "silu", "mish", "sigmoid", "tanh",
    "softplus", "softsign", "hard_sigmoid", "hard_silu", "hard_tanh", "softmax", "linear",
    "exponential", "tanh_shrink", "log_sigmoid", "hard_shrink", "soft_shrink", "squareplus",
    "sparse_plus", "log_softmax",
)  # fmt: skip
Maker = Callable[[np.random.Generator, Any], Any]


def choice(rng: np.random.Generator, *values: Any) -> Any:
    return values[int(rng.integers(len(values)))]


def activation(rng: np.random.Generator) -> Any:
    return choice(rng, None, "relu", choice(rng, *ACTIVATIONS))


class Scale(layers.Layer):
    """A layer of one's own that computes in its `call`."""

    def build(self, input_shape):
        self.factor = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="factor")

    def call(self, x):
        return ops.tanh(x * self.factor) + 0.5 * x


class TwoLayers(layers.Layer):
    """A layer of one's own that is made of others."""

    def __init__(self, units, **options):
        super().__init__(**options)
        self.units = units
        self.first, self.second = layers.Dense(units, "relu"), layers.Dense(units)

    def call(self, x):
        return self.second(self.first(x))


def sharpened(t):
    return ops.softmax(t * 2.0, axis=-1) + t[..., :1]


def sine(x):
    return ops.sin(x)


OBJECTS = {"Scale": Scale, "TwoLayers": TwoLayers, "sharpened": sharpened, "sine": sine}


# --- images -> images ---------------------------------------------------------------------------


def conv(rng, x):
    c = x.shape[3]
    groups = choice(rng, 1, 1, *[g for g in (2, 3) if c % g == 0])
    strides = choice(rng, 1, 1, 2, (1, 2), 3)
    dilation = choice(rng, 1, 2, (2, 1)) if strides == 1 else 1
    padding = "same" if min(x.shape[1:3]) < 7 else choice(rng, "same", "valid")
    return layers.Conv2D(
        groups * int(rng.integers(1, 5)),
        choice(rng, 1, 2, 3, (3, 2), (1, 3)),
        strides,
        padding,
        dilation_rate=dilation,
        groups=groups,
        activation=activation(rng),
        use_bias=choice(rng, True, False),
    )(x)


def depthwise(rng, x):
    return layers.DepthwiseConv2D(
        choice(rng, 2, 3, (1, 3)),
        strides=choice(rng, 1, 2),
        padding="same",
        depth_multiplier=choice(rng, 1, 2),
        activation=activation(rng),
    )(x)


def separable(rng, x):
    multiplier = choice(rng, 1, 2)
    return layers.SeparableConv2D(
        int(rng.integers(1, 6)), 3, padding="same", depth_multiplier=multiplier,
        strides=choice(rng, 1, 2), activation=activation(rng),
    )(x)  # fmt: skip


def transposed(rng, x):
    strides = choice(rng, 1, 2, (2, 1), 3)
    padding = choice(rng, "same", "valid")
    return layers.Conv2DTranspose(
        int(rng.integers(1, 5)), choice(rng, 1, 2, 3, (2, 3), 4), strides, padding,
        dilation_rate=choice(rng, 1, 2) if strides == 1 else 1,
        use_bias=choice(rng, True, False), activation=activation(rng),
    )(x)  # fmt: skip


def pool(rng, x):
    kind = choice(rng, layers.MaxPooling2D, layers.AveragePooling2D)
    size = choice(rng, 2, 3, (1, 2), (2, 3))
    if min(x.shape[1:3]) < 3:
        size = 1
    return kind(size, strides=choice(rng, None, 1, 2, 3), padding=choice(rng, "same", "valid"))(x)


def pool_in_caffes_way(rng, x):
    kind = choice(rng, layers.MaxPooling2D, layers.AveragePooling2D)
    return kind(2, 2, ceil_mode=True)(x) if min(x.shape[1:3]) > 2 else None


def normalized(rng, x):
    c = x.shape[-1]
    groups = [g for g in (1, 2, 3, c) if c % g == 0]
    kind = int(rng.integers(7))
    if kind == 0:
        return layers.GroupNormalization(choice(rng, *groups), epsilon=choice(rng, 1e-3, 1e-5))(x)
    if kind == 1:
        return layers.LayerNormalization(center=choice(rng, True, False))(x)
    if kind == 2 and len(x.shape) == 4:
        return layers.LayerNormalization(axis=[1, 2, 3], scale=choice(rng, True, False))(x)
    if kind == 3:
        return layers.UnitNormalization()(x)
    if kind == 4:
        return layers.RMSNormalization()(x)
    return layers.BatchNormalization(
        center=choice(rng, True, False), scale=choice(rng, True, False), epsilon=1e-3
    )(x)


def moved(rng, x):
    h, w = x.shape[1:3]
    kind = int(rng.integers(7))
    if kind == 0:
        return layers.ZeroPadding2D(((0, 1), (2, 0)))(x)
    if kind == 1 and min(h, w) > 3:
        return layers.Cropping2D(((1, 0), (0, 2)))(x)
    if kind == 2 and max(h, w) < 13:
        return layers.UpSampling2D(choice(rng, 2, (1, 2)), interpolation="bilinear")(x)
    if kind == 3 and max(h, w) < 13:
        return layers.UpSampling2D(choice(rng, 2, (3, 1)))(x)
    if kind == 4:
        return layers.Permute(choice(rng, (2, 1, 3), (3, 1, 2), (2, 3, 1)))(x)
    if kind == 5:
        return layers.Reshape((w, h, x.shape[3]))(x)
    return layers.CenterCrop(max(h - 1, 1), max(w - 2, 1))(x)


def resized(rng, x):
    kind = choice(rng, "bilinear", "nearest", "bicubic", "area", "lanczos3")
    options = choice(
        rng, {}, {"crop_to_aspect_ratio": True},
        {"pad_to_aspect_ratio": True, "fill_value": 0.5}, {"antialias": kind != "nearest"},
    )  # fmt: skip
    return layers.Resizing(*map(int, rng.integers(2, 14, 2)), interpolation=kind, **options)(x)


def attention(rng, x):
    """Channels that are scaled, as in squeeze-and-excitation."""
    c = x.shape[3]
    y = layers.GlobalAveragePooling2D(keepdims=choice(rng, True, False))(x)
    if len(y.shape) == 2 and choice(rng, True, False):
        y = layers.Reshape((1, 1, c))(y)
    if len(y.shape) == 4:
        y = layers.Conv2D(c, 1, activation="sigmoid")(y)
    else:
        y = layers.Reshape((1, 1, c))(layers.Dense(c, activation="sigmoid")(y))
    return layers.Multiply()([x, y])


def by_operations(rng, x):
    """Functions of minicnn.ops."""
    kind = int(rng.integers(10))
    if kind == 0:
        return ops.maximum(x, 0.1) * 2.0 - x
    if kind == 1:
        return ops.concatenate([x, ops.mean(x, axis=-1, keepdims=True)], axis=-1)
    if kind == 2:
        return x - ops.mean(x, axis=list(range(1, len(x.shape))), keepdims=True)
    if kind == 3:
        return ops.where(x > 0, ops.sqrt(ops.abs(x) + 0.1), ops.exp(ops.minimum(x, 1.0)))
    if kind == 4:
        return x[:, ::-1] if x.shape[1] > 1 else ops.square(x)
    if kind == 5:
        return x[:, : max(x.shape[1] - 1, 1)] / (1.0 + ops.square(x[:, : max(x.shape[1] - 1, 1)]))
    if kind == 6:
        return ops.flip(ops.clip(x, -1.5, 1.5), axis=-1)
    if kind == 7:
        return ops.log1p(ops.abs(x)) - ops.expm1(-ops.abs(x))
    if kind == 8:
        return ops.cumsum(x, axis=1) + ops.max(x, axis=1, keepdims=True)
    return ops.take(x, [0, x.shape[-1] - 1, 0], axis=-1)


def shared(rng, x):
    """A layer that is used twice, with results that meet."""
    layer = layers.Dense(x.shape[-1], activation="tanh")
    if len(x.shape) == 4:
        layer = layers.Conv2D(x.shape[3], 3, padding="same", activation="tanh")
    y = layer(x)
    z = layer(y)
    kinds = (layers.Add, layers.Subtract, layers.Multiply, layers.Average, layers.Maximum,
             layers.Minimum, layers.Concatenate)  # fmt: skip
    kind = choice(rng, *kinds)
    if kind is layers.Subtract:
        return kind()([x, z])
    return kind()([x, y, z] if choice(rng, True, False) else [y, z])


def activated(rng, x):
    c = x.shape[-1]
    kind = int(rng.integers(9))
    if kind == 0:
        shared_axes = list(range(1, len(x.shape) - 1)) or None
        return layers.PReLU(shared_axes=choice(rng, None, shared_axes))(x)
    if kind == 1:
        return layers.LeakyReLU(0.3)(x)
    if kind == 2:
        return layers.ELU(0.7)(x)
    if kind == 3:
        return layers.ReLU(choice(rng, None, 2.0), 0.1, choice(rng, 0.0, 0.2))(x)
    if kind == 4:
        return layers.Softmax(axis=choice(rng, -1, 1))(x)
    if kind == 5:
        return layers.Dropout(0.3)(layers.GaussianNoise(0.1)(x))
    if kind == 6:
        return layers.Activation("gelu" if c % 2 else sine)(x)
    if kind == 7:
        return layers.Lambda(sharpened)(x)
    return layers.Activation(choice(rng, *ACTIVATIONS))(x)


def of_ones_own(rng, x):
    return Scale()(x) if choice(rng, True, False) else TwoLayers(x.shape[-1])(x)


def nested(rng, x):
    """A network that is a layer, sometimes twice."""
    inner = layers.Input(x.shape[1:])
    y = inner
    for maker in (choice(rng, *SAME_RANK[len(x.shape)]) for _ in range(2)):
        y = applied(maker, rng, y)
    model = mc.Model(inner, layers.Activation("tanh")(y))
    z = model(x)
    return model(z) if z.shape == x.shape and choice(rng, True, False) else z


def augmented(rng, x):
    """Layers that do something in training alone."""
    if x.shape[3] not in (1, 3) or len(x.shape) != 4:
        return None
    return layers.RandomFlip()(layers.RandomContrast(0.1)(layers.RandomRotation(0.1)(x)))


def scaled(rng, x):
    kind = int(rng.integers(3))
    if kind == 0:
        return layers.Rescaling(choice(rng, 1 / 127.5, 0.5), choice(rng, 0.0, -1.0))(x)
    c = x.shape[-1]
    if kind == 1:
        return layers.Normalization(mean=[0.1] * c, variance=[0.5 + i for i in range(c)])(x)
    return layers.AutoContrast((0, 1))(x) if c in (1, 3) and len(x.shape) == 4 else None


def lrn(rng, x):
    return layers.LocalResponseNormalization(choice(rng, 3, 5), alpha=0.5, k=1.5)(x)


# --- between ranks ------------------------------------------------------------------------------


def to_features(rng, x):
    kind = int(rng.integers(6))
    if kind == 0 and len(x.shape) == 4:
        return layers.GlobalAveragePooling2D()(x)
    if kind == 1 and len(x.shape) == 4:
        return layers.GlobalMaxPooling2D()(x)
    if kind == 0:
        return layers.GlobalAveragePooling1D()(x)
    if kind == 1:
        return layers.GlobalMaxPooling1D()(x)
    return layers.Flatten()(x)


def to_sequence(rng, x):
    h, w, c = x.shape[1:]
    if choice(rng, True, False):
        return layers.Reshape((h * w, c))(x)
    return layers.TimeDistributed(layers.GlobalAveragePooling1D())(x)


def to_images(rng, x):
    return layers.Reshape((*x.shape[1:], 1))(x)


# --- sequences and features ---------------------------------------------------------------------


def conv1d(rng, x):
    kind = int(rng.integers(4))
    if kind == 0:
        return layers.SeparableConv1D(3, 2, padding="same", activation=activation(rng))(x)
    if kind == 1:
        return layers.Conv1DTranspose(2, 3, strides=choice(rng, 1, 2), padding="same")(x)
    if kind == 2:
        return layers.DepthwiseConv1D(2, padding="same")(x)
    padding = choice(rng, "same", "causal")
    return layers.Conv1D(
        3, 2, padding=padding, strides=choice(rng, 1, 2), activation=activation(rng)
    )(x)


def sequence(rng, x):
    t = x.shape[1]
    kind = int(rng.integers(6))
    if kind == 0:
        return layers.MaxPooling1D(2, padding="same")(x)
    if kind == 1:
        return layers.AveragePooling1D(2, strides=1, padding="same")(x)
    if kind == 2:
        return layers.ZeroPadding1D(1)(x)
    if kind == 3 and t > 2:
        return layers.Cropping1D((1, 0))(x)
    if kind == 4:
        return layers.Permute((2, 1))(x)
    return layers.UpSampling1D(2)(x) if t < 20 else layers.Permute((2, 1))(x)


def dense(rng, x):
    return layers.Dense(
        int(rng.integers(1, 7)), activation=activation(rng), use_bias=choice(rng, True, False)
    )(x)


def row(rng, x):
    """Equal values and a border: a group of equal values alone has no variance to divide by."""
    return layers.ZeroPadding1D(1)(layers.RepeatVector(3)(x))


IMAGES: tuple[Maker, ...] = (
    conv, conv, conv, conv, depthwise, separable, transposed, pool, pool, pool_in_caffes_way,
    normalized, normalized, moved, moved, resized, attention, by_operations, shared, activated,
    activated, of_ones_own, augmented, lrn, scaled, dense,
)  # fmt: skip
SEQUENCES: tuple[Maker, ...] = (
    conv1d, conv1d, sequence, sequence, normalized, by_operations, shared, activated, of_ones_own,
    dense,
)  # fmt: skip
FEATURES: tuple[Maker, ...] = (
    dense, dense, normalized, by_operations, shared, activated, activated, of_ones_own,
)  # fmt: skip
SAME_RANK: dict[int, tuple[Maker, ...]] = {4: IMAGES, 3: SEQUENCES, 2: FEATURES}
OTHER_RANK = {4: (to_features, to_features, to_sequence), 3: (to_features, to_images), 2: (row,)}
MOST_VALUES = 3000  # of a sample


def applied(maker: Maker, rng: np.random.Generator, x: Any) -> Any:
    """The maker's layers after x; x alone if they do not fit it."""
    y = maker(rng, x)
    large = y is not None and int(np.prod(y.shape[1:])) > MOST_VALUES
    return x if y is None or large else y


def chain(rng: np.random.Generator, x: Any, count: int) -> Any:
    for _ in range(count):
        makers = (*SAME_RANK[len(x.shape)], nested)
        if rng.random() < 0.12:
            makers = OTHER_RANK[len(x.shape)]
        x = applied(choice(rng, *makers), rng, x)
    return x


def random_network(rng: np.random.Generator) -> mc.Model:
    """A network of 3 to 12 layers with random weights."""
    shape = tuple(map(int, (*rng.integers(5, 13, 2), rng.integers(1, 5))))
    x = layers.Input(shape)
    y = chain(rng, x, int(rng.integers(2, 9)))
    inputs, outputs = [x], [y]
    if rng.random() < 0.3:  # another input, whose branch meets the first one
        other = layers.Input((int(rng.integers(2, 6)),))
        z = chain(rng, other, 2)
        both = [layers.Flatten()(y), layers.Flatten()(z)]
        inputs, outputs = [x, other], [layers.Dense(3)(layers.Concatenate()(both))]
    if rng.random() < 0.3:  # another output
        outputs.append(chain(rng, y, 2))
    if rng.random() < 0.6:
        final = layers.Flatten()(outputs[0])
        outputs[0] = layers.Dense(4, activation=choice(rng, None, "softmax", "sigmoid"))(final)
    model = mc.Model(inputs, outputs)
    randomize(model, rng)
    return model


def randomize(model: mc.Model, rng: np.random.Generator) -> None:
    """Give every weight values that matter: also biases, and the statistics of normalizations."""
    for name, parameter in model.named_parameters().items():
        shape = parameter.shape
        if "variance" in name or "gamma" in name or "scale" in name:
            value = rng.uniform(0.5, 1.5, shape)
        elif len(shape) > 1 and "alpha" not in name:
            value = rng.normal(size=shape) / np.sqrt(np.prod(shape[:-1]))
        else:
            value = rng.normal(0, 0.3, shape)
        parameter.assign(value.astype(np.float32))


def random_inputs(model: mc.Model, rng: np.random.Generator, n: int) -> list[np.ndarray]:
    return [
        rng.normal(size=(n, *tensor.shape[1:])).astype(np.float32) for tensor in model.graph.inputs
    ]


def differences(theirs: list[np.ndarray], ours: list[np.ndarray]) -> float:
    """The largest difference, as a fraction of the output's largest value."""
    found = [0.0]
    for a, b in zip(theirs, ours, strict=True):
        assert a.shape == b.shape and a.dtype == b.dtype, (a.shape, a.dtype, b.shape, b.dtype)
        if a.size:
            found.append(float(np.abs(a - b).max() / max(np.abs(b).max(), 1e-30)))
    return max(found)


def predicted(model: mc.Model, xs: list[np.ndarray]) -> list[np.ndarray]:
    y = model.predict(xs if len(xs) > 1 else xs[0], verbose=0)
    return list(y.values()) if isinstance(y, dict) else y if isinstance(y, list) else [y]


def condition(model: mc.Model, xs: list[np.ndarray], rng: np.random.Generator) -> float:
    """How far the outputs move if something is rounded otherwise, as in `differences`.

    The inputs and weights are, by one bit; and on NumPy's engine all sums between them.
    """
    ours, weights = predicted(model, xs), model.get_weights()
    moved = [0.0]
    for _ in range(4):
        model.set_weights([rounded_otherwise(w, rng) for w in weights])
        moved.append(differences(predicted(model, [rounded_otherwise(x, rng) for x in xs]), ours))
    model.set_weights(weights)
    with backends.use_backend("numpy"):
        moved.append(differences(predicted(model, xs), ours))
    return max(moved)


def rounded_otherwise(array: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return (array * (1 + rng.choice([-1, 1], array.shape) * 2.0**-23)).astype(np.float32)
