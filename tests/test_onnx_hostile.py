"""Malicious and damaged ONNX files: refused with minicnn's own errors, or read right."""

from __future__ import annotations

import itertools
import os
import random
import sys

import numpy as np
import pytest

pytest.importorskip("onnx", reason="pip install -e '.[onnx]'")

from onnx import TensorProto, helper, numpy_helper
from onnx_graphs import GOLDEN, graph_model, node, random_array, written

import minicnn as mc
import minicnn.interop.onnx.files  # before the test watches what is opened
from minicnn.errors import (
    FormatError,
    MiniCNNError,
    SizeLimitError,
    TruncatedError,
    UnsafeFileError,
    UnsupportedError,
)

IMAGE = {"x": ["n", 3, 8, 8]}
KERNEL = random_array(4, 3, 3, 3)
HUGE = np.array([10**6, 10**6])


def conv_model():
    return graph_model([node("Conv", "x w", "y")], IMAGE, constants={"w": KERNEL})


def with_tensor(**fields):
    """Return a model whose weights have these fields exchanged."""
    model = conv_model()
    tensor = model.graph.initializer[0]
    for name, value in fields.items():
        if name in ("dims", "float_data"):
            del getattr(tensor, name)[:]
            getattr(tensor, name).extend(value)
        else:
            setattr(tensor, name, value)
    return model


def with_location(location, **entries):
    """Return a model whose weights lie in another file."""
    model = conv_model()
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in {"location": location, **entries}.items():
        if value is not None:
            tensor.external_data.add(key=key, value=str(value))
    return model


def of_constants(*nodes, opset=17, **constants):
    """Return a model that adds what these nodes make of constants to its input."""
    ends = [node("ReduceSum", "big", "s", keepdims=0), node("Add", "x s", "y")]
    return graph_model([*nodes, *ends], IMAGE, constants=constants, opset=opset)


def with_graph(change):
    """Return a good model after a change of it."""
    model = conv_model()
    change(model)
    return model


def doubled(count):
    """Return a model that joins a constant with itself again and again."""
    names = ["c", *(f"c{i}" for i in range(count - 1)), "big"]
    pairs = itertools.pairwise(names)
    nodes = [node("Concat", f"{a} {a}", b, axis=0) for a, b in pairs]
    return of_constants(*nodes, c=np.ones(1000, np.float32))


def set_opsets(*versions):
    def change(model):
        del model.opset_import[:]
        model.opset_import.extend(helper.make_opsetid("", v) for v in versions)

    return change


def nested(model):
    """Put a graph into a node."""
    graph = model.graph.node[0].attribute.add(name="body", type=5).g
    graph.CopyFrom(helper.make_graph([], "inner", [], []))


def one(op, inputs="x", constants=None, opset=17, shapes=IMAGE, **attributes):
    return graph_model([node(op, inputs, "y", **attributes)], shapes, constants=constants or {},
                       opset=opset)  # fmt: skip


