"""What the chapters draw with: images with their numbers, and curves, for light and dark pages.

Backgrounds are transparent, and lines and texts have colors that can be read on white and on black.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

BLUE, ORANGE, GREEN, PURPLE = COLORS = ("#3b8ed0", "#e0703f", "#2ca089", "#a678c8")
GRAY = "#888888"
MOST_ROWS = 12  # of an image with numbers
Box = tuple[int, int, int, int]  # row, column, rows, columns

mpl.rcParams |= {
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "axes.prop_cycle": mpl.cycler(color=COLORS),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "font.size": 10,
    "axes.titlesize": 10,
    "image.interpolation": "nearest",
    **dict.fromkeys(
        ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), GRAY
    ),
}


def show_images(
    images: Sequence[np.ndarray],
    titles: Sequence[str] = (),
    *,
    numbers: bool = False,
    boxes: Sequence[Box | None] = (),
    limits: tuple[float, float] | None = None,
    signed: bool = False,
    side: float = 1.7,
) -> None:
    """Draw images in a row.

    Parameters
    ----------
    images : (H, W) or (H, W, 3) arrays
    titles : a text above each of them
    numbers : whether each pixel's number is written into it, in images of at most 12 rows
    boxes : a frame for each image, (row, column, rows, columns), or None
    limits : the numbers that are black and white; default: the smallest and the largest of each
    signed : whether negative numbers are blue and positive ones red
    side : the height of an image in inches
    """
    widths = [image.shape[1] / image.shape[0] for image in images]
    size = (side * sum(widths) + 0.3 * len(images), side + 0.35)
    figure, axes = plt.subplots(1, len(images), figsize=size, width_ratios=widths, squeeze=False)
    for number, (one, image) in enumerate(zip(axes[0], images, strict=True)):
        _draw(one, np.asarray(image), limits, signed)
        one.set_title(titles[number] if number < len(titles) else "")
        if numbers and len(image) <= MOST_ROWS:
            _write_numbers(one, np.asarray(image))
        if number < len(boxes) and boxes[number]:
            _frame(one, boxes[number])
    figure.tight_layout(pad=0.4)
    plt.show()


def _draw(axes: Axes, image: np.ndarray, limits: tuple[float, float] | None, signed: bool) -> None:
    low, high = limits or (image.min(), image.max())
    if signed:
        high = max(abs(low), abs(high)) or 1
        low = -high
    axes.imshow(image, cmap="RdBu_r" if signed else "gray", vmin=low, vmax=high)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set(visible=True, color=GRAY)


def _write_numbers(axes: Axes, image: np.ndarray) -> None:
    """Write each number in black or white, whichever can be read."""
    picture = axes.get_images()[0]
    for (row, column), value in np.ndenumerate(image):
        light = np.dot(picture.cmap(picture.norm(value))[:3], (0.3, 0.6, 0.1)) > 0.5
        text = f"{value:.3g}" if value % 1 else f"{int(value)}"
        color = "black" if light else "white"
        axes.text(column, row, text, ha="center", va="center", color=color, fontsize=8)


def _frame(axes: Axes, box: Box) -> None:
    row, column, rows, columns = box
    corner = (column - 0.5, row - 0.5)
    axes.add_patch(Rectangle(corner, columns, rows, fill=False, edgecolor=ORANGE, linewidth=2.5))


def show_curves(
    x: Sequence[float] | np.ndarray,
    curves: Mapping[str, Sequence[float] | np.ndarray],
    x_label: str,
    y_label: str,
    *,
    log: bool = False,
) -> None:
    """Draw one line for each curve, with a legend if there are several."""
    _, axes = plt.subplots(figsize=(5, 2.8))
    for name, y in curves.items():
        axes.plot(x, y, label=name)
    axes.set(xlabel=x_label, ylabel=y_label, yscale="log" if log else "linear")
    if len(curves) > 1:
        axes.legend()
    plt.tight_layout(pad=0.4)
    plt.show()
