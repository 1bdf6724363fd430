"""The base class of all layers, and the tensors that join layers to a network.

A layer describes its computation once, in `call(x)` as in Keras, or in `forward(apply, x,
training=...)`, by applying operations. That description is used in three ways, each with an `apply`
of its own: on arrays it computes (`layer(x)`), on shapes it gives the shape of the output, and
`models/planner/plan.py` records it as the steps of a program.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn import initializers
from minicnn.checks import (
    check_flag,
    check_name,
    check_one_shape,
    quoted,
    refuse_unknown,
    shape_text,
)
from minicnn.contracts import Shape, Spec
from minicnn.errors import ArgumentError, DTypeError, MiniCNNError, ShapeError
from minicnn.initializers import Initializer
from minicnn.layers.apply import Apply, compute, infer_spec, inside
from minicnn.layers.built import marks_built
from minicnn.layers.given_arguments import ConstructorCall, given_arguments
from minicnn.layers.inspection import Inspection, check_dtype
from minicnn.layers.parameter import InitialValues, Parameter, aligned
from minicnn.layers.size_errors import explain_shrinking
from minicnn.layers.symbolic import InputAt, LayerCall, SymbolicTensor
from minicnn.layers.tracing import TracedTensor, add_penalty, current_scope, tracing, unwrapped
from minicnn.layers.unknown_sizes import infer_unknown
from minicnn.layers.weights import Weights
from minicnn.support.arrays import as_result
from minicnn.support.auto_names import numbered, remember_name, unique_name
from minicnn.support.memory_limits import check_parameter
from minicnn.support.reprs import repr_from_config
from minicnn.support.structures import flat, leaves, mapped, replaced, single


class Layer(Inspection, Weights):
    """One layer of a network. A subclass defines `forward`, and `build` if it has parameters.

    Parameters
    ----------
    name : unique in a model; default: the class's name in lower case, numbered
    trainable : False keeps the parameters as they are while the rest of a model learns
    input_shape : shape of one sample, (H, W, C) for images; for a model without an Input, whose
        first layer may have it

    Notes
    -----
    `forward` never computes by itself, but applies operations of `minicnn.operations`, which have a
    kernel and a gradient on every engine. So a layer that is written as below trains, is fused
    with its neighbors and runs on the GPU without further code. To load a saved model that has
    it, Python must know the class: `register_layer`, or `custom_objects` of `load_model`.

    Examples
    --------
    A layer with parameters: two dense layers whose result is added to the input.

    >>> import minicnn as mc
    >>> from minicnn.operations.activations import RELU
    >>> from minicnn.operations.dense import DENSE
    >>> from minicnn.operations.elementwise import ADD
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
    constructed_with = ConstructorCall((), {})

    def __init__(
        self,
        *,
        name: str | None = None,
        trainable: bool = True,
        input_shape: Shape | None = None,
        dtype: str | None = None,
        activity_regularizer: Any = None,
        input_dim: int | None = None,
        batch_input_shape: Shape | None = None,
        **unknown: Any,
    ) -> None:
        refuse_unknown(type(self), unknown)
        check_dtype(dtype)
        if input_dim is not None:
            input_shape = (input_dim,)
        if batch_input_shape is not None:
            if not isinstance(batch_input_shape, (list, tuple)):
                raise ArgumentError(
                    "batch_input_shape must be (None, H, W, C) for images; got "
                    f"{quoted(batch_input_shape)}"
                )
            input_shape = tuple(batch_input_shape)[1:]
        self.own_parameters: list[Parameter] = []
        self.name = unique_name(type(self).__name__) if name is None else name
        # The name that the initial values are drawn for: the given one, or one by the layer's
        # class and position, see `minicnn.models.rng_keys`. None: not known yet.
        self.rng_name = name
        self.trainable = trainable
        self.given_input_shape: Shape | None = None
        if input_shape is not None:
            self.given_input_shape = check_one_shape(input_shape, "input_shape")
        self.built = False
        self.activity_regularizer = activity_regularizer
        self.eager_losses: list[Any] = []  # what `add_loss` was given in the last call on arrays

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute; a Variable, or a Parameter of no other layer, becomes a weight."""
        if isinstance(value, Parameter) and value.is_free:
            value.is_free = False
            self.own_parameters.append(value)
        super().__setattr__(name, value)

    @property
    def name(self) -> str:
        """The layer's name, unique in a model. May be set; the parameters' names follow."""
        return self._name

    @name.setter
    def name(self, name: str) -> None:
        check_name(name)
        for parameter in self.own_parameters:
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
        for layer in self.sublayers:
            layer.trainable = value

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """Remember the constructor's arguments, for the `get_config` of classes without one."""
        layer = super().__new__(cls)
        layer.constructed_with = ConstructorCall(args, kwargs)
        return layer

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "build" in vars(cls):
            cls.build = marks_built(cls.build)  # type: ignore[method-assign]

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
        raise NotImplementedError(
            f"{type(self).__name__} needs a method call(self, x), which computes its output"
        )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, JSON-able: `type(layer)(**config)` is the same."""
        known = {"name": self.name, "trainable": self.trainable}
        given = given_arguments(self)
        if given is None:
            return known
        return given.arguments | {
            name: value
            for name, value in known.items()
            if given.takes_options or name in given.arguments
        }

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the output with functions of `minicnn.ops` and other layers, as in Keras.

        It may take `training`. It is run on placeholders when a network is planned, once for each
        shape of the inputs and for training and inference, so it must not look at values.
        """
        raise NotImplementedError

    @property
    def has_call(self) -> bool:
        """Whether the class describes its computation by `call`, not by `forward`."""
        return type(self).call is not Layer.call

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the output for arrays, or add the layer to a network after SymbolicTensors."""
        inputs = self._inputs(args, kwargs)
        try:
            self._check_inputs(inputs)
            if isinstance(inputs[0], SymbolicTensor):
                return self._join(inputs, args, kwargs)
            scope = current_scope()
            training = kwargs.pop("training", None)
            if training is None:
                training = scope is not None and scope.training
            apply = compute if scope is None else scope.apply
            self._build_once(self._shapes(args, kwargs))
            if scope is None:
                self._forget_losses()
            args, kwargs = replaced((args, kwargs), TracedTensor, unwrapped)
            result = self.run(apply, args, kwargs, training=training)
            if scope is not None:
                if isinstance(result, Spec):
                    self.traced_shape = (None, *result.shape[1:])
                return mapped(result, scope.wrapped)
            # An input that is returned as it is stays the same object.
            return mapped(result, lambda y: y if any(y is x for x in inputs) else as_result(y))
        except MiniCNNError as err:
            raise self._with_name(err) from None

    def run(
        self, apply: Apply, args: tuple[Any, ...], kwargs: dict[str, Any], *, training: bool
    ) -> Any:
        """Describe the computation of one call: by `call` if the class has one, else by `forward`.

        `args` and `kwargs` are those of the call, with what `apply` works on as inputs.
        """
        apply = inside(apply, self)
        if not self.has_call:
            result = self.forward(apply, *self._flat(args), training=training)
            if self.activity_regularizer is not None and apply is not infer_spec:
                with tracing(apply, training) as scope:
                    self._regularize(mapped(result, scope.wrapped))
            return result
        if "training" in inspect.signature(self.call).parameters:
            kwargs = {**kwargs, "training": training}
        with tracing(apply, training) as scope:
            args, kwargs = mapped((args, kwargs), scope.wrapped)
            result = self.call(*args, **kwargs)
            self._regularize(result)
            return mapped(result, unwrapped)

    def _regularize(self, result: Any) -> None:
        """Add the penalty of `activity_regularizer`, which Keras divides by the batch size."""
        if self.activity_regularizer is not None:
            for y in flat(result):
                self.add_loss(self.activity_regularizer(y) / max(y.shape[0], 1))

    @property
    def losses(self) -> list[Any]:
        """What was added to the loss in the last call on arrays, and the regularizers' values."""
        added = [one for layer in self.flattened() for one in layer.eager_losses]
        rules = ((p.regularizer, p) for p in self.trainable_parameters)
        return added + [rule(parameter) for rule, parameter in rules if rule is not None]

    def _forget_losses(self) -> None:
        for layer in self.flattened():
            layer.eager_losses.clear()

    def add_loss(self, loss: Any) -> None:
        """Add a scalar that is computed in `call` to the loss of the training."""
        scope = current_scope()
        if scope is None or scope.apply is compute:
            self.eager_losses.append(loss)
        else:
            add_penalty(unwrapped(loss))

    def output_spec(self, *inputs: Spec) -> Any:
        """Return the Spec of the output for inputs of these Specs; builds the layer if needed.

        A layer with several outputs returns them as its `call` does, in a list or a dict.
        """
        return self._specs(inputs, {})

    def _specs(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Return the Specs of a call's outputs; Specs take the places of the inputs."""
        self._build_once(self._shapes(args, kwargs))
        training = bool(kwargs.pop("training", False))
        return infer_unknown(
            lambda given: self._known_specs(*given, training=training),
            (args, kwargs),
            exact=not any(layer.has_call for layer in self.flattened()),
        )

    def _known_specs(self, args: tuple[Any, ...], kwargs: dict[str, Any], *, training: bool) -> Any:
        found = self.run(infer_spec, args, kwargs, training=training)
        if not all(isinstance(one, Spec) for one in flat(found)):
            method = "call" if self.has_call else "forward"
            raise ArgumentError(
                f"{self.name}: {method} must return what operations gave; got "
                f"{type(found).__name__}"
            )
        return found

    def add_parameter(
        self,
        name: str,
        shape: Shape,
        initializer: str | Initializer,
        *,
        trainable: bool = True,
        initializer_shape: Shape | None = None,
        regularizer: Any = None,
        constraint: Any = None,
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
        regularizer : function of the array whose result is added to the loss; default None
        constraint : function of the array that replaces it after each update; default None

        Raises
        ------
        ArgumentError : the layer has a parameter of that name already
        SizeLimitError : the array would be larger than `minicnn.set_memory_limit` allows
        """
        if None in shape:
            raise ShapeError(
                f"its weights would be {shape_text(shape)}, but they need known lengths; give "
                "Input a fixed size, or use GlobalAveragePooling2D in place of Flatten"
            )
        check_parameter(shape)
        full_name = f"{self.name}/{name}"
        if any(parameter.name == full_name for parameter in self.own_parameters):
            raise ArgumentError(f"has a parameter {name!r} already; choose another name")
        rng_name = self.name if self.rng_name is None else self.rng_name
        drawn_shape = initializer_shape or shape
        initial = InitialValues(initializers.get(initializer), drawn_shape, rng_name, name)
        value = aligned(shape, "float32")
        parameter = Parameter(full_name, value, trainable=trainable, initial=initial)
        parameter.regularizer, parameter.constraint = regularizer, constraint
        self.own_parameters.append(parameter)
        return parameter

    def add_weight(
        self,
        shape: Shape | None = None,
        initializer: Any = None,
        dtype: str | None = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        aggregation: str | None = None,
        overwrite_with_gradient: bool = False,
        name: str | None = None,
    ) -> Parameter:
        """Create a weight in `build`, by Keras's name and arguments; see `add_parameter`.

        The default shape is that of a scalar, and the default initializer "glorot_uniform".
        """
        check_dtype(dtype)
        shape = () if shape is None else tuple(shape)
        if name is None:
            name = numbered("variable", len(self.own_parameters))
        return self.add_parameter(
            name,
            shape,
            initializer or "glorot_uniform",
            trainable=trainable,
            regularizer=regularizer,
            constraint=constraint,
        )

    @property
    def is_drawn(self) -> bool:
        """Whether the initial values of any parameter have been drawn or replaced."""
        return any(parameter.initial is None for parameter in self.own_parameters)

    def set_rng_name(self, name: str) -> None:
        """Draw initial values for this name, as far as they have not been drawn yet."""
        self.rng_name = name
        for parameter in self.own_parameters:
            if parameter.initial is not None:
                parameter.initial.rng_name = name

    def flops(self, inputs: Sequence[Spec], output: Spec) -> int:
        """Return the operations per image; a product that is added to a sum counts as two."""
        return math.prod(output.shape[1:]) * self.flops_per_value(*(x.shape for x in inputs))

    def flops_per_value(self, *input_shapes: Shape) -> int:
        """Return the operations per element of the output, biases and activations not counted."""
        return 1

    def _flat(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the inputs of a `forward`, which are given as a list or one after the other."""
        one = (
            len(args) == 1 and isinstance(args[0], (list, tuple)) and not isinstance(args[0], Spec)
        )
        return tuple(args[0]) if one else args

    def _inputs(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        """Return the tensors or arrays among a call's arguments."""
        if not self.has_call:
            return self._flat(args)
        return tuple(leaves((args, kwargs), TENSORS)) or args

    def _check_inputs(self, inputs: tuple[Any, ...]) -> None:
        """Raise unless inputs are all arrays or all SymbolicTensors, as many as the layer takes."""
        if self.takes_many and len(inputs) < 2:
            raise ArgumentError(f"takes a list of at least 2 inputs; got {len(inputs)}")
        if not self.takes_many and not self.has_call and len(inputs) != 1:
            raise ArgumentError(f"takes one input; got {len(inputs)}")
        symbolic = any(isinstance(x, SymbolicTensor) for x in inputs)
        kind = SymbolicTensor if symbolic else (np.ndarray, TracedTensor, Parameter)
        for x in inputs or (None,):
            if self.input_spec is not None and hasattr(x, "shape"):
                self.input_spec.check(tuple(x.shape))
            if not isinstance(x, kind):
                needed = "a NumPy array, or what Input(...) and layers return"
                raise DTypeError(f"the input must be {needed}; got {type(x).__name__}")

    def _shapes(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        """Return the arguments of `build`: the shapes of the inputs."""
        if not self.has_call:
            return tuple(x.shape for x in self._flat(args))
        return (
            replaced(
                args[0] if args else list(leaves(kwargs, DESCRIBED)),
                DESCRIBED,
                lambda x: tuple(x.shape),
            ),
        )

    def _build_once(self, shapes: tuple[Any, ...]) -> None:
        if not self.built:
            self.build(*shapes)
            self.built = True

    def _join(
        self, inputs: tuple[SymbolicTensor, ...], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Return the tensor, or tensors, that this layer will compute from these."""
        if not self.has_call:
            args = tuple(inputs)
        specs = replaced((args, kwargs), SymbolicTensor, lambda tensor: tensor.spec)
        try:
            found = self._specs(*specs)
        except ShapeError as err:
            path = inputs[0].path() if len(inputs) == 1 else []
            layers = [tensor.layer.output_spec for tensor in path[1:]] + [self.output_spec]
            hint = explain_shrinking([tensor.spec for tensor in path], layers)
            raise ShapeError(f"{err}{hint}") from None
        places = {id(x): InputAt(i) for i, x in enumerate(inputs)}
        arguments = replaced((args, kwargs), SymbolicTensor, lambda tensor: places[id(tensor)])
        call = LayerCall(self, inputs, arguments)
        numbers = iter(range(len(flat(found))))
        joined = replaced(found, Spec, lambda spec: SymbolicTensor(spec, call, next(numbers)))
        if self.first_output is None:
            self.first_input, self.first_output = single(list(inputs)), joined
        return joined

    def _with_name(self, err: MiniCNNError) -> MiniCNNError:
        """Return the same error with the layer's name in front of its text."""
        text = str(err)
        return err if text.startswith(f"{self.name}: ") else type(err)(f"{self.name}: {text}")


TENSORS = (np.ndarray, SymbolicTensor, TracedTensor)
DESCRIBED = (*TENSORS, Spec)  # what has a shape