W = {"w": KERNEL}
FEW = 2**31 - 1
MUSEUM = {
    # Tensors.
    "a negative length": (lambda: with_tensor(dims=[4, 3, 3, -3]), FormatError),
    "lengths beyond any memory": (lambda: with_tensor(dims=[2**40, 2**40]), FormatError),
    "a product of lengths that overflows": (lambda: with_tensor(dims=[2**62, 4]), FormatError),
    "zeros and huge lengths": (lambda: with_tensor(dims=[0, 2**62, 2**62]), FormatError),
    "more axes than arrays have": (lambda: with_tensor(dims=[1] * 100), FormatError),
    "too few bytes": (lambda: with_tensor(raw_data=b"1234"), TruncatedError),
    "too many bytes": (lambda: with_tensor(raw_data=KERNEL.tobytes() + b"1"), FormatError),
    "no dtype": (lambda: with_tensor(data_type=0), UnsupportedError),
    "strings for numbers": (lambda: with_tensor(data_type=8), UnsupportedError),
    "complex numbers": (lambda: with_tensor(data_type=14), UnsupportedError),
    "an unknown dtype": (lambda: with_tensor(data_type=777), UnsupportedError),
    "numbers that are missing": (
        lambda: with_graph(lambda m: m.graph.initializer[0].ClearField("raw_data")), TruncatedError,
    ),
    "segments": (
        lambda: with_graph(lambda m: m.graph.initializer[0].segment.SetInParent()),
        UnsupportedError,
    ),
    "sparse tensors": (
        lambda: with_graph(lambda m: m.graph.sparse_initializer.add()), UnsupportedError,
    ),
    "two tensors of one name": (
        lambda: with_graph(lambda m: m.graph.initializer.append(m.graph.initializer[0])),
        FormatError,
    ),
    # Other files.
    "a path upwards": (lambda: with_location("../secret"), UnsafeFileError),
    "an absolute path": (lambda: with_location("/etc/passwd"), UnsafeFileError),
    "another folder": (lambda: with_location("folder/data"), UnsafeFileError),
    "a path of Windows": (lambda: with_location("..\\secret"), UnsafeFileError),
    "a drive of Windows": (lambda: with_location("C:secret"), UnsafeFileError),
    "an address": (lambda: with_location("http://127.0.0.1/w"), UnsafeFileError),
    "a zero byte": (lambda: with_location("data\0.bin"), UnsafeFileError),
    "no name": (lambda: with_location(None), UnsafeFileError),
    "the folder itself": (lambda: with_location(".."), UnsafeFileError),
    "a missing file": (lambda: with_location("nothing.bin"), FormatError),
    "an offset behind the end": (lambda: with_location("data.bin", offset=10**9), TruncatedError),
    "an offset that is no number": (lambda: with_location("data.bin", offset="-1"), FormatError),
    "an offset beyond any file": (lambda: with_location("data.bin", offset=10**30), FormatError),
    "a length that is too small": (lambda: with_location("data.bin", length=3), TruncatedError),
    "a length that is too large": (lambda: with_location("data.bin", length=10**9), FormatError),
    "a symbolic link": (lambda: with_location("link.bin"), UnsafeFileError),
    "a hard link": (lambda: with_location("hard.bin"), UnsafeFileError),
    "a pipe": (lambda: with_location("pipe"), UnsafeFileError),
    "a folder for a file": (lambda: with_location("sub"), UnsafeFileError),
    # Bombs.
    "a constant of any shape": (
        lambda: of_constants(node("ConstantOfShape", "s0", "big"), s0=HUGE), SizeLimitError,
    ),
    "a constant that is repeated": (
        lambda: of_constants(node("Expand", "c s0", "big"), c=np.float32(1), s0=HUGE),
        SizeLimitError,
    ),
    "tiles": (
        lambda: of_constants(node("Tile", "c t", "big"), c=np.ones(1, np.float32),
                             t=np.array([10**12])), SizeLimitError,
    ),
    "a range": (
        lambda: of_constants(node("Range", "a b c", "big"), a=np.array(0), b=np.array(10**12),
                             c=np.array(1)), SizeLimitError,
    ),
    "a border": (
        lambda: of_constants(node("Pad", "c p", "big"), c=np.ones(1, np.float32),
                             p=np.array([0, 10**12])), SizeLimitError,
    ),
    "many classes": (
        lambda: of_constants(node("OneHot", "i d v", "big"), i=np.array([0]), d=np.array(10**12),
                             v=np.array([0.0, 1.0], np.float32)), SizeLimitError,
    ),
    "a table of products": (
        lambda: of_constants(node("Mul", "a b", "big"), a=np.ones((10**5, 1), np.float32),
                             b=np.ones((1, 10**5), np.float32)), SizeLimitError,
    ),
    "a product of matrices": (
        lambda: of_constants(node("MatMul", "a b", "big"), a=np.ones((10**5, 1), np.float32),
                             b=np.ones((1, 10**5), np.float32)), SizeLimitError,
    ),
    "values that are gathered": (
        lambda: of_constants(node("Gather", "a i", "big"), a=np.ones((2, 10**5), np.float32),
                             i=np.zeros(10**4, np.int64)), SizeLimitError,
    ),
    "a constant that is doubled": (lambda: doubled(40), SizeLimitError),
    "an image among the constants": (
        lambda: of_constants(node("Conv", "i w", "big", pads=[10**6] * 4), w=KERNEL,
                             i=np.ones((1, 3, 3, 3), np.float32)), UnsupportedError,
    ),
    "a constant that is made larger": (
        lambda: of_constants(node("Upsample", "i s0", "big"), opset=9,
                             i=np.ones((1, 1, 3, 3), np.float32),
                             s0=np.array([1, 1, 1e6, 1e6], np.float32)), UnsupportedError,
    ),
    "more parts than outputs": (
        lambda: one("Split", axis=1, num_outputs=FEW, opset=18), UnsupportedError,
    ),
    "many neighbors": (lambda: one("LRN", size=FEW - 1), UnsupportedError),
    "a window of many cells": (
        lambda: one("MaxPool", kernel_shape=[FEW, FEW], dilations=[2, 2]), FormatError,
    ),
    "blocks larger than the image": (lambda: one("SpaceToDepth", blocksize=FEW), UnsupportedError),
    "images of many pixels": (
        lambda: one("Resize", "x  s", {"s": np.array([1, 1, 1e8, 1e8], np.float32)}), MiniCNNError,
    ),
    # The graph.
    "no graph": (lambda: with_graph(lambda m: m.ClearField("graph")), FormatError),
    "no version": (lambda: with_graph(set_opsets()), FormatError),
    "two versions": (lambda: with_graph(set_opsets(13, 17)), FormatError),
    "an old version": (lambda: with_graph(set_opsets(5)), UnsupportedError),
    "a version of the future": (lambda: with_graph(set_opsets(1000)), UnsupportedError),
    "a negative version": (lambda: with_graph(set_opsets(-1)), UnsupportedError),
    "an unknown operator": (lambda: one("Evaluate"), UnsupportedError),
    "an operator of others": (lambda: one("Conv", "x w", W, domain="com.evil"), UnsupportedError),
    "an operator defined anew": (
        lambda: with_graph(lambda m: m.functions.add(name="Conv")), UnsupportedError,
    ),
    "a graph in a node": (lambda: with_graph(nested), UnsupportedError),
    "a value that nothing gives": (lambda: one("Conv", "x missing"), FormatError),
    "a node that reads itself": (lambda: one("Add", "x y"), FormatError),
    "a value given twice": (
        lambda: graph_model([node("Relu", "x", "y"), node("Abs", "x", "y")], IMAGE), FormatError,
    ),
    "an input that a node gives": (
        lambda: graph_model([node("Relu", "x", "x")], IMAGE, "x"), FormatError,
    ),
    "no inputs": (lambda: with_graph(lambda m: m.graph.ClearField("input")), FormatError),
    "no outputs": (lambda: with_graph(lambda m: m.graph.ClearField("output")), UnsupportedError),
    "an output that nothing gives": (
        lambda: with_graph(lambda m: setattr(m.graph.output[0], "name", "z")), FormatError,
    ),
    "an endless name": (lambda: one("Relu", name="a" * 10**6), FormatError),
    "inputs without axes": (lambda: one("Relu", shapes={"x": []}), UnsupportedError),
    "inputs of any rank": (lambda: one("Relu", shapes={"x": None}), UnsupportedError),
    "inputs with many axes": (lambda: one("Relu", shapes={"x": [1] * 50}), UnsupportedError),
    # Arguments.
    "too few inputs": (lambda: one("Conv"), FormatError),
    "too many inputs": (lambda: one("Relu", "x x x x"), FormatError),
    "an attribute of another kind": (
        lambda: one("Conv", "x w", W, strides="abc"), UnsupportedError,
    ),
    "a list of floats for integers": (
        lambda: one("Conv", "x w", W, strides=[1.5, 2.0]), UnsupportedError,
    ),
    "steps of 0": (lambda: one("Conv", "x w", W, strides=[0, 1]), UnsupportedError),
    "a negative step": (lambda: one("Conv", "x w", W, strides=[-1, 1]), UnsupportedError),
    "a negative border": (lambda: one("Conv", "x w", W, pads=[-1] * 4), UnsupportedError),
    "0 groups": (lambda: one("Conv", "x w", W, group=0), UnsupportedError),
    "groups that do not divide": (lambda: one("Conv", "x w", W, group=3), UnsupportedError),
    "another kernel": (lambda: one("Conv", "x w", W, kernel_shape=[5, 5]), UnsupportedError),
    "an unknown padding": (lambda: one("Conv", "x w", W, auto_pad="SAME"), UnsupportedError),
    "a kernel beyond the image": (lambda: one("Conv", "x w", W, dilations=[9, 9]), FormatError),
    "weights of other channels": (
        lambda: one("Conv", "x w", {"w": random_array(4, 5, 3, 3)}), UnsupportedError,
    ),
    "weights without axes": (lambda: one("Conv", "x w", {"w": np.float32(1)}), UnsupportedError),
    "an empty kernel": (
        lambda: one("Conv", "x w", {"w": np.zeros((4, 3, 0, 3), np.float32)}), MiniCNNError,
    ),
    "no filters": (
        lambda: one("Conv", "x w", {"w": np.zeros((0, 3, 3, 3), np.float32)}), MiniCNNError,
    ),
    "an axis that is not there": (lambda: one("Softmax", axis=9), UnsupportedError),
    "an order that names an axis twice": (
        lambda: one("Transpose", perm=[0, 1, 1, 2]), UnsupportedError,
    ),
    "a shape with other values": (
        lambda: one("Reshape", "x s", {"s": np.array([-1, 7, 7])}), MiniCNNError,
    ),
    "a shape with two -1": (
        lambda: one("Reshape", "x s", {"s": np.array([-1, -1])}), UnsupportedError,
    ),
    "a shape that is negative": (
        lambda: one("Reshape", "x s", {"s": np.array([-5, 3])}), MiniCNNError,
    ),
    "a shape that is computed": (
        lambda: graph_model([node("Cast", "x", "s", to=7), node("Reshape", "x s", "y")], IMAGE),
        UnsupportedError,
    ),
    "a cast to nothing": (lambda: one("Cast", to=999), UnsupportedError),
    "numbers outside of a table": (
        lambda: one("Gather", "x i", {"i": np.array([10**9])}, axis=1), UnsupportedError,
    ),
    "a step of 0 in a slice": (
        lambda: one("Slice", "x a b c d", {"a": np.array([0]), "b": np.array([2]),
                                           "c": np.array([1]), "d": np.array([0])}),
        UnsupportedError,
    ),
    "moving averages of other channels": (
        lambda: one("BatchNormalization", "x a a a a", {"a": np.ones(7, np.float32)}),
        UnsupportedError,
    ),
    "an epsilon that is not a number": (
        lambda: one("BatchNormalization", "x a a a a", {"a": np.ones(3, np.float32)},
                    epsilon=float("nan")), MiniCNNError,
    ),
    "a matrix that does not fit": (
        lambda: graph_model([node("Flatten", "x", "f"), node("Gemm", "f w", "y")], IMAGE,
                            constants={"w": random_array(5, 4)}), UnsupportedError,
    ),
    "a negative scale": (
        lambda: one("Upsample", "x s", {"s": np.array([1, 1, -2, 2], np.float32)}, opset=9),
        UnsupportedError,
    ),
    "an infinite scale": (
        lambda: one("Upsample", "x s", {"s": np.array([1, 1, np.inf, 2], np.float32)}, opset=9),
        UnsupportedError,
    ),
}  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    """A folder with a model's data, and with what an attacker may have put there."""
    inside = tmp_path / "model"
    inside.mkdir()
    (inside / "sub").mkdir()
    (tmp_path / "secret").write_bytes(KERNEL.tobytes())
    (inside / "data.bin").write_bytes(KERNEL.tobytes())
    (inside / "link.bin").symlink_to(tmp_path / "secret")
    os.link(tmp_path / "secret", inside / "hard.bin")
    os.mkfifo(inside / "pipe")
    return inside


