"""Networks as ONNX files: what ONNX's checker accepts and ONNX Runtime computes, and their names.

tools/check_onnx_writer.py compares as many random networks as one wants.
"""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
from onnx_networks import (
    condition,
    differences,
    predicted,
    random_inputs,
    random_network,
    randomize,
)
from ops_cases import CASES

import minicnn as mc
from minicnn import applications, layers, ops, zoo
from minicnn.data.preprocess import Preprocess
from minicnn.errors import MissingExtraError, SizeLimitError, UnsupportedError
from minicnn.interop.formats import is_onnx
from minicnn.interop.onnx import writer
from minicnn.models.saving.formats import recognized

onnx = pytest.importorskip("onnx", reason="pip install -e '.[onnx]'")
onnxruntime = pytest.importorskip("onnxruntime", reason="pip install -e '.[bench]'")

pytestmark = pytest.mark.usefixtures("no_fsync")
NEAR = 1e-5  # of the largest value of an output
CONDITION = 16  # times what another rounding of inputs and weights changes, if that is more


def written(model, path):
    """The file of a network, after ONNX's checker has seen all of it."""
    model.save(path)
    document = onnx.load(path)
    onnx.checker.check_model(document, full_check=True)
    return document


def in_memory(model):
    """The same without a file on the disk."""
    content = writer.to_bytes(model, "a.onnx")
    onnx.checker.check_model(onnx.load_from_string(content), full_check=True)
    return content


def run(file, xs):
    options = onnxruntime.SessionOptions()
    options.log_severity_level, options.intra_op_num_threads = 3, 1
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    return session.run(None, {i.name: x for i, x in zip(session.get_inputs(), xs, strict=True)})


def check(model, folder, seed=0, batch=2, length=9):
    """Write a network, compare ONNX Runtime's outputs with ours; return the document."""
    rng, path = np.random.default_rng(seed), str(folder / "a.onnx")
    document = written(model, path)
    shapes = [[length if n is None else n for n in t.shape[1:]] for t in model.graph.inputs]
    xs = [rng.normal(size=(batch, *shape)).astype(np.float32) for shape in shapes]
    difference = differences(run(path, xs), predicted(model, xs))
    assert difference <= NEAR or difference <= CONDITION * condition(model, xs, rng)
    return document


def operators(document):
    return [node.op_type for node in document.graph.node]


def names(document):
    return [node.name for node in document.graph.node]


# --- random networks ----------------------------------------------------------------------------


def check_random(seed):
    rng = np.random.default_rng(seed)
    model = random_network(rng)
    xs = random_inputs(model, rng, 1 + seed % 3)
    difference = differences(run(in_memory(model), xs), predicted(model, xs))
    assert difference <= NEAR or difference <= CONDITION * condition(model, xs, rng), seed


@pytest.mark.parametrize("first", range(0, 60, 10))
def test_random_networks(first):
    for seed in range(first, first + 10):
        check_random(seed)


@pytest.mark.slow
def test_three_hundred_random_networks():
    for seed in range(1000, 1300):
        check_random(seed)


