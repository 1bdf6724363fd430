"""The numbers that the drawings of the pages are made of, in the units of an SVG picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

WIDTH, HEIGHT = 300.0, 96.0  # of the chart of all classes
GAP = 0.2  # between two columns, as a part of their distance
MIN_COLUMN, MIN_BEST = 0.9, 2.0  # narrower ones would not be seen


class Column(NamedTuple):
    """One class of the chart."""

    x: float
    y: float
    width: float
    height: float
    best: bool


class Distribution(NamedTuple):
    """The probabilities of all classes, in the order in which the network has them."""

    columns: list[Column]
    best: int  # the most probable class, counted from 0
    name: str
    total: int  # classes
    width: float = WIDTH
    height: float = HEIGHT

    @property
    def last(self) -> int:
        """The number of the last class."""
        return self.total - 1


class Segment(NamedTuple):
    """One part of a score, and where it is in the bar of 100 units."""

    title: str
    value: float
    start: float
    width: float
    number: int  # of its color


def distribution(probabilities: Sequence[float], names: Sequence[str]) -> Distribution:
    """Return the chart of all classes; the highest column is as high as the chart.

    >>> chart = distribution([0.25, 0.5], ["cat", "dog"])
    >>> chart.best, chart.name, [column.height for column in chart.columns]
    (1, 'dog', [48.0, 96.0])
    """
    best = max(range(len(probabilities)), key=probabilities.__getitem__)
    most = probabilities[best] or 1.0
    step = WIDTH / len(probabilities)
    columns = []
    for k, probability in enumerate(probabilities):
        height = HEIGHT * probability / most
        width = max(step * (1 - GAP), MIN_BEST if k == best else MIN_COLUMN)
        columns.append(Column(k * step, HEIGHT - height, width, height, k == best))
    return Distribution(columns, best, names[best], len(probabilities))


def segments(parts: Mapping[str, float], titles: Mapping[str, str]) -> list[Segment]:
    """Return the parts of a score side by side, in the order of their titles; no bar is below 0.

    >>> found = segments({"b": 0.25, "a": 0.5}, {"a": "Color", "b": "Class"})
    >>> [(one.title, one.start, one.width) for one in found]
    [('Color', 0.0, 50.0), ('Class', 50.0, 25.0)]
    """
    result, start = [], 0.0
    for number, (name, title) in enumerate(titles.items()):
        if name in parts:
            width = 100 * max(parts[name], 0.0)
            result.append(Segment(title, parts[name], start, width, number))
            start += width
    return result
