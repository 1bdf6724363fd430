"""What a layer is: arguments, parameters and one description of its computation.

A layer describes itself once, in `forward(apply, x, training=...)`, in terms of operations. The
description is read three ways, by three `apply`s: with arrays it computes (`layer(x)`), with
shapes it tells the output's shape, and `models/planner/plan.py` records it as steps of a program.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minicnn import initializers, random
from minicnn.checks import check_flag, check_name, check_one_shape, refuse_unknown
from minicnn.contracts import CONTRACTS, Shape, Spec
from minicnn.errors import ArgumentError, DTypeError, MiniCNNError, ShapeError
from minicnn.host_sync import mark_parameters_changed, synced
from minicnn.initializers import Initializer
from minicnn.layers.size_errors import explain_shrinking
from minicnn.ops.operation import Operation, Saved, infer
from minicnn.ops.operation import apply as run
from minicnn.support.auto_names import remember_name, unique_name
from minicnn.support.memory_limits import check_parameter
from minicnn.support.reprs import described

Apply = Callable[..., Any]  # (operation, *inputs, **arguments) -> the operation's first write

# What Dropout reads besides its input: (seed low, seed high, step low, step high), uint32.
RNG_KEY = Spec((4,), "uint32")


class FirstValues:
    """What a parameter holds at first, drawn when somebody looks at it.

    The numbers depend on the seed that was in use when the layer was built, on `place`, where in
    its network the layer stands, and on the parameter's own name in the layer.
    """

    def __init__(self, initializer: Initializer, shape: Shape, place: str, name: str) -> None:
        self.initializer, self.shape, self.place, self.name = initializer, shape, place, name
        self.seed = random.seed()

    def drawn(self) -> np.ndarray:
        """The numbers."""
        with random.seeded(self.seed):
            rng = random.generator(f"{self.place}/{self.name}")
        return self.initializer(self.shape, rng)


class Parameter:
    """Numbers that a layer owns: its weights and, not trainable, its running statistics.

    `array` never moves: engines keep its address and write into it. Everybody else looks at `value`
    and changes it by `assign`, so that what was made of parameters is known to be out of date.
    """

    def __init__(
        self,
        name: str,
        value: np.ndarray,
        *,
        trainable: bool = True,
        first: FirstValues | None = None,
    ) -> None:
        self.name, self._array, self.trainable = name, value, trainable
        self.first = first  # what `value` will hold when it is looked at; None: it is what it is
        self.multiplier = 1.0  # of the learning rate
        self.decay = value.ndim > 1  # weight decay is for weights, not for biases and scales

    @property
    def array(self) -> np.ndarray:
        """The memory; its newest numbers may be on a device."""
        if self.first is not None:
            self._array[...] = np.reshape(self.first.drawn(), self.shape)
            self.first = None
        return self._array

    @property
    def value(self) -> np.ndarray:
        """The array with its newest numbers, to be read."""
        view = synced(self.array).view()
        view.flags.writeable = False
        return view

    @property
    def shape(self) -> Shape:
        """Lengths of the array's axes."""
        return self._array.shape

    @property
    def size(self) -> int:
        """How many numbers."""
        return self._array.size

    @property
    def dtype(self) -> np.dtype:
        """The array's dtype, float32."""
        return self._array.dtype

    def assign(self, value: np.ndarray) -> None:
        """Copy new values in; they must have this parameter's shape."""
        if np.shape(value) != self.shape:
            raise ShapeError(f"{self.name} has shape {self.shape}; got {np.shape(value)}")
        self.first = None  # never to be drawn
        synced(self._array)[...] = value
        mark_parameters_changed()

    def __repr__(self) -> str:
        return f"<Parameter {self.name} {self.shape}>"

    def __getstate__(self) -> dict[str, Any]:
        """For copies and pickles: with the newest numbers."""
        synced(self.array)
        return vars(self)


