"""The explanations of one pass: of a value, of its gradient, of the gradient by a weight."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from minicnn.apps.explorer import end_loss
from minicnn.apps.explorer.forward_pass import Pass
from minicnn.apps.explorer.numbers.families import family_of
from minicnn.apps.explorer.numbers.parts import (
    SUM_OF_PRODUCTS,
    Applied,
    Explanation,
    Influence,
    Terms,
    counted,
    full,
    shown,
)
from minicnn.apps.explorer.numbers.softmax import exact_softmax, explain_loss
from minicnn.apps.explorer.places import place_text
from minicnn.apps.explorer.problems import Problem
from minicnn.apps.explorer.recording import INPUT, Reader
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
    """Explain a value of a step's result, or the loss."""
    if step == one.loss_step:
        return _explained_loss(one)
    if step == INPUT:
        raise Problem("the input is not computed; it is the image itself")
    subject = applied(one, step)
    explanation = family_of(subject.step.name).explain(subject, place)
    sources = [subject.step.reads[name].step for name in explanation.terms.reads
               if name in subject.step.reads]  # fmt: skip
    value = float(one.value(step)[place])
    return Explained(
        _answer(explanation, value, sources, step, place), _tensors(explanation.terms, sources)
    )


def explain_gradient(one: Pass, step: int, place: Shape) -> Explained:
    """Explain the gradient of the loss by a value: the later values that it went into."""
    value = float(one.gradient(step)[place])
    rows = [_passed_back(one, reader, place) for reader in one.recording.readers(step)]
    if step == one.recording.output:
        rows.append(_from_loss(one, place))
    return _gradient_answer(one, rows, value, step, place)


def explain_weight(one: Pass, parameter: str, place: Shape) -> Explained:
    """Explain the gradient of the loss by one weight: all the places that it is used at."""
    gradient = float(one.parameter_gradient(parameter)[place])
    rows = [_passed_back(one, reader, place) for reader in one.recording.users(parameter)]
    weight = float(one.parameter(parameter)[place])
    total = sum(float(row.product.sum()) for row in rows)
    used = sum(len(row.product) for row in rows)
    text = (
        f"This weight, {shown(weight)}, is used at {counted(used, 'place')}. At each of them the "
        f"gradient of the result is multiplied with {rows[0].influence.text if rows else 'nothing'}; "
        f"the sum is {shown(total)}. A positive gradient says: a larger weight makes the loss larger."
    )
    answer = {
        "kind": SUM_OF_PRODUCTS, "value": gradient, "sum": total, "weight": weight, "text": text,
        "step": rows[0].reader if rows else None, "parameter": parameter, "at": list(place),
        "terms": used,
    }  # fmt: skip
    return Explained(answer, _weight_tensors(rows))


class _Row(NamedTuple):
    """What comes back from one step that read a value."""

    reader: int
    influence: Influence
    gradients: np.ndarray  # (n,) of the loss by the places that the value went to

    @property
    def product(self) -> np.ndarray:
        products: np.ndarray = self.gradients * self.influence.factors
        return products


def _passed_back(one: Pass, reader: Reader, place: Shape) -> _Row:
    step, name = reader
    influence = family_of(step.name).influence(applied(one, step.number), name, place)
    gradients = _exact_gradient(one, step.number)[tuple(influence.places.T)]
    return _Row(step.number, influence, gradients)


def _exact_gradient(one: Pass, step: int) -> np.ndarray:
    """Return the gradient by a step's result; by probabilities before the loss, in float64.

    In float32 1/p is infinite for a small p.
    """
    if one.loss is None or one.loss.displayed != step:
        return one.gradient(step).astype(np.float64)
    return by_probability(exact_output(one), one.label or 0)


def exact_output(one: Pass) -> np.ndarray:
    """Return the probabilities at the end in float64, from the scores before them."""
    end = one.recording.steps[one.recording.output]
    scores = one.read(end.reads["x"])[0].astype(np.float64)
    if end.name == "softmax":
        return exact_softmax(scores)
    return 1 / (1 + np.exp(-scores))


def by_probability(shares: np.ndarray, label: int) -> np.ndarray:
    """Return the gradient of -log p by the probabilities, p that of the true class; float64."""
    gradient = np.zeros(shares.shape)
    smallest = np.finfo(np.float64).tiny
    if shares.size == 1:
        p = shares[0] if label == 1 else 1 - shares[0]
        gradient[0] = (-1 if label == 1 else 1) / max(p, smallest)
    else:
        gradient[label] = -1 / max(shares[label], smallest)
    return gradient


def _from_loss(one: Pass, place: Shape) -> _Row:
    """Return what comes back from the loss itself: its own gradient, once."""
    factor = _exact_gradient(one, one.recording.output)[place]
    at = np.zeros((1, 1), np.int32)
    influence = Influence(at, np.array([factor]), None, "the slope of the loss")
    return _Row(one.loss_step, influence, np.ones(1))


