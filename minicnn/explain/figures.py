"""Pictures of a trained classifier: its mistakes, its confusions, its first layer.

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
from minicnn.explain.tiles import empty_figure, show_channels, show_tiles
from minicnn.support.plots import QUIET, RIGHT, WRONG, caption

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# More cells than this would be too small to see on one page.
MAX_ERRORS = 600
# Of the confusion matrix, in inches. Beyond 34 classes cells and letters get smaller: 200 of full
# size would take gigabytes to draw, and more than 700 matplotlib refuses.
CELL, AROUND, MAX_SIDE = 0.62, 2.5, 24.0
FITS = 8  # letters below a column of the confusion matrix; longer names lean
LEANING: dict[str, Any] = {"rotation": 35, "ha": "right", "rotation_mode": "anchor"}


def error_gallery(
    images: np.ndarray,
    labels: np.ndarray,
    predictions: np.ndarray,
    names: Sequence[str] | None = None,
) -> Figure:
    """Every image that was classified wrongly: on top what it was taken for, below what it is.

    Sorted by what they are, then by what they were taken for, so that alike mistakes stand side by
    side.

    Parameters
    ----------
    images : array (N, H, W) or (N, H, W, C)
        Gray (C = 1 or no C) or color (C = 3) images.
    labels, predictions : integer arrays (N,)
        What each image shows, and what the network says.
    names : sequence of str, optional
        A name a class; default is the class's number.
    """
    labels, predictions = np.asarray(labels), np.asarray(predictions)
    if not len(images) == len(labels) == len(predictions):
        raise ArgumentError(
            "images, labels and predictions must be of the same images; got "
            f"{len(images)}, {len(labels)} and {len(predictions)}"
        )
    wrong = np.flatnonzero(labels != predictions)
    shown = wrong[:MAX_ERRORS]
    shown = shown[np.lexsort((predictions[shown], labels[shown]))]
    columns = max(10, math.ceil(math.sqrt(1.6 * len(shown))))
    rows = max(1, -(-len(shown) // columns))
    figure = empty_figure(0.75 * columns, 1.28 * rows + 0.8)
    figure.suptitle(_gallery_title(len(wrong), len(labels), len(shown)), fontsize=15)
    places = show_tiles(figure.subplots(), images[shown], columns, above=0.38, below=0.34)
    for i, place in zip(shown, places, strict=True):
        place.above(_name(predictions[i], names), color=WRONG, fontsize=15, weight="bold")
        place.below(f"is {_name(labels[i], names)}", color=QUIET, fontsize=9)
    return figure


def confusion_figure(matrix: np.ndarray, names: Sequence[str] | None = None) -> Figure:
    """How often each class (row) was taken for each class (column).

    What is right stands on the blue diagonal; the redder a cell beside it, the more often the
    mistake. Each has its own scale, or a good network's mistakes would be invisible.

    Parameters
    ----------
    matrix : integer array (classes, classes)
        `matrix[i, j]` images of class i were taken for class j.
    names : sequence of str, optional
        A name a class; default is the class's number.
    """
    matrix = np.asarray(matrix)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ShapeError(f"matrix must be square, a row and a column a class; got {matrix.shape}")
    room = CELL * len(matrix)
    scale = min(1.0, (MAX_SIDE - AROUND) / room) if room else 1.0
    side = AROUND + scale * room
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
    """The kernels of a first convolution, and what each makes of one image.

    Blue weights count against, red ones for a match, and those of three colors have these; where
    a map is red its kernel's pattern is, where it is blue the opposite pattern.

    Parameters
    ----------
    kernels : array (KH, KW, CI, CO)
        The layer's weights, as `kernels_figure` shows them.
    maps : array (OH, OW, CO)
        The image after the convolution.
    image : array (H, W) or (H, W, C)
        What the network saw.
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
    show_tiles(left.subplots(), image[None], 1)
    above, below = right.subfigures(2, 1)
    above.suptitle(f"{count} kernels, {_size(kernels)}", fontsize=14)
    show_kernels(above.subplots(), kernels, columns)
    below.suptitle(f"the image after each of them, {_size(maps)}", fontsize=14)
    show_channels(below.subplots(), maps, columns, what="value")
    return figure


def _gallery_title(wrong: int, count: int, shown: int) -> str:
    if wrong == 0:
        return f"All {count:,} images are right"
    text = f"{wrong:,} of {count:,} wrong ({1 - wrong / count:.2%} right)"
    cut = f"; the first {shown:,}" if shown < wrong else ""
    return f"{text}{cut}. Red: what the network says"


def _name(number: int, names: Sequence[str] | None) -> str:
    return str(number) if names is None else names[number]


def _label_confusion(
    axes: Axes, matrix: np.ndarray, names: Sequence[str] | None, scale: float
) -> None:
    """Names along both axes, each class's share of right answers at its row's end, and a title."""
    classes = len(matrix)
    ticks = [caption(_name(i, names)) for i in range(classes)]
    axes.set_xticks(range(classes), ticks, **LEANING if max(map(len, ticks)) > FITS else {})
    axes.set_yticks(range(classes), ticks)
    axes.set_xlabel("the network says", fontsize=13)
    axes.set_ylabel("it is", fontsize=13)
    axes.set_xticks(np.arange(classes + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(classes + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="#e6e6e6", linewidth=0.8 * scale)
    axes.tick_params(which="both", length=0, labelsize=12 * scale)
    for i, row in enumerate(matrix):
        share = f"{row[i] / row.sum():.1%}" if row.sum() else "none"
        axes.text(classes - 0.3, i, share, color=RIGHT, va="center", fontsize=11 * scale)
    axes.text(classes - 0.3, -0.75, "right", color=RIGHT, va="center", fontsize=11)
    count, wrong = int(matrix.sum()), int(matrix.sum() - matrix.trace())
    axes.set_title(f"{wrong:,} of {count:,} wrong", fontsize=15, pad=26)


def _size(array: np.ndarray) -> str:
    return f"{array.shape[0]} x {array.shape[1]}"
