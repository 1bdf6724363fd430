"""Convolution, activation and max pooling, fused.

This is y = max_pool2d(activation(conv2d(x))), and its gradient is composed of the three gradients:
from the pooled image to the positions of the maxima, through the activation, into the convolution.

If all cells of a window are 0 after ReLU, no gradient passes it, and the argmax is NO_MAXIMUM. So
the gradient needs neither the image before pooling, which a fast engine never stores, nor y.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.backends.numpy.activations import relu_forward
from minicnn.backends.numpy.batch_norm import moments_of
from minicnn.backends.numpy.conv2d import (
    conv2d_backward_input,
    conv2d_backward_weights,
    conv2d_forward,
)
from minicnn.backends.numpy.pool import max_pool2d_backward, max_pool2d_forward
from minicnn.shapes import Pair, Window2D

NO_MAXIMUM = 255  # the argmax of a window without a positive value


def conv2d_max_pool2d_forward(
    x: np.ndarray,
    w: np.ndarray,
    b: np.ndarray | None,
    *,
    window: Window2D,
    image: Pair,
    pool: Window2D,
    activation: str,
    **rest: Any,
) -> tuple[np.ndarray, np.ndarray]:
    (z,) = conv2d_forward(x, w, b, window=window, image=image, **rest)
    if activation == "relu":
        (z,) = relu_forward(z)
    y, argmax = max_pool2d_forward(z, window=pool, image=window.out_hw(image))
    if activation == "relu":
        argmax = np.where(y > 0, argmax, NO_MAXIMUM)
    return y, argmax.astype(np.uint8)


def conv2d_max_pool2d_moments_forward(
    x: np.ndarray, w: np.ndarray, b: np.ndarray | None, **attributes: Any
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    y, argmax = conv2d_max_pool2d_forward(x, w, b, **attributes)
    return y, argmax, moments_of(y)


def conv2d_max_pool2d_backward_input(
    dy: np.ndarray, argmax: np.ndarray, w: np.ndarray, **attributes: Any
) -> tuple[np.ndarray]:
    dz, rest = _before_pooling(dy, argmax, **attributes)
    return conv2d_backward_input(dz, w, **rest)


def conv2d_max_pool2d_backward_weights(
    dy: np.ndarray, argmax: np.ndarray, x: np.ndarray, **attributes: Any
) -> tuple[np.ndarray, np.ndarray]:
    dz, rest = _before_pooling(dy, argmax, **attributes)
    return conv2d_backward_weights(dz, x, **rest)


def _before_pooling(
    dy: np.ndarray,
    argmax: np.ndarray,
    *,
    window: Window2D,
    image: Pair,
    pool: Window2D,
    activation: str,  # not used: argmax includes its mask
    **rest: Any,
) -> tuple[np.ndarray, dict[str, Any]]:
    """Return the gradient of the convolution's output, and the convolution's attributes."""
    (dz,) = max_pool2d_backward(dy, argmax, window=pool, image=window.out_hw(image))
    return dz, {"window": window, "image": image, **rest}
