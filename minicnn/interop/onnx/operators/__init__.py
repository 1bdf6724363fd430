"""ONNX's operators, each as a function of our layers and of `minicnn.ops`."""

from minicnn.interop.onnx.operators import (
    arranging,
    constants,
    convolution,
    elementwise,
    indexing,
    linear,
    normalization,
    pooling,
    reducing,
    reshaping,
    resizing,
)
from minicnn.interop.onnx.operators.registry import OPERATORS

__all__ = [
    "OPERATORS",
    "arranging",
    "constants",
    "convolution",
    "elementwise",
    "indexing",
    "linear",
    "normalization",
    "pooling",
    "reducing",
    "reshaping",
    "resizing",
]
