"""Convolution layers of images: filters that slide over the image, followed by an activation."""

from __future__ import annotations

from typing import Any

from minicnn.checks import check_choice, check_int
from minicnn.contracts import Shape
from minicnn.errors import ArgumentError
from minicnn.layers.apply import Apply
from minicnn.layers.convolution import Convolution
from minicnn.operations.conv2d import ALGORITHMS
from minicnn.shapes import Padding, Pair


class Conv2D(Convolution):
    """Convolves images with `filters` small patterns that are learned.

    (N, H, W, C) -> (N, OH, OW, filters), with KH * KW * C / groups * filters weights and `filters`
    biases. See `minicnn.operations.conv2d` for the formula.

    Parameters
    ----------
    filters : number of output channels
    kernel_size : (KH, KW) of the patterns, or one number for both
    strides : steps between two places of the kernel; default 1
    padding : "valid", "same", or ((top, bottom), (left, right)) zeros; default "valid"
    data_format : "channels_last", the default, or "channels_first" for (N, C, H, W), which is
        transposed before and after
    dilation_rate : distance between two cells of the kernel; default 1
    groups : number of groups of channels, each convolved on its own; default 1
    activation : name of an activation, a function of tensors, or a layer; default None
    use_bias : whether to add a bias per filter; default True
    kernel_initializer, bias_initializer : default "glorot_uniform" and "zeros"
    kernel_regularizer, bias_regularizer, activity_regularizer : penalties that are added to the
        loss, see `minicnn.regularizers`; default None
    kernel_constraint, bias_constraint : see `minicnn.constraints`; default None
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
        data_format: str | None = None,
        dilation_rate: int | Pair = (1, 1),
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
        algorithm: str = "auto",
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
        self.algorithm = check_choice(algorithm, "algorithm", ALGORITHMS)
        self.filters = check_int(filters, "filters")
        self.groups = check_int(groups, "groups")
        if self.filters % self.groups:
            raise ArgumentError(f"groups={groups} must divide filters={filters}")

    def build(self, *input_shapes: Shape) -> None:
        """Create the kernel, (KH, KW, C / groups, filters), and the bias."""
        channels = self.image_shape(input_shapes[0])[3]
        if channels % self.groups:
            raise ArgumentError(f"groups={self.groups} must divide the {channels} input channels")
        shape = (*self.kernel_size, channels // self.groups, self.filters)
        self.kernel = self.add_ruled("kernel", shape)
        self.add_bias(self.filters)

    def convolved(self, apply: Apply, x: Any) -> Any:
        """Return conv2d(x, kernel, bias)."""
        return self.conv2d(apply, x, self.kernel, self.bias, algorithm=self.algorithm)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "groups": self.groups,
            "algorithm": self.algorithm,
        }


class DepthwiseConv2D(Convolution):
    """Convolves each channel on its own, with `depth_multiplier` patterns that are learned.

    (N, H, W, C) -> (N, OH, OW, C * depth_multiplier); the results of a channel are next to each
    other. It is `minicnn.operations.conv2d` with groups = C. All other parameters are those of
    `Conv2D`.

    >>> DepthwiseConv2D(3, padding="same")(np.zeros((1, 7, 7, 5), np.float32)).shape
    (1, 7, 7, 5)
    """

    weight_names = ("depthwise", "bias")

    def __init__(
        self,
        kernel_size: int | Pair,
        strides: int | Pair = (1, 1),
        padding: Padding = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: int | Pair = (1, 1),
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
        """Create the kernel, (KH, KW, 1, C * depth_multiplier), and the bias.

        In Keras, and in `get_weights`, the kernel is (KH, KW, C, depth_multiplier).
        """
        self.groups = self.image_shape(input_shapes[0])[3]
        filters = self.groups * self.depth_multiplier
        shape = (*self.kernel_size, self.groups, self.depth_multiplier)
        self.kernel = self.add_ruled(
            "kernel",
            (*self.kernel_size, 1, filters),
            "depthwise",
            initializer_shape=shape,  # which fixes fan in and fan out
        )
        self.kernel.keras_shape = shape
        self.add_bias(filters)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "depth_multiplier": self.depth_multiplier}
