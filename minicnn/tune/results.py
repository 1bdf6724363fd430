"""The results of a search's trials."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

from minicnn.tune.sampling import number_of
from minicnn.tune.study import trial_id

STATES = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed"}


class Result(NamedTuple):
    """A trial that has ended."""

    number: int
    id: str  # 32 hexadecimal digits
    state: str  # "complete", "pruned" or "failed"
    score: float  # the objective in the best epoch; NaN if the trial failed
    best_step: int | None  # the best epoch, counted from 0
    seconds: float | None
    values: dict[str, Any]  # the hyperparameters for which its network asked
    curve: dict[int, float]  # the objective by epoch
    reason: str | None  # why it failed


def results_of(trials: Iterable[Any], seed: int, direction: str) -> list[Result]:
    """The results of those of Optuna's trials that have ended, best first."""
    found = [_result(trial, seed, direction) for trial in trials if trial.state.name in STATES]
    sign = -1 if direction == "max" else 1
    order = list(STATES.values())
    return sorted(
        found,
        key=lambda one: (order.index(one.state), sign * _sortable(one.score, sign), one.number),
    )


def names_of(results: Iterable[Result]) -> list[str]:
    """All hyperparameters that the trials used, in the order of their first use."""
    in_order = sorted(results, key=lambda one: one.number)
    return list(dict.fromkeys(name for one in in_order for name in one.values))


def _result(trial: Any, seed: int, direction: str) -> Result:
    known, number = trial.user_attrs, number_of(trial)
    curve = {step: v for step, v in trial.intermediate_values.items() if math.isfinite(v)}
    score = trial.value
    if trial.state.name == "PRUNED" and curve:
        score = (max if direction == "max" else min)(curve.values())
    return Result(
        number=number,
        id=trial_id(seed, number),
        state=STATES[trial.state.name],
        score=math.nan if score is None else score,
        best_step=known.get("best_step"),
        seconds=known.get("seconds"),
        values=known.get("values", {}),
        curve=curve,
        reason=known.get("reason"),
    )


def _sortable(score: float, sign: int) -> float:
    """Replace NaN, which cannot be sorted, by a score worse than any other."""
    return sign * math.inf if math.isnan(score) else score
