"""Batches of images in memory, each changed by threads while the batch before is trained on."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.data.image_batches import ImageBatches
from minicnn.errors import ArgumentError, DTypeError, ShapeError


class ArrayFlow(ImageBatches):
    """Batches x, (x, y) or (x, y, weights) of arrays; what `ImageDataGenerator.flow` returns.

    Parameters
    ----------
    x : array (N, H, W, C), uint8 or of real numbers; or (images, other), `other` being an array
        (N, ...) or a list of them
    y, sample_weight : arrays (N, ...) and (N,), or None
    rows : the part of the arrays to take
    options : those of `ImageBatches`
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
        images, others = _parts(x)
        images = _images(images)
        self.others = [
            _one_each(images, one, rows, f"the array {i} beside the images")
            for i, one in enumerate(others)
        ]
        self.y = _one_each(images, y, rows, "y")
        self.sample_weight = _one_each(images, sample_weight, rows, "sample_weight")
        self.x = images[rows]
        if len(self.x) == 0:
            raise ArgumentError("x has no images; at least one is needed")
        height, width, channels = self.x.shape[1:]
        super().__init__(len(self.x), (height, width, channels), **options)

    def read(self, i: int) -> np.ndarray:
        """Image i, (H, W, C)."""
        return self.x[i]

    def batch_of(self, x: np.ndarray, rows: np.ndarray) -> Any:
        """x, (x, y) or (x, y, weights); x is the list [images, other, ...] if there are others."""
        inputs = [x, *(other[rows] for other in self.others)] if self.others else x
        if self.y is None:
            return inputs
        y = self.y[rows]
        return (inputs, y) if self.sample_weight is None else (inputs, y, self.sample_weight[rows])


def _images(x: Any) -> np.ndarray:
    x = np.asarray(x)
    if x.dtype.kind not in "uif":
        raise DTypeError(f"x must be numbers; got {x.dtype}")
    if x.ndim != 4 or 0 in x.shape[1:]:
        raise ShapeError(f"x must be images (N, H, W, C); got shape {x.shape}")
    return x


def count_of(x: Any) -> int:
    """How many images `flow` was given."""
    return len(_images(_parts(x)[0]))


def _parts(x: Any) -> tuple[Any, list[Any]]:
    """The images, and the arrays that go with them."""
    if not (isinstance(x, (tuple, list)) and len(x) == 2 and np.ndim(x[0]) == 4):
        return x, []
    images, other = x
    return images, list(other) if isinstance(other, list) else [other]


def _one_each(x: np.ndarray, y: Any, rows: slice, name: str) -> Any:
    if y is None:
        return None
    y = np.asarray(y)
    if y.ndim == 0 or len(y) != len(x):
        count = "one number" if y.ndim == 0 else len(y)
        raise ArgumentError(f"x has {len(x)} images but {name} has {count}; each needs one")
    return y[rows]
