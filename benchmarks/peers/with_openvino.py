"""OpenVINO as an engine: inference in float32, tuned for low latency."""

from __future__ import annotations

from typing import Any

import numpy as np
import openvino

from peers.networks import Network
from peers.onnx_model import onnx_model

VARIANTS = {"": ("inference",)}
_settings: dict[str, Any] = {
    "PERFORMANCE_HINT": "LATENCY",  # all threads work on one call
    "INFERENCE_PRECISION_HINT": "f32",  # bfloat16 would compute something else
}


class Model:
    """A network, compiled for each batch size."""

    def __init__(self, network: Network, variant: str) -> None:
        self.network = network
        self.weights: list[np.ndarray] = []
        self.requests: dict[int, Any] = {}

    def load(self, weights: list[np.ndarray]) -> None:
        """Store the weights, which become constants of the compiled models."""
        self.weights = weights

    def tensors(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The images as (N, C, H, W), the layout of ONNX's convolutions."""
        return np.ascontiguousarray(x.transpose(0, 3, 1, 2)), y

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Predict the probabilities (N, classes)."""
        request = self.requests.get(len(x)) or self._compile(x)
        return request.infer([x], share_inputs=True)[0]

    def _compile(self, x: np.ndarray) -> Any:
        core = openvino.Core()
        model = core.read_model(onnx_model(self.network, self.weights))
        model.reshape(list(x.shape))
        compiled = core.compile_model(model, "CPU", _settings)
        self.requests[len(x)] = compiled.create_infer_request()
        return self.requests[len(x)]


def use_threads(threads: int) -> None:
    """Set the number of threads of new models."""
    _settings["INFERENCE_NUM_THREADS"] = threads


def versions() -> dict[str, str]:
    """Package names and versions."""
    return {"openvino": openvino.__version__, "numpy": np.__version__}
