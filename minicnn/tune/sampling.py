"""Choose the hyperparameters of the next trial.

The choice depends on the search's seed, the trial's number and the choices of the trials with
smaller numbers, but not on the process that runs the trial, nor on what became of the others. So a
random search tries the same networks when it is interrupted and resumed, or shared by several
processes. TPE also depends on scores: on those that are known at that moment, or on those of
certain trials. No combination is tried twice, and the search notices when all have been tried.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from minicnn import random

MAX_VALUES = 10_000  # a range with more values is sampled, and is never exhausted


class Step(NamedTuple):
    """One hyperparameter of a trial."""

    name: str
    value: Any  # the chosen value
    values: tuple[Any, ...] | None  # all values to choose from; None if they are too many to list


Path = Sequence[Step]  # a trial's choices, in the order in which its network asked for them


def open_values(paths: Iterable[Path], before: Path, name: str, values: Sequence[Any]) -> list[Any]:
    """Return those `values` of hyperparameter `name` that lead to a combination not yet tried.

    `before` are the choices that the trial has made already, `paths` the choices of all trials.

    >>> first = [Step("layers", 1, (1, 2))]
    >>> open_values([first], [], "layers", (1, 2))
    [2]
    """
    chosen = [step.value for step in before]
    n = len(before)
    rest = [path[n:] for path in paths if [step.value for step in path[:n]] == chosen]
    rest = [path for path in rest if path and path[0].name == name]
    return [v for v in values if not exhausted([path[1:] for path in rest if path[0].value == v])]


def exhausted(paths: Sequence[Path]) -> bool:
    """Return whether the trials with these remaining choices cover all combinations.

    `paths` are the remaining choices of all trials that made the same choices so far.
    """
    if not paths:
        return False
    if any(not path for path in paths):
        return True  # a trial had nothing more to choose here
    name, _, values = paths[0][0]
    if values is None or any(path[0].name != name for path in paths):
        return False
    return not open_values(paths, [], name, values)


def number_of(trial: Any) -> int:
    """The number of a trial in its search; a trial that was interrupted keeps it when repeated."""
    return trial.user_attrs["number"]


def path_of(trial: Any) -> list[Step]:
    """The choices of an Optuna trial, in order."""
    return [
        Step(name, value, values_of(trial.distributions[name]))
        for name, value in trial.params.items()
    ]


def values_of(distribution: Any) -> tuple[Any, ...] | None:
    """All values of an Optuna distribution, or None if they are too many to list."""
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
    """Chooses values for Optuna; its methods are those of Optuna's samplers.

    Parameters
    ----------
    kind : "random", "grid" or "tpe"
        "random" chooses among the values that lead to a new combination, all equally likely;
        "grid" takes the first of them; "tpe" takes what Optuna's tree-structured Parzen estimator
        proposes, if it is among them.
    seed : int
        The seed of the search.
    new_tpe : function
        Makes a TPESampler from a seed.
    """

    def __init__(self, kind: str, seed: int, new_tpe: Callable[[int], Any]) -> None:
        self.kind, self.seed, self.new_tpe = kind, seed, new_tpe
        self.begin_trial(0, {}, [])

    def begin_trial(
        self, number: int, known: Mapping[str, Any], paths: Sequence[Path], results: Any = None
    ) -> None:
        """Choose the values of this trial from now on.

        Parameters
        ----------
        number : int
        known : dict of str to values
            The values that were chosen for it before it was interrupted.
        paths : sequence of Path
            The choices of the trials with smaller numbers.
        results : Optuna Study, optional
            Those of the trials whose scores count; default: all that have ended.
        """
        self.number, self.known, self.paths = number, known, paths
        self.results = results

    def before_trial(self, _study: Any, _trial: Any) -> None:
        """Do nothing: a value depends on the trial's number and the hyperparameter's name."""

    def sample_independent(self, study: Any, trial: Any, name: str, distribution: Any) -> Any:
        """Choose the value of one hyperparameter."""
        if name in self.known and fits(self.known[name], distribution):
            return self.known[name]
        rng = random.generator(f"search {name}", self.number, seed=self.seed)
        values = values_of(distribution)
        proposed = None
        if self.kind == "tpe":
            tpe = self.new_tpe(int(rng.integers(2**31)))
            results = study if self.results is None else self.results
            proposed = tpe.sample_independent(results, trial, name, distribution)
        if values is None:
            return any_value(distribution, rng) if proposed is None else proposed
        fresh = open_values(self.paths, path_of(trial), name, values) or list(values)
        if proposed is not None and as_listed(proposed, values) in fresh:
            return as_listed(proposed, values)
        return fresh[0] if self.kind == "grid" else pick(fresh, distribution, rng)

    def infer_relative_search_space(self, _study: Any, _trial: Any) -> dict[str, Any]:
        """Return no joint search space: later hyperparameters depend on earlier values."""
        return {}

    def sample_relative(self, _study: Any, _trial: Any, _space: Any) -> dict[str, Any]:
        """Return no values, because `infer_relative_search_space` names none."""
        return {}

    def after_trial(self, _study: Any, _trial: Any, _state: Any, _values: Any) -> None:
        """Do nothing: a sampler has no state to update."""

    def reseed_rng(self) -> None:
        """Do nothing: each value has a random generator of its own."""


def fits(value: Any, distribution: Any) -> bool:
    """Return whether an Optuna distribution has this value; a changed `build_model` has others."""
    if hasattr(distribution, "choices"):
        return value in distribution.choices
    return isinstance(value, (int, float)) and distribution.low <= value <= distribution.high


def pick(values: Sequence[Any], distribution: Any, rng: np.random.Generator) -> Any:
    """Draw one of `values`, uniformly on a linear or a logarithmic scale."""
    if not getattr(distribution, "log", False):
        return values[int(rng.integers(len(values)))]
    weights = 1 / np.array(values, np.float64)  # the slope of the logarithm
    return values[int(rng.choice(len(values), p=weights / weights.sum()))]


def any_value(distribution: Any, rng: np.random.Generator) -> Any:
    """Draw a value of a range whose values are too many to list."""
    low, high, step = distribution.low, distribution.high, distribution.step
    if distribution.log:
        value = float(np.exp(rng.uniform(np.log(low), np.log(high))))
        return min(max(value, low), high) if step is None else round(value)
    if step is None:
        return float(rng.uniform(low, high))
    return low + step * int(rng.integers(round((high - low) / step) + 1))


def as_listed(value: Any, values: Sequence[Any]) -> Any:
    """The listed value that equals `value` up to rounding; anything but a number is unchanged."""
    if value in values:
        return value
    return min(values, key=lambda one: abs(one - value))


def combinations(paths: Sequence[Path]) -> int:
    """The number of different combinations among these trials."""
    return len({tuple((step.name, step.value) for step in path) for path in paths})
