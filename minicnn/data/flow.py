"""Batches of images in memory, each changed by threads while the batch before is trained on."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.data.pipeline import ImageBatches
from minicnn.errors import ArgumentError, DTypeError, ShapeError


class ArrayFlow(ImageBatches):
    """Batches x, (x, y) or (x, y, weights) of arrays; what `ImageDataGenerator.flow` returns.

    Parameters
    ----------
    x : array (N, H, W, C), uint8 or of real numbers
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
        self.x = _images(x)[rows]
        self.y = _one_each(self.x, y, rows, "y")
        self.sample_weight = _one_each(self.x, sample_weight, rows, "sample_weight")
        if len(self.x) == 0:
            raise ArgumentError("x has no images; at least one is needed")
        height, width, channels = self.x.shape[1:]
        super().__init__(len(self.x), (height, width, channels), **options)

    def read(self, i: int) -> np.ndarray:
        """Image i, (H, W, C)."""
        return self.x[i]

    def batch_of(self, x: np.ndarray, rows: np.ndarray) -> Any:
        """x, (x, y) or (x, y, weights)."""
        if self.y is None:
            return x
        y = self.y[rows]
        return (x, y) if self.sample_weight is None else (x, y, self.sample_weight[rows])


def _images(x: Any) -> np.ndarray:
    x = np.asarray(x)
    if x.dtype.kind not in "uif":
        raise DTypeError(f"x must be numbers; got {x.dtype}")
    if x.ndim != 4 or 0 in x.shape[1:]:
        raise ShapeError(f"x must be images (N, H, W, C); got shape {x.shape}")
    return x


def _one_each(x: np.ndarray, y: Any, rows: slice, name: str) -> np.ndarray | None:
    if y is None:
        return None
    y = np.asarray(y)[rows]
    if len(y) != len(x):
        raise ArgumentError(f"x has {len(x)} images but {name} has {len(y)}; each needs one")
    return y
