"""Features of some of the images that a network knows, so that its last layer can learn again."""

from __future__ import annotations

import numpy as np

from minicnn.checks import shape_text
from minicnn.errors import ArgumentError, ShapeError


class FeatureSample:
    """What the last layer of a classifier reads of some images, without the images themselves.

    A last layer that learns a new class needs images of the old ones, or it would forget them. It
    reads nothing of an image but its features, so these are enough.

    Parameters
    ----------
    values : features, (M, C), kept as float16
    labels : class of each image, integers (M,)
    held_out : which images the network was not trained on, bool (M,): they measure what it can

    Raises
    ------
    ShapeError, ArgumentError : the arrays do not fit together, or a feature is not finite

    Examples
    --------
    >>> FeatureSample(np.ones((3, 2)), np.array([0, 1, 1]), np.array([False, False, True]))
    <FeatureSample: 2 features of 3 images, 1 of them held out>
    """

    def __init__(self, values: np.ndarray, labels: np.ndarray, held_out: np.ndarray) -> None:
        with np.errstate(over="ignore"):  # refused below
            self.values = np.asarray(values).astype(np.float16)
        self.labels, self.held_out = np.asarray(labels), np.asarray(held_out)
        self._check()

    def __repr__(self) -> str:
        images, features = self.values.shape
        held_out = int(self.held_out.sum())
        return (
            f"<FeatureSample: {features} features of {images} images, {held_out} of them held out>"
        )

    def part(self, *, held_out: bool) -> tuple[np.ndarray, np.ndarray]:
        """Return the features, float32, and labels of the images held out, or of the others."""
        chosen = self.held_out == held_out
        return self.values[chosen].astype(np.float32), self.labels[chosen]

    def _check(self) -> None:
        shapes = [array.shape for array in (self.values, self.labels, self.held_out)]
        if len(shapes[0]) != 2 or shapes[1:] != [shapes[0][:1]] * 2:
            raise ShapeError(
                "values must be (M, C), labels and held_out (M,); got "
                f"{', '.join(map(shape_text, shapes))}"
            )
        if self.labels.dtype.kind not in "iu" or self.held_out.dtype != np.bool_:
            raise ArgumentError("labels must be integers, and held_out true or false")
        if self.labels.size and self.labels.min() < 0:
            raise ArgumentError(f"labels must be 0 or more; got {self.labels.min()}")
        if not np.isfinite(self.values).all():
            raise ArgumentError("features must be finite as float16, at most 65504")
