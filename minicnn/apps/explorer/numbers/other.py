"""Any other operation: its value is computed again, and slopes are found by trying."""

from __future__ import annotations

import numpy as np

from minicnn.apps.explorer.numbers.parts import (
    FUNCTION,
    Applied,
    Explanation,
    Family,
    Influence,
    Terms,
    full,
    places,
    shown,
    where,
)
from minicnn.apps.explorer.reference import reference
from minicnn.apps.explorer.step_titles import name_of
from minicnn.contracts import Shape

SMALL = 1e-6  # the change of a value, relative to its size


def _explain(applied: Applied, place: Shape) -> Explanation:
    total = float(reference(applied.step, applied.arrays)[full(applied.result, place)])
    same = [
        name
        for name, source in applied.step.reads.items()
        if source.step is not None and applied.arrays[name].shape == applied.result.shape
    ]
    seen = np.array([applied.arrays[name][full(applied.result, place)] for name in same], float)
    at = np.repeat(places(*place), len(same), 0)
    terms = Terms(at, seen, seen, reads=tuple(same) or ("x",), of_read=np.arange(len(same)))
    what = f"{', '.join(map(shown, seen))} and their neighbors" if same else "what it reads"
    text = (
        f"{shown(total)} is computed by {name_of(applied.step.name)} from {what}; its terms are "
        "not shown."
    )
    return Explanation(FUNCTION, total, text, terms, {"name": applied.step.name})


def _influence(applied: Applied, name: str, place: Shape) -> Influence:
    arrays = {one: applied.arrays[one] for one in applied.step.reads}
    at = full(arrays[name], place)
    h = SMALL * max(1.0, abs(float(arrays[name][at])))
    more, less = (_changed(applied, arrays, name, at, change) for change in (h, -h))
    slopes = where((more - less) / (2 * h))
    return Influence(*slopes, None, "the slope, found by changing the value a bit")


def _changed(
    applied: Applied, arrays: dict[str, np.ndarray], name: str, at: Shape, change: float
) -> np.ndarray:
    array = arrays[name].astype(np.float64)
    array[at] += change
    return reference(applied.step, {**arrays, name: array}).astype(np.float64)


OTHER = Family(_explain, _influence)
