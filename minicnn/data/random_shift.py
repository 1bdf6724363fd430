"""RandomShift: batches of images that are shifted by a few pixels at random."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from minicnn import random
from minicnn.checks import check_int
from minicnn.errors import ArgumentError, ShapeError


class RandomShift:
    """Batches of shuffled images, each shifted at random by a few pixels and filled with 0.

    A digit that is shifted is still the same digit. A network that sees each image at another
    position in every epoch learns its shape and not its position.

    Parameters
    ----------
    x : array (N, H, W) or (N, H, W, C)
        Images of any dtype; the batches have the same dtype.
    y : array (N, ...)
        Their labels.
    batch_size : int
        Images in a batch; the last one of an epoch may have fewer.
    pixels : int
        The largest shift in each direction along both axes; all shifts are equally likely. 0 only
        shuffles.

    Raises
    ------
    ShapeError
        `x` is not a batch of images.
    ArgumentError
        `x` is empty or has another length than `y`, or a shift could move an image out completely.

    Notes
    -----
    Order and shifts depend only on the random seed, the epoch and the position in `x`, not on the
    batch size or on earlier draws. So a training that is interrupted and resumed sees the same
    images.

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
        """Return the number of batches in an epoch."""
        return -(-len(self.x) // self.batch_size)

    def for_epoch(self, epoch: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the batches (images, labels) of one epoch, the same ones in every call."""
        count, limit = len(self.x), self.pixels
        order = random.epoch_order(count, epoch)
        shifts = random.generator("shift", epoch).integers(-limit, limit + 1, (count, 2))
        for start in range(0, count, self.batch_size):
            rows = order[start : start + self.batch_size]
            yield shifted(self.x[rows], shifts[rows]), self.y[rows]


def shifted(images: np.ndarray, shifts: np.ndarray) -> np.ndarray:
    """Return each image shifted by its (rows down, columns to the right), and filled with 0.

    >>> shifted(np.array([[[1, 2], [3, 4]]]), np.array([[0, 1]]))
    array([[[0, 1],
            [0, 3]]])
    """
    n, h, w = images.shape[:3]
    limit = int(np.abs(shifts).max(initial=0))
    padded = np.zeros((n, h + 2 * limit, w + 2 * limit, *images.shape[3:]), images.dtype)
    padded[:, limit : limit + h, limit : limit + w] = images
    # An image moves down when its window in the padded image moves up.
    windows = sliding_window_view(padded, images.shape[1:], axis=tuple(range(1, images.ndim)))
    top, left = limit - shifts.T
    return windows[np.arange(n), top, left].reshape(images.shape)


def _check_images(x: np.ndarray, y: np.ndarray, pixels: int) -> None:
    if x.ndim not in (3, 4):
        raise ShapeError(f"x must be images, (N, H, W) or (N, H, W, C); got shape {x.shape}")
    if len(x) == 0:
        raise ArgumentError("x has no images; at least one is needed")
    if y.ndim == 0 or len(x) != len(y):
        labels = "one number" if y.ndim == 0 else f"{len(y)} labels"
        raise ArgumentError(f"x has {len(x)} images but y has {labels}; they must match")
    if pixels >= min(x.shape[1:3]):
        raise ArgumentError(
            f"pixels must be at most {min(x.shape[1:3]) - 1} for images of "
            f"{x.shape[1]}x{x.shape[2]}, so that a part of each stays visible; got {pixels}"
        )
