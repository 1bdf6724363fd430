"""Schedules: learning rates against values computed by hand."""

import json
import math

import pytest

from minicnn import schedules
from minicnn.errors import ArgumentError
from minicnn.schedules import (
    Constant,
    CosineDecay,
    ExponentialDecay,
    InverseDecay,
    PiecewiseConstantDecay,
)

EVERY_KIND = [
    Constant(0.1),
    PiecewiseConstantDecay([10, 20], [0.1, 0.01, 0.001]),
    ExponentialDecay(0.1, 100, 0.5),
    ExponentialDecay(0.1, 100, 0.5, staircase=True),
    InverseDecay(0.01, 0.0001, 0.75),
    CosineDecay(0.1, 100),
    CosineDecay(0.0, 100, 0.1, warmup_target=0.2, warmup_steps=10),
]


@pytest.mark.parametrize(
    ("schedule", "step", "expected"),
    [
        (EVERY_KIND[0], 10**6, 0.1),
        (EVERY_KIND[1], 10, 0.1),
        (EVERY_KIND[1], 11, 0.01),
        (EVERY_KIND[1], 21, 0.001),
        (EVERY_KIND[2], 50, 0.1 * math.sqrt(0.5)),
        (EVERY_KIND[3], 99, 0.1),
        (EVERY_KIND[3], 200, 0.025),
        # Caffe's lenet_solver.prototxt at iteration 10,000: 0.01 * 2 ** -0.75.
        (EVERY_KIND[4], 10_000, 0.005946035575),
        (EVERY_KIND[5], 0, 0.1),
        (EVERY_KIND[5], 50, 0.05),
        (EVERY_KIND[5], 100, 0.0),
        (EVERY_KIND[5], 1000, 0.0),
        (EVERY_KIND[6], 0, 0.0),
        (EVERY_KIND[6], 5, 0.1),  # half way up
        (EVERY_KIND[6], 10, 0.2),
        (EVERY_KIND[6], 60, 0.2 * 0.55),  # half way down to a tenth
        (EVERY_KIND[6], 110, 0.02),
        (EVERY_KIND[6], 5000, 0.02),
    ],
)
def test_rates(schedule, step, expected):
    assert schedule(step) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("schedule", EVERY_KIND, ids=lambda s: type(s).__name__)
def test_a_schedule_survives_json(schedule):
    data = json.loads(json.dumps(schedules.serialize(schedule)))
    again = schedules.deserialize(data)
    assert type(again) is type(schedule)
    assert [again(step) for step in range(0, 200, 7)] == [
        schedule(step) for step in range(0, 200, 7)
    ]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Constant(-0.1), "learning_rate must be a number in"),
        (lambda: Constant(float("nan")), "learning_rate"),
        (lambda: PiecewiseConstantDecay([10], [0.1]), "1 values and 1 boundaries"),
        (lambda: PiecewiseConstantDecay([10, 10], [1, 2, 3]), "must increase"),
        (lambda: PiecewiseConstantDecay([-1], [1, 2]), "boundaries must be a number"),
        (lambda: ExponentialDecay(0.1, 0, 0.5), "decay_steps must be an integer >= 1"),
        (lambda: ExponentialDecay(0.1, 10, 0.0), "decay_rate"),
        (lambda: InverseDecay(0.1, -1.0, 1.0), "gamma"),
        (lambda: CosineDecay(0.1, 10, warmup_steps=5), "needs warmup_target"),
        (lambda: CosineDecay(0.1, True), "decay_steps"),
        (lambda: PiecewiseConstantDecay(100, [0.1, 0.01]), "boundaries must be a list; got 100"),
        (lambda: ExponentialDecay(0.1, 10, 0.9, "no"), "staircase must be True or False"),
    ],
)
def test_wrong_arguments_are_refused(make, says):
    with pytest.raises(ArgumentError, match=says):
        make()


def test_a_schedule_is_abstract():
    with pytest.raises(NotImplementedError):
        schedules.LearningRateSchedule()(0)
