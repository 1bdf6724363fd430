"""Stop unpromising trials early, by Optuna's pruners."""

from __future__ import annotations

from typing import Any

from minicnn.errors import ArgumentError
from minicnn.tune.optuna_package import import_optuna

FIRST_TRIALS = 5  # number of random trials before TPE proposes and before the median prunes
PRUNERS = ("median", "hyperband")


def new_pruner(name: str | None, workers: int | None = None) -> Any:
    """Return a pruner for Optuna.

    Parameters
    ----------
    name : "median", "hyperband" or None
        "median" stops a trial that is worse than half of the others were at that epoch; None stops
        no trial.
    workers : int, optional
        If given, a trial is compared only with those that its search names.
    """
    pruner = _pruner_of_optuna(name)
    if workers is None:
        return pruner
    if name == "hyperband":
        raise ArgumentError(
            "with workers, pruner must be 'median' or None: which trials hyperband stops always "
            "depends on the order in which they are trained"
        )
    return LimitedPruner(pruner)


class LimitedPruner:
    """Compares a trial with certain trials only; its method is that of Optuna's pruners."""

    def __init__(self, pruner: Any) -> None:
        self.pruner = pruner
        self.results: Any = None  # an Optuna study of these trials

    def prune(self, _study: Any, trial: Any) -> bool:
        """Return whether the trial is stopped."""
        return self.pruner.prune(self.results, trial)


def _pruner_of_optuna(name: str | None) -> Any:
    pruners = import_optuna().pruners
    if name is None:
        return pruners.NopPruner()
    if name == "median":
        return pruners.MedianPruner(n_startup_trials=FIRST_TRIALS)
    if name == "hyperband":
        return pruners.HyperbandPruner()
    raise ArgumentError(f"pruner must be one of {[*PRUNERS, None]}; got {name!r}")
