"""Spaces of hyperparameters: their defaults, their ranges, and the space of the paper."""

import pytest

import minicnn as mc
from minicnn import tune
from minicnn.errors import ArgumentError
from minicnn.layers import Conv2D
from minicnn.tune import HyperParameters


def test_without_values_every_hyperparameter_is_its_default():
    hp = HyperParameters()
    assert hp.Int("a", 2, 8, step=3) == 2
    assert hp.Int("b", 2, 8, default=5) == 5
    assert hp.Float("c", 0.1, 0.5, step=0.2) == 0.1
    assert hp.Choice("d", ["x", "y"]) == "x"
    assert hp.Boolean("e") is False
    assert hp.Fixed("f", 7) == 7
    assert hp.Int("a", 2, 8, step=3) == 2  # asked again: the same
    assert list(hp.values) == list("abcdef")
    assert [one.high for one in hp.space[:3]] == [8, 8, pytest.approx(0.5)]


def test_a_range_ends_where_its_steps_do():
    hp = HyperParameters()
    hp.Int("a", 32, 100, step=32)
    assert hp.space[0].high == 96


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda hp: hp.Int("a", 3, 2), "max_value of 'a' must be an integer >= 3; got 2"),
        (lambda hp: hp.Int("a", 0, 2, sampling="log"), "min_value=0"),
        (lambda hp: hp.Float("a", 1, 2, step=1, sampling="log"), "no step; got step=1"),
        (lambda hp: hp.Float("a", 1, 2, sampling="lin"), "must be one of"),
        (lambda hp: hp.Choice("a", []), "a list of different values"),
        (lambda hp: hp.Choice("a", [1, 2], default=3), r"one of \[1, 2\]"),
        (lambda hp: hp.Int("b", 2, 3), "asked for twice"),
        (lambda hp: hp.get("nothing"), r"there are \['b'\]"),
    ],
)
def test_what_cannot_be_a_range_is_refused(ask, message):
    hp = HyperParameters()
    hp.Int("b", 1, 2)
    with pytest.raises(ArgumentError, match=message):
        ask(hp)


# The network that the paper's search found best.
PAPERS_VALUES = {
    "conv_input_units": 96,
    "conv_input_units_0": 96,
    "conv_input_units_1": 224,
    "dense_input_units": 320,
    "num_conv_layers_1+": 2,
}


def test_the_papers_space():
    hp = HyperParameters()
    tune.photo_space((32, 32, 3))(hp)
    ranges = {one.name: (one.low, one.high, one.step) for one in hp.space}
    assert ranges == {
        "conv_input_units": (32, 128, 32),
        "num_conv_layers_1+": (1, 8, 1),
        "conv_input_units_0": (64, 256, 32),
        "dense_input_units": (128, 512, 64),
    }


def test_the_papers_best_trial_is_the_zoos_network():
    model = tune.photo_space((64, 64, 3))(HyperParameters(PAPERS_VALUES))
    assert model.count_params() == mc.zoo.stacked((64, 64, 3)).count_params()


def test_the_deepest_network_of_the_space_fits():
    hp = HyperParameters({"num_conv_layers_1+": 8})
    model = tune.photo_space((32, 32, 3))(hp)
    assert sum(isinstance(layer, Conv2D) for layer in model.layers) == 9
