"""Layers of images or sequences, with the channels last or first, compute on (N, H, W, C).

Images with the channels first are transposed at the layer's edges. A sequence (N, T, C) is an image
of height 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from minicnn.checks import check_axes, quoted
from minicnn.contracts import Shape
from minicnn.errors import ArgumentError
from minicnn.layers.apply import Apply
from minicnn.layers.base import Layer
from minicnn.operations.arrange import TRANSPOSE
from minicnn.operations.shape import RESHAPE
from minicnn.shapes import Pair, as_pair

# The names of the axes, by the number of axes of a window and by data_format.
AXES = {
    (2, "channels_last"): "NHWC",
    (2, "channels_first"): "NCHW",
    (1, "channels_last"): "NTC",
    (1, "channels_first"): "NCT",
}


class ImageAxes(Layer):
    """Base class of layers that slide over images (`rank` 2) or over sequences (`rank` 1)."""

    rank: ClassVar[int] = 2
    data_format = "channels_last"

    @property
    def channels_first(self) -> bool:
        """Whether the channels are the first axis after the batch."""
        return self.data_format == "channels_first"

    def image_shape(self, shape: Shape) -> Shape:
        """Return the input's shape as (N, H, W, C); raise ShapeError if it has other axes."""
        check_axes(shape, "x", AXES[self.rank, self.data_format])
        if self.channels_first:
            shape = (shape[0], *shape[2:], shape[1])
        return shape if self.rank == 2 else (shape[0], 1, *shape[1:])

    def to_image(self, apply: Apply, x: Any) -> Any:
        """Return the input as (N, H, W, C)."""
        if self.channels_first:
            x = apply(TRANSPOSE, x, axes=(0, 2, 1) if self.rank == 1 else (0, 2, 3, 1))
        return x if self.rank == 2 else apply(RESHAPE, x, shape=(1, *x.shape[1:]))

    def from_image(self, apply: Apply, y: Any) -> Any:
        """Return (N, H, W, C) with the axes of the input."""
        if self.rank == 1:
            y = apply(RESHAPE, y, shape=y.shape[2:])
        if self.channels_first:
            y = apply(TRANSPOSE, y, axes=(0, 2, 1) if self.rank == 1 else (0, 3, 1, 2))
        return y

    def build(self, *input_shapes: Shape) -> None:
        """Create nothing, but refuse an input with other axes."""
        self.image_shape(input_shapes[0])

    def lengths(self, value: Any, name: str, least: int = 1) -> tuple[int, ...]:
        """Return one integer of at least `least` for each axis of the window."""
        if self.rank == 2:
            return as_pair(value, name, least)
        given = value if isinstance(value, Sequence) and len(value) == 1 else (value,)
        try:
            return (as_pair((given[0], given[0]), name, least)[0],)
        except ArgumentError:
            raise ArgumentError(
                f"{name} must be an integer >= {least}; got {quoted(value)}"
            ) from None


def pair(lengths: tuple[int, ...], missing: int = 1) -> Pair:
    """Return the same for images: a sequence's length is that of columns.

    >>> pair((3,)), pair((3, 2))
    ((1, 3), (3, 2))
    """
    return (missing, lengths[0]) if len(lengths) == 1 else (lengths[0], lengths[1])
