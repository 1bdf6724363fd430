"""The reference's runner, with one training step of a dense layer as its program."""

from __future__ import annotations

import numpy as np
import pytest

from minicnn.backends.numpy import Runner
from minicnn.contracts import Spec
from minicnn.program import Buffer, Program, Step

SGD = {"momentum": 0.5, "nesterov": False, "weight_decay": 0.0, "decoupled": False, "multiplier": 1}
X, W, Y, TRUTH, LOSS, DLOSS, DY, DW, VELOCITY, RATES = range(10)


@pytest.fixture
def program():
    def buffer(name, shape, storage=""):
        return Buffer(name, Spec(shape), None if storage else 0, storage)

    return Program(
        buffers=(
            buffer("x", (1, 2), "input"),
            buffer("w", (2, 1), "parameter"),
            buffer("y", (1, 1)),
            buffer("truth", (1, 1), "input"),
            buffer("loss", (1,)),
            buffer("dloss", (1,), "input"),
            buffer("dy", (1, 1)),
            buffer("dw", (2, 1)),
            buffer("velocity", (2, 1), "state"),
            buffer("rates", (2,), "input"),
        ),
        steps=(
            Step("dense_forward", (X, W, None), (Y,), {}),
            Step("mean_squared_error_forward", (Y, TRUTH), (LOSS,), {}),
            Step("mean_squared_error_backward", (DLOSS, Y, TRUTH), (DY,), {}),
            Step("dense_backward_weights", (DY, X), (DW, None), {}),
            Step("sgd_update", (W, DW, VELOCITY, RATES), (W, VELOCITY), SGD),
        ),
        arena_bytes=0,
        first_change=4,
    )


@pytest.fixture
def stored():
    return {
        X: np.array([[1, 2]], np.float32),
        W: np.array([[3], [4]], np.float32),
        TRUTH: np.array([[9]], np.float32),
        DLOSS: np.array([1], np.float32),
        VELOCITY: np.zeros((2, 1), np.float32),
        RATES: np.array([0.25, 0.25], np.float32),
    }


def test_a_training_step(program, stored):
    w, velocity = stored[W], stored[VELOCITY]
    runner = Runner(program, stored)
    runner.run()
    # y = 3 + 8 = 11; loss (11 - 9)^2; dy = 4; dw = 4, 8; w -= 0.25 * dw
    assert (runner[Y].item(), runner[LOSS].item(), runner[DY].item()) == (11, 4, 4)
    assert runner[DW].ravel().tolist() == [4, 8]
    assert runner[W] is w and w.ravel().tolist() == [2, 2]  # in place: its owner sees it
    assert runner[VELOCITY] is velocity and velocity.ravel().tolist() == [-1, -2]
    runner.run()
    # y = 6; dy = -6; dw = -6, -12; velocity = -0.5 + 1.5 = 1, -1 + 3 = 2
    assert (runner[LOSS].item(), w.ravel().tolist()) == (9, [3, 4])


def test_a_part_of_the_steps(program, stored):
    runner = Runner(program, stored)
    runner.run(last=2)
    assert runner[LOSS].item() == 4 and stored[W].ravel().tolist() == [3, 4]
    stored[TRUTH][...] = 12  # inputs are read where they live
    runner.run(1)
    assert runner[LOSS].item() == 1 and stored[W].ravel().tolist() == [3.5, 5]
    runner.run(5)
    assert stored[W].ravel().tolist() == [3.5, 5]


def test_a_read_that_is_absent_stays_none(program, stored):
    with pytest.raises(KeyError):
        Runner(program, stored)[Y]  # nothing has been written yet
    without_velocity = program.steps[-1]._replace(reads=(W, DW, None, RATES), writes=(W, None))
    runner = Runner(program._replace(steps=(*program.steps[:-1], without_velocity)), stored)
    runner.run()
    assert stored[W].ravel().tolist() == [2, 2] and not stored[VELOCITY].any()
