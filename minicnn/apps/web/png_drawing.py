"""Kernels, feature maps and Grad-CAM as PNG files, drawn without matplotlib."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from minicnn.explain.kernels import COLORS, kernel_tiles

COLUMNS = 8
GAP = 1 / 8  # between two tiles, as a part of their width
TILE = 64  # pixels of a tile's width, about
# Red above 0, blue below, white at 0; and cold to warm for the evidence of Grad-CAM.
SIGNED = np.array(
    [[33, 102, 172], [146, 197, 222], [247, 247, 247], [244, 165, 130], [178, 24, 43]]
)
WARM = np.array([[40, 20, 110], [150, 30, 120], [230, 90, 60], [252, 180, 40], [252, 250, 160]])
OPACITY = 0.55  # of the evidence over the picture


def kernels_png(kernels: np.ndarray) -> bytes:
    """Draw kernels (KH, KW, CI, CO); those of color images in color, of others the mean over CI."""
    if kernels.ndim == 4 and kernels.shape[2] == COLORS:
        return tiles_png((kernel_tiles(kernels) * 255).astype(np.uint8))
    flat = kernels.mean(2) if kernels.ndim == 4 else kernels
    return tiles_png(signed_colors(np.moveaxis(flat, -1, 0)))


def maps_png(maps: np.ndarray) -> bytes:
    """Draw the feature maps (h, w, K) of one picture, each on a scale of its own."""
    return tiles_png(np.stack([signed_colors(one) for one in np.moveaxis(maps, 2, 0)]))


def evidence_png(image: np.ndarray, evidence: np.ndarray) -> bytes:
    """Draw evidence (H, W) of 0...1 in warm colors over an image uint8 (H, W, 3) in gray."""
    gray = image.mean(2, keepdims=True)
    mixed = (1 - OPACITY) * gray + OPACITY * colored(evidence, WARM)
    return _png(Image.fromarray(mixed.astype(np.uint8)))


def signed_colors(values: np.ndarray) -> np.ndarray:
    """Return values (...) as colors uint8 (..., 3) on a scale whose middle, 0, is white.

    >>> signed_colors(np.array([0.0, 2.0])).tolist()
    [[247, 247, 247], [178, 24, 43]]
    """
    largest = float(np.abs(values).max()) or 1.0
    return colored((values / largest + 1) / 2, SIGNED).astype(np.uint8)


def colored(values: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Interpolate the colors of a scale (S, 3) at values (...) of 0...1; float (..., 3)."""
    positions = np.linspace(0, 1, len(scale))
    return np.stack([np.interp(values, positions, channel) for channel in scale.T], axis=-1)


def tiles_png(tiles: np.ndarray) -> bytes:
    """Draw tiles uint8 (K, h, w, 3) in rows, enlarged without smoothing, on a clear ground."""
    count, height, width, _ = tiles.shape
    zoom = max(1, TILE // width)
    gap = max(2, round(width * zoom * GAP))
    columns = min(COLUMNS, count)
    rows = -(-count // columns)
    across, down = width * zoom + gap, height * zoom + gap
    sheet = Image.new("RGBA", (columns * across - gap, rows * down - gap))
    for k, tile in enumerate(tiles):
        row, column = divmod(k, columns)
        large = Image.fromarray(tile).resize(
            (width * zoom, height * zoom), Image.Resampling.NEAREST
        )
        sheet.paste(large, (column * across, row * down))
    return _png(sheet)


def _png(image: Image.Image) -> bytes:
    content = io.BytesIO()
    image.save(content, "PNG")
    return content.getvalue()
