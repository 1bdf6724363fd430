"""How the next trial's hyperparameters are chosen.

A trial's choices depend on the search's seed, the trial's number and the trials before it, never on
the process that happens to run it: interrupted and resumed, or shared by many processes, a random
search tries the same networks. No network is tried twice, and a space that has been tried
completely is known to be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from minicnn import random

# Of an integer with more values than this not all will be tried.
MAX_VALUES = 10_000


class Step(NamedTuple):
    """One hyperparameter of a trial: what was chosen, from what (None: too many to tell)."""

    name: str
    value: Any
    values: tuple[Any, ...] | None


Path = Sequence[Step]  # a trial's choices in the order in which they were asked for


def open_values(paths: Iterable[Path], before: Path, name: str, values: Sequence[Any]) -> list[Any]:
    """Which `values` of the hyperparameter `name`, asked for after `before`, lead to a new trial.

    >>> first = [Step("layers", 1, (1, 2))]
    >>> open_values([first], [], "layers", (1, 2))
    [2]
    """
    begun = [value for _, value, _ in before]
    here = [p[len(before) :] for p in paths if [s.value for s in p[: len(before)]] == begun]
    here = [path for path in here if path and path[0].name == name]
    return [v for v in values if not exhausted([p[1:] for p in here if p[0].value == v])]


def exhausted(paths: Sequence[Path]) -> bool:
    """Has all that can begin with what these paths have behind them been tried?"""
    if not paths:
        return False
    if any(not path for path in paths):
        return True  # a trial ended here: there was nothing more to choose
    name, _, values = paths[0][0]
    if values is None or any(path[0].name != name for path in paths):
        return False
    return not open_values(paths, [], name, values)


def number_of(trial: Any) -> int:
    """The number of a trial in its search; one that was interrupted keeps it when repeated."""
    return trial.user_attrs["number"]


def path_of(trial: Any) -> list[Step]:
    """The choices of an Optuna trial."""
    return [
        Step(name, value, values_of(trial.distributions[name]))
        for name, value in trial.params.items()
    ]


def values_of(distribution: Any) -> tuple[Any, ...] | None:
    """All values of an Optuna distribution, or None where there are too many."""
    if hasattr(distribution, "choices"):
        return tuple(distribution.choices)
    low, high, step = distribution.low, distribution.high, distribution.step
    if step is None:
        return (low,) if low == high else None
    count = round((high - low) / step) + 1
    if count > MAX_VALUES:
        return None
    return tuple(low + i * step for i in range(count))


class Sampler:
    """What Optuna asks for values. It has the methods of Optuna's own samplers.

    Parameters
    ----------
    kind : "random" (any new value, all equally likely), "grid" (the first new one) or "tpe" (what
        Optuna's tree-structured Parzen estimator proposes, if it is new)
    seed : of the whole search
    new_tpe : makes a TPESampler of a seed
    """

    def __init__(self, kind: str, seed: int, new_tpe: Callable[[int], Any]) -> None:
        self.kind, self.seed, self.new_tpe = kind, seed, new_tpe
        self.paths: list[Path] = []  # of the trials so far

    def before_trial(self, _study: Any, _trial: Any) -> None:
        """Nothing to do: a value depends on the trial's number and the hyperparameter's name."""

    def sample_independent(self, study: Any, trial: Any, name: str, distribution: Any) -> Any:
        """The value of one hyperparameter."""
        rng = random.generator(f"search {name}", number_of(trial), seed=self.seed)
        values = values_of(distribution)
        proposed = None
        if self.kind == "tpe":
            tpe = self.new_tpe(int(rng.integers(2**31)))
            proposed = tpe.sample_independent(study, trial, name, distribution)
        if values is None:
            return any_value(distribution, rng) if proposed is None else proposed
        fresh = open_values(self.paths, path_of(trial), name, values) or list(values)
        if proposed is not None and as_listed(proposed, values) in fresh:
            return as_listed(proposed, values)
        return fresh[0] if self.kind == "grid" else pick(fresh, distribution, rng)

    def infer_relative_search_space(self, _study: Any, _trial: Any) -> dict[str, Any]:
        """Nothing is chosen together: what is asked for later depends on what came before."""
        return {}

    def sample_relative(self, _study: Any, _trial: Any, _space: Any) -> dict[str, Any]:
        """Nothing."""
        return {}

    def after_trial(self, _study: Any, _trial: Any, _state: Any, _values: Any) -> None:
        """Nothing to do."""

    def reseed_rng(self) -> None:
        """Nothing to do: nothing is drawn from a stream."""


def pick(values: Sequence[Any], distribution: Any, rng: np.random.Generator) -> Any:
    """One of `values`, all equally likely, or on a logarithmic scale."""
    if not getattr(distribution, "log", False):
        return values[int(rng.integers(len(values)))]
    weights = 1 / np.array(values, np.float64)  # as dense as the logarithm's slope
    return values[int(rng.choice(len(values), p=weights / weights.sum()))]


def any_value(distribution: Any, rng: np.random.Generator) -> Any:
    """A number of a range with too many to list."""
    low, high, step = distribution.low, distribution.high, distribution.step
    if distribution.log:
        value = float(np.exp(rng.uniform(np.log(low), np.log(high))))
        return min(max(value, low), high) if step is None else round(value)
    if step is None:
        return float(rng.uniform(low, high))
    return low + step * int(rng.integers(round((high - low) / step) + 1))


def as_listed(value: Any, values: Sequence[Any]) -> Any:
    """Of numbers, the listed one that rounding hides; anything else is itself."""
    if value in values:
        return value
    return min(values, key=lambda one: abs(one - value))


def combinations(paths: Sequence[Path]) -> int:
    """How many different trials these are."""
    return len({tuple((step.name, step.value) for step in path) for path in paths})
