"""The fully connected layer: every output is a weighted sum of all inputs.

    y[n, j] = b[j] + sum over i of x[n, i] * w[i, j],    or    Y = X W + b.

The loss changes by dL = sum of dY * (dX W + X dW + db), so

    dX = dY W^T        dW = X^T dY        db[j] = sum over n of dy[n, j].

x may have more axes than (N, in): then every axis but the last counts as rows.

The kernels named bias_... add b[c] along the last axis of an array with any number of axes.
"""

from __future__ import annotations

import math

import numpy as np


def dense_forward(x: np.ndarray, w: np.ndarray, b: np.ndarray | None) -> tuple[np.ndarray]:
    y = x @ w
    return (y if b is None else y + b,)


def dense_backward_input(dy: np.ndarray, w: np.ndarray) -> tuple[np.ndarray]:
    return (dy @ w.T,)


def dense_backward_weights(dy: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    (db,) = bias_backward_bias(dy)
    rows = math.prod(dy.shape[:-1])
    return x.reshape(rows, x.shape[-1]).T @ dy.reshape(rows, dy.shape[-1]), db


def bias_forward(x: np.ndarray, b: np.ndarray) -> tuple[np.ndarray]:
    return (x + b,)


def bias_backward_input(dy: np.ndarray) -> tuple[np.ndarray]:
    return (dy.copy(),)


def bias_backward_bias(dy: np.ndarray) -> tuple[np.ndarray]:
    every_axis_but_the_last = tuple(range(dy.ndim - 1))
    return (dy.sum(every_axis_but_the_last, dtype=np.float64).astype(dy.dtype),)
