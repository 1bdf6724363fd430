"""Convolution, activation and max pooling as one operation.

It *is* the composition y = max_pool2d(activation(conv2d(x))), and so is its gradient: from the
pooled image to the winners, through the activation, and into the convolution.

A maximum of ReLUs is positive exactly when its winner was, so the activation's gradient can be
taken at the pooled image: the un-pooled one is not needed, and a fast engine never makes it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.backends.numpy.activations import relu_backward, relu_forward
from minicnn.backends.numpy.batch_norm import moments_of
from minicnn.backends.numpy.conv2d import (
    conv2d_backward_input,
    conv2d_backward_weights,
    conv2d_forward,
)
from minicnn.backends.numpy.pool import max_pool2d_backward, max_pool2d_forward
from minicnn.shapes import Pair, Window2D


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
    y, winner = max_pool2d_forward(z, window=pool, image=window.out_hw(image))
    return y, winner.astype(np.uint8)


def conv2d_max_pool2d_moments_forward(
    x: np.ndarray, w: np.ndarray, b: np.ndarray | None, **attributes: Any
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    y, winner = conv2d_max_pool2d_forward(x, w, b, **attributes)
    return y, winner, moments_of(y)


def conv2d_max_pool2d_backward_input(
    dy: np.ndarray, y: np.ndarray, winner: np.ndarray, w: np.ndarray, **attributes: Any
) -> tuple[np.ndarray]:
    dz, rest = _before_pooling(dy, y, winner, **attributes)
    return conv2d_backward_input(dz, w, **rest)


def conv2d_max_pool2d_backward_weights(
    dy: np.ndarray, y: np.ndarray, winner: np.ndarray, x: np.ndarray, **attributes: Any
) -> tuple[np.ndarray, np.ndarray]:
    dz, rest = _before_pooling(dy, y, winner, **attributes)
    return conv2d_backward_weights(dz, x, **rest)


def _before_pooling(
    dy: np.ndarray,
    y: np.ndarray,
    winner: np.ndarray,
    *,
    window: Window2D,
    image: Pair,
    pool: Window2D,
    activation: str,
    **rest: Any,
) -> tuple[np.ndarray, dict[str, Any]]:
    """The gradient by the convolution's output, and the convolution's own attributes."""
    if activation == "relu":
        (dy,) = relu_backward(dy, y)
    (dz,) = max_pool2d_backward(dy, winner, window=pool, image=window.out_hw(image))
    return dz, {"window": window, "image": image, **rest}
