"""What the convolution layers have in common: windows, bias and activation."""

from __future__ import annotations

from typing import Any

from minicnn.checks import check_flag, quoted
from minicnn.contracts import Shape
from minicnn.errors import ArgumentError
from minicnn.layers.activation import ActivationAttribute, activate, serialize
from minicnn.layers.activation_functions import relu
from minicnn.layers.apply import Apply
from minicnn.layers.image_axes import ImageAxes, pair
from minicnn.layers.parameter import Parameter
from minicnn.layers.weight_arguments import WeightArguments, check_data_format
from minicnn.operations.conv2d import CONV2D
from minicnn.shapes import as_window_padding, span


class Convolution(ImageAxes, WeightArguments):
    """Base class of the convolution layers, which differ in the shape of their kernel."""

    activation = ActivationAttribute()
    weight_names: tuple[str, ...] = ("kernel", "bias")

    def __init__(
        self,
        *,
        kernel_size: Any,
        strides: Any,
        padding: Any,
        data_format: str | None,
        dilation_rate: Any,
        activation: Any,
        use_bias: bool,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.kernel_size: Any = self.lengths(kernel_size, "kernel_size")
        self.strides: Any = self.lengths(strides, "strides")
        self.data_format = check_data_format(data_format)
        self.padding = self._padding(padding)
        self.dilation_rate: Any = self.lengths(dilation_rate, "dilation_rate")
        self.activation = activation
        self.use_bias = check_flag(use_bias, "use_bias")
        self.groups = 1
        self.kernel: Parameter
        self.bias: Parameter | None = None

    def _padding(self, padding: Any) -> Any:
        """Return "valid", "same", "causal", or the numbers of rows and columns of zeros."""
        if self.rank == 2:
            return as_window_padding(padding)
        if not isinstance(padding, str) or padding.lower() not in ("valid", "same", "causal"):
            raise ArgumentError(
                f'padding must be "valid", "same" or "causal"; got {quoted(padding)}'
            )
        return padding.lower()

    def add_bias(self, filters: int) -> None:
        """Create the bias, one value per filter, if the layer has one."""
        if self.use_bias:
            self.bias = self.add_ruled("bias", (filters,))

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return activation(convolution of x)."""
        y = self.convolved(apply, self.to_image(apply, inputs[0]))
        # The planner fuses a ReLU that follows the convolution itself.
        if self.activation is relu:
            return self.from_image(apply, activate(apply, relu, y, training=training))
        y = self.from_image(apply, y)
        return activate(apply, self.activation, y, training=training)

    def convolved(self, apply: Apply, x: Any) -> Any:
        """Return the convolution of images, (N, H, W, C), with the bias."""
        return self.conv2d(apply, x, self.kernel, self.bias)

    def conv2d(
        self, apply: Apply, x: Any, kernel: Any, bias: Any, groups: int = 0, **arguments: Any
    ) -> Any:
        """Return conv2d(x, kernel, bias) with the layer's window."""
        padding: Any = self.padding
        if padding == "causal":
            padding = (0, 0), (span(self.kernel_size[0], self.dilation_rate[0]) - 1, 0)
        return apply(
            CONV2D,
            x,
            kernel,
            bias,
            strides=pair(self.strides),
            padding=padding,
            dilation=pair(self.dilation_rate),
            groups=groups or self.groups,
            **arguments,
        )

    def flops_per_value(self, *input_shapes: Shape) -> int:
        """Return a product and an addition for each cell of the kernel."""
        rows, columns = pair(self.kernel_size)
        return 2 * rows * columns * (self.image_shape(input_shapes[0])[3] // self.groups)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
            "activation": serialize(self.activation),
            "use_bias": self.use_bias,
            **self.weight_config(*self.weight_names),
        }
