"""The steps that a network runs for one image: which operation each is, and what it reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from minicnn.apps.explorer.problems import Problem
from minicnn.contracts import CONTRACTS, Shape, Spec
from minicnn.layers.base import Layer
from minicnn.models import Model
from minicnn.models.planner.trace import Trace, Value
from minicnn.operations.operation import Operation

# Every product of the formula is computed. Winograd's algorithm, which programs may use, has larger
# rounding errors: a value that should be 0 is not.
DIRECT = {"algorithm": "direct"}
INPUT = -1  # the number of the "step" whose result is the network's input


class Source(NamedTuple):
    """Where a step takes an array from: an earlier step, a parameter, or an array of constants."""

    step: int | None = None  # INPUT is the network's input
    parameter: str = ""
    constant: np.ndarray | None = None


class Step(NamedTuple):
    """One operation of a network.

    `reads` has a source for each array that the operation reads, by its name in the contract;
    arrays that are left out, such as the bias of a layer without one, are not in it. `shape` is
    that of the result of one image, without the batch axis. What is computed from parameters alone
    has none.
    """

    number: int
    operation: Operation
    layer: str
    reads: dict[str, Source]
    attributes: dict[str, Any]
    shape: Shape

    @property
    def name(self) -> str:
        """The name of the operation."""
        return self.operation.name

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters that it reads: their names by their names in the contract."""
        return {name: one.parameter for name, one in self.reads.items() if one.parameter}


class Reader(NamedTuple):
    """A step that reads an array, by this name in its contract."""

    step: Step
    name: str


class Recording:
    """All steps of a network for one image, in the order in which they run.

    Parameters
    ----------
    model : the network
    name : what errors call it

    Raises
    ------
    Problem : the network takes something else than one image of a fixed size
    """

    def __init__(self, model: Model, name: str) -> None:
        self.input_shape = _input_shape(model, name)
        trace = _LayerTrace(model)
        value = Value("input", Spec((1, *self.input_shape)), "input")
        outputs = model.graph.inner_forward(_Apply(trace, ()), value, training=False)
        self.steps = _steps(trace, value, model)
        if not self.steps or len(outputs) != 1 or trace.rng_key is not None:
            raise Problem(
                f"{name} cannot be explored: it must compute one output from its image, "
                "without random numbers"
            )
        self.output = next(i for i, n in enumerate(trace.nodes) if n.writes[0] is outputs[0])

    def shape_of(self, step: int) -> Shape:
        """Return the shape of a step's result, without the batch axis; of the input for INPUT."""
        return self.input_shape if step == INPUT else self.steps[step].shape

    def readers(self, step: int) -> Iterator[Reader]:
        """Return the steps that read the result of a step, or the input."""
        return self._reading(lambda source: source.step == step)

    def users(self, parameter: str) -> Iterator[Reader]:
        """Return the steps that read a parameter."""
        return self._reading(lambda source: source.parameter == parameter)

    def _reading(self, wanted: Any) -> Iterator[Reader]:
        for step in self.steps:
            for name, source in step.reads.items():
                if wanted(source):
                    yield Reader(step, name)


class _LayerTrace(Trace):
    """Records operations with the name of the layer that each belongs to."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model
        self.layers: list[str] = []


class _Apply:
    """The `apply` of the recording inside one call of a layer."""

    def __init__(self, trace: _LayerTrace, names: tuple[str, ...]) -> None:
        self._trace, self._names = trace, names

    def __call__(self, operation: Operation, *inputs: Any, **arguments: Any) -> Value:
        value = self._trace.apply(operation, *inputs, **arguments)
        self._trace.layers.append("/".join(self._names))
        return value

    def inside(self, layer: Layer) -> _Apply:
        """Return the `apply` inside a layer, which is asked for at each of its calls."""
        outermost = layer is self._trace.model
        return _Apply(self._trace, self._names if outermost else (*self._names, layer.name))


def shown_shape(shape: Shape) -> Shape:
    """Return the shape of a result without the batch axis, which has length 1."""
    lengths = tuple(map(int, shape))
    return lengths[1:] if lengths[:1] == (1,) else lengths


def _input_shape(model: Model, name: str) -> tuple[int, int, int]:
    shape = model.input_shape
    if not isinstance(shape, tuple):
        raise Problem(
            f"{name} has {len(shape)} inputs; only networks with one input, an image, can be "
            "explored"
        )
    if len(shape) != 4 or None in shape[1:] or shape[3] not in (1, 3, 4):
        raise Problem(
            f"{name} takes {shape}; only networks can be explored that take one image of "
            "a fixed size with 1, 3 or 4 channels: (None, height, width, channels)"
        )
    return shape[1], shape[2], shape[3]


def _steps(trace: _LayerTrace, value: Value, model: Model) -> list[Step]:
    numbers = {id(node.writes[0]): index for index, node in enumerate(trace.nodes)}
    numbers[id(value)] = INPUT
    paths = {id(parameter): path for path, parameter in model.named_parameters().items()}

    def source(read: Value) -> Source:
        if id(read) in numbers:
            return Source(step=numbers[id(read)])
        if id(read) in trace.parameters:
            return Source(parameter=paths[id(trace.parameters[id(read)])])
        return Source(constant=read.array)

    def step(index: int) -> Step:
        node = trace.nodes[index]
        names = (name.rstrip("?") for name in CONTRACTS[node.operation.forward].reads)
        pairs = zip(names, node.reads, strict=True)
        reads = {name: source(read) for name, read in pairs if read is not None}
        shape, operation = shown_shape(node.writes[0].shape), node.operation
        attributes = node.attributes | (DIRECT if operation.name == "conv2d" else {})
        return Step(index, operation, trace.layers[index], reads, attributes, shape)

    return [step(index) for index in range(len(trace.nodes))]
