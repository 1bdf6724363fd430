"""The fully connected layer."""

from __future__ import annotations

from typing import Any

from minicnn.checks import check_flag, check_int, shape_text
from minicnn.contracts import Shape
from minicnn.errors import ShapeError
from minicnn.layers.activation import ActivationAttribute, activate, serialize
from minicnn.layers.apply import Apply
from minicnn.layers.parameter import Parameter
from minicnn.layers.weight_arguments import WeightArguments, refuse_other
from minicnn.operations.dense import DENSE


class Dense(WeightArguments):
    """Multiplies by a matrix of weights and adds a bias: each unit reads every feature.

    (N, ..., features) -> (N, ..., units), with features * units weights and `units` biases. See
    `minicnn.operations.dense`.

    Parameters
    ----------
    units : number of output features
    activation : name of an activation, a function of tensors, or a layer; default None
    use_bias : whether to add a bias per unit; default True
    kernel_initializer, bias_initializer : default "glorot_uniform" and "zeros"
    kernel_regularizer, bias_regularizer, activity_regularizer : penalties that are added to the
        loss, see `minicnn.regularizers`; default None
    kernel_constraint, bias_constraint : see `minicnn.constraints`; default None
    lora_rank, lora_alpha, quantization_config : must be None; minicnn has neither
    options : those of `Layer`

    >>> Dense(10, activation="softmax")(np.zeros((1, 500), np.float32)).shape
    (1, 10)
    """

    activation = ActivationAttribute()

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: None = None,
        lora_alpha: None = None,
        quantization_config: None = None,
        **options: Any,
    ) -> None:
        super().__init__(activity_regularizer, **options)
        self.units = check_int(units, "units")
        self.activation = activation
        self.use_bias = check_flag(use_bias, "use_bias")
        self.set_weight_arguments(
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
        )
        refuse_other(lora_rank, "lora_rank", None, "there is no low-rank adaptation")
        refuse_other(lora_alpha, "lora_alpha", None, "there is no low-rank adaptation")
        refuse_other(quantization_config, "quantization_config", None, "there is no quantization")
        self.bias: Parameter | None = None

    def build(self, *input_shapes: Shape) -> None:
        """Create the kernel, (features, units), and the bias."""
        (shape,) = input_shapes
        if len(shape) < 2 or shape[-1] == 0:
            raise ShapeError(f"x must have axes (N, ..., features); got {shape_text(shape)}")
        self.kernel = self.add_ruled("kernel", (shape[-1], self.units))
        if self.use_bias:
            self.bias = self.add_ruled("bias", (self.units,))

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return activation(dense(x, kernel, bias))."""
        y = apply(DENSE, inputs[0], self.kernel, self.bias)
        return activate(apply, self.activation, y, training=training)

    def flops_per_value(self, *input_shapes: Shape) -> int:
        """Return a product and an addition for each feature."""
        return 2 * input_shapes[0][-1]

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "units": self.units,
            "activation": serialize(self.activation),
            "use_bias": self.use_bias,
            **self.weight_config("kernel", "bias"),
        }
