"""Transposed convolutions, which make images or sequences larger by a learned pattern."""

from __future__ import annotations

from typing import Any

from minicnn.checks import check_int, quoted
from minicnn.contracts import Shape
from minicnn.errors import ArgumentError
from minicnn.layers.apply import Apply
from minicnn.layers.convolution import Convolution
from minicnn.layers.image_axes import pair
from minicnn.operations.arrange import RESHAPE_WHOLE
from minicnn.operations.conv2d_transpose import CONV2D_TRANSPOSE
from minicnn.operations.dense import BIAS
from minicnn.shapes import Padding, Pair


class Conv2DTranspose(Convolution):
    """Adds a copy of the filters to a larger image for every pixel: a convolution's gradient.

    (N, H, W, C) -> (N, OH, OW, filters), with KH * KW * filters * C weights and `filters` biases.
    See `minicnn.operations.conv2d_transpose` for the formula and for the output's size.

    Parameters
    ----------
    filters : number of output channels
    kernel_size : (KH, KW) of the patterns, or one number for both
    strides : steps between the copies, in pixels of the output; default 1
    padding : "valid", the default, or "same", with which the output has H * SY rows
    output_padding : rows and columns to add to the smallest output, less than the strides; default
        None: as `padding` says

    The other parameters are those of `Conv2D`.

    >>> Conv2DTranspose(8, 3, strides=2, padding="same")(np.zeros((1, 7, 7, 5), np.float32)).shape
    (1, 14, 14, 8)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int | Pair,
        strides: int | Pair = (1, 1),
        padding: Padding = "valid",
        output_padding: int | Pair | None = None,
        data_format: str | None = None,
        dilation_rate: int | Pair = (1, 1),
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
        self.output_padding: Any = None
        if output_padding is not None:
            self.output_padding = self.lengths(output_padding, "output_padding", 0)
        if self.padding not in ("valid", "same"):
            raise ArgumentError(f'padding must be "valid" or "same"; got {quoted(padding)}')

    def build(self, *input_shapes: Shape) -> None:
        """Create the kernel, (KH, KW, filters, C), and the bias."""
        channels = self.image_shape(input_shapes[0])[3]
        self.kernel = self.add_ruled("kernel", (*self.kernel_size, self.filters, channels))
        self.add_bias(self.filters)

    def convolved(self, apply: Apply, x: Any) -> Any:
        """Return conv2d_transpose(x, kernel) + bias."""
        kernel: Any = self.kernel
        if self.rank == 1:
            kernel = apply(RESHAPE_WHOLE, kernel, shape=(1, *kernel.shape))
        more = self.output_padding
        y = apply(
            CONV2D_TRANSPOSE,
            x,
            kernel,
            strides=pair(self.strides),
            padding=self.padding,
            output_padding=None if more is None else pair(more, 0),
            dilation=pair(self.dilation_rate),
        )
        return y if self.bias is None else apply(BIAS, y, self.bias)

    def flops_per_value(self, *input_shapes: Shape) -> int:
        """Return a product and an addition for each cell of the kernel that meets an output."""
        (rows, columns), (down, right) = pair(self.kernel_size), pair(self.strides)
        channels = self.image_shape(input_shapes[0])[3]
        return 2 * rows * columns * channels // (down * right)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "output_padding": self.output_padding,
        }


class Conv1DTranspose(Conv2DTranspose):
    """Adds a copy of the filters to a longer sequence for every value: see `Conv2DTranspose`.

    (N, T, C) -> (N, OT, filters).

    >>> Conv1DTranspose(8, 3, strides=2, padding="same")(np.zeros((1, 7, 5), np.float32)).shape
    (1, 14, 8)
    """

    rank = 1

    def __init__(
        self,
        filters: int,
        kernel_size: int,
        strides: int = 1,
        padding: str = "valid",
        output_padding: int | None = None,
        data_format: str | None = None,
        dilation_rate: int = 1,
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
            filters,
            kernel_size,
            strides,
            padding,  # type: ignore[arg-type]
            output_padding,
            data_format,
            dilation_rate,
            activation,
            use_bias,
            kernel_initializer,
            bias_initializer,
            kernel_regularizer,
            bias_regularizer,
            activity_regularizer,
            kernel_constraint,
            bias_constraint,
            **options,
        )
