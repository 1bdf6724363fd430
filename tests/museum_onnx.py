"""Hostile ONNX files: data in other files, shapes that lie, graphs that go in circles, bombs."""

from __future__ import annotations

import os
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import minicnn as mc

onnx = pytest.importorskip("onnx", reason="pip install -e '.[onnx]'")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

FLOAT, INT64, STRING = TensorProto.FLOAT, TensorProto.INT64, TensorProto.STRING
DATA = "secret.bin"  # the file that tensors lie in, beside the hostile one
WEIGHTS = np.ones((3, 2), np.float32)
DEEP = 100_000


def load(path):
    mc.load_model(path)


# --- makers -------------------------------------------------------------------------------------


def node(op: str, inputs: str, outputs: str = "y", **attributes: Any) -> Any:
    """A node; names are separated by spaces."""
    return helper.make_node(op, inputs.split(), outputs.split(), **attributes)


def graph(nodes: Any, tensors: Any = (), outputs: str = "y", shape: Any = ("n", 3)) -> Any:
    """A graph with the input x."""
    ends = [helper.make_tensor_value_info(name, FLOAT, None) for name in outputs.split()]
    x = helper.make_tensor_value_info("x", FLOAT, shape)
    return helper.make_graph(list(nodes), "net", [x], ends, list(tensors))


def model(nodes: Any, tensors: Any = (), **more: Any) -> Any:
    opset = helper.make_opsetid("", more.pop("opset", 21))
    return helper.make_model(graph(nodes, tensors, **more), opset_imports=[opset], ir_version=10)


def file(nodes: Any, tensors: Any = (), **more: Any):
    """A file of these nodes and tensors."""
    return lambda path: model(nodes, tensors, **more).SerializeToString()


def constant(name: str, values: Any, dtype: Any = np.int64) -> Any:
    return numpy_helper.from_array(np.asarray(values, dtype), name)


def tensor(name: str = "w", dims: Any = (3, 2), kind: int = FLOAT, **fields: Any) -> Any:
    """A tensor whose fields need not fit each other."""
    made = TensorProto(name=name, data_type=kind, **fields)
    made.dims.extend(dims)
    return made


PRODUCT = node("MatMul", "x w")


def with_tensor(**fields: Any):
    """A product with a tensor that lies."""
    return file([PRODUCT], [tensor(**fields)])


def with_constant(*, value: Any):
    return file([node("Constant", "", "w", value=value), PRODUCT])


def external(location: Any = DATA, data: bytes = WEIGHTS.tobytes(), **entries: Any):
    """A product with a tensor in another file, which is made; None: there is no place."""

    def make(path):
        if data is not None:
            path.with_name(DATA).write_bytes(data)
        made = tensor(data_location=TensorProto.EXTERNAL)
        for key, value in {"location": location, **entries}.items():
            if value is not None:
                made.external_data.add(
                    key=key, value=str(value).replace("FOLDER", str(path.parent))
                )
        return model([PRODUCT], [made]).SerializeToString()

    return make


def external_link(make_link: Any):
    """A product with a tensor in a file that is a link."""

    def make(path):
        content = external("linked.bin")(path)
        make_link(path.with_name(DATA), path.with_name("linked.bin"))
        return content

    return make


def external_pipe(path):
    os.mkfifo(path.with_name("pipe"))
    return external("pipe")(path)


def on_input(op: str, *values: Any, shape: Any = ("n", 3), **attributes: Any):
    """An operator on the input of the network."""
    names = [f"c{i}" for i in range(len(values))]
    tensors = [constant(n, v, np.asarray(v).dtype) for n, v in zip(names, values, strict=True)]
    return file([node(op, " ".join(["x", *names]), **attributes)], tensors, shape=shape)


def repeated_field(number: int, content: bytes, count: int) -> bytes:
    """The bytes of a field that is there very often."""
    return (bytes([number << 3 | 2, len(content)]) + content) * count


def million_nodes(path):
    """A graph of a million nodes."""
    one = node("Relu", "x", "x").SerializeToString()
    start = model([PRODUCT], [constant("w", WEIGHTS, np.float32)]).SerializeToString()
    more = repeated_field(1, one, 1_000_000)
    return start + b"\x3a" + varint(len(more)) + more


def varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def million_tensors(path):
    one = tensor("w", (0,)).SerializeToString()
    more = repeated_field(5, one, 300_000)
    return model([PRODUCT]).SerializeToString() + b"\x3a" + varint(len(more)) + more


def nested_graphs(depth: int):
    """Graphs inside graphs, as the branches of If."""

    def make(path):
        data = node("Relu", "x").SerializeToString()
        for _ in range(depth):  # GraphProto.node, NodeProto.attribute, AttributeProto.g
            inner = b"\x0a" + varint(len(data)) + data
            inner = b"\x0a\1g\xa0\1\5\x32" + varint(len(inner)) + inner
            data = b"\x22\2If\x2a" + varint(len(inner)) + inner
        data = b"\x0a" + varint(len(data)) + data
        start = model([PRODUCT]).SerializeToString()
        return start + b"\x3a" + varint(len(data)) + data

    return make


def branch(path):
    """An If with graphs in it."""
    inner = helper.make_graph([node("Relu", "x", "z")], "b", [],
                              [helper.make_tensor_value_info("z", FLOAT, None)])  # fmt: skip
    choice = node("If", "c", then_branch=inner, else_branch=inner)
    return model([choice], [constant("c", True, bool)]).SerializeToString()


def loop(path):
    """A Loop of 2^63 - 1 rounds."""
    value = helper.make_tensor_value_info
    body = helper.make_graph(
        [node("Identity", "cond", "again"), node("Relu", "v", "w")], "body",
        [value("i", INT64, []), value("cond", TensorProto.BOOL, []), value("v", FLOAT, None)],
        [value("again", TensorProto.BOOL, []), value("w", FLOAT, None)],
    )  # fmt: skip
    tensors = [constant("often", 2**63 - 1), constant("c", True, bool)]
    return model([node("Loop", "often c x", body=body)], tensors).SerializeToString()


def function_in_itself(path):
    """A function of the file that calls itself."""
    made = model([helper.make_node("F", ["x"], ["y"], domain="own")])
    made.opset_import.append(helper.make_opsetid("own", 1))
    inner = helper.make_node("F", ["a"], ["b"], domain="own")
    made.functions.append(
        helper.make_function("own", "F", ["a"], ["b"], [inner], [helper.make_opsetid("own", 1)])
    )
    return made.SerializeToString()


def functions_in_functions(path):
    """30 functions, of which each calls the next one ten times: 10^30 nodes."""
    ids = [helper.make_opsetid("own", 1), helper.make_opsetid("", 21)]
    made = model([helper.make_node("F0", ["x"], ["y"], domain="own")])
    made.opset_import.append(ids[0])
    for i in range(30):
        names = ["a", *[f"t{j}" for j in range(9)], "b"]
        nodes = [helper.make_node(f"F{i + 1}", [p], [q], domain="own") for p, q in pairwise(names)]
        made.functions.append(helper.make_function("own", f"F{i}", ["a"], ["b"], nodes, ids))
    last = helper.make_function("own", "F30", ["a"], ["b"], [node("Relu", "a", "b")], ids)
    made.functions.append(last)
    return made.SerializeToString()


def sparse(indices: Any):
    """A sparse tensor."""

    def make(path):
        made = model([PRODUCT])
        one = helper.make_sparse_tensor(
            constant("w", [1.0, 2.0], np.float32), constant("i", indices), [3, 2]
        )
        made.graph.sparse_initializer.append(one)
        return made.SerializeToString()

    return make


def changed(change: Any):
    """An honest model with a change."""

    def make(path):
        made = model([PRODUCT], [constant("w", WEIGHTS, np.float32)])
        change(made)
        return made.SerializeToString()

    return make


def cut(path):
    data = file([PRODUCT], [constant("w", WEIGHTS, np.float32)])(path)
    return data[:-20]


def deep_bytes(path):
    """A field nested 10^5 times, at which a parser without a limit overflows its stack."""
    data = b""
    for _ in range(3000):
        data = b"\x0a" + varint(len(data)) + data
    return model([PRODUCT]).SerializeToString() + b"\x3a" + varint(len(data)) + data


