"""report.html of a comparison: one page with its tables and figures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from minicnn.apps.comparison.figures import retrieval_name
from minicnn.apps.comparison.results import SetResults
from minicnn.apps.comparison.tables import Table, accuracy_table, precision_table
from minicnn.apps.runs import html
from minicnn.classic.retrieval import NEAREST

TITLE = "Classic methods and networks"
ACCURACY = "The share of the test images that are right. Bold: the best on each set."
PRECISION = (
    f"The share of the {NEAREST} most similar training images that have the class of the test "
    "image, on average over the test images."
)
FRAMES = "Blue frames: images of the same class as the test image at the left. Red: of another."


def comparison_page(results: Sequence[SetResults], folder: Path) -> str:
    """Return the page; `folder` contains the figures that it embeds."""
    figures = [
        html.figure(folder / retrieval_name(one.name), f"{one.name}: queries and their images")
        for one in results
    ]
    overview = html.figure(folder / "classic.png", "Accuracy and precision at 10 on every set")
    return html.page(
        TITLE,
        [
            f"<h1>{TITLE}</h1>",
            html.lead("All methods have learned from the same training images of a set."),
            sets_table(results),
            html.section("All methods", overview),
            html.section("Accuracy", html.lead(ACCURACY), share_table(accuracy_table(results))),
            html.section(
                f"Precision at {NEAREST}",
                html.lead(PRECISION),
                share_table(precision_table(results)),
            ),
            html.section("What is found", html.lead(FRAMES) if any(figures) else "", *figures),
        ],
    )


def sets_table(results: Sequence[SetResults]) -> str:
    """Return how many classes and images each set has."""
    rows = [
        [one.name, len(one.classes), f"{one.train:,}", f"{one.test:,}", f"{one.most_frequent:.1%}"]
        for one in results
    ]
    headings = ["set", "classes", "to train", "to test", "most frequent class"]
    return html.table(headings, rows, right=range(1, 5))


def share_table(table: Table) -> str:
    """Return a table of shares as HTML, the best share of each set in bold."""
    first = len(table.headings) - len(table.best)
    rows = [
        [*names, *(_cell(share, best) for share, best in zip(shares, table.best, strict=True))]
        for names, shares in zip(table.names, table.shares, strict=True)
    ]
    return html.table(table.headings, rows, right=range(first, len(table.headings)))


def _cell(share: float | None, best: float | None) -> html.Html:
    if share is None:
        return html.Html('<span class="quiet">-</span>')
    return html.Html(f"<b>{share:.1%}</b>" if share == best else f"{share:.1%}")
