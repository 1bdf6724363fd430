"""Hand-made features: an image as a vector of a few hundred values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from minicnn.checks import nearest, shape_text
from minicnn.classic import histograms
from minicnn.classic.per_image import Function, Progress, map_images, no_progress
from minicnn.classic.sift import VisualWords
from minicnn.errors import ArgumentError, DTypeError, ShapeError


class Kind(Protocol):
    """One kind of features: what it must learn, it learns from the training images."""

    def fit_transform(self, images: np.ndarray, progress: Progress) -> np.ndarray:
        """Learn from the training images, and return their features (N, D)."""

    def transform(self, images: np.ndarray, progress: Progress) -> np.ndarray:
        """Return the features of any images (N, D)."""


class Histograms:
    """Features that a function computes from each image alone, so that nothing is learned."""

    def __init__(self, function: Function) -> None:
        self.function = function

    def fit_transform(self, images: np.ndarray, progress: Progress = no_progress) -> np.ndarray:
        """Return the same as `transform`."""
        return self.transform(images, progress)

    def transform(self, images: np.ndarray, progress: Progress = no_progress) -> np.ndarray:
        """Return the features of any images (N, D)."""
        if len(images) == 0:  # the width needs one image
            return self.transform(np.zeros((1, *images.shape[1:]), np.uint8))[:0]
        return np.stack(map_images(self.function, images, progress))


# Each kind, made by a function of the seed.
FEATURES: dict[str, Callable[[int], Kind]] = {
    "sift": VisualWords,
    "hog": lambda _seed: Histograms(histograms.hog),
    "lbp": lambda _seed: Histograms(histograms.lbp),
    "color": lambda _seed: Histograms(histograms.color),
}
# The least length of an image's shorter side, in pixels.
MIN_SIDES = {"sift": 16, "hog": 2 * histograms.HOG_CELLS, "lbp": histograms.LBP_GRID, "color": 1}


class FeatureExtractor:
    """Computes the features of images, of one kind or of several side by side.

    Parameters
    ----------
    names : one of `FEATURES`, or several, such as "hog+lbp"
    seed : seed of the visual words of "sift"; the other kinds use no random numbers

    Raises
    ------
    ArgumentError : there are no such features

    Examples
    --------
    >>> extractor = FeatureExtractor("color")
    >>> extractor.fit_transform(np.zeros((5, 32, 32, 3), np.uint8)).shape
    (5, 64)
    """

    def __init__(self, names: str, seed: int = 0) -> None:
        self._kinds = {name: FEATURES[name](seed) for name in check_features(names)}

    def fit_transform(self, images: np.ndarray, progress: Progress = no_progress) -> np.ndarray:
        """Learn from the training images what the features need, and return their features.

        Parameters
        ----------
        images : uint8 (N, H, W, C), where C is 1 or 3
        progress : called with (images done, N) from time to time, for each kind

        Returns
        -------
        float32 (N, D)

        Raises
        ------
        ShapeError, DTypeError : `images` have another shape or dtype, or are too small
        ArgumentError : "sift" finds no keypoints in any of the images
        MissingExtraError : scikit-image or scikit-learn is not installed
        """
        self._check(images)
        kinds = self._kinds.values()
        return np.concatenate([kind.fit_transform(images, progress) for kind in kinds], 1)

    def transform(self, images: np.ndarray, progress: Progress = no_progress) -> np.ndarray:
        """Return the features of any images, after `fit_transform` of the training images."""
        self._check(images)
        kinds = self._kinds.values()
        return np.concatenate([kind.transform(images, progress) for kind in kinds], 1)

    def _check(self, images: np.ndarray) -> None:
        if images.dtype != np.uint8:
            raise DTypeError(f"images must be uint8, 0...255; got {images.dtype}")
        if images.ndim != 4 or images.shape[3] not in (1, 3):
            raise ShapeError(
                f"images must be (N, H, W, C), where C is 1 or 3; got {shape_text(images.shape)}"
            )
        h, w = images.shape[1:3]
        for name in self._kinds:
            if min(h, w) < MIN_SIDES[name]:
                raise ShapeError(
                    f"{name} needs images of at least {MIN_SIDES[name]} pixels; got {h} x {w}"
                )


def check_features(names: str) -> list[str]:
    """Split a text such as "hog+lbp" into names, and check that `FEATURES` has each."""
    kinds = names.split("+")
    for name in kinds:
        if name not in FEATURES:
            raise ArgumentError(f"no features {name!r}{nearest(name, FEATURES)}")
    return kinds
