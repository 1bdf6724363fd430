"""Files of Keras: those that it wrote, and those that minicnn writes for it."""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import random_networks as nets

import minicnn as mc
from minicnn.data import Preprocess
from minicnn.errors import (
    ArgumentError,
    CheckpointError,
    FormatError,
    MissingExtraError,
    UnsupportedError,
)
from minicnn.interop.keras.layer_order import keras_layers
from minicnn.interop.keras.operations import operation_from
from minicnn.interop.keras.optimizer_state import state_arrays

h5py = pytest.importorskip("h5py", reason="pip install -e '.[keras]'")

GOLDEN = Path(__file__).parent / "golden/interop/keras"
WHOLE = ("keras", "h5")


@pytest.fixture(scope="module")
def golden(tmp_path_factory):
    """The folder with the files that Keras 3.15 and tf-keras 2.21 wrote."""
    folder = tmp_path_factory.mktemp("golden")
    for name in ("keras2", "keras3"):
        with zipfile.ZipFile(GOLDEN / f"{name}.zip") as packed:
            packed.extractall(folder)
    return folder


def outputs_of(folder, name):
    """The inputs and outputs of the golden network."""
    with np.load(folder / f"{name}.npz") as arrays:
        return [arrays["x0"], arrays["x1"]], [arrays["y0"], arrays["y1"]]


def check_outputs(model, inputs, wanted):
    for found, y in zip(model.predict(inputs, verbose=0), wanted, strict=True):
        np.testing.assert_allclose(found, y, rtol=1e-5, atol=1e-6)


# --- files of Keras -----------------------------------------------------------------------------


@pytest.mark.parametrize("file", ["keras3.keras", "keras3.h5", "keras2.keras", "keras2.h5"])
def test_a_network_of_keras(golden, file):
    model = mc.load_model(golden / file)
    check_outputs(model, *outputs_of(golden, file[:6]))
    assert model.name == "golden"
    assert sorted(layer.name for layer in model.layers) == [
        "block", "both", "classes", "dropout", "first", "image", "inner", "number", "pool",
        "shared", "vector",
    ]  # fmt: skip
    assert type(model.get_layer("inner")) is mc.Sequential
    assert model.get_layer("inner").get_layer("slope").negative_slope == 0.25
    assert model.get_layer("first").kernel_regularizer.l2 == pytest.approx(0.01)
    assert model.get_layer("shared").kernel_constraint.max_value == 2


@pytest.mark.parametrize("file", ["keras3.keras", "keras3.h5", "keras2.keras", "keras2.h5"])
def test_the_training_of_keras_goes_on(golden, file):
    """Loss, weights of losses, metrics, and Adam's moments after two steps."""
    model = mc.load_model(golden / file)
    assert (model.optimizer.steps, float(model.optimizer.learning_rate)) == (2, 0.01)
    assert [type(one).__name__ for one in model.loss] == [
        "SparseCategoricalCrossentropy", "MeanSquaredError",
    ]  # fmt: skip
    assert model.loss_weights == [1.0, 0.5]
    assert [one.output for one in model.compiled_metrics] == [0, 1]
    first = {path: a for (path, slot), a in model.slots.items() if slot == "first"}
    second = {path: a for (path, slot), a in model.slots.items() if slot == "second"}
    assert len(first) == len(second) == len(model.trainable_parameters)
    assert all(np.abs(a).max() > 0 for a in first.values())
    assert all((a >= 0).all() and a.max() > 0 for a in second.values())
    inputs, _ = outputs_of(golden, file[:6])
    model.train_on_batch(inputs, [np.zeros(4, np.int64), np.zeros((4, 1), np.float32)])
    assert model.optimizer.steps == 3