HONEST = {
    "product": (load, file([PRODUCT], [constant("w", WEIGHTS, np.float32)])),
    "constant": (load, with_constant(value=constant("w", WEIGHTS, np.float32))),
}
EXHIBITS = {
    # Data in other files.
    "data-upward": (load, external("../../../../etc/passwd"), "out of the model's folder"),
    "data-absolute": (load, external("/etc/passwd"), "out of the model's folder"),
    "data-absolute-here": (load, external(f"FOLDER/{DATA}"), "out of the model's folder"),
    "data-in-a-folder-and-back": (load, external(f"./{DATA}"), "out of the model's folder"),
    "data-backslashes": (load, external("..\\..\\secret"), "out of the model's folder"),
    "data-drive": (load, external("C:secret"), "out of the model's folder"),
    "data-file-url": (load, external("file:///etc/passwd"), "out of the model's folder"),
    "data-nul": (load, external("secret.bin\0.txt"), "out of the model's folder"),
    "data-parent": (load, external(".."), "out of the model's folder"),
    "data-here": (load, external("."), "out of the model's folder"),
    "data-no-place": (load, external(None), "not named"),
    "data-empty-place": (load, external(""), "not named"),
    "data-missing": (load, external("gone.bin"), "missing"),
    "data-symlink": (load, external_link(lambda to, at: at.symlink_to(to)), "a link"),
    "data-symlink-to-passwd": (
        load, external_link(lambda to, at: at.symlink_to("/etc/passwd")), "a link",
    ),
    "data-hard-link": (load, external_link(lambda to, at: at.hardlink_to(to)), "a link"),
    "data-pipe": (load, external_pipe, "no regular file"),
    "data-long-name": (load, external("n" * 5000), "missing|name"),
    "data-longer-than-the-file": (load, external(data=b"1234"), "needs bytes 0-24"),
    "data-behind-the-end": (load, external(offset=2**40), "needs bytes|offset"),
    "data-offset-negative": (load, external(offset=-1), "offset"),
    "data-offset-text": (load, external(offset="1e3"), "offset"),
    "data-offset-huge": (load, external(offset="9" * 5000), "offset"),
    "data-length-huge": (load, external(length=2**62), "offset or a length|bytes"),
    "data-length-negative": (load, external(length=-24), "length"),
    "data-length-other": (load, external(length=20), "20 bytes"),
    # Tensors.
    "tensor-too-short": (load, with_tensor(raw_data=b"1234"), "4 bytes; its shape needs 24"),
    "tensor-too-long": (load, with_tensor(raw_data=bytes(28)), "28 bytes; its shape needs 24"),
    "tensor-negative": (load, with_tensor(dims=(-1, 2), raw_data=bytes(8)), "impossible shape"),
    "tensor-two-negatives": (
        load, with_tensor(dims=(-3, -2), raw_data=bytes(24)), "impossible shape",
    ),
    "tensor-overflow": (load, with_tensor(dims=(2**62, 2**62), raw_data=b""), "impossible shape"),
    "tensor-overflow-to-1": (
        load, with_tensor(dims=(2**63 - 1, 2**63 - 1), raw_data=b"1234"), "impossible shape",
    ),
    "tensor-overflow-hidden-by-0": (
        load, with_tensor(dims=(0, 2**62, 2**62), raw_data=b""), "impossible shape",
    ),
    "tensor-of-tb": (load, with_tensor(dims=(2**20, 2**20), raw_data=b""), "0 bytes; its shape"),
    "tensor-10000-axes": (load, with_tensor(dims=[1] * 10_000, raw_data=bytes(4)), "impossible"),
    "tensor-few-numbers": (load, with_tensor(float_data=[1.0, 2.0]), "2 values; its shape needs 6"),
    "tensor-numbers-of-another-kind": (load, with_tensor(int64_data=[1] * 6), "0 values"),
    "tensor-strings": (
        load, with_tensor(kind=STRING, string_data=[b"x"] * 6), "tensors of strings",
    ),
    "tensor-no-dtype": (load, with_tensor(kind=0, raw_data=bytes(24)), "no dtype"),
    "tensor-dtype-99": (load, with_tensor(kind=99, raw_data=bytes(24)), "dtype number 99"),
    "tensor-complex": (load, with_tensor(kind=14, raw_data=bytes(48)), "complex64"),
    "tensor-segment": (
        load, with_tensor(raw_data=bytes(24), segment=TensorProto.Segment(begin=0, end=9)),
        "segments",
    ),
    "tensor-name-of-2000-letters": (
        load, file([node("MatMul", "x " + "w" * 2000)], [tensor("w" * 2000, raw_data=bytes(24))]),
        "name",
    ),
    "tensor-name-twice": (
        load, file([PRODUCT], [constant("w", WEIGHTS, np.float32)] * 2), "two of its tensors",
    ),
    "constant-too-short": (load, with_constant(value=tensor(raw_data=b"1")), "1 bytes"),
    "constant-strings": (load, file([node("Constant", "", "w", value_strings=["a"]), PRODUCT]),
                         "Constant|strings"),
    "constant-external": (
        load, with_constant(value=tensor(data_location=TensorProto.EXTERNAL)), "not named",
    ),
    "sparse-out-of-range": (load, sparse([0, 99]), "sparse"),
    "sparse-negative": (load, sparse([-7, 0]), "sparse"),
    # Graphs.
    "circle": (
        load, file([node("Relu", "b", "a"), node("Relu", "a", "b"), node("Add", "x b")]), "b",
    ),
    "node-of-itself": (load, file([node("Relu", "y")]), "y"),
    "node-before-its-input": (load, file([node("Relu", "a"), node("Relu", "x", "a")]), "a"),
    "missing-input": (load, file([node("Add", "x nowhere")]), "nowhere"),
    "missing-output": (load, file([node("Relu", "x", "z")]), "y"),
    "output-twice": (load, file([node("Relu", "x"), node("Abs", "x")]), "y"),
    "output-is-the-input": (
        load, file([node("Relu", "x", "x")], outputs="x"), "'x' is given twice",
    ),
    "output-names-a-tensor-twice": (load, file([node("Split", "x", "y y", axis=1)]), "y|Split"),
    "no-nodes": (load, file([]), "y"),
    "no-inputs-to-a-node": (load, file([node("Relu", "")]), "Relu"),
    "too-many-inputs": (load, file([node("Relu", "x x x x")]), "Relu"),
    "too-many-outputs": (load, file([node("Relu", "x", "z y")]), "Relu|y"),
    "million-nodes": (load, million_nodes, "1,000,00. nodes"),
    "300000-tensors": (load, million_tensors, "300,00. nodes"),
    "graphs-in-graphs": (load, nested_graphs(12), "If"),
    "graphs-in-graphs-deep": (load, nested_graphs(5000), "no ONNX model|If"),
    "fields-nested-deep": (load, deep_bytes, "unknown operators|no ONNX model"),
    "if": (load, branch, "If"),
    "loop-without-end": (load, loop, "Loop"),
    "function-in-itself": (load, function_in_itself, "own.F"),
    "functions-10-to-30": (load, functions_in_functions, "own.F0"),
    "foreign-domain": (
        load, file([helper.make_node("System", ["x"], ["y"], domain="evil.os", command="id")]),
        "evil.os.System",
    ),
    "python-operator": (
        load, file([helper.make_node("PyOp", ["x"], ["y"], domain="ai.onnx.contrib", module="os")]),
        "ai.onnx.contrib.PyOp",
    ),
    "aten-operator": (
        load, file([helper.make_node("ATen", ["x"], ["y"], domain="org.pytorch.aten")]), "ATen",
    ),
    "operator-unknown": (load, file([node("__import__", "x")]), "__import__"),
    "operator-with-terminal-codes": (load, file([node("\x1b[2J", "x")]), r"x1b"),
    "attribute-graph-as-number": (
        load, on_input("Softmax", axis=helper.make_graph([], "g", [], []),
    ),
                                  "Softmax|graph"),
    "attribute-text-for-number": (load, on_input("Softmax", axis="os"), "axis"),
    "attribute-twice": (
        load, changed(lambda made: made.graph.node[0].attribute.extend(
            [helper.make_attribute("a", 1), helper.make_attribute("a", 2)])), "'a' twice",
    ),
    "axis-out-of-range": (load, on_input("Softmax", axis=10**9), "axis"),
    "opset-none": (load, changed(lambda made: made.ClearField("opset_import")), "version of ONNX"),
    "opset-99": (load, changed(lambda made: setattr(made.opset_import[0], "version", 99)), "99"),
    "opset-negative": (
        load, changed(lambda made: setattr(made.opset_import[0], "version", -1)), "opset -1",
    ),
    "opset-twice": (
        load, changed(lambda made: made.opset_import.add(domain="", version=7)), "version of ONNX",
    ),
    "cut": (load, cut, "no ONNX model, or it is cut"),
}  # fmt: skip
