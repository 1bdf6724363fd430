"""Opening an ONNX file: its size, its structure and its names are checked before it is used."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from minicnn.errors import FormatError, UnsupportedError
from minicnn.installed import missing_extra
from minicnn.interop.onnx.nodes import Node
from minicnn.interop.onnx.tensors import array_of
from minicnn.support.files import Path, read_whole
from minicnn.support.text import printable, quoted

MOST_BYTES = 2**31 - 1  # protobuf's own limit
MOST_NODES = 100_000
MOST_NAMES = 1024  # letters of one name
OPSETS = range(6, 29)
OURS = ("", "ai.onnx")


def modelproto(path: Path) -> Any:
    """Return the parsed ModelProto of a file.

    Raises
    ------
    MissingExtraError : the package onnx is not installed
    FormatError : the file is not one of ONNX
    """
    content = read_whole(path, MOST_BYTES)
    onnx = onnx_package()
    model = onnx.ModelProto()
    try:
        model.ParseFromString(content)
    except Exception as error:  # protobuf's DecodeError, whose class depends on its version
        raise FormatError(path, "it is no ONNX model, or it is cut or damaged") from error
    check_model(model, os.fspath(path))
    return model


def onnx_package() -> Any:
    """Return the package onnx, which an extra installs; raise MissingExtraError without it."""
    try:
        import onnx
        import onnx.helper
        import onnx.numpy_helper
    except ImportError as error:
        raise missing_extra("ONNX files need the package onnx", "onnx") from error
    return onnx


def check_model(model: Any, path: str) -> int:
    """Return the model's opset after a check of its structure.

    Raises
    ------
    FormatError : it has no graph, no opset, or more nodes than a network can have
    UnsupportedError : its opset is unknown
    """
    versions = [one.version for one in model.opset_import if one.domain in OURS]
    if not model.HasField("graph") or len(set(versions)) != 1:
        raise FormatError(path, "it has no graph, or no version of ONNX's operators")
    if versions[0] not in OPSETS:
        raise UnsupportedError(
            path,
            f"it is written for opset {versions[0]}; {OPSETS[0]} to {OPSETS[-1]} are read",
        )
    count = len(model.graph.node) + len(model.graph.initializer)
    if count > MOST_NODES:
        raise FormatError(path, f"it has {count:,} nodes and tensors; at most {MOST_NODES:,}")
    if any(one.domain in OURS for one in model.functions):
        raise UnsupportedError(path, "it defines ONNX's own operators anew")
    if model.graph.sparse_initializer:
        raise UnsupportedError(path, "it has sparse tensors")
    return int(versions[0])


def nodes_of(model: Any, path: str, known: Any) -> list[Node]:
    """Return the nodes of a model's graph, in their order.

    Raises
    ------
    UnsupportedError : it has operators that are not in the table `known`; all are named
    """
    opset = check_model(model, path)
    _check_operators(model, path, opset, known)
    _check_names(model, path)
    return [_node(one, i, opset, path) for i, one in enumerate(model.graph.node)]


def _check_operators(model: Any, path: str, opset: int, known: Any) -> None:
    missing: dict[str, str] = {}
    for node in model.graph.node:
        name = node.op_type if node.domain in OURS else f"{node.domain}.{node.op_type}"
        if name not in known:
            missing.setdefault(printable(name), printable(node.name))
    if missing:
        names = ", ".join(f"{op} (node {name!r})" for op, name in missing.items())
        raise UnsupportedError(path, f"opset {opset}, unknown operators: {names}")


def _check_names(model: Any, path: str) -> None:
    """Raise FormatError if two nodes or tensors give a value of one name."""
    graph = model.graph
    tensors, inputs = ([one.name for one in part] for part in (graph.initializer, graph.input))
    given = {*tensors, *inputs}
    if len({*tensors}) < len(tensors) or len({*inputs}) < len(inputs):
        raise FormatError(path, "two of its tensors, or two of its inputs, have one name")
    for node in graph.node:
        for name in filter(None, node.output):
            if name in given:
                raise FormatError(path, f"the value {printable(name)!r} is given twice")
            given.add(name)


def _node(node: Any, index: int, opset: int, path: str) -> Node:
    name = node.name or (node.output[0] if node.output else "") or f"{node.op_type}_{index}"
    for one in (name, *node.input, *node.output):
        if len(one) > MOST_NAMES:
            raise FormatError(path, f"a name of {len(one):,} letters: {quoted(printable(one), 40)}")
    attributes: dict[str, Any] = {}
    for key, value in _attributes(node, path):
        if key in attributes:
            raise FormatError(path, f"node {printable(name)!r} has {printable(key)!r} twice")
        attributes[key] = value
    return Node(node.op_type, name, opset, attributes, node.input, node.output, path)


# What the `type` of an attribute says, and the field that holds it.
NUMBERS = {1: "f", 2: "i", 6: "floats", 7: "ints"}
STRING, TENSOR, GRAPH = 3, 4, (5, 10)


def _attributes(node: Any, path: str) -> Iterator[tuple[str, Any]]:
    for one in node.attribute:
        if one.type in NUMBERS:
            value = getattr(one, NUMBERS[one.type])
            yield one.name, list(value) if one.type > 5 else value
        elif one.type == STRING:
            yield one.name, one.s.decode("utf-8", "replace")
        elif one.type == TENSOR:
            yield one.name, array_of(one.t, path)
        elif one.type in GRAPH:
            raise UnsupportedError(
                path, f"node {printable(node.name)!r} ({printable(node.op_type)}) has a graph in it"
            )
