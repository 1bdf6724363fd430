"""Draw images as tiles in a matplotlib figure; the figures of this package are made of them.

matplotlib is imported when a figure is made, so that nothing else needs it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from minicnn.support.plots import QUIET, caption, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 150
GAP = 0.14  # between two tiles, in tile widths
# Pixels stay squares, and gray is like ink on paper: 0, the background, is white.
STYLE = {"interpolation": "nearest", "cmap": "gray_r"}


def empty_figure(width: float, height: float, dpi: int = DPI) -> Figure:
    """Return an empty figure; width and height are in inches."""
    figure = new_figure(width, height, dpi)
    figure.get_layout_engine().set(w_pad=0.1, h_pad=0.1)
    return figure


def class_name(index: int, names: Sequence[str] | None) -> str:
    """Return the name of a class, or its index if there are no names."""
    return str(index if names is None else names[index])


def cut(text: str, most: int) -> str:
    """Return the first `most` letters of a text, the last of them an ellipsis if there are more."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


class TilePosition(NamedTuple):
    """The position of a tile in its axes, in tile widths, and labels above and below it."""

    axes: Axes
    middle: float
    top: float
    bottom: float

    def above(self, text: str, **style: Any) -> None:
        """Write a label above the tile."""
        self.axes.text(
            self.middle, self.top - 0.03, caption(text), ha="center", va="bottom", **style
        )

    def below(self, text: str, **style: Any) -> None:
        """Write a label below the tile."""
        self.axes.text(
            self.middle, self.bottom + 0.04, caption(text), ha="center", va="top", **style
        )

    def before(self, text: str, **style: Any) -> None:
        """Write a label at the left of the tile; the axes must be widened to show it."""
        self._beside(self.middle - 0.6, text, ha="right", **style)

    def after(self, text: str, **style: Any) -> None:
        """Write a label at the right of the tile; the axes must be widened to show it."""
        self._beside(self.middle + 0.6, text, ha="left", **style)

    def _beside(self, x: float, text: str, **style: Any) -> None:
        self.axes.text(x, (self.top + self.bottom) / 2, caption(text), va="center", **style)

    def frame(self, color: str, width: float = 3.0) -> None:
        """Draw a frame around the tile, `width` points wide."""
        x, y = (self.middle - 0.5, self.middle + 0.5), (self.top, self.bottom)
        across, down = [x[0], x[1], x[1], x[0], x[0]], [y[0], y[0], y[1], y[1], y[0]]
        self.axes.plot(across, down, color=color, linewidth=width, solid_joinstyle="miter")


def show_tiles(
    axes: Axes,
    images: np.ndarray,
    columns: int,
    above: float = 0.0,
    below: float = 0.0,
    **style: Any,
) -> list[TilePosition]:
    """Show images (K, H, W[, C]) row by row, each one unit wide, and return their positions.

    `above` and `below` are the heights that labels need, in tile widths. All tiles share one axes,
    because matplotlib would take half a minute for hundreds of axes.
    """
    height = images.shape[1] / images.shape[2]
    pitch = height + above + below + GAP
    positions = []
    for k, image in enumerate(images):
        row, column = divmod(k, columns)
        left, top = column * (1 + GAP), row * pitch
        box = (left, left + 1, top + height, top)
        axes.imshow(_pixels(image), extent=box, **STYLE | style)
        positions.append(TilePosition(axes, left + 0.5, top, top + height))
    rows = max(1, -(-len(images) // columns))
    axes.set_xlim(-0.02, columns * (1 + GAP) - GAP + 0.02)
    axes.set_ylim(rows * pitch - above - GAP + 0.02, -above - 0.02)
    axes.set_axis_off()
    return positions


def show_channels(
    axes: Axes,
    channels: np.ndarray,
    columns: int,
    numbers: np.ndarray | None = None,
    label: str = "",
) -> None:
    """Show each channel of (H, W, K) as a numbered tile, red above 0 and blue below.

    All tiles share one color scale; `label` is the caption of its color bar. `numbers` (K,) are
    written above the tiles; default: 1 to K.
    """
    numbers = np.arange(1, channels.shape[2] + 1) if numbers is None else numbers
    limit = float(np.abs(channels).max()) or 1.0
    style: dict[str, Any] = {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit}
    positions = show_tiles(axes, np.moveaxis(channels, 2, 0), columns, above=0.2, **style)
    for number, position in zip(numbers, positions, strict=True):
        position.above(f"{number}", color=QUIET, fontsize=9)
    bar = axes.figure.colorbar(axes.images[-1], ax=axes, pad=0.01, fraction=0.04, aspect=25)
    bar.set_label(label, fontsize=9)
    bar.ax.tick_params(labelsize=8)


def _pixels(image: np.ndarray) -> np.ndarray:
    return image[..., 0] if image.ndim == 3 and image.shape[2] == 1 else image


def show_over(axes: Axes, image: np.ndarray, values: np.ndarray, **style: Any) -> Any:
    """Show an image in gray under colored values (H, W); return what a color bar needs."""
    gray = image.mean(2) if image.ndim == 3 else image
    axes.imshow(gray, cmap="gray")
    shown = axes.imshow(values, alpha=0.55, **style)
    axes.set_anchor("N")
    axes.set_axis_off()
    return shown


def show_image(axes: Axes, image: np.ndarray) -> None:
    """Show a uint8 image (H, W, C)."""
    axes.imshow(_pixels(image), cmap="gray")  # matplotlib ignores cmap for color images
    axes.set_anchor("N")
    axes.set_axis_off()
