"""Why the probabilities of two passes differ, told in sentences."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.apps.explorer.changed_scores import score_sentences, scores_of
from minicnn.apps.explorer.forward_pass import Pass
from minicnn.apps.explorer.numbers.parts import shown
from minicnn.apps.explorer.places import place_text
from minicnn.apps.explorer.problems import Problem
from minicnn.apps.explorer.recording import INPUT, Step
from minicnn.apps.explorer.step_titles import name_of, parameter_kind

NAMED = 3  # changed values that sentences name one by one
VIEWS = ("reshape", "reshape_whole")  # the same values once more


def told(before: Pass, after: Pass) -> dict[str, Any]:
    """Return what differs between two passes, how far it reaches and which scores it moved.

    Returns
    -------
    dict
        `sentences`, in the order of the computation; `scores`, [class, before, after] of what the
        softmax reads; `probabilities`, the same of what it makes of them. Fit for JSON.

    Raises
    ------
    Problem : the networks do not run the same steps
    """
    _check_comparable(before, after)
    sentences = [*_differences(before, after), *_reach(before, after)]
    sentences += score_sentences(before, after)
    names = after.network.class_names
    return {
        "sentences": sentences,
        "scores": _pairs(names, scores_of(before), scores_of(after)),
        "probabilities": _pairs(names, before.probabilities, after.probabilities),
    }


def _pairs(names: tuple[str, ...], before: np.ndarray, after: np.ndarray) -> list[list[Any]]:
    rows = zip(names, before.tolist(), after.tolist(), strict=False)
    return [[name, *pair] for name, *pair in rows]


def _check_comparable(before: Pass, after: Pass) -> None:
    if _structure(before) != _structure(after):
        raise Problem(
            f"{before.network.name} and {after.network.name} do not run the same steps, so their "
            "passes cannot be compared value by value"
        )


def _structure(one: Pass) -> list[Any]:
    """Return what two networks must have in common to be compared value by value."""
    steps = [(step.name, step.shape) for step in one.recording.steps]
    shapes = [value.shape for value in one.network.parameters.values()]
    return [one.recording.input_shape, steps, shapes, one.network.class_names]


def _differences(before: Pass, after: Pass) -> list[str]:
    """Return what is different before anything is computed: weights, pixels, the true class."""
    found = _weight_sentences(before, after)
    pixels = np.argwhere(before.value(INPUT) != after.value(INPUT))
    if len(pixels):
        found += _value_sentences(
            "pixel", "pixel values", before.value(INPUT), after.value(INPUT), pixels
        )
    if before.label != after.label:
        found.append(
            "The true class was changed. This changes the loss, but not the probabilities."
        )
    return found or ["Nothing was changed: both passes are the same."]


def _weight_sentences(before: Pass, after: Pass) -> list[str]:
    if before.network is not after.network:
        names = (
            before.network.title or before.network.name,
            after.network.title or after.network.name,
        )
        pairs = zip(before.network.parameters, after.network.parameters, strict=True)
        changed = sum(int((before.parameter(a) != after.parameter(b)).sum()) for a, b in pairs)
        return [f"{changed:,} weights differ: first those of {names[0]}, now {names[1]}."]
    found: list[str] = []
    for name in {**before.changed, **after.changed}:
        values = before.parameter(name), after.parameter(name)
        places = np.argwhere(values[0] != values[1])
        if len(places):
            kind = parameter_kind(name)
            many = "biases" if kind == "bias" else f"{kind}s"
            found += _value_sentences(f"{kind} of {name}", f"{many} of {name}", *values, places)
    return found


def _value_sentences(
    one: str, many: str, before: np.ndarray, after: np.ndarray, places: np.ndarray
) -> list[str]:
    if len(places) > NAMED:
        return [f"{len(places):,} of {before.size:,} {many} were changed."]
    rows = [tuple(map(int, place)) for place in places]
    return [
        f"The {one} at {','.join(map(str, place))} was {shown(before[place])} and is "
        f"{shown(after[place])}."
        for place in rows
    ]


def _reach(before: Pass, after: Pass) -> list[str]:
    """Return how many values of each step differ: where a change spreads, and where it is lost."""
    counts = [
        (step, int((before.value(step.number) != after.value(step.number)).sum()))
        for step in after.recording.steps
        if step.name not in VIEWS
    ]
    reached = [(step, count) for step, count in counts if count]
    if not reached:
        return ["No value of any step is different."]
    first, count = reached[0]
    sentences = [
        f"The first values that it changes are {_share(first, count)}{_map(first, before, after)}."
    ]
    rest = [_share(step, count) for step, count in reached[1:-1]]
    if rest:
        sentences.append(f"The change spreads to {', '.join(rest)}.")
    lost = [step for step, count in counts if not count and step.number > first.number]
    if lost:
        places = ", ".join(_where(step) for step in lost)
        sentences.append(f"It does not change the values of {places}.")
    return sentences


def _share(step: Step, count: int) -> str:
    total = int(np.prod(step.shape))
    part = f"all {total:,}" if count == total else f"{count:,} of {total:,}"
    return f"{part} values of {_where(step)}"


def _where(step: Step) -> str:
    """Return a step by its layer; a layer with an activation has two."""
    return f"{step.layer or 'the network'} ({name_of(step.name)})"


def _map(step: Step, before: Pass, after: Pass) -> str:
    """Return the largest change of a step's values in words."""
    change = after.value(step.number).astype(np.float64) - before.value(step.number)
    place = tuple(int(i) for i in np.unravel_index(np.abs(change).argmax(), change.shape))
    return f", most of all {place_text(place)}, by {shown(change[place])}"
