"""How a value of a pass was computed, for a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from minicnn.apps.explorer import exact
from minicnn.apps.explorer.forward_pass import Pass
from minicnn.apps.explorer.numbers.families import family_of
from minicnn.apps.explorer.numbers.parts import Applied, Explanation, Terms, shown
from minicnn.apps.explorer.numbers.softmax import explain_loss
from minicnn.apps.explorer.recording import INPUT
from minicnn.contracts import Shape


class Explained(NamedTuple):
    """An explanation: an answer that is fit for JSON, and arrays with one row for each term."""

    answer: dict[str, Any]
    tensors: dict[str, np.ndarray]


def applied(one: Pass, step: int) -> Applied:
    """Return a step of a pass with what it read and wrote."""
    found = one.recording.steps[step]
    arrays = {name: one.read(source) for name, source in found.reads.items()}
    return Applied(found, {**arrays, **one.saved[step]}, one.values[step])


def explain_value(one: Pass, step: int, place: Shape) -> Explained:
    """Explain a value of a step's result, or the loss.

    Raises
    ------
    Problem : it is the loss, and the true class is not known
    """
    if step == one.loss_step:
        return _explained_loss(one)
    if step == INPUT:
        return _input(one, place)
    subject = applied(one, step)
    explanation = family_of(subject.step.name).explain(subject, place)
    reads = subject.step.reads
    sources = [reads[name].step for name in explanation.terms.reads if name in reads]
    return _explained(explanation, float(one.value(step)[place]), sources, step, place)


def _input(one: Pass, place: Shape) -> Explained:
    value = float(one.value(INPUT)[place])
    text = f"This is an input of the network, {shown(value)}. It is not computed."
    answer = {"kind": "input", "value": value, "sum": value, "text": text, "formula": {}}
    return Explained({**answer, "step": INPUT, "at": list(place), "terms": 0}, {})


def _explained_loss(one: Pass) -> Explained:
    loss, label = one.need_label(), one.label or 0
    explanation = explain_loss(
        exact.probabilities(one), label, one.network.class_names, exact.loss(one).value
    )
    return _explained(explanation, loss.value, [one.recording.output], one.loss_step, (0,))


def _explained(
    explanation: Explanation, value: float, sources: Sequence[int | None], step: int, place: Shape
) -> Explained:
    answer = {
        "kind": explanation.kind, "value": value, "sum": explanation.total, "bias": None,
        "text": explanation.text, "formula": explanation.formula, "step": step, "at": list(place),
        "terms": len(explanation.terms.input),
        "reads_step": sources[0] if sources else None, "reads_steps": list(sources),
        **explanation.details,
    }  # fmt: skip
    return Explained(answer, _tensors(explanation.terms, sources))


def _tensors(terms: Terms, sources: Sequence[int | None]) -> dict[str, np.ndarray]:
    tensors = {
        "input_place": terms.input_place.astype(np.int32),
        "input": terms.input.astype(np.float32),
        "product": terms.product.astype(np.float32),
    }
    if terms.weight_place is not None:
        tensors["weight_place"] = terms.weight_place.astype(np.int32)
    if terms.weight is not None:
        tensors["weight"] = terms.weight.astype(np.float32)
    if terms.of_read is not None and len(sources) > 1:
        numbers = np.array([INPUT if one is None else one for one in sources], np.int32)
        tensors["input_step"] = numbers[terms.of_read]
    return tensors
