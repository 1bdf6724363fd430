"""Find the first input, parameter or layer with a NaN or infinity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn.layers.apply import compute
from minicnn.losses import Crossentropy
from minicnn.models.graph import Graph
from minicnn.models.planner.losses import Target

CHUNK = 1024  # samples that are checked together, so that little memory is needed
REMEDY = "a smaller learning_rate or clipnorm=1.0 often helps"


def first_not_finite(
    graph: Graph, inputs: tuple[np.ndarray, ...], targets: Sequence[Target], updates: int
) -> str:
    """Say which input, parameter or layer is the first with a NaN or infinity, and what helps."""
    for tensor, x in zip(graph.inputs, map(_as_float32, inputs), strict=True):
        if not np.isfinite(x).all():
            i = int(np.flatnonzero(~np.isfinite(x.reshape(len(x), -1)).all(1))[0])
            return (
                f"the input {tensor.layer.name} has a NaN, an infinity or a value beyond float32, "
                f"first in sample {i} of this batch; remove such samples"
            )
    for parameter in graph.parameters:
        if not np.isfinite(parameter.value).all():
            cause = (
                f"since one of the {updates} updates so far; start afresh: {REMEDY}"
                if updates
                else "before any update; set_weights or load other weights"
            )
            return f"the parameter {parameter.name} has a NaN or infinity {cause}"
    outputs: dict[int, Any] = {}
    for tensor, x in graph.walk(compute, *map(_as_float32, inputs), training=False):
        if not np.isfinite(x).all():
            return f"{tensor.layer.name} was the first layer with a NaN or infinity; {REMEDY}"
        outputs[id(tensor)] = x
    for target in targets:
        output = outputs[id(graph.outputs[target.output])]
        empty = np.flatnonzero(~output.reshape(len(inputs[0]), -1).any(1))
        if empty.size and isinstance(target.loss, Crossentropy):  # which divides by their sum
            return (
                f"the outputs of sample {empty[0]} of this batch are all 0, so they are no "
                "probabilities; end the network with softmax or sigmoid"
            )
    return f"all layers' outputs are finite, the loss itself overflowed; {REMEDY}"


def first_bad_sample(inputs: tuple[np.ndarray, ...]) -> str | None:
    """Say which sample is the first with a NaN or infinity, "x[5] has a NaN"; None if none has."""
    for k, x in enumerate(inputs):
        name = "x" if len(inputs) == 1 else f"x[{k}]"
        for start in range(0, len(x), CHUNK):
            rows = x[start : start + CHUNK].reshape(len(x[start : start + CHUNK]), -1)
            bad = np.flatnonzero(~np.isfinite(rows).all(1))
            if bad.size:
                kind = "a NaN" if np.isnan(rows[bad[0]]).any() else "an infinity"
                return f"{name}[{start + int(bad[0])}] has {kind}"
    return None


def _as_float32(x: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):  # a value that is too large becomes infinite
        return x if x.dtype == np.float32 else x.astype(np.float32)
