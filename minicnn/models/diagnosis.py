"""Where a number stopped being one."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.layers.base import compute
from minicnn.models.graph import Graph


def first_not_finite(graph: Graph, inputs: tuple[np.ndarray, ...]) -> str:
    """A clause that names the first input, parameter or layer's output with a NaN or infinity."""
    for tensor, x in zip(graph.inputs, inputs, strict=True):
        if not np.isfinite(x).all():
            return f"the input {tensor.layer.name} has a NaN or infinity in this batch"
    for parameter in graph.parameters:
        if not np.isfinite(parameter.value).all():
            return f"the parameter {parameter.name} has a NaN or infinity"
    found: dict[int, Any] = dict(zip(map(id, graph.inputs), inputs, strict=True))
    for tensor in graph.tensors:
        if id(tensor) not in found:
            arguments = [_floats(found[id(t)]) for t in tensor.inputs]
            found[id(tensor)] = tensor.layer.forward(compute, *arguments, training=False)
            if not np.isfinite(found[id(tensor)]).all():
                return f"{tensor.layer.name} was the first layer with a NaN or infinity"
    return "all layers' outputs are finite, the loss itself overflowed"


def _floats(x: np.ndarray) -> np.ndarray:
    return x if x.dtype == np.float32 else x.astype(np.float32)
