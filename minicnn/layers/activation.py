"""The argument `activation` of layers, and the layers that only apply an activation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from minicnn.checks import check_int, check_number, nearest, quoted
from minicnn.contracts import Spec
from minicnn.errors import ArgumentError
from minicnn.host_sync import mark_layers_changed
from minicnn.layers.activation_functions import ACTIVATIONS, leaky_relu, linear, relu, softmax
from minicnn.layers.activation_functions import elu as elu_function
from minicnn.layers.apply import Apply, infer_spec
from minicnn.layers.base import Layer
from minicnn.layers.registry import layer_from_config
from minicnn.layers.tracing import tracing, unwrapped
from minicnn.layers.unknown_sizes import infer_unknown
from minicnn.support.callables import FunctionName
from minicnn.support.registry import class_for_object, find_function

Function = Callable[..., Any]

MAX_RANK = 8  # axes of an array


def get(identifier: Any) -> Function:
    """Return an activation from its name, or from what `serialize` gave; a function as it is.

    None means "linear". A layer, such as LeakyReLU(0.1), is an activation, too.

    >>> get(None).__name__, get("swish").__name__
    ('linear', 'silu')

    Raises
    ------
    ArgumentError : there is none of that name, or it is a class, or a function of NumPy
    """
    if identifier is None:
        return linear
    if isinstance(identifier, Mapping):
        return deserialize(identifier)
    if isinstance(identifier, type):
        raise ArgumentError(class_for_object(identifier))
    if callable(identifier) and not isinstance(identifier, np.ufunc):
        return identifier
    if isinstance(identifier, str):
        own = find_function(identifier)
        if own is not None or identifier in ACTIVATIONS:
            return own or ACTIVATIONS[identifier]
    text = identifier if isinstance(identifier, str) else type(identifier).__name__
    raise ArgumentError(
        f"unknown activation {quoted(text)}{nearest(text, ACTIVATIONS)}; a function of your own is "
        "made of those of minicnn.ops"
    )


def serialize(activation: Function) -> Any:
    """Return an activation's name, or a dict for a layer or for a function of one's own.

    >>> serialize(relu), serialize(LeakyReLU(0.5, name="leaky"))["class"]
    ('relu', 'LeakyReLU')
    """
    name = getattr(activation, "__name__", "")
    if ACTIVATIONS.get(name) is activation:
        return name
    if isinstance(activation, Layer):
        return {"class": type(activation).__name__, "config": activation.get_config()}
    return {"function": FunctionName(name or type(activation).__name__, activation)}


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Function:
    """Return the activation that `serialize` described, or that Keras's `serialize` did.

    `custom_objects` are functions of one's own by their names.
    """
    if not isinstance(config, Mapping):
        named = (custom_objects or {}).get(config) if isinstance(config, str) else None
        return named or get(config)
    if set(config) == {"function"}:
        name = config["function"]
        if isinstance(name, FunctionName):
            return name.function
        return deserialize(name, custom_objects)
    kind = config.get("class", config.get("class_name"))
    if kind == "function":
        return deserialize(config.get("config"), custom_objects)
    if kind is None:
        raise ArgumentError(
            'a saved activation is a name, {"function": name} or {"class": name, "config": '
            f"arguments}}; got {quoted(config)}"
        )
    return layer_from_config(kind, config.get("config", {}))


def activate(apply: Apply, activation: Function, x: Any, *, training: bool) -> Any:
    """Return the activation of x, on what `apply` works on."""
    if activation is linear:
        return x
    if apply is infer_spec:
        return infer_unknown(
            lambda spec: _applied(apply, activation, spec, training=training), x, exact=False
        )
    return _applied(apply, activation, x, training=training)


def _applied(apply: Apply, activation: Function, x: Any, *, training: bool) -> Any:
    with tracing(apply, training) as scope:
        y = unwrapped(activation(scope.wrapped(x)))
    if isinstance(x, Spec) and not isinstance(y, Spec):
        name = getattr(activation, "__name__", type(activation).__name__)
        raise ArgumentError(
            f"the activation {name} must return a tensor, made by functions of minicnn.ops; got "
            f"{type(y).__name__}"
        )
    return y


class ActivationAttribute:
    """A layer's attribute `activation`, a function; it may be set to a name, too.

    None means "linear".
    """

    def __get__(self, layer: Layer, owner: type[Layer] | None = None) -> Function:
        return vars(layer)["_activation"]

    def __set__(self, layer: Layer, value: Any) -> None:
        function = get(value)
        if vars(layer).setdefault("_activation", function) is not function:
            vars(layer)["_activation"] = function
            mark_layers_changed()


class Activation(Layer):
    """Applies an activation that is given by its name, or a function of one's own.

    (N, ...) -> (N, ...). The function's own arguments have their defaults.

    Parameters
    ----------
    activation : name of a function in `minicnn.activations`, a function of tensors, or a layer;
        None is "linear"
    options : those of `Layer`

    >>> Activation("relu")(np.array([[-1, 2]], np.float32)).tolist()
    [[0.0, 2.0]]
    """

    activation = ActivationAttribute()

    def __init__(self, activation: Any, **options: Any) -> None:
        super().__init__(**options)
        self.activation = activation

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return activation(x)."""
        return activate(apply, self.activation, inputs[0], training=training)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "activation": serialize(self.activation)}


