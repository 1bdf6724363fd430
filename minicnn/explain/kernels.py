"""Kernels: the small patterns that a convolution looks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from minicnn.errors import ArgumentError
from minicnn.explain.tiles import page, show_tiles
from minicnn.layers import Conv2D, DepthwiseConv2D
from minicnn.models import Model
from minicnn.plots import QUIET, caption

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = 16


def kernels_of(model: Model, layer: str | None = None) -> tuple[str, np.ndarray]:
    """(name, kernels (KH, KW, CI, CO)) of a convolution; by default the first one.

    >>> from minicnn.zoo import lenet
    >>> name, kernels = kernels_of(lenet())
    >>> name, kernels.shape
    ('conv1', (5, 5, 1, 20))
    """
    convolutions = [la for la in model.layers if isinstance(la, (Conv2D, DepthwiseConv2D))]
    found = [la for la in convolutions if layer in (None, la.name)]
    if not found:
        model.get_layer(layer or "")  # no such layer at all: it lists them
        names = ", ".join(la.name for la in convolutions) or "none"
        raise ArgumentError(f"{layer!r} is no convolution; there are: {names}")
    return found[0].name, found[0].kernel.value


def kernel_tiles(kernels: np.ndarray) -> np.ndarray:
    """Kernels (KH, KW, CI, CO) as pictures (CO, KH, KW, 3), 0...1: grey is a weight of 0.

    Of three input channels, or three a group, they are red, green and blue; of any other count
    the mean is shown in grey. Each kernel has its own scale.

    >>> kernel_tiles(np.zeros((5, 5, 3, 20), np.float32)).shape
    (20, 5, 5, 3)
    """
    tiles = np.moveaxis(kernels, 3, 0)
    if tiles.shape[3] != 3:
        tiles = np.repeat(tiles.mean(3, keepdims=True), 3, axis=3)
    largest = np.abs(tiles).max((1, 2, 3), keepdims=True)
    return 0.5 + 0.5 * np.divide(tiles, largest, out=np.zeros_like(tiles), where=largest > 0)


def kernels_figure(kernels: np.ndarray, name: str = "") -> Figure:
    """All kernels of a layer as `kernel_tiles` shows them, in colour where they see colours.

    Parameters
    ----------
    kernels : (KH, KW, CI, CO)
    name : of the layer
    """
    tiles = kernel_tiles(kernels)
    columns = min(COLUMNS, len(tiles))
    rows = -(-len(tiles) // columns)
    figure = page(0.8 * columns + 0.6, 0.95 * rows + 0.9)
    height, width = kernels.shape[:2]
    figure.suptitle(f"{caption(name)}: {len(tiles)} kernels, {height} x {width}", fontsize=13)
    for number, place in enumerate(show_tiles(figure.subplots(), tiles, columns, above=0.2)):
        place.above(f"{number + 1}", color=QUIET, fontsize=8)
    return figure
