"""How a number was made: the sum of its terms is the value of the engine, forward and backward."""

from __future__ import annotations

import numpy as np
import pytest
from explorer_networks import BUILDERS, pass_of, random_places

from minicnn.apps.explorer.explaining import explain_value
from minicnn.apps.explorer.explaining_gradients import explain_gradient, explain_weight

EPS = float(np.finfo(np.float32).eps)
PLACES = 50

cases = pytest.mark.parametrize(
    ("name", "step"),
    [(name, step) for name in BUILDERS for step in range(len(pass_of(name).recording.steps))],
    ids=lambda value: str(value),
)


def bound(explained):
    """What rounding to float32 can do to a value: a few units of the size of its terms."""
    answer, tensors = explained
    size = np.abs(tensors["product"]).sum(dtype=np.float64) + abs(answer["bias"] or 0)
    formula = answer["formula"]
    if answer["kind"] == "normalization" and "inverse_std" in formula:
        spread = abs(formula["x"]) + abs(formula["mean"])
        size += abs(formula["gamma"] * formula["inverse_std"]) * spread + abs(formula["beta"])
    return 8 * EPS * (size + abs(answer["sum"])) + 1e-37


@cases
def test_the_sum_of_the_terms_is_the_value_of_the_engine(name, step):
    one = pass_of(name)
    for place in random_places(one.recording.steps[step].shape, PLACES):
        explained = explain_value(one, step, place)
        assert explained.answer["value"] == one.value(step)[place]
        assert abs(explained.answer["sum"] - explained.answer["value"]) <= bound(explained), place


def bound_of_gradient(tensors):
    return 32 * EPS * np.abs(tensors["product"]).sum(dtype=np.float64) + 1e-37


gradient_cases = pytest.mark.parametrize(
    ("name", "step"),
    [(name, step) for name in BUILDERS for step in range(-1, len(pass_of(name).recording.steps))],
    ids=lambda value: str(value),
)


@gradient_cases
def test_a_gradient_is_the_sum_over_the_later_values_that_it_went_into(name, step):
    one = pass_of(name)
    for place in random_places(one.recording.shape_of(step), PLACES):
        answer, tensors = explain_gradient(one, step, place)
        assert answer["value"] == one.gradient(step)[place]
        assert abs(answer["sum"] - answer["value"]) <= bound_of_gradient(tensors), place


@pytest.mark.parametrize("name", BUILDERS)
def test_the_gradient_of_a_weight_is_the_sum_over_the_places_of_its_use(name):
    one = pass_of(name)
    for parameter, value in one.network.parameters.items():
        if "moving" in parameter:
            continue
        for place in random_places(value.shape, PLACES):
            answer, tensors = explain_weight(one, parameter, place)
            assert answer["value"] == one.parameter_gradient(parameter)[place]
            bound = bound_of_gradient(tensors)
            assert abs(answer["sum"] - answer["value"]) <= bound, (parameter, place)


def test_a_pixel_is_said_not_to_be_computed():
    answer, tensors = explain_value(pass_of("lenet"), -1, (3, 4, 0))
    assert (answer["kind"], tensors) == ("input", {})
    assert answer["value"] == pass_of("lenet").value(-1)[3, 4, 0]


def test_a_weight_is_said_without_a_true_class():
    one = pass_of("lenet", None)
    answer, tensors = explain_weight(one, "conv1/bias", (2,))
    assert answer["weight"] == one.parameter("conv1/bias")[2]
    assert (answer["value"], answer["step"], tensors) == (None, 1, {})


def test_terms_of_a_convolution_come_channel_by_channel():
    _, tensors = explain_value(pass_of("lenet"), 3, (2, 3, 4))
    assert tensors["weight_place"][:3].tolist() == [[0, 0, 0, 4], [0, 1, 0, 4], [0, 2, 0, 4]]
    assert tensors["input_place"][25].tolist() == [2, 3, 1]


def test_padding_is_marked_and_counts_as_0():
    one = pass_of("lenet5")
    answer, tensors = explain_value(one, 1, (0, 0, 0))
    outside = (tensors["input_place"] == -1).all(1)
    assert outside.sum() == 16 and not tensors["input"][outside].any()
    assert answer["window"] == {"y": -2, "x": -2, "height": 5, "width": 5}
    assert "16 of them are 0" in answer["text"]


def test_the_largest_value_is_a_row_of_the_window():
    one = pass_of("lenet")
    for place in random_places((12, 12, 20), PLACES):
        answer, tensors = explain_value(one, 2, place)
        row = tensors["input_place"][answer["argmax"]]
        assert one.value(1)[tuple(row)] == answer["value"] == tensors["input"].max()


def test_what_an_operation_of_ones_own_does_is_said_in_general():
    one = pass_of("own")
    step = next(s.number for s in one.recording.steps if s.name == "max")
    assert "computed by Max from" in explain_value(one, step, (0, 0, 0)).answer["text"]
