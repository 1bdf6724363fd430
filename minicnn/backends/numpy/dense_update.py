"""The gradient of a dense layer's weights, fused with the optimizer's update of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn.backends.numpy import optimizers
from minicnn.backends.numpy.dense import dense_backward_weights
from minicnn.contracts import DENSE_UPDATES

Kernel = Callable[..., tuple[Any, ...]]


def _after_gradient(update: Kernel) -> Kernel:
    """The kernel that computes a dense layer's gradient, and moves its weights by `update`."""

    def dense_update(
        w: np.ndarray, dy: np.ndarray, x: np.ndarray, *slots: Any, **attributes: Any
    ) -> tuple[Any, ...]:
        dw, _ = dense_backward_weights(dy, x)
        return update(w, dw, *slots, **attributes)

    return dense_update


KERNELS = {
    fused: _after_gradient(optimizers.KERNELS[update]) for update, fused in DENSE_UPDATES.items()
}
