"""A value of Caffe's net as a tensor of ours: images with the channels last, all else unchanged."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from minicnn.errors import ShapeError
from minicnn.layers import Flatten, Permute, Reshape

# Our axis for each of Caffe's, N, C, H and W.
AXES_OF_IMAGE = (0, 3, 1, 2)


class Value(NamedTuple):
    """What a layer of Caffe gives: a tensor, and the shape that Caffe has for a sample.

    A sample of three axes, (C, H, W), is (H, W, C) in the tensor. `pixels` is that shape (C, H, W)
    for a vector that was made of an image whose values are still in our order.
    """

    tensor: Any
    shape: tuple[int, ...]
    pixels: tuple[int, int, int] | None = None

    @property
    def is_image(self) -> bool:
        """Whether a sample is (C, H, W)."""
        return len(self.shape) == 3

    def image(self) -> Any:
        """Return the tensor of images, (N, H, W, C); raise ShapeError for anything else."""
        if not self.is_image:
            raise ShapeError(f"needs an input (N, C, H, W); got (N, {_text(self.shape)})")
        return self.tensor

    def axis(self, axis: int) -> int:
        """Return our axis for one of Caffe's, which may be negative."""
        rank = len(self.shape) + 1
        if not -rank <= axis < rank:
            raise ShapeError(f"axis {axis} is not one of the {rank} of (N, {_text(self.shape)})")
        axis %= rank
        if axis == 0:
            raise ShapeError("an operation across the batch is not supported")
        return AXES_OF_IMAGE[axis] if self.is_image else axis

    def plain(self) -> Any:
        """Return the tensor with all axes in Caffe's order."""
        if self.is_image:
            return in_caffes_order(self.tensor, self.shape)
        if self.pixels is None or is_point(self.pixels):
            return self.tensor
        c, h, w = self.pixels
        return Flatten()(in_caffes_order(Reshape((h, w, c))(self.tensor), self.pixels))

    def settled(self) -> Value:
        """Return the same value without `pixels`."""
        return self if self.pixels is None else Value(self.plain(), self.shape)

    def with_tensor(self, tensor: Any) -> Value:
        """Return the value that an operation on each number makes of this one."""
        return self._replace(tensor=tensor)


def in_caffes_order(image: Any, shape: tuple[int, ...]) -> Any:
    """Return (N, C, H, W) of a tensor (N, H, W, C)."""
    return Reshape(shape)(image) if is_point(shape) else Permute((3, 1, 2))(image)


def of_plain(tensor: Any, shape: tuple[int, ...]) -> Value:
    """Return the value of a tensor with its axes in Caffe's order, of a sample of this shape."""
    if len(shape) != 3:
        return Value(tensor, shape)
    c, h, w = shape
    ours = Reshape((h, w, c))(tensor) if is_point(shape) else Permute((2, 3, 1))(tensor)
    return Value(ours, shape)


def of_image(tensor: Any) -> Value:
    """Return the value of a tensor of images, (N, H, W, C)."""
    _, h, w, c = tensor.shape
    return Value(tensor, (c, h, w))


def flat(value: Value) -> Value:
    """Return a vector of each sample."""
    size = (math.prod(value.shape),)
    if not value.is_image:
        return Value(value.tensor if len(value.shape) == 1 else Flatten()(value.tensor), size,
                     value.pixels)  # fmt: skip
    c, h, w = value.shape
    return Value(Flatten()(value.tensor), size, (c, h, w))


def is_point(shape: tuple[int, ...]) -> bool:
    """Return whether images of this shape, (C, H, W), have one channel or one pixel.

    Then the order of the axes does not change that of the values.
    """
    return shape[0] == 1 or shape[1] * shape[2] == 1


def _text(shape: tuple[int, ...]) -> str:
    return ", ".join(map(str, shape))
