"""Show the kernels of a convolution: the small patterns that it looks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from minicnn.errors import ArgumentError, ShapeError
from minicnn.explain.tiles import empty_figure, show_channels, show_tiles
from minicnn.layers import Conv2D, DepthwiseConv2D
from minicnn.models import Model
from minicnn.support.plots import QUIET, caption

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = 16
COLORS = 3  # red, green, blue


def kernels_of(model: Model, layer: str | None = None) -> tuple[str, np.ndarray]:
    """The name and the kernels (KH, KW, CI, CO) of a convolution; by default of the first one.

    Raises
    ------
    ArgumentError : there is no layer of that name, or it is not a convolution

    Examples
    --------

    >>> from minicnn.zoo import lenet
    >>> name, kernels = kernels_of(lenet())
    >>> name, kernels.shape
    ('conv1', (5, 5, 1, 20))
    """
    convolutions = [la for la in model.layers if isinstance(la, (Conv2D, DepthwiseConv2D))]
    found = [la for la in convolutions if layer in (None, la.name)]
    if not found:
        model.get_layer(layer or "")  # raises an error that lists the layers, if there is none
        names = ", ".join(la.name for la in convolutions) or "none"
        raise ArgumentError(f"{layer!r} is not a convolution; the convolutions are: {names}")
    return found[0].name, found[0].kernel.value


def kernel_tiles(kernels: np.ndarray) -> np.ndarray:
    """Convert kernels (KH, KW, 3, CO) of color images to images (CO, KH, KW, 3) of 0...1.

    A weight of 0 becomes 0.5, gray. All kernels share one scale, in which the weight of the
    largest absolute value becomes 0 or 1.

    Raises
    ------
    ShapeError : the kernels do not have three input channels

    Examples
    --------
    >>> kernel_tiles(np.zeros((5, 5, 3, 20), np.float32)).shape
    (20, 5, 5, 3)
    """
    if kernels.ndim != 4 or kernels.shape[2] != COLORS:
        raise ShapeError(f"kernels must be (KH, KW, 3, CO), with three colors; got {kernels.shape}")
    return 0.5 + 0.5 * np.moveaxis(kernels, 3, 0) / _largest(kernels)


def show_kernels(axes: Axes, kernels: np.ndarray, columns: int) -> None:
    """Show kernels (KH, KW, CI, CO) as numbered tiles on one scale, with a legend.

    Kernels with three input channels are drawn in color. Of others the mean over the input
    channels is drawn, red above 0 and blue below.
    """
    if kernels.shape[2] != COLORS:
        label = "weight" if kernels.shape[2] == 1 else "mean weight"
        return show_channels(axes, kernels.mean(2), columns, label=label)
    positions = show_tiles(axes, kernel_tiles(kernels), columns, above=0.2)
    for number, position in enumerate(positions, 1):
        position.above(f"{number}", color=QUIET, fontsize=9)
    limit = f"{_largest(kernels):.2g}"
    text = f"gray: weight 0; brighter or darker: up to ±{limit} of that color"
    axes.set_title(text, color=QUIET, fontsize=9)
    return None


def _largest(kernels: np.ndarray) -> float:
    return float(np.abs(kernels).max()) or 1.0


def kernels_figure(kernels: np.ndarray, name: str = "") -> Figure:
    """Draw all kernels of a layer on one scale, in color if they have three input channels.

    Parameters
    ----------
    kernels : (KH, KW, CI, CO) array
    name : str
        The layer's name, for the title.

    Returns
    -------
    matplotlib Figure
    """
    height, width, _, count = kernels.shape
    columns = min(COLUMNS, count)
    rows = -(-count // columns)
    figure = empty_figure(max(0.8 * columns + 1.2, 4), 0.95 * rows + 1.1)
    figure.suptitle(f"{caption(name)}: {count} kernels, {height} x {width}", fontsize=13)
    show_kernels(figure.subplots(), kernels, columns)
    return figure
