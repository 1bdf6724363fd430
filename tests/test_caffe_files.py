"""Files of Caffe: LeNet as trained by Caffe, files beside each other, means, and hostile files."""

import os
import random
from pathlib import Path

import numpy as np
import pytest

import minicnn as mc

pytest.importorskip("google.protobuf", reason="pip install -e '.[caffe]'")

from caffe_nets import CAFFENET_V0, LENET_V1, RESNET, V2_INPUT, conv, one, v2

from minicnn.errors import (
    ArgumentError,
    CheckpointError,
    FormatError,
    SizeLimitError,
    TruncatedError,
    UnsupportedError,
)
from minicnn.interop import caffe
from minicnn.interop.caffe.blobs import new_blob
from minicnn.interop.caffe.schema import message

LENET = Path(os.environ.get("MINICNN_DATA", "/nowhere")) / "caffe" / "lenet_deploy.prototxt"
needs_lenet = pytest.mark.skipif(not LENET.is_file(), reason="MINICNN_DATA has no Caffe's LeNet")
WEIGHTS = LENET.with_name("lenet_iter_10000.caffemodel")


# --- LeNet --------------------------------------------------------------------------------------


def lenet_as_onnx():
    """The ONNX conversion of Caffe's LeNet, straight from its blobs."""
    onnx = pytest.importorskip("onnx", reason="pip install -e '.[onnx]'")
    helper, numpy_helper = onnx.helper, onnx.numpy_helper
    net = message("NetParameter").FromString(WEIGHTS.read_bytes())
    blobs = [
        numpy_helper.from_array(
            np.frombuffer(b"".join(one.data), "<f4").reshape(one.shape.dim), f"{layer.name}_{i}"
        )
        for layer in net.layer
        for i, one in enumerate(layer.blobs)
    ]
    pool = {"kernel_shape": [2, 2], "strides": [2, 2]}
    nodes = [
        helper.make_node("Conv", ["x", "conv1_0", "conv1_1"], ["c1"], kernel_shape=[5, 5]),
        helper.make_node("MaxPool", ["c1"], ["p1"], **pool),
        helper.make_node("Conv", ["p1", "conv2_0", "conv2_1"], ["c2"], kernel_shape=[5, 5]),
        helper.make_node("MaxPool", ["c2"], ["p2"], **pool),
        helper.make_node("Flatten", ["p2"], ["f"], axis=1),
        helper.make_node("Gemm", ["f", "ip1_0", "ip1_1"], ["i1"], transB=1),
        helper.make_node("Relu", ["i1"], ["r"]),
        helper.make_node("Gemm", ["r", "ip2_0", "ip2_1"], ["i2"], transB=1),
        helper.make_node("Softmax", ["i2"], ["y"], axis=1),
    ]
    x = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["n", 1, 28, 28])
    y = helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, ["n", 10])
    graph = helper.make_graph(nodes, "lenet", [x], [y], blobs)
    opset = helper.make_opsetid("", 13)
    model = helper.make_model(graph, opset_imports=[opset], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString()


@needs_lenet
def test_lenet_of_caffe_and_onnx_runtime_say_the_same_of_each_digit():
    runtime = pytest.importorskip("onnxruntime", reason="pip install onnxruntime")
    _, (images, labels) = mc.datasets.mnist.load_data()
    x = images[..., None].astype(np.float32) / 256
    ours = mc.load_model(LENET).predict(x, verbose=0)
    assert (ours.argmax(1) == labels).mean() >= 0.99
    session = runtime.InferenceSession(lenet_as_onnx(), providers=["CPUExecutionProvider"])
    (theirs,) = session.run(None, {"x": x.transpose(0, 3, 1, 2)})
    np.testing.assert_array_equal(ours.argmax(1), theirs.argmax(1))
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5)


@needs_lenet
def test_weights_of_training_find_their_net_beside_them():
    x = np.random.default_rng(0).uniform(0, 1, (3, 28, 28, 1)).astype(np.float32)
    expected = mc.load_model(LENET).predict(x, verbose=0)
    np.testing.assert_array_equal(mc.load_model(WEIGHTS).predict(x, verbose=0), expected)
    np.testing.assert_array_equal(caffe.load(LENET, WEIGHTS).predict(x, verbose=0), expected)


# --- files beside each other --------------------------------------------------------------------


