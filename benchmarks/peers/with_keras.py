"""Keras on TensorFlow as an engine: layers, `compile` and `fit`, as its users write them."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

os.environ["KERAS_BACKEND"] = "tensorflow"

import keras

from peers.networks import SGD, BatchNorm, Conv, Dropout, Network, Pool
from peers.recipes import Digits, Recipe
from peers.with_tensorflow import use_threads as use_threads

# Without XLA, which takes twice the time or more on all five networks. Running several steps per
# call of the graph saves Python's share of each step.
VARIANTS = {"": ("fit",)}
STEPS_PER_EXECUTION = 8
TEST_BATCH = 250


class Model:
    """A network as a `keras.Sequential`."""

    def __init__(self, network: Network, variant: str) -> None:
        self.network = network
        self.model = keras.Sequential(
            [keras.Input(network.image, dtype="uint8"), *_layers(network)]
        )

    def load(self, weights: list[np.ndarray]) -> None:
        """Set these weights and clear the optimizer's state."""
        self.model.compile(
            _optimizer(self.network),
            "sparse_categorical_crossentropy",
            jit_compile=False,
            steps_per_execution=STEPS_PER_EXECUTION,
        )
        self.model.set_weights(weights)

    def tensors(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The batch as it is, because `fit` takes arrays."""
        return x, y

    def train(self, x: np.ndarray, y: np.ndarray) -> float:
        """Train for one step and return the loss."""
        return float(self.model.train_on_batch(x, y))

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Predict the probabilities (N, classes)."""
        return self.model.predict_on_batch(x)

    def fit(self, x: np.ndarray, y: np.ndarray) -> None:
        """Train for one epoch."""
        self.model.fit(x, y, batch_size=self.network.batch, epochs=1, verbose=0)

    def weights(self) -> list[np.ndarray]:
        """All weights in the order of `load`."""
        return self.model.get_weights()


def learn(network: Network, recipe: Recipe, weights: list[np.ndarray], digits: Digits) -> float:
    """Train a new model by a recipe and return its accuracy on the test digits."""
    model = Model(network, "").model
    rate = keras.optimizers.schedules.CosineDecay(
        0.0,
        recipe.falling_steps,
        warmup_target=recipe.optimizer.learning_rate,
        warmup_steps=recipe.warmup,
    )
    numbers = recipe.optimizer._replace(learning_rate=rate)
    model.compile(
        _optimizer(network._replace(optimizer=numbers)),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
        jit_compile=False,
        steps_per_execution=STEPS_PER_EXECUTION,
    )
    model.set_weights(weights)
    x, y = digits.x_train, digits.y_train
    model.fit(x, y, batch_size=recipe.batch, epochs=recipe.epochs, verbose=0)
    return model.evaluate(digits.x_test, digits.y_test, batch_size=TEST_BATCH, verbose=0)[1]


def _layers(network: Network) -> list[Any]:
    layers: list[Any] = [keras.layers.Rescaling(network.scale)]
    flat = False
    for layer in network.layers:
        if isinstance(layer, Conv):
            made = keras.layers.Conv2D(layer.filters, layer.kernel, activation=layer.activation)
        elif isinstance(layer, Pool):
            made = keras.layers.MaxPooling2D(layer.size)
        elif isinstance(layer, BatchNorm):
            made = keras.layers.BatchNormalization(momentum=layer.momentum, epsilon=layer.epsilon)
        elif isinstance(layer, Dropout):
            made = keras.layers.Dropout(layer.rate)
        else:
            layers += [] if flat else [keras.layers.Flatten()]
            flat = True
            made = keras.layers.Dense(layer.units, activation=layer.activation)
        layers.append(made)
    return [*layers, keras.layers.Softmax()]


def _optimizer(network: Network) -> keras.optimizers.Optimizer:
    numbers = network.optimizer
    kind = keras.optimizers.SGD if isinstance(numbers, SGD) else keras.optimizers.Adam
    return kind(**numbers._asdict())


def versions() -> dict[str, str]:
    """Package names and versions."""
    return {"keras": keras.__version__, "numpy": np.__version__}
