"""Tape: one pass through a network, operation by operation, and the way back through them.

A model's program keeps only what training needs. Who wants to look inside runs the layers'
descriptions on arrays instead, with an `apply` that remembers every operation.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from minicnn import random
from minicnn.contracts import CONTRACTS
from minicnn.layers.base import RNG_KEY
from minicnn.layers.parameter import Parameter
from minicnn.models import Model
from minicnn.ops.operation import Saved, gradients
from minicnn.ops.operation import apply as run


class Step(NamedTuple):
    """One operation: what it read (arrays and Parameters), what came out."""

    reads: tuple[Any, ...]
    result: np.ndarray
    saved: Saved


class Tape:
    """The outputs of all layers for some inputs, and gradients by any of them.

    >>> from minicnn.layers import Dense, Input
    >>> from minicnn.models import Sequential
    >>> model = Sequential([Input((2,)), Dense(1, kernel_initializer="ones", name="sum")])
    >>> tape = Tape(model, np.array([[1, 2]], np.float32))
    >>> tape["sum"].tolist(), tape.gradient(tape["sum"], np.ones((1, 1), np.float32)).of(
    ...     tape.inputs[0]).tolist()
    ([[3.0]], [[1.0, 1.0]])
    """

    def __init__(self, model: Model, x: Any, *, training: bool = False) -> None:
        self.steps: list[Step] = []
        parts = x if isinstance(x, (list, tuple)) else [x]
        self.inputs = tuple(np.asarray(one, np.float32) for one in parts)
        model.build_for(self.inputs)
        graph = model.graph
        found = graph.results(self._apply, *self.inputs, training=training)
        self._outputs = {t.layer.name: found[id(t)] for t in graph.tensors}
        self.output: np.ndarray = found[id(graph.outputs[0])]

    def __getitem__(self, layer: str) -> np.ndarray:
        """What the layer of that name made."""
        return self._outputs[layer]

    @property
    def scores(self) -> np.ndarray:
        """(N, classes): the output, or what a last softmax or sigmoid was given."""
        last = self.steps[-1]
        ends = last.result is self.output and last.saved.operation.name in ("softmax", "sigmoid")
        return last.reads[0] if ends else self.output

    def gradient(self, result: np.ndarray, d_result: np.ndarray) -> Gradient:
        """Gradients by everything that `result` was made of, from the gradient by `result`."""
        found = Gradient()
        found.add(result, d_result)
        for step in reversed(self.steps):
            dy = found.of(step.result)
            if dy is not None:
                _go_back(step, dy, found)
        return found

    def _apply(self, operation: Any, *inputs: Any, **arguments: Any) -> np.ndarray:
        """The `apply` that layers are given."""
        y, saved = run(operation, *map(_array, inputs), **arguments)
        self.steps.append(Step(inputs, y, saved))
        return y


class Gradient:
    """The loss's gradient by arrays and Parameters; where a value is read twice they add up."""

    def __init__(self) -> None:
        self._found: dict[int, np.ndarray] = {}

    def of(self, value: Any) -> Any:
        """The gradient by this array or Parameter; None if nothing depends on it."""
        return self._found.get(id(value))

    def add(self, value: Any, gradient: np.ndarray) -> None:
        """One more way on which the loss depends on `value`."""
        earlier = self.of(value)
        self._found[id(value)] = gradient if earlier is None else earlier + gradient


def _go_back(step: Step, dy: np.ndarray, found: Gradient) -> None:
    names = (name.rstrip("?") for name in CONTRACTS[step.saved.operation.forward].reads)
    by_name = gradients(dy, step.saved)
    for name, read in zip(names, step.reads, strict=True):
        if read is not None and f"d{name}" in by_name:
            found.add(read, by_name[f"d{name}"])


def _array(x: Any) -> np.ndarray | None:
    if x is RNG_KEY:
        return random.rng_key(0)
    return x.value if isinstance(x, Parameter) else x
