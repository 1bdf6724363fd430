"""The table: every kernel's name and function. `minicnn/contracts.py` says what each reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn.backends.kernel_tables import named_in_contracts
from minicnn.backends.numpy import (
    activations,
    augment,
    batch_norm,
    batch_norm_dropout,
    clipping,
    conv2d,
    conv2d_after_relu,
    conv2d_max_pool2d,
    conv2d_relu,
    dense,
    dense_update,
    dropout,
    elementwise,
    fold_batch_norm,
    global_pool,
    local_response_norm,
    losses,
    optimizers,
    pad,
    pool,
    softmax,
)

Kernel = Callable[..., tuple[Any, ...]]

MODULES = (
    activations,
    augment,
    batch_norm,
    batch_norm_dropout,
    clipping,
    conv2d,
    conv2d_after_relu,
    conv2d_max_pool2d,
    conv2d_relu,
    dense,
    dense_update,
    dropout,
    elementwise,
    fold_batch_norm,
    global_pool,
    local_response_norm,
    losses,
    optimizers,
    pad,
    pool,
    softmax,
)


def _quiet(kernel: Kernel) -> Kernel:
    """In every engine NaN and infinity are results, to be looked for there, and not warnings."""
    return np.errstate(all="ignore")(kernel)


KERNELS: dict[str, Kernel] = {
    name: _quiet(kernel)
    for module in MODULES
    for name, kernel in named_in_contracts(module).items()
}
