"""Layers around something of one's own: a function, another layer, a penalty."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from minicnn.checks import check_number, quoted, shape_text
from minicnn.errors import ArgumentError, ShapeError
from minicnn.layers.apply import Apply
from minicnn.layers.base import Layer
from minicnn.layers.registry import deserialize, serialize
from minicnn.layers.tracing import apply_operation
from minicnn.layers.weight_arguments import WeightArguments, refuse_other
from minicnn.operations.arrange import RESHAPE_WHOLE
from minicnn.support.callables import FunctionName
from minicnn.support.registry import find_function


class Lambda(Layer):
    """Applies a function of tensors, made of operators and of functions of `minicnn.ops`.

    It is run on placeholders when a network is planned, and becomes part of its program. A saved
    network has the function's name alone: to load it, register the function, or give
    `custom_objects`; a lambda has no name, so a network with one cannot be saved.

    Parameters
    ----------
    function : takes the input, a tensor or a list of them, and returns a tensor
    output_shape : accepted and not needed: the shape follows from the function
    mask : must be None
    arguments : further arguments of the function by name, numbers or strings; default None
    options : those of `Layer`

    >>> Lambda(lambda x: x * 2 + 1)(np.array([[1, 2]], np.float32)).tolist()
    [[3.0, 5.0]]
    """

    def __init__(
        self,
        function: Any,
        output_shape: Any = None,
        mask: None = None,
        arguments: dict[str, Any] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        refuse_other(mask, "mask", None, "layers have no masks")
        if not isinstance(arguments or {}, Mapping):
            raise ArgumentError(f"arguments must be a dict; got {quoted(arguments)}")
        self.function = _function(function)
        self.arguments = dict(arguments or {})

    def call(self, inputs: Any) -> Any:
        """Return function(inputs)."""
        return self.function(inputs, **self.arguments)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        name = getattr(self.function, "__name__", type(self.function).__name__)
        function = {"function": FunctionName(name, self.function)}
        return {**super().get_config(), "function": function, "arguments": self.arguments}


def _function(given: Any) -> Callable[..., Any]:
    """Return the function of a Lambda, or the one that a config names."""
    if isinstance(given, Mapping) and set(given) == {"function"}:
        name = given["function"]
        found = name.function if isinstance(name, FunctionName) else find_function(name)
        if found is None:
            raise ArgumentError(
                f"unknown function {quoted(name)} of a Lambda: register it by "
                "mc.utils.register_serializable, or load with custom_objects={name: function}"
            )
        return found
    if not callable(given) or isinstance(given, type):
        raise ArgumentError(f"function must be a function of tensors; got {quoted(given)}")
    return given


class TimeDistributed(Layer):
    """Applies a layer to each step of a sequence, such as each image of a film.

    (N, T, ...) -> (N, T, ...). The layer sees a batch of N * T samples.

    >>> from minicnn.layers import Dense
    >>> TimeDistributed(Dense(2))(np.zeros((1, 5, 3), np.float32)).shape
    (1, 5, 2)
    """

    def __init__(self, layer: Any, **options: Any) -> None:
        super().__init__(**options)
        self.layer = _layer(layer)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Return the layer's results, in a sequence again."""
        if len(inputs.shape) < 3:
            raise ShapeError(f"x must have axes (N, T, ...); got {shape_text(inputs.shape)}")
        n, steps, *sample = inputs.shape
        samples = apply_operation(RESHAPE_WHOLE, inputs, shape=(n * steps, *sample))
        y = self.layer(samples, training=training)
        return apply_operation(RESHAPE_WHOLE, y, shape=(n, steps, *y.shape[1:]))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "layer": serialize(self.layer)}


class Pipeline(Layer):
    """Applies layers one after the other, such as those that augment images.

    >>> from minicnn.layers import Rescaling
    >>> Pipeline([Rescaling(2), Rescaling(1, 1)])(np.ones((1, 2), np.float32)).tolist()
    [[3.0, 3.0]]
    """

    def __init__(self, layers: Any, name: str | None = None, **options: Any) -> None:
        super().__init__(name=name, **options)
        if not isinstance(layers, (list, tuple)):
            raise ArgumentError(f"layers must be a list of layers; got {quoted(layers)}")
        self.layers = [_layer(one) for one in layers]

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Return what the last layer makes of it."""
        for layer in self.layers:
            inputs = layer(inputs, training=training)
        return inputs

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "layers": [serialize(one) for one in self.layers]}


def _layer(given: Any) -> Layer:
    """Return a layer, or the one that a config describes."""
    if isinstance(given, Mapping):
        return deserialize(given)
    if not isinstance(given, Layer):
        raise ArgumentError(f"a layer is needed; got {quoted(given)}")
    return given


class ActivityRegularization(WeightArguments):
    """Returns its input, and adds l1 * sum(|x|) + l2 * sum(x^2), per sample, to the loss.

    >>> ActivityRegularization(l2=0.1)(np.ones((1, 2), np.float32)).tolist()
    [[1.0, 1.0]]
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **options: Any) -> None:
        factors = {"l1": check_number(l1, "l1", 0), "l2": check_number(l2, "l2", 0)}
        super().__init__({"class": "L1L2", "config": factors}, **options)
        self.l1, self.l2 = factors["l1"], factors["l2"]

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return x."""
        return inputs[0]

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "l1": self.l1, "l2": self.l2}
