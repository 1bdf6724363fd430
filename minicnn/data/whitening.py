"""Normalization by statistics of a data set: mean, standard deviation and ZCA whitening."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from minicnn.checks import shape_text
from minicnn.errors import ShapeError

STD_EPSILON = np.float32(1e-6)  # added to a standard deviation before it divides, as in Keras


class Whitening(NamedTuple):
    """Mean and standard deviation of each channel, and the ZCA matrix, of a set of images."""

    mean: np.ndarray  # (C,)
    std: np.ndarray | None  # (C,)
    zca: np.ndarray | None  # (H*W*C, H*W*C)

    @classmethod
    def fit(cls, x: np.ndarray, *, std: bool, epsilon: float | None) -> Whitening:
        """Compute the statistics of float32 images (N, H, W, C); with `epsilon` the ZCA matrix too.

        Let X be the centered images as rows, and X^T = U S V^T. The ZCA matrix is
        U diag(sqrt(N) / (S + epsilon)) U^T. X times this matrix has the covariance I, and of all
        matrices for which that holds it changes the images least.

        References
        ----------
        Bell, Sejnowski: The independent components of natural scenes are edge filters. 1997.
        """
        mean = _mean_of_means(x)
        stds = np.sqrt(_mean_of_means(x, lambda image: (image - mean) ** 2))
        single = np.float32
        fitted = cls(mean.astype(single), stds.astype(single) if std else None, None)
        if epsilon is None:
            return fitted
        flat = fitted.apply(x).reshape(len(x), -1)
        u, s, _ = np.linalg.svd(flat.T, full_matrices=False)
        zca = (u * (np.sqrt(len(x)) / (s + epsilon))) @ u.T
        return fitted._replace(zca=zca.astype(np.float32))

    def check_fits(self, image_shape: tuple[int, ...]) -> None:
        """Raise ShapeError unless images (H, W, C) have the shape of those that were fitted."""
        if image_shape[-1:] != self.mean.shape:
            raise ShapeError(
                f"the generator was fitted on images of {len(self.mean)} channels; these are "
                f"{shape_text(image_shape)}"
            )
        if self.zca is not None and math.prod(image_shape) != len(self.zca):
            raise ShapeError(
                f"zca_whitening was fitted on images of {len(self.zca)} values; these are "
                f"{shape_text(image_shape)}"
            )

    def apply(self, x: np.ndarray) -> np.ndarray:
        """Return images (H, W, C) or (N, H, W, C), normalized."""
        self.check_fits(x.shape[-3:])
        x = x - self.mean
        if self.std is not None:
            x = x / (self.std + STD_EPSILON)
        if self.zca is None:
            return x
        return (x.reshape(-1, len(self.zca)) @ self.zca).reshape(x.shape)


def _mean_of_means(
    x: np.ndarray, function: Callable[[np.ndarray], Any] = lambda image: image
) -> Any:
    """Return the mean of `function(image)` over all images (N, H, W, C) and pixels, (C,) float64.

    Sums are float64: float32 sums of millions of values would lose their last digits.
    """
    return np.mean([np.mean(function(image), (0, 1), np.float64) for image in x], 0)
