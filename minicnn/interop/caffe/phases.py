"""Which layers a net has in the phase of testing: their rules `include` and `exclude`."""

from __future__ import annotations

from typing import Any

TEST = 1


def is_there(layer: Any) -> bool:
    """Return whether the layer is part of the net for testing, without a level or stages."""
    if layer.include:
        return any(_met(rule) for rule in layer.include)
    return not any(_met(rule) for rule in layer.exclude)


def _met(rule: Any) -> bool:
    """Return whether the state TEST, level 0, without stages, meets a rule."""
    if rule.HasField("phase") and rule.phase != TEST:
        return False
    low = rule.HasField("min_level") and rule.min_level > 0
    high = rule.HasField("max_level") and rule.max_level < 0
    return not (low or high or rule.stage)
