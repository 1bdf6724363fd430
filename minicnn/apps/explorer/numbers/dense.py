"""Dense layers: each value is a sum of products over all values of a row, and a bias."""

from __future__ import annotations

import math

import numpy as np

from minicnn.apps.explorer.numbers.parts import (
    SUM,
    SUM_OF_PRODUCTS,
    Applied,
    Explanation,
    Family,
    Influence,
    Terms,
    counted,
    full,
    places,
    shown,
)
from minicnn.contracts import Shape


def _explain(applied: Applied, place: Shape) -> Explanation:
    row, unit = place[:-1], place[-1]
    x, w, b = applied.image()[row], applied.arrays["w"], applied.arrays.get("b")
    numbers = np.arange(len(x))
    product = x.astype(np.float64) * w[:, unit]
    terms = Terms(places(*row, numbers), x, product, places(numbers, unit), w[:, unit])
    bias = 0.0 if b is None else float(b[unit])
    total = terms.total + bias
    text = (
        f"Unit {unit} of {applied.step.layer} is a sum of {counted(len(x), 'product')}, each of a "
        f"value and its weight: {shown(terms.total)}."
    )
    text += " There is no bias." if b is None else f" With the bias {shown(bias)}: {shown(total)}."
    return Explanation(
        SUM_OF_PRODUCTS, total, text, terms,
        {"name": "dense", "terms": len(x), "unit": unit},
        {"bias": None if b is None else bias,
         "parameter": {"name": applied.step.parameters.get("w"), "index": unit}},
    )  # fmt: skip


def _influence(applied: Applied, name: str, place: Shape) -> Influence:
    w = applied.arrays["w"]
    if name == "b":
        return _of_bias(applied, place[0])
    if name == "w":
        number, unit = full(w, place)
        rows = _rows(applied.result.shape[1:-1])
        other = places(*rows, number)
        seen = applied.image()[tuple(other.T)].astype(np.float64)
        return Influence(places(*rows, unit), seen, other, "the input of this weight")
    place = full(applied.arrays["x"], place)[1:]
    units = np.arange(w.shape[1])
    factors = w[place[-1]].astype(np.float64)
    at = places(*place[:-1], units)
    return Influence(at, factors, places(place[-1], units), "the weight between the two")


def _explain_bias(applied: Applied, place: Shape) -> Explanation:
    value, bias = float(applied.image()[place]), float(applied.arrays["b"][place[-1]])
    terms = Terms(places(*place), np.array([value], np.float32), np.array([value]))
    text = f"The bias {shown(bias)} is added to {shown(value)}: {shown(value + bias)}."
    parameter = {"name": applied.step.parameters.get("b"), "index": place[-1]}
    details = {"bias": bias, "parameter": parameter}
    return Explanation(SUM, value + bias, text, terms, {"name": "bias"}, details)


def _influence_bias(applied: Applied, name: str, place: Shape) -> Influence:
    if name == "b":
        return _of_bias(applied, place[0])
    at = places(*full(applied.arrays["x"], place)[1:])
    return Influence(at, np.ones(1), None, "1, as it is a sum")


def _of_bias(applied: Applied, channel: int) -> Influence:
    rows = _rows(applied.result.shape[1:-1])
    at = places(*rows, channel)
    return Influence(at, np.ones(len(at)), None, "1, as the bias is added")


def _rows(shape: Shape) -> list[np.ndarray]:
    """Return the indices of all places in these axes, an array for each axis."""
    return (
        [a.ravel() for a in np.unravel_index(np.arange(math.prod(shape)), shape)] if shape else []
    )


DENSE = Family(_explain, _influence)
BIAS = Family(_explain_bias, _influence_bias)
