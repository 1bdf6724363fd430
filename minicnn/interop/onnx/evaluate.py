"""Computing an ONNX graph on arrays, with all its inputs known: what its conformance tests need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn.errors import ArgumentError, UnsupportedError
from minicnn.interop.onnx.interpreter import Interpreter
from minicnn.interop.onnx.operators import OPERATORS
from minicnn.interop.onnx.parsing import nodes_of
from minicnn.interop.onnx.tensors import array_of
from minicnn.interop.onnx.values import Value


def run(model: Any, inputs: Sequence[Any], path: str = "<model>") -> list[Any]:
    """Return the outputs of a ModelProto for these arrays, in ONNX's own order of axes.

    It computes every operator by itself, with the same table that `read_model` builds networks
    from. To use a network, read it; that is faster, and it can be trained.

    Parameters
    ----------
    model : onnx.ModelProto
    inputs : an array for each input of the graph that is no initializer; None, and lists of arrays,
        where the graph has such inputs
    path : of the model's file, for errors and for data that lie in other files

    Raises
    ------
    ArgumentError : there are more or fewer inputs than the graph has
    FormatError : as `mc.load_model`
    """
    nodes = nodes_of(model, path, OPERATORS)
    graph = model.graph
    known = {one.name: Value(array_of(one, path)) for one in graph.initializer}
    names = [one.name for one in graph.input if one.name not in known]
    if len(names) != len(inputs):
        raise ArgumentError(f"the graph has {len(names)} inputs; got {len(inputs)}")
    given = {name: _value(one, path) for name, one in zip(names, inputs, strict=True)}
    held = sum(value.data.nbytes for value in known.values())
    interpreter = Interpreter({**known, **given}, path, held=held)
    results = interpreter.run(nodes, [one.name for one in graph.output])
    return [one.logical() if isinstance(one, Value) else one for one in results]


USERS = 2  # `isbuiltin` of dtypes that packages add to those of NumPy


def _value(given: Any, path: str) -> Any:
    """Return an array as a Value; None and lists, of optional inputs and sequences, as they are."""
    if not isinstance(given, (np.ndarray, np.generic)):
        return given
    if given.dtype.kind not in "biuf" or given.dtype.isbuiltin == USERS:
        raise UnsupportedError(path, f"an input of {given.dtype}; only numbers of NumPy are taken")
    return Value(np.asarray(given))
