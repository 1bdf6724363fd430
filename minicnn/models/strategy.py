"""Who computes a step of training: this process alone, or several processes together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from minicnn.models.batches import Batch, Batches
from minicnn.models.execution import BatchResult

Model = Any  # a CompiledNetwork, whose module imports this one


class Strategy(Protocol):
    """What a group of processes does in place of one; all call the same methods in turn.

    Attributes
    ----------
    batches_at_once : the number of batches that `test_steps` takes
    """

    batches_at_once: int

    def agree(
        self,
        model: Model,
        data: Batches,
        validation: Batches | None,
        settings: dict[str, Any],
    ) -> None:
        """Raise DistributedError unless all processes have the same network and the same data.

        `settings` are the other arguments, such as those of `fit`, by which processes could differ.
        """

    def begin(self, model: Model) -> None:
        """Begin a training: all processes continue from what the first one has."""

    def train_step(self, model: Model, batch: Batch) -> BatchResult:
        """Take a training step on a prepared batch, of which each process computes a part.

        The result is of the whole batch. If its loss is not finite, the model does not change.
        """

    def test_steps(self, model: Model, batches: Sequence[Batch]) -> list[BatchResult]:
        """Return predictions and loss of each batch, of which each process computes some."""

    def gather(self, model: Model) -> None:
        """Give the first process the optimizer's whole state, which may be spread over all."""

    def own_rows(self, samples: int) -> slice:
        """Return the samples of a training batch that this process computes."""


_current: Strategy | None = None


def set_strategy(strategy: Strategy | None) -> None:
    """Let all trainings from now on use this strategy; None is one process alone."""
    global _current
    _current = strategy


def current_strategy() -> Strategy | None:
    """Return the strategy, None for one process alone."""
    return _current


def is_shared() -> bool:
    """Return whether a step is computed with a strategy."""
    return _current is not None


def agree_together(model: Model, data: Batches) -> None:
    """Raise DistributedError unless all processes evaluate the same network on the same data."""
    if _current is not None:
        _current.agree(model, data, None, {})


def begin_together(model: Model) -> None:
    """Begin a training with the current strategy, if there is one."""
    if _current is not None:
        _current.begin(model)


def gather_together(model: Model) -> None:
    """Give the first of several processes the optimizer's whole state."""
    if _current is not None:
        _current.gather(model)


def rows_of_this_process() -> Callable[[int], slice] | None:
    """Return the function from a batch's size to the samples computed here; None for all."""
    return None if _current is None else _current.own_rows
