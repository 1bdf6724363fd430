"""Initializers without chance: constants and the identity matrix."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.checks import check_number, shape_text
from minicnn.contracts import Shape
from minicnn.errors import ArgumentError, ShapeError
from minicnn.initializers.base import Initializer


class Zeros(Initializer):
    """All values are 0."""

    def draw(self, shape: Shape, rng: np.random.Generator) -> np.ndarray:
        """Return float32 zeros."""
        return np.zeros(shape, np.float32)


class Ones(Initializer):
    """All values are 1."""

    def draw(self, shape: Shape, rng: np.random.Generator) -> np.ndarray:
        """Return float32 ones."""
        return np.ones(shape, np.float32)


class Constant(Initializer):
    """All values are `value`, a number; or they are those of an array.

    >>> Constant(0.5)((2,)).tolist()
    [0.5, 0.5]
    """

    def __init__(self, value: Any = 0.0) -> None:
        listed = isinstance(value, (list, tuple)) or np.ndim(value) > 0
        self.value: Any = _checked_array(value) if listed else check_number(value, "value")

    def draw(self, shape: Shape, rng: np.random.Generator) -> np.ndarray:
        """Return a float32 array that is `value` everywhere."""
        try:
            return np.full(shape, self.value, np.float32)
        except ValueError as err:
            raise ShapeError(
                f"Constant: an array of shape {shape_text(np.shape(self.value))} does not fit a "
                f"weight of shape {shape_text(shape)}"
            ) from err

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments; an array becomes nested lists."""
        return {"value": self.value.tolist() if np.ndim(self.value) else self.value}


class Identity(Initializer):
    """A matrix with `gain` on the diagonal and 0 elsewhere.

    >>> Identity()((2, 3)).tolist()
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = check_number(gain, "gain")

    def draw(self, shape: Shape, rng: np.random.Generator) -> np.ndarray:
        """Return the matrix."""
        if len(shape) != 2:
            raise ShapeError(f"Identity: the weight must be a matrix; got {shape_text(shape)}")
        return np.eye(*shape, dtype=np.float32) * np.float32(self.gain)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"gain": self.gain}


def _checked_array(value: Any) -> np.ndarray:
    try:
        array = np.array(value, np.float32)
    except (OverflowError, TypeError, ValueError) as err:
        raise ArgumentError("value must be a number or an array of numbers") from err
    if not np.isfinite(array).all():
        raise ArgumentError("value has elements that are NaN or infinite")
    return array
