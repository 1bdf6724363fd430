"""Gradients by a convolution's input that go on through the ReLU which made it.

x = relu(z), y = conv2d(x):    dz = dx    where x > 0, else 0.

x tells where the gradient passes, and nobody needs it once dx is known: a fast engine writes dz in
its place, and saves the ReLU's own pass over two large images.
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
