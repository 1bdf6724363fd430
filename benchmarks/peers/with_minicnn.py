"""minicnn in its own process: the zoo's network, through the public Model methods."""

from __future__ import annotations

import numpy as np

import minicnn as mc
from peers.networks import Adam, Network


class Model:
    """One engine's network; `VARIANTS` of the other engines' modules are ways to run theirs."""

    def __init__(self, network: Network, variant: str, threads: int) -> None:
        mc.config.set_threads(threads)
        mc.set_backend(variant)
        self.network, self.model = network, zoo_model(network)

    def load(self, weights: list[np.ndarray]) -> None:
        """Start over: these weights, no momentum yet."""
        optimizer = optimizer_of(self.network)
        self.model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy")
        self.model.set_weights(weights)

    def tensors(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """A batch in the form that this engine likes best."""
        return x, y

    def train(self, x: np.ndarray, y: np.ndarray) -> float:
        """One step; waits for the loss."""
        return float(np.ravel(self.model.train_on_batch(x, y))[0])

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Probabilities, (N, classes)."""
        return self.model.predict_on_batch(x)

    def weights(self) -> list[np.ndarray]:
        """All weights, in the order of `load`."""
        return self.model.get_weights()


def zoo_model(network: Network) -> mc.Sequential:
    """The zoo's network for uint8 pixels."""
    model = getattr(mc.zoo, network.name)(rescale=network.scale)
    for parameter in model.parameters:
        parameter.multiplier = 1.0  # the peers have one learning rate for all
    return model


def optimizer_of(network: Network) -> mc.optimizers.Optimizer:
    """minicnn's optimizer with the network's numbers."""
    kind = mc.optimizers.Adam if isinstance(network.optimizer, Adam) else mc.optimizers.SGD
    return kind(**network.optimizer._asdict())


def versions() -> dict[str, str]:
    """What ran: package, version."""
    return {"minicnn": mc.__version__, "numpy": np.__version__, **mc.backend_info()}