OPENED: list[str] = []
WATCHED = ("open", "socket.connect", "exec", "subprocess.Popen")
_active = [False]


def _audit(event, arguments):
    by_number = event == "open" and isinstance(arguments[0], int)  # of a file that is open already
    if _active[0] and event in WATCHED and not by_number:
        OPENED.append(f"{event} {arguments[0]}")


sys.addaudithook(_audit)


@pytest.fixture
def opened():
    """What is opened, connected to or run, except modules of Python."""
    OPENED.clear()
    _active[0] = True
    yield OPENED
    _active[0] = False


@pytest.mark.skipif(sys.platform == "win32", reason="links and pipes are those of Unix")
@pytest.mark.parametrize("name", MUSEUM)
def test_the_museum_is_refused(name, folder, opened):
    make, error = MUSEUM[name]
    path = written(folder / "model.onnx", make())
    opened.clear()
    with pytest.raises(error) as caught:
        mc.load_model(path)
    assert "model.onnx" in str(caught.value)
    others = [one for one in opened if not one.endswith((".py", ".pyc", "model.onnx"))]
    assert [one for one in others if "data.bin" not in one] == []


def test_data_beside_the_model_are_read(folder):
    path = written(folder / "model.onnx", with_location("data.bin", offset=0))
    x = random_array(1, 8, 8, 3)
    plain = written(folder / "plain.onnx", conv_model())
    np.testing.assert_array_equal(
        mc.load_model(path).predict(x, verbose=0), mc.load_model(plain).predict(x, verbose=0)
    )


