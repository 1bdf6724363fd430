"""ONNX Runtime in its own process: inference, with all graph optimizations."""

from __future__ import annotations

import numpy as np
import onnxruntime

from peers.networks import Network
from peers.onnx_model import onnx_model

VARIANTS = {"": ("inference",)}
_options = onnxruntime.SessionOptions()


class Model:
    """A session with the weights that it was loaded with."""

    def __init__(self, network: Network, variant: str) -> None:
        self.network = network
        self.session: onnxruntime.InferenceSession | None = None

    def load(self, weights: list[np.ndarray]) -> None:
        """Weights are constants here, the same ones each time: one session is enough."""
        if self.session is None:
            self.session = onnxruntime.InferenceSession(
                onnx_model(self.network, weights), _options, providers=["CPUExecutionProvider"]
            )

    def tensors(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Images as (N, C, H, W), which its convolutions want."""
        return np.ascontiguousarray(x.transpose(0, 3, 1, 2)), y

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Probabilities, (N, classes)."""
        return self.session.run(None, {"x": x})[0]


def use_threads(threads: int) -> None:
    """For the sessions to come."""
    _options.intra_op_num_threads = threads


def versions() -> dict[str, str]:
    """What ran: package, version."""
    return {"onnxruntime": onnxruntime.__version__, "numpy": np.__version__}
