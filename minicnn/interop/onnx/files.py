"""What `mc.load_model` and `model.save` call for ONNX files."""

from __future__ import annotations

from minicnn.interop.onnx.reader import read_model
from minicnn.interop.onnx.writer import write_model

__all__ = ["read_model", "write_model"]
