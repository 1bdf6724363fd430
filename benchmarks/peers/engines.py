"""The engines to compare, and what each needs to start."""

from __future__ import annotations

from typing import NamedTuple


class Engine(NamedTuple):
    """An engine: a module `with_...` of this folder that runs in its own process."""

    module: str
    package: str  # name for pip; "." is minicnn
    environment: dict[str, str] = {}  # noqa: RUF012  (a constant)

    @property
    def is_ours(self) -> bool:
        """Whether the engine is one of minicnn's."""
        return self.package == "."


ENGINES = {
    "native": Engine("with_minicnn", ".", {"MINICNN_BACKEND": "native"}),
    "native-avx2": Engine(
        "with_minicnn", ".", {"MINICNN_BACKEND": "native", "MINICNN_ISA": "avx2"}
    ),
    "numpy": Engine("with_minicnn", ".", {"MINICNN_BACKEND": "numpy"}),
    "tensorflow": Engine("with_tensorflow", "tensorflow"),
    "keras": Engine("with_keras", "tensorflow"),
    "torch": Engine("with_torch", "torch"),
    "jax": Engine("with_jax", "jax"),
    "onnxruntime": Engine("with_onnxruntime", "onnxruntime onnx"),
    "openvino": Engine("with_openvino", "openvino onnx"),
}
OURS = tuple(name for name, engine in ENGINES.items() if engine.is_ours)
PEERS = tuple(name for name, engine in ENGINES.items() if not engine.is_ours)
