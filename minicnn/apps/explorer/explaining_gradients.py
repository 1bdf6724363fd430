"""How a gradient of a pass was computed, for a page: by the chain rule, one step back.

The gradient of a value is the sum over the places of later steps that it went to, of the gradient
there times the derivative of that place by the value. The gradient of a weight is the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from minicnn.apps.explorer import exact
from minicnn.apps.explorer.explaining import Explained, applied
from minicnn.apps.explorer.forward_pass import Pass
from minicnn.apps.explorer.numbers.families import family_of
from minicnn.apps.explorer.numbers.parts import SUM_OF_PRODUCTS, Influence, counted, shown
from minicnn.apps.explorer.recording import Reader
from minicnn.apps.explorer.step_titles import name_of, parameter_kind
from minicnn.contracts import Shape


class Returned(NamedTuple):
    """What comes back from one step that read a value."""

    step: int
    influence: Influence
    gradients: np.ndarray  # (n,) of the loss by the places that the value went to

    @property
    def product(self) -> np.ndarray:
        """The terms of the sum, (n,) float64."""
        terms: np.ndarray = self.gradients * self.influence.factors
        return terms


def explain_gradient(one: Pass, step: int, place: Shape) -> Explained:
    """Explain the gradient of the loss by a value, from the later values that it went into.

    Raises
    ------
    Problem : the true class is not known
    """
    value = float(one.gradient(step)[place])
    returned = _all_returned(one, one.recording.readers(step), place)
    if step == one.recording.output:
        returned.append(_from_loss(one, place))
    total = _total(returned)
    steps = [back.step for back in returned]
    answer = {
        "kind": SUM_OF_PRODUCTS, "value": value, "sum": total, "bias": None, "step": step,
        "at": list(place), "terms": _count(returned), "text": _text(one, returned, total),
        "formula": {"name": "chain_rule"}, "reads_step": steps[0] if len(steps) == 1 else None,
        "reads_steps": steps,
    }  # fmt: skip
    tensors = {
        "input_place": _places(back.influence.places for back in returned),
        "input": _line(back.gradients for back in returned),
        "weight": _line(back.influence.factors for back in returned),
        "product": _line(back.product for back in returned),
        "input_step": _steps(returned),
    }
    return Explained(answer, tensors | _other_places("weight_place", returned))


def explain_weight(one: Pass, parameter: str, place: Shape) -> Explained:
    """Explain the gradient of the loss by one weight or bias, from all places that it is used at.

    Without a true class it has no gradient, and no terms.

    Raises
    ------
    Problem : it is a statistic, not a weight that is learned
    """
    if one.loss is None:
        return _weight_without_gradient(one, parameter, place)
    value = float(one.parameter_gradient(parameter)[place])
    returned = _all_returned(one, one.recording.users(parameter), place)
    weight, total = float(one.parameter(parameter)[place]), _total(returned)
    answer = {
        "kind": SUM_OF_PRODUCTS, "value": value, "sum": total, "weight": weight,
        "text": _weight_text(parameter, weight, returned, total), "parameter": parameter,
        "at": list(place),
        "step": returned[0].step if returned else None, "terms": _count(returned),
    }  # fmt: skip
    tensors = {
        "place": _places(back.influence.places for back in returned),
        "input": _line(back.influence.factors for back in returned),
        "gradient": _line(back.gradients for back in returned),
        "product": _line(back.product for back in returned),
        "at_step": _steps(returned),
    }
    return Explained(answer, tensors | _other_places("input_place", returned))


def _weight_without_gradient(one: Pass, parameter: str, place: Shape) -> Explained:
    weight = float(one.parameter(parameter)[place])
    users = [reader.step.number for reader in one.recording.users(parameter)]
    what = parameter_kind(parameter)
    text = f"This {what} is {shown(weight)}. Choose the true class to see its gradient."
    return Explained(
        {
            "kind": SUM_OF_PRODUCTS, "value": None, "sum": None, "weight": weight, "text": text,
            "parameter": parameter, "at": list(place), "step": users[0] if users else None,
            "terms": 0,
        },
        {},
    )  # fmt: skip


def _all_returned(one: Pass, readers: Iterable[Reader], place: Shape) -> list[Returned]:
    """Return what comes back from the steps that have a gradient by what they read."""
    with_gradient = [r for r in readers if r.name in r.step.operation.differentiable]
    return [_returned(one, reader, place) for reader in with_gradient]


def _returned(one: Pass, reader: Reader, place: Shape) -> Returned:
    step, name = reader
    influence = family_of(step.name).influence(applied(one, step.number), name, place)
    gradients = exact.gradient(one, step.number)[tuple(influence.places.T)]
    return Returned(step.number, influence, np.atleast_1d(gradients))


def _from_loss(one: Pass, place: Shape) -> Returned:
    """Return what comes back from the loss: its slope, as its gradient by itself is 1."""
    slope = exact.loss(one).gradient[0]
    if one.need_label().end.activation is not None:
        slope = exact.gradient(one, one.recording.output)
    influence = Influence(
        np.zeros((1, 1), np.int32), np.array([slope[place]]), None, "the slope of the loss"
    )
    return Returned(one.loss_step, influence, np.ones(1))


def _text(one: Pass, returned: list[Returned], total: float) -> str:
    if not _count(returned):
        return "No later step computes with this value, so its gradient is 0."
    used = [back for back in returned if len(back.product)]
    parts = " and ".join(_values_of(one, back) for back in used)
    start = parts[:1].upper() + parts[1:]
    factors = " or ".join(dict.fromkeys(back.influence.text for back in used))
    if _count(used) == 1:
        return (
            f"{start} depends on this value. The gradient there times the factor ({factors}) is "
            f"{shown(total)}."
        )
    return (
        f"{start} depend on this value. Each contributes its gradient times the factor "
        f"({factors}); the sum is {shown(total)}."
    )


def _values_of(one: Pass, back: Returned) -> str:
    if back.step == one.loss_step:
        return "the loss"
    return f"{counted(len(back.product), 'value')} of {_name(one, back.step)}"


def _weight_text(parameter: str, weight: float, returned: list[Returned], total: float) -> str:
    what = parameter_kind(parameter)
    if not returned:
        return f"No step reads this {what}, so its gradient is 0."
    effect = "larger" if total > 0 else "smaller"
    end = f" So a slightly larger {what} makes the loss {effect}." if total else ""
    count = _count(returned)
    where, result = ("There", "the product") if count == 1 else ("At each of them", "the sum")
    return (
        f"This {what}, {shown(weight)}, is used at {counted(count, 'place')}. {where}, the "
        f"gradient of the result is multiplied by the factor ({returned[0].influence.text}); "
        f"{result} is {shown(total)}.{end}"
    )


def _name(one: Pass, step: int) -> str:
    found = one.recording.steps[step]
    return f"{found.layer or 'the network'} ({name_of(found.name)}, step {step})"


def _total(returned: list[Returned]) -> float:
    return sum(float(back.product.sum()) for back in returned)


def _count(returned: list[Returned]) -> int:
    return sum(len(back.product) for back in returned)


def _other_places(name: str, returned: list[Returned]) -> dict[str, np.ndarray]:
    """Return the places of the factors, if all are in one array."""
    places = returned[0].influence.other_place if len(returned) == 1 else None
    return {} if places is None else {name: places.astype(np.int32)}


def _places(parts: Iterable[np.ndarray]) -> np.ndarray:
    """Return places of several steps below each other; shorter ones are filled up with -1."""
    found = list(parts)
    axes = max((part.shape[1] for part in found), default=1)
    filled = [np.pad(p, ((0, 0), (0, axes - p.shape[1])), constant_values=-1) for p in found]
    return np.concatenate([np.zeros((0, axes)), *filled]).astype(np.int32)


def _line(parts: Iterable[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.zeros(0), *parts]).astype(np.float32)


def _steps(returned: list[Returned]) -> np.ndarray:
    counts = [len(back.product) for back in returned]
    return np.repeat([back.step for back in returned], counts).astype(np.int32)
