"""Softmax, and the loss after it: how scores become probabilities, and what a wrong one costs."""

from __future__ import annotations

import numpy as np

from minicnn.apps.explorer.end_loss import softmax
from minicnn.apps.explorer.numbers.parts import (
    CROSS_ENTROPY,
    SOFTMAX,
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
    scores = applied.image()[place[:-1]]
    largest = float(scores.max())
    powers = np.exp(scores.astype(np.float64) - largest)
    total = float(powers[place[-1]] / powers.sum())
    numbers = np.arange(len(scores))
    terms = Terms(places(*place[:-1], numbers), scores, powers)
    text = (
        f"e to the power of the score {shown(scores[place[-1]])}, divided by the sum of the same "
        f"of {counted(len(scores), 'score')}, is {shown(total)}. The largest score, "
        f"{shown(largest)}, is subtracted from all of them first, which changes nothing."
    )
    formula = {"name": "softmax", "largest": largest, "sum": float(powers.sum()),
               "power": float(powers[place[-1]]), "index": place[-1]}  # fmt: skip
    return Explanation(SOFTMAX, total, text, terms, formula)


def _influence(applied: Applied, _name: str, place: Shape) -> Influence:
    place = full(applied.arrays["x"], place)[1:]
    shares = softmax(applied.image()[place[:-1]].astype(np.float64))
    numbers = np.arange(len(shares))
    factors = shares * ((numbers == place[-1]) - shares[place[-1]])
    text = "p of that class times (1 - p) for the class itself, times -p for the others"
    return Influence(places(*place[:-1], numbers), factors, None, text)


def explain_loss(
    shares: np.ndarray, label: int, names: tuple[str, ...], total: float
) -> Explanation:
    """Explain the loss from the probabilities of the classes: minus log p of the true one.

    Parameters
    ----------
    shares : (classes,) probabilities
    label : the number of the true class
    names : of the classes
    total : the loss in float64
    """
    p = float(shares[label])
    terms = Terms(places(label), np.array([p], np.float32), np.array([total]))
    text = (
        f"The true class is {names[label]}, which got the probability {shown(p)}. The loss is "
        f"minus its logarithm, {shown(total)}. A loss of 0 would mean certainty."
    )
    formula = {"name": "cross_entropy", "p": p, "label": label}
    return Explanation(CROSS_ENTROPY, total, text, terms, formula)


SOFTMAX_FAMILY = Family(_explain, _influence)
