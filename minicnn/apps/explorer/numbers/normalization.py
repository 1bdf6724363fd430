"""Normalization: batch norm, which is fixed after training; of groups of values; of neighbors."""

from __future__ import annotations

import math

import numpy as np

from minicnn.apps.explorer.numbers.parts import (
    NORMALIZATION,
    Applied,
    Explanation,
    Family,
    Influence,
    Terms,
    counted,
    full,
    places,
    places_at,
    shown,
)
from minicnn.contracts import Shape

STATISTICS = ("moving_mean", "moving_variance")


# --- batch normalization ----------------------------------------------------------------------


def _channel(applied: Applied, channel: int) -> dict[str, float]:
    """Return the numbers of one channel: gamma, beta, mean, variance, epsilon, 1 / deviation."""
    found = {name: float(applied.arrays[name][channel]) for name in ("gamma", "beta")}
    mean, variance = (float(applied.arrays[name][channel]) for name in STATISTICS)
    epsilon = float(applied.attributes["epsilon"])
    inverse = 1 / math.sqrt(variance + epsilon)
    return {**found, "mean": mean, "variance": variance, "epsilon": epsilon, "inverse_std": inverse}


def _explain_batch_norm(applied: Applied, place: Shape) -> Explanation:
    channel = _channel(applied, place[-1])
    x = float(applied.image()[place])
    x_hat = (x - channel["mean"]) * channel["inverse_std"]
    total = channel["gamma"] * x_hat + channel["beta"]
    text = (
        f"{shown(x)} minus the mean {shown(channel['mean'])} of this map in training, divided by "
        f"the standard deviation {shown(1 / channel['inverse_std'])}, is {shown(x_hat)}; times "
        f"gamma {shown(channel['gamma'])}, plus beta {shown(channel['beta'])}, it is "
        f"{shown(total)}."
    )
    formula = {"name": "batch_norm", "x": x, "x_hat": x_hat, **channel}
    return Explanation(NORMALIZATION, total, text, _one_term(place, x, total), formula)


def _influence_batch_norm(applied: Applied, name: str, place: Shape) -> Influence:
    if name in STATISTICS:
        return Influence(np.zeros((0, applied.result.ndim - 1), np.int32), np.zeros(0))
    if name in ("gamma", "beta"):
        return _of_channel(applied, name, place[0])
    place = full(applied.arrays["x"], place)[1:]
    channel = _channel(applied, place[-1])
    factor = channel["gamma"] * channel["inverse_std"]
    return Influence(places(*place), np.array([factor]), None, "gamma / standard deviation")


def _of_channel(applied: Applied, name: str, channel: int) -> Influence:
    """Return where gamma or beta of a channel goes: all places of its map."""
    numbers, x = _channel(applied, channel), applied.image()[..., channel].astype(np.float64)
    at = places(*(a.ravel() for a in np.indices(x.shape)), channel)
    if name == "beta":
        return Influence(at, np.ones(len(at)), None, "1, as beta is added")
    x_hat = (x - numbers["mean"]) * numbers["inverse_std"]
    return Influence(at, x_hat.ravel(), at, "the normalized value")


def _one_term(place: Shape, x: float, total: float) -> Terms:
    return Terms(places(*place), np.array([x], np.float32), np.array([total]))


# --- groups: layer norm, group norm, unit norm ------------------------------------------------


class _Group:
    """The group of values that one value is normalized with."""

    def __init__(self, applied: Applied, place: Shape) -> None:
        attributes = applied.attributes
        self.statistic, self.epsilon = attributes["statistic"], float(attributes["epsilon"])
        self.axes: int = attributes["channel_axis"]
        shape = applied.arrays["x"].shape
        self.grouped = _grouped_shape(applied)
        numbers = np.arange(math.prod(shape)).reshape(self.grouped)
        whole = np.unravel_index(np.ravel_multi_index(full(applied.arrays["x"], place), shape),
                                 self.grouped)  # fmt: skip
        self.members = numbers[whole[0], :, whole[2]].ravel()
        self.number = int(np.ravel_multi_index(full(applied.arrays["x"], place), shape))
        values = applied.arrays["x"].ravel()[self.members].astype(np.float64)
        self.mean = values.mean() if self.statistic == "variance" else 0.0
        square = ((values - self.mean) ** 2).sum()
        self.is_clipped = self.statistic == "norm" and math.sqrt(square) <= self.epsilon
        self.inverse = self._inverse(square, len(values))
        self.normal = (values - self.mean) * self.inverse
        self.gamma = _of_members(applied, "gamma", self.members, 1.0)
        self.beta = _of_members(applied, "beta", self.members, 0.0)
        self.index = int(np.flatnonzero(self.members == self.number)[0])

    def _inverse(self, square: float, count: int) -> float:
        if self.statistic == "norm":
            return 1 / max(math.sqrt(square), self.epsilon)
        return 1 / math.sqrt(square / count + self.epsilon)

    def slopes(self) -> np.ndarray:
        """Return the derivatives of all members' results by the value."""
        count = len(self.members)
        direct = (np.arange(count) == self.index).astype(np.float64)
        through_mean = 1 / count if self.statistic == "variance" else 0.0
        through_scale = self.normal * self.normal[self.index]
        through_scale *= 0.0 if self.is_clipped else 1.0 if self.statistic == "norm" else 1 / count
        return self.gamma * self.inverse * (direct - through_mean - through_scale)


