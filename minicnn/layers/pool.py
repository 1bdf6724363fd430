"""Pooling layers, which reduce each window of pixels to its maximum or its mean."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from minicnn.checks import check_flag
from minicnn.contracts import Shape
from minicnn.layers.apply import Apply
from minicnn.layers.image_axes import ImageAxes, pair
from minicnn.layers.weight_arguments import check_data_format
from minicnn.operations.global_pool import GLOBAL_AVERAGE_POOL2D, GLOBAL_MAX_POOL2D
from minicnn.operations.operation import Operation
from minicnn.operations.pool import AVERAGE_POOL2D, MAX_POOL2D
from minicnn.operations.shape import RESHAPE
from minicnn.shapes import Padding, Pair, as_window_padding


class _Pooling(ImageAxes):
    """Base class of the pooling layers, which differ in the operation and in the axes."""

    operation: ClassVar[Operation]

    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: Padding = "valid",
        data_format: str | None = None,
        name: str | None = None,
        *,
        ceil_mode: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(name=name, **options)
        self.pool_size: Any = self.lengths(pool_size, "pool_size")
        self.strides: Any = self.pool_size if strides is None else self.lengths(strides, "strides")
        self.padding = as_window_padding(padding)
        self.data_format = check_data_format(data_format)
        self.ceil_mode = check_flag(ceil_mode, "ceil_mode")

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return the operation of this class, applied to x."""
        y = apply(
            self.operation,
            self.to_image(apply, inputs[0]),
            pool_size=pair(self.pool_size),
            strides=pair(self.strides),
            padding=self.padding,
            ceil_mode=self.ceil_mode,
        )
        return self.from_image(apply, y)

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
            "data_format": self.data_format,
            "ceil_mode": self.ceil_mode,
        }


class MaxPooling2D(_Pooling):
    """Keeps the largest value of each window; `strides` defaults to `pool_size`.

    (N, H, W, C) -> (N, OH, OW, C). See `minicnn.operations.max_pool2d`; `ceil_mode=True` adds a
    last, incomplete window, as Caffe does.

    >>> MaxPooling2D(2)(np.zeros((1, 148, 148, 32), np.float32)).shape
    (1, 74, 74, 32)
    """

    operation = MAX_POOL2D

    def __init__(
        self,
        pool_size: int | Pair = (2, 2),
        strides: int | Pair | None = None,
        padding: Padding = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, name, **options)


class AveragePooling2D(_Pooling):
    """Replaces each window by its mean; `strides` defaults to `pool_size`.

    (N, H, W, C) -> (N, OH, OW, C). See `minicnn.operations.average_pool2d`; `ceil_mode=True` adds
    a last, incomplete window, as Caffe does. The default `pool_size` is 2.

    >>> AveragePooling2D(3, strides=2)(np.zeros((1, 15, 15, 8), np.float32)).shape
    (1, 7, 7, 8)
    """

    operation = AVERAGE_POOL2D

    def __init__(
        self,
        pool_size: int | Pair = (2, 2),
        strides: int | Pair | None = None,
        padding: Padding = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, name, **options)


class MaxPooling1D(_Pooling):
    """Keeps the largest value of each window of a sequence.

    (N, T, C) -> (N, OT, C). It is `MaxPooling2D` on images of height 1.

    >>> MaxPooling1D(2)(np.zeros((1, 7, 3), np.float32)).shape
    (1, 3, 3)
    """

    operation, rank = MAX_POOL2D, 1

    def __init__(
        self,
        pool_size: int = 2,
        strides: int | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, name, **options)  # type: ignore[arg-type]


class AveragePooling1D(_Pooling):
    """Replaces each window of a sequence by its mean; the default `pool_size` is 2.

    (N, T, C) -> (N, OT, C). It is `AveragePooling2D` on images of height 1.

    >>> AveragePooling1D(3, strides=2)(np.zeros((1, 7, 3), np.float32)).shape
    (1, 3, 3)
    """

    operation, rank = AVERAGE_POOL2D, 1

    def __init__(
        self,
        pool_size: int = 2,
        strides: int | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, name, **options)  # type: ignore[arg-type]


class _GlobalPooling(ImageAxes):
    """Base class of the global pooling layers, which differ in the operation and in the axes."""

    operation: ClassVar[Operation]

    def __init__(
        self, data_format: str | None = None, keepdims: bool = False, **options: Any
    ) -> None:
        super().__init__(**options)
        self.data_format = check_data_format(data_format)
        self.keepdims = check_flag(keepdims, "keepdims")

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return the operation of this class, applied to x."""
        y = apply(self.operation, self.to_image(apply, inputs[0]))
        if not self.keepdims:
            return y
        ones = (1,) * self.rank
        channels = y.shape[1]
        shape = (channels, *ones) if self.channels_first else (*ones, channels)
        return apply(RESHAPE, y, shape=shape)

    def flops_per_value(self, *input_shapes: Shape) -> int:
        """Return one operation for each pixel."""
        return math.prod(self.image_shape(input_shapes[0])[1:3])

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "data_format": self.data_format,
            "keepdims": self.keepdims,
        }


class GlobalMaxPooling2D(_GlobalPooling):
    """Keeps the largest value of each channel.

    (N, H, W, C) -> (N, C), or with `keepdims=True` (N, 1, 1, C). See
    `minicnn.operations.global_max_pool2d`.

    >>> GlobalMaxPooling2D()(np.zeros((1, 7, 7, 256), np.float32)).shape
    (1, 256)
    """

    operation = GLOBAL_MAX_POOL2D


class GlobalAveragePooling2D(_GlobalPooling):
    """Replaces each channel by its mean.

    (N, H, W, C) -> (N, C), or with `keepdims=True` (N, 1, 1, C). See
    `minicnn.operations.global_average_pool2d`.

    >>> GlobalAveragePooling2D()(np.zeros((1, 7, 7, 256), np.float32)).shape
    (1, 256)
    """

    operation = GLOBAL_AVERAGE_POOL2D


class GlobalMaxPooling1D(_GlobalPooling):
    """Keeps the largest value of each channel of a sequence.

    (N, T, C) -> (N, C), or with `keepdims=True` (N, 1, C).

    >>> GlobalMaxPooling1D()(np.zeros((1, 7, 3), np.float32)).shape
    (1, 3)
    """

    operation, rank = GLOBAL_MAX_POOL2D, 1


class GlobalAveragePooling1D(_GlobalPooling):
    """Replaces each channel of a sequence by its mean.

    (N, T, C) -> (N, C), or with `keepdims=True` (N, 1, C).

    >>> GlobalAveragePooling1D(keepdims=True)(np.zeros((1, 7, 3), np.float32)).shape
    (1, 1, 3)
    """

    operation, rank = GLOBAL_AVERAGE_POOL2D, 1
