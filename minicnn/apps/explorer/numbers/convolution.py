"""Convolutions: each value is a sum of products over a window, and a bias."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minicnn.apps.explorer.numbers.parts import (
    NOWHERE,
    SUM_OF_PRODUCTS,
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
from minicnn.shapes import Pair, Window2D


class WindowCells(NamedTuple):
    """Cells of windows that lie on one pixel: cell (ky, kx) of the window of result (oy, ox)."""

    ky: np.ndarray
    kx: np.ndarray
    oy: np.ndarray
    ox: np.ndarray


def cells_on(window: Window2D, image: Pair, y: int, x: int) -> WindowCells:
    """Return all cells of all windows that lie on the pixel (y, x) of an image."""
    out = window.out_hw(image)
    ky, oy = _cells_on_line(window, 0, y + window.pad_h[0], out[0])
    kx, ox = _cells_on_line(window, 1, x + window.pad_w[0], out[1])
    rows, columns = (a.ravel() for a in np.mgrid[: len(ky), : len(kx)])
    return WindowCells(ky[rows], kx[columns], oy[rows], ox[columns])


def pixels_of(window: Window2D, oy: int, ox: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows (KH,) and columns (KW,) of one window's cells; some may be in the padding."""
    (kh, kw), (sy, sx), (dy, dx) = window.size, window.stride, window.dilation
    rows = oy * sy - window.pad_h[0] + np.arange(kh) * dy
    return rows, ox * sx - window.pad_w[0] + np.arange(kw) * dx


