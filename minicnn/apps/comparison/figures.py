"""Figures of a comparison: all methods on all sets, and the nearest images of some queries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minicnn.apps.comparison.results import SetResults
from minicnn.apps.comparison.tables import features_of
from minicnn.apps.runs.image_splits import ImageSplits
from minicnn.classic import CLASSIFIERS
from minicnn.classic.compare import LEARNED
from minicnn.classic.retrieval import NEAREST
from minicnn.explain.tiles import GAP, empty_figure, show_tiles
from minicnn.support.plots import QUIET, RIGHT, WRONG, caption

PANEL, LINE = 2.5, 0.34  # inches: the width of a set's panel, the height of one kind of features
LABELS = 1.5  # inches for the names at the left
LEGEND = 6.0  # inches for three names of the legend
# Color and marker of each classifier, and of networks.
STYLES = dict(
    zip(CLASSIFIERS.values(), ((RIGHT, "o"), ("#3f9c8f", "s"), ("#d08c1d", "^"), (QUIET, "D")),
        strict=True)
)  # fmt: skip
NETWORK = (WRONG, "*")
DPI = 120  # of the figure of retrieval, which is a file of about 300 kB
TILES: dict[str, Any] = {"cmap": "gray", "interpolation": "antialiased"}  # to shrink photographs
TILE = 0.7  # inches, of an image in the figure of retrieval with its gap
QUERY, LETTER, COUNTS = 2.9, 0.125, 0.9  # widths in tiles: the query, a letter of a name, a count


def comparison_figure(results: Sequence[SetResults]) -> Any:
    """Draw the accuracy of all methods and the precision of all features, a column per set.

    Returns
    -------
    matplotlib.figure.Figure
    """
    features = features_of(results)
    height = LINE * len(features)
    width = max(LEGEND, LABELS + PANEL * len(results))
    figure = empty_figure(width, 2 * height + 2.4)
    panels = figure.subplots(2, len(results), squeeze=False, sharex=True, sharey=True)
    for one, accuracy, precision in zip(results, *panels, strict=True):
        _draw_accuracy(accuracy, one, features)
        _draw_precision(precision, one, features)
    panels[0, 0].set_yticks(range(len(features)), [caption(name) for name in features])
    panels[0, 0].set_ylim(len(features) - 0.4, -0.6)
    panels[0, 0].set_xlim(0, 1.0)
    panels[0, 0].set_ylabel("accuracy", fontsize=12)
    panels[1, 0].set_ylabel("precision at 10", fontsize=12)
    _add_legend(figure, 6 if width > 2 * LEGEND else 3)
    return figure


def _draw_accuracy(axes: Any, results: SetResults, features: Sequence[str]) -> None:
    """Draw a marker for each method, and the value beside the best results."""
    best = max((row.accuracy for row in results.rows), default=0.0)
    for row in results.rows:
        network = row.features == LEARNED
        y = features.index(row.classifier if network else row.features)
        color, marker = NETWORK if network else STYLES[row.classifier]
        axes.plot(row.accuracy, y, marker, color=color, markersize=10 if network else 6.5,
                  markeredgecolor="white", markeredgewidth=0.6, clip_on=False)  # fmt: skip
        if row.accuracy == best:
            axes.annotate(f"{best:.1%}", (best, y), (8, 0), textcoords="offset points",
                          va="center", fontsize=9.5, weight="bold")  # fmt: skip
    axes.set_title(caption(results.name), fontsize=14, pad=32)
    counts = f"{len(results.classes)} classes\n{results.train:,} to train, {results.test:,} to test"
    axes.text(0.5, 1.02, counts, transform=axes.transAxes, ha="center", color=QUIET, fontsize=9)
    _style(axes, results)


def _draw_precision(axes: Any, results: SetResults, features: Sequence[str]) -> None:
    """Draw a bar for each kind of features."""
    best = max((found.precision for found in results.retrieval), default=0.0)
    for found in results.retrieval:
        y = features.index(found.features)
        color = WRONG if found.features in results.networks else RIGHT
        axes.barh(y, found.precision, 0.55, color=color, alpha=0.85)
        weight = "bold" if found.precision == best else "normal"
        inside = found.precision > 0.7
        axes.annotate(f"{found.precision:.1%}", (found.precision, y), (-4 if inside else 4, 0),
                      textcoords="offset points", ha="right" if inside else "left", va="center",
                      color="white" if inside else "black", fontsize=9, weight=weight)  # fmt: skip
    axes.xaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    _style(axes, results)


def _style(axes: Any, results: SetResults) -> None:
    """Mark the accuracy of always naming the most frequent class, and remove what distracts."""
    axes.axvline(results.most_frequent, color=QUIET, linewidth=1, linestyle=":", zorder=0)
    axes.grid(axis="y", color="#e9e9e9", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelsize=10)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


def _add_legend(figure: Any, columns: int) -> None:
    from matplotlib.lines import Line2D

    styles = {**STYLES, "network": NETWORK}
    handles = [
        Line2D([], [], linestyle="", marker=marker, color=color, markersize=8, label=name)
        for name, (color, marker) in styles.items()
    ]
    handles.append(Line2D([], [], color=QUIET, linestyle=":", label="most frequent class"))
    figure.legend(handles=handles, loc="outside lower center", ncols=columns, frameon=False)


def retrieval_name(set_name: str) -> str:
    """Return the name of a set's figure of retrieval: a JPEG file, as PNG has megabytes."""
    return f"retrieval-{set_name}.jpg"


