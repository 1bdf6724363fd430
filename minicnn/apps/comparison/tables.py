"""The tables of a comparison, as text and for a CSV file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from minicnn.apps.comparison.results import SetResults
from minicnn.classic.compare import LEARNED

BEST = "*"  # after the best value of a column
CSV_HEADINGS = (
    "data", "features", "classifier", "accuracy", "right", "images", "training_seconds",
    "ms_per_image", "precision_at_10",
)  # fmt: skip


class Table(NamedTuple):
    """A table of shares: a row per method, a column per set."""

    headings: list[str]
    names: list[list[str]]  # of each row
    shares: list[list[float | None]]  # of each row, one per set; None: not known

    @property
    def best(self) -> list[float | None]:
        """The largest share in each column."""
        columns = zip(*self.shares, strict=True)
        return [max((s for s in column if s is not None), default=None) for column in columns]

    def as_text(self) -> list[list[str]]:
        """Return the rows as text, with a star after the best share of each set."""
        best = self.best
        return [
            [*names, *(_text(share, best[i]) for i, share in enumerate(shares))]
            for names, shares in zip(self.names, self.shares, strict=True)
        ]


def accuracy_table(results: Sequence[SetResults]) -> Table:
    """Return the accuracy of every method on every set; networks are the last rows."""
    methods = dict.fromkeys(row[:2] for one in results for row in one.rows)
    names = sorted(methods, key=lambda method: method[0] == LEARNED)

    def accuracy(one: SetResults, method: tuple[str, str]) -> float | None:
        row = one.row(*method)
        return None if row is None else row.accuracy

    shares = [[accuracy(one, method) for one in results] for method in names]
    headings = ["features", "classifier", *(one.name for one in results)]
    return Table(headings, [list(method) for method in names], shares)


def precision_table(results: Sequence[SetResults]) -> Table:
    """Return the precision at 10 of every kind of features; those of networks are the last rows."""
    names = features_of(results)

    def precision(one: SetResults, features: str) -> float | None:
        found = one.retrieved_by(features)
        return None if found is None else found.precision

    shares = [[precision(one, name) for one in results] for name in names]
    return Table(["features", *(one.name for one in results)], [[name] for name in names], shares)


def features_of(results: Sequence[SetResults]) -> list[str]:
    """Return all kinds of features, and then the networks."""
    names = dict.fromkeys(found.features for one in results for found in one.retrieval)
    learned = {name for one in results for name in one.networks}
    return sorted(names, key=lambda name: name in learned)


def csv_rows(results: Sequence[SetResults]) -> list[list[Any]]:
    """Return one row for each set and method, with the columns `CSV_HEADINGS`."""
    rows: list[list[Any]] = []
    for one in results:
        for row in one.rows:
            name = row.classifier if row.features == LEARNED else row.features
            found = one.retrieved_by(name)
            rows.append([one.name, row.features, row.classifier, round(row.accuracy, 5), row.right,
                         row.images, _rounded(row.training_seconds), _rounded(row.ms_per_image),
                         None if found is None else round(found.precision, 5)])  # fmt: skip
    return rows


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _text(share: float | None, best: float | None) -> str:
    """Return a percentage that is as wide as all others, and its star.

    >>> _text(0.0625, 0.5), _text(0.5, 0.5), _text(None, 0.5)
    ('  6.2%', ' 50.0%*', '     -')
    """
    if share is None:
        return f"{'-':>6}"
    return f"{share:6.1%}{BEST if share == best else ''}"
