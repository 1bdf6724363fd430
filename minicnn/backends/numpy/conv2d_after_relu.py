"""Gradients of a convolution's input, fused with the gradient of the ReLU that computed it.

x = relu(z), y = conv2d(x):    dz = dx    where x > 0, else 0.

x is the ReLU's mask, and nothing else needs it after dx is computed: a fast engine writes dz to the
memory of x, and saves the ReLU's own pass over two large images.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.backends.numpy.activations import relu_backward
from minicnn.backends.numpy.conv2d import conv2d_backward_input
from minicnn.backends.numpy.conv2d_max_pool2d import conv2d_max_pool2d_backward_input
from minicnn.backends.numpy.conv2d_relu import conv2d_relu_backward_input


def conv2d_backward_input_relu(
    dy: np.ndarray, w: np.ndarray, x: np.ndarray, **attributes: Any
) -> tuple[np.ndarray]:
    return relu_backward(*conv2d_backward_input(dy, w, **attributes), x)


def conv2d_max_pool2d_backward_input_relu(
    dy: np.ndarray, argmax: np.ndarray, w: np.ndarray, x: np.ndarray, **attributes: Any
) -> tuple[np.ndarray]:
    return relu_backward(*conv2d_max_pool2d_backward_input(dy, argmax, w, **attributes), x)


def conv2d_relu_backward_input_relu(
    dy: np.ndarray, y: np.ndarray, w: np.ndarray, x: np.ndarray, **attributes: Any
) -> tuple[np.ndarray]:
    return relu_backward(*conv2d_relu_backward_input(dy, y, w, **attributes), x)
