"""Networks from ONNX files: they predict what PyTorch and ONNX say, are trained, and are saved."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("onnx", reason="pip install -e '.[onnx]'")

from onnx_graphs import GOLDEN, graph_model, node, random_array, written

import minicnn as mc
from minicnn.errors import UnsupportedError
from minicnn.interop.onnx.evaluate import run
from minicnn.interop.onnx.reader import network_of

NETWORKS = ["classifier", "segmenter", "convnext", "transformer", "sequences"]


def golden(name):
    """Return the network of a file that PyTorch wrote, an input for it, and PyTorch's output."""
    stored = np.load(GOLDEN / f"{name}.npz")
    x, y = (np.moveaxis(a, 1, -1) if a.ndim > 2 else a for a in (stored["x"], stored["y"]))
    return mc.load_model(GOLDEN / f"{name}.onnx"), np.ascontiguousarray(x), y


def functions(model):
    return [layer.function for layer in model.layers if isinstance(layer, mc.layers.FunctionLayer)]


@pytest.mark.parametrize("name", NETWORKS)
def test_pytorch_networks_predict_the_same(name):
    model, x, y = golden(name)
    np.testing.assert_allclose(model.predict(x, verbose=0), y, atol=2e-6)
    np.testing.assert_allclose(model.predict(x[1:2], verbose=0), y[1:2], atol=2e-6)


@pytest.mark.parametrize("name", NETWORKS)
def test_they_are_saved_and_loaded(name, tmp_path):
    model, x, _ = golden(name)
    model.save(tmp_path / "model.mcnn")
    again = mc.load_model(tmp_path / "model.mcnn")
    np.testing.assert_array_equal(model.predict(x, verbose=0), again.predict(x, verbose=0))


@pytest.mark.parametrize("name", NETWORKS)
def test_they_are_trained(name):
    model, x, y = golden(name)
    step = mc.optimizers.Adam(0.01) if name == "segmenter" else mc.optimizers.SGD(0.05)
    model.compile(step, "mse")
    target = y + random_array(*y.shape, scale=0.1)
    losses = model.fit(x, target, epochs=8, verbose=0).history["loss"]
    assert losses[-1] < losses[0] * 0.95


