"""What all optimizers share: the rates of one weight, and weight decay."""

from __future__ import annotations

import numpy as np


def own_rates(w: np.ndarray, rates: np.ndarray, multiplier: float) -> np.ndarray:
    """Return the two rates of this weight, in its dtype."""
    return rates.astype(w.dtype) * w.dtype.type(multiplier)


def with_decay(
    w: np.ndarray, dw: np.ndarray, rate: np.floating, weight_decay: float, decoupled: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return the weight and the gradient, with weight decay applied."""
    if not weight_decay:
        return w, dw
    weight_decay = w.dtype.type(weight_decay)
    return (w - rate * weight_decay * w, dw) if decoupled else (w, dw + weight_decay * w)
