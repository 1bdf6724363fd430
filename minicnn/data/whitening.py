"""Making the numbers of images comparable: their mean 0, their deviation 1, or all independent."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from minicnn.checks import shape_text
from minicnn.errors import ShapeError

STD_EPSILON = np.float32(1e-6)  # added to a deviation before it divides, as in Keras


class Whitening(NamedTuple):
    """What the images of a training taught: each channel's mean and deviation, a rotation."""

    mean: np.ndarray  # (C,)
    std: np.ndarray | None  # (C,)
    rotation: np.ndarray | None  # (H*W*C, H*W*C)

    @classmethod
    def fit(cls, x: np.ndarray, *, std: bool, epsilon: float | None) -> Whitening:
        """From images float32 (N, H, W, C); with `epsilon` also the ZCA rotation.

        With X the images as rows, without their mean, and X^T = U S V^T, the rotation is
        U diag(sqrt(N) / (S + epsilon)) U^T: X times it has the covariance I, and no other such
        matrix changes the images less.

        References
        ----------
        Bell, Sejnowski: The independent components of natural scenes are edge filters. 1997.
        """
        mean = _mean_of_means(x)
        spread = np.sqrt(_mean_of_means(x, lambda image: (image - mean) ** 2))
        single = np.float32
        learned = cls(mean.astype(single), spread.astype(single) if std else None, None)
        if epsilon is None:
            return learned
        flat = learned.apply(x).reshape(len(x), -1)
        u, s, _ = np.linalg.svd(flat.T, full_matrices=False)
        rotation = (u * (np.sqrt(len(x)) / (s + epsilon))) @ u.T
        return learned._replace(rotation=rotation.astype(np.float32))

    def check_fits(self, image_shape: tuple[int, ...]) -> None:
        """Refuse images (H, W, C) of another kind than those that taught this."""
        if image_shape[-1:] != self.mean.shape:
            raise ShapeError(
                f"the generator was fitted on images of {len(self.mean)} channels; these are "
                f"{shape_text(image_shape)}"
            )
        if self.rotation is not None and math.prod(image_shape) != len(self.rotation):
            raise ShapeError(
                f"zca_whitening was fitted on images of {len(self.rotation)} numbers; these are "
                f"{shape_text(image_shape)}"
            )

    def apply(self, x: np.ndarray) -> np.ndarray:
        """Images (H, W, C) or (N, H, W, C), normalized."""
        self.check_fits(x.shape[-3:])
        x = x - self.mean
        if self.std is not None:
            x = x / (self.std + STD_EPSILON)
        if self.rotation is None:
            return x
        return (x.reshape(-1, len(self.rotation)) @ self.rotation).reshape(x.shape)


def _mean_of_means(x: np.ndarray, of: Callable[[np.ndarray], Any] = lambda image: image) -> Any:
    """(C,) float64: the mean of `of(image)` over images (N, H, W, C) and their places.

    Image by image: a sum of millions of single-precision numbers would lose its last digits.
    """
    return np.mean([np.mean(of(image), (0, 1), np.float64) for image in x], 0)
