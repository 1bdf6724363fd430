"""The base class of all layers, and the tensors that join layers to a network.

A layer describes its computation once, in `forward(apply, x, training=...)`, by applying
operations. That description is used in three ways, each with an `apply` of its own: on arrays it
computes (`layer(x)`), on shapes it gives the shape of the output, and `models/planner/plan.py`
records it as the steps of a program.
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
from minicnn.initializers import Initializer
from minicnn.layers.parameter import InitialValues, Parameter, aligned
from minicnn.layers.size_errors import explain_shrinking
from minicnn.ops.operation import Operation, Saved, infer, run
from minicnn.support.auto_names import remember_name, unique_name
from minicnn.support.memory_limits import check_parameter
from minicnn.support.reprs import repr_from_config

Apply = Callable[..., Any]  # (operation, *inputs, **arguments) -> the operation's first result

# The placeholder of an operation's input that is the step's RNG key: (seed low, seed high, step
# low, step high), uint32.
RNG_KEY = Spec((4,), "uint32")


class SymbolicTensor:
    """The description of an array that a layer will compute: its Spec, with N = None.

    `source` is the tensor that a Model is fed with where this one is named as an input. It is
    another tensor only after `Input(..., rescale=...)`, which adds a Rescaling layer.
    """

    def __init__(self, spec: Spec, layer: Layer, inputs: tuple[SymbolicTensor, ...]) -> None:
        self.spec, self.layer, self.inputs = spec, layer, inputs
        self.source = self

    @property
    def shape(self) -> Shape:
        """The array's shape, (None, ...): the batch size is not known yet."""
        return self.spec.shape

    @property
    def dtype(self) -> str:
        """The name of the array's dtype."""
        return self.spec.dtype

    def path(self) -> list[SymbolicTensor]:
        """Return the tensors from the input to this one; [] if a layer between has more inputs."""
        tensors = [self]
        while tensors[0].inputs:
            if len(tensors[0].inputs) > 1:
                return []
            tensors.insert(0, tensors[0].inputs[0])
        return tensors

    def __repr__(self) -> str:
        return f"<SymbolicTensor {self.shape} from {self.layer.name}>"


