"""A dense layer's gradient and its use in one: `dense_backward_weights`, then the update."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.backends.numpy.dense import dense_backward_weights
from minicnn.backends.numpy.optimizers import adam_update, rmsprop_update, sgd_update

Arrays = tuple[np.ndarray | None, ...]


def dense_sgd_update(
    w: np.ndarray, dy: np.ndarray, x: np.ndarray, *slots: Any, **attributes: Any
) -> Arrays:
    dw, _ = dense_backward_weights(dy, x)
    return sgd_update(w, dw, *slots, **attributes)


def dense_adam_update(
    w: np.ndarray, dy: np.ndarray, x: np.ndarray, *slots: Any, **attributes: Any
) -> Arrays:
    dw, _ = dense_backward_weights(dy, x)
    return adam_update(w, dw, *slots, **attributes)


def dense_rmsprop_update(
    w: np.ndarray, dy: np.ndarray, x: np.ndarray, *slots: Any, **attributes: Any
) -> Arrays:
    dw, _ = dense_backward_weights(dy, x)
    return rmsprop_update(w, dw, *slots, **attributes)
