"""Copies and weighted sums without weights of their own: reshaping, padding, upsampling, joining.

The result depends on what is read by fixed factors. For one value of the result they are what comes
back through the backward kernel from a 1 at this place; where one value goes is what the forward
kernel makes of a 1 there.
"""

from __future__ import annotations

import numpy as np

from minicnn.apps.explorer.numbers.parts import (
    COPY,
    SUM_OF_PRODUCTS,
    Applied,
    Explanation,
    Family,
    Influence,
    Terms,
    counted,
    full,
    shown,
    where,
)
from minicnn.apps.explorer.places import place_text
from minicnn.apps.explorer.reference import pulled_back, reference
from minicnn.contracts import Shape

MOST_NAMED = 1  # values that a sentence names


def _explain(applied: Applied, place: Shape) -> Explanation:
    dy = np.zeros(applied.result.shape)
    dy[full(applied.result, place)] = 1
    shares = pulled_back(applied.step, _arrays(applied), dy)
    rows = [_rows(applied, name, shares[name]) for name in shares]
    at = _joined([one[0] for one in rows])
    seen, factors = (np.concatenate([one[i] for one in rows]) for i in (1, 2))
    of_read = np.repeat(np.arange(len(rows)), [len(one[1]) for one in rows])
    terms = Terms(at, seen, seen * factors, None, factors, tuple(shares), of_read)
    is_copy = len(seen) <= MOST_NAMED and (factors == 1).all()
    kind = COPY if is_copy else SUM_OF_PRODUCTS
    return Explanation(kind, terms.total, _text(terms, kind), terms, {"name": applied.step.name})


def _text(terms: Terms, kind: str) -> str:
    if len(terms.input) == 0:
        return "This place is in the padding: it is 0."
    if kind == COPY:
        return f"This is a copy of {place_text(tuple(terms.input_place[0].tolist()))}."
    return f"A weighted sum of {counted(len(terms.input), 'value')}: {shown(terms.total)}."


def _rows(
    applied: Applied, name: str, share: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the places of what one read gives to the value, the values there, and the factors."""
    at, factors = where(share)
    seen = applied.arrays[name].ravel()[np.flatnonzero(share)]
    return at, seen.astype(np.float64), factors


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _influence(applied: Applied, name: str, place: Shape) -> Influence:
    arrays = _arrays(applied)
    for read in applied.step.operation.differentiable & arrays.keys():
        arrays[read] = np.zeros(arrays[read].shape)
    arrays[name][full(arrays[name], place)] = 1
    at, factors = where(reference(applied.step, arrays))
    text = "1, as it is a copy" if (factors == 1).all() else "its share of the sum"
    return Influence(at, factors, None, text)


def _arrays(applied: Applied) -> dict[str, np.ndarray]:
    return {name: applied.arrays[name] for name in applied.step.reads}


LINEAR = Family(_explain, _influence)
