"""What happened in a training: losses, accuracies, and every change of the learning rate."""

from __future__ import annotations

from array import array

import numpy as np

from minicnn.apps.explorer.training.stepper import StepResult


class Record:
    """The curves of a training, and the learning rates by which its steps can be taken again.

    Parameters
    ----------
    learning_rate : that of step 0
    """

    def __init__(self, learning_rate: float) -> None:
        self.rates: list[tuple[int, float]] = [(0, learning_rate)]  # (first step, rate)
        self.tests: dict[int, tuple[float, float]] = {}  # after so many steps: (loss, accuracy)
        self.generation = 0  # how often a part of the curves was dropped
        self._losses, self._accuracies = array("d"), array("d")

    def __len__(self) -> int:
        """Return the number of steps that are recorded."""
        return len(self._losses)

    def add(self, step: int, result: StepResult) -> None:
        """Record step number `step`; a step that is taken again gives the same."""
        if step == len(self):
            self._losses.append(result.loss)
            self._accuracies.append(result.accuracy)

    def rate_at(self, step: int) -> float:
        """Return the learning rate of a step."""
        return next(rate for first, rate in reversed(self.rates) if first <= step)

    def change_rate(self, step: int, rate: float) -> None:
        """Set the learning rate from this step on; what came after it is dropped."""
        self.drop_after(step)
        self.rates = [one for one in self.rates if one[0] < step]
        self.rates.append((step, rate))

    def drop_after(self, step: int) -> None:
        """Forget what happened after so many steps."""
        if len(self) > step:
            del self._losses[step:], self._accuracies[step:]
            self.generation += 1
        self.rates = [one for one in self.rates if one[0] <= step]
        self.tests = {number: found for number, found in self.tests.items() if number <= step}

    def losses(self, since: int = 0) -> np.ndarray:
        """Return the losses of the batches from step `since` on, float32."""
        return np.asarray(self._losses[since:], np.float32)

    def accuracies(self, since: int = 0) -> np.ndarray:
        """Return the shares of right answers in the batches from step `since` on, float32."""
        return np.asarray(self._accuracies[since:], np.float32)

    def test_curves(self) -> np.ndarray:
        """Return (n, 3) float32 rows of (steps, loss, accuracy) on test images."""
        rows = [(step, *found) for step, found in sorted(self.tests.items())]
        return np.array(rows, np.float32).reshape(-1, 3)
