"""Pooling layers, which reduce each window of pixels to its maximum or its mean."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from minicnn.checks import check_axes, check_flag
from minicnn.contracts import Shape
from minicnn.layers.apply import Apply
from minicnn.layers.base import Layer
from minicnn.operations.global_pool import GLOBAL_AVERAGE_POOL2D, GLOBAL_MAX_POOL2D
from minicnn.operations.operation import Operation
from minicnn.operations.pool import AVERAGE_POOL2D, MAX_POOL2D
from minicnn.shapes import Padding, Pair, as_padding, as_pair


class _Pooling2D(Layer):
    """Base class of the pooling layers, which differ in the operation."""

    operation: ClassVar[Operation]

    def __init__(
        self,
        pool_size: int | Pair = (2, 2),
        strides: int | Pair | None = None,
        padding: Padding = "valid",
        *,
        ceil_mode: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.pool_size = as_pair(pool_size, "pool_size")
        self.strides = self.pool_size if strides is None else as_pair(strides, "strides")
        self.padding = as_padding(padding)
        self.ceil_mode = check_flag(ceil_mode, "ceil_mode")

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return the operation of this class, applied to x."""
        return apply(
            self.operation,
            inputs[0],
            pool_size=self.pool_size,
            strides=self.strides,
            padding=self.padding,
            ceil_mode=self.ceil_mode,
        )

    def flops_per_value(self, *input_shapes: Shape) -> int:
        """Return one operation for each cell of the window."""
        return math.prod(self.pool_size)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "pool_size": self.pool_size,
            "strides": self.strides,
            "padding": self.padding,
            "ceil_mode": self.ceil_mode,
        }


class MaxPooling2D(_Pooling2D):
    """Keeps the largest value of each window; `strides` defaults to `pool_size`.

    (N, H, W, C) -> (N, OH, OW, C). See `minicnn.operations.max_pool2d`; `ceil_mode=True` adds a
    last, incomplete window, as Caffe does.

    >>> MaxPooling2D(2)(np.zeros((1, 148, 148, 32), np.float32)).shape
    (1, 74, 74, 32)
    """

    operation = MAX_POOL2D


class AveragePooling2D(_Pooling2D):
    """Replaces each window by its mean; `strides` defaults to `pool_size`.

    (N, H, W, C) -> (N, OH, OW, C). See `minicnn.operations.average_pool2d`; `ceil_mode=True` adds
    a last, incomplete window, as Caffe does.

    >>> AveragePooling2D(3, strides=2)(np.zeros((1, 15, 15, 8), np.float32)).shape
    (1, 7, 7, 8)
    """

    operation = AVERAGE_POOL2D


class _GlobalPooling2D(Layer):
    """Base class of the global pooling layers, which differ in the operation."""

    operation: ClassVar[Operation]

    def build(self, *input_shapes: Shape) -> None:
        """Create nothing, but refuse an input that is not a batch of images."""
        check_axes(input_shapes[0], "x", "NHWC")

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return the operation of this class, applied to x."""
        return apply(self.operation, inputs[0])

    def flops_per_value(self, *input_shapes: Shape) -> int:
        """Return one operation for each pixel."""
        return math.prod(input_shapes[0][1:3])


class GlobalMaxPooling2D(_GlobalPooling2D):
    """Keeps the largest value of each channel.

    (N, H, W, C) -> (N, C). See `minicnn.operations.global_max_pool2d`.

    >>> GlobalMaxPooling2D()(np.zeros((1, 7, 7, 256), np.float32)).shape
    (1, 256)
    """

    operation = GLOBAL_MAX_POOL2D


class GlobalAveragePooling2D(_GlobalPooling2D):
    """Replaces each channel by its mean.

    (N, H, W, C) -> (N, C). See `minicnn.operations.global_average_pool2d`.

    >>> GlobalAveragePooling2D()(np.zeros((1, 7, 7, 256), np.float32)).shape
    (1, 256)
    """

    operation = GLOBAL_AVERAGE_POOL2D
