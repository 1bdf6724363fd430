"""How much changed images cost: the measurement for whole models, its files and report section."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from minicnn.apps.runs import html
from minicnn.apps.runs.batches import evaluation_batch_size
from minicnn.apps.runs.gallery import can_draw
from minicnn.apps.runs.image_splits import Split
from minicnn.apps.runs.throttled_progress import Progress
from minicnn.data.preprocess import Preprocess
from minicnn.explain import (
    IMAGE_CHANGES,
    RobustnessRow,
    robustness,
    robustness_figure,
    robustness_sheet,
    tolerated,
)
from minicnn.explain.robustness import NO_CHANGE
from minicnn.models import Model
from minicnn.support.atomic_files import write_text
from minicnn.support.csv_files import write_csv
from minicnn.support.files import read_whole
from minicnn.support.plots import save_figure

CSV, CURVES, SHEET = "robustness.csv", "robustness.png", "robustness_images.png"
FILES = (CSV, CURVES, SHEET)
LOST = "-5 points"  # the heading of the strength that `tolerated` returns
# The part of report.html that `add_to_report` replaces, and the heading that it stands before.
BEGIN, END, BEFORE = "<!-- robustness -->", "<!-- end of robustness -->", "<h2>How it was made</h2>"
MAX_PAGE = 256 << 20  # bytes

Measured = Mapping[str, Sequence[RobustnessRow]]  # by the name of the model


def measure(
    model: Model, preprocess: Preprocess, split: Split, progress: Progress
) -> list[RobustnessRow]:
    """Return the accuracy of a model on the images of a split after each change."""
    size = evaluation_batch_size(preprocess)

    def predict(images: np.ndarray) -> np.ndarray:
        starts = range(0, len(images), size)
        batches = (preprocess(images[start : start + size]) for start in starts)
        return np.concatenate([model.predict_on_batch(x) for x in batches])

    return robustness(predict, split.images, split.labels, progress=progress)


def table(measured: Measured) -> tuple[list[str], list[list[str]]]:
    """Return headings and rows: for each change a row of its strengths, and one for each model.

    A model's last value is the strength at which its accuracy is 5 points lower, "-" if none is.

    >>> rows = [RobustnessRow("unchanged", None, "", 100, 98)]
    >>> rows += [RobustnessRow("rotation", s, "degrees", 100, n) for s, n in [(10, 97), (20, 87)]]
    >>> for row in table({"lenet": rows})[1]:
    ...     print(row)
    ['unchanged', '', '', '']
    ['  lenet', '98.0', '', '']
    ['', '', '', '']
    ['rotation, degrees', '10', '20', '']
    ['  lenet', '97.0', '87.0', '14']
    """
    first = [row.change for row in next(iter(measured.values()))]
    tried = [change.name for change in IMAGE_CHANGES if change.name in first]
    columns = max(map(first.count, tried))
    rows = [
        [NO_CHANGE.name],
        *([f"  {name}", _percent(rows[0])] for name, rows in measured.items()),
    ]
    for change in tried:
        rows += [[], *_block(change, measured, columns)]
    headings = ["accuracy in %", *[""] * columns, LOST]
    return headings, [[*row, *[""] * (len(headings) - len(row))] for row in rows]


def _block(change: str, measured: Measured, columns: int) -> list[list[str]]:
    """Return the rows of one change: its strengths, and below them each model's accuracy."""
    block: list[list[str]] = []
    for name, rows in measured.items():
        found = [row for row in rows if row.change == change]
        if not block:
            block.append([f"{change}, {found[0].unit}", *(f"{row.strength:g}" for row in found)])
        strength = tolerated(rows, change)
        lost = "-" if strength is None else f"{strength:.3g}"
        gap = [""] * (columns - len(found))
        block.append([f"  {name}", *map(_percent, found), *gap, lost])
    return block


def _percent(row: RobustnessRow) -> str:
    return f"{100 * row.accuracy:.1f}"


def as_dicts(measured: Measured) -> list[dict[str, Any]]:
    """Return all rows of all models as dictionaries, with the model and the accuracy."""
    return [
        {"model": name, **row._asdict(), "accuracy": row.accuracy}
        for name, rows in measured.items()
        for row in rows
    ]


def strengths_tolerated(measured: Measured) -> dict[str, dict[str, float | None]]:
    """Return, by model and change, the strength at which 5 points of accuracy are lost."""
    return {
        name: {change.name: tolerated(rows, change.name) for change in IMAGE_CHANGES}
        for name, rows in measured.items()
    }


def write_files(folder: Path, measured: Measured, example: np.ndarray) -> list[Path]:
    """Write robustness.csv and, if matplotlib is installed, the two figures; return their paths.

    `example` is the image (H, W, C) that the sheet of all strengths shows.
    """
    records = as_dicts(measured)
    write_csv(folder / CSV, list(records[0]), ([*record.values()] for record in records))
    for name in (CURVES, SHEET):  # older ones must not be shown beside the new results
        (folder / name).unlink(missing_ok=True)
    if can_draw():
        save_figure(robustness_figure(measured), folder / CURVES)
        save_figure(robustness_sheet(example), folder / SHEET)
    return [folder / name for name in FILES if (folder / name).exists()]


def report_section(folder: Path, measured: Measured, images: str) -> str:
    """Return the section of a report, with the figures in `folder`; `images` says which were used.

    It stands between two comments, by which `add_to_report` finds it again.
    """
    headings, rows = table(measured)
    lead = (
        f"The accuracy on {images} after changes from weak to strong; each image is changed in a "
        "direction of its own, and factors multiply one half of the images and divide the other. "
        f"{LOST}: the strength at which the accuracy is 5 points lower."
    )
    curves = "Accuracy by strength of each change; the table below has the same values"
    part = html.section(
        "Robustness",
        html.lead(lead),
        html.figure(folder / CURVES, curves),
        html.table(headings, _in_html(rows), right=range(1, len(headings))),
        html.figure(folder / SHEET, "One image after each change in each strength"),
    )
    return f"{BEGIN}\n{part}\n{END}"


def _in_html(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """Return the rows for a page: strengths in bold in place of indented models and empty rows."""
    return [
        [
            cell if row[0].startswith(" ") else html.Html(f"<b>{html.escape(cell)}</b>")
            for cell in row
        ]
        for row in rows
        if any(row)
    ]


def add_to_report(path: Path, part: str) -> bool:
    """Put the section into a run's report.html, in place of an older one; False if it has none."""
    if not path.exists():
        return False
    page = read_whole(path, MAX_PAGE).decode()
    if BEGIN in page and END in page:
        page = page[: page.index(BEGIN)] + page[page.index(END) + len(END) :].lstrip("\n")
    place = next((mark for mark in (BEFORE, "</body>") if mark in page), "")
    if not place:
        return False
    write_text(path, page.replace(place, f"{part}\n{place}", 1))
    return True