class SymbolicTensor:
    """The promise of an array: its Spec (N is None) and the layer that will make it.

    `source` is what a Model is fed where this tensor is named as its input: the InputLayer's own
    tensor, if `Input(..., rescale=...)` put a layer behind it.
    """

    def __init__(self, spec: Spec, layer: Layer, inputs: tuple[SymbolicTensor, ...]) -> None:
        self.spec, self.layer, self.inputs = spec, layer, inputs
        self.source = self

    @property
    def shape(self) -> Shape:
        """(None, ...): the batch is not known yet."""
        return self.spec.shape

    @property
    def dtype(self) -> str:
        """Name of the dtype."""
        return self.spec.dtype

    def __repr__(self) -> str:
        return f"<SymbolicTensor {self.shape} from {self.layer.name}>"


class Layer:
    """A step of a model. A subclass gives `forward`, and `build` if it has parameters.

    Parameters
    ----------
    name : unique in a model; default: the class's name in lower case, numbered
    trainable : False keeps the parameters as they are while the rest of a model learns
    input_shape : shape of one sample; a model's first layer may say it in place of an Input
    """

    __repr__ = described
    takes_many = False  # True for layers that merge a list of inputs
    _name: str

    def __init__(
        self,
        *,
        name: str | None = None,
        trainable: bool = True,
        input_shape: Shape | None = None,
        **unknown: Any,
    ) -> None:
        refuse_unknown(type(self), unknown)
        self.parameters: list[Parameter] = []
        self.name = unique_name(type(self).__name__) if name is None else name
        # Where it stands in a network: the name that it was given, or what `give_places` finds.
        self.place = name
        self.trainable = trainable
        self.given_input_shape: Shape | None = None
        if input_shape is not None:
            self.given_input_shape = check_one_shape(input_shape, "input_shape")
        self.built = False

    @property
    def name(self) -> str:
        """Unique in a model. May be set at any time; the parameters' names follow."""
        return self._name

    @name.setter
    def name(self, name: str) -> None:
        check_name(name)
        for parameter in self.parameters:
            parameter.name = f"{name}/{parameter.name.removeprefix(f'{self._name}/')}"
        self._name = name
        remember_name(name)

    @property
    def trainable(self) -> bool:
        """Do its parameters learn? May be set at any time, also after `compile`."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = check_flag(value, f"{self.name}.trainable")

    def build(self, *input_shapes: Shape) -> None:
        """Make the parameters; shapes start with None for N."""

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Describe the computation: results of `apply(operation, ...)`."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, JSON-able: `type(layer)(**layer.get_config())`."""
        return {"name": self.name, "trainable": self.trainable}

    def __call__(self, *inputs: Any, training: bool = False) -> Any:
        """Arrays in, arrays out; or SymbolicTensors in, one out, and the layer joins a graph."""
        if len(inputs) == 1 and isinstance(inputs[0], (list, tuple)):
            inputs = tuple(inputs[0])
        try:
            self._check_inputs(inputs)
            if isinstance(inputs[0], SymbolicTensor):
                return self._join(inputs)
            self._build_once(*(x.shape for x in inputs))
            return self.forward(compute, *inputs, training=training)
        except MiniCNNError as err:
            raise self._named(err) from None

    def output_spec(self, *inputs: Spec) -> Spec:
        """Spec of the result for inputs of these Specs; builds the layer if need be."""
        self._build_once(*(x.shape for x in inputs))
        spec = self.forward(_infer, *inputs, training=False)
        if not isinstance(spec, Spec):
            raise ArgumentError(
                f"{self.name}: forward must return what apply(...) gave; got {type(spec).__name__}"
            )
        return spec

    def add_parameter(
        self,
        name: str,
        shape: Shape,
        initializer: str | Initializer,
        *,
        trainable: bool = True,
        drawn_as: Shape | None = None,
    ) -> Parameter:
        """A new parameter; its first values depend on the seed, the layer's place and this name.

        `drawn_as` is the shape that the initializer is told, where it is another than `shape`.
        """
        check_parameter(shape)
        full_name = f"{self.name}/{name}"
        if any(parameter.name == full_name for parameter in self.parameters):
            raise ArgumentError(f"has a parameter {name!r} already; choose another name")
        place = self.name if self.place is None else self.place
        first = FirstValues(initializers.get(initializer), drawn_as or shape, place, name)
        value = aligned(shape, "float32")
        parameter = Parameter(full_name, value, trainable=trainable, first=first)
        self.parameters.append(parameter)
        return parameter

    @property
    def drawn(self) -> bool:
        """Has any of its parameters numbers that somebody may have seen?"""
        return any(parameter.first is None for parameter in self.parameters)

    def stand_at(self, place: str) -> None:
        """Take a place in a network: first values that nobody has seen will be drawn for it."""
        self.place = place
        for parameter in self.parameters:
            if parameter.first is not None:
                parameter.first.place = place

    def flops(self, inputs: Sequence[Spec], output: Spec) -> int:
        """Operations for one image; a product that is added to a sum counts as two."""
        return math.prod(output.shape[1:]) * self.work(*(x.shape for x in inputs))

    def work(self, *input_shapes: Shape) -> int:
        """Operations for one number of the output. Biases and activations are not counted."""
        return 1

    def _check_inputs(self, inputs: tuple[Any, ...]) -> None:
        """Arrays only or SymbolicTensors only, as many as the layer takes."""
        if self.takes_many and len(inputs) < 2:
            raise ArgumentError(f"takes a list of at least 2 inputs; got {len(inputs)}")
        if not self.takes_many and len(inputs) != 1:
            raise ArgumentError(f"takes one input; got {len(inputs)}")
        kind = SymbolicTensor if isinstance(inputs[0], SymbolicTensor) else np.ndarray
        for x in inputs:
            if not isinstance(x, kind):
                needed = "a NumPy array, or what Input(...) and layers return"
                raise DTypeError(f"the input must be {needed}; got {type(x).__name__}")

    def _build_once(self, *input_shapes: Shape) -> None:
        if not self.built:
            self.build(*input_shapes)
            self.built = True

    def _join(self, inputs: tuple[SymbolicTensor, ...]) -> SymbolicTensor:
        try:
            spec = self.output_spec(*(x.spec for x in inputs))
        except ShapeError as err:
            raise ShapeError(f"{err}{explain_shrinking(inputs, self)}") from None
        return SymbolicTensor(spec, self, inputs)

    def _named(self, err: MiniCNNError) -> MiniCNNError:
        """The same error, starting with the layer's name."""
        text = str(err)
        return err if text.startswith(f"{self.name}: ") else type(err)(f"{self.name}: {text}")


def aligned(shape: Shape, dtype: str) -> np.ndarray:
    """An uninitialized array that starts at a multiple of 64 bytes, a cache line."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    memory = np.empty(size + 64, np.uint8)
    start = -memory.ctypes.data % 64
    return memory[start : start + size].view(dtype).reshape(shape)


def compute(operation: Operation, *inputs: Any, **arguments: Any) -> np.ndarray:
    """The `apply` that computes; new running statistics go into their Parameters."""
    y, saved = run(operation, *map(_array, inputs), **arguments)
    _store_updates(inputs, saved)
    return y


def _store_updates(inputs: tuple[Any, ...], saved: Saved) -> None:
    reads = CONTRACTS[saved.operation.forward].reads
    for name, value in saved.updates.items():
        target = inputs[reads.index(name)]
        if isinstance(target, Parameter):
            target.assign(value)


def _array(x: Any) -> np.ndarray | None:
    if x is RNG_KEY:
        return random.rng_key(0)
    return x.value if isinstance(x, Parameter) else x


def _infer(operation: Operation, *inputs: Any, **arguments: Any) -> Spec:
    attributes = operation.resolve(*inputs, **arguments)
    return infer(CONTRACTS[operation.forward], inputs, attributes)[0]
