"""A training that is watched takes the steps of `fit`, goes back exactly, and says what fails."""

from __future__ import annotations

import math
import threading

import numpy as np
import pytest
from training_cases import BATCH, STEPS, fingerprint, full_state, recipe, small_data, take, watched

from minicnn import random
from minicnn.apps.explorer.training import watched as watching
from minicnn.apps.explorer.training.measures import is_measured
from minicnn.apps.explorer.training.reports import report, short_report
from minicnn.apps.explorer.training.stepper import Stepper
from minicnn.apps.explorer.training.timeline import Timeline
from minicnn.errors import ArgumentError

OPTIMIZERS = pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])


@OPTIMIZERS
def test_steps_have_the_bits_of_fit(optimizer):
    made, data = recipe(optimizer, 0.01), small_data()
    model = made.build()
    with random.seeded(made.seed):
        model.fit(data.x_train, data.y_train, batch_size=BATCH, epochs=3, verbose=0)
    with watched(made) as training:
        take(training, 3 * STEPS)
        assert training.timeline.stepper.steps_per_epoch == STEPS
        for ours, theirs in zip(training.model.get_weights(), model.get_weights(), strict=True):
            assert ours.tobytes() == theirs.tobytes()
        slots = {key: array.tobytes() for key, array in training.model.slots.items()}
        assert slots == {key: array.tobytes() for key, array in model.slots.items()}


def test_what_is_measured_does_not_change_the_training():
    made, data = recipe(), small_data()
    alone = Timeline(Stepper(made.build(), data, BATCH, made.seed))
    for _ in range(STEPS):
        alone.advance()
    with watched(made) as training:
        for _ in range(STEPS):
            take(training, 1)
            training.ask(report)
            training.snapshot().model.predict(data.x_test, verbose=0)
        assert alone.stepper.fingerprint() == fingerprint(training)


@OPTIMIZERS
def test_a_step_is_undone_exactly(optimizer):
    with watched(recipe(optimizer, 0.01)) as training:
        states = []
        for _ in range(2 * STEPS + 3):  # over two borders of epochs
            states.append(full_state(training))
            take(training, 1)
        while states:
            training.undo()
            training.wait()
            assert full_state(training) == states.pop()
        training.undo()
        training.wait()
        assert training.timeline.step == 0


def test_undo_goes_back_over_changes_of_the_learning_rate():
    with watched() as training:
        states = []
        for rate in (0.02, 0.5, 0.001):
            training.change_rate(rate)
            for _ in range(7):
                states.append(full_state(training))
                take(training, 1)
        last = full_state(training)
        for step in (13, 14, 7, 6, 0, 20):
            training.seek(step)
            training.wait()
            assert full_state(training) == states[step]
        training.seek(len(states))
        training.wait()
        assert full_state(training) == last
        assert training.timeline.record.rates == [(0, 0.02), (7, 0.5), (14, 0.001)]


def test_many_steps_are_undone_at_once_and_taken_again():
    with watched() as training:
        training.run()
        while training.timeline.step < 55:
            training.ask(lambda one: None)
        training.pause()
        training.wait()
        end, state = training.timeline.step, full_state(training)
        losses = training.timeline.record.losses().tolist()
        training.undo(end - 3)
        training.wait()
        assert training.timeline.step == 3
        assert training.timeline.record.losses().tolist() == losses  # the slider can go on again
        training.seek(end)
        training.wait()
        assert full_state(training) == state


def test_another_way_drops_what_came_after():
    with watched() as training:
        take(training, 12)
        training.seek(5)
        training.wait()
        training.change_rate(0.3)
        assert len(training.timeline.record) == 5
        assert training.timeline.record.generation == 1
        changed = take(training, 7)
        training.undo(7)
        training.wait()
        training.change_rate(0.02)
        assert take(training, 7) != changed
        with watched() as straight:
            assert take(straight, 12) == fingerprint(training)


def test_the_same_learning_rate_drops_nothing():
    with watched() as training:
        take(training, 6)
        training.seek(2)
        training.wait()
        training.change_rate(0.02)
        assert len(training.timeline.record) == 6
        assert training.timeline.record.rates == [(0, 0.02)]


def test_the_learning_rate_changes_while_it_runs():
    with watched() as training:
        training.run()
        training.change_rate(0.007)
        while training.timeline.step < 15:
            training.ask(lambda one: None)
        assert training.state == "running"
        training.pause()
        training.wait()
        rates = training.timeline.record.rates
        assert rates[-1][1] == 0.007
        end, state = training.timeline.step, full_state(training)
        training.seek(0)
        training.wait()
        training.seek(end)
        training.wait()
        assert full_state(training) == state


