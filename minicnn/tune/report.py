"""The texts and tables of a search: its progress and its results."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Mapping, Sequence
from typing import Any

from minicnn.support.csv_files import write_csv
from minicnn.support.text import format_seconds
from minicnn.tune.results import Result, names_of
from minicnn.tune.space import Hyperparameter

COLUMNS = ("number", "id", "state", "score", "best_step", "seconds")


class Clock:
    """Measures a search's time and estimates how much is left.

    `already` is the number of trials that had ended before.
    """

    def __init__(self, already: int) -> None:
        self.already, self.start = already, time.perf_counter()

    def trial_ended(
        self, one: Result, results: Sequence[Result], objective: str, trials: int
    ) -> str:
        """The lines that are printed after a trial."""
        elapsed = time.perf_counter() - self.start
        # `results` counts the trials of all processes, which share the remaining trials, too.
        each = elapsed / max(len(results) - self.already, 1)
        left = max(trials - len(results), 0)
        best = next((r.score for r in results if r.state == "complete"), math.nan)
        took = format_seconds(one.seconds or 0.0, "units")
        return "\n".join(
            [
                f"Trial {len(results)}/{trials} {one.state} [{took}]",
                f"{objective}: {one.score:.4f}",
                "",
                f"Best {objective} so far: {best:.4f}",
                f"Total elapsed time: {format_seconds(elapsed, 'units')}",
                f"Estimated time left: {format_seconds(each * left, 'units')}",
                "",
            ]
        )


def trial_started(number: int, trials: int, values: Mapping[str, Any]) -> str:
    """The line that is printed before a trial."""
    return f"Trial {number}/{trials}: {', '.join(f'{k}={v}' for k, v in values.items())}"


def space_exhausted(count: int) -> str:
    """The line for a search that ends before `max_trials` because its space is exhausted."""
    return f"all {count} combinations were tried; widen the ranges to try more"


def summary(
    results: Sequence[Result], count: int, place: str, objective: str, *, all: bool = False
) -> str:
    """Format the best trials in the style of Keras Tuner's first versions."""
    done = [one for one in results if one.state == "complete"][:count]
    names = names_of(results) if all else []
    head = [
        "Results summary",
        f"|-Results in {place}",
        f"|-Showing {len(done)} best trials",
        f"|-Objective: {objective}",
        "",
    ]
    return "\n".join([*head, *(trial_text(one, names) for one in done)])


def trial_text(one: Result, names: Sequence[str] = ()) -> str:
    """Format one trial; hyperparameters among `names` that it did not use are marked."""
    unused = [f"|-{name}: (not used)" for name in names if name not in one.values]
    lines = [
        f"Trial {one.state}",
        "Trial summary",
        f"|-Trial ID: {one.id}",
        f"|-Score: {one.score}",
        f"|-Best step: {one.best_step}",
        "Hyperparameters:",
        *(f"|-{name}: {value}" for name, value in one.values.items()),
        *unused,
        "",
    ]
    return "\n".join(lines)


def space_text(space: Sequence[Hyperparameter]) -> str:
    """Format the hyperparameters and their ranges."""
    lines = ["Search space summary", f"|-Default search space size: {len(space)}"]
    for one in space:
        lines.append(f"{one.name} ({one.kind})")
        lines += [f"|-{key}: {value}" for key, value in _ranges(one).items()]
    return "\n".join(lines)


def table(results: Sequence[Result]) -> list[dict[str, Any]]:
    """One dict per trial: its columns, then its hyperparameters."""
    return [{**{name: getattr(one, name) for name in COLUMNS}, **one.values} for one in results]


def write_trials(results: Sequence[Result], path: str | os.PathLike[str]) -> None:
    """Write a CSV file with one row per trial; unused hyperparameters are empty."""
    head = [*COLUMNS, *names_of(results)]
    write_csv(path, head, [[row.get(name) for name in head] for row in table(results)])


def _ranges(one: Hyperparameter) -> dict[str, Any]:
    if one.kind in ("Int", "Float"):
        sampling = "log" if one.log else "linear"
        ends = {"min_value": one.low, "max_value": one.high, "step": one.step}
        return {"default": one.default, **ends, "sampling": sampling}
    values = {"values": list(one.values)} if one.values else {}
    return {"default": one.default, **values}
