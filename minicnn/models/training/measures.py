"""A metric under the name in the logs, of one output."""

from __future__ import annotations

from typing import NamedTuple

from minicnn.metrics import Metric


class Measure(NamedTuple):
    """A metric of one output."""

    name: str  # in the logs
    metric: Metric
    output: int = 0
    weighted: bool = False  # whether the sample weights apply to it
