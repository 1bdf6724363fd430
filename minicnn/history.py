"""The curves of several trainings, one after the other."""

from __future__ import annotations

import math
from typing import Any

from minicnn.callbacks.history import History

__all__ = ["History", "joined", "numbers"]


def joined(earlier: dict[str, list[float]], last: History | None) -> dict[str, list[float]]:
    """Return the curves of all trainings so far, with one value per epoch; NaN if there is none.

    >>> joined({"loss": [3.0]}, None)
    {'loss': [3.0]}
    """
    before = max((len(curve) for curve in earlier.values()), default=0)
    rows = [] if last is None else last.rows
    names = dict.fromkeys([*earlier, *(name for row in rows for name in row)])
    curves = {name: list(earlier.get(name, [math.nan] * before)) for name in names}
    for row in rows:
        for name, curve in curves.items():
            curve.append(row.get(name, math.nan))
    return curves


def numbers(curves: dict[str, Any]) -> dict[str, list[float]]:
    """Return curves from a file, which has null where a value was not finite."""
    return {
        str(name): [math.nan if value is None else float(value) for value in curve]
        for name, curve in curves.items()
    }
