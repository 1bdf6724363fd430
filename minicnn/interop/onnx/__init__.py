"""ONNX files: read into networks that can be trained, and written from them."""