def retrieval_figure(results: SetResults, images: ImageSplits, queries: Sequence[int]) -> Any:
    """Draw queries with their 10 nearest training images by each kind of features.

    Blue frames are around images of the query's class, red ones around others.

    Returns
    -------
    matplotlib.figure.Figure
    """
    lines = len(results.retrieval)
    widths = (QUERY, _names_width(results) + NEAREST * (1 + GAP) + COUNTS)
    figure = empty_figure(TILE * sum(widths), TILE * (1.1 * lines * len(queries) + 2), DPI)
    figure.suptitle(
        f"{caption(results.name)}: test images, and the {NEAREST} nearest training images by each "
        "kind of features",
        fontsize=13,
    )
    parts = figure.subfigures(len(queries), 1, squeeze=False)[:, 0]
    for number, (part, query) in enumerate(zip(parts, queries, strict=True)):
        left, right = part.subplots(1, 2, width_ratios=widths)
        _draw_query(left, images, query)
        _draw_nearest(right, results, images, number, query)
    return figure


def _names_width(results: SetResults) -> float:
    """Return the width of the longest name of features, in tiles."""
    return LETTER * max(len(found.features) for found in results.retrieval) + 0.3


def _draw_query(axes: Any, images: ImageSplits, query: int) -> None:
    (tile,) = show_tiles(axes, images.test.images[[query]], 1, below=0.2, **TILES)
    tile.below(images.class_names[images.test.labels[query]], fontsize=12)
    axes.set_anchor("NW")


def _draw_nearest(
    axes: Any, results: SetResults, images: ImageSplits, number: int, query: int
) -> None:
    """Draw a line of nearest images for each kind of features."""
    shown = [row for found in results.retrieval for row in found.nearest[number]]
    columns = len(shown) // len(results.retrieval)
    tiles = show_tiles(axes, images.train.images[shown], columns, **TILES)
    right = images.train.labels[shown] == images.test.labels[query]
    for tile, same_class in zip(tiles, right, strict=True):
        tile.frame(RIGHT if same_class else WRONG)
    for i, found in enumerate(results.retrieval):
        first, end = columns * i, columns * (i + 1)
        tiles[first].before(found.features, fontsize=10)
        tiles[end - 1].after(f"{right[first:end].sum()} of {columns}", fontsize=10, color=QUIET)
    axes.set_xlim(-_names_width(results), axes.get_xlim()[1] + COUNTS)
    axes.set_anchor("NE")