NETWORKS = {
    "lenet": zoo.lenet,
    "lenet5": zoo.lenet5,
    "catdog": lambda: zoo.catdog((40, 40, 3), rescale=1 / 255),
    "cifar": zoo.cifar,
    "photo": lambda: zoo.photo((40, 40, 3)),
    "scene": lambda: zoo.scene((64, 64, 3)),
    "stacked": lambda: zoo.stacked((40, 40, 3), filters=(4, 4, 8), units=20),
    "xray": lambda: zoo.xray((40, 40, 3)),
    "mobilenet": lambda: applications.MobileNetV2((32, 32, 3), 0.35, weights=None, classes=5),
    "mobilenet of any size": lambda: applications.MobileNetV2(
        (None, None, 3), 0.35, include_top=False, weights=None, pooling="avg"
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_of_the_zoo(name, tmp_path):
    model = NETWORKS[name]()
    randomize(model, np.random.default_rng(1))
    document = check(model, tmp_path, length=33)
    assert operators(document).count("Transpose") == 1


SLOW_NETWORKS = {
    "caffenet": zoo.caffenet,
    "densenet": lambda: applications.DenseNet121(
        weights=None, input_shape=(32, 32, 3), include_top=False, pooling="max"
    ),
    "vgg16": lambda: applications.VGG16(
        weights=None, input_shape=(32, 32, 3), include_top=False, pooling="avg"
    ),
    "vgg19": lambda: applications.VGG19(
        weights=None, input_shape=(32, 32, 3), include_top=False, pooling="avg"
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SLOW_NETWORKS)
def test_large_networks(name, tmp_path):
    document = check(SLOW_NETWORKS[name](), tmp_path, batch=1)
    assert operators(document).count("Transpose") == 1


# Their results are made of more than one sample, or of as many values as there are samples.
OF_THE_WHOLE_BATCH = {
    "mean of rows", "var", "moments", "reshape", "pad, symmetric", "tril", "triu",
    "sparse_categorical_crossentropy of logits",
}  # fmt: skip


def in_network(name):
    """A network of one function; None if it does not fit a batch of any size."""
    function, x = CASES[name]
    try:
        inputs = mc.Input(x.shape[1:])
        return mc.Model(inputs, function(ops, inputs))
    except ValueError:
        return None


def test_functions_of_ops():
    compared = 0
    for name, (_, x) in CASES.items():
        model = in_network(name)
        if model is None or len(model.output_shape) == 0 or name in OF_THE_WHOLE_BATCH:
            continue
        theirs = run(in_memory(model), [x.astype(np.float32)])
        model_results = model.predict_on_batch(x.astype(np.float32))
        ours = model_results if isinstance(model_results, list) else [model_results]
        for a, b in zip(theirs, ours, strict=True):
            np.testing.assert_allclose(a.astype(np.float32), b, 2e-5, 1e-6, err_msg=name)
        compared += 1
    assert compared >= 140


def function_layer(model):
    """The last layer that is not the addition of results."""
    return next(one for one in model.layers[::-1] if not one.name.startswith("add"))


@pytest.mark.parametrize("name", sorted(OF_THE_WHOLE_BATCH))
def test_functions_of_the_whole_batch_are_refused_by_the_layer_s_name(name, tmp_path):
    model = in_network(name)
    with pytest.raises(UnsupportedError, match=f"layer '{function_layer(model).name}'"):
        model.save(tmp_path / "a.onnx")
    assert not list(tmp_path.iterdir())


# --- layouts ------------------------------------------------------------------------------------


def image_network(*inner, shape=(8, 8, 3)):
    return mc.Sequential([mc.Input(shape), *inner])


CONV = {"kernel_size": 3, "padding": "same"}
LAYOUTS = {
    "one transposition to features": (
        lambda: [layers.Conv2D(4, **CONV), layers.PReLU(), layers.Flatten(), layers.Dense(3)],
        {"Transpose": 1, "Flatten": 1, "Gemm": 1},
    ),
    "and one back to images": (
        lambda: [layers.Conv2D(4, **CONV), layers.BatchNormalization(), layers.UpSampling2D()],
        {"Transpose": 2, "Resize": 1},
    ),
    "features in another order are normalized and activated": (
        lambda: [
            layers.Conv2D(4, **CONV), layers.Flatten(), layers.BatchNormalization(),
            layers.Activation("selu"), layers.Dropout(0.5), layers.Dense(3),
        ],
        {"Transpose": 1},
    ),
    "sums over positions": (
        lambda: [layers.Conv2D(4, **CONV), layers.Lambda(lambda x: ops.max(x, axis=(1, 2)))],
        {"Transpose": 1, "ReduceMax": 1},
    ),
    "a transposition that undoes the first one": (
        lambda: [layers.Conv2D(4, **CONV), layers.Permute((3, 1, 2)), layers.Flatten()],
        {"Transpose": 1},
    ),
    "borders, parts and channels that are joined": (
        lambda: [
            layers.Conv2D(4, **CONV), layers.ZeroPadding2D(1), layers.Cropping2D(((0, 1), (1, 0))),
            layers.Lambda(lambda x: ops.concatenate([x, x[..., :2]], -1)), layers.CenterCrop(5, 5),
            layers.Conv2D(2, 3), layers.GlobalMaxPooling2D(),
        ],
        {"Transpose": 1, "Slice": 3, "Pad": 1, "Concat": 1},
    ),
    "scaled channels": (
        lambda: [layers.Conv2D(4, **CONV), layers.Lambda(
            lambda x: x * ops.sigmoid(ops.mean(x, axis=(1, 2), keepdims=True))
        ), layers.GlobalAveragePooling2D()],
        {"Transpose": 1},
    ),
    "groups of channels": (
        lambda: [layers.Conv2D(4, **CONV), layers.GroupNormalization(2), layers.Flatten(),
                 layers.Dense(2)],
        {"Transpose": 1, "InstanceNormalization": 1},
    ),
    "softmax over channels": (
        lambda: [layers.Conv2D(4, **CONV), layers.Softmax(), layers.Softmax(axis=1),
                 layers.Flatten(), layers.Dense(2)],
        {"Transpose": 1, "Softmax": 2},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYOUTS)
def test_transpositions_are_written_where_they_are_needed(name, tmp_path):
    inner, counts = LAYOUTS[name]
    model = image_network(*inner())
    randomize(model, np.random.default_rng(2))
    found = operators(check(model, tmp_path))
    assert {op: found.count(op) for op in counts} == counts


def test_sequences_are_transposed_once(tmp_path):
    model = mc.Sequential([
        mc.Input((12, 3)), layers.Conv1D(4, 3, activation="relu"), layers.MaxPooling1D(),
        layers.BatchNormalization(), layers.Conv1D(2, 2), layers.Flatten(), layers.Dense(2),
    ])  # fmt: skip
    found = operators(check(model, tmp_path))
    assert found.count("Transpose") == 1


@pytest.mark.parametrize(
    ("activation", "operator"),
    [
        ("selu", "Selu"), ("hard_sigmoid", "HardSigmoid"), ("hard_silu", "HardSwish"),
        ("softsign", "Softsign"), ("relu6", "Clip"), ("elu", "Elu"), ("leaky_relu", "LeakyRelu"),
    ],
)  # fmt: skip
def test_activations_that_onnx_has_are_one_node(activation, operator, tmp_path):
    model = mc.Sequential([mc.Input((5,)), layers.Activation(activation)])
    assert operators(check(model, tmp_path)) == [operator]


def test_a_result_that_is_read_elsewhere_is_not_put_into_a_pattern(tmp_path):
    x = mc.Input((5,))
    small = ops.relu6(x + 3.0)
    model = mc.Model(x, [small, x * (small * (1 / 6))])
    assert "HardSwish" not in operators(check(model, tmp_path))


# --- sizes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [8, 9, 11])
def test_images_of_any_size(length, tmp_path):
    x = mc.Input((None, None, 3))
    y = layers.Conv2D(4, 3, strides=2, padding="same")(x)
    y = layers.MaxPooling2D(2, padding="same")(layers.GroupNormalization(2)(y))
    y = layers.UpSampling2D()(y[:, 1:])
    y = layers.Concatenate()([layers.GlobalAveragePooling2D()(y), layers.GlobalMaxPooling2D()(y)])
    document = check(mc.Model(x, y), tmp_path, length=length)
    shape = document.graph.input[0].type.tensor_type.shape.dim
    assert [one.dim_param or one.dim_value for one in shape][::3] == ["N", 3]


def test_the_last_incomplete_window_of_images_of_any_size(tmp_path):
    model = image_network(layers.AveragePooling2D(2, ceil_mode=True), shape=(None, None, 2))
    for length in (6, 7):
        check(model, tmp_path, length=length)


def test_images_of_any_even_size(tmp_path):
    """Halves of them meet again, so that odd sizes do not fit."""
    x = mc.Input((None, None, 2))
    y = layers.UpSampling2D()(layers.MaxPooling2D()(x))
    check(mc.Model(x, layers.Concatenate()([x, y])), tmp_path, length=8)


def test_a_layer_whose_tables_depend_on_an_open_size_is_refused(tmp_path):
    model = mc.Sequential([mc.Input((None, None, 3)), layers.Resizing(4, 4, name="small")])
    with pytest.raises(UnsupportedError, match=r"layer 'small' .*depend.*\.mcnn"):
        model.save(tmp_path / "a.onnx")


@pytest.mark.parametrize("batch", [1, 4])
def test_batches_of_any_size(batch, tmp_path):
    frames = mc.Input((3, 8, 2))
    y = layers.TimeDistributed(layers.Conv1D(2, 3, activation="relu"))(frames)
    y = layers.TimeDistributed(layers.GlobalAveragePooling1D())(y)
    check(mc.Model(frames, layers.Dense(2)(layers.Flatten()(y))), tmp_path, batch=batch)


# --- names, metadata, shared layers -------------------------------------------------------------


def test_layers_keep_their_names_inside_networks_too(tmp_path):
    inner = mc.Sequential(
        [mc.Input((6, 6, 2)), layers.Conv2D(2, 3, activation="relu", name="conv")], name="block"
    )
    x = mc.Input((6, 6, 2), name="picture")
    y = layers.Dense(3, activation="softmax", name="classes")(layers.Flatten()(inner(x)))
    document = check(mc.Model(x, y, name="digits"), tmp_path)
    assert document.graph.name == "digits"
    assert [document.graph.input[0].name, document.graph.output[0].name] == ["picture", "classes"]
    assert {"block/conv", "block/conv/relu", "classes", "classes/softmax"} <= set(names(document))
    constants = {one.name for one in document.graph.initializer}
    assert {"block/conv/kernel", "block/conv/bias", "classes/kernel"} <= constants


def test_a_layer_that_is_used_twice_has_one_kernel_in_the_file(tmp_path):
    x, z = mc.Input((4,)), mc.Input((4,))
    layer, alpha = layers.Dense(4, name="both"), layers.PReLU(name="slope")
    document = check(mc.Model([x, z], [alpha(layer(x)), alpha(layer(z))]), tmp_path)
    assert operators(document) == ["Gemm", "PRelu"] * 2
    assert len(document.graph.initializer) == 3
    assert names(document) == ["both", "slope", "both_1", "slope_1"]


def test_classes_and_preprocessing_are_in_the_metadata(tmp_path):
    model = zoo.lenet()
    model.class_names = [f"digit {i}" for i in range(10)]
    model.preprocess = Preprocess((28, 28), "grayscale", scale=1.0)
    found = {one.key: json.loads(one.value) for one in check(model, tmp_path).metadata_props}
    assert found["minicnn.class_names"][3] == "digit 3"
    assert Preprocess.from_config(found["minicnn.preprocess"]) == model.preprocess


def test_a_subclass_of_model_is_written_with_the_names_of_its_layers(tmp_path):
    class Own(mc.Model):
        def __init__(self):
            super().__init__()
            self.conv, self.out = layers.Conv2D(2, 3, name="conv"), layers.Dense(2, name="out")

        def call(self, x):
            return self.out(layers.Flatten()(ops.relu(self.conv(x))))

    model = Own()
    model.predict(np.zeros((1, 5, 5, 1), np.float32), verbose=0)
    assert {"conv", "out"} <= set(names(check(model, tmp_path)))


def test_an_output_may_be_an_input_or_given_twice(tmp_path):
    x = mc.Input((4, 4, 2))
    y = layers.Conv2D(2, 3, name="c")(x)
    check(mc.Model(x, [y, x, y, layers.Flatten()(y)]), tmp_path)


def test_the_same_network_gives_the_same_bytes(tmp_path):
    model = random_network(np.random.default_rng(5))
    for name in ("a.onnx", "b.onnx"):
        model.save(tmp_path / name)
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()


def test_an_optimizer_changes_nothing(tmp_path):
    model = mc.Sequential([mc.Input((3,)), layers.Dense(2)])
    model.save(tmp_path / "a.onnx")
    model.compile("adam", "mse")
    model.save(tmp_path / "b.onnx")
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()


def test_uint8_images_become_floats(tmp_path):
    model = mc.Sequential([mc.Input((4, 4, 1), dtype="uint8"), layers.Rescaling(1 / 255)])
    path = str(tmp_path / "a.onnx")
    written(model, path)
    x = np.arange(16, dtype=np.uint8).reshape(1, 4, 4, 1)
    assert differences(run(path, [x.astype(np.float32)]), predicted(model, [x])) <= NEAR


# --- what is refused, and what is recognized ----------------------------------------------------


def test_random_numbers_at_inference_are_refused(tmp_path):
    class Noisy(layers.Layer):
        def call(self, x):
            return layers.GaussianNoise(0.1)(x, training=True)

    model = mc.Sequential([mc.Input((3,)), Noisy(name="noisy")])
    with pytest.raises(UnsupportedError, match=r"noisy/.* draws random numbers"):
        model.save(tmp_path / "a.onnx")


def test_a_file_that_protobuf_cannot_hold_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "MAX_BYTES", 100)
    with pytest.raises(SizeLimitError, match=r"\.mcnn"):
        zoo.lenet().save(tmp_path / "a.onnx")
    assert not list(tmp_path.iterdir())


def test_without_the_package_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingExtraError, match=r"\[onnx\]"):
        zoo.lenet().save(tmp_path / "a.onnx")


def test_files_are_recognized_by_their_content(tmp_path):
    zoo.lenet().save(tmp_path / "a.onnx")
    zoo.lenet().save(tmp_path / "a.mcnn")
    assert recognized(tmp_path / "a.onnx").endings == (".onnx",)
    assert recognized(tmp_path / "a.mcnn") is None


OTHERS = {
    "empty": b"",
    "one byte": b"\x08",
    "text": b"name: 'net'\nlayer {\n",
    "json": b'{"class": "Sequential"}',
    "caffemodel": b"\x0a\x04lenet" + b"\xa2\x06\x05" + bytes(5),
    "caffemodel of old": b"\x12\x03abc\x12\x03abc\x1a\x01x",
    "pickle": b"\x80\x02}q\x00.",
    "zip": b"PK\x03\x04" + bytes(40),
    "safetensors": (8).to_bytes(8, "little") + b"{}      ",
    "safetensors, longer": (776).to_bytes(8, "little") + b"{}" + b" " * 774,
    "png": b"\x89PNG\r\n\x1a\n" + bytes(40),
    "jpeg": b"\xff\xd8\xff\xe0" + bytes(40),
    "idx": b"\x00\x00\x08\x03" + bytes(40),
    "no graph": b"\x08\x08\x12\x01a",
    "an endless number": b"\x08" + b"\xff" * 40,
    "a graph of other fields": b"\x08\x08\x3a\x02\x08\x01",
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_files_are_not_taken_for_onnx(name, tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(OTHERS[name])
    with path.open("rb") as file:
        assert not is_onnx(file)


def test_a_file_that_ends_inside_its_graph_is_still_recognized(tmp_path):
    zoo.lenet().save(tmp_path / "a.onnx")
    path = tmp_path / "cut.onnx"
    path.write_bytes((tmp_path / "a.onnx").read_bytes()[:200])
    with path.open("rb") as file:
        assert is_onnx(file)
