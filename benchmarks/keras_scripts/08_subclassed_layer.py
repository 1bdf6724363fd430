"""Layers of one's own with build() and add_weight(): a squeeze-and-excitation block, a scale."""

import os

import keras
from keras import layers, ops
from measure import Speed, report

keras.utils.set_random_seed(int(os.environ.get("SEED", 0)))


class SqueezeExcite(layers.Layer):
    """Weighs channels by what all pixels say together."""

    def __init__(self, ratio=4, **kwargs):
        super().__init__(**kwargs)
        self.ratio = ratio

    def build(self, input_shape):
        """Make the two dense layers for this number of channels."""
        channels = input_shape[-1]
        self.pool = layers.GlobalAveragePooling2D()
        self.reduce = layers.Dense(channels // self.ratio, activation="relu")
        self.expand = layers.Dense(channels, activation="sigmoid")
        self.reshape = layers.Reshape((1, 1, channels))
        self.reduce.build((None, channels))
        self.expand.build((None, channels // self.ratio))

    def call(self, inputs):
        """Return the inputs, each channel times its weight."""
        x = self.pool(inputs)
        x = self.expand(self.reduce(x))
        return inputs * self.reshape(x)

    def get_config(self):
        """Return the arguments of the constructor."""
        return {**super().get_config(), "ratio": self.ratio}


class Affine(layers.Layer):
    """x * scale + shift, both learned for each channel."""

    def build(self, input_shape):
        """Create the weights."""
        dim = input_shape[-1]
        self.scale = self.add_weight(shape=(dim,), initializer="ones", trainable=True, name="scale")
        self.shift = self.add_weight(
            shape=(dim,), initializer="zeros", trainable=True, name="shift"
        )

    def call(self, inputs):
        """Return the scaled and shifted inputs."""
        return inputs * self.scale + self.shift


class Linear(layers.Layer):
    """A dense layer by matrix product."""

    def __init__(self, units=32, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        """Create the weights."""
        self.w = self.add_weight(
            shape=(input_shape[-1], self.units), initializer="random_normal", trainable=True
        )
        self.b = self.add_weight(shape=(self.units,), initializer="zeros", trainable=True)

    def call(self, inputs):
        """Return the inputs times the weights."""
        return ops.matmul(inputs, self.w) + self.b


(x_train, y_train), (x_test, y_test) = keras.datasets.cifar10.load_data()
x_train, y_train = x_train[:4000], y_train[:4000]

model = keras.Sequential(
    [
        keras.Input((32, 32, 3)),
        layers.Rescaling(1.0 / 255),
        layers.Conv2D(32, 3, padding="same", activation="relu"),
        Affine(),
        SqueezeExcite(ratio=4),
        layers.MaxPooling2D(),
        layers.Conv2D(64, 3, padding="same", activation="relu"),
        SqueezeExcite(ratio=8),
        layers.MaxPooling2D(),
        layers.Flatten(),
        Linear(64),
        layers.ReLU(),
        layers.Dense(10, activation="softmax"),
    ]
)
model.summary()
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
speed = Speed(len(x_train))
history = model.fit(
    x_train,
    y_train,
    batch_size=64,
    epochs=3,
    validation_data=(x_test[:1000], y_test[:1000]),
    callbacks=[speed],
)
report(model, history, speed)
