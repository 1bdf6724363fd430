"""ONNX Runtime as an engine: inference with all graph optimizations."""

from __future__ import annotations

import numpy as np
import onnxruntime

from peers.networks import Network
from peers.onnx_model import onnx_model

VARIANTS = {"": ("inference",)}
_options = onnxruntime.SessionOptions()


class Model:
    """A session for one network and its weights."""

    def __init__(self, network: Network, variant: str) -> None:
        self.network = network
        self.session: onnxruntime.InferenceSession | None = None

    def load(self, weights: list[np.ndarray]) -> None:
        """Make the session once, because its constant weights are the same in every call."""
        if self.session is None:
            self.session = onnxruntime.InferenceSession(
                onnx_model(self.network, weights), _options, providers=["CPUExecutionProvider"]
            )

    def tensors(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The images as (N, C, H, W), the layout of ONNX's convolutions."""
        return np.ascontiguousarray(x.transpose(0, 3, 1, 2)), y

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Predict the probabilities (N, classes)."""
        return self.session.run(None, {"x": x})[0]


def use_threads(threads: int) -> None:
    """Set the number of threads of new sessions."""
    _options.intra_op_num_threads = threads


def versions() -> dict[str, str]:
    """Package names and versions."""
    return {"onnxruntime": onnxruntime.__version__, "numpy": np.__version__}