def _grouped_shape(applied: Applied) -> tuple[int, int, int, int]:
    shape, attributes = applied.arrays["x"].shape, applied.attributes
    rows = math.prod(shape[: attributes["sample_axis"]])
    positions = math.prod(shape[attributes["sample_axis"] : attributes["channel_axis"]])
    groups = attributes["groups"]
    return rows, positions, groups, math.prod(shape[attributes["channel_axis"] :]) // groups


def _of_members(applied: Applied, name: str, members: np.ndarray, usual: float) -> np.ndarray:
    """Return gamma or beta of each member of a group."""
    values = applied.arrays.get(name)
    if values is None:
        return np.full(len(members), usual)
    return values.ravel()[members % values.size].astype(np.float64)


def _explain_group(applied: Applied, place: Shape) -> Explanation:
    group = _Group(applied, place)
    x = float(applied.arrays["x"].ravel()[group.number])
    x_hat = float(group.normal[group.index])
    gamma, beta = float(group.gamma[group.index]), float(group.beta[group.index])
    total = gamma * x_hat + beta
    text = (
        f"{shown(x)} minus {shown(group.mean)}, times {shown(group.inverse)}, is {shown(x_hat)}. "
        f"The numbers {shown(group.mean)} and {shown(group.inverse)} are computed from the "
        f"{counted(len(group.members), 'value')} of its group. Times gamma {shown(gamma)}, plus "
        f"beta {shown(beta)}, the result is {shown(total)}."
    )
    formula = {
        "name": "group_norm", "x": x, "x_hat": x_hat, "mean": group.mean, "gamma": gamma,
        "beta": beta, "inverse_std": group.inverse, "terms": len(group.members),
    }  # fmt: skip
    return Explanation(NORMALIZATION, total, text, _one_term(place, x, total), formula)


def _influence_group(applied: Applied, name: str, place: Shape) -> Influence:
    if name in ("gamma", "beta"):
        return _of_group_weight(applied, name, place)
    group = _Group(applied, place)
    at = places_at(group.members, applied.result.shape)
    return Influence(
        at, group.slopes(), None,
        "the slope, as every value of the group moves its mean and deviation",
    )  # fmt: skip


def _of_group_weight(applied: Applied, name: str, place: Shape) -> Influence:
    """Return where one gamma or beta goes: all values of its channel."""
    weights, x = applied.arrays[name], applied.arrays["x"]
    number = int(np.ravel_multi_index(place, weights.shape))
    members = np.arange(number, x.size, weights.size)
    at = places_at(members, x.shape)
    if name == "beta":
        return Influence(at, np.ones(len(at)), None, "1, as beta is added")
    groups = _grouped_shape(applied)
    of_group = np.unravel_index(members, groups)
    inverse, mean = (
        applied.arrays[one].reshape(groups[0], groups[2])[of_group[0], of_group[2]]
        for one in ("inverse_std", "mean")
    )
    normal = (x.ravel()[members].astype(np.float64) - mean) * inverse
    return Influence(at, normal, at, "the normalized value")


# --- local response normalization -------------------------------------------------------------


def _neighbors(applied: Applied, channel: int, *, mirrored: bool = False) -> np.ndarray:
    """Return the channels around one; mirrored: those that have it as a neighbor."""
    size = applied.attributes["size"]
    before = (size - 1) // 2
    first, last = (channel - before, channel + size - 1 - before)
    if mirrored:
        first, last = channel - (size - 1 - before), channel + before
    return np.arange(max(first, 0), min(last, applied.result.shape[-1] - 1) + 1)


def _explain_local(applied: Applied, place: Shape) -> Explanation:
    alpha, beta, k = (float(applied.attributes[name]) for name in ("alpha", "beta", "k"))
    channels = _neighbors(applied, place[-1])
    seen = applied.image()[place[:-1]][channels].astype(np.float64)
    factor = alpha / applied.attributes["size"]
    at = places(*place[:-1], channels)
    terms = Terms(at, seen, factor * seen**2, None, factor * seen)
    scale, x = k + terms.total, float(applied.image()[place])
    total = x * scale**-beta
    text = (
        f"{shown(x)} times {shown(scale)} to the power of {shown(-beta)} is {shown(total)}; "
        f"{shown(scale)} is {shown(k)} plus {shown(factor)} times the squares of "
        f"{counted(len(channels), 'neighboring map')} here."
    )
    formula = {"name": "local_response_norm", "x": x, "scale": scale, "alpha": alpha, "beta": beta,
               "k": k, "size": applied.attributes["size"]}  # fmt: skip
    return Explanation(NORMALIZATION, total, text, terms, formula)


def _influence_local(applied: Applied, _name: str, place: Shape) -> Influence:
    place = full(applied.arrays["x"], place)[1:]
    alpha, beta = (float(applied.attributes[name]) for name in ("alpha", "beta"))
    channels = _neighbors(applied, place[-1], mirrored=True)
    at = places(*place[:-1], channels)
    x = float(applied.image()[place])
    scale = applied.arrays["scale"][0][place[:-1]][channels].astype(np.float64)
    seen = applied.image()[place[:-1]][channels].astype(np.float64)
    slopes = -2 * alpha * beta / applied.attributes["size"] * x * seen * scale ** (-beta - 1)
    slopes += (channels == place[-1]) * scale**-beta
    return Influence(at, slopes, None, "the slope: the value itself, and its part in the scale")


BATCH_NORM = Family(_explain_batch_norm, _influence_batch_norm)
GROUP_NORM = Family(_explain_group, _influence_group)
LOCAL_RESPONSE_NORM = Family(_explain_local, _influence_local)
