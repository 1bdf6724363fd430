"""Convolution and ReLU, fused: y = relu(conv2d(x)).

The ReLU's mask is computed from y, so the convolution's own output is not stored.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.backends.numpy.activations import relu_backward, relu_forward
from minicnn.backends.numpy.conv2d import (
    conv2d_backward_input,
    conv2d_backward_weights,
    conv2d_forward,
)


def conv2d_relu_forward(
    x: np.ndarray, w: np.ndarray, b: np.ndarray | None, **attributes: Any
) -> tuple[np.ndarray]:
    (z,) = conv2d_forward(x, w, b, **attributes)
    return relu_forward(z)


def conv2d_relu_backward_input(
    dy: np.ndarray, y: np.ndarray, w: np.ndarray, **attributes: Any
) -> tuple[np.ndarray]:
    (dz,) = relu_backward(dy, y)
    return conv2d_backward_input(dz, w, **attributes)


def conv2d_relu_backward_weights(
    dy: np.ndarray, y: np.ndarray, x: np.ndarray, **attributes: Any
) -> tuple[np.ndarray, np.ndarray]:
    (dz,) = relu_backward(dy, y)
    return conv2d_backward_weights(dz, x, **attributes)
