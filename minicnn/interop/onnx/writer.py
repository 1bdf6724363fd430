"""Writing a network as an ONNX file: its operations at inference, its weights, its names.

Inputs and outputs have the shapes that they have here, images (N, H, W, C), with any number of
images. Inside, images lie as (N, C, H, W), as ONNX's operators want them: one transposition leads
there, and one back if an output is an image. See docs/interop.md for what can be written.
"""

from __future__ import annotations

import os
import re
from typing import Any

import numpy as np

from minicnn.errors import SizeLimitError, UnsupportedError
from minicnn.interop.onnx import writer_images, writer_layers, writer_shapes  # they fill the table
from minicnn.interop.onnx.metadata import denote, metadata_of
from minicnn.interop.onnx.parsing import onnx_package
from minicnn.interop.onnx.writer_graph import IR_VERSION, OPSET, Graph
from minicnn.interop.onnx.writer_layouts import ADVICE, Laid, Layouts, as_given
from minicnn.interop.onnx.writer_ops import TABLE
from minicnn.interop.onnx.writer_patterns import with_patterns
from minicnn.interop.onnx.writer_trace import CannotRecord, Recording, Value, record
from minicnn.models.network import Network
from minicnn.support.atomic_files import write_atomically
from minicnn.support.files import Path
from minicnn.version import __version__

PARTS = (writer_images, writer_layers, writer_shapes)
MAX_BYTES = 2**31 - 1  # of a protobuf message
BATCH = "N"  # the name of the batch size


def write_model(model: Network, path: Path, *, include_optimizer: bool = True) -> None:
    """Write what a network computes at inference to an ONNX file of opset 17.

    Layers become nodes with their names, weights constants with theirs. Class names and
    preprocessing are kept in the file's metadata. ONNX has no place for an optimizer, losses and
    metrics, so `include_optimizer` changes nothing. The same network gives the same bytes.

    Parameters
    ----------
    model : a network whose input's shape is known
    path : the file to create or replace

    Raises
    ------
    MissingExtraError : the package `onnx` is not installed
    UnsupportedError : a layer computes what ONNX has no operator for; it is named
    SizeLimitError : the file would have 2 GiB or more
    OSError : it cannot be written; an older file of that name is still there then
    """
    write_atomically(path, [to_bytes(model, path)])


def to_bytes(model: Network, path: Path) -> bytes:
    """Return the content of a network's file; `path` stands in errors alone."""
    content: bytes = document_of(model, path).SerializeToString(deterministic=True)
    return content


def document_of(model: Network, path: Path) -> Any:
    """Return a network's file as a protobuf message."""
    onnx = onnx_package()
    text = os.fspath(path)
    try:
        recording = record(model)
    except CannotRecord as err:
        raise UnsupportedError(text, f"{err}, which ONNX cannot express. {ADVICE}") from err
    graph, inputs, outputs = _written(onnx, model, recording, text)
    if graph.bytes_of_constants > MAX_BYTES:
        raise SizeLimitError(
            f"{text}: the weights have {graph.bytes_of_constants:,} bytes, but an ONNX file holds "
            f"at most {MAX_BYTES:,}; save the network as .mcnn"
        )
    return _document(onnx, model, graph, inputs, outputs)


def _written(
    onnx: Any, model: Network, recording: Recording, path: str
) -> tuple[Graph, list[Any], list[Any]]:
    """Return the graph, and the descriptions of its inputs and outputs."""
    graph = Graph(onnx)
    layouts = Layouts(graph, path)
    inputs = []
    for value, tensor in zip(recording.inputs, model.graph.inputs, strict=True):
        name = graph.tensor_name(tensor.layer.name)
        layouts.put(value, Laid(name, as_given(value.rank)))
        if layouts.first_input is None and 0 in value.batch:
            layouts.first_input = value, name
        inputs.append(_described(onnx, name, value))
    for step in with_patterns(recording):
        layouts.use = step.use
        write = TABLE.get(step.kernel)
        if write is None:
            raise layouts.refused(f"ONNX has no operator for {step.kernel}")
        write(layouts, step)
    return graph, inputs, _outputs(onnx, model, recording, layouts)


def _outputs(onnx: Any, model: Network, recording: Recording, layouts: Layouts) -> list[Any]:
    """Give the outputs their names; return their descriptions."""
    graph, found = layouts.graph, list[Any]()
    inputs = {layouts.laid(value).tensor for value in recording.inputs}
    for value, name in zip(recording.outputs, model.output_names, strict=True):
        tensor = layouts.fetch(value)
        name = graph.tensor_name(_without_operator(name, graph))
        known = {one.name for one in graph.constants} | inputs
        if tensor in known or any(tensor == one.name for one in found):
            graph.nodes.append(
                onnx.helper.make_node("Identity", [tensor], [name], f"{name}/identity")
            )
        else:
            graph.rename(tensor, name)
            layouts.renamed(tensor, name)
        found.append(_described(onnx, name, value))
    return found


def _without_operator(name: str, graph: Graph) -> str:
    """Return the name of an output: a layer's, without that of an operator that came after it.

    The layer for the softmax of a layer `classes` is called as its node if it was read from a file,
    "classes/softmax". The output is `classes` before and after.
    """
    layer, _, last = name.rpartition("/")
    operators = {node.op_type.lower() for node in graph.nodes if node.name == name}
    return layer if layer and re.sub(r"_\d+$", "", last) in operators else name


def _described(onnx: Any, name: str, value: Value) -> Any:
    """Return the description of an input or output: its name, dtype and shape."""
    dtype = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(value.dtype))
    shape = [
        BATCH if n is None and axis in value.batch else f"{name}_{axis}" if n is None else n
        for axis, n in enumerate(value.shape)
    ]
    info = onnx.helper.make_tensor_value_info(name, dtype, shape)
    denote(info)
    return info


def _document(
    onnx: Any, model: Network, graph: Graph, inputs: list[Any], outputs: list[Any]
) -> Any:
    """Return the whole file as a protobuf message."""
    made = onnx.helper.make_graph(graph.nodes, model.name, inputs, outputs, graph.constants)
    document = onnx.helper.make_model(
        made,
        opset_imports=[onnx.helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="minicnn",
        producer_version=__version__,
    )
    onnx.helper.set_model_props(document, metadata_of(model))
    return document
