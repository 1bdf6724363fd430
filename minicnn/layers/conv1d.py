"""Convolution layers of sequences, which are images of height 1."""

from __future__ import annotations

from typing import Any

from minicnn.checks import check_int
from minicnn.contracts import Shape
from minicnn.errors import ArgumentError
from minicnn.layers.apply import Apply
from minicnn.layers.convolution import Convolution
from minicnn.operations.arrange import RESHAPE_WHOLE


class Conv1D(Convolution):
    """Convolves sequences with `filters` short patterns that are learned.

    (N, T, C) -> (N, OT, filters), with K * C / groups * filters weights and `filters` biases. It is
    `minicnn.operations.conv2d` on images of height 1. `padding` may also be "causal", with which no
    output depends on later inputs. All other parameters are those of `Conv2D`.

    >>> Conv1D(32, 5, strides=2, padding="same")(np.zeros((1, 100, 3), np.float32)).shape
    (1, 50, 32)
    """

    rank = 1

    def __init__(
        self,
        filters: int,
        kernel_size: int,
        strides: int = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: int = 1,
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **options: Any,
    ) -> None:
        super().__init__(
            kernel_size=kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format,
            dilation_rate=dilation_rate,
            activation=activation,
            use_bias=use_bias,
            activity_regularizer=activity_regularizer,
            **options,
        )
        self.set_weight_arguments(
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
        )
        self.filters = check_int(filters, "filters")
        self.groups = check_int(groups, "groups")
        if self.filters % self.groups:
            raise ArgumentError(f"groups={groups} must divide filters={filters}")

    def build(self, *input_shapes: Shape) -> None:
        """Create the kernel, (K, C / groups, filters), and the bias."""
        channels = self.image_shape(input_shapes[0])[3]
        if channels % self.groups:
            raise ArgumentError(f"groups={self.groups} must divide the {channels} input channels")
        shape = (*self.kernel_size, channels // self.groups, self.filters)
        self.kernel = self.add_ruled("kernel", shape)
        self.add_bias(self.filters)

    def convolved(self, apply: Apply, x: Any) -> Any:
        """Return conv2d(x, kernel, bias) with a kernel of height 1."""
        kernel = apply(RESHAPE_WHOLE, self.kernel, shape=(1, *self.kernel.shape))
        return self.conv2d(apply, x, kernel, self.bias)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "filters": self.filters, "groups": self.groups}


class DepthwiseConv1D(Convolution):
    """Convolves each channel of a sequence on its own.

    (N, T, C) -> (N, OT, C * depth_multiplier). See `DepthwiseConv2D`.

    >>> DepthwiseConv1D(3, padding="same")(np.zeros((1, 7, 5), np.float32)).shape
    (1, 7, 5)
    """

    rank = 1
    weight_names = ("depthwise", "bias")

    def __init__(
        self,
        kernel_size: int,
        strides: int = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        **options: Any,
    ) -> None:
        super().__init__(
            kernel_size=kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format,
            dilation_rate=dilation_rate,
            activation=activation,
            use_bias=use_bias,
            activity_regularizer=activity_regularizer,
            **options,
        )
        self.set_weight_arguments(
            depthwise_initializer=depthwise_initializer,
            bias_initializer=bias_initializer,
            depthwise_regularizer=depthwise_regularizer,
            bias_regularizer=bias_regularizer,
            depthwise_constraint=depthwise_constraint,
            bias_constraint=bias_constraint,
        )
        self.depth_multiplier = check_int(depth_multiplier, "depth_multiplier")

    def build(self, *input_shapes: Shape) -> None:
        """Create the kernel, (K, C, depth_multiplier), and the bias."""
        self.groups = self.image_shape(input_shapes[0])[3]
        shape = (*self.kernel_size, self.groups, self.depth_multiplier)
        self.kernel = self.add_ruled("kernel", shape, "depthwise")
        self.add_bias(self.groups * self.depth_multiplier)

    def convolved(self, apply: Apply, x: Any) -> Any:
        """Return conv2d(x, kernel, bias) with a kernel of height 1 and a group per channel."""
        shape = (1, *self.kernel_size, 1, self.groups * self.depth_multiplier)
        return self.conv2d(apply, x, apply(RESHAPE_WHOLE, self.kernel, shape=shape), self.bias)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "depth_multiplier": self.depth_multiplier}
