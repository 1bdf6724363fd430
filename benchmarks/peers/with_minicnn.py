"""minicnn as an engine: the zoo's networks, run through the public methods of Model."""

from __future__ import annotations

import numpy as np

import minicnn as mc
from minicnn.backends import instruction_set
from peers.networks import Adam, Dropout, Network
from peers.recipes import Digits, Recipe

VARIANTS = {"": ("training", "inference", "fit")}
TEST_BATCH = 250


class Model:
    """A network of the zoo on the engine that MINICNN_BACKEND and MINICNN_ISA select."""

    def __init__(self, network: Network, variant: str) -> None:
        self.network, self.model = network, zoo_model(network)

    def load(self, weights: list[np.ndarray]) -> None:
        """Set these weights and clear the optimizer's state."""
        optimizer = optimizer_of(self.network)
        self.model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy")
        self.model.set_weights(weights)

    def tensors(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The batch in the form that is fastest for this engine."""
        return x, y

    def train(self, x: np.ndarray, y: np.ndarray) -> float:
        """Train for one step and return the loss."""
        return float(np.ravel(self.model.train_on_batch(x, y))[0])

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
    model = zoo_model(network)
    optimizer = optimizer_of(network._replace(optimizer=recipe.optimizer))
    optimizer.learning_rate = mc.schedules.CosineDecay(
        0.0,
        recipe.falling_steps,
        warmup_target=recipe.optimizer.learning_rate,
        warmup_steps=recipe.warmup,
    )
    model.compile(optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.set_weights(weights)
    x, y = digits.x_train, digits.y_train
    model.fit(x, y, batch_size=recipe.batch, epochs=recipe.epochs, verbose=0)
    return model.evaluate(digits.x_test, digits.y_test, batch_size=TEST_BATCH, verbose=0)[1]


def zoo_model(network: Network) -> mc.Sequential:
    """Build the zoo's network for uint8 pixels."""
    model = getattr(mc.zoo, network.name)(rescale=network.scale)
    has_dropout = any(isinstance(layer, Dropout) for layer in network.layers)
    for layer in model.layers:
        if isinstance(layer, mc.layers.Dropout) and not has_dropout:
            layer.rate = 0.0
    for parameter in model.parameters:
        parameter.multiplier = 1.0  # the peers have one learning rate for all weights
    return model


def optimizer_of(network: Network) -> mc.optimizers.Optimizer:
    """Make minicnn's optimizer with the network's settings."""
    kind = mc.optimizers.Adam if isinstance(network.optimizer, Adam) else mc.optimizers.SGD
    return kind(**network.optimizer._asdict())


def use_threads(threads: int) -> None:
    """Set the number of threads."""
    mc.config.set_threads(threads)


def versions() -> dict[str, str]:
    """Package names and versions."""
    return {"minicnn": mc.__version__, "isa": instruction_set(), "numpy": np.__version__}
