"""Networks that are put together from blocks: sizes, and words for what does not fit."""

from __future__ import annotations

import numpy as np
import pytest

from minicnn import zoo
from minicnn.apps.explorer.training import blocks as planning
from minicnn.apps.explorer.training.block_kinds import KINDS
from minicnn.apps.explorer.training.blocks import build_network, plan_network, read_blocks
from minicnn.apps.explorer.training.datasets import data_choices, find_choice, load_data
from minicnn.apps.explorer.training.presets import PRESETS
from minicnn.apps.explorer.training.recipe import read_recipe
from minicnn.apps.explorer.training.reports import report
from minicnn.apps.explorer.training.trainings import Trainings
from minicnn.errors import ArgumentError

DIGITS = (28, 28, 1)


def problems(*given, shape=DIGITS):
    plan = plan_network(shape, 10, read_blocks(list(given)))
    return [(one.block, one.message) for one in plan.problems]


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("shape", [DIGITS, (32, 32, 3), (64, 64, 3)])
def test_the_sizes_are_those_of_the_model(name, shape):
    given = read_blocks(PRESETS[name].blocks)
    plan, model = plan_network(shape, 10, given), build_network(shape, 10, given)
    assert plan.problems == []
    assert [row.name for row in plan.rows] == [layer.name for layer in model.layers[1:]]
    assert [row.shape for row in plan.rows] == [
        layer.output.shape[1:] for layer in model.layers[1:]
    ]
    assert plan.parameters == model.count_params()


def test_lenet_is_the_lenet_of_the_zoo():
    recipe = read_recipe({"preset": "lenet"}, None)
    model, there = recipe.build(), zoo.lenet()
    assert [w.shape for w in model.get_weights()] == [w.shape for w in there.get_weights()]


def test_every_kind_of_block_can_be_in_a_network():
    kinds = [name for name in KINDS if name not in ("dense", "flatten", "globalaveragepooling2d")]
    image = [{"kind": name} for name in kinds]
    for last in ("flatten", "globalaveragepooling2d"):
        given = read_blocks([*image, {"kind": last}, {"kind": "dense"}])
        model = build_network(DIGITS, 10, given)
        y = model.predict(np.zeros((2, *DIGITS), np.uint8), verbose=0)
        np.testing.assert_allclose(y.sum(1), 1, rtol=1e-5)


def test_a_kernel_that_is_larger_than_the_image():
    pool = {"kind": "maxpooling2d", "pool_size": 8, "strides": 8}
    found = problems(pool, {"kind": "conv2d", "kernel_size": 5}, {"kind": "flatten"})
    assert found == [
        (
            1,
            "Block 2, Conv2D: the image is only 3 x 3 here, and the kernel is 5 x 5; use padding "
            "'same', a smaller kernel, or fewer pooling layers.",
        )
    ]
    assert problems(pool, {"kind": "conv2d", "kernel_size": 5, "padding": "same"}, FLAT) == []


FLAT = {"kind": "flatten"}


@pytest.mark.parametrize(
    ("given", "block", "words"),
    [
        ([{"kind": "dense"}], 0, "put Flatten before it"),
        ([{"kind": "conv2d"}], 1, "The output layer, Dense: the input here is an image of 26 x 26"),
        ([FLAT, {"kind": "conv2d"}], 1, "the input here is 784 single values, and a convolution"),
        ([FLAT, {"kind": "maxpooling2d"}], 1, "pooling needs an image: put it before Flatten"),
        ([FLAT, FLAT], 1, "already flat, 784 single values; remove this block"),
        ([FLAT, {"kind": "globalaveragepooling2d"}], 1, "the mean of each map needs an image"),
        ([{"kind": "maxpooling2d", "pool_size": 8}] * 3, 1, "the window is 8 x 8"),
    ],
)  # fmt: skip
def test_blocks_that_do_not_fit(given, block, words):
    if given[0].get("pool_size"):
        given = [{**one, "strides": 8} for one in given]
    found = problems(*given)
    assert len(found) == 1
    assert found[0][0] == block
    assert words in found[0][1]


def test_nothing_is_said_of_blocks_after_the_first_that_does_not_fit():
    plan = plan_network(DIGITS, 10, read_blocks([FLAT, {"kind": "conv2d"}, FLAT]))
    assert [row.shape for row in plan.rows] == [(784,), None, None, None]
    assert len(plan.problems) == 1