class Layer:
    """One layer of a network. A subclass defines `forward`, and `build` if it has parameters.

    Parameters
    ----------
    name : unique in a model; default: the class's name in lower case, numbered
    trainable : False keeps the parameters as they are while the rest of a model learns
    input_shape : shape of one sample, (H, W, C) for images; for a model without an Input, whose
        first layer may have it

    Notes
    -----
    `forward` never computes by itself, but applies operations of `minicnn.ops`, which have a
    kernel and a gradient on every engine. So a layer that is written as below trains, is fused
    with its neighbors and runs on the GPU without further code. To load a saved model that has
    it, Python must know the class: `register_layer`, or `custom_objects` of `load_model`.

    Examples
    --------
    A layer with parameters: two dense layers whose result is added to the input.

    >>> import minicnn as mc
    >>> from minicnn.ops.activations import RELU
    >>> from minicnn.ops.dense import DENSE
    >>> from minicnn.ops.elementwise import ADD
    >>> @mc.layers.register_layer
    ... class ResidualBlock(mc.layers.Layer):
    ...     # x + relu(x @ inner) @ outer, for an input (N, features)
    ...
    ...     def __init__(self, hidden, **options):  # options: name, trainable, input_shape
    ...         super().__init__(**options)
    ...         self.hidden = hidden
    ...
    ...     def build(self, *input_shapes):  # one shape per input, here (N or None, features)
    ...         features = input_shapes[0][1]
    ...         self.inner = self.add_parameter("inner", (features, self.hidden), "he_normal")
    ...         self.outer = self.add_parameter("outer", (self.hidden, features), "zeros")
    ...
    ...     def forward(self, apply, *inputs, training):
    ...         y = apply(RELU, apply(DENSE, inputs[0], self.inner, None))  # None: no bias
    ...         return apply(ADD, inputs[0], apply(DENSE, y, self.outer, None))
    ...
    ...     def get_config(self):  # what the constructor needs to make this layer again
    ...         return {**super().get_config(), "hidden": self.hidden}

    It computes on arrays, and becomes part of a model, which counts and trains its parameters.
    With `outer` at zero, it begins as the identity:

    >>> ResidualBlock(16)(np.ones((1, 3), np.float32)).tolist()
    [[1.0, 1.0, 1.0]]
    >>> model = mc.Sequential([mc.Input((3,)), ResidualBlock(16), mc.layers.Dense(2)])
    >>> model.output_shape, model.count_params()
    ((None, 2), 104)
    """

    __repr__ = repr_from_config
    takes_many = False  # True for layers that merge a list of inputs
    moves_pixels = False  # True for layers that take uint8 images and keep the range of pixels
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
        # The name that the initial values are drawn for: the given one, or one by the layer's
        # class and position, see `minicnn.models.rng_keys`. None: not known yet.
        self.rng_name = name
        self.trainable = trainable
        self.given_input_shape: Shape | None = None
        if input_shape is not None:
            self.given_input_shape = check_one_shape(input_shape, "input_shape")
        self.built = False

    @property
    def name(self) -> str:
        """The layer's name, unique in a model. May be set; the parameters' names follow."""
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
        """Whether training changes the parameters. May be set at any time, also after `compile`."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = check_flag(value, f"{self.name}.trainable")

    def build(self, *input_shapes: Shape) -> None:
        """Create the parameters by `add_parameter`. Called once, before the first `forward`.

        `input_shapes` are the shapes of the inputs, each with N, or None, as its first length.
        """

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Describe the computation and return its result, that of an `apply(operation, ...)`.

        Parameters
        ----------
        apply : function of (operation, *inputs, **arguments), which returns the operation's result
        inputs : one or more arrays, or placeholders for them, which also have `shape` and `dtype`
        training : True in a training step, False at inference
        """
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, JSON-able: `type(layer)(**config)` is the same."""
        return {"name": self.name, "trainable": self.trainable}

    def __call__(self, *inputs: Any, training: bool = False) -> Any:
        """Compute the output for arrays, or add the layer to a network after SymbolicTensors."""
        if len(inputs) == 1 and isinstance(inputs[0], (list, tuple)):
            inputs = tuple(inputs[0])
        try:
            self._check_inputs(inputs)
            if isinstance(inputs[0], SymbolicTensor):
                return self._join(inputs)
            self._build_once(*(x.shape for x in inputs))
            return self.forward(compute, *inputs, training=training)
        except MiniCNNError as err:
            raise self._with_name(err) from None

    def output_spec(self, *inputs: Spec) -> Spec:
        """Return the Spec of the output for inputs of these Specs; builds the layer if needed."""
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
        initializer_shape: Shape | None = None,
    ) -> Parameter:
        """Create a parameter, an array that belongs to this layer.

        Parameters
        ----------
        name : tells it apart from the layer's other parameters
        shape : of the array, which is float32
        initializer : name of an initializer, or one; it draws the initial values, which depend on
            the seed, the layer and `name` alone
        trainable : False for an array that training does not change by its gradient
        initializer_shape : the shape that the initializer draws for, if it is another than `shape`

        Raises
        ------
        ArgumentError : the layer has a parameter of that name already
        SizeLimitError : the array would be larger than `minicnn.set_memory_limit` allows
        """
        check_parameter(shape)
        full_name = f"{self.name}/{name}"
        if any(parameter.name == full_name for parameter in self.parameters):
            raise ArgumentError(f"has a parameter {name!r} already; choose another name")
        rng_name = self.name if self.rng_name is None else self.rng_name
        drawn_shape = initializer_shape or shape
        initial = InitialValues(initializers.get(initializer), drawn_shape, rng_name, name)
        value = aligned(shape, "float32")
        parameter = Parameter(full_name, value, trainable=trainable, initial=initial)
        self.parameters.append(parameter)
        return parameter

    @property
    def is_drawn(self) -> bool:
        """Whether the initial values of any parameter have been drawn or replaced."""
        return any(parameter.initial is None for parameter in self.parameters)

    def set_rng_name(self, name: str) -> None:
        """Draw initial values for this name, as far as they have not been drawn yet."""
        self.rng_name = name
        for parameter in self.parameters:
            if parameter.initial is not None:
                parameter.initial.rng_name = name

    def flops(self, inputs: Sequence[Spec], output: Spec) -> int:
        """Return the operations per image; a product that is added to a sum counts as two."""
        return math.prod(output.shape[1:]) * self.flops_per_value(*(x.shape for x in inputs))

    def flops_per_value(self, *input_shapes: Shape) -> int:
        """Return the operations per element of the output, biases and activations not counted."""
        return 1

    def _check_inputs(self, inputs: tuple[Any, ...]) -> None:
        """Raise unless inputs are all arrays or all SymbolicTensors, as many as the layer takes."""
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
        """Return the tensor that this layer will compute from these."""
        try:
            spec = self.output_spec(*(x.spec for x in inputs))
        except ShapeError as err:
            path = inputs[0].path() if len(inputs) == 1 else []
            layers = [tensor.layer.output_spec for tensor in path[1:]] + [self.output_spec]
            hint = explain_shrinking([tensor.spec for tensor in path], layers)
            raise ShapeError(f"{err}{hint}") from None
        return SymbolicTensor(spec, self, inputs)

    def _with_name(self, err: MiniCNNError) -> MiniCNNError:
        """Return the same error with the layer's name in front of its text."""
        text = str(err)
        return err if text.startswith(f"{self.name}: ") else type(err)(f"{self.name}: {text}")


def compute(operation: Operation, *inputs: Any, **arguments: Any) -> np.ndarray:
    """Run an operation on arrays and Parameters; new running statistics go into Parameters."""
    y, saved = run(operation, *map(array_of, inputs), **arguments)
    _store_updates(inputs, saved)
    return y


def _store_updates(inputs: tuple[Any, ...], saved: Saved) -> None:
    """Assign the operation's updates, such as moving statistics, to their Parameters."""
    reads = CONTRACTS[saved.operation.forward].reads
    for name, value in saved.updates.items():
        target = inputs[reads.index(name)]
        if isinstance(target, Parameter):
            target.assign(value)


def array_of(x: Any) -> np.ndarray | None:
    """Return the array of an operation's input, which may be a Parameter; None stays None."""
    if x is RNG_KEY:
        return random.rng_key(0)
    return x.value if isinstance(x, Parameter) else x


def _infer(operation: Operation, *inputs: Any, **arguments: Any) -> Spec:
    """Return the Spec of an operation's result, from Specs and Parameters."""
    attributes = operation.resolve(*inputs, **arguments)
    return infer(CONTRACTS[operation.forward], inputs, attributes)[0]
