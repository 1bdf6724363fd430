"""The well-known networks have the published sizes, and compute what their publishers' do.

The outputs and names in golden/zoo are those of torchvision and of Keras; tools/make_zoo_data.py
wrote them.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from zoo_arrays import drawn, images

import minicnn as mc
from minicnn.apps.runs import networks
from minicnn.data import Preprocess
from minicnn.errors import CheckpointError
from minicnn.zoo import mobilenet, resnet, vgg
from minicnn.zoo.pretrained import imagenet

GOLDEN = Path(__file__).parent / "golden/zoo"
TORCHVISION = json.loads((GOLDEN / "torchvision.json").read_text())
KERAS = json.loads((GOLDEN / "keras.json").read_text())
# As published, without the averages of batch normalization; Keras's figure has them.
WEIGHTS = {
    "resnet18": 11_689_512,
    "resnet34": 21_797_672,
    "resnet50": 25_557_032,
    "vgg11": 132_863_336,
    "vgg16": 138_357_544,
    "mobilenet_v2": 3_504_872,
    "efficientnet_lite0": 4_652_008,
}
MODULES = {
    "resnet18": resnet.module_name,
    "resnet50": resnet.module_name,
    "mobilenet_v2": mobilenet.module_name,
    "vgg11": vgg.module_names(vgg.A).__getitem__,
    "vgg16": vgg.module_names(vgg.D).__getitem__,
}


@pytest.mark.parametrize("name", WEIGHTS)
def test_they_have_as_many_weights_as_published(name):
    model = getattr(mc.zoo, name)(weights=None)
    learned = [p.size for p in model.parameters if p.trainable]
    assert sum(learned) == WEIGHTS[name] and model.output_shape == (None, 1000)


def test_mobilenet_has_as_many_weights_as_keras_says():
    assert mc.zoo.mobilenet_v1().count_params() == 4_253_864
    assert mc.applications.ResNet50(weights=None).count_params() == 25_636_712


@pytest.mark.parametrize("name", MODULES)
def test_the_tables_name_every_array_of_torchvision(name):
    model = getattr(mc.zoo, name)(weights=None)
    modules = {MODULES[name](layer.name) for layer in model.layers if layer.parameters}
    assert modules == {array.rpartition(".")[0] for array in TORCHVISION[name]["shapes"]}


@pytest.mark.parametrize(("name", "options"), [("resnet18", {}), ("mobilenet_v2", {"alpha": 0.5})])
def test_weights_of_torchvision_give_its_outputs(name, options, tmp_path):
    known = TORCHVISION[name]
    arrays = {
        key: drawn(key, tuple(shape), known["gain"])
        for key, shape in known["shapes"].items()
        if shape
    }
    save_file(arrays, tmp_path / "w.safetensors")
    model = getattr(mc.zoo, name)(
        weights=tmp_path / "w.safetensors", classes=10, input_shape=(64, 64, 3),
        classifier_activation=None, **options,
    )  # fmt: skip
    outputs = np.array(known["outputs"])
    assert np.abs(model.predict_on_batch(images()) - outputs).max() < 1e-5 * np.abs(outputs).max()


def test_weights_of_another_network_are_refused(tmp_path):
    arrays = {"conv1.weight": drawn("conv1.weight", (64, 3, 7, 7))}
    save_file(arrays, tmp_path / "w.safetensors")
    with pytest.raises((CheckpointError, mc.errors.ArgumentError), match=r"bn1\.weight"):
        mc.zoo.resnet18(weights=tmp_path / "w.safetensors", classes=10, input_shape=(64, 64, 3))


@pytest.mark.parametrize(("name", "options"), [("ResNet50", {}), ("MobileNet", {"alpha": 0.25})])
def test_weights_of_keras_give_its_outputs_by_name(name, options, tmp_path):
    known = KERAS[name]
    model = getattr(mc.applications, name)(
        weights=None, classes=10, input_shape=(64, 64, 3), classifier_activation=None, **options
    )
    assert {layer.name for layer in model.layers if layer.parameters} <= set(known["layers"])
    assert model.count_params() == known["weights"]
    for parameter in model.parameters:
        values = drawn(parameter.name, tuple(parameter.keras_shape))
        parameter.assign(values.reshape(parameter.shape))
    outputs = np.array(known["outputs"])
    assert np.abs(model.predict_on_batch(images()) - outputs).max() < 1e-5 * np.abs(outputs).max()


def test_own_files_are_read_as_everywhere(tmp_path):
    small = {"alpha": 0.25, "include_top": False, "pooling": "avg", "input_shape": (32, 32, 3)}
    for build in (mc.zoo.mobilenet_v1, mc.zoo.mobilenet_v2):
        model = build(**small)
        model.save_weights(tmp_path / "w.mcnn")
        again = build(weights=tmp_path / "w.mcnn", **small)
        for one, other in zip(model.get_weights(), again.get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)


def test_the_names_of_imagenet_differ():
    names = imagenet.class_names()
    assert len(names) == len(set(names)) == 1000
    assert names[:2] == ["tench", "goldfish"] and names[285] == "Egyptian cat"
    assert {"crane (bird)", "crane (machine)", "maillot", "tank suit"} <= set(names)


@pytest.mark.parametrize(
    "name", [name for name, spec in networks.NETWORKS.items() if spec.takes == networks.KERAS]
)
def test_the_command_line_builds_them_for_images_of_ones_own(name):
    small = Preprocess((64, 64))
    model = networks.build(name, small, 3, {})
    assert model.input_shape == (None, 64, 64, 3) and model.output_shape == (None, 3)
    last = networks.build(name, small, 2, {"classes": 1}).layers[-1]
    assert last.activation.__name__ == "sigmoid"