def _explained_loss(one: Pass) -> Explained:
    loss = one.need_label()
    label = one.label or 0
    shares, total = one.probabilities, loss.value
    if loss.displayed is not None:
        total = _exact_loss(one, label)
    elif not end_loss.ends_in_sigmoid(one.recording):
        shares = exact_softmax(one.output)
        total = _log_sum(one.output) - float(one.output[label])
    explanation = explain_loss(shares, label, one.network.class_names, total)
    source = [one.recording.output]
    answer = _answer(explanation, loss.value, source, one.loss_step, (0,))
    return Explained(answer, _tensors(explanation.terms, source))


def _exact_loss(one: Pass, label: int) -> float:
    """Return the cross-entropy in float64 from the scores before the softmax or sigmoid."""
    end = one.recording.steps[one.recording.output]
    scores = one.read(end.reads["x"])[0].astype(np.float64)
    if end.name == "softmax":
        return _log_sum(scores) - float(scores[label])
    return float(np.logaddexp(0, -scores[0] if label == 1 else scores[0]))


def _log_sum(scores: np.ndarray) -> float:
    """Return log of the sum of e^score, in float64."""
    wide = scores.astype(np.float64)
    return float(wide.max() + np.log(np.exp(wide - wide.max()).sum()))


def _gradient_answer(
    one: Pass, rows: list[_Row], value: float, step: int, place: Shape
) -> Explained:
    total = sum(float(row.product.sum()) for row in rows)
    readers = [row.reader for row in rows]
    answer = {
        "kind": SUM_OF_PRODUCTS, "value": value, "sum": total, "step": step, "at": list(place),
        "text": _gradient_text(one, rows, total), "terms": sum(len(r.product) for r in rows),
        "formula": {"name": "chain_rule"}, "bias": None,
        "reads_step": readers[0] if len(readers) == 1 else None, "reads_steps": readers,
    }  # fmt: skip
    return Explained(answer, _gradient_tensors(rows))


def _gradient_text(one: Pass, rows: list[_Row], total: float) -> str:
    if not rows:
        return "No later step reads this value, so it cannot change the loss: its gradient is 0."
    parts = [
        f"{counted(len(row.product), 'value')} of {_name(one, row.reader)} "
        f"(factor: {row.influence.text})"
        for row in rows
    ]
    return (
        f"This value went into {' and '.join(parts)}. Each gives back its own gradient times the "
        f"factor on the way; the sum is {shown(total)}."
    )


def _name(one: Pass, step: int) -> str:
    if step == one.loss_step:
        return "the loss"
    found = one.recording.steps[step]
    return f"step {step}, {found.name} in {found.layer}"


def _gradient_tensors(rows: list[_Row]) -> dict[str, np.ndarray]:
    tensors = {
        "input_place": _stacked([row.influence.places for row in rows]),
        "input": _line([row.gradients for row in rows]),
        "weight": _line([row.influence.factors for row in rows]),
        "product": _line([row.product for row in rows]),
        "input_step": _numbers([(row.reader, len(row.product)) for row in rows]),
    }
    others = [row.influence.other_place for row in rows if row.influence.other_place is not None]
    return tensors | ({"weight_place": others[0]} if len(rows) == 1 and others else {})


def _weight_tensors(rows: list[_Row]) -> dict[str, np.ndarray]:
    tensors = {
        "place": _stacked([row.influence.places for row in rows]),
        "input": _line([row.influence.factors for row in rows]),
        "gradient": _line([row.gradients for row in rows]),
        "product": _line([row.product for row in rows]),
        "at_step": _numbers([(row.reader, len(row.product)) for row in rows]),
    }
    others = [row.influence.other_place for row in rows if row.influence.other_place is not None]
    return tensors | ({"input_place": others[0]} if len(rows) == 1 and others else {})


def _answer(
    explanation: Explanation, value: float, sources: list[int | None], step: int, place: Shape
) -> dict[str, Any]:
    return {
        "kind": explanation.kind, "value": value, "sum": explanation.total, "bias": None,
        "text": explanation.text, "formula": explanation.formula, "step": step, "at": list(place),
        "terms": len(explanation.terms.input),
        "reads_step": sources[0] if sources else None, "reads_steps": sources,
        **explanation.details,
    }  # fmt: skip


def _tensors(terms: Terms, sources: list[int | None]) -> dict[str, np.ndarray]:
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


def _stacked(parts: list[np.ndarray]) -> np.ndarray:
    """Return places of several steps below each other; shorter ones are filled up with -1."""
    axes = max((part.shape[1] for part in parts), default=1)
    filled = [np.pad(p, ((0, 0), (0, axes - p.shape[1])), constant_values=-1) for p in parts]
    return np.concatenate(filled or [np.zeros((0, axes))]).astype(np.int32)


def _line(parts: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.zeros(0), *parts]).astype(np.float32)


def _numbers(counts: list[tuple[int, int]]) -> np.ndarray:
    return np.repeat([n for n, _ in counts], [c for _, c in counts]).astype(np.int32)
