"""The loss of one image: the cross-entropy of the true class, and what its gradients start from.

After a softmax or a single sigmoid the loss is computed from the scores before it, as in training:
the probability of a class may be rounded to 0, and its logarithm would be infinite.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from minicnn.apps.explorer.problems import NO_LABEL, Problem
from minicnn.apps.explorer.recording import Recording
from minicnn.backends import kernel

# A kernel by its name: the engine's or the reference's.
FindKernel = Callable[[str], Callable[..., Any]]

FROM_SCORES = "softmax_sparse_categorical_crossentropy"
FROM_ONE_SCORE = "sigmoid_binary_crossentropy"
FROM_SHARES = "sparse_categorical_crossentropy"


class End(NamedTuple):
    """How the loss follows from a network's steps.

    `loss` is the name of its kernels and `step` the one whose result they read. `activation` is the
    softmax or sigmoid after this step, which the kernels include; None if they include none.
    """

    loss: str
    step: int
    activation: int | None = None


class Loss(NamedTuple):
    """The loss of one image, and its gradient by the result of `End.step`."""

    value: float
    end: End
    gradient: np.ndarray


def end_of(recording: Recording) -> End | None:
    """Return how the loss follows from the steps; None if the output is not a value per class."""
    last = recording.steps[recording.output]
    before = last.reads["x"].step if "x" in last.reads else None
    if len(last.shape) != 1:
        return None
    if last.name == "softmax" and before is not None:
        return End(FROM_SCORES, before, last.number)
    if last.name == "sigmoid" and last.shape == (1,) and before is not None:
        return End(FROM_ONE_SCORE, before, last.number)
    if last.shape == (1,):
        return None
    return End(FROM_SHARES if last.name in ("softmax", "sigmoid") else FROM_SCORES, last.number)


def loss_of(end: End | None, values: np.ndarray, label: int, find: FindKernel = kernel) -> Loss:
    """Return the loss of the true class.

    Parameters
    ----------
    end : how it follows from the steps
    values : (1, classes) result of `end.step`
    label : the number of the true class
    find : where kernels are from; default: the engine

    Raises
    ------
    Problem : `end` is None
    """
    if end is None:
        raise Problem("this network's output is not one value per class: it has no loss", NO_LABEL)
    one = np.ones(1, values.dtype)
    truth = np.array([label], np.int32)
    if end.loss == FROM_ONE_SCORE:
        truth = truth.astype(values.dtype).reshape(1, 1)
    loss, *shares = find(f"{end.loss}_forward")(values, truth, label_smoothing=0.0)
    read = shares[0] if shares else values
    (gradient,) = find(f"{end.loss}_backward")(one, read, truth, label_smoothing=0.0)
    return Loss(float(loss[0]), end, gradient)


def probabilities(recording: Recording, output: np.ndarray) -> np.ndarray:
    """Return one probability per class from the output without its batch axis: (classes,).

    One sigmoid is the probability of the second of two classes. The scores of a network that ends
    without an activation become probabilities by a softmax.
    """
    row = output.ravel()
    end = end_of(recording)
    if row.size == 1:
        return np.concatenate([1 - row, row])
    if end is not None and end.loss == FROM_SCORES and end.activation is None:
        return softmax(row)
    return row


def gradient_by_probability(output: np.ndarray, label: int) -> np.ndarray:
    """Return the gradient of -log p by the output of a softmax or of one sigmoid, of its shape.

    p is the probability of the true class. The loss has it only in formulas; see above.
    """
    gradient, smallest = np.zeros_like(output), np.finfo(output.dtype).tiny
    row = output.ravel()
    if row.size == 1:
        p = row[0] if label == 1 else 1 - row[0]
        gradient.ravel()[0] = (-1 if label == 1 else 1) / max(p, smallest)
    else:
        gradient.ravel()[label] = -1 / max(row[label], smallest)
    return gradient


def softmax(scores: np.ndarray) -> np.ndarray:
    """Return the probabilities of scores along the last axis."""
    powers = np.exp(scores - scores.max(-1, keepdims=True))
    shares: np.ndarray = powers / powers.sum(-1, keepdims=True)
    return shares
