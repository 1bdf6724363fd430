"""Gradients are what trying shows: the loss with a value a bit larger and a bit smaller."""

from __future__ import annotations

import pytest
from explorer_networks import BUILDERS, pass_of, random_places

from minicnn.apps.explorer.finite_difference import check
from minicnn.apps.explorer.recording import INPUT
from minicnn.apps.explorer.reruns import Target

PLACES = 50
SMALL = [name for name in BUILDERS if name != "scene"]


def agrees(one, target):
    """Whether the check agrees; None if a kink is in between."""
    found = check(one, target)
    return None if found["kinks"] else found["relative_error"] <= 1e-4


def verdicts(one, targets):
    """Check all targets; most must be free of kinks."""
    found = [agrees(one, target) for target in targets]
    assert False not in found, [t for t, f in zip(targets, found, strict=True) if f is False]
    assert found.count(None) <= len(found) // 5


@pytest.mark.parametrize("name", SMALL)
def test_gradients_by_weights(name):
    one = pass_of(name)
    for parameter, value in one.network.parameters.items():
        if "moving" not in parameter:
            places = random_places(value.shape, 8)
            verdicts(one, [Target(parameter, INPUT, place) for place in places])


@pytest.mark.parametrize("name", SMALL)
def test_gradients_by_values_of_every_step(name):
    one = pass_of(name)
    for step in range(INPUT, len(one.recording.steps)):
        places = random_places(one.recording.shape_of(step), 8)
        verdicts(one, [Target("", step, place) for place in places])
