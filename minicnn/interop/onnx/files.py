"""ONNX files: what `load_model` and `save` call."""

from __future__ import annotations

from minicnn.interop.onnx.writer import write_model

__all__ = ["write_model"]
