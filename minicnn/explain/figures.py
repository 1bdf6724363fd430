"""Figures of a trained classifier: its errors, its confusion matrix, its first layer.

Each function returns a matplotlib figure, to be saved by `figure.savefig(path)`; none needs a
screen. matplotlib is imported when a figure is made, so that nothing else needs it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minicnn.errors import ArgumentError, ShapeError
from minicnn.explain.kernels import show_kernels
from minicnn.explain.tiles import GAP, class_name, cut, empty_figure, show_channels, show_tiles
from minicnn.support.plots import QUIET, RIGHT, WRONG, caption

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from minicnn.explain.tiles import TilePosition

MAX_ERRORS = 600  # tiles in an error gallery; more would be too small to see
TILE, MAX_TILE = 0.75, 1.6  # width of a gallery's tile with its gap, in inches
LETTER = 0.086  # mean width of a letter below a tile, in inches
ABOVE, BELOW = 0.25, 0.23  # height of the words above and below a tile, in inches
# The confusion matrix, in inches. Beyond 34 classes cells and letters get smaller: 200 classes at
# full size would take gigabytes to draw, and matplotlib refuses more than 700.
CELL, MARGIN, MAX_SIDE = 0.62, 2.5, 24.0
MAX_UPRIGHT = 8  # letters of a name below a column of the matrix; longer names are rotated
ROTATED: dict[str, Any] = {"rotation": 35, "ha": "right", "rotation_mode": "anchor"}


def error_gallery(
    images: np.ndarray,
    labels: np.ndarray,
    predictions: np.ndarray,
    names: Sequence[str] | None = None,
) -> Figure:
    """Draw every misclassified image, with the predicted class above it and the true one below.

    The images are sorted by true class, then by predicted class, so that similar errors are next
    to each other. At most 600 are drawn.

    Parameters
    ----------
    images : (N, H, W) or (N, H, W, C) array
        Gray (C = 1 or no C) or color (C = 3) images.
    labels, predictions : (N,) integer arrays
        True and predicted class indices.
    names : sequence of str, optional
        One name per class; default: the class indices.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    ArgumentError : the arrays have different lengths
    """
    labels, predictions = np.asarray(labels), np.asarray(predictions)
    if not len(images) == len(labels) == len(predictions):
        raise ArgumentError(
            "images, labels and predictions must have the same length; got "
            f"{len(images)}, {len(labels)} and {len(predictions)}"
        )
    wrong = np.flatnonzero(labels != predictions)
    shown = wrong[:MAX_ERRORS]
    shown = shown[np.lexsort((predictions[shown], labels[shown]))]
    said = [class_name(predictions[i], names) for i in shown]
    true = [f"is {class_name(labels[i], names)}" for i in shown]
    figure, tiles, width = _gallery_tiles(images[shown], max(map(len, said + true), default=0))
    figure.suptitle(_gallery_title(len(wrong), len(labels), len(shown)), fontsize=15)
    short = max(map(len, said), default=0) <= 2
    style: dict[str, Any] = {"fontsize": 15, "weight": "bold"} if short else {"fontsize": 9}
    most = int(width / LETTER)  # letters that fit
    for tile, above, below in zip(tiles, said, true, strict=True):
        tile.above(cut(above, most), color=WRONG, **style)
        tile.below(cut(below, most), color=QUIET, fontsize=9)
    return figure


def confusion_figure(matrix: np.ndarray, names: Sequence[str] | None = None) -> Figure:
    """Draw a confusion matrix: rows are true classes, columns are predicted classes.

    The diagonal of correct predictions is blue, the errors beside it are red. Blue and red have
    separate scales, because otherwise the errors of a good network would be invisible.

    Parameters
    ----------
    matrix : (classes, classes) integer array
        `matrix[i, j]` is the number of images of class i that were classified as class j.
    names : sequence of str, optional
        One name per class; default: the class indices.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    ShapeError : the matrix is not square
    """
    matrix = np.asarray(matrix)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ShapeError(f"matrix must be square, (classes, classes); got {matrix.shape}")
    cells = CELL * len(matrix)
    scale = min(1.0, (MAX_SIDE - MARGIN) / cells) if cells else 1.0
    side = MARGIN + scale * cells
    figure = empty_figure(side + 1.2, side)
    axes = figure.subplots()
    right = np.eye(len(matrix), dtype=bool)
    axes.imshow(
        np.where(right, matrix, np.nan), cmap="Blues", vmin=0, vmax=3 * max(1, matrix.max())
    )
    wrong = np.where(right | (matrix == 0), np.nan, matrix)
    axes.imshow(wrong, cmap="Reds", vmin=0, vmax=1.4 * max(1, matrix[~right].max(initial=0)))
    for (i, j), count in np.ndenumerate(matrix):
        if count:
            axes.text(j, i, f"{count}", ha="center", va="center", fontsize=11 * scale)
    _label_confusion(axes, matrix, names, scale)
    return figure


def first_layer_figure(kernels: np.ndarray, maps: np.ndarray, image: np.ndarray) -> Figure:
    """Draw the kernels of a first convolution, and its output for one image.

    Positive weights are red and negative ones blue; kernels with three input channels are drawn in
    color. A map is red where the image matches its kernel, and blue where it matches the inverted
    kernel.

    Parameters
    ----------
    kernels : (KH, KW, CI, CO) array
        The layer's weights, drawn as by `kernels_figure`.
    maps : (OH, OW, CO) array
        The layer's output for the image.
    image : (H, W) or (H, W, C) array
        The network's input.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    ShapeError : the kernels and the maps have different numbers of channels
    """
    if kernels.ndim != 4 or maps.ndim != 3 or kernels.shape[3] != maps.shape[2]:
        raise ShapeError(
            "kernels (KH, KW, CI, CO) and maps (OH, OW, CO) must have the same CO; "
            f"got {kernels.shape} and {maps.shape}"
        )
    count = kernels.shape[3]
    columns = min(10, count)
    rows = -(-count // columns)
    figure: Any = empty_figure(3.4 + 1.05 * columns, 1.4 + 2.4 * rows)
    left, right = figure.subfigures(1, 2, width_ratios=(3.4, 1.05 * columns))
    left.suptitle("the image", fontsize=14)
    beside = left.subplots()
    show_tiles(beside, image[None], 1)
    beside.set_anchor("N")
    above, below = right.subfigures(2, 1)
    above.suptitle(f"{count} kernels, {_size(kernels)}", fontsize=14)
    show_kernels(above.subplots(), kernels, columns)
    below.suptitle(f"the image after each of them, {_size(maps)}", fontsize=14)
    show_channels(below.subplots(), maps, columns, label="value")
    return figure


def _gallery_tiles(images: np.ndarray, letters: int) -> tuple[Figure, list[TilePosition], float]:
    """A figure of tiles with room for words of that many letters, and a tile's width in inches."""
    width = min(max(TILE, LETTER * letters), MAX_TILE)
    inch = (1 + GAP) / width  # in tile widths
    pitch = ABOVE + BELOW + (images.shape[1] / images.shape[2] + GAP) / inch
    columns = max(10, math.ceil(math.sqrt(1.6 * len(images))))
    rows = max(1, -(-len(images) // columns))
    figure = empty_figure(width * columns, pitch * rows + 0.8)
    tiles = show_tiles(figure.subplots(), images, columns, ABOVE * inch, BELOW * inch)
    return figure, tiles, width


def _gallery_title(wrong: int, count: int, shown: int) -> str:
    if wrong == 0:
        return f"All {count:,} images are right"
    text = f"{wrong:,} of {count:,} wrong ({1 - wrong / count:.2%} right)"
    cut = f"; the first {shown:,}" if shown < wrong else ""
    return f"{text}{cut}. Red: the prediction"


def _label_confusion(
    axes: Axes, matrix: np.ndarray, names: Sequence[str] | None, scale: float
) -> None:
    """Add class names, the share of correct predictions at the end of each row, and a title."""
    classes = len(matrix)
    ticks = [caption(class_name(i, names)) for i in range(classes)]
    axes.set_xticks(range(classes), ticks, **ROTATED if max(map(len, ticks)) > MAX_UPRIGHT else {})
    axes.set_yticks(range(classes), ticks)
    axes.set_xlabel("predicted class", fontsize=13)
    axes.set_ylabel("true class", fontsize=13)
    axes.set_xticks(np.arange(classes + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(classes + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="#e6e6e6", linewidth=0.8 * scale)
    axes.tick_params(which="both", length=0, labelsize=12 * scale)
    for i, row in enumerate(matrix):
        share = f"{row[i] / row.sum():.1%}" if row.sum() else "none"
        axes.text(classes - 0.3, i, share, color=RIGHT, va="center", fontsize=11 * scale)
    axes.text(classes - 0.3, -0.75, "correct", color=RIGHT, va="center", fontsize=11)
    count, wrong = int(matrix.sum()), int(matrix.sum() - matrix.trace())
    axes.set_title(f"{wrong:,} of {count:,} wrong", fontsize=15, pad=26)


def _size(array: np.ndarray) -> str:
    return f"{array.shape[0]} x {array.shape[1]}"
