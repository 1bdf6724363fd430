"""Functions of single values: activations, rescaling, sums and products of two arrays."""

from __future__ import annotations

import numpy as np

from minicnn.apps.explorer.numbers.parts import (
    FUNCTION,
    SUM,
    SUM_OF_PRODUCTS,
    Applied,
    Explanation,
    Family,
    Influence,
    Terms,
    full,
    places,
    shown,
)
from minicnn.apps.explorer.reference import derivative, reference
from minicnn.apps.explorer.step_titles import name_of
from minicnn.contracts import Shape

SLOPES = {
    "add": "1, as it is a sum",
    "multiply": "the value of the other branch",
    "relu": "the slope of ReLU: 1 for positive values, else 0",
    "rescale": "the number that it is multiplied by",
}


def _explain(applied: Applied, place: Shape) -> Explanation:
    """Explain y = f(x) from the one value that is read."""
    values = _values(applied, place)
    total = float(reference(applied.step, values).item())
    names = list(values)
    seen = np.array([value.item() for value in values.values()])
    terms = Terms(
        np.repeat(places(*place), len(seen), 0), seen.astype(np.float32), seen,
        reads=tuple(names), of_read=np.arange(len(seen)),
    )  # fmt: skip
    text = f"{name_of(applied.step.name)} of {' and '.join(map(shown, seen))} is {shown(total)}."
    return Explanation(FUNCTION, total, text, terms, _formula(applied, seen))


def _formula(applied: Applied, seen: np.ndarray) -> dict[str, object]:
    numbers = {k: v for k, v in applied.attributes.items() if isinstance(v, (int, float))}
    return {"name": applied.step.name, "inputs": seen.tolist(), **numbers}


def _explain_rescale(applied: Applied, place: Shape) -> Explanation:
    explained = _explain(applied, place)
    scale, offset = applied.attributes["scale"], applied.attributes["offset"]
    seen = float(explained.terms.input[0])
    text = f"{shown(seen)} times {shown(scale)}"
    text += f" plus {shown(offset)}" if offset else ""
    return Explanation(
        FUNCTION, explained.total, f"{text} is {shown(explained.total)}.", explained.terms,
        explained.formula,
    )  # fmt: skip


def _explain_relu(applied: Applied, place: Shape) -> Explanation:
    explained = _explain(applied, place)
    seen = float(explained.terms.input[0])
    why = "it is positive, so it stays" if seen > 0 else "it is not positive, so it becomes 0"
    text = f"ReLU of {shown(seen)} is {shown(explained.total)}: {why}."
    return Explanation(FUNCTION, explained.total, text, explained.terms, explained.formula)


def _explain_add(applied: Applied, place: Shape) -> Explanation:
    explained = _explain(applied, place)
    a, b = explained.terms.input
    text = f"The sum of both branches at the same place: {shown(a)} + {shown(b)} = "
    formula = {"name": "add"}
    return Explanation(
        SUM, explained.terms.total, f"{text}{shown(explained.total)}.", explained.terms, formula
    )


def _explain_multiply(applied: Applied, place: Shape) -> Explanation:
    values = _values(applied, place)
    a, b = (value.item() for value in values.values())
    at = places(*place)
    terms = Terms(
        at,
        np.array([a], np.float32),
        np.array([a * b]),
        at,
        np.array([b], np.float32),
        tuple(values),
    )
    text = f"The product of both branches at the same place: {shown(a)} times {shown(b)}."
    return Explanation(SUM_OF_PRODUCTS, a * b, text, terms, {"name": "multiply"})


def _influence(applied: Applied, name: str, place: Shape) -> Influence:
    at = places(*full(applied.result, place)[1:])
    values = _values(applied, place)
    factor = derivative(applied.step, values, name)
    text = SLOPES.get(applied.step.name, "the slope of the function there")
    return Influence(at, np.array([factor.item()]), None, text)


def _values(applied: Applied, place: Shape) -> dict[str, np.ndarray]:
    """Return the values that are read at a place by their names, float64 (1, 1)."""
    return {
        name: np.array([[array[full(array, place)]]], np.float64)
        for name, array in applied.arrays.items()
        if name in applied.step.reads
    }


FUNCTIONS = Family(_explain, _influence)
RELU = Family(_explain_relu, _influence)
RESCALE = Family(_explain_rescale, _influence)
ADD = Family(_explain_add, _influence)
MULTIPLY = Family(_explain_multiply, _influence)
