"""Softmax: turns the scores along the last axis into probabilities.

    y_i = e^(x_i) / sum over j of e^(x_j)

Adding the same number to all x does not change y; the largest x is shifted to 0, so that e^x does
not overflow. With dy_i/dx_j = y_i (1 if i = j else 0) - y_i y_j,

    dx_j = sum over i of dy_i * dy_i/dx_j = y_j (dy_j - sum over i of dy_i y_i).
"""

from __future__ import annotations

import numpy as np


def softmax_forward(x: np.ndarray) -> tuple[np.ndarray]:
    powers = np.exp(x - x.max(-1, keepdims=True))
    return (powers / powers.sum(-1, keepdims=True),)


def softmax_backward(dy: np.ndarray, y: np.ndarray) -> tuple[np.ndarray]:
    return (y * (dy - (dy * y).sum(-1, keepdims=True)),)
