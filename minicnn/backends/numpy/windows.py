"""Windows of images, for convolution and pooling.

Cell (ky, kx) of window (oy, ox) lies, in the padded image, at

    row = oy * stride + ky * dilation,    column = ox * stride + kx * dilation.

For a fixed window, its cells are the pixels that one output depends on. For a fixed cell, the
windows form a strided slice of the padded image, with one pixel per output and none twice. The
second view makes backward passes simple: a gradient is added to such a slice at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from minicnn.shapes import Pair, Window2D

Slice = tuple[slice, slice, slice]


def padded(x: np.ndarray, window: Window2D, fill: float = 0.0) -> np.ndarray:
    """Return (N, H, W, C) with the window's padding around every image."""
    return np.pad(x, ((0, 0), window.pad_h, window.pad_w, (0, 0)), constant_values=fill)


def cropped(x: np.ndarray, window: Window2D, image: Pair) -> np.ndarray:
    """Undo `padded`: return (N, H, W, C) without the padding."""
    top, left = window.pad_h[0], window.pad_w[0]
    return x[:, top : top + image[0], left : left + image[1]]


def windows(x: np.ndarray, window: Window2D) -> np.ndarray:
    """Return every window of a padded image as a view, (N, OH, OW, C, KH, KW)."""
    (sy, sx), (dy, dx) = window.stride, window.dilation
    return sliding_window_view(x, window.extent, axis=(1, 2))[:, ::sy, ::sx, :, ::dy, ::dx]


def cells(window: Window2D, out_hw: Pair) -> Iterator[tuple[int, int, Slice]]:
    """Yield (ky, kx, slice) for every cell in row-major order.

    The slice selects from a padded image what each window has in that cell, (N, OH, OW, C).
    """
    (kh, kw), (sy, sx), (dy, dx) = window.size, window.stride, window.dilation
    oh, ow = out_hw
    for ky, kx in product(range(kh), range(kw)):
        rows = slice(ky * dy, ky * dy + (oh - 1) * sy + 1, sy)
        columns = slice(kx * dx, kx * dx + (ow - 1) * sx + 1, sx)
        yield ky, kx, (slice(None), rows, columns)
