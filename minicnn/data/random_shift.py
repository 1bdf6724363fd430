"""Augmentation: the same images, a little different in every epoch."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from minicnn import random
from minicnn.checks import check_int
from minicnn.errors import ArgumentError, ShapeError


class RandomShift:
    """Batches of shuffled images, each moved by a few pixels at random; what comes in is 0.

    A digit a little to the left is the same digit. Who sees each one somewhere else in every epoch
    learns the shape and not the place.

    Parameters
    ----------
    x : array (N, H, W) or (N, H, W, C)
        Images; of any dtype, and the batches have the same.
    y : array (N, ...)
        Their labels.
    batch_size : int
        Images in a batch; the last one of an epoch may have fewer.
    pixels : int
        The largest shift, each way and along both axes; 0 only shuffles. Every shift is equally
        likely.

    Raises
    ------
    ShapeError
        `x` is not a batch of images.
    ArgumentError
        `x` is empty or has another count than `y`, or a shift would leave nothing of an image.

    Notes
    -----
    Order and shifts are a function of the random seed, the epoch and the image's number in `x`
    alone, not of the batch size or of what was drawn before: an interrupted training that goes on
    sees what it would have seen.

    Examples
    --------
    >>> x, y = np.ones((100, 28, 28), np.uint8), np.arange(100)
    >>> batches = RandomShift(x, y, batch_size=64, pixels=2)
    >>> [images.shape for images, labels in batches.for_epoch(0)]
    [(64, 28, 28), (36, 28, 28)]
    """

    def __init__(self, x: np.ndarray, y: np.ndarray, batch_size: int = 32, pixels: int = 2) -> None:
        self.x, self.y = np.asarray(x), np.asarray(y)
        self.batch_size = check_int(batch_size, "batch_size")
        self.pixels = check_int(pixels, "pixels", 0)
        _check_images(self.x, self.y, self.pixels)

    def __len__(self) -> int:
        """Batches in an epoch."""
        return -(-len(self.x) // self.batch_size)

    def for_epoch(self, epoch: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """The batches (images, labels) of one epoch; the same whenever it is asked for."""
        count, most = len(self.x), self.pixels
        order = random.epoch_order(count, epoch)
        shifts = random.generator("shift", epoch).integers(-most, most + 1, (count, 2))
        for start in range(0, count, self.batch_size):
            rows = order[start : start + self.batch_size]
            yield shifted(self.x[rows], shifts[rows]), self.y[rows]


def shifted(images: np.ndarray, shifts: np.ndarray) -> np.ndarray:
    """Each image moved by its (rows down, columns to the right); what comes in is 0.

    >>> shifted(np.array([[[1, 2], [3, 4]]]), np.array([[0, 1]]))
    array([[[0, 1],
            [0, 3]]])
    """
    n, h, w = images.shape[:3]
    most = int(np.abs(shifts).max(initial=0))
    padded = np.zeros((n, h + 2 * most, w + 2 * most, *images.shape[3:]), images.dtype)
    padded[:, most : most + h, most : most + w] = images
    # Moving an image down is looking at it through a window further up.
    windows = sliding_window_view(padded, images.shape[1:], axis=tuple(range(1, images.ndim)))
    top, left = most - shifts.T
    return windows[np.arange(n), top, left].reshape(images.shape)


def _check_images(x: np.ndarray, y: np.ndarray, pixels: int) -> None:
    if x.ndim not in (3, 4):
        raise ShapeError(f"x must be images, (N, H, W) or (N, H, W, C); got shape {x.shape}")
    if len(x) == 0:
        raise ArgumentError("x has no images; at least one is needed")
    if y.ndim == 0 or len(x) != len(y):
        labels = "one number" if y.ndim == 0 else f"{len(y)} labels"
        raise ArgumentError(f"x has {len(x)} images but y has {labels}; every image needs one")
    if pixels >= min(x.shape[1:3]):
        raise ArgumentError(
            f"pixels={pixels} would move a {x.shape[1]}x{x.shape[2]} image out of sight; "
            f"at most {min(x.shape[1:3]) - 1} leaves some of it"
        )
