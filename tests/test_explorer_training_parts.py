"""The parts of a watched training: its memory of states, its findings, several at a time."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from training_cases import BLOCKS, STEPS, recipe, take, watched

from minicnn.apps.explorer.problems import Problem
from minicnn.apps.explorer.training.findings import PATIENCE, epoch_curves, problems_now
from minicnn.apps.explorer.training.measures import histogram
from minicnn.apps.explorer.training.record import Record
from minicnn.apps.explorer.training.reports import report
from minicnn.apps.explorer.training.snapshots import EVERY, Snapshots
from minicnn.apps.explorer.training.stepper import State, StepResult
from minicnn.apps.explorer.training.trainings import AT_A_TIME, Trainings
from minicnn.apps.explorer.training.worker import Worker
from minicnn.errors import ArgumentError


def state(step: int) -> State:
    return State(step, [np.zeros(250, np.float32)], [])  # 1000 bytes


def test_states_are_dense_near_now_and_sparse_before():
    kept = Snapshots(state(0), max_bytes=20_000)
    for step in range(EVERY, 5001, EVERY):
        assert kept.wants(step)
        kept.add(state(step))
    steps = kept.steps
    assert len(steps) == 20
    assert (steps[0], steps[-2:]) == (0, [4990, 5000])
    gaps = [(after - before, 5000 - before) for before, after in itertools.pairwise(steps)]
    assert all(gap <= 0.6 * age + EVERY for gap, age in gaps)


def test_the_state_before_a_step_is_found():
    kept = Snapshots(state(0))
    for step in (10, 20, 30):
        kept.add(state(step))
    assert [kept.before(step).step for step in (0, 9, 10, 29, 99)] == [0, 0, 10, 20, 30]
    kept.drop_after(15)
    assert kept.steps == [0, 10]
    assert not kept.wants(10)
    assert kept.wants(20)


def test_large_states_are_few_but_never_only_one():
    kept = Snapshots(state(0), max_bytes=1)
    for step in range(EVERY, 500, EVERY):
        kept.add(state(step))
    assert len(kept.steps) == 4
    assert kept.steps[0] == 0


def test_a_record_knows_the_learning_rate_of_each_step():
    record = Record(0.1)
    for step in range(6):
        record.add(step, StepResult(1.0, 0.5))
    record.change_rate(6, 0.2)
    record.change_rate(6, 0.3)
    record.add(6, StepResult(0.5, 0.6))
    assert [record.rate_at(step) for step in (0, 5, 6, 100)] == [0.1, 0.1, 0.3, 0.3]
    record.add(2, StepResult(9.0, 0.0))  # a step that is taken again
    assert record.losses().tolist() == [1.0] * 6 + [0.5]
    record.drop_after(2)
    assert (len(record), record.generation, record.rates) == (2, 1, [(0, 0.1)])


def test_curves_of_epochs_are_means_over_their_batches():
    record = Record(0.1)
    for step in range(7):
        record.add(step, StepResult(float(step), 0.5))
    record.tests = {0: (9.0, 0.1), 3: (1.0, 0.5), 5: (8.0, 0.2), 6: (2.0, 0.75)}
    curves = epoch_curves(record, 7, 3)
    assert curves["loss"] == [1.0, 4.0]
    assert (curves["val_loss"], curves["val_accuracy"]) == ([1.0, 2.0], [0.5, 0.75])


def test_the_doctor_names_a_learning_rate_that_is_too_high():
    with watched(recipe("adam", 1.0)) as training:
        texts = [one["text"] for one in training.ask(report).answer["findings"]]
        assert any("Learning rate 1 is too high for Adam" in text for text in texts)


def test_the_doctor_names_a_loss_that_stays():
    with watched() as training:
        record, measured = Record(0.1), training.measured._replace(step=PATIENCE)
        for step in range(PATIENCE):
            assert texts_of(training, measured._replace(step=step), record) == []
            record.add(step, StepResult(math.log(4), 0.25))
        (text,) = texts_of(training, measured, record)
        assert "loss stayed at 1.386 = ln 4 for 200 batches: the network guesses" in text


def texts_of(training, measured, record):
    return problems_now(training.model, training.sample, measured, record, 10_000)


def test_dead_units_are_counted_by_layer():
    with watched() as training:
        bias = training.model.get_layer("dense1").bias
        values = bias.value.copy()
        values[:9] = -1e6  # of 12 units
        bias.assign(values)
        take(training, 1)
        dead = {one["name"]: one["dead"] for one in training.ask(report).answer["layers"]}
        assert dead["dense1"] == 0.75
        assert dead["activation1"] is not None
        assert dead["output"] is None


def test_without_gradients_no_learning_rate_is_too_low():
    with watched() as training:
        measured = training.measured
        zeros = {name: np.zeros_like(dw) for name, dw in measured.gradients.items()}
        texts = texts_of(training, measured._replace(gradients=zeros), Record(0.1))
        assert not [text for text in texts if "learning rate" in text]


def test_values_that_are_all_zero_are_in_the_middle():
    found = histogram(np.zeros(10))
    assert (found.limit, found.counts[20], found.counts.sum()) == (0, 10, 10)


def test_values_that_are_no_numbers_are_not_called_zero():
    found = histogram(np.full(10, np.nan))
    assert math.isnan(found.limit)
    assert found.counts.sum() == 0


def test_a_report_has_the_curves_the_kernels_and_the_histograms():
    with watched() as training:
        take(training, STEPS + 2)
        answer, tensors = training.ask(lambda one: report(one, since=4))
        assert tensors["loss"].shape == tensors["accuracy"].shape == (STEPS - 2,)
        assert tensors["kernels"].shape == (3, 3, 1, 4)
        assert tensors["test"].shape[1] == 3
        names = [one["name"] for one in answer["layers"] if one["has_weights"]]
        assert names == ["conv1", "dense1", "output"]
        for name in names:
            assert tensors[f"gradients.{name}"].sum() == tensors[f"weights.{name}"].sum() > 0
        assert (answer["step"], answer["epoch"]) == (STEPS + 2, 1.2)
        ratios = [one["update_ratio"] for one in answer["layers"] if one["has_weights"]]
        assert all(0 < ratio < 1 for ratio in ratios)


def test_a_few_trainings_are_kept():
    trainings = Trainings()
    try:
        started = [trainings.start({"blocks": FEW}) for _ in range(AT_A_TIME + 1)]
        assert [one.number for one in started] == [1, 2, 3]
        assert started[0].state == "stopped"
        for ask in (trainings.find, trainings.snapshot):
            with pytest.raises(Problem, match="training 1 is not kept; the page keeps the last"):
                ask(1)
        assert trainings.find(3) is started[2]
        assert trainings.snapshot(3).name == "training-3"
    finally:
        trainings.close()
    assert all(one.state == "stopped" for one in started)


FEW = [{"kind": "maxpooling2d", "pool_size": 8, "strides": 8}, {"kind": "flatten"}]


def test_a_training_that_is_refused_ends_no_other_one():
    trainings = Trainings()
    try:
        first = trainings.start({"blocks": FEW})
        with pytest.raises(ArgumentError):
            trainings.start({"blocks": BLOCKS[-1:]})
        assert trainings.find(first.number) is first
    finally:
        trainings.close()


def test_calls_are_answered_between_pieces_and_after_the_end():
    done: list[str] = []
    worker = Worker("test", lambda: False, lambda error: done.append(str(error)))
    assert worker.call(lambda: 3) == 3
    with pytest.raises(ZeroDivisionError):
        worker.call(lambda: 1 / 0)
    worker.end()
    worker.end()
    assert worker.call(lambda: 4) == 4
    assert done == []
