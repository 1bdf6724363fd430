"""Batches of images in memory, augmented by threads one batch ahead of the training."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.data.image_batches import ImageBatches
from minicnn.errors import ArgumentError, DTypeError, ShapeError


class ArrayFlow(ImageBatches):
    """Batches x, (x, y) or (x, y, weights) of arrays, as `ImageDataGenerator.flow` returns them.

    Parameters
    ----------
    x : array (N, H, W, C), integer or floating-point; or (images, other), where `other` is an array
        (N, ...) or a list of such arrays
    y, sample_weight : arrays (N, ...) and (N,), or None
    rows : the rows of the arrays that are used
    options : keyword arguments of `ImageBatches`
    """

    def __init__(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        rows: slice = slice(None),
        **options: Any,
    ) -> None:
        images, others = _separated(x)
        images = _checked_images(images)
        self.others = [
            _aligned(images, other, rows, f"the array {i} beside the images")
            for i, other in enumerate(others)
        ]
        self.y = _aligned(images, y, rows, "y")
        self.sample_weight = _aligned(images, sample_weight, rows, "sample_weight")
        self.x = images[rows]
        if len(self.x) == 0:
            raise ArgumentError("x has no images; at least one is needed")
        height, width, channels = self.x.shape[1:]
        super().__init__(len(self.x), (height, width, channels), **options)

    def read(self, i: int) -> np.ndarray:
        """Return image i, (H, W, C)."""
        return self.x[i]

    def batch_of(self, x: np.ndarray, rows: np.ndarray) -> Any:
        """Return x, (x, y) or (x, y, weights); with other arrays x is [images, other, ...]."""
        inputs = [x, *(other[rows] for other in self.others)] if self.others else x
        if self.y is None:
            return inputs
        y = self.y[rows]
        return (inputs, y) if self.sample_weight is None else (inputs, y, self.sample_weight[rows])


def _checked_images(x: Any) -> np.ndarray:
    x = np.asarray(x)
    if x.dtype.kind not in "uif":
        raise DTypeError(f"x must be integer or floating-point; got {x.dtype}")
    if x.ndim != 4 or 0 in x.shape[1:]:
        raise ShapeError(f"x must be images (N, H, W, C); got shape {x.shape}")
    return x


def count_of(x: Any) -> int:
    """Return the number of images in the x of `flow`."""
    return len(_checked_images(_separated(x)[0]))


def _separated(x: Any) -> tuple[Any, list[Any]]:
    """Separate the images from the arrays that accompany them."""
    if not (isinstance(x, (tuple, list)) and len(x) == 2 and np.ndim(x[0]) == 4):
        return x, []
    images, other = x
    return images, list(other) if isinstance(other, list) else [other]


def _aligned(x: np.ndarray, y: Any, rows: slice, name: str) -> Any:
    """Return these rows of `y` as an array, if it has one row per image."""
    if y is None:
        return None
    y = np.asarray(y)
    if y.ndim == 0 or len(y) != len(x):
        count = "one number" if y.ndim == 0 else len(y)
        raise ArgumentError(f"x has {len(x)} images but {name} has {count}; they must match")
    return y[rows]