def test_keras_3_writes_the_same_network_in_all_its_files(golden):
    """The moments are the same in the numbered and in the named layout."""
    archive, legacy = (mc.load_model(golden / f"keras3.{ending}") for ending in WHOLE)
    for (_, a), (_, b) in zip(state_arrays(archive), state_arrays(legacy), strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(archive.get_weights(), legacy.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    "file",
    ["keras3.weights.h5", "keras3.keras", "keras3.h5", "keras2.weights.h5", "keras2_weights.h5",
     "keras2.h5"],
)  # fmt: skip
def test_weights_alone(golden, file):
    model = mc.load_model(golden / f"{file[:6]}.keras", compile=False)
    assert model.optimizer is None
    model.set_weights([np.zeros_like(w) for w in model.get_weights()])
    model.load_weights(golden / file)
    check_outputs(model, *outputs_of(golden, file[:6]))


def test_functions_of_keras(golden):
    model = mc.load_model(golden / "keras3_functions.keras")
    with np.load(golden / "keras3.npz") as arrays:
        x, wanted = arrays["x0"][:, :4, :3, 0], arrays["functions"]
    np.testing.assert_allclose(model.predict(x, verbose=0), wanted, rtol=1e-5)


@pytest.mark.parametrize("file", ["keras3.keras", "keras2.h5"])
def test_weights_of_another_network_change_nothing(golden, file):
    model = mc.Sequential([mc.Input((3,)), mc.layers.Dense(2)])
    before = model.get_weights()
    with pytest.raises(CheckpointError, match="of another network"):
        model.load_weights(golden / file)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_content_decides_not_the_name(golden, tmp_path):
    path = tmp_path / "net.mcnn"
    path.write_bytes((golden / "keras2.h5").read_bytes())
    assert mc.load_model(path).name == "golden"


def test_weights_alone_are_no_network(golden):
    with pytest.raises(FormatError, match=r"weights alone, no layers.*load_weights"):
        mc.load_model(golden / "keras2_weights.h5")


# --- files for Keras ----------------------------------------------------------------------------


@pytest.mark.parametrize("ending", WHOLE)
def test_random_networks(ending, tmp_path):
    """Read again they compute the same bits, and written again they are the same bytes."""
    once, twice = tmp_path / f"once.{ending}", tmp_path / f"twice.{ending}"
    for seed in range(12):
        model = nets.network(mc, seed, functions=ending == "keras")
        nets.fill(model, seed)
        model.save(once)
        again = mc.load_model(once)
        x = nets.data(model, seed)
        for a, b in zip(
            nets.outputs(model.predict(x if len(x) > 1 else x[0], verbose=0)),
            nets.outputs(again.predict(x if len(x) > 1 else x[0], verbose=0)),
            strict=True,
        ):
            np.testing.assert_array_equal(a, b)
        assert [one.name for one in keras_layers(again)] == [o.name for o in keras_layers(model)]
        again.save(twice)
        assert once.read_bytes() == twice.read_bytes()


@pytest.mark.parametrize("name", ["net.weights.h5", "net.hdf5"])
def test_random_networks_weights(name, tmp_path):
    path = tmp_path / name
    for seed in range(6):
        model = nets.network(mc, seed)
        nets.fill(model, seed)
        model.save_weights(path)
        content = path.read_bytes()
        again = nets.network(mc, seed)
        again.load_weights(path)
        for a, b in zip(model.get_weights(), again.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
        again.save_weights(path)
        assert path.read_bytes() == content


@pytest.mark.parametrize("optimizer", nets.OPTIMIZERS)
@pytest.mark.parametrize("ending", WHOLE)
def test_training_goes_on_as_if_it_had_not_been_saved(ending, optimizer, tmp_path):
    path, layers = tmp_path / f"net.{ending}", mc.layers
    model = mc.Sequential([mc.Input((4,)), layers.Dense(5, "relu"), layers.Dense(3, "softmax")])
    model.compile(
        getattr(mc.optimizers, optimizer)(0.0625), "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )  # fmt: skip
    x, y = np.random.default_rng(0).standard_normal((8, 4)).astype("f"), np.arange(8) % 3
    model.train_on_batch(x, y)
    model.save(path)
    again = mc.load_model(path)
    for one in (model, again):
        one.train_on_batch(x, y)
    for a, b in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("ending", WHOLE)
@pytest.mark.parametrize(
    "options",
    [{"use_ema": True}, {"gradient_accumulation_steps": 2}, {"amsgrad": True}, {"clipnorm": 1.0}],
    ids=str,
)
def test_further_arrays_of_an_optimizer(ending, options, tmp_path):
    path = tmp_path / f"net.{ending}"
    model = mc.Sequential([mc.Input((4,)), mc.layers.Dense(3)])
    model.compile(mc.optimizers.Adam(0.0625, **options), "mse")
    x, y = np.ones((2, 4), np.float32), np.ones((2, 3), np.float32)
    for _ in range(3):
        model.train_on_batch(x, y)
    model.save(path)
    again = mc.load_model(path)
    for (name, a), (_, b) in zip(state_arrays(model), state_arrays(again), strict=True):
        np.testing.assert_array_equal(a, b, err_msg=name)
    assert len(state_arrays(again)) == (6 if "clipnorm" in options else 8)


@pytest.mark.parametrize("ending", WHOLE)
def test_the_classes_names_and_the_preprocessing_are_kept(ending, tmp_path):
    path = tmp_path / f"net.{ending}"
    model = mc.Sequential([mc.Input((4, 4, 1)), mc.layers.Flatten(), mc.layers.Dense(2)])
    model.class_names = ["cat", "dog"]
    model.preprocess = Preprocess((4, 4), "grayscale", scale=0.5)
    model.save(path)
    again = mc.load_model(path)
    assert again.class_names == ["cat", "dog"]
    assert again.preprocess.as_config() == model.preprocess.as_config()


@pytest.mark.parametrize("ending", WHOLE)
def test_a_layer_that_is_not_trained(ending, tmp_path):
    path, layers = tmp_path / f"net.{ending}", mc.layers
    inner = mc.Sequential([mc.Input((3,)), layers.Dense(3), layers.BatchNormalization()])
    inner.layers[0].trainable = False
    x = mc.Input((3,))
    model = mc.Model(x, layers.Dense(2, name="end")(inner(x, training=False)))
    model.save(path)
    again = mc.load_model(path)
    assert len(again.trainable_parameters) == len(model.trainable_parameters) == 4
    for a, b in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    call = again.get_layer(inner.name).first_output.call
    assert call.training is False


class Scale(mc.layers.Layer):
    """Multiplies by a weight of its own."""

    def __init__(self, start=1.0, **options):
        super().__init__(**options)
        self.start = start

    def build(self, *input_shapes):
        self.factor = self.add_weight((input_shapes[0][-1],), "ones", name="factor")
        self.factor.assign(np.full(self.factor.shape, self.start))

    def call(self, x):
        return x * self.factor

    def get_config(self):
        return {**super().get_config(), "start": self.start}


@pytest.mark.parametrize("ending", WHOLE)
def test_a_class_of_the_users_own(ending, tmp_path):
    path = tmp_path / f"net.{ending}"
    model = mc.Sequential([mc.Input((3,)), Scale(2.0, name="scale")])
    model.save(path)
    again = mc.load_model(path, custom_objects={"Scale": Scale})
    assert again.predict(np.ones((1, 3), "f"), verbose=0).tolist() == [[2, 2, 2]]
    with pytest.raises(FormatError, match=r"layer 'scale' is a 'Scale'.*custom_objects"):
        mc.load_model(path)


def times_two(x):
    """Return 2 x."""
    return x * 2


def test_a_function_of_the_users_own(tmp_path):
    path = tmp_path / "net.keras"
    mc.Sequential([mc.Input((3,)), mc.layers.Lambda(times_two, name="twice")]).save(path)
    again = mc.load_model(path, custom_objects={"times_two": times_two})
    assert again.predict(np.ones((1, 3), "f"), verbose=0).tolist() == [[2, 2, 2]]
    with pytest.raises(
        FormatError, match=r"'twice' names the function 'times_two'.*custom_objects"
    ):
        mc.load_model(path)


def test_inputs_and_outputs_by_name(tmp_path):
    path = tmp_path / "net.keras"
    a, b = mc.Input((2,), name="a"), mc.Input((3,), name="b")
    y = mc.layers.Dense(2)(mc.layers.Concatenate()([a, b]))
    model = mc.Model({"a": a, "b": b}, {"y": y})
    model.save(path)
    x = {"a": np.ones((1, 2), "f"), "b": np.ones((1, 3), "f")}
    again = mc.load_model(path)
    np.testing.assert_array_equal(
        again.predict(x, verbose=0)["y"], model.predict(x, verbose=0)["y"]
    )


@pytest.mark.parametrize(
    ("layer", "ending", "error", "text"),
    [
        (lambda: mc.layers.LocalResponseNormalization(), "keras", UnsupportedError,
         "Keras has no LocalResponseNormalization"),
        (lambda: mc.layers.Conv2D(2, 3, padding=((1, 0), (0, 1))), "h5", UnsupportedError,
         "ZeroPadding2D"),
        (lambda: mc.layers.Conv2D(2, 3), "weights.h5", ArgumentError, "save_weights"),
    ],
)  # fmt: skip
def test_what_keras_cannot_say_is_refused(layer, ending, error, text, tmp_path):
    model = mc.Sequential([mc.Input((4, 4, 2)), layer()])
    with pytest.raises(error, match=text):
        model.save(tmp_path / f"net.{ending}")
    assert list(tmp_path.iterdir()) == []


def test_functions_need_a_keras_archive(tmp_path):
    x = mc.Input((3,))
    model = mc.Model(x, mc.ops.exp(x))
    with pytest.raises(UnsupportedError, match=r"save the model as \.keras"):
        model.save(tmp_path / "net.h5")


def test_a_network_without_its_inputs_shape_is_refused(tmp_path):
    model = mc.Sequential([mc.layers.Dense(2)])
    for save in (lambda: model.save(tmp_path / "a.keras"), lambda: model.save(tmp_path / "a.h5"),
                 lambda: model.save_weights(tmp_path / "a.weights.h5")):  # fmt: skip
        with pytest.raises(ArgumentError, match="does not know its input's shape"):
            save()


def test_an_unknown_ending_gets_the_own_format(tmp_path):
    """A paper calls its file weights.h7."""
    model = mc.Sequential([mc.Input((3,)), mc.layers.Dense(2)])
    with pytest.warns(UserWarning, match=r"name it \.mcnn"):
        model.save(tmp_path / "net.h7")
    assert mc.load_model(tmp_path / "net.h7").count_params() == 8


def test_without_h5py_the_error_says_what_to_install(monkeypatch, tmp_path, golden):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingExtraError, match=r"\[keras\]|h5py"):
        mc.load_model(golden / "keras3.h5")
    model = mc.Sequential([mc.Input((3,)), mc.layers.Dense(2)])
    with pytest.raises(MissingExtraError):
        model.save(tmp_path / "net.keras")


def test_the_archive_is_as_keras_writes_it(tmp_path):
    path = tmp_path / "net.keras"
    mc.Sequential([mc.Input((3,)), mc.layers.Dense(2, name="end")], name="net").save(path)
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["metadata.json", "config.json", "model.weights.h5"]
        config = json.loads(archive.read("config.json"))
        with archive.open("model.weights.h5") as inside, h5py.File(inside) as file:
            assert file["layers/dense/vars/0"].shape == (3, 2)
            assert file["layers/dense/vars"].attrs["name"] == "end"
    assert (config["module"], config["class_name"]) == ("keras", "Sequential")
    assert config["config"]["build_input_shape"] == [None, 3]
    assert [one["class_name"] for one in config["config"]["layers"]] == ["InputLayer", "Dense"]


@pytest.mark.parametrize(
    ("keras_class", "function"),
    [("TrueDivide", "divide"), ("Abs", "absolute"), ("Amax", "max"), ("Amin", "min")],
)
def test_a_function_that_keras_has_under_two_names(keras_class, function):
    item = {"class_name": keras_class, "config": {"name": "f"}}
    assert operation_from(item, "x.keras", "the layer 'f'").function == function
