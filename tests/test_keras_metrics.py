"""Metrics, losses and their functions against numbers of Keras 3.15.1, with and without weights.

The numbers are in keras_metric_numbers.json, the arguments and data in keras_metric_cases.py.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from keras_metric_cases import DATA, FUNCTIONS, LOSSES, METRICS, TRAININGS, WEIGHTS, train

import minicnn as mc
from minicnn import losses, metrics
from minicnn.explain.tape import Tape

NUMBERS = json.loads((Path(__file__).parent / "keras_metric_numbers.json").read_text())
BOUND = {"rel": 2e-5, "abs": 2e-6}


def named(cases):
    return [f"{i}-{case[0]}" for i, case in enumerate(cases)]


def check(value, expected, **bound):
    np.testing.assert_allclose(
        np.asarray(value, np.float64).reshape(-1),
        np.asarray(expected, np.float64).reshape(-1),
        rtol=bound.get("rel", 2e-5),
        atol=bound.get("abs", 2e-6),
    )


@pytest.mark.parametrize(
    ("case", "expected"), list(zip(METRICS, NUMBERS["metrics"], strict=True)), ids=named(METRICS)
)
def test_metrics(case, expected):
    kind, arguments, labels, predictions = case
    y, p = DATA[labels], DATA[predictions]
    for weights, number in zip((None, WEIGHTS), expected, strict=True):
        if weights is not None:
            weights = np.resize(weights, y.shape if kind == "BinaryIoU" else len(y))
        metric = getattr(metrics, kind)(**arguments)
        for rows in (slice(0, 5), slice(5, None)):
            metric.update_state(y[rows], p[rows], None if weights is None else weights[rows])
        if number is not None:  # without weights, Keras counts ignored samples as 0
            check(metric.result(), number)


@pytest.mark.parametrize(
    ("case", "expected"), list(zip(LOSSES, NUMBERS["losses"], strict=True)), ids=named(LOSSES)
)
def test_losses(case, expected):
    kind, arguments, labels, predictions = case
    y, p = DATA[labels], DATA[predictions]
    numbers = iter(expected)
    for reduction in ("sum_over_batch_size", "sum", "mean_with_sample_weight"):
        for weights in (None, WEIGHTS):
            number = next(numbers)
            if number is not None:  # minicnn refuses a mean by weights of which some do not count
                loss = getattr(losses, kind)(**arguments, reduction=reduction)
                check(loss(y, p, weights), number)


@pytest.mark.parametrize(
    ("case", "expected"),
    list(zip(FUNCTIONS, NUMBERS["functions"], strict=True)),
    ids=named(FUNCTIONS),
)
def test_functions(case, expected):
    name, arguments, labels, predictions = case
    module, function = name.split(".")
    values = getattr(getattr(mc, module), function)(DATA[labels], DATA[predictions], **arguments)
    assert np.size(values) == np.size(expected)
    check(values, expected)


def gradient(loss, y, p):
    """Return the gradient of a batch's loss by the predictions: what training starts from."""
    model = mc.Sequential([mc.Input(p.shape[1:]), mc.layers.Flatten()])
    model.compile("sgd", loss)
    tape = Tape(model, p)
    losses_of = tape.losses(loss, loss.prepare(y, p.shape))
    scale = loss.scale(len(p)) / len(p)
    return tape.gradient(losses_of, np.full(len(p), scale, np.float32)).of(tape.inputs[0])


@pytest.mark.parametrize(
    ("case", "expected"), list(zip(LOSSES, NUMBERS["losses"], strict=True)), ids=named(LOSSES)
)
def test_gradients(case, expected):
    kind, arguments, labels, predictions = case
    loss = getattr(losses, kind)(**arguments)
    found = gradient(loss, DATA[labels], DATA[predictions])
    check(found.reshape(-1)[:6], expected[6], rel=1e-4)
    check(np.abs(found).sum(), expected[7], rel=1e-4)


@pytest.mark.parametrize(
    ("case", "expected"),
    list(zip(TRAININGS, NUMBERS["trainings"], strict=True)),
    ids=[f"{i}-{LOSSES[case[0]][0]}" for i, case in enumerate(TRAININGS)],
)
def test_twenty_steps_of_training(case, expected):
    first, last, kernel = train(mc, case)
    check([first, last], expected[:2], rel=2e-4)
    check(kernel, expected[2], rel=2e-3, abs=1e-4)
