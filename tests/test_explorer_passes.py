"""Passes: their values are those that the model predicts, their gradients those of the tape."""

from __future__ import annotations

import numpy as np
import pytest
from explorer_networks import BUILDERS, pass_of

from minicnn import losses, zoo
from minicnn.apps.explorer.description import described
from minicnn.apps.explorer.explorer import Explorer, drawing_input, image_input
from minicnn.apps.explorer.kept_passes import KeptPasses
from minicnn.apps.explorer.model_networks import opened
from minicnn.apps.explorer.problems import GONE, NO_LABEL, UNKNOWN, Problem
from minicnn.apps.explorer.recording import INPUT
from minicnn.explain import Tape

CLASSES = ["lenet", "lenet5", "odd", "own", "scene"]  # networks that end in a softmax


@pytest.fixture
def explorer():
    return Explorer([opened("lenet", zoo.lenet()), opened("cifar", zoo.cifar())])


@pytest.mark.parametrize("name", BUILDERS)
def test_the_output_is_what_the_model_predicts(name):
    one = pass_of(name)
    expected = one.network.model.predict(one.x, verbose=0)[0]
    assert np.allclose(one.output, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", BUILDERS)
def test_steps_are_those_of_the_tape(name):
    one = pass_of(name)
    tape = Tape(one.network.model, one.x)
    assert [step.saved.operation.name for step in tape.steps] == [
        step.name for step in one.recording.steps
    ]
    for number, step in enumerate(tape.steps):
        assert np.allclose(one.batch(number), step.result, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", CLASSES)
def test_gradients_are_those_of_the_tape(name):
    one = pass_of(name)
    tape = Tape(one.network.model, one.x)
    start = one.probabilities[None].copy()
    start[0, one.label] -= 1
    found = tape.gradient(tape.scores, start)
    expected = found.of(tape.inputs[0])[0]
    size = np.abs(expected).max()
    assert np.allclose(one.gradient(INPUT), expected, rtol=1e-3, atol=1e-4 * size)
    for path, parameter in one.network.model.named_parameters().items():
        if "moving" not in path:
            expected = found.of(parameter)
            size = np.abs(expected).max()
            got = one.parameter_gradient(path)
            assert np.allclose(got, expected, rtol=1e-3, atol=1e-4 * size), path


@pytest.mark.parametrize("name", CLASSES)
def test_the_loss_is_the_cross_entropy(name):
    one = pass_of(name)
    tape = Tape(one.network.model, one.x)
    loss = losses.SparseCategoricalCrossentropy()
    labels = loss.prepare(np.array([one.label]), tape.output.shape)
    assert one.loss.value == pytest.approx(float(tape.losses(loss, labels)[0]), rel=1e-4)


def test_one_sigmoid_is_the_probability_of_the_second_class():
    for label in (0, 1):
        one = pass_of("normalized", label)
        p = float(one.output[0])
        assert np.allclose(one.probabilities, [1 - p, p])
        assert one.loss.value == pytest.approx(-np.log([1 - p, p][label]), rel=1e-4)


def test_scores_without_an_activation_become_probabilities():
    one = pass_of("branches")
    assert one.probabilities.sum() == pytest.approx(1)
    assert one.loss.value == pytest.approx(-np.log(one.probabilities[one.label]), rel=1e-4)


def test_a_loss_is_finite_where_the_probability_is_0(explorer):
    network = explorer.network("lenet")
    x = np.full((1, 28, 28, 1), 255, np.float32)
    one = explorer.compute(network, x, 4, ["parameter:ip2/bias:4=-300"])
    assert one.output[4] == 0
    assert 290 < one.loss.value < 310
    assert one.gradient(8)[4] == pytest.approx(-1)


def test_without_a_class_there_are_no_gradients(explorer):
    network = explorer.network("lenet")
    one = explorer.compute(network, np.zeros((1, 28, 28, 1), np.float32))
    assert one.loss is None
    with pytest.raises(Problem) as caught:
        one.gradient(0)
    assert caught.value.code == NO_LABEL


def test_statistics_have_no_gradient():
    with pytest.raises(Problem, match="statistic"):
        pass_of("normalized").parameter_gradient("batch/moving_mean")
    with pytest.raises(Problem) as caught:
        pass_of("normalized").parameter("nothing")
    assert caught.value.code == UNKNOWN


def test_the_program_is_shown_as_what_its_kernels_are_made_of():
    fused = described(pass_of("scene").network)["fused"]
    assert fused[0]["kernel"] == "conv2d_max_pool2d"
    kinds = [step.name for step in pass_of("scene").recording.steps]
    assert [kinds[step] for step in fused[0]["steps"]] == ["conv2d", "relu", "max_pool2d"]
    covered = [step for group in fused for step in group["steps"]]
    assert len(set(covered)) == len(covered)


def test_batch_norms_are_said_to_be_in_the_weights():
    fused = described(opened("photo-small", zoo.photo_small()))["fused"]
    assert "multiplied into the weights" in fused[0]["text"]


def test_a_description_has_all_parameters_and_reads():
    found = described(pass_of("branches").network)
    add = next(step for step in found["steps"] if step["operation"] == "add")
    assert len(add["reads"]) == 2
    assert found["steps"][0]["reads"] == [{"input": 0}]
    assert {one["name"] for one in found["parameters"]} >= {"left/kernel", "left/bias"}


def test_only_the_last_passes_are_kept(explorer):
    network = explorer.network("lenet")
    passes = [
        explorer.compute(network, np.full((1, 28, 28, 1), value, np.float32)) for value in range(40)
    ]
    assert len(explorer.passes) == 32
    assert explorer.passes.get(passes[-1].id) is passes[-1]
    with pytest.raises(Problem) as caught:
        explorer.passes.get(passes[0].id)
    assert caught.value.code == GONE


def test_kept_passes_are_bounded_in_bytes_too(explorer):
    network = explorer.network("lenet")
    kept = KeptPasses(most=32, max_bytes=200_000)
    for value in range(5):
        kept.add(explorer.compute(network, np.full((1, 28, 28, 1), value, np.float32)))
    assert 1 <= len(kept) <= 2


def test_gradients_count_as_bytes(explorer):
    network = explorer.network("lenet")
    one = explorer.compute(network, np.zeros((1, 28, 28, 1), np.float32), 3)
    before = one.nbytes
    one.parameter_gradient("conv2/kernel")
    assert one.nbytes > before + one.parameter("conv2/kernel").nbytes


def test_the_same_question_has_the_same_pass(explorer):
    network, x = explorer.network("lenet"), np.zeros((1, 28, 28, 1), np.float32)
    assert explorer.compute(network, x, 3) is explorer.compute(network, x, 3)
    assert explorer.compute(network, x, 3) is not explorer.compute(network, x, 4)
    assert explorer.compute(network, x, 3) is not explorer.compute(network, x + 1, 3)


def test_other_weights_are_another_question(explorer):
    x = np.zeros((1, 28, 28, 1), np.float32)
    other = opened("lenet", zoo.lenet5())
    assert explorer.compute(explorer.network("lenet"), x).id != explorer.compute(other, x).id


def test_there_is_no_such_class(explorer):
    x = np.zeros((1, 28, 28, 1), np.float32)
    for label in (-1, 10):
        with pytest.raises(Problem, match="classes 0 to 9"):
            explorer.compute(explorer.network("lenet"), x, label)


def test_a_drawing_is_never_inverted(explorer):
    network = explorer.network("lenet")
    white = np.full((28, 28, 1), 255, np.float32)
    assert (drawing_input(white, network) == 255).all()
    assert (image_input(white.astype(np.uint8), network) == 0).all()


def test_an_image_is_prepared_as_in_training(explorer):
    network = explorer.network("cifar")
    pixels = explorer.image_pixels("mnist:17", network)
    assert pixels.shape == (32, 32, 3) and pixels.dtype == np.uint8
    assert image_input(pixels, network).max() <= 1
