"""What `mc.load_model` and `model.save` call for ONNX files."""

from minicnn.interop.onnx.reader import read_model

__all__ = ["read_model"]
