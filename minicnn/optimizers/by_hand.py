"""An update by gradients that the caller has computed: the kernels that end a training step."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.backends import kernel
from minicnn.checks import shape_text
from minicnn.contracts import CONTRACTS
from minicnn.errors import ArgumentError, ShapeError

Pairs = list[tuple[np.ndarray, Any]]  # gradients, and their weights


def apply_by_hand(optimizer: Any, pairs: Pairs) -> None:
    """Clip the gradients, update each weight, and apply its constraint."""
    if optimizer.has_kinds:
        raise ArgumentError(
            "apply_gradients cannot add up gradients or keep averages of weights; train by fit, or "
            "give the optimizer no use_ema and no gradient_accumulation_steps"
        )
    for gradient, weight in pairs:
        if gradient.shape != tuple(weight.shape):
            raise ShapeError(
                f"{weight.name} has shape {shape_text(weight.shape)}; its gradient has "
                f"{shape_text(gradient.shape)}"
            )
    gradients = _clipped(optimizer, [gradient for gradient, _ in pairs])
    for gradient, (_, weight) in zip(gradients, pairs, strict=True):
        _update(optimizer, gradient, weight)
        if weight.constraint is not None:
            weight.assign(np.asarray(weight.constraint(weight.value)))


def _clipped(optimizer: Any, gradients: list[np.ndarray]) -> list[np.ndarray]:
    for name, limit in (
        ("clip_by_value", optimizer.clipvalue),
        ("clip_by_norm", optimizer.clipnorm),
    ):
        if limit is not None:
            gradients = [kernel(name)(dw, limit=limit)[0] for dw in gradients]
    if optimizer.global_clipnorm is None or not gradients:
        return gradients
    (total,) = kernel("squared_norm_start")(gradients[0])
    for dw in gradients[1:]:
        (total,) = kernel("squared_norm_add")(dw, total)
    limit = optimizer.global_clipnorm
    return [kernel("clip_by_global_norm")(dw, total, limit=limit)[0] for dw in gradients]


def _update(optimizer: Any, gradient: np.ndarray, weight: Any) -> None:
    contract = CONTRACTS[optimizer.kernel]
    if weight not in optimizer.arrays_by_hand:
        optimizer.arrays_by_hand[weight] = {
            name: np.full(weight.shape, value, np.float32)
            for name, value in optimizer.slots.items()
        }
    slots = optimizer.arrays_by_hand[weight]
    rates = optimizer.rates(optimizer.steps)
    known = {"w": weight.value, "dw": gradient, "rates": rates, **slots}
    attributes = optimizer.attributes(weight.multiplier, optimizer.decays(weight))
    reads = [known.get(name.rstrip("?")) for name in contract.reads]
    written = dict(
        zip(contract.writes, kernel(optimizer.kernel)(*reads, **attributes), strict=True)
    )
    weight.assign(written.pop("w"))
    slots |= {name: array for name, array in written.items() if array is not None}
