"""The very network that a file of ours was written from, with its layers, and not only its graph.

A file has, beside the graph, the list of layers as a `.mcnn` file has it. A network that is built
from this list and written again must give the same graph: only then it is the one. If another
program has changed the graph, it is not, and the graph is read as any other.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from minicnn.errors import ArgumentError, MiniCNNError
from minicnn.interop.onnx.metadata import NETWORK, take_metadata
from minicnn.interop.onnx.tensors import array_of
from minicnn.interop.onnx.writer import document_of
from minicnn.layers.parameter import Parameter
from minicnn.models.saving.network_document import network_from_document
from minicnn.support import memory_limits, registry
from minicnn.support.registry import WRONG_CONFIG, Classes

MAX_LETTERS = 1 << 26  # of the list of layers
# What a list of layers may raise that somebody changed, or that is of classes unknown here.
WRONG = (MiniCNNError, ArithmeticError, RecursionError, NotImplementedError, *WRONG_CONFIG)


def own_network(document: Any, path: str, custom_objects: Classes | None = None) -> Any:
    """Return the network that a parsed ModelProto was written from; None if that cannot be told."""
    texts = {one.key: one.value for one in document.metadata_props}
    text = texts.get(NETWORK, "")
    if not text or len(text) > MAX_LETTERS:
        return None
    given = {one.name: array_of(one, path) for one in document.graph.initializer}
    held = sum(array.nbytes for array in given.values())
    try:
        with registry.custom_objects(custom_objects):
            with memory_limits.budget(held):
                model = network_from_document(json.loads(text))
            take_metadata(model, document, path)
            _take_weights(model, given, path)
            again = document_of(model, path).graph
    except WRONG:
        return None
    same: bool = again.SerializeToString(deterministic=True) == document.graph.SerializeToString(
        deterministic=True
    )
    return model if same else None


def _take_weights(model: Any, given: dict[str, np.ndarray], path: str) -> None:
    """Give the parameters their values in the file, where they lie in other orders.

    The file is written with the numbers of the weights in their places: so it tells which weight
    each value of a constant is.
    """
    parameters: list[Parameter] = model.parameters
    initial = [parameter.initial for parameter in parameters]
    ends = np.cumsum([parameter.size for parameter in parameters])
    for parameter, end in zip(parameters, ends, strict=True):
        parameter.assign(_as_floats(int(end) - parameter.size + 1, parameter.shape))
    values = np.full(int(ends[-1]) if len(ends) else 0, np.nan, np.float32)
    found = np.zeros(values.shape, bool)
    for one in document_of(model, path).graph.initializer:
        numbers, there = array_of(one, path), given.get(one.name)
        if there is None or there.shape != numbers.shape or there.dtype != numbers.dtype:
            raise ArgumentError(f"the file has no such constant {one.name}")
        if numbers.dtype == np.float32:
            places = numbers.view(np.uint32).ravel()
            known = (places >= 1) & (places <= len(values))
            values[places[known] - 1] = there.ravel()[known]
            found[places[known] - 1] = True
    for parameter, first, end in zip(parameters, initial, ends, strict=True):
        part = slice(int(end) - parameter.size, int(end))
        if found[part].all():
            parameter.assign(values[part].reshape(parameter.shape))
        else:
            parameter.initial = first  # the graph does not depend on it


def _as_floats(first: int, shape: tuple[int, ...]) -> np.ndarray:
    """Return whole numbers from `first` on as the bits of an array of float32."""
    count = int(np.prod(shape))
    return np.arange(first, first + count, dtype=np.uint32).view(np.float32).reshape(shape)
