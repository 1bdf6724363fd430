"""Small ONNX models, made by hand for tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np

GOLDEN = Path(__file__).parent / "golden" / "interop" / "onnx"


def node(op, inputs, outputs, **attributes):
    """Return one node; inputs and outputs are names in one string."""
    from onnx import helper

    name = attributes.pop("name", None)
    return helper.make_node(op, inputs.split(), outputs.split(), name, **attributes)


def graph_model(nodes, inputs, outputs="y", constants=None, opset=17, dtype=1):
    """Return a ModelProto; `inputs` are {name: shape}, with a string for a length that is open."""
    from onnx import helper, numpy_helper

    arrays = {name: np.asarray(value) for name, value in (constants or {}).items()}
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info(name, dtype, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(name, dtype, None) for name in outputs.split()],
        [numpy_helper.from_array(value, name) for name, value in arrays.items()],
    )
    opsets = [helper.make_opsetid("", opset)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def written(path, model):
    """Write a model, or bytes, to a file; return its path."""
    content = model if isinstance(model, bytes) else model.SerializeToString()
    path.write_bytes(content)
    return path


def random_array(*shape, seed=0, scale=1.0):
    """Return float32 numbers around 0."""
    return (np.random.default_rng(seed).normal(size=shape) * scale).astype(np.float32)
