"""Where a number stopped being one."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.layers.base import compute
from minicnn.losses import Crossentropy, Loss
from minicnn.models.graph import Graph

AT_ONCE = 1024  # samples that are looked at together, so that little memory is needed
REMEDY = "a smaller learning_rate or clipnorm=1.0 often helps"


def first_not_finite(graph: Graph, inputs: tuple[np.ndarray, ...], loss: Loss, updates: int) -> str:
    """Names the first input, parameter or layer's output with a NaN or infinity; and a remedy."""
    for tensor, x in zip(graph.inputs, inputs, strict=True):
        if not np.isfinite(x).all():
            i = int(np.flatnonzero(~np.isfinite(x.reshape(len(x), -1)).all(1))[0])
            return (
                f"the input {tensor.layer.name} has a NaN or infinity, first in sample {i} of this "
                "batch; take such samples out"
            )
    for parameter in graph.parameters:
        if not np.isfinite(parameter.value).all():
            cause = (
                f"since one of the {updates} updates so far; start afresh: {REMEDY}"
                if updates
                else "before any update; set_weights or load other weights"
            )
            return f"the parameter {parameter.name} has a NaN or infinity {cause}"
    found: dict[int, Any] = dict(zip(map(id, graph.inputs), inputs, strict=True))
    for tensor in graph.tensors:
        if id(tensor) not in found:
            arguments = [_floats(found[id(t)]) for t in tensor.inputs]
            found[id(tensor)] = tensor.layer.forward(compute, *arguments, training=False)
            if not np.isfinite(found[id(tensor)]).all():
                return f"{tensor.layer.name} was the first layer with a NaN or infinity; {REMEDY}"
    empty = np.flatnonzero(~found[id(graph.outputs[0])].reshape(len(inputs[0]), -1).any(1))
    if empty.size and isinstance(loss, Crossentropy):  # which divides by their sum
        return (
            f"the outputs of sample {empty[0]} of this batch are all 0, which is no probability; "
            "end the network with softmax or sigmoid"
        )
    return f"all layers' outputs are finite, the loss itself overflowed; {REMEDY}"


def first_bad_sample(inputs: tuple[np.ndarray, ...]) -> str | None:
    """Names the first sample that has a NaN or infinity, if there is one: "x[5] has a NaN"."""
    for k, x in enumerate(inputs):
        name = "x" if len(inputs) == 1 else f"x[{k}]"
        for start in range(0, len(x), AT_ONCE):
            rows = x[start : start + AT_ONCE].reshape(len(x[start : start + AT_ONCE]), -1)
            bad = np.flatnonzero(~np.isfinite(rows).all(1))
            if bad.size:
                kind = "a NaN" if np.isnan(rows[bad[0]]).any() else "an infinity"
                return f"{name}[{start + int(bad[0])}] has {kind}"
    return None


def _floats(x: np.ndarray) -> np.ndarray:
    return x if x.dtype == np.float32 else x.astype(np.float32)