def test_a_long_chain_of_nodes_is_read(tmp_path):
    names = ["x", *(f"v{i}" for i in range(1200)), "y"]
    nodes = [node("Relu", a, b) for a, b in itertools.pairwise(names)]
    model = mc.load_model(written(tmp_path / "model.onnx", graph_model(nodes, {"x": ["n", 3]})))
    assert len(model.layers) == len(names)


def test_numbers_in_lists_are_read_too(tmp_path):
    """Before `raw_data` the values of a tensor were listed; halves as integers."""
    half = numpy_helper.to_array(helper.make_tensor("h", TensorProto.FLOAT16, [2], [1.5, -2.0]))
    tensors = [
        helper.make_tensor("a", TensorProto.FLOAT, [2], [0.5, 1.0]),
        helper.make_tensor("b", TensorProto.DOUBLE, [2], [0.25, 1.0]),
        helper.make_tensor("c", TensorProto.INT32, [2], [-3, 4]),
        helper.make_tensor("d", TensorProto.FLOAT16, [2], half.tolist()),
        helper.make_tensor("e", TensorProto.BFLOAT16, [2], [2.0, -1.0]),
    ]
    nodes = [node("Cast", "c", "f", to=1), node("Sum", "x a b f d e", "y")]
    model = graph_model(nodes, {"x": ["n", 2]})
    model.graph.initializer.extend(tensors)
    found = mc.load_model(written(tmp_path / "model.onnx", model))
    y = found.predict(np.zeros((1, 2), np.float32), verbose=0)
    assert y.tolist() == [[0.5 + 0.25 - 3 + 1.5 + 2, 1 + 1 + 4 - 2 - 1]]


