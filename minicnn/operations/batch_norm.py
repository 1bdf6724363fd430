"""Batch normalization: by the batch's statistics in training, by moving averages at inference."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.checks import check_last_axis, check_number, check_per_channel
from minicnn.operations.operation import Operation, Saved, gradients, run


def _check_arrays(x: Any, gamma: Any, beta: Any, mean: Any, variance: Any) -> None:
    check_last_axis(x, "x")
    arrays = {"gamma": gamma, "beta": beta, "moving_mean": mean, "moving_variance": variance}
    check_per_channel(x, arrays)


def _resolve_training(
    x: Any,
    gamma: Any,
    beta: Any,
    moving_mean: Any,
    moving_variance: Any,
    moments: Any | None = None,
    *,
    momentum: float = 0.99,
    epsilon: float = 1e-3,
) -> dict[str, Any]:
    _check_arrays(x, gamma, beta, moving_mean, moving_variance)
    return {
        "momentum": check_number(momentum, "momentum", 0, 1),
        "epsilon": check_number(epsilon, "epsilon", 0, open=True),
    }


def _resolve_inference(
    x: Any,
    gamma: Any,
    beta: Any,
    moving_mean: Any,
    moving_variance: Any,
    *,
    epsilon: float = 1e-3,
) -> dict[str, Any]:
    _check_arrays(x, gamma, beta, moving_mean, moving_variance)
    return {"epsilon": check_number(epsilon, "epsilon", 0, open=True)}


BATCH_NORM_TRAINING = Operation(
    "batch_norm_training", _resolve_training, ("batch_norm_training_backward",)
)
BATCH_NORM_INFERENCE = Operation(
    "batch_norm_inference", _resolve_inference, ("batch_norm_inference_backward",)
)


def batch_norm_training(
    x: np.ndarray,
    gamma: np.ndarray,
    beta: np.ndarray,
    moving_mean: np.ndarray,
    moving_variance: np.ndarray,
    *,
    momentum: float = 0.99,
    epsilon: float = 1e-3,
) -> tuple[np.ndarray, Saved]:
    """Normalize each channel to mean beta and standard deviation gamma, by this batch's statistics.

    mean[c], variance[c] = mean and biased variance of x[..., c], over all axes but the last
    y[..., c] = gamma[c] * (x[..., c] - mean[c]) / sqrt(variance[c] + epsilon) + beta[c]
    moving = momentum * moving + (1 - momentum) * the batch's, for mean and variance

    Parameters
    ----------
    x : float32 array, (N, ..., C)
    gamma, beta : float32 arrays, (C,)
    moving_mean, moving_variance : float32 arrays, (C,): the moving averages so far
    momentum : weight of the old moving averages; default 0.99
    epsilon : added to the variance, so that the divisor is not 0; default 1e-3

    Returns
    -------
    y : float32 array, the shape of x
    saved : Saved, for `batch_norm_training_backward`; `saved.updates` has the new "moving_mean"
        and "moving_variance". The arrays that were passed are not changed

    Raises
    ------
    DTypeError : an array is not of floats
    ShapeError : an array does not have one value per channel
    ArgumentError : momentum is not in [0, 1), or epsilon not positive

    References
    ----------
    Ioffe, Szegedy. Batch normalization: accelerating deep network training by reducing internal
    covariate shift. ICML 2015.

    Examples
    --------
    >>> zero, one = np.zeros(1, np.float32), np.ones(1, np.float32)
    >>> x = np.array([[1], [5]], np.float32)
    >>> y, saved = batch_norm_training(x, one, zero, zero, one, momentum=0.5)
    >>> y.round(2).tolist(), saved.updates["moving_mean"].tolist()
    ([[-1.0], [1.0]], [1.5])
    """
    reads = (x, gamma, beta, moving_mean, moving_variance, None)
    return run(BATCH_NORM_TRAINING, *reads, momentum=momentum, epsilon=epsilon)


def batch_norm_training_backward(
    dy: np.ndarray, saved: Saved
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (dx, dgamma, dbeta); dx includes the paths through the batch's mean and variance."""
    found = gradients(dy, saved)
    return found["dx"], found["dgamma"], found["dbeta"]


def batch_norm_inference(
    x: np.ndarray,
    gamma: np.ndarray,
    beta: np.ndarray,
    moving_mean: np.ndarray,
    moving_variance: np.ndarray,
    *,
    epsilon: float = 1e-3,
) -> tuple[np.ndarray, Saved]:
    """Normalize each channel by fixed statistics: those that training gathered.

    y[..., c] = gamma[c] * (x[..., c] - moving_mean[c]) / sqrt(moving_variance[c] + epsilon)
                + beta[c]

    Parameters
    ----------
    x : float32 array, (N, ..., C)
    gamma, beta, moving_mean, moving_variance : float32 arrays, (C,)
    epsilon : as in training; default 1e-3

    Returns
    -------
    y : float32 array, the shape of x
    saved : Saved, for `batch_norm_inference_backward`

    Raises
    ------
    DTypeError : an array is not of floats
    ShapeError : an array does not have one value per channel
    ArgumentError : epsilon is not positive

    References
    ----------
    Ioffe, Szegedy. Batch normalization: accelerating deep network training by reducing internal
    covariate shift. ICML 2015.

    Examples
    --------
    >>> two, one = np.full(1, 2, np.float32), np.ones(1, np.float32)
    >>> x = np.array([[2], [6]], np.float32)
    >>> batch_norm_inference(x, one, one, two, 4 * one, epsilon=1e-9)[0].round(3).tolist()
    [[1.0], [3.0]]
    """
    reads = (x, gamma, beta, moving_mean, moving_variance)
    return run(BATCH_NORM_INFERENCE, *reads, epsilon=epsilon)


def batch_norm_inference_backward(
    dy: np.ndarray, saved: Saved
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (dx, dgamma, dbeta); the moving averages are constants."""
    found = gradients(dy, saved)
    return found["dx"], found["dgamma"], found["dbeta"]
