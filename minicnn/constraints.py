"""Constraints: what weights must satisfy after each training step, such as a largest norm.

    MaxNorm     w * min(norm, max_value) / norm
    MinMaxNorm  w * ((1 - rate) * norm + rate * clip(norm, min_value, max_value)) / norm
    UnitNorm    w / norm
    NonNeg      max(w, 0)

The norms are those along `axis`: 0 for the inputs of each unit of a Dense layer, (0, 1, 2) for each
filter of a Conv2D. A layer takes constraints as `kernel_constraint` and the like: an object, a name
("max_norm") or a function of one's own, w -> w.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minicnn import ops
from minicnn.checks import check_int, check_number
from minicnn.layers import weight_rules
from minicnn.layers.weight_rules import Constraint

__all__ = [
    "Constraint",
    "MaxNorm",
    "MinMaxNorm",
    "NonNeg",
    "UnitNorm",
    "deserialize",
    "get",
    "max_norm",
    "min_max_norm",
    "non_neg",
    "serialize",
    "unit_norm",
]

EPSILON = 1e-7  # keeps divisors from 0
Axes = int | Sequence[int]


class MaxNorm(Constraint):
    """Shortens vectors of weights that are longer than `max_value`.

    Parameters
    ----------
    max_value : largest norm; default 2
    axis : the axis, or axes, along which the norm is taken; default 0

    >>> import numpy as np
    >>> MaxNorm(1)(np.array([[3.0], [4.0]], np.float32)).round(3).tolist()
    [[0.6000000238418579], [0.800000011920929]]
    """

    def __init__(self, max_value: float = 2, axis: Axes = 0) -> None:
        self.max_value = check_number(max_value, "max_value", 0.0)
        self.axis = _checked_axes(axis)

    def __call__(self, w: Any) -> Any:
        """Return w with vectors that are not longer than max_value."""
        norms = _norms(w, self.axis)
        return w * (ops.clip(norms, 0.0, self.max_value) / (norms + EPSILON))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"max_value": self.max_value, "axis": self.axis}


class NonNeg(Constraint):
    """Replaces negative weights by 0."""

    def __call__(self, w: Any) -> Any:
        """Return max(w, 0)."""
        return ops.maximum(w, 0.0)


class UnitNorm(Constraint):
    """Gives each vector of weights the length 1; `axis` is as in `MaxNorm`."""

    def __init__(self, axis: Axes = 0) -> None:
        self.axis = _checked_axes(axis)

    def __call__(self, w: Any) -> Any:
        """Return w with vectors of length 1."""
        return w / (_norms(w, self.axis) + EPSILON)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"axis": self.axis}


class MinMaxNorm(Constraint):
    """Brings the length of each vector of weights between two bounds.

    Parameters
    ----------
    min_value, max_value : the bounds; default 0 and 1
    rate : the part of the way that one step goes; default 1: all of it
    axis : the axis, or axes, along which the norm is taken; default 0
    """

    def __init__(
        self,
        min_value: float = 0.0,
        max_value: float = 1.0,
        rate: float = 1.0,
        axis: Axes = 0,
    ) -> None:
        self.min_value = check_number(min_value, "min_value", 0.0)
        self.max_value = check_number(max_value, "max_value", 0.0)
        self.rate = check_number(rate, "rate", 0.0)
        self.axis = _checked_axes(axis)

    def __call__(self, w: Any) -> Any:
        """Return w with vectors that are nearer to the bounds, or between them."""
        norms = _norms(w, self.axis)
        bounded = ops.clip(norms, self.min_value, self.max_value)
        return w * ((self.rate * bounded + (1 - self.rate) * norms) / (norms + EPSILON))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            "min_value": self.min_value,
            "max_value": self.max_value,
            "rate": self.rate,
            "axis": self.axis,
        }


def _norms(w: Any, axis: Any) -> Any:
    return ops.sqrt(ops.sum(ops.square(w), axis=axis, keepdims=True))


def _checked_axes(axis: Any) -> Any:
    if isinstance(axis, (list, tuple)):
        return [check_int(one, "axis", -8) for one in axis]
    return check_int(axis, "axis", -8)


max_norm, non_neg, unit_norm, min_max_norm = MaxNorm, NonNeg, UnitNorm, MinMaxNorm

_registry = weight_rules.constraints
_registry.add(MaxNorm, MinMaxNorm, NonNeg, UnitNorm)
serialize, deserialize = _registry.serialize, _registry.deserialize


def get(identifier: Any) -> Any:
    """Return a constraint from its name, its class or what `serialize` gave; a function as it is.

    None means none.

    >>> get("max_norm"), get(serialize(UnitNorm(axis=1)))
    (MaxNorm(), UnitNorm(axis=1))
    """
    return _registry.get(identifier)
