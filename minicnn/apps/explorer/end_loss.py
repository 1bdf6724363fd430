"""The loss of one image: how it follows from the network's output, and its first gradients."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minicnn.apps.explorer.problems import NO_LABEL, Problem
from minicnn.apps.explorer.recording import Recording
from minicnn.backends import kernel

SMALLEST = np.finfo(np.float32).tiny  # a probability of 0 would have an infinite gradient


class Loss(NamedTuple):
    """The cross-entropy of the true class, and its gradients by some steps' results.

    `gradients` has them by the steps' numbers. Those that training starts from are in it, as one
    kernel computes them from the scores; `displayed` has the step that backpropagation passes over:
    the softmax or sigmoid at the end.
    """

    value: float
    gradients: dict[int, np.ndarray]
    displayed: int | None


def has_scores(recording: Recording) -> bool:
    """Return whether the network ends in a softmax, or in one sigmoid for two classes."""
    last = recording.steps[recording.output]
    return last.name == "softmax" or (last.name == "sigmoid" and last.shape == (1,))


def ends_in_sigmoid(recording: Recording) -> bool:
    """Return whether the network's last step is a sigmoid."""
    return recording.steps[recording.output].name == "sigmoid"


def probabilities(recording: Recording, output: np.ndarray) -> np.ndarray:
    """Return one probability per class from the output (1, classes), float32 (classes,).

    One sigmoid is the probability of the second of two classes. The scores of a network that ends
    without an activation become probabilities by a softmax.
    """
    row = output.reshape(-1)
    name = recording.steps[recording.output].name
    if row.size == 1:
        return np.concatenate([1 - row, row])
    if name in ("softmax", "sigmoid"):
        return row
    return kernel("softmax_forward")(row[None])[0][0]


def loss_of(recording: Recording, values: list[np.ndarray], x: np.ndarray, label: int) -> Loss:
    """Return the loss of the true class and the gradients that backpropagation starts from.

    Raises
    ------
    Problem : the network's output is not one value per class
    """
    last = recording.steps[recording.output]
    output = values[recording.output]
    if output.ndim != 2:
        raise Problem(f"a loss needs one value per class; the output is {last.shape}", NO_LABEL)
    if not has_scores(recording):
        return _loss_of_output(recording, output, label)
    before = last.reads["x"].step
    scores = x if before is None or before < 0 else values[before]
    if last.name == "softmax":
        loss, start = _softmax_loss(scores, label)
    else:
        loss, start = _sigmoid_loss(scores, label)
    start_at = -1 if before is None else before
    gradients = {start_at: start, recording.output: _by_probability(output, label)}
    return Loss(loss, gradients, recording.output)


def _softmax_loss(scores: np.ndarray, label: int) -> tuple[float, np.ndarray]:
    truth = np.array([label], np.int32)
    name = "softmax_sparse_categorical_crossentropy"
    loss, shares = kernel(f"{name}_forward")(scores, truth, label_smoothing=0.0)
    one = np.ones(1, np.float32)
    return float(loss[0]), kernel(f"{name}_backward")(one, shares, truth, label_smoothing=0.0)[0]


def _sigmoid_loss(score: np.ndarray, label: int) -> tuple[float, np.ndarray]:
    truth = np.array([[label]], np.float32)
    name = "sigmoid_binary_crossentropy"
    loss, share = kernel(f"{name}_forward")(score, truth, label_smoothing=0.0)
    one = np.ones(1, np.float32)
    return float(loss[0]), kernel(f"{name}_backward")(one, share, truth, label_smoothing=0.0)[0]


def _by_probability(output: np.ndarray, label: int) -> np.ndarray:
    """Return the gradient of -log p by the probabilities, p that of the true class."""
    gradient = np.zeros_like(output)
    if output.size == 1:
        p = output[0, 0] if label == 1 else 1 - output[0, 0]
        gradient[0, 0] = (-1 if label == 1 else 1) / max(p, SMALLEST)
    else:
        gradient[0, label] = -1 / max(output[0, label], SMALLEST)
    return gradient


def _loss_of_output(recording: Recording, output: np.ndarray, label: int) -> Loss:
    """Return the loss of a network that ends without an activation for classes."""
    last = recording.steps[recording.output]
    if output.size < 2:
        raise Problem(f"a loss needs one value per class; the output is {last.shape}", NO_LABEL)
    if last.name != "sigmoid":
        loss, start = _softmax_loss(output, label)
        return Loss(loss, {recording.output: start}, None)
    truth, one = np.array([label], np.int32), np.ones(1, np.float32)
    name = "sparse_categorical_crossentropy"
    loss = kernel(f"{name}_forward")(output, truth, label_smoothing=0.0)[0]
    start = kernel(f"{name}_backward")(one, output, truth, label_smoothing=0.0)[0]
    return Loss(float(loss[0]), {recording.output: start}, None)
