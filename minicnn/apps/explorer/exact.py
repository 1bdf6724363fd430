"""The end of a pass in float64: its probabilities, its loss and the first gradients."""

from __future__ import annotations

import numpy as np

from minicnn.apps.explorer import end_loss
from minicnn.apps.explorer.end_loss import FROM_ONE_SCORE, Loss
from minicnn.apps.explorer.forward_pass import Pass
from minicnn.backends.numpy.kernels import find_kernel


def loss(one: Pass) -> Loss:
    """Return the loss of the true class in float64."""
    end = one.need_label().end
    values = one.batch(end.step).astype(np.float64)
    return end_loss.loss_of(end, values, one.label or 0, find_kernel)


def output(one: Pass) -> np.ndarray:
    """Return the network's output (classes,) in float64: from the scores before it, if it can."""
    end = one.need_label().end
    values = one.value(end.step).astype(np.float64)
    if end.activation is None:
        return values
    shares: np.ndarray = (
        1 / (1 + np.exp(-values)) if end.loss == FROM_ONE_SCORE else end_loss.softmax(values)
    )
    return shares


def probabilities(one: Pass) -> np.ndarray:
    """Return one probability per class in float64."""
    return end_loss.probabilities(one.recording, output(one))


def gradient(one: Pass, step: int) -> np.ndarray:
    """Return the gradient of the loss by a step's result in float64.

    That by probabilities is computed from the scores: in float32 1/p is infinite for a small p.
    """
    if one.need_label().end.activation == step:
        return end_loss.gradient_by_probability(output(one), one.label or 0)
    return one.gradient(step).astype(np.float64)
