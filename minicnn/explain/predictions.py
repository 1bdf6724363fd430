"""A figure of images with the class that a network predicts for each.

matplotlib is imported when the figure is made, so that nothing else needs it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from minicnn.errors import ArgumentError
from minicnn.explain.tiles import GAP, class_name, cut, empty_figure, show_tiles
from minicnn.support.plots import QUIET, RIGHT, WRONG

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAX_COLUMNS = 6
TILE = 1.85  # width of a tile in inches
ABOVE, BELOW = 0.14, 0.12  # height of the words above and below a tile, in tile widths
LONGEST = 22  # letters above a tile; longer names are shortened


class CaptionedImage(NamedTuple):
    """An image, the prediction above it and, if that is wrong, the words below it."""

    image: np.ndarray  # (H, W) or (H, W, C), uint8 or floating-point 0...1
    above: str
    below: str = ""


def predictions_figure(
    images: np.ndarray,
    predictions: np.ndarray,
    names: Sequence[str] | None = None,
    labels: np.ndarray | None = None,
    *,
    title: str = "",
) -> Figure:
    """Draw images in rows, each with its predicted class above it.

    The prediction is blue; if the true class is known and is another one, the prediction is red
    and the true class is written below the image.

    Parameters
    ----------
    images : (N, H, W) or (N, H, W, C) array
        Gray (C = 1 or no C) or color (C = 3) images, uint8 or floating-point 0...1.
    predictions : (N,) integers, the predicted classes, or (N, classes) probabilities
        The probability of the predicted class is then written beside its name.
    names : sequence of str, optional
        One name per class; default: the class indices.
    labels : (N,) integers, optional
        The true classes, if they are known.
    title : str
        Words above all images.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    ArgumentError : the arrays have different lengths

    Examples
    --------
    >>> figure = predictions_figure(np.zeros((2, 8, 8)), np.array([1, 0]), ["cat", "dog"])
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['dog', 'cat']
    """
    predictions = np.asarray(predictions)
    classes = predictions.argmax(1) if predictions.ndim == 2 else predictions
    known = classes if labels is None else np.asarray(labels).reshape(-1)
    if not len(images) == len(classes) == len(known):
        raise ArgumentError(
            "images, predictions and labels must have the same length; got "
            f"{len(images)}, {len(classes)} and {len(known)}"
        )
    words = [class_name(one, names) for one in classes]
    if predictions.ndim == 2:
        words = [f"{word} {max(row):.0%}" for word, row in zip(words, predictions, strict=True)]
    true = [
        f"is {class_name(one, names)}" if one != seen else ""
        for one, seen in zip(known, classes, strict=True)
    ]
    shown = [CaptionedImage(*one) for one in zip(images, words, true, strict=True)]
    return captioned_figure(shown, title)


def captioned_figure(shown: Sequence[CaptionedImage], title: str) -> Figure:
    """Draw images of one size in rows that are about equally long, with words above and below."""
    rows = max(1, math.ceil(len(shown) / MAX_COLUMNS))
    columns = max(1, math.ceil(len(shown) / rows))
    images = np.array([one.image for one in shown] or np.zeros((0, 1, 1)))
    pitch = images.shape[1] / images.shape[2] + ABOVE + BELOW + GAP  # of rows, in tile widths
    figure = empty_figure((1 + GAP) * TILE * columns, pitch * TILE * rows + 0.5 * bool(title))
    if title:
        figure.suptitle(title, fontsize=14)
    tiles = show_tiles(figure.subplots(), images, columns, ABOVE, BELOW, cmap="gray")
    for tile, one in zip(tiles, shown, strict=True):
        tile.above(cut(one.above, LONGEST), color=WRONG if one.below else RIGHT, fontsize=11)
        if one.below:
            tile.below(cut(one.below, LONGEST), color=QUIET, fontsize=10)
    return figure
