"""Gradients are what trying shows: the loss with a value a bit larger and a bit smaller."""

from __future__ import annotations

import numpy as np
import pytest
from explorer_networks import BUILDERS, pass_of, random_places

from minicnn import layers as la
from minicnn.apps.explorer.explorer import Explorer
from minicnn.apps.explorer.finite_difference import check
from minicnn.apps.explorer.model_networks import opened
from minicnn.apps.explorer.recording import INPUT
from minicnn.apps.explorer.reruns import Target
from minicnn.models import Model

SMALL = [name for name in BUILDERS if name != "scene"]
some_and_many = pytest.mark.parametrize("count", [8, pytest.param(50, marks=pytest.mark.slow)])


def agrees(one, target):
    """Whether the check agrees; None if a kink is in between."""
    found = check(one, target)
    return None if found["kinks"] else found["agrees"]


def check_all(one, targets):
    """Check all targets; most must be free of kinks."""
    found = [agrees(one, target) for target in targets]
    assert False not in found, [t for t, f in zip(targets, found, strict=True) if f is False]
    assert found.count(None) <= len(found) // 5


def learned(one):
    return [name for name in one.network.parameters if "moving" not in name]


@some_and_many
@pytest.mark.parametrize("name", SMALL)
def test_gradients_by_weights(name, count):
    one = pass_of(name)
    for parameter in learned(one):
        places = random_places(one.parameter(parameter).shape, count)
        check_all(one, [Target(parameter, INPUT, place) for place in places])


@some_and_many
@pytest.mark.parametrize("name", SMALL)
def test_gradients_by_values_of_every_step(name, count):
    one = pass_of(name)
    for step in range(INPUT, len(one.recording.steps)):
        places = random_places(one.recording.shape_of(step), count)
        check_all(one, [Target("", step, place) for place in places])


@pytest.mark.slow
def test_gradients_of_the_network_of_scenes():
    one = pass_of("scene")
    for parameter in learned(one):
        places = random_places(one.parameter(parameter).shape, 2)
        check_all(one, [Target(parameter, INPUT, place) for place in places])
    places = random_places(one.recording.input_shape, 15)
    check_all(one, [Target("", INPUT, place) for place in places])


def at_a_kink():
    """A pass in which every value before the ReLU is exactly 0."""
    image = la.Input((5, 5, 1))
    maps = la.Conv2D(3, 3, activation="relu", name="conv")(image)
    model = Model(image, la.Dense(2, activation="softmax")(la.Flatten()(maps)))
    network = opened("kink", model)
    return Explorer([network]).compute(network, np.zeros((1, 5, 5, 1), np.float32), 1)


def test_a_kink_is_said():
    found = check(at_a_kink(), Target("conv/bias", INPUT, (1,)))
    assert found["kinks"] == 9
    assert found["gradient"] == 0 != found["difference"]
    assert "crossed a kink of a ReLU" in found["text"]
    assert found["h"] == 1e-7


def test_no_kink_is_passed_if_a_smaller_step_can_avoid_it():
    one = at_a_kink()
    explorer = Explorer([one.network])
    moved = explorer.compute(one.network, one.x, 1, ["parameter:conv/bias:1=0.00003"])
    found = check(moved, Target("conv/bias", INPUT, (1,)))
    assert (found["h"], found["kinks"]) == (1e-5, 0)
    assert found["relative_error"] < 1e-4
    assert "They agree" in found["text"]


def test_a_change_reaches_only_later_steps():
    found = check(pass_of("lenet"), Target("ip2/bias", INPUT, (3,)))
    p = float(pass_of("lenet").probabilities[3])
    assert found["difference"] == pytest.approx(p, rel=1e-5)
    assert found["loss_plus"] > found["loss_minus"]
