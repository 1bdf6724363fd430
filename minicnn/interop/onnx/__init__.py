"""ONNX: networks of other programs in, and networks for other programs out."""
