"""What layers that change images have in common, in a network and on arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.checks import check_axes, check_number, quoted
from minicnn.contracts import Shape
from minicnn.errors import ArgumentError, ShapeError
from minicnn.layers.base import Layer, SymbolicTensor
from minicnn.layers.random_layer import RandomLayer
from minicnn.layers.tracing import current_scope

Bounds = tuple[float, float]


class ImageLayer(Layer):
    """A layer that changes images, (N, H, W, C), or on arrays one image (H, W, C).

    A call on arrays is one of training unless it says `training=False`, as in Keras; in a network,
    the network decides. Integers become float32.

    Parameters
    ----------
    data_format : "channels_last" or None, which is the same
    options : those of `Layer`
    """

    moves_pixels = True
    keeps_integers = False  # True for layers whose result on arrays has the dtype of the images

    def __init__(self, *, data_format: str | None = None, **options: Any) -> None:
        super().__init__(**options)
        check_channels_last(data_format)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the new images, or add the layer to a network after a SymbolicTensor."""
        if len(args) != 1 or isinstance(args[0], SymbolicTensor) or current_scope() is not None:
            return super().__call__(*args, **kwargs)
        given = np.asarray(args[0])
        if given.ndim not in (3, 4) or given.dtype.kind not in "uifb":
            return super().__call__(given, **kwargs)  # which refuses it
        kwargs["training"] = kwargs.get("training") is not False
        images = given if given.dtype in (np.uint8, np.float32) else given.astype(np.float32)
        images = images if given.ndim == 4 else images[None]
        result = super().__call__(images, **kwargs)
        if result is images:
            return args[0]
        if self.keeps_integers and given.dtype.kind in "ui":
            limits = np.iinfo(given.dtype)
            result = result.round().clip(limits.min, limits.max).astype(given.dtype)
        return result if given.ndim == 4 else result[0]

    def build(self, *input_shapes: Shape) -> None:
        """Create nothing, but refuse an input that is not a batch of images."""
        check_axes(input_shapes[0], "x", "NHWC")


class RandomImageLayer(ImageLayer, RandomLayer):
    """A layer that changes each image in a random way in training, and nothing at inference.

    No gradient goes back through it, so nothing before it can be trained.
    """


def check_channels_last(data_format: Any) -> None:
    """Refuse a data_format that is not ours, with what to do."""
    if data_format not in (None, "channels_last"):
        raise ArgumentError(
            f"data_format must be 'channels_last', images of axes (N, H, W, C); got "
            f"{quoted(data_format)}. For images (N, C, H, W) pass np.moveaxis(x, 1, -1)"
        )


def check_bounds(factor: Any, name: str, low: float, high: float) -> Bounds:
    """Return the smaller and the larger bound of a random number.

    One number a means (-a, a), as far as that lies within low...high.
    """
    given = list(factor) if isinstance(factor, (list, tuple)) else [factor]
    bounds = sorted(check_number(bound, name) for bound in given)
    if len(bounds) not in (1, 2) or bounds[0] < low or bounds[-1] > high:
        raise ArgumentError(
            f"{name} must be a number or two, within {low:g}...{high:g}; got {quoted(factor)}"
        )
    if len(bounds) == 1:
        return max(-abs(bounds[0]), low), abs(bounds[0])
    return bounds[0], bounds[1]


def given(factor: Any) -> Any:
    """Return a number as it is, and several in a tuple, as they are again after a file is read."""
    return tuple(factor) if isinstance(factor, list) else factor


def check_value_range(value_range: Any) -> Bounds:
    """Return the smallest and the largest value of a pixel."""
    if not isinstance(value_range, (list, tuple)) or len(value_range) != 2:
        raise ArgumentError(f"value_range must be two numbers; got {quoted(value_range)}")
    low, high = sorted(check_number(one, "value_range") for one in value_range)
    return low, high


def check_colors(shape: Shape, name: str) -> None:
    """Refuse images that are neither gray nor of three colors."""
    if shape[3] not in (1, 3):
        raise ShapeError(f"{name} needs images of 1 or 3 channels; got {shape[3]}")