def test_a_loss_that_is_not_finite_pauses_and_is_said_in_words():
    with watched(recipe("sgd", 10.0)) as training:
        kernel = training.model.get_layer("output").kernel
        kernel.assign(np.full_like(kernel.value, np.nan))
        before = full_state(training)
        training.run()
        training.wait()
        found = training.ask(short_report)
        assert found["state"] == "failed"
        assert found["note"].startswith("The loss became ")
        assert "learning_rate 10" in found["note"]
        assert full_state(training) == before


def test_what_helps_is_said_in_the_words_of_the_page():
    with watched(recipe("sgd", 10.0)) as training:
        take(training, 1)
        for parameter in training.model.parameters:
            parameter.assign(np.full(parameter.shape, 1e30))
        training.run()
        training.wait()
        assert "start anew with a smaller learning rate" in training.note
        assert "clipnorm" not in training.note


def test_a_failed_training_goes_on_after_an_undo_with_a_smaller_rate(monkeypatch):
    with watched() as training:
        take(training, 3)
        monkeypatch.setattr(training.timeline, "advance", _fails)
        training.run()
        training.wait()
        assert training.state == "failed"
        monkeypatch.undo()
        training.undo()
        training.wait()
        training.change_rate(0.001)
        take(training, 2)
        assert (training.state, training.note) == ("paused", "")
        assert training.timeline.step == 4


def _fails() -> None:
    raise ArgumentError("it does not work")


def test_an_error_that_nobody_expected_does_not_end_the_thread(monkeypatch):
    with watched() as training:
        monkeypatch.setattr(training.timeline, "advance", lambda: 1 / 0)
        training.run()
        training.wait()
        assert training.state == "failed"
        assert training.note.startswith("This step failed: ZeroDivisionError")


def test_many_callers_at_once_do_not_confuse_it():
    with watched() as training:
        first = full_state(training)

        def bother():
            for _ in range(10):
                training.step()
                training.ask(report)
                training.run()
                training.undo(2)

        threads = [threading.Thread(target=bother) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        training.seek(0)
        training.wait()
        assert full_state(training) == first
        with watched() as straight:
            assert take(straight, 12) == take(training, 12)


def test_nobody_watches_so_it_pauses(monkeypatch):
    monkeypatch.setattr(watching, "UNWATCHED_SECONDS", -1.0)
    with watched() as training:
        training.run()
        training.wait()
        assert training.state == "paused"
        assert "no page has shown it" in training.note


def test_a_training_ends_somewhere(monkeypatch):
    monkeypatch.setattr(watching, "MOST_STEPS", 5)
    with watched() as training:
        training.run()
        training.wait()
        assert (training.state, training.timeline.step) == ("paused", 5)
        assert "after 5 steps" in training.note


def test_a_stopped_training_can_be_asked_but_not_trained():
    with watched() as training:
        take(training, 2)
        training.stop()
        assert training.ask(report).answer["state"] == "stopped"
        for act in (training.run, training.step, training.undo):
            with pytest.raises(ArgumentError, match="was stopped; start a new one"):
                act()


@pytest.mark.parametrize("rate", [0, -1, math.nan, math.inf, "0.1", None, True, 11])
def test_wrong_learning_rates_are_refused(rate):
    with watched() as training:
        with pytest.raises(ArgumentError, match="the learning rate must be from 1e-06 to 10"):
            training.change_rate(rate)
        assert training.timeline.record.rates == [(0, 0.02)]


@pytest.mark.parametrize("step", [-1, 1.5, "3", None, True])
def test_wrong_steps_are_refused(step):
    with watched() as training, pytest.raises(ArgumentError, match="a whole number from 0 on"):
        training.seek(step)


def test_the_network_of_a_training_stays_while_the_training_goes_on():
    with watched() as training:
        take(training, 2)
        found = training.snapshot()
        assert found is training.snapshot()
        assert (found.name, found.class_names) == ("training-1", training.recipe.data.class_names)
        x = small_data().x_test
        before = found.model.predict(x, verbose=0)
        np.testing.assert_array_equal(before, training.model.predict(x, verbose=0))
        take(training, 2)
        np.testing.assert_array_equal(found.model.predict(x, verbose=0), before)
        assert training.snapshot() is not found


def test_it_learns():
    with watched() as training:
        take(training, 5 * STEPS)
        losses = training.timeline.record.losses()
        assert losses[-5:].mean() < 0.5 * losses[:5].mean()
        assert training.measured.test_accuracy > 0.8


def test_a_training_is_measured_often_at_first_and_at_the_end_of_epochs():
    found = [step for step in range(2000) if is_measured(step, 938)]
    assert found[:4] == [0, 10, 20, 30]
    assert found[-3:] == [1800, 1876, 1900]
    assert 938 in found
    assert len(found) < 50
