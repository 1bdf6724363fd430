"""Pooling: each value is the largest or the mean of a window of one map."""

from __future__ import annotations

import numpy as np

from minicnn.apps.explorer.numbers.convolution import cells_on, lies_in, pixels_of, window_box
from minicnn.apps.explorer.numbers.parts import (
    MAXIMUM,
    MEAN,
    NOWHERE,
    Applied,
    Explanation,
    Family,
    Influence,
    Terms,
    counted,
    full,
    places,
    shown,
)
from minicnn.apps.explorer.places import place_text
from minicnn.contracts import Shape
from minicnn.shapes import Window2D


def _seen(applied: Applied, place: Shape) -> tuple[np.ndarray, np.ndarray]:
    """Return the places of a window's cells, (KH * KW, 3), and their values; 0 in the padding."""
    oy, ox, channel = place
    x = applied.image()
    rows, columns = pixels_of(_window(applied), oy, ox)
    rows, columns = np.repeat(rows, len(columns)), np.tile(columns, len(rows))
    inside = lies_in(x.shape, rows, columns)
    at = np.where(inside[:, None], places(rows, columns, channel), NOWHERE)
    return at, np.where(inside, x[rows * inside, columns * inside, channel], 0)


def _window(applied: Applied) -> Window2D:
    """Return the window; that of a global pooling is the whole map."""
    image = applied.attributes["image"]
    whole = Window2D(image, (1, 1), (1, 1), (0, 0), (0, 0))
    window: Window2D = applied.attributes.get("window", whole)
    return window


def _in_map(place: Shape) -> Shape:
    """Return the place as row, column, map; the result of a global pooling has one row."""
    return place if len(place) == 3 else (0, 0, *place)


def _box(applied: Applied, place: Shape) -> dict[str, object]:
    return {"window": window_box(_window(applied), place[0], place[1])}


def _explain_maximum(applied: Applied, place: Shape) -> Explanation:
    where = _in_map(place)
    at, seen = _seen(applied, where)
    best = int(applied.arrays["argmax"][(0, *place)])
    largest = float(seen[best])
    inside = int((at[:, 0] != NOWHERE).sum())
    text = (
        f"The largest of {counted(inside, 'value')} under the window is {shown(largest)}, "
        f"at {place_text(tuple(at[best].tolist()))}."
    )
    terms = Terms(at, seen, seen.astype(np.float64))
    formula = {"name": applied.step.name, "terms": inside}
    details = {"argmax": best, **_box(applied, where)}
    return Explanation(MAXIMUM, largest, text, terms, formula, details)


def _explain_mean(applied: Applied, place: Shape) -> Explanation:
    where = _in_map(place)
    at, seen = _seen(applied, where)
    inside = at[:, 0] != NOWHERE
    share = inside / inside.sum()
    terms = Terms(at, seen, seen * share, weight=share)
    text = (
        f"The mean of {counted(int(inside.sum()), 'value')} under the window: their sum "
        f"{shown(float(seen.sum(dtype=np.float64)))} divided by {int(inside.sum())} is "
        f"{shown(terms.total)}."
    )
    formula = {"name": applied.step.name, "terms": int(inside.sum())}
    return Explanation(MEAN, terms.total, text, terms, formula, _box(applied, where))


def _influence_maximum(applied: Applied, _name: str, place: Shape) -> Influence:
    at, cells = _windows_with(applied, place)
    chosen = applied.arrays["argmax"][0][tuple(at.T)] == cells
    text = "1 where it was the largest, else 0"
    if not chosen.any():
        text = "0, as another value under the window was larger"
    return Influence(at, chosen.astype(np.float64), None, text)


def _influence_mean(applied: Applied, _name: str, place: Shape) -> Influence:
    at, _ = _windows_with(applied, place)
    image = applied.attributes["image"]
    counts = [_pixels(_window(applied), image, _in_map(tuple(one))) for one in at]
    return Influence(at, 1 / np.array(counts, np.float64), None, "1 / number of averaged values")


def _windows_with(applied: Applied, place: Shape) -> tuple[np.ndarray, np.ndarray]:
    """Return the results whose windows have a pixel in them, and which of their cells it is."""
    y, x, channel = full(applied.arrays["x"], place)[1:]
    window = _window(applied)
    cells = cells_on(window, applied.attributes["image"], y, x)
    numbers = cells.ky * window.size[1] + cells.kx
    if applied.result.ndim == 2:
        return places(channel), numbers
    return places(cells.oy, cells.ox, channel), numbers


def _pixels(window: Window2D, image: tuple[int, int], place: Shape) -> int:
    """Return how many cells of a window lie in the image."""
    rows, columns = pixels_of(window, place[0], place[1])
    return int(lies_in(image, rows[:, None], columns).sum())


MAXIMA = Family(_explain_maximum, _influence_maximum)
MEANS = Family(_explain_mean, _influence_mean)
