"""What the training steps of an optimizer do, where not all do the same."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np


class StepKind(NamedTuple):
    """What a training step does with gradients and weights; each kind is a program of its own.

    With gradient accumulation over four batches, the kinds are "start", "add", "add", "finish", and
    the weights change in the last.
    """

    # "start" keeps the gradients, "add" adds to those that were kept, "finish" updates the weights
    # by the mean of all, and "" updates them by the gradients of this step alone.
    accumulation: Literal["", "start", "add", "finish"] = ""
    # "start" begins the weights' moving averages with the weights, "move" moves them.
    average: Literal["", "start", "move"] = ""
    overwrites: bool = False  # whether the averages then replace the weights

    @property
    def updates(self) -> bool:
        """Whether the weights follow their gradients."""
        return self.accumulation in ("", "finish")


ONLY_KIND = StepKind()  # of optimizers whose steps all do the same


class StepCount(int):
    """A number of steps: an integer with `numpy()`."""

    def numpy(self) -> np.int64:
        """Return the same as a number of NumPy."""
        return np.int64(self)
