"""Separable convolutions: a pattern per channel, then a mixture of the channels at each pixel."""

from __future__ import annotations

from typing import Any

from minicnn.checks import check_int
from minicnn.contracts import Shape
from minicnn.layers.apply import Apply
from minicnn.layers.convolution import Convolution
from minicnn.layers.parameter import Parameter
from minicnn.operations.arrange import RESHAPE_WHOLE
from minicnn.operations.conv2d import CONV2D
from minicnn.operations.shape import RESHAPE
from minicnn.shapes import Padding, Pair


class SeparableConv2D(Convolution):
    """Convolves each channel on its own, and mixes the results by a 1 x 1 convolution.

    (N, H, W, C) -> (N, OH, OW, filters). With M = depth_multiplier it has KH * KW * C * M weights
    for the channels and C * M * filters for the mixture, far fewer than `Conv2D`. The other
    parameters are those of `Conv2D`.

    >>> SeparableConv2D(32, 3, padding="same")(np.zeros((1, 7, 7, 5), np.float32)).shape
    (1, 7, 7, 32)

    References
    ----------
    Chollet. Xception: deep learning with depthwise separable convolutions. CVPR 2017.
    """

    weight_names = ("depthwise", "pointwise", "bias")

    def __init__(
        self,
        filters: int,
        kernel_size: int | Pair,
        strides: int | Pair = (1, 1),
        padding: Padding = "valid",
        data_format: str | None = None,
        dilation_rate: int | Pair = (1, 1),
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
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
            pointwise_initializer=pointwise_initializer,
            bias_initializer=bias_initializer,
            depthwise_regularizer=depthwise_regularizer,
            pointwise_regularizer=pointwise_regularizer,
            bias_regularizer=bias_regularizer,
            depthwise_constraint=depthwise_constraint,
            pointwise_constraint=pointwise_constraint,
            bias_constraint=bias_constraint,
        )
        self.filters = check_int(filters, "filters")
        self.depth_multiplier = check_int(depth_multiplier, "depth_multiplier")
        self.depthwise_kernel: Parameter
        self.pointwise_kernel: Parameter

    def build(self, *input_shapes: Shape) -> None:
        """Create both kernels, (KH, KW, C, M) and (1, 1, C * M, filters), and the bias."""
        channels = self.image_shape(input_shapes[0])[3]
        shape = (*self.kernel_size, channels, self.depth_multiplier)
        self.depthwise_kernel = self.add_ruled("depthwise_kernel", shape, "depthwise")
        shape = (*(1,) * self.rank, channels * self.depth_multiplier, self.filters)
        self.pointwise_kernel = self.add_ruled("pointwise_kernel", shape, "pointwise")
        self.add_bias(self.filters)

    def convolved(self, apply: Apply, x: Any) -> Any:
        """Return the 1 x 1 convolution of the depthwise one."""
        depthwise, pointwise = self._kernels_of_images(apply)
        y = self.conv2d(
            apply, x, depthwise, None, groups=depthwise.shape[3] // self.depth_multiplier
        )
        return apply(CONV2D, y, pointwise, self.bias)

    def _kernels_of_images(self, apply: Apply) -> tuple[Any, Any]:
        """Return both kernels as conv2d reads them: (KH, KW, 1, C * M) and (1, 1, C * M, CO)."""
        depthwise, pointwise = self.depthwise_kernel, self.pointwise_kernel
        *size, channels, multiplier = depthwise.shape
        filters = channels * multiplier
        if self.rank == 2:
            return apply(RESHAPE, depthwise, shape=(size[1], 1, filters)), pointwise
        return (
            apply(RESHAPE_WHOLE, depthwise, shape=(1, *size, 1, filters)),
            apply(RESHAPE_WHOLE, pointwise, shape=(1, *pointwise.shape)),
        )

    def flops_per_value(self, *input_shapes: Shape) -> int:
        """Return the mixture's products and additions, and a share of the depthwise ones."""
        inner = self.image_shape(input_shapes[0])[3] * self.depth_multiplier
        cells = 1
        for length in self.kernel_size:
            cells *= length
        return 2 * inner + 2 * cells * inner // self.filters

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "depth_multiplier": self.depth_multiplier,
        }


class SeparableConv1D(SeparableConv2D):
    """Convolves each channel of a sequence on its own, and mixes the results.

    (N, T, C) -> (N, OT, filters). See `SeparableConv2D`; `padding` may also be "causal".

    >>> SeparableConv1D(8, 3)(np.zeros((1, 7, 5), np.float32)).shape
    (1, 5, 8)
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
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        **options: Any,
    ) -> None:
        super().__init__(
            filters,
            kernel_size,
            strides,
            padding,  # type: ignore[arg-type]
            data_format,
            dilation_rate,
            depth_multiplier,
            activation,
            use_bias,
            depthwise_initializer,
            pointwise_initializer,
            bias_initializer,
            depthwise_regularizer,
            pointwise_regularizer,
            bias_regularizer,
            activity_regularizer,
            depthwise_constraint,
            pointwise_constraint,
            bias_constraint,
            **options,
        )
