"""Record every operation of a forward pass, to read layer outputs and arbitrary gradients.

A model's compiled program keeps only what training needs. The tape instead calls the layers'
`forward` methods on arrays, with an `apply` that records each operation.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from minicnn.contracts import CONTRACTS
from minicnn.layers.apply import array_of
from minicnn.layers.tracing import TracedTensor, tracing, unwrapped
from minicnn.losses import Loss
from minicnn.models import Model
from minicnn.operations.operation import Saved, gradients, run


class Step(NamedTuple):
    """An operation that was run, with what its gradient needs."""

    reads: tuple[Any, ...]  # arrays and Parameters
    result: np.ndarray
    saved: Saved  # what the operation's backward pass needs


class Tape:
    """The outputs of all layers for given inputs, and gradients with respect to any of them.

    Parameters
    ----------
    model : Model
    x : (N, ...) array, or a list of arrays for a model with several inputs
        What the network is fed; converted to float32.
    training : bool, default False
        Run layers in training mode: dropout drops, batch normalization uses the batch's moments.

    Attributes
    ----------
    inputs : tuple of float32 arrays
    output : array
        The model's first output.
    steps : list of Step
        The operations in the order in which they ran.

    Examples
    --------
    >>> from minicnn.layers import Dense, Input
    >>> from minicnn.models import Sequential
    >>> model = Sequential([Input((2,)), Dense(1, kernel_initializer="ones", name="sum")])
    >>> tape = Tape(model, np.array([[1, 2]], np.float32))
    >>> tape["sum"].tolist()
    [[3.0]]
    >>> found = tape.gradient(tape["sum"], np.ones((1, 1), np.float32))
    >>> found.of(tape.inputs[0]).tolist()
    [[1.0, 1.0]]
    """

    def __init__(self, model: Model, x: Any, *, training: bool = False) -> None:
        self.steps: list[Step] = []
        arrays = x if isinstance(x, (list, tuple)) else [x]
        self.inputs = tuple(np.asarray(one, np.float32) for one in arrays)
        model.build_for(self.inputs)
        graph = model.graph
        found = graph.results(self._apply, *self.inputs, training=training)
        self._outputs = {t.layer.name: found[id(t)] for t in graph.tensors}
        self.output: np.ndarray = found[id(graph.outputs[0])]

    def __getitem__(self, layer: str) -> np.ndarray:
        """The output of the layer of that name; of a shared layer, that of its last call."""
        return self._outputs[layer]

    @property
    def scores(self) -> np.ndarray:
        """The output (N, classes), or the input of a softmax or sigmoid at the network's end."""
        last = self.steps[-1]
        activated = last.saved.operation.name in ("softmax", "sigmoid")
        return last.reads[0] if activated and last.result is self.output else self.output

    def losses(self, loss: Loss, labels: np.ndarray) -> np.ndarray:
        """Return each sample's loss, (N,), of labels that the loss has prepared."""
        with tracing(self._apply, training=False):
            values = loss.values(TracedTensor(labels), TracedTensor(self.output))
        found: np.ndarray = unwrapped(values)
        return found

    def gradient(self, result: np.ndarray, d_result: np.ndarray) -> Gradient:
        """Backpropagate from `result`, an array on the tape, to everything it was computed from.

        `d_result` is the gradient of some scalar by `result` and has its shape.
        """
        found = Gradient()
        found.add(result, d_result)
        for step in reversed(self.steps):
            dy = found.of(step.result)
            if dy is not None:
                _backward(step, dy, found)
        return found

    def _apply(self, operation: Any, *inputs: Any, **arguments: Any) -> np.ndarray:
        """Compute one operation and record it; layers call this in `forward`."""
        y, saved = run(operation, *map(array_of, inputs), **arguments)
        self.steps.append(Step(inputs, y, saved))
        return y


class Gradient:
    """Gradients by arrays and Parameters; those of a value that is read twice add up."""

    def __init__(self) -> None:
        self._found: dict[int, np.ndarray] = {}

    def of(self, value: Any) -> Any:
        """The gradient by this array or Parameter; None if the result does not depend on it."""
        return self._found.get(id(value))

    def add(self, value: Any, gradient: np.ndarray) -> None:
        """Add the gradient along one more path from `value` to the result."""
        earlier = self.of(value)
        self._found[id(value)] = gradient if earlier is None else earlier + gradient


def _backward(step: Step, dy: np.ndarray, found: Gradient) -> None:
    """Add the gradients by what one step read, given `dy`, the gradient by its result."""
    if step.saved.operation.constant:
        return
    names = (name.rstrip("?") for name in CONTRACTS[step.saved.operation.forward].reads)
    by_name = gradients(dy, step.saved)
    for name, read in zip(names, step.reads, strict=True):
        if read is not None and f"d{name}" in by_name:
            found.add(read, by_name[f"d{name}"])