class ReLU(Layer):
    """Replaces negative values by 0: max(x, 0).

    (N, ...) -> (N, ...). See `minicnn.activations.relu`.

    Parameters
    ----------
    max_value : the largest result; 6 for ReLU6, which is min(max(x, 0), 6). Default None: there is
        none
    negative_slope : an x below the threshold becomes negative_slope * (x - threshold); default 0
    threshold : values up to it count as negative; default 0
    options : those of `Layer`

    >>> ReLU(max_value=6)(np.array([[-1, 2, 8]], np.float32)).tolist()
    [[0.0, 2.0, 6.0]]
    """

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.max_value = None if max_value is None else check_number(max_value, "max_value", 0)
        self.negative_slope = check_number(negative_slope, "negative_slope", 0)
        self.threshold = check_number(threshold, "threshold", 0)

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return relu(x, negative_slope, max_value, threshold)."""
        arguments = self.negative_slope, self.max_value, self.threshold
        return activate(apply, lambda x: relu(x, *arguments), inputs[0], training=training)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "max_value": self.max_value,
            "negative_slope": self.negative_slope,
            "threshold": self.threshold,
        }


class LeakyReLU(Layer):
    """Leaves positive values as they are and multiplies the others by `negative_slope`.

    (N, ...) -> (N, ...). See `minicnn.activations.leaky_relu`.

    >>> LeakyReLU(0.5)(np.array([[-1, 2]], np.float32)).tolist()
    [[-0.5, 2.0]]
    """

    def __init__(self, negative_slope: float = 0.3, **options: Any) -> None:
        super().__init__(**options)
        self.negative_slope = check_number(negative_slope, "negative_slope", 0)

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return leaky_relu(x)."""
        slope = self.negative_slope
        return activate(apply, lambda x: leaky_relu(x, slope), inputs[0], training=training)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "negative_slope": self.negative_slope}


class ELU(Layer):
    """Leaves positive x as it is; any other becomes alpha * (exp(x) - 1).

    (N, ...) -> (N, ...). See `minicnn.activations.elu`.

    >>> ELU()(np.array([[-100, 2]], np.float32)).tolist()
    [[-1.0, 2.0]]
    """

    def __init__(self, alpha: float = 1.0, **options: Any) -> None:
        super().__init__(**options)
        self.alpha = check_number(alpha, "alpha", 0)

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return elu(x)."""
        alpha = self.alpha
        return activate(apply, lambda x: elu_function(x, alpha), inputs[0], training=training)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "alpha": self.alpha}


class Softmax(Layer):
    """Turns scores into probabilities along an axis, by default the last one.

    (N, ..., C) -> (N, ..., C). See `minicnn.activations.softmax`.

    >>> Softmax()(np.zeros((1, 4), np.float32)).tolist()
    [[0.25, 0.25, 0.25, 0.25]]
    """

    def __init__(self, axis: int = -1, **options: Any) -> None:
        super().__init__(**options)
        self.axis = check_int(axis, "axis", -MAX_RANK)

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return softmax(x)."""
        axis = self.axis
        return activate(apply, lambda x: softmax(x, axis), inputs[0], training=training)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "axis": self.axis}
