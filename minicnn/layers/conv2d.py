"""Convolution layers: filters that slide over the image, followed by an activation."""

from __future__ import annotations

from typing import Any

from minicnn import initializers
from minicnn.checks import check_axes, check_choice, check_flag, check_int
from minicnn.contracts import Shape
from minicnn.errors import ArgumentError
from minicnn.initializers import Initializer
from minicnn.layers.activation import ActivationAttribute, activate
from minicnn.layers.apply import Apply
from minicnn.layers.base import Layer
from minicnn.layers.parameter import Parameter
from minicnn.operations.conv2d import ALGORITHMS, CONV2D
from minicnn.shapes import Padding, Pair, as_padding, as_pair


class _Convolution(Layer):
    """Base class of the convolution layers, which differ in the shape of their kernel."""

    activation = ActivationAttribute()

    def __init__(
        self,
        kernel_size: int | Pair,
        strides: int | Pair,
        padding: Padding,
        dilation_rate: int | Pair,
        activation: str | None,
        use_bias: bool,
        bias_initializer: str | Initializer,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.kernel_size = as_pair(kernel_size, "kernel_size")
        self.strides = as_pair(strides, "strides")
        self.padding = as_padding(padding)
        self.dilation_rate = as_pair(dilation_rate, "dilation_rate")
        self.activation = activation
        self.use_bias = check_flag(use_bias, "use_bias")
        self.bias_initializer = initializers.get(bias_initializer)
        self.groups = 1
        self.algorithm = "auto"
        self.kernel: Parameter
        self.bias: Parameter | None = None

    def add_bias(self, filters: int) -> None:
        """Create the bias, one value per filter, if the layer has one."""
        if self.use_bias:
            self.bias = self.add_parameter("bias", (filters,), self.bias_initializer)

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return activation(conv2d(x, kernel, bias))."""
        y = apply(
            CONV2D,
            inputs[0],
            self.kernel,
            self.bias,
            strides=self.strides,
            padding=self.padding,
            dilation=self.dilation_rate,
            groups=self.groups,
            algorithm=self.algorithm,
        )
        return activate(apply, self.activation, y, training=training)

    def flops_per_value(self, *input_shapes: Shape) -> int:
        """Return a product and an addition for each cell of the kernel."""
        rows, columns = self.kernel_size
        return 2 * rows * columns * (input_shapes[0][3] // self.groups)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "dilation_rate": self.dilation_rate,
            "activation": self.activation,
            "use_bias": self.use_bias,
            "bias_initializer": initializers.serialize(self.bias_initializer),
        }


class Conv2D(_Convolution):
    """Convolves images with `filters` small patterns that are learned.

    (N, H, W, C) -> (N, OH, OW, filters), with KH * KW * C / groups * filters weights and `filters`
    biases. See `minicnn.operations.conv2d` for the formula.

    Parameters
    ----------
    filters : number of output channels
    kernel_size : (KH, KW) of the patterns, or one number for both
    strides : steps between two places of the kernel; default 1
    padding : "valid", "same", or ((top, bottom), (left, right)) zeros; default "valid"
    dilation_rate : distance between two cells of the kernel; default 1
    groups : number of groups of channels, each convolved on its own; default 1
    activation : name of an activation; default None
    use_bias : whether to add a bias per filter; default True
    kernel_initializer, bias_initializer : default "glorot_uniform" and "zeros"
    algorithm : see `minicnn.operations.conv2d`; default "auto"
    options : those of `Layer`

    >>> Conv2D(32, 3, activation="relu")(np.zeros((1, 150, 150, 3), np.float32)).shape
    (1, 148, 148, 32)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int | Pair,
        strides: int | Pair = (1, 1),
        padding: Padding = "valid",
        dilation_rate: int | Pair = (1, 1),
        groups: int = 1,
        activation: str | None = None,
        use_bias: bool = True,
        kernel_initializer: str | Initializer = "glorot_uniform",
        bias_initializer: str | Initializer = "zeros",
        algorithm: str = "auto",
        **options: Any,
    ) -> None:
        super().__init__(
            kernel_size=kernel_size,
            strides=strides,
            padding=padding,
            dilation_rate=dilation_rate,
            activation=activation,
            use_bias=use_bias,
            bias_initializer=bias_initializer,
            **options,
        )
        self.algorithm = check_choice(algorithm, "algorithm", ALGORITHMS)
        self.filters = check_int(filters, "filters")
        self.groups = check_int(groups, "groups")
        self.kernel_initializer = initializers.get(kernel_initializer)
        if self.filters % self.groups:
            raise ArgumentError(f"groups={groups} must divide filters={filters}")

    def build(self, *input_shapes: Shape) -> None:
        """Create the kernel, (KH, KW, C / groups, filters), and the bias."""
        (shape,) = input_shapes
        check_axes(shape, "x", "NHWC")
        if shape[3] % self.groups:
            raise ArgumentError(f"groups={self.groups} must divide the {shape[3]} input channels")
        kernel_shape = (*self.kernel_size, shape[3] // self.groups, self.filters)
        self.kernel = self.add_parameter("kernel", kernel_shape, self.kernel_initializer)
        self.add_bias(self.filters)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "groups": self.groups,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "algorithm": self.algorithm,
        }


class DepthwiseConv2D(_Convolution):
    """Convolves each channel on its own, with `depth_multiplier` patterns that are learned.

    (N, H, W, C) -> (N, OH, OW, C * depth_multiplier); the results of a channel are next to each
    other. It is `minicnn.operations.conv2d` with groups = C. All other parameters are those of
    `Conv2D`.

    >>> DepthwiseConv2D(3, padding="same")(np.zeros((1, 7, 7, 5), np.float32)).shape
    (1, 7, 7, 5)
    """

    def __init__(
        self,
        kernel_size: int | Pair,
        strides: int | Pair = (1, 1),
        padding: Padding = "valid",
        depth_multiplier: int = 1,
        dilation_rate: int | Pair = (1, 1),
        activation: str | None = None,
        use_bias: bool = True,
        depthwise_initializer: str | Initializer = "glorot_uniform",
        bias_initializer: str | Initializer = "zeros",
        **options: Any,
    ) -> None:
        super().__init__(
            kernel_size=kernel_size,
            strides=strides,
            padding=padding,
            dilation_rate=dilation_rate,
            activation=activation,
            use_bias=use_bias,
            bias_initializer=bias_initializer,
            **options,
        )
        self.depth_multiplier = check_int(depth_multiplier, "depth_multiplier")
        self.depthwise_initializer = initializers.get(depthwise_initializer)

    def build(self, *input_shapes: Shape) -> None:
        """Create the kernel, (KH, KW, 1, C * depth_multiplier), and the bias."""
        (shape,) = input_shapes
        check_axes(shape, "x", "NHWC")
        self.groups = shape[3]
        filters = self.groups * self.depth_multiplier
        self.kernel = self.add_parameter(
            "kernel",
            (*self.kernel_size, 1, filters),
            self.depthwise_initializer,
            # The shape that the kernel has in Keras, which fixes its fan in and fan out.
            initializer_shape=(*self.kernel_size, self.groups, self.depth_multiplier),
        )
        self.add_bias(filters)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "depth_multiplier": self.depth_multiplier,
            "depthwise_initializer": initializers.serialize(self.depthwise_initializer),
        }
