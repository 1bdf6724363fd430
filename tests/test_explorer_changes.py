"""Changes by hand: nothing else changes, and sentences say what they did."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from explorer_networks import pass_of

from minicnn import layers as la
from minicnn import zoo
from minicnn.apps.explorer.changes import told
from minicnn.apps.explorer.explorer import Explorer
from minicnn.apps.explorer.model_networks import opened
from minicnn.apps.explorer.problems import Problem
from minicnn.models import Model


@pytest.fixture
def explorer():
    return Explorer([opened("lenet", zoo.lenet())])


@pytest.fixture
def network(explorer):
    return explorer.network("lenet")


@pytest.fixture
def x():
    pixels = np.random.default_rng(0).integers(0, 256, (1, 28, 28, 1))
    return pixels.astype(np.float32)


def test_a_weight_that_is_changed_changes_one_map(explorer, network, x):
    before = explorer.compute(network, x, 7)
    after = explorer.compute(network, x, 7, ["parameter:conv1/kernel:0,0,0,3=0.5"])
    changed = (before.value(1) != after.value(1)).any((0, 1))
    assert changed.nonzero()[0].tolist() == [3]
    said = " ".join(told(before, after)["sentences"])
    assert "weight of conv1/kernel at 0,0,0,3 was" in said and "and is 0.5" in said
    assert "map 3" in said and "The score of" in said


def test_a_pixel_that_is_changed_is_named(explorer, network, x):
    before = explorer.compute(network, x)
    after = explorer.compute(network, x, None, ["pixel:10,8,0=7"])
    assert after.value(-1)[10, 8, 0] == 7
    said = told(before, after)["sentences"]
    assert said[0] == f"The pixel at 10,8,0 was {x[0, 10, 8, 0]:.4g} and is 7."
    assert "25 of 576 values" not in said  # of all 20 maps:
    assert "500 of 11,520 values of conv1" in " ".join(said)


def test_many_weights_that_are_changed_are_counted(explorer, network, x):
    edits = [f"parameter:conv1/kernel:0,0,0,{k}=9" for k in range(4)]
    said = told(explorer.compute(network, x), explorer.compute(network, x, None, edits))
    assert said["sentences"][0] == "4 of 500 weights of conv1/kernel were changed."


def test_the_weights_of_the_last_layer_move_a_score_of_their_own(explorer, network, x):
    before = explorer.compute(network, x)
    after = explorer.compute(network, x, None, ["parameter:ip2/bias:4=3"])
    found = told(before, after)
    moved = [name for name, old, new in found["scores"] if old != new]
    assert moved == ["4"]
    assert "through the weights or the bias of its own layer" in " ".join(found["sentences"])
    assert found["probabilities"][4][2] > found["probabilities"][4][1]


def test_another_answer_is_said(explorer, network, x):
    before = explorer.compute(network, x)
    other = (int(before.probabilities.argmax()) + 1) % 10
    after = explorer.compute(network, x, None, [f"parameter:ip2/bias:{other}=99"])
    assert f"and is {other}, with a probability of 1" in told(before, after)["sentences"][-1]


def test_nothing_is_said_to_have_changed_if_nothing_has(explorer, network, x):
    before, after = explorer.compute(network, x, 1), explorer.compute(network, x, 2)
    said = told(before, after)["sentences"]
    assert said[0].startswith("The true class was changed.")
    assert "No value of any step is different." in said
    assert told(before, before)["sentences"][0].startswith("Nothing was changed")


def test_two_epochs_are_compared(explorer, network, x):
    later = opened("later", zoo.lenet(), title="LeNet, later")
    other = explorer.compute(later, x)
    said = told(explorer.compute(network, x), other)["sentences"]
    assert "weights differ" in said[0] and "LeNet, later" in said[0]


def test_other_networks_are_not_compared(explorer, network, x):
    with pytest.raises(Problem, match="do not run the same steps"):
        told(explorer.compute(network, x), pass_of("odd"))


def test_the_same_steps_with_other_kernels_are_not_compared():
    def network(size, *, use_bias=True):
        image = la.Input((6, 6, 1))
        maps = la.Conv2D(2, size, padding="same", use_bias=use_bias)(image)
        return opened("one", Model(image, la.Dense(2, activation="softmax")(la.Flatten()(maps))))

    explorer, x = Explorer([network(3)]), np.zeros((1, 6, 6, 1), np.float32)
    before = explorer.compute(explorer.network("one"), x)
    for other in (network(5), network(3, use_bias=False)):
        with pytest.raises(Problem, match="do not run the same steps"):
            told(before, explorer.compute(other, x))


def test_edits_at_the_same_time_leave_the_network_as_it_is(explorer, network, x):
    expected = {name: value.copy() for name, value in network.parameters.items()}
    plain = explorer.compute(network, x).output.copy()
    found = {}

    def change(number):
        edit = f"parameter:conv1/bias:{number}={number}.5"
        found[number] = explorer.compute(network, x, 3, [edit]).output.copy()

    threads = [threading.Thread(target=change, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name, value in network.parameters.items():
        assert np.array_equal(value, expected[name]), name
    assert np.array_equal(Explorer([network]).compute(network, x).output, plain)
    for number, output in found.items():
        edit = f"parameter:conv1/bias:{number}={number}.5"
        alone = Explorer([network]).compute(network, x, 3, [edit])
        assert np.array_equal(output, alone.output)


WRONG_EDITS = {
    "": "an edit is written as",
    "pixel:1,2,0": "an edit is written as",
    "weight:conv1/kernel:0,0,0,0=1": "an edit is written as",
    "pixel:28,0,0=1": "there is no place",
    "pixel:1,2=1": "3 indices",
    "pixel:-1,2,0=1": "whole numbers",
    "pixel:1,2,0=nan": "a new value is a number",
    "pixel:1,2,0=inf": "a new value is a number",
    "pixel:1,2,0=1e39": "a new value is a number",
    "pixel:1,2,0=": "a new value is a number",
    "parameter:conv9/kernel:0,0,0,0=1": "no parameter",
    "parameter:conv1/kernel:0,0,0=1": "4 indices",
    "parameter:conv1/kernel:0,0,0,20=1": "there is no place",
    "parameter::0=1": "no parameter",
}


@pytest.mark.parametrize("edit", WRONG_EDITS)
def test_wrong_edits_are_refused_in_words(explorer, network, x, edit):
    with pytest.raises(Problem, match=WRONG_EDITS[edit]):
        explorer.compute(network, x, None, [edit])


def test_only_some_edits_at_once(explorer, network, x):
    with pytest.raises(Problem, match="at most 80"):
        explorer.compute(network, x, None, ["pixel:0,0,0=1"] * 81)
