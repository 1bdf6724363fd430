"""minicnn in its own process: the zoo's network, through the public Model methods."""

from __future__ import annotations

import numpy as np

import minicnn as mc
from peers.networks import Network


class Model:
    """One engine's network; `VARIANTS` of the other engines' modules are ways to run theirs."""

    def __init__(self, network: Network, variant: str, threads: int) -> None:
        mc.config.set_threads(threads)
        mc.set_backend(variant)
        self.model = getattr(mc.zoo, network.name)()
        self.network = network
        for parameter in self.model.parameters:
            parameter.multiplier = 1.0  # the peers have one learning rate for all

    def load(self, weights: list[np.ndarray]) -> None:
        """Start over: these weights, no momentum yet."""
        optimizer = mc.optimizers.SGD(self.network.learning_rate, momentum=self.network.momentum)
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


def versions() -> dict[str, str]:
    """What ran: package, version."""
    return {"minicnn": mc.__version__, "numpy": np.__version__, **mc.backend_info()}