def test_networks_that_are_too_large_are_refused_before_they_are_made(monkeypatch):
    def refuse(*_):
        raise AssertionError("the layer was made")

    monkeypatch.setattr(planning, "_row", refuse)
    found = problems({"kind": "dense", "units": 2048}, shape=(64 * 64 * 256,))
    assert "it would have 2,147,485,696 weights, and this page allows 5,000,000" in found[0][1]


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ([FLAT, *[{"kind": "dense", "units": 1500}] * 4], "weights"),
        ([{"kind": "conv2d", "filters": 64, "padding": "same"}] * 5, "operations for each image"),
        ([{"kind": "conv2d", "filters": 256, "kernel_size": 1}] * 3, "operations for each image"),
        ([{"kind": "conv2d", "filters": 255, "kernel_size": 1}, *[{"kind": "dropout"}] * 10],
         "values between its layers"),
    ],
)  # fmt: skip
def test_a_network_has_limits_as_a_whole(given, what):
    given = [*given, {"kind": "globalaveragepooling2d"}] if FLAT not in given else given
    ((_, message),) = problems(*given)
    assert f" {what}, and this page allows " in message


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (3, "blocks must be a list"),
        ([3], "blocks must be a list"),
        ([{}], "block 1: there is no kind None"),
        ([{"kind": "conv"}], "did you mean conv2d"),
        ([{"kind": ["conv2d"]}], "block 1: there is no kind"),
        ([FLAT, {"kind": "conv2d", "filters": 1000}], "block 2, Conv2D: Kernels must be from 1 to"),
        ([{"kind": "conv2d", "filters": 1.5}], "Kernels must be a whole number; got 1.5"),
        ([{"kind": "conv2d", "filters": "20"}], "Kernels must be from 1 to 256; got '20'"),
        ([{"kind": "conv2d", "filters": True}], "Kernels must be from 1 to 256; got True"),
        ([{"kind": "conv2d", "filters": float("nan")}], "Kernels must be from 1 to 256"),
        ([{"kind": "conv2d", "padding": "full"}], "Padding must be one of valid, same"),
        ([{"kind": "conv2d", "padding": ["same"]}], "Padding must be one of valid, same"),
        ([{"kind": "conv2d", "depth": 3}], "there is no field 'depth'"),
        ([FLAT] * 41, "a network may have 40 blocks here; got 41"),
    ],
)  # fmt: skip
def test_what_is_no_list_of_blocks(given, words):
    with pytest.raises(ArgumentError) as caught:
        read_blocks(given)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([], "described by an object"),
        ({"preset": "alexnet"}, "preset must be lenet or lenet5 or small"),
        ({"preset": ["lenet"]}, "preset must be"),
        ({"data": "cifar"}, "data must be mnist; got 'cifar'"),
        ({"data": ["mnist"]}, "data must be mnist"),
        ({"optimizer": "lion"}, "Optimizer must be one of sgd, momentum, adam"),
        ({"learning_rate": 0}, "Learning rate must be from 1e-06 to 10"),
        ({"learning_rate": "0.1"}, "Learning rate must be"),
        ({"batch_size": 513}, "Batch size must be from 1 to 512"),
        ({"seed": -1}, "Seed must be"),
        ({"seed": 2**64}, "Seed must be"),
        ({"epochs": 3}, "there is no field 'epochs'"),
        ({"blocks": [{"kind": "dense"}]}, "put Flatten before it"),
        ({"blocks": [*[{"kind": "conv2d", "filters": 40, "padding": "same"}] * 4, FLAT],
          "batch_size": 512}, "this network allows a batch size of"),
    ],
)  # fmt: skip
def test_what_is_no_recipe(given, words):
    with pytest.raises(ArgumentError) as caught:
        read_recipe(given, None)
    assert words in str(caught.value)


def test_the_same_seed_gives_the_same_weights():
    one, same, other = (
        read_recipe({"preset": "small", "seed": seed}, None).build().get_weights()
        for seed in (3, 3, 4)
    )
    assert [w.tobytes() for w in one] == [w.tobytes() for w in same]
    assert one[0].tobytes() != other[0].tobytes()


def write_images(folder, names=("cat", "dog"), count=12):
    image_module = pytest.importorskip("PIL.Image")
    for number, name in enumerate(names):
        (folder / name).mkdir(parents=True)
        for i in range(count):
            color = (40 + 90 * number, 5 * i, 100)
            image_module.new("RGB", (20, 30), color).save(folder / name / f"{i:02}.png")


def test_a_folder_with_a_folder_per_class_can_be_learned(tmp_path):
    write_images(tmp_path)
    assert [one.name for one in data_choices(tmp_path)] == ["mnist", "folder", "folder64"]
    choice = find_choice("folder", tmp_path)
    data = load_data(choice, tmp_path)
    assert (choice.input_shape, choice.class_names) == ((32, 32, 3), ("cat", "dog"))
    assert (data.x_train.shape, data.x_test.shape) == ((20, 32, 32, 3), (4, 32, 32, 3))
    assert set(data.y_test) == {0, 1}


def test_a_network_is_trained_with_a_folder(tmp_path):
    write_images(tmp_path)
    trainings = Trainings(tmp_path)
    try:
        training = trainings.start({"preset": "small", "data": "folder", "batch_size": 8})
        training.step()
        training.wait()
        answer, tensors = training.ask(report)
        assert (answer["step"], answer["steps_per_epoch"]) == (1, 3)
        assert tensors["kernels"].shape == (3, 3, 3, 16)
    finally:
        trainings.close()


def test_a_folder_with_its_own_test_images_keeps_them(tmp_path):
    write_images(tmp_path / "train")
    write_images(tmp_path / "test", count=6)
    data = load_data(find_choice("folder64", tmp_path), tmp_path)
    assert (data.x_train.shape, data.x_test.shape) == ((24, 64, 64, 3), (12, 64, 64, 3))


def test_a_folder_without_classes_is_not_offered(tmp_path):
    write_images(tmp_path, names=["all"])
    assert [one.name for one in data_choices(tmp_path)] == ["mnist"]
    with pytest.raises(ArgumentError, match="data must be mnist; got 'folder'"):
        find_choice("folder", tmp_path)


def test_a_folder_with_too_few_images_is_refused(tmp_path):
    write_images(tmp_path, count=2)
    with pytest.raises(ArgumentError, match="has 4 images that can be read; a training needs 10"):
        load_data(find_choice("folder", tmp_path), tmp_path)
