"""The fully connected layer."""

from __future__ import annotations

from typing import Any

from minicnn import initializers
from minicnn.checks import check_flag, check_flat, check_int
from minicnn.contracts import Shape
from minicnn.initializers import Initializer
from minicnn.layers.activation import ActivationAttribute, activate
from minicnn.layers.apply import Apply
from minicnn.layers.base import Layer
from minicnn.layers.parameter import Parameter
from minicnn.operations.dense import DENSE


class Dense(Layer):
    """Multiplies by a matrix of weights and adds a bias: each unit reads every feature.

    (N, features) -> (N, units), with features * units weights and `units` biases. See
    `minicnn.operations.dense`.

    Parameters
    ----------
    units : number of output features
    activation : name of an activation; default None
    use_bias : whether to add a bias per unit; default True
    kernel_initializer, bias_initializer : default "glorot_uniform" and "zeros"
    options : those of `Layer`

    >>> Dense(10, activation="softmax")(np.zeros((1, 500), np.float32)).shape
    (1, 10)
    """

    activation = ActivationAttribute()

    def __init__(
        self,
        units: int,
        activation: str | None = None,
        use_bias: bool = True,
        kernel_initializer: str | Initializer = "glorot_uniform",
        bias_initializer: str | Initializer = "zeros",
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.units = check_int(units, "units")
        self.activation = activation
        self.use_bias = check_flag(use_bias, "use_bias")
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.bias: Parameter | None = None

    def build(self, *input_shapes: Shape) -> None:
        """Create the kernel, (features, units), and the bias."""
        (shape,) = input_shapes
        check_flat(shape, "x")
        kernel_shape = (shape[1], self.units)
        self.kernel = self.add_parameter("kernel", kernel_shape, self.kernel_initializer)
        if self.use_bias:
            self.bias = self.add_parameter("bias", (self.units,), self.bias_initializer)

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return activation(dense(x, kernel, bias))."""
        y = apply(DENSE, inputs[0], self.kernel, self.bias)
        return activate(apply, self.activation, y, training=training)

    def flops_per_value(self, *input_shapes: Shape) -> int:
        """Return a product and an addition for each feature."""
        return 2 * input_shapes[0][1]

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "units": self.units,
            "activation": self.activation,
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
        }
