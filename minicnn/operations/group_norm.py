"""Normalization of each sample by its own statistics, whole or in groups of channels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minicnn.checks import check_array, check_choice, check_int, check_number, shape_text
from minicnn.errors import ArgumentError, ShapeError
from minicnn.operations.operation import Operation, Saved, gradients, run

STATISTICS = ("variance", "mean_square", "norm")


def _resolve(
    x: Any,
    gamma: Any = None,
    beta: Any = None,
    *,
    groups: int = 1,
    epsilon: float = 1e-3,
    statistic: str = "variance",
    sample_axis: int = 1,
    channel_axis: int = -1,
) -> dict[str, Any]:
    check_array(x, "x")
    axes = len(x.shape)
    sample = check_int(sample_axis, "sample_axis", 1)
    channel = check_int(channel_axis, "channel_axis", -axes)
    channel += axes if channel < 0 else 0
    if not sample <= channel < axes:
        raise ShapeError(
            f"x must have the axes {sample_axis} and {channel_axis}, in this order; got shape "
            f"{shape_text(x.shape)}"
        )
    channels = math.prod(x.shape[channel:])
    if channels % check_int(groups, "groups", 1):
        raise ArgumentError(f"groups must divide the number of channels, {channels}; got {groups}")
    for name, array in (("gamma", gamma), ("beta", beta)):
        _check_per_channel(array, name, tuple(x.shape[channel:]))
    return {
        "statistic": check_choice(statistic, "statistic", STATISTICS),
        "epsilon": check_number(epsilon, "epsilon", 0, open=True),
        "groups": int(groups),
        "sample_axis": int(sample),
        "channel_axis": int(channel),
    }


def _check_per_channel(array: Any, name: str, shape: tuple[int, ...]) -> None:
    if array is None:
        return
    check_array(array, name)
    if tuple(array.shape) != shape:
        raise ShapeError(
            f"{name} must have shape {shape_text(shape)}; got {shape_text(array.shape)}"
        )


GROUP_NORM = Operation("group_norm", _resolve, ("group_norm_backward",))


def group_norm(
    x: np.ndarray,
    gamma: np.ndarray | None = None,
    beta: np.ndarray | None = None,
    groups: int = 1,
    epsilon: float = 1e-3,
    *,
    statistic: str = "variance",
    sample_axis: int = 1,
    channel_axis: int = -1,
) -> tuple[np.ndarray, Saved]:
    """Bring each group of channels of each sample to mean 0 and variance 1, then to learned ones.

    y = gamma * (x - mean) / sqrt(variance + epsilon) + beta, with the mean and the variance of all
    values of the sample in the group

    Parameters
    ----------
    x : float32 array, (N, ..., C)
    gamma, beta : float32 arrays of the shape of x from channel_axis on, (C,); None for 1 and 0
    groups : how many groups the channels are divided into; default 1
    epsilon : a small number > 0; default 0.001
    statistic : "variance"; "mean_square", which subtracts no mean and divides by
        sqrt(mean of x^2 + epsilon); or "norm", which divides by max(sqrt(sum of x^2), epsilon).
        Default "variance"
    sample_axis : the axes from this one on are normalized together; default 1
    channel_axis : the axes from this one on have values of gamma and beta of their own; default -1

    Returns
    -------
    y : float32 array, the shape of x
    saved : Saved, for `group_norm_backward`

    Raises
    ------
    DTypeError : an array is not of floats
    ShapeError : x lacks an axis, or gamma or beta does not fit
    ArgumentError : groups does not divide the number of channels, or another argument is wrong

    References
    ----------
    Ba, Kiros, Hinton. Layer normalization. arXiv 1607.06450, 2016.
    Wu, He. Group normalization. ECCV 2018.
    Zhang, Sennrich. Root mean square layer normalization. NeurIPS 2019.

    Examples
    --------
    >>> x = np.array([[1, 3, 10, 30]], np.float32)
    >>> group_norm(x, groups=2, epsilon=1e-9)[0].round(3).tolist()
    [[-1.0, 1.0, -1.0, 1.0]]
    """
    return run(
        GROUP_NORM, x, gamma, beta, groups=groups, epsilon=epsilon, statistic=statistic,
        sample_axis=sample_axis, channel_axis=channel_axis,
    )  # fmt: skip


def group_norm_backward(dy: np.ndarray, saved: Saved) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (dx, dgamma, dbeta); the reference's file of this name has the derivation."""
    found = gradients(dy, saved)
    return found["dx"], found["dgamma"], found["dbeta"]
