"""Activation layers, and the activations that other layers take by name."""

from __future__ import annotations

from typing import Any

from minicnn.checks import check_number, nearest, quoted
from minicnn.errors import ArgumentError
from minicnn.host_sync import mark_layers_changed
from minicnn.layers.apply import Apply
from minicnn.layers.base import Layer
from minicnn.operations.activations import OPERATIONS
from minicnn.operations.operation import Operation
from minicnn.operations.softmax import SOFTMAX

ACTIVATIONS: dict[str, Operation | None] = {"linear": None, **OPERATIONS, "softmax": SOFTMAX}


def activation_name(value: str | None) -> str:
    """Return the activation's name after a check; None means "linear".

    >>> activation_name(None)
    'linear'
    """
    if value is None:
        return "linear"
    if not isinstance(value, str) or value not in ACTIVATIONS:
        text = value if isinstance(value, str) else type(value).__name__
        raise ArgumentError(f"unknown activation {text!r}{nearest(text, ACTIVATIONS)}")
    return value


def activate(apply: Apply, name: str, x: Any, **arguments: Any) -> Any:
    """Return the activation of that name, applied to x."""
    operation = ACTIVATIONS[name]
    return x if operation is None else apply(operation, x, **arguments)


class ActivationAttribute:
    """A layer's attribute `activation`, checked whenever it is set; None means "linear"."""

    def __get__(self, layer: Layer, owner: type[Layer] | None = None) -> str:
        return vars(layer)["_activation"]

    def __set__(self, layer: Layer, value: str | None) -> None:
        name = activation_name(value)
        if vars(layer).setdefault("_activation", name) != name:
            vars(layer)["_activation"] = name
            mark_layers_changed()


class Activation(Layer):
    """Applies an activation that is given by its name.

    (N, ...) -> (N, ...). The function's own arguments have their defaults.

    Parameters
    ----------
    activation : name of a function in `minicnn.operations.activations`, "softmax", or "linear",
        which is also None
    options : those of `Layer`

    >>> Activation("relu")(np.array([[-1, 2]], np.float32)).tolist()
    [[0.0, 2.0]]
    """

    activation = ActivationAttribute()

    def __init__(self, activation: str | None, **options: Any) -> None:
        super().__init__(**options)
        self.activation = activation

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return activation(x)."""
        return activate(apply, self.activation, inputs[0])

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "activation": self.activation}


class ReLU(Layer):
    """Replaces negative values by 0: max(x, 0).

    (N, ...) -> (N, ...). See `minicnn.operations.relu`, `relu6` and `leaky_relu`.

    Parameters
    ----------
    max_value : 6 for ReLU6, which is min(max(x, 0), 6); default None: no maximum
    negative_slope : a negative x becomes negative_slope * x; default 0
    options : those of `Layer`

    >>> ReLU(max_value=6)(np.array([[-1, 2, 8]], np.float32)).tolist()
    [[0.0, 2.0, 6.0]]
    """

    def __init__(
        self, max_value: float | None = None, negative_slope: float = 0.0, **options: Any
    ) -> None:
        super().__init__(**options)
        self.max_value = max_value
        self.negative_slope = check_number(negative_slope, "negative_slope", 0)
        if max_value not in (None, 6):
            raise ArgumentError(f"max_value must be None or 6; got {quoted(max_value)}")
        if max_value is not None and self.negative_slope:
            raise ArgumentError("max_value and negative_slope cannot be used together")

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return relu(x), relu6(x) or leaky_relu(x)."""
        if self.negative_slope:
            return activate(apply, "leaky_relu", inputs[0], negative_slope=self.negative_slope)
        return activate(apply, "relu" if self.max_value is None else "relu6", inputs[0])

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "max_value": self.max_value,
            "negative_slope": self.negative_slope,
        }


class LeakyReLU(Layer):
    """Leaves positive values as they are and multiplies the others by `negative_slope`.

    (N, ...) -> (N, ...). See `minicnn.operations.leaky_relu`.

    >>> LeakyReLU(0.5)(np.array([[-1, 2]], np.float32)).tolist()
    [[-0.5, 2.0]]
    """

    def __init__(self, negative_slope: float = 0.3, **options: Any) -> None:
        super().__init__(**options)
        self.negative_slope = check_number(negative_slope, "negative_slope", 0)

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return leaky_relu(x)."""
        return activate(apply, "leaky_relu", inputs[0], negative_slope=self.negative_slope)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "negative_slope": self.negative_slope}


class ELU(Layer):
    """Leaves positive x as it is; any other becomes alpha * (exp(x) - 1).

    (N, ...) -> (N, ...). See `minicnn.operations.elu`.

    >>> ELU()(np.array([[-100, 2]], np.float32)).tolist()
    [[-1.0, 2.0]]
    """

    def __init__(self, alpha: float = 1.0, **options: Any) -> None:
        super().__init__(**options)
        self.alpha = check_number(alpha, "alpha", 0)

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return elu(x)."""
        return activate(apply, "elu", inputs[0], alpha=self.alpha)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "alpha": self.alpha}


class Softmax(Layer):
    """Turns scores into probabilities along the last axis.

    (N, ..., C) -> (N, ..., C). See `minicnn.operations.softmax`.

    >>> Softmax()(np.zeros((1, 4), np.float32)).tolist()
    [[0.25, 0.25, 0.25, 0.25]]
    """

    def __init__(self, axis: int = -1, **options: Any) -> None:
        super().__init__(**options)
        if axis != -1:
            raise ArgumentError(f"axis must be -1, the last; got {quoted(axis)}")

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return softmax(x)."""
        return apply(SOFTMAX, inputs[0])