def saved(folder, name="net.caffemodel", units=3):
    """Save a small network for Caffe, and return it."""
    layers = [mc.layers.Conv2D(2, 3, name="c"), mc.layers.Flatten(name="f")]
    model = mc.Sequential([mc.Input((5, 6, 3)), *layers, mc.layers.Dense(units, name="d")])
    model.save(folder / name)
    return model


def predictions(model):
    x = np.random.default_rng(0).normal(0, 1, (2, 5, 6, 3)).astype(np.float32)
    return model.predict(x, verbose=0)


def test_the_only_weights_beside_a_text_are_taken_whatever_their_name(tmp_path):
    model = saved(tmp_path, "net_iter_100.caffemodel")
    (tmp_path / "net_iter_100.prototxt").rename(tmp_path / "net_deploy.prototxt")
    again = mc.load_model(tmp_path / "net_deploy.prototxt")
    np.testing.assert_allclose(predictions(again), predictions(model), atol=1e-6)


def test_among_several_weights_those_of_the_same_name_are_taken(tmp_path):
    saved(tmp_path, "other.caffemodel")
    model = saved(tmp_path, "net.caffemodel")
    again = mc.load_model(tmp_path / "net.prototxt")
    np.testing.assert_allclose(predictions(again), predictions(model), atol=1e-6)
    (tmp_path / "net.caffemodel").rename(tmp_path / "third.caffemodel")
    with pytest.raises(ArgumentError, match=r"2 files .caffemodel lie beside it .other.caffemodel"):
        mc.load_model(tmp_path / "net.prototxt")


def test_a_text_without_weights_is_a_network_with_new_ones_and_a_warning(tmp_path):
    (tmp_path / "net.prototxt").write_text(v2(conv("c", "data")))
    with pytest.warns(UserWarning, match=r"no weights for 1 layers \(c\)"):
        assert mc.load_model(tmp_path / "net.prototxt").output_shape == (None, 7, 9, 4)


def test_weights_alone_go_into_a_network_by_the_names_of_layers(tmp_path):
    model, other = saved(tmp_path), saved(tmp_path, "other.caffemodel")
    other.load_weights(tmp_path / "net.caffemodel")
    np.testing.assert_allclose(predictions(other), predictions(model), atol=1e-6)
    other.save_weights(tmp_path / "w.caffemodel")
    assert not (tmp_path / "w.prototxt").exists()
    third = saved(tmp_path, "third.caffemodel", units=4)
    with pytest.raises(CheckpointError, match="the layer 'd' has weights"):
        third.load_weights(tmp_path / "net.caffemodel")
    third.layers[0].name = "first"
    with pytest.raises(CheckpointError, match="has no weights for the layer 'first'"):
        third.load_weights(tmp_path / "net.caffemodel")


def test_the_content_says_what_a_file_is(tmp_path):
    model = saved(tmp_path)
    (tmp_path / "net.caffemodel").rename(tmp_path / "weights")
    (tmp_path / "net.prototxt").rename(tmp_path / "text")
    np.testing.assert_allclose(
        predictions(mc.load_model(tmp_path / "weights")), predictions(model), atol=1e-6
    )
    again = caffe.load(tmp_path / "text", tmp_path / "weights")
    np.testing.assert_allclose(predictions(again), predictions(model), atol=1e-6)


# --- means --------------------------------------------------------------------------------------


def test_a_mean_image_is_subtracted_pixel_by_pixel_from_its_middle(tmp_path):
    model = saved(tmp_path)
    mean = np.random.default_rng(1).normal(0, 1, (1, 3, 7, 8)).astype(np.float32)
    (tmp_path / "mean.binaryproto").write_bytes(new_blob(mean).SerializeToString())
    found = caffe.read_mean(tmp_path / "mean.binaryproto")
    np.testing.assert_array_equal(found, mean[0].transpose(1, 2, 0))
    files = tmp_path / "net.prototxt", tmp_path / "net.caffemodel"
    x = np.random.default_rng(0).normal(0, 1, (2, 5, 6, 3)).astype(np.float32)
    again = caffe.load(*files, mean=tmp_path / "mean.binaryproto")
    expected = model.predict(x - found[1:6, 1:7], verbose=0)
    np.testing.assert_allclose(again.predict(x, verbose=0), expected, atol=1e-5)
    again = caffe.load(*files, mean=[104, 117, 123])
    expected = model.predict(x - np.float32([104, 117, 123]), verbose=0)
    np.testing.assert_allclose(again.predict(x, verbose=0), expected, rtol=1e-4, atol=1e-4)
    again.save(tmp_path / "with_mean.mcnn")
    more = mc.load_model(tmp_path / "with_mean.mcnn")
    np.testing.assert_allclose(more.predict(x, verbose=0), expected, rtol=1e-4, atol=1e-4)
    with pytest.raises(ArgumentError, match="mean must be 3 numbers"):
        caffe.load(*files, mean=[1, 2])
    (tmp_path / "small.binaryproto").write_bytes(new_blob(mean[:, :, :2]).SerializeToString())
    with pytest.raises(FormatError, match="its image is"):
        caffe.load(*files, mean=tmp_path / "small.binaryproto")


