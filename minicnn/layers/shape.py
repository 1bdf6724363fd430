"""Layers that change the shape of arrays and compute nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minicnn.checks import check_axes, check_int, quoted
from minicnn.contracts import Shape
from minicnn.errors import ArgumentError
from minicnn.layers.apply import Apply
from minicnn.layers.base import Layer
from minicnn.operations.shape import RESHAPE, ZERO_PAD2D
from minicnn.shapes import Padding, as_padding


class _Moving(Layer):
    """Base class of layers without arithmetic."""

    def flops_per_value(self, *input_shapes: Shape) -> int:
        """Return 0: nothing is computed."""
        return 0


class Flatten(_Moving):
    """Flattens each sample to a vector.

    (N, ...) -> (N, features). See `minicnn.operations.reshape`.

    >>> Flatten()(np.zeros((5, 7, 7, 256), np.float32)).shape
    (5, 12544)
    """

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return reshape(x, (-1,))."""
        return apply(RESHAPE, inputs[0], shape=(-1,))


class Reshape(_Moving):
    """Gives each sample another shape, with its values in the same order; one length may be -1.

    (N, ...) -> (N, *target_shape). See `minicnn.operations.reshape`.

    >>> Reshape((4, -1))(np.zeros((5, 12), np.float32)).shape
    (5, 4, 3)
    """

    def __init__(self, target_shape: Sequence[int], **options: Any) -> None:
        super().__init__(**options)
        if isinstance(target_shape, str) or not isinstance(target_shape, Sequence):
            raise ArgumentError(
                f"target_shape must be a tuple like (7, 7, -1); got {quoted(target_shape)}"
            )
        lengths = [n if n == -1 else check_int(n, "target_shape") for n in target_shape]
        if lengths.count(-1) > 1:
            raise ArgumentError(f"target_shape may have one -1; got {quoted(target_shape)}")
        self.target_shape = tuple(lengths)

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return reshape(x, target_shape)."""
        return apply(RESHAPE, inputs[0], shape=self.target_shape)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "target_shape": self.target_shape}


class ZeroPadding2D(_Moving):
    """Adds rows and columns of zeros around each image.

    (N, H, W, C) -> (N, top + H + bottom, left + W + right, C). See `minicnn.operations.zero_pad2d`.

    >>> ZeroPadding2D(((1, 0), (2, 2)))(np.zeros((1, 4, 4, 3), np.float32)).shape
    (1, 5, 8, 3)
    """

    def __init__(self, padding: Padding = (1, 1), **options: Any) -> None:
        super().__init__(**options)
        self.padding = as_padding(padding)
        if isinstance(self.padding, str):
            raise ArgumentError(
                f"padding must be numbers of rows and columns; got {quoted(padding)}"
            )

    def build(self, *input_shapes: Shape) -> None:
        """Create nothing, but refuse an input that is not a batch of images."""
        check_axes(input_shapes[0], "x", "NHWC")

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return zero_pad2d(x, padding)."""
        return apply(ZERO_PAD2D, inputs[0], padding=self.padding)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "padding": self.padding}