def test_a_frozen_base_gets_a_new_head():
    model, x, _ = golden("classifier")
    for layer in model.layers:
        layer.trainable = False
    features = model.layers[-2].output
    classes = mc.layers.Dense(2, activation="softmax", name="classes")(features)
    tuned = mc.Model(model.inputs, classes)
    before = [w.copy() for w in model.get_weights()]
    tuned.compile(mc.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    losses = tuned.fit(x, np.array([0, 1, 1]), epochs=6, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    kept = tuned.get_weights()
    assert all((a == b).all() for a, b in zip(before[:4], kept[:4], strict=True))


def test_weights_become_layers_with_the_names_of_the_nodes():
    model, _, _ = golden("classifier")
    assert model.input_shape == (None, 24, 16, 3)
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds.count("Conv2D") == 2 and kinds.count("DepthwiseConv2D") == 1
    assert kinds.count("Dense") == 3
    assert kinds.count("MaxPooling2D") == 1 and kinds.count("PReLU") == 1
    assert functions(model).count("transpose") == 2  # both are of the channel shuffle


def test_images_are_turned_once():
    """ConvNeXt turns its images to channels last and back in every block; here nothing moves."""
    model, _, _ = golden("convnext")
    assert "transpose" not in functions(model)


def network(nodes, inputs, constants=None, opset=17, outputs="y"):
    model = graph_model(nodes, inputs, outputs, constants, opset)
    return network_of(model, "model.onnx"), model


def check_same(nodes, shape, constants=None, opset=17, seed=0):
    """Check a network with one input against the computation of its graph on arrays."""
    built, model = network(nodes, {"x": ["n", *shape[1:]]}, constants, opset)
    x = random_array(*shape, seed=seed)
    (expected,) = run(model, [x])
    expected = np.moveaxis(expected, 1, -1) if expected.ndim == 4 else expected
    found = built.predict(np.moveaxis(x, 1, -1) if x.ndim == 4 else x, verbose=0)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    return built


KERNEL, BIAS = random_array(4, 3, 3, 2, seed=1), random_array(4, seed=2)
CONVOLUTIONS = {
    "plain": {},
    "pads of two sizes": {"pads": [1, 0, 2, 1]},
    "steps and gaps": {"strides": [2, 3], "dilations": [2, 1]},
    "like TensorFlow": {"auto_pad": "SAME_UPPER", "strides": [2, 2]},
    "the odd row first": {"auto_pad": "SAME_LOWER", "strides": [2, 1]},
    "no padding by name": {"auto_pad": "VALID"},
}


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolutions(name):
    nodes = [node("Conv", "x w b", "y", **CONVOLUTIONS[name])]
    built = check_same(nodes, (2, 3, 9, 8), {"w": KERNEL, "b": BIAS})
    assert isinstance(built.layers[1], mc.layers.Conv2D)


@pytest.mark.parametrize(
    "attributes",
    [
        {}, {"strides": [2, 2], "pads": [1, 1, 1, 1], "output_padding": [1, 0]},
        {"strides": [2, 1], "pads": [0, 1, 1, 0]}, {"dilations": [2, 1]},
        {"strides": [3, 2], "output_padding": [2, 1]}, {"group": 3},
        {"auto_pad": "SAME_UPPER", "strides": [2, 2]},
        {"auto_pad": "SAME_LOWER", "strides": [2, 2]},
    ],
)  # fmt: skip
def test_transposed_convolutions_agree_with_their_definition(attributes):
    groups = attributes.get("group", 1)
    w = random_array(3, 2, 3, 2, seed=1)
    x = random_array(2, 3, 5, 4)
    built = check_same([node("ConvTranspose", "x w", "y", **attributes)], x.shape, {"w": w})
    if "auto_pad" in attributes or groups > 1:
        return
    # y is the gradient of a convolution: <y(x), z> = <x, conv(z)> for any z.
    y = np.moveaxis(built.predict(np.moveaxis(x, 1, -1), verbose=0), -1, 1)
    z = random_array(*y.shape, seed=3)
    attributes = {k: v for k, v in attributes.items() if k != "output_padding"}
    back = graph_model([node("Conv", "z w", "y", **attributes)], {"z": z.shape}, constants={"w": w})
    (small,) = run(back, [z])
    assert np.vdot(y, z) == pytest.approx(np.vdot(x, small[:, :, :5, :4]), rel=1e-4)


POOLS = {
    "ceil": {"ceil_mode": 1, "strides": [2, 2]},
    "padded": {"pads": [1, 1, 1, 1], "strides": [2, 1]},
    "padding that counts": {"pads": [1, 0, 1, 1], "count_include_pad": 1, "ceil_mode": 1},
    "gaps": {"dilations": [2, 2]},
    "like TensorFlow": {"auto_pad": "SAME_UPPER", "strides": [2, 2]},
    "the odd row first": {"auto_pad": "SAME_LOWER", "strides": [2, 2]},
}


@pytest.mark.parametrize("op", ["MaxPool", "AveragePool"])
@pytest.mark.parametrize("name", POOLS)
def test_pools(op, name):
    attributes = dict(POOLS[name])
    if op == "MaxPool":
        attributes.pop("count_include_pad", None)
    nodes = [node(op, "x", "y", kernel_shape=[3, 2], **attributes)]
    check_same(nodes, (2, 3, 8, 7), opset=19)


def test_columns_after_flattened_images_are_permuted():
    constants = {"w": KERNEL, "d": random_array(5, 4 * 7 * 7, seed=4), "e": random_array(5, seed=5)}
    nodes = [
        node("Conv", "x w", "a"), node("Relu", "a", "b"), node("Flatten", "b", "c"),
        node("Dropout", "c", "f"), node("Gemm", "f d e", "y", transB=1, alpha=0.5, beta=2.0),
    ]  # fmt: skip
    built = check_same(nodes, (2, 3, 9, 8), constants)
    assert "transpose" not in functions(built)


def test_a_flattened_image_that_is_used_otherwise_is_transposed():
    nodes = [node("Flatten", "x", "a"), node("Softmax", "a", "y", axis=1)]
    built = check_same(nodes, (2, 3, 5, 4))
    assert functions(built).count("transpose") == 1


def test_sizes_computed_from_the_batch():
    """As PyTorch writes x.view(x.size(0), -1)."""
    nodes = [
        node("Shape", "x", "s"), node("Gather", "s zero", "n", axis=0),
        node("Unsqueeze", "n axes", "m"), node("Concat", "m minus", "shape", axis=0),
        node("Reshape", "x shape", "f"), node("MatMul", "f w", "y"),
    ]  # fmt: skip
    constants = {
        "zero": np.array(0), "axes": np.array([0]), "minus": np.array([-1]),
        "w": random_array(60, 4),
    }  # fmt: skip
    built = check_same(nodes, (2, 3, 5, 4), constants)
    assert [type(layer).__name__ for layer in built.layers][-1] == "Dense"
    assert "transpose" not in functions(built)


def test_an_add_after_a_product_is_its_bias():
    constants = {"w": random_array(6, 4), "b": random_array(4, seed=1)}
    for order in ("p b", "b p"):
        nodes = [node("MatMul", "x w", "p"), node("Add", order, "y")]
        built = check_same(nodes, (2, 6), constants)
        assert [type(layer).__name__ for layer in built.layers] == ["InputLayer", "Dense"]
        assert built.layers[1].use_bias
    nodes = [node("MatMul", "x w", "p"), node("Add", "p b", "q"), node("Mul", "p q", "y")]
    assert not check_same(nodes, (2, 6), constants).layers[1].use_bias  # p is used twice


def test_scales_after_batch_normalization_are_taken_into_it():
    four = {name: random_array(3, seed=i) for i, name in enumerate("abm")}
    constants = four | {
        "v": np.abs(random_array(3, seed=9)) + 0.5,
        "scale": random_array(3, 1, 1, seed=5),
        "shift": random_array(1, 3, 1, 1, seed=6),
    }
    nodes = [
        node("BatchNormalization", "x a b m v", "n"),
        node("Mul", "n scale", "s"), node("Add", "shift s", "y"),
    ]  # fmt: skip
    built = check_same(nodes, (2, 3, 4, 5), constants)
    kinds = [type(layer).__name__ for layer in built.layers]
    assert kinds == ["InputLayer", "BatchNormalization"]


def test_an_input_that_is_transposed_first_stays_as_it_is():
    """As graphs from TensorFlow begin and end."""
    nodes = [
        node("Transpose", "x", "a", perm=[0, 3, 1, 2]), node("Conv", "a w", "b"),
        node("Transpose", "b", "y", perm=[0, 2, 3, 1]),
    ]  # fmt: skip
    built, model = network(nodes, {"x": ["n", 9, 8, 3]}, {"w": KERNEL})
    x = random_array(2, 9, 8, 3)
    np.testing.assert_allclose(built.predict(x, verbose=0), run(model, [x])[0], atol=1e-5)
    assert functions(built) == []


def test_several_inputs_and_outputs():
    nodes = [
        node("Conv", "x w", "a"), node("GlobalAveragePool", "a", "g"), node("Flatten", "g", "f"),
        node("Concat", "f z", "c", axis=1), node("Gemm", "c k", "y"),
    ]  # fmt: skip
    shapes = {"x": ["n", 3, 9, 8], "z": ["n", 2]}
    built, model = network(nodes, shapes, {"w": KERNEL, "k": random_array(6, 3)}, outputs="y a")
    x, z = random_array(2, 3, 9, 8), random_array(2, 2, seed=1)
    first, images = built.predict([np.moveaxis(x, 1, -1), z], verbose=0)
    y, a = run(model, [x, z])
    np.testing.assert_allclose(first, y, atol=1e-5)
    np.testing.assert_allclose(images, np.moveaxis(a, 1, -1), atol=1e-5)


def test_images_of_any_size():
    nodes = [
        node("Conv", "x w", "a", auto_pad="SAME_UPPER"), node("Relu", "a", "b"),
        node("MaxPool", "b", "c", kernel_shape=[2, 2], strides=[2, 2]),
        node("GlobalAveragePool", "c", "d"), node("Flatten", "d", "y"),
    ]  # fmt: skip
    built, model = network(nodes, {"x": ["n", 3, "h", "w_"]}, {"w": KERNEL})
    assert built.input_shape == (None, None, None, 3)
    for size in (8, 12):
        x = random_array(1, 3, size, size + 2)
        found = built.predict(np.moveaxis(x, 1, -1), verbose=0)
        np.testing.assert_allclose(found, run(model, [x])[0], atol=1e-5)


def test_nodes_with_the_same_weights_are_one_layer():
    """As in networks that compare two images."""
    nodes = [
        node("Conv", "x w b", "p"), node("Conv", "z w b", "q"), node("Flatten", "p", "f"),
        node("Flatten", "q", "g"), node("Gemm", "f d", "i"), node("Gemm", "g d", "j"),
        node("Sub", "i j", "k"), node("Gemm", "k e", "l"), node("Gemm", "l e", "y", transB=1),
    ]  # fmt: skip
    constants = {"w": KERNEL, "b": BIAS, "d": random_array(60, 3), "e": random_array(3, 3, seed=1)}
    shapes = {"x": ["n", 3, 7, 4], "z": ["n", 3, 7, 4]}
    built, model = network(nodes, shapes, constants)
    kinds = [type(layer).__name__ for layer in built.layers]
    assert kinds.count("Conv2D") == 1 and kinds.count("Dense") == 3  # that of e is turned once
    x, z = random_array(2, 3, 7, 4), random_array(2, 3, 7, 4, seed=1)
    found = built.predict([np.moveaxis(x, 1, -1), np.moveaxis(z, 1, -1)], verbose=0)
    np.testing.assert_allclose(found, run(model, [x, z])[0], atol=1e-4)


def test_other_files_are_not_taken_for_onnx(tmp_path):
    from minicnn.models.saving.formats import recognized

    files = {
        "empty": b"", "text": b"name: 'LeNet'\n" * 9, "caffe": b"\x0a\x05LeNet\xa2\x06\x02\x0a\x00",
        "zeros": bytes(100), "picture": b"\x89PNG\r\n\x1a\n" + bytes(50), "json": b'{"a": 1}',
        "numbers": bytes(range(256)),
    }  # fmt: skip
    for name, content in files.items():
        found = recognized(written(tmp_path / name, content))
        assert found is None or "ONNX" not in found.name, name
    assert "ONNX" in recognized(GOLDEN / "classifier.onnx").name


RESIZES = {
    "repeated": {"mode": "nearest", "coordinate_transformation_mode": "asymmetric",
                 "nearest_mode": "floor"},
    "nearest": {"mode": "nearest"},
    "bilinear": {"mode": "linear"},
    "corners": {"mode": "linear", "coordinate_transformation_mode": "align_corners"},
    "cubic": {"mode": "cubic", "coordinate_transformation_mode": "pytorch_half_pixel"},
}  # fmt: skip


@pytest.mark.parametrize("name", RESIZES)
@pytest.mark.parametrize("scales", [(2.0, 3.0), (1.6, 0.75)])
def test_resizes(name, scales):
    nodes = [node("Resize", "x  s", "y", **RESIZES[name])]
    nodes[0].input[:] = ["x", "", "s"]
    built = check_same(nodes, (2, 3, 5, 4), {"s": np.array([1, 1, *scales], np.float32)})
    repeated = name in ("repeated", "nearest") and scales == (2.0, 3.0)
    assert isinstance(built.layers[-1], mc.layers.UpSampling2D) == repeated


GRAPHS_BY_OPSET = [6, 7, 9, 10, 11, 12, 13, 14, 15, 17, 18, 19, 20, 21, 22, 24, 25, 28]


@pytest.mark.parametrize("opset", GRAPHS_BY_OPSET)
def test_a_network_of_every_opset(opset):
    """Axes, lengths and bounds were attributes in the first opsets and are inputs today."""
    names = dict(zip("abmv", (np.ones(4), np.zeros(4), np.zeros(4), np.full(4, 2.0)), strict=True))
    constants = {"w": KERNEL, "d": random_array(4, 2, seed=3), "bias": random_array(2, seed=4)}
    constants |= {name: value.astype(np.float32) for name, value in names.items()}
    norm = {"is_test": 1} if opset < 7 else {}
    nodes = [
        node("Conv", "x w", "c", pads=[1, 1, 1, 1]),
        node("BatchNormalization", "c a b m v", "n", **norm),
        node("Relu", "n", "r"),
        node("MaxPool", "r", "p", kernel_shape=[2, 2], strides=[2, 2]),
    ]
    if opset < 18:
        nodes.append(node("ReduceMean", "p", "q", axes=[2, 3]))
    else:
        constants["axes"] = np.array([2, 3])
        nodes.append(node("ReduceMean", "p axes", "q"))
    if opset < 11:
        nodes.append(node("Clip", "q", "k", min=0.0, max=6.0))
    else:
        constants |= {"low": np.float32(0), "high": np.float32(6)}
        nodes.append(node("Clip", "q low high", "k"))
    if opset < 13:
        nodes.append(node("Squeeze", "k", "f", axes=[2, 3]))
    else:
        constants["last"] = np.array([-2, -1])
        nodes.append(node("Squeeze", "k last", "f"))
    broadcast = {"broadcast": 1} if opset < 7 else {}
    nodes += [node("Gemm", "f d bias", "g", **broadcast), node("Softmax", "g", "y", axis=1)]
    built = check_same(nodes, (2, 3, 8, 7), constants, opset)
    y = built.predict(np.moveaxis(random_array(2, 3, 8, 7), 1, -1), verbose=0)
    np.testing.assert_allclose(y.sum(1), 1, rtol=1e-5)


def test_all_unknown_operators_are_named(tmp_path):
    nodes = [node("Det", "x", "a", name="first"), node("LSTM", "a", "b"), node("Loop", "b", "y")]
    path = written(tmp_path / "model.onnx", graph_model(nodes, {"x": [1, 3, 4, 4]}))
    with pytest.raises(UnsupportedError, match=r"Det \(node 'first'\), LSTM .*, Loop"):
        mc.load_model(path)


REFUSED = {
    "a batch that is summed": ([node("ReduceSum", "x", "y", keepdims=0)], "batch"),
    "a batch that is cut": ([node("Slice", "x zero two", "y")], "batch"),
    "a batch that is joined": ([node("Concat", "x x", "y", axis=0)], "batch"),
    "a batch that is counted": ([node("Size", "x", "y")], "batch"),
    "a constant result": ([node("Identity", "two", "y")], "does not depend"),
    "training mode": ([node("BatchNormalization", "x a a a a", "y", training_mode=1)], "training"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_network_can_have_is_refused(name):
    nodes, reason = REFUSED[name]
    constants = {
        "zero": np.array([0]), "two": np.array([2]), "a": np.ones(3, np.float32),
    }  # fmt: skip
    with pytest.raises(UnsupportedError, match=reason):
        network(nodes, {"x": ["n", 3, 4, 4]}, constants)


def test_a_missing_package_is_named(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"pip install .*onnx"):
        mc.load_model(GOLDEN / "classifier.onnx")
