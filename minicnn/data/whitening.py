"""Making the numbers of images comparable: their mean 0, their deviation 1, or all independent."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minicnn.errors import ShapeError

SMALLEST = np.float32(1e-6)  # added to a deviation before it divides, as in Keras


class Whitening(NamedTuple):
    """What the images of a training taught: each channel's mean and deviation, a rotation."""

    mean: np.ndarray  # (C,)
    deviation: np.ndarray | None  # (C,)
    rotation: np.ndarray | None  # (H*W*C, H*W*C)

    @classmethod
    def of(cls, x: np.ndarray, *, deviation: bool, epsilon: float | None) -> Whitening:
        """From images float32 (N, H, W, C); with `epsilon` also the ZCA rotation.

        With X the images as rows, without their mean, and X^T = U S V^T, the rotation is
        U diag(sqrt(N) / (S + epsilon)) U^T: X times it has the covariance I, and no other such
        matrix changes the images less.

        References
        ----------
        Bell, Sejnowski: The independent components of natural scenes are edge filters. 1997.
        """
        axes = (0, 1, 2)
        learned = cls(x.mean(axes), x.std(axes) if deviation else None, None)
        if epsilon is None:
            return learned
        flat = learned.apply(x).reshape(len(x), -1)
        u, s, _ = np.linalg.svd(flat.T, full_matrices=False)
        rotation = (u * (np.sqrt(len(x)) / (s + epsilon))) @ u.T
        return learned._replace(rotation=rotation.astype(np.float32))

    def apply(self, x: np.ndarray) -> np.ndarray:
        """Images (H, W, C) or (N, H, W, C), normalized."""
        x = x - self.mean
        if self.deviation is not None:
            x = x / (self.deviation + SMALLEST)
        if self.rotation is None:
            return x
        if np.prod(x.shape[-3:]) != len(self.rotation):
            raise ShapeError(
                f"zca_whitening learned from images of {len(self.rotation)} numbers; got {x.shape}"
            )
        return (x.reshape(-1, len(self.rotation)) @ self.rotation).reshape(x.shape)