def mutant(content, rng):
    """Return the bytes after a few changes: flips, cuts, doubled and exchanged parts."""
    data = bytearray(content)
    for _ in range(rng.choice([1, 1, 2, 4])):
        at, length = rng.randrange(max(len(data), 1)), rng.randrange(1, 40)
        match rng.randrange(6):
            case 0 if data:
                data[at] ^= 1 << rng.randrange(8)
            case 1 if data:
                data[at] = rng.choice([0, 1, 127, 128, 255])
            case 2:
                del data[at : at + length]
            case 3:
                data[at:at] = data[at : at + length]
            case 4:
                data[at : at + 5] = b"\xff\xff\xff\xff\x0f"
            case 5:
                del data[max(at, 8) :]
    return bytes(data)


def check_mutants(path, count, tmp_path):
    content, outcomes = path.read_bytes(), {"read": 0, "refused": 0}
    rng = random.Random(path.name)
    for _ in range(count):
        target = written(tmp_path / "mutant.onnx", mutant(content, rng))
        try:
            mc.load_model(target)
        except (FormatError, SizeLimitError):
            outcomes["refused"] += 1
        else:
            outcomes["read"] += 1
    return outcomes


NAMES = ["classifier", "segmenter", "convnext", "transformer", "sequences"]


@pytest.mark.parametrize("name", NAMES)
def test_mutants_are_refused_or_read(name, tmp_path):
    outcomes = check_mutants(GOLDEN / f"{name}.onnx", 40, tmp_path)
    assert outcomes["refused"] > 2


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_many_mutants_are_refused_or_read(name, tmp_path):
    outcomes = check_mutants(GOLDEN / f"{name}.onnx", 2000, tmp_path)
    assert min(outcomes.values()) > 20


def test_every_cut_is_refused(tmp_path):
    content = (GOLDEN / "sequences.onnx").read_bytes()
    for end in range(0, len(content), 37):
        with pytest.raises((FormatError, SizeLimitError)):
            mc.load_model(written(tmp_path / "cut.onnx", content[:end]))