# --- what is refused ----------------------------------------------------------------------------


def of(kind, param="", **fields):
    return one(kind, param, **fields)


TEXTS = {
    "an unknown layer": (
        of("SpectralThing"),
        UnsupportedError,
        r"'x' \(SpectralThing\) is of a type",
    ),
    "code in a layer": (
        of("Python", "python_param", module='"os"', layer='"system"'),
        UnsupportedError,
        r"'x' \(Python\)",
    ),
    "a recurrent layer": (of("LSTM"), UnsupportedError, r"'x' \(LSTM\)"),
    "random pooling": (
        of("Pooling", "pooling_param", pool="STOCHASTIC", kernel_size=2),
        UnsupportedError,
        "at random",
    ),
    "an even LRN": (of("LRN", "lrn_param", local_size=4), UnsupportedError, "must be odd"),
    "padding as large as the window": (
        of("Pooling", "pooling_param", kernel_size=2, pad=2),
        UnsupportedError,
        "not smaller",
    ),
    "a window beyond the image": (
        of("Pooling", "pooling_param", kernel_size=1, stride=5),
        UnsupportedError,
        "without a pixel",
    ),
    "a batch that changes": (
        of("Reshape", "reshape_param { shape { dim: 1 dim: -1 } }"),
        UnsupportedError,
        "changes the batch",
    ),
    "a Reshape that does not fit": (
        of("Reshape", "reshape_param { shape { dim: 0 dim: 5 dim: -1 } }"),
        UnsupportedError,
        "cannot give",
    ),
    "a base of 1": (of("Exp", "exp_param", base=1), UnsupportedError, "base 1"),
    "slices beyond the end": (
        of("Slice", "slice_param", slice_point=9),
        UnsupportedError,
        "does not fit|are supported",
    ),
    "a softmax of the batch": (
        of("Softmax", "softmax_param", axis=0),
        FormatError,
        "across the batch",
    ),
    "a huge kernel": (
        v2(conv("c", "data", num_output=2000000, kernel_size=1000, pad=1000)),
        SizeLimitError,
        "GB|more than",
    ),
    "more outputs than the memory": (
        v2(conv("c", "data", num_output=2147483647)),
        SizeLimitError,
        "GB|more than",
    ),
    "zero outputs": (v2(conv("c", "data", num_output=0)), FormatError, "'c'"),
    "zero steps": (v2(conv("c", "data", stride=0)), UnsupportedError, "stride"),
    "three axes of a window": (
        v2(conv("c", "data", kernel_size=[3, 3, 3])),
        UnsupportedError,
        "one or two numbers",
    ),
    "too large a window": (v2(conv("c", "data", kernel_size=30)), FormatError, "'c'"),
    "groups that do not divide": (v2(conv("c", "data", group=2)), FormatError, "groups=2"),
    "an input without a size": ('input: "data" ' + conv("c", "data"), UnsupportedError, "shape"),
    "a negative size": (
        'input: "data" input_shape { dim: 1 dim: -3 dim: 4 dim: 4 } ' + conv("c", "data"),
        UnsupportedError,
        "shape",
    ),
    "a bottom that is nowhere": (v2(conv("c", "nothing")), FormatError, "reads 'nothing'"),
    "no layer that computes": (V2_INPUT, FormatError, "computes nothing"),
    "data without a size": (
        v2(conv("c", "data"), start='layer { name: "d" type: "Data" top: "data" }'),
        UnsupportedError,
        "deploy.prototxt",
    ),
    "layers of two versions": (
        v2(conv("c", "data")) + ' layers { name: "x" type: RELU bottom: "c" top: "x" }',
        FormatError,
        "old form",
    ),
    "a layer of V1 without a type": (
        LENET_V1.replace("type: RELU", ""),
        UnsupportedError,
        "'relu1' has no type",
    ),
    "a mistake in the text": (
        v2(conv("c", "data")).replace("num_output: 4", "num_output: four"),
        FormatError,
        "line 3",
    ),
    "a name of an enum that is none": (
        of("Pooling", "pooling_param", pool="MEDIAN"),
        FormatError,
        "MEDIAN",
    ),
    "an unclosed block": (v2(conv("c", "data"))[:-1], FormatError, "line"),
    "nested too deep": (
        v2(conv("c", "data")) + " x {" * 50_000,
        FormatError,
        "text of a Caffe net",
    ),
}


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.filterwarnings("ignore:.*no weights for")
def test_a_text_is_refused_by_the_name_of_its_layer(name, tmp_path):
    text, error, message = TEXTS[name]
    (tmp_path / "net.prototxt").write_text(text)
    with pytest.raises(error, match=message) as caught:
        mc.load_model(tmp_path / "net.prototxt")
    assert "net.prototxt" in str(caught.value)


