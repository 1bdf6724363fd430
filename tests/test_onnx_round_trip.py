"""Networks that are written to ONNX and read again: the same layers, the same bytes; and files that
somebody changed in between, which are read as they are now."""

from __future__ import annotations

import json

import numpy as np
import pytest
from onnx_networks import (
    OBJECTS,
    condition,
    differences,
    predicted,
    random_inputs,
    random_network,
    randomize,
)

import minicnn as mc
from minicnn import applications, layers, ops, zoo
from minicnn.data.preprocess import Preprocess
from minicnn.errors import FormatError

onnx = pytest.importorskip("onnx", reason="pip install -e '.[onnx]'")
from minicnn.interop.onnx.metadata import CLASS_NAMES, NETWORK, PREPROCESS  # noqa: E402
from minicnn.interop.onnx.reader import network_of  # noqa: E402
from minicnn.interop.onnx.writer import to_bytes  # noqa: E402
from minicnn.interop.onnx.writer_rebuild import own_network  # noqa: E402

pytestmark = pytest.mark.usefixtures("no_fsync")
NEAR, CONDITION = 1e-5, 16  # as in test_onnx_writer


def check_same(seed):
    """Write, read, write: the same bytes, layers, names and predictions."""
    rng = np.random.default_rng(seed)
    model = random_network(rng)
    content = to_bytes(model, "a.onnx")
    again = own_network(onnx.load_from_string(content), "a.onnx", OBJECTS)
    assert again is not None, seed
    assert to_bytes(again, "b.onnx") == content, seed
    assert [one.name for one in again.layers] == [one.name for one in model.layers]
    xs = random_inputs(model, rng, 2)
    for a, b in zip(predicted(again, xs), predicted(model, xs), strict=True):
        np.testing.assert_array_equal(a, b)


def check_graph(seed):
    """Read the graph alone, as that of another program; return whether it can be a network."""
    rng = np.random.default_rng(seed)
    model = random_network(rng)
    document = onnx.load_from_string(to_bytes(model, "a.onnx"))
    if any("time_distributed" in node.name for node in document.graph.node):
        return False  # its images are cut into pieces, each a sample: no network of samples
    again = network_of(document, "a.onnx")
    xs = random_inputs(model, rng, 2)
    difference = differences(predicted(again, xs), predicted(model, xs))
    assert difference <= NEAR or difference <= CONDITION * condition(model, xs, rng), seed
    return True


def test_random_networks_are_the_same_after_a_file():
    for seed in range(40):
        check_same(seed)


def test_the_graphs_of_random_networks_are_read():
    assert sum(check_graph(seed) for seed in range(40, 80)) > 25


@pytest.mark.slow
def test_three_hundred_random_networks_are_the_same_after_a_file():
    for seed in range(1000, 1300):
        check_same(seed)


@pytest.mark.slow
def test_the_graphs_of_three_hundred_random_networks_are_read():
    assert sum(check_graph(seed) for seed in range(1000, 1300)) > 200


