"""Write everything that a finished run leaves in its folder: tables, figures and reports."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from minicnn.apps.runs import gallery
from minicnn.apps.runs.before_after import Change
from minicnn.apps.runs.before_after_figure import before_after_figure
from minicnn.apps.runs.calibrating import check_of
from minicnn.apps.runs.calibration_figure import reliability_figure
from minicnn.apps.runs.folder import RunFolder
from minicnn.apps.runs.gallery import GalleryImage
from minicnn.apps.runs.image_splits import Split
from minicnn.apps.runs.predictions import ClassScores, Counts, Predictions, per_class
from minicnn.apps.runs.recipe import Recipe
from minicnn.apps.runs.report_html import MAX_MISTAKES, report_page
from minicnn.apps.runs.report_json import report_fields
from minicnn.apps.runs.run_result import RunResult
from minicnn.data.image_writing import save_img
from minicnn.explain import confusion_figure
from minicnn.support.atomic_files import write_text
from minicnn.support.csv_files import write_csv
from minicnn.support.plots import plot_history, save_figure

RANDOM_IMAGES = 10  # as many as the paper shows
MAX_NAME = 25  # letters of a class name in the name of a file, which contains two of them


def write_report(
    folder: RunFolder, result: RunResult, recipe: Recipe | None, command: str
) -> dict[str, Any]:
    """Write all files of the report, and return the contents of report.json.

    report.json is written last, as it marks the run as complete.
    """
    predictions, test = result.predictions, result.images.test
    report = report_fields(result, recipe, command)
    write_tables(folder.path, predictions, test)
    if result.changes is not None:
        write_csv(folder.before_after, Change._fields, result.changes.classes)
    worst = gallery.gallery_images(test, predictions, predictions.mistakes[:MAX_MISTAKES])
    some = gallery.gallery_images(test, predictions, predictions.random_indices(RANDOM_IMAGES))
    write_mistakes(folder.path / "mistakes", worst)
    if gallery.can_draw():
        draw_figures(folder.path, result.history, predictions, worst, some)
        if result.changes is not None:
            save_figure(before_after_figure(result.changes), folder.path / "before_after.png")
        if (check := check_of(result.model, predictions)) is not None:
            save_figure(reliability_figure(check), folder.path / "reliability.png")
    html = report_page(folder.path, report, result.settings, predictions, worst, some, recipe)
    write_text(folder.path / "report.html", html)
    write_text(folder.report, json.dumps(report, indent=1) + "\n")
    return report


def write_tables(folder: Path, predictions: Predictions, split: Split) -> None:
    """Write confusion.csv, per_class.csv, predictions.csv and mistakes.csv."""
    write_class_tables(folder, predictions)
    headings = ["path", "label", "truth", "probability"]
    for file, indices in (
        ("predictions.csv", range(split.total)),
        ("mistakes.csv", predictions.mistakes),
    ):
        write_csv(folder / file, headings, prediction_rows(predictions, split, indices))


def write_class_tables(folder: Path, counts: Counts) -> None:
    """Write confusion.csv and per_class.csv."""
    names = counts.class_names
    rows = [[name, *row] for name, row in zip(names, counts.confusion.tolist(), strict=True)]
    write_csv(folder / "confusion.csv", ["is", *names], rows)
    write_csv(folder / "per_class.csv", ClassScores._fields, per_class(counts))


def prediction_rows(
    predictions: Predictions, split: Split, indices: Iterable[int]
) -> list[list[Any]]:
    """Return one row per image: its file, predicted class, true class and probability."""
    return [
        [
            split.files[i] if split.files else f"image {i}",
            predictions.class_names[predictions.predicted[i]],
            predictions.class_names[predictions.labels[i]],
            f"{predictions.confidence[i]:.6f}",
        ]
        for i in indices
    ]


def write_mistakes(folder: Path, worst: Sequence[GalleryImage]) -> None:
    """Write the worst mistakes as image files, named after their true and predicted classes."""
    folder.mkdir(exist_ok=True)
    for old in folder.glob("[0-9][0-9]-*.png"):
        old.unlink()
    for number, one in enumerate(worst, 1):
        actual, predicted = one.actual[:MAX_NAME], one.predicted[:MAX_NAME]
        text = f"{number:02d}-{actual}-called-{predicted}-{one.confidence:.2f}"
        name = re.sub(r"[^\w.-]+", "_", text)
        save_img(folder / f"{name}.png", one.image, scale=False)


def draw_figures(
    folder: Path,
    history: dict[str, list[float]],
    predictions: Predictions,
    worst: Sequence[GalleryImage],
    some: Sequence[GalleryImage],
) -> None:
    """Draw curves.png, confusion.png, mistakes.png and random.png."""
    plot_history(history, list(range(len(history["loss"]))), folder / "curves.png")
    draw_confusion(folder, predictions)
    shown = f"The {len(worst)} worst of" if len(worst) < predictions.wrong else "All"
    title = f"{shown} {predictions.wrong} mistakes on {len(predictions.labels):,} test images"
    save_figure(gallery.gallery_figure(worst, title), folder / "mistakes.png")
    title = f"{len(some)} test images drawn at random"
    save_figure(gallery.gallery_figure(some, title), folder / "random.png")


def draw_confusion(folder: Path, counts: Counts) -> None:
    """Draw confusion.png."""
    save_figure(confusion_figure(counts.confusion, counts.class_names), folder / "confusion.png")
