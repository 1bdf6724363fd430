"""An optimizer from the settings' table: its name, its numbers, and how its rate moves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minicnn import optimizers, schedules
from minicnn.checks import check_number
from minicnn.errors import ArgumentError

SCHEDULES = ("constant", "cosine")


def make_optimizer(table: Mapping[str, Any], steps: int) -> optimizers.Optimizer:
    """The optimizer for a training of so many steps.

    Parameters
    ----------
    table : `name`, `learning_rate`; `schedule`: "constant", or "cosine", which falls to 0;
        `warm_up`: the part of the steps in which the rate rises in a line first; all
        else goes to the optimizer, as `momentum` or `weight_decay`
    steps : of the whole training
    """
    given = dict(table)
    kind = optimizers.find(given.pop("name", "adam"))
    rate = schedules.check_rate(given.pop("learning_rate", 0.001), "learning_rate")
    schedule = given.pop("schedule", "constant")
    warm_up = check_number(given.pop("warm_up", 0.0), "warm_up", 0.0, 1.0)
    if schedule not in SCHEDULES:
        raise ArgumentError(f"schedule must be one of {', '.join(SCHEDULES)}; got {schedule!r}")
    if schedule == "constant":
        return kind(rate, **given)
    return kind(cosine(rate, steps, warm_up), **given)


def cosine(rate: float, steps: int, warm_up: float) -> schedules.CosineDecay:
    """Up to `rate` in a line, then down to 0 as half a wave."""
    rising = int(steps * warm_up)
    falling = max(1, steps - rising)
    if not rising:
        return schedules.CosineDecay(rate, falling)
    return schedules.CosineDecay(0.0, falling, warmup_target=rate, warmup_steps=rising)