NETWORKS = {
    "lenet": zoo.lenet,
    "scene": lambda: zoo.scene((64, 64, 3)),
    "mobilenet": lambda: applications.MobileNetV2((32, 32, 3), 0.35, weights=None, classes=5),
    "mobilenet of any size": lambda: applications.MobileNetV2(
        (None, None, 3), 0.35, include_top=False, weights=None, pooling="avg"
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_of_the_zoo_is_the_same_after_a_file(name, tmp_path):
    model = NETWORKS[name]()
    randomize(model, np.random.default_rng(3))
    model.save(tmp_path / "a.onnx")
    again = mc.load_model(tmp_path / "a.onnx")
    again.save(tmp_path / "b.onnx")
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()
    assert [type(one) for one in again.layers] == [type(one) for one in model.layers]
    for a, b in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def small():
    return mc.Sequential([
        mc.Input((6, 6, 1)), layers.Conv2D(2, 3, strides=2, activation="relu", name="conv"),
        layers.BatchNormalization(), layers.Dropout(0.5), layers.Flatten(),
        layers.Dense(3, activation="softmax", name="classes"),
    ], name="small")  # fmt: skip


def changed(model, path, change):
    """Write the file of a network after a change of its parsed message."""
    document = onnx.load_from_string(to_bytes(model, path))
    change(document)
    path.write_bytes(document.SerializeToString())


def test_classes_preprocessing_and_what_only_training_needs_come_back(tmp_path):
    model = small()
    model.class_names = ["a", "b", "c"]
    model.preprocess = Preprocess((6, 6), "grayscale")
    model.get_layer("conv").trainable = False
    model.save(tmp_path / "a.onnx")
    again = mc.load_model(tmp_path / "a.onnx")
    assert again.class_names == ["a", "b", "c"]
    assert again.preprocess == model.preprocess
    assert not again.get_layer("conv").trainable
    assert [type(one).__name__ for one in again.layers] == [
        type(one).__name__ for one in model.layers
    ]
    assert again.name == "small"


def test_weights_that_another_program_changed_are_those_of_the_network(tmp_path):
    path, model = tmp_path / "a.onnx", small()

    def double(document):
        for one in document.graph.initializer:
            if one.name == "classes/kernel":
                one.CopyFrom(
                    onnx.numpy_helper.from_array(2 * onnx.numpy_helper.to_array(one), one.name)
                )

    changed(model, path, double)
    again = mc.load_model(path)
    kernel = model.get_layer("classes").kernel.value
    np.testing.assert_array_equal(again.get_layer("classes").kernel.value, 2 * kernel)
    assert [one.name for one in again.layers] == [one.name for one in model.layers]


def test_a_graph_that_another_program_changed_counts_and_not_the_list_of_layers(tmp_path):
    path, model = tmp_path / "a.onnx", small()

    def other_function(document):
        for node in document.graph.node:
            node.op_type = {"Relu": "Tanh"}.get(node.op_type, node.op_type)

    changed(model, path, other_function)
    x = np.random.default_rng(0).normal(size=(2, 6, 6, 1)).astype(np.float32)
    wanted = small()
    wanted.set_weights(model.get_weights())
    wanted.get_layer("conv").activation = ops.tanh
    again = mc.load_model(path)
    np.testing.assert_allclose(again.predict(x, verbose=0), wanted.predict(x, verbose=0), atol=1e-6)
    assert not np.allclose(again.predict(x, verbose=0), model.predict(x, verbose=0), atol=1e-4)


LISTS = {
    "no JSON": "{",
    "deep": "[" * 100_000,
    "another type": "[1]",
    "an unknown class": json.dumps({"class": "Sequential", "layers": [{"class": "Evil"}]}),
    "none": "",
}


@pytest.mark.parametrize("name", LISTS)
def test_a_damaged_list_of_layers_leaves_the_graph(name, tmp_path):
    path, model = tmp_path / "a.onnx", small()

    def damage(document):
        next(one for one in document.metadata_props if one.key == NETWORK).value = LISTS[name]

    changed(model, path, damage)
    again = mc.load_model(path)
    x = np.ones((1, 6, 6, 1), np.float32)
    np.testing.assert_allclose(again.predict(x, verbose=0), model.predict(x, verbose=0), atol=1e-6)


def test_a_list_of_other_layers_is_not_believed(tmp_path):
    """It has the same weights, but computes something else."""
    path, model = tmp_path / "a.onnx", small()

    def swap(document):
        entry = next(one for one in document.metadata_props if one.key == NETWORK)
        entry.value = entry.value.replace('"relu"', '"tanh"')
        assert "tanh" in entry.value

    changed(model, path, swap)
    again = mc.load_model(path)
    x = np.random.default_rng(0).normal(size=(2, 6, 6, 1)).astype(np.float32)
    np.testing.assert_allclose(again.predict(x, verbose=0), model.predict(x, verbose=0), atol=1e-6)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (CLASS_NAMES, "{"), (CLASS_NAMES, "3"), (CLASS_NAMES, '["a"]'), (CLASS_NAMES, "[1, 2, 3]"),
        (PREPROCESS, "[]"), (PREPROCESS, '{"size": "x"}'), (PREPROCESS, "[" * 100_000),
        (PREPROCESS, '{"no such field": 1}'),
    ],
)  # fmt: skip
def test_damaged_metadata_is_refused(key, value, tmp_path):
    path, model = tmp_path / "a.onnx", small()
    model.class_names, model.preprocess = ["a", "b", "c"], Preprocess((6, 6), "grayscale")

    def damage(document):
        next(one for one in document.metadata_props if one.key == key).value = value

    changed(model, path, damage)
    with pytest.raises(FormatError, match="metadata"):
        mc.load_model(path)


def test_a_class_that_is_unknown_where_the_file_is_read_is_read_as_its_operations(tmp_path):
    class Doubled(layers.Layer):
        def call(self, x):
            return 2.0 * x + 1.0

    model = mc.Sequential([mc.Input((3,)), layers.Dense(4), Doubled(name="twice")])
    model.save(tmp_path / "a.onnx")
    x = np.ones((2, 3), np.float32)
    for objects, kind in ((None, None), ({"Doubled": Doubled}, Doubled)):
        again = mc.load_model(tmp_path / "a.onnx", custom_objects=objects)
        np.testing.assert_allclose(
            again.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-6
        )
        assert kind is None or type(again.get_layer("twice")) is kind


def test_a_lambda_without_a_name_is_read_as_its_operations(tmp_path):
    model = mc.Sequential([mc.Input((3,)), layers.Lambda(lambda x: ops.exp(x) - 1.0)])
    model.save(tmp_path / "a.onnx")
    x = np.ones((2, 3), np.float32)
    again = mc.load_model(tmp_path / "a.onnx")
    np.testing.assert_allclose(again.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-6)
