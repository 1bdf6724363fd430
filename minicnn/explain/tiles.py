"""Pages of tiles: what the pictures of this package are drawn with.

matplotlib is imported when a empty_figure is made, so that nothing else needs it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from minicnn.support.plots import QUIET, caption, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 150
GAP = 0.14  # between tiles, in widths of one
GRAY = {"cmap": "gray_r"}  # like ink on paper: what is 0, the background, is white


def empty_figure(width: float, height: float) -> Figure:
    """An empty empty_figure of so many inches."""
    figure = new_figure(width, height, DPI)
    figure.get_layout_engine().set(w_pad=0.1, h_pad=0.1)
    return figure


class Place(NamedTuple):
    """Where a tile lies in its axes, for the words above and below it."""

    axes: Axes
    middle: float
    top: float
    bottom: float

    def above(self, text: str, **style: Any) -> None:
        """Write over the tile."""
        self.axes.text(
            self.middle, self.top - 0.03, caption(text), ha="center", va="bottom", **style
        )

    def below(self, text: str, **style: Any) -> None:
        """Write under it."""
        self.axes.text(
            self.middle, self.bottom + 0.04, caption(text), ha="center", va="top", **style
        )


def show_tiles(
    axes: Axes,
    pictures: np.ndarray,
    columns: int,
    above: float = 0.0,
    below: float = 0.0,
    **style: Any,
) -> list[Place]:
    """Show pictures (K, H, W[, C]) in rows, each one unit wide, with room for words.

    All share one axes: a plot of its own for each would take matplotlib half a minute.
    """
    height = pictures.shape[1] / pictures.shape[2]
    pitch = height + above + below + GAP
    places = []
    for number, picture in enumerate(pictures):
        row, column = divmod(number, columns)
        left, top = column * (1 + GAP), row * pitch
        box = (left, left + 1, top + height, top)
        axes.imshow(_pixels(picture), extent=box, interpolation="nearest", **GRAY | style)
        places.append(Place(axes, left + 0.5, top, top + height))
    rows = max(1, -(-len(pictures) // columns))
    axes.set_xlim(-0.02, columns * (1 + GAP) - GAP + 0.02)
    axes.set_ylim(rows * pitch - above - GAP + 0.02, -above - 0.02)
    axes.set_axis_off()
    return places


def show_channels(
    axes: Axes,
    pictures: np.ndarray,
    columns: int,
    numbers: np.ndarray | None = None,
    what: str = "",
) -> None:
    """Each channel of (H, W, channels) as a numbered tile: red above 0, blue below, one scale.

    `what` the numbers are stands beside that scale.
    """
    numbers = np.arange(1, pictures.shape[2] + 1) if numbers is None else numbers
    most = float(np.abs(pictures).max()) or 1.0
    style: dict[str, Any] = {"cmap": "RdBu_r", "vmin": -most, "vmax": most}
    tiles = np.moveaxis(pictures, 2, 0)
    places = show_tiles(axes, tiles, columns, above=0.2, **style)
    for number, place in zip(numbers, places, strict=True):
        place.above(f"{number}", color=QUIET, fontsize=9)
    bar = axes.figure.colorbar(axes.images[-1], ax=axes, pad=0.01, fraction=0.04, aspect=25)
    bar.set_label(what, fontsize=9)
    bar.ax.tick_params(labelsize=8)


def _pixels(image: np.ndarray) -> np.ndarray:
    return image[..., 0] if image.ndim == 3 and image.shape[2] == 1 else image


def show_over(axes: Axes, image: np.ndarray, values: np.ndarray, **style: Any) -> Any:
    """An image in gray with colored values (H, W) over it; returns what a color bar needs."""
    gray = image.mean(2) if image.ndim == 3 else image
    axes.imshow(gray, cmap="gray")
    shown = axes.imshow(values, alpha=0.55, **style)
    axes.set_anchor("N")
    axes.set_axis_off()
    return shown


def show_image(axes: Axes, image: np.ndarray) -> None:
    """An image (H, W, C), uint8, without axes."""
    axes.imshow(_pixels(image), cmap="gray")  # color images ignore the map
    axes.set_anchor("N")
    axes.set_axis_off()