def lies_in(shape: Shape, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return which pixels lie in an image of this shape, (H, W) or (H, W, C)."""
    inside: np.ndarray = (rows >= 0) & (rows < shape[0]) & (columns >= 0) & (columns < shape[1])
    return inside


def window_box(window: Window2D, oy: int, ox: int) -> dict[str, int]:
    """Return where a window lies in its image, the padding included."""
    rows, columns = pixels_of(window, oy, ox)
    height, width = window.extent
    return {"y": int(rows[0]), "x": int(columns[0]), "height": height, "width": width}


def _cells_on_line(
    window: Window2D, axis: int, position: int, out: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return k and o with o * stride + k * dilation = position along one axis."""
    k = np.arange(window.size[axis])
    o, rest = np.divmod(position - k * window.dilation[axis], window.stride[axis])
    fits = (rest == 0) & (o >= 0) & (o < out)
    return k[fits], o[fits]


class _Groups(NamedTuple):
    """Which channels and filters of a convolution belong together."""

    channels: int  # of each group
    filters: int  # of each group

    def channels_of(self, filter: int) -> np.ndarray:
        """Return the input channels that a filter reads."""
        return filter // self.filters * self.channels + np.arange(self.channels)

    def filters_of(self, channel: int) -> np.ndarray:
        """Return the filters that read an input channel."""
        return channel // self.channels * self.filters + np.arange(self.filters)


def _groups(applied: Applied) -> _Groups:
    w = applied.arrays["w"]
    return _Groups(w.shape[2], w.shape[3] // applied.attributes["groups"])


def _explain(applied: Applied, place: Shape) -> Explanation:
    oy, ox, filter = place
    x, w, b = applied.image(), applied.arrays["w"], applied.arrays.get("b")
    window: Window2D = applied.attributes["window"]
    channels = _groups(applied).channels_of(filter)
    rows, columns = pixels_of(window, oy, ox)
    # Channel by channel, each row by row: (CI / groups, KH, KW).
    grid = np.broadcast_arrays(rows[:, None], columns, channels[:, None, None])
    inside = lies_in(x.shape, grid[0], grid[1])
    seen = np.where(inside, x[grid[0] * inside, grid[1] * inside, grid[2]], 0)
    at = np.where(inside.ravel()[:, None], places(*grid), NOWHERE)
    channel, ky, kx = np.indices(seen.shape)
    weight = w[..., filter].transpose(2, 0, 1)
    terms = _terms(at, seen, places(ky, kx, channel, filter), weight)
    bias = 0.0 if b is None else float(b[filter])
    outside = int((~inside).sum())
    return Explanation(
        SUM_OF_PRODUCTS,
        terms.total + bias,
        _text(applied, place, terms, bias if b is not None else None, outside),
        terms,
        {"name": "conv2d", "kernel": list(w.shape), "filter": filter, "terms": len(at)},
        {"bias": None if b is None else bias, "window": window_box(window, oy, ox),
         "parameter": {"name": applied.step.parameters.get("w"), "index": filter}},
    )  # fmt: skip


def _text(applied: Applied, place: Shape, terms: Terms, bias: float | None, outside: int) -> str:
    text = (
        f"{place_text(place).capitalize()} of {applied.step.layer} is a sum of "
        f"{counted(len(terms.input), 'product')}, each of a value under the window and a weight: "
        f"{shown(terms.total)}"
    )
    if outside:
        text += f"; {outside} of them are 0, because their values are in the padding"
    if bias is None:
        return f"{text}. There is no bias."
    return f"{text}. With the bias {shown(bias)} it is {shown(terms.total + bias)}."


def _terms(at: np.ndarray, seen: np.ndarray, weight_at: np.ndarray, weight: np.ndarray) -> Terms:
    seen, weight = seen.ravel(), weight.ravel()
    return Terms(at, seen, seen.astype(np.float64) * weight, weight_at, weight)


def _influence(applied: Applied, name: str, place: Shape) -> Influence:
    if name == "b":
        return _of_bias(applied.result.shape[1:], place[0])
    if name == "w":
        return _of_weight(applied, place)
    iy, ix, channel = full(applied.arrays["x"], place)[1:]
    cells = cells_on(applied.attributes["window"], applied.attributes["image"], iy, ix)
    groups, w = _groups(applied), applied.arrays["w"]
    weight_at = _cell_channels(cells, channel % groups.channels, groups.filters_of(channel))
    out = np.repeat(np.stack([cells.oy, cells.ox], -1), groups.filters, 0)
    return Influence(
        places(*out.T, weight_at[:, 3]),
        w[tuple(weight_at.T)].astype(np.float64),
        weight_at,
        "the weight between the two",
    )


def _cell_channels(cells: WindowCells, channel: int, filters: np.ndarray) -> np.ndarray:
    """Return (ky, kx, channel, filter) of all cells with all filters."""
    ky, kx = (np.repeat(one, len(filters)) for one in (cells.ky, cells.kx))
    return places(ky, kx, channel, np.tile(filters, len(cells.ky)))


def _of_bias(shape: Shape, filter: int) -> Influence:
    oy, ox = (a.ravel() for a in np.mgrid[: shape[0], : shape[1]])
    return Influence(places(oy, ox, filter), np.ones(len(oy)), None, "1, as the bias is added")


def _of_weight(applied: Applied, place: Shape) -> Influence:
    ky, kx, channel, filter = full(applied.arrays["w"], place)
    x = applied.image()
    window: Window2D = applied.attributes["window"]
    groups = _groups(applied)
    oy, ox = (a.ravel() for a in np.mgrid[: applied.result.shape[1], : applied.result.shape[2]])
    rows, columns = _under(window, oy, ox, places(ky, kx))
    inside = lies_in(x.shape, rows, columns)
    read = int(groups.channels_of(filter)[channel])
    seen = np.where(inside, x[rows * inside, columns * inside, read], 0).astype(np.float64)
    at = np.where(inside[:, None], places(rows, columns, read), NOWHERE)
    return Influence(places(oy, ox, filter), seen, at, "the input under this weight")


def _explain_transposed(applied: Applied, place: Shape) -> Explanation:
    """Explain a value of a transposed convolution: the windows of the values that reach it."""
    iy, ix, channel = place
    x, w = applied.image(), applied.arrays["w"]
    cells = cells_on(applied.attributes["window"], applied.attributes["image"], iy, ix)
    weight_at = _cell_channels(cells, channel, np.arange(w.shape[3]))
    at = places(*(np.repeat(o, w.shape[3]) for o in (cells.oy, cells.ox)), weight_at[:, 3])
    terms = _terms(at, x[tuple(at.T)], weight_at, w[tuple(weight_at.T)])
    text = (
        f"{place_text(place).capitalize()} of {applied.step.layer} is a sum of "
        f"{counted(len(at), 'product')}: each value whose window covers this place, times a weight."
    )
    parameter = {"name": applied.step.parameters.get("w"), "index": channel}
    formula = {"name": "conv2d_transpose", "kernel": list(w.shape), "terms": len(at)}
    details = {"bias": None, "parameter": parameter}
    return Explanation(SUM_OF_PRODUCTS, terms.total, text, terms, formula, details)


def _influence_transposed(applied: Applied, name: str, place: Shape) -> Influence:
    """Return where a value or a weight goes: to the pixels under the windows of the values."""
    w, x = applied.arrays["w"], applied.image()
    if name == "w":
        *cell, filter = full(w, place)
        oy, ox = (a.ravel() for a in np.mgrid[: x.shape[0], : x.shape[1]])
        weight_at = places(*cell, np.full(len(oy), filter))
    else:
        row, column, filter = full(applied.arrays["x"], place)[1:]
        weight_at = places(*np.indices(w.shape[:3]), filter)
        oy, ox = np.full(len(weight_at), row), np.full(len(weight_at), column)
    rows, columns = _under(applied.attributes["window"], oy, ox, weight_at)
    inside = lies_in(applied.attributes["image"], rows, columns)
    at = places(rows, columns, weight_at[:, 2])[inside]
    other, read = weight_at[inside], places(oy, ox, filter)[inside]
    if name == "w":
        return Influence(at, x[tuple(read.T)].astype(np.float64), read, "the input")
    return Influence(at, w[tuple(other.T)].astype(np.float64), other, "the weight between the two")


def _under(
    window: Window2D, oy: np.ndarray, ox: np.ndarray, cells: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows and columns of cells (n, (ky, kx, ...)) of the windows (oy, ox)."""
    rows = oy * window.stride[0] + cells[:, 0] * window.dilation[0] - window.pad_h[0]
    return rows, ox * window.stride[1] + cells[:, 1] * window.dilation[1] - window.pad_w[0]


CONV2D = Family(_explain, _influence)
CONV2D_TRANSPOSE = Family(_explain_transposed, _influence_transposed)
