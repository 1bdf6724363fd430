"""The transposed convolution: what a convolution does backward, forward.

Let conv2d map images Y to images X by X = A(w) Y, which is linear. Then the transposed convolution
is y = A(w)^T x, that is conv2d's gradient by its input, so

    dx = A(w) dy,    the convolution of dy,

and the loss changes by dy . A(dw)^T x = (A(dw) dy) . x, which is the change of a convolution of dy
whose result has the gradient x: dw is conv2d's gradient by its weights, with these two.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.backends.numpy.conv2d import (
    conv2d_backward_input,
    conv2d_backward_weights,
    conv2d_forward,
)


def conv2d_transpose_forward(x: np.ndarray, w: np.ndarray, **attributes: Any) -> tuple[np.ndarray]:
    return conv2d_backward_input(x, w, **attributes)


def conv2d_transpose_backward_input(
    dy: np.ndarray, w: np.ndarray, **attributes: Any
) -> tuple[np.ndarray]:
    return conv2d_forward(dy, w, None, **attributes)


def conv2d_transpose_backward_weights(
    x: np.ndarray, dy: np.ndarray, **attributes: Any
) -> tuple[np.ndarray]:
    return conv2d_backward_weights(x, dy, **attributes)[:1]
