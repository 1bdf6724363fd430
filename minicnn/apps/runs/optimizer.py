"""Make an optimizer from the [optimizer] table of the settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minicnn import optimizers, schedules
from minicnn.checks import check_number
from minicnn.errors import ArgumentError

RATE = 0.001  # the default learning rate
SCHEDULES = ("constant", "cosine")


def make_optimizer(table: Mapping[str, Any], steps: int) -> optimizers.Optimizer:
    """Return the optimizer for a training of `steps` steps.

    Parameters
    ----------
    table : `name` (default "adam"), `learning_rate` (0.001), `schedule` ("constant", or
        "cosine", which falls to 0) and `warm_up` (the share of the steps during which the
        learning rate first rises linearly, 0); other entries are arguments of the optimizer,
        such as `momentum` or `weight_decay`
    steps : number of steps of the whole training
    """
    given = dict(table)
    kind = optimizers.find(given.pop("name", "adam"))
    rate = schedules.check_rate(given.pop("learning_rate", RATE), "learning_rate")
    schedule = given.pop("schedule", "constant")
    warm_up = check_number(given.pop("warm_up", 0.0), "warm_up", 0.0, 1.0)
    if schedule not in SCHEDULES:
        raise ArgumentError(f"schedule must be one of {', '.join(SCHEDULES)}; got {schedule!r}")
    if schedule == "constant":
        return kind(rate, **given)
    return kind(cosine(rate, steps, warm_up), **given)


def cosine(rate: float, steps: int, warm_up: float) -> schedules.CosineDecay:
    """Return a schedule that rises linearly to `rate`, then falls to 0 along half a cosine."""
    rising = int(steps * warm_up)
    falling = max(1, steps - rising)
    if not rising:
        return schedules.CosineDecay(rate, falling)
    return schedules.CosineDecay(0.0, falling, warmup_target=rate, warmup_steps=rising)
