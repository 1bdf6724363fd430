"""Write the result of a cross-validation: tables, figures and reports over all folds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from minicnn.apps.runs import gallery
from minicnn.apps.runs.folds_curves import fold_curves
from minicnn.apps.runs.folds_folder import FoldsFolder
from minicnn.apps.runs.folds_page import folds_page
from minicnn.apps.runs.folds_results import (
    MEASURES,
    FoldResults,
    FoldScores,
    prediction_table,
    read_results,
    worst_mistakes,
)
from minicnn.apps.runs.gallery import GalleryImage
from minicnn.apps.runs.predictions import per_class
from minicnn.apps.runs.report import draw_confusion, write_class_tables
from minicnn.apps.runs.report_html import MAX_MISTAKES
from minicnn.apps.runs.report_json import head_fields, settings_text
from minicnn.apps.runs.settings import Settings
from minicnn.support.atomic_files import write_text
from minicnn.support.csv_files import write_csv
from minicnn.support.plots import save_figure

PREDICTION_HEADINGS = ("fold", "path", "label", "truth", "probability")


def write_folds_report(folder: FoldsFolder, settings: Settings, command: str) -> dict[str, Any]:
    """Write all files of the result, and return the contents of report.json.

    All folds must be complete. report.json is written last, as it marks the cross-validation as
    complete.
    """
    results = read_results(folder.folds)
    report = folds_fields(results, settings, command)
    worst = worst_mistakes(folder.folds, MAX_MISTAKES)
    write_fold_tables(folder, results)
    if gallery.can_draw():
        draw_fold_figures(folder.path, results, worst)
    page = folds_page(folder.path, report, settings, results.counts, worst)
    write_text(folder.path / "report.html", page)
    write_text(folder.report, json.dumps(report, indent=1) + "\n")
    return report


def folds_fields(results: FoldResults, settings: Settings, command: str) -> dict[str, Any]:
    """Return the contents of report.json, which names no folder of this machine."""
    counts = results.counts
    return {
        **head_fields(settings, command),
        "data": _data_fields(results),
        "settings": settings_text(settings),
        "parameters": results.reports[0]["parameters"],
        "folds": [one._asdict() for one in results.scores],
        "mean": results.means,
        "standard_deviation": results.deviations,
        "all_folds": {"wrong": counts.wrong, "accuracy": counts.accuracy},
        "seconds": {
            name: round(sum(one["seconds"][name] for one in results.reports), 3)
            for name in ("training", "classifying")
        },
        "per_class": [row._asdict() for row in per_class(counts)],
        "confusion": counts.confusion.tolist(),
    }


def _data_fields(results: FoldResults) -> dict[str, Any]:
    """Return what is known of the images of all folds."""
    first, of_folds = results.reports[0], [report["data"] for report in results.reports]
    skipped = {tuple(pair) for data in of_folds for pair in data["skipped"]}
    return {
        "name": first["data"]["name"],
        "classes": results.counts.class_names,
        "images": int(results.counts.confusion.sum()),
        "test_images_left_alone": first["fold"]["test_images_left_alone"],
        "test_images_trained_on": sum(data["test_images_trained_on"] for data in of_folds),
        "skipped": [list(pair) for pair in sorted(skipped)],
    }


def write_fold_tables(folder: FoldsFolder, results: FoldResults) -> None:
    """Write folds.csv, confusion.csv, per_class.csv and predictions.csv."""
    rows: list[tuple[Any, ...]] = [*results.scores]
    for name, values in (("mean", results.means), ("standard deviation", results.deviations)):
        rows.append((name, "", *(values[measure] for measure in MEASURES)))
    write_csv(folder.table, FoldScores._fields, rows)
    write_class_tables(folder.path, results.counts)
    predictions = prediction_table(folder.folds, "predictions.csv")
    write_csv(folder.path / "predictions.csv", PREDICTION_HEADINGS, predictions)


def draw_fold_figures(folder: Path, results: FoldResults, worst: list[GalleryImage]) -> None:
    """Draw curves.png, confusion.png and mistakes.png."""
    histories = [report["history"] for report in results.reports]
    curves = fold_curves(histories, [one.best_epoch for one in results.scores])
    save_figure(curves, folder / "curves.png")
    draw_confusion(folder, results.counts)
    wrong, images = results.counts.wrong, int(results.counts.confusion.sum())
    shown = f"The {len(worst)} worst of" if len(worst) < wrong else "All"
    title = f"{shown} {wrong} mistakes on {images:,} images, by networks that had not seen them"
    save_figure(gallery.gallery_figure(worst, title), folder / "mistakes.png")
