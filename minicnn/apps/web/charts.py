"""The numbers that the drawings of the pages are made of, in the units of an SVG picture."""

from __future__ import annotations

import math
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
    """One part of a score: weight times similarity, and where it is in the bar of 100 units."""

    title: str
    weight: float
    similarity: float
    value: float  # rounded, so that the values add up to the rounded score
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


def segments(
    parts: Mapping[str, float], weights: Mapping[str, float], titles: Mapping[str, str]
) -> list[Segment]:
    """Return the parts of a score side by side, in the order of their titles; no bar is below 0.

    >>> found = segments({"b": 0.25, "a": 0.5}, {"a": 0.5, "b": 0.5}, {"a": "Color", "b": "Class"})
    >>> [(one.title, one.similarity, one.start, one.width) for one in found]
    [('Color', 1.0, 0.0, 50.0), ('Class', 0.5, 50.0, 25.0)]
    """
    printed = dict(zip(parts, add_up(list(parts.values())), strict=True))
    result, start = [], 0.0
    for number, (name, title) in enumerate(titles.items()):
        if name in parts:
            width = 100 * max(parts[name], 0.0)
            similarity = parts[name] / weights[name]
            result.append(
                Segment(title, weights[name], similarity, printed[name], start, width, number)
            )
            start += width
    return result


def add_up(values: Sequence[float], digits: int = 3) -> list[float]:
    """Round numbers so that they add up to their rounded sum; those that lose most are raised.

    >>> add_up([0.1234, 0.1234, 0.1234])  # the sum is 0.3702
    [0.124, 0.123, 0.123]
    """
    unit = 10**digits
    rounded = [math.floor(unit * value) for value in values]
    lost = [unit * value - low for value, low in zip(values, rounded, strict=True)]
    missing = round(unit * math.fsum(values)) - sum(rounded)
    for k in sorted(range(len(values)), key=lambda k: -lost[k])[:missing]:
        rounded[k] += 1
    return [number / unit for number in rounded]
