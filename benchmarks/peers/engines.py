"""The engines that are compared, and what each needs to start."""

from __future__ import annotations

from typing import NamedTuple


class Engine(NamedTuple):
    """A module `with_...` of this folder, run in a process of its own."""

    module: str
    package: str  # what pip calls it; "." is minicnn
    environment: dict[str, str] = {}  # noqa: RUF012  (a constant)

    @property
    def is_ours(self) -> bool:
        """Is it minicnn?"""
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