def test_damaged_weights_are_refused(tmp_path):
    saved(tmp_path)
    path, net = tmp_path / "net.caffemodel", message("NetParameter")()
    whole = path.read_bytes()
    net.ParseFromString(whole)
    net.layer[1].blobs[0].data[0] = net.layer[1].blobs[0].data[0][:-4]
    path.write_bytes(net.SerializeToString())
    with pytest.raises(TruncatedError, match=r"blob 0 of the layer 'c' .* 54 numbers, .* has 53"):
        mc.load_model(path)
    net.ParseFromString(whole)
    net.layer[1].blobs[0].shape.dim[:] = [2**40, 2**40]
    path.write_bytes(net.SerializeToString())
    with pytest.raises(FormatError, match="impossible shape"):
        mc.load_model(path)
    net.ParseFromString(whole)
    net.layer[1].convolution_param.num_output = 2**31 - 1
    path.write_bytes(net.SerializeToString())
    with pytest.raises(SizeLimitError, match=r"net.caffemodel: .*(GB|more than)"):
        mc.load_model(path)
    net.ParseFromString(whole)
    del net.layer[1].blobs[1]
    path.write_bytes(net.SerializeToString())
    with pytest.raises(FormatError, match="needs 2 blobs; it has 1"):
        mc.load_model(path)
    path.write_bytes(whole.replace(b"\x01c", b"\x01\xff", 1))
    with pytest.raises(FormatError, match="not valid UTF-8"):
        mc.load_model(path)
    for end in (30, 200, len(whole) - 1):
        path.write_bytes(whole[:end])
        with pytest.raises(FormatError):
            mc.load_model(path)


def test_weights_of_another_net_are_refused(tmp_path):
    saved(tmp_path)
    (tmp_path / "other.prototxt").write_text(v2(conv("conv_of_another", "data")))
    with pytest.raises(FormatError, match="weights for any layer"):
        caffe.load(tmp_path / "other.prototxt", tmp_path / "net.caffemodel")


@pytest.mark.filterwarnings("ignore")
def test_mutated_files_are_read_or_refused(tmp_path):
    """Each of 600 damaged files is read, or refused by an error of ours."""
    rng = random.Random(7)
    saved(tmp_path)
    whole = (tmp_path / "net.caffemodel").read_bytes()
    texts = [LENET_V1, CAFFENET_V0, RESNET]
    (tmp_path / "t").mkdir()
    refused = 0
    for number in range(600):
        data = bytearray(texts[number % 3].encode() if number % 2 else whole)
        for _ in range(rng.randint(1, 3)):
            place = rng.randrange(len(data))
            kind = rng.randrange(3)
            if kind == 0:
                data[place] = rng.randrange(32, 127) if number % 2 else rng.randrange(256)
            elif kind == 1:
                del data[place : place + rng.randint(1, 9)]
            else:
                data[place:place] = data[place : place + rng.randint(1, 40)]
        path = tmp_path / "t" / "file"
        path.write_bytes(bytes(data))
        try:
            mc.load_model(path)
        except mc.errors.MiniCNNError:
            refused += 1
    assert refused > 50
