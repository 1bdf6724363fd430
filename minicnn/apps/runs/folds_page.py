"""The contents of a cross-validation's report.html."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from minicnn.apps.runs import html
from minicnn.apps.runs.gallery import GalleryImage
from minicnn.apps.runs.predictions import Counts
from minicnn.apps.runs.report_html import machine_rows, prediction_sections
from minicnn.apps.runs.report_notes import skipped_note
from minicnn.apps.runs.settings import Settings
from minicnn.support.text import format_seconds

FOLD_HEADINGS = ("fold", "images", "right", "loss", "mean F1", "best epoch")


def folds_page(
    folder: Path,
    report: dict[str, Any],
    settings: Settings,
    counts: Counts,
    worst: Sequence[GalleryImage],
) -> str:
    """Return report.html; `folder` contains the figures that it embeds."""
    title = f"{settings.model} on {report['data']['name']}, {settings.folds}-fold cross-validation"
    curves = (
        f"Loss and accuracy by epoch, a thin line per fold and a thick one for their mean: a "
        f"model is right for {report['mean']['accuracy']:.1%} of the images that it has not seen"
    )
    command = f"$ {report['command']}\n\n{report['settings']}"
    return html.page(
        title,
        [
            f"<h1>{html.escape(title)}</h1>",
            html.lead(method(report, settings)),
            *map(html.note, notes(report)),
            folds_numbers(report),
            html.section("Folds", folds_table(report)),
            html.section("Curves", html.figure(folder / "curves.png", curves)),
            *prediction_sections(counts, worst, "confusion.csv has all of them."),
            html.section(
                "How it was made",
                html.preformatted(command),
                html.table(["", ""], machine_rows(report)),
            ),
        ],
    )


def method(report: dict[str, Any], settings: Settings) -> str:
    """Return in words what was divided, and what chose the epoch."""
    what = "training images" if report["data"]["test_images_left_alone"] else "images"
    groups = ", groups of them kept together" if settings.group_by else ""
    return (
        f"The {report['data']['images']:,} {what} were divided into {settings.folds} folds, each "
        f"class evenly{groups}. The network was trained {settings.folds} times, each time without "
        "one of the folds, which tests it. The best epoch was chosen by other images. Each image "
        "is tested once, by a network that has not seen it."
    )


def notes(report: dict[str, Any]) -> list[str]:
    """Return what a reader must know to judge the result."""
    data, found = report["data"], []
    if alone := data["test_images_left_alone"]:
        found.append(
            f"The data have {alone:,} test images of their own, which were left alone: no result "
            "here depends on them."
        )
    if repeated := data["test_images_trained_on"]:
        found.append(
            f"{repeated:,} of the {data['images']:,} images are also training images of the fold "
            "that tests them. The setting group_by can keep copies together."
        )
    if skipped := skipped_note(report):
        found.append(skipped)
    return found


def folds_numbers(report: dict[str, Any]) -> str:
    """Return the key numbers of a cross-validation."""
    mean, deviation = report["mean"], report["standard_deviation"]
    count, images = len(report["folds"]), report["data"]["images"]
    return html.key_numbers(
        [
            (f"{mean['accuracy']:.2%}",
             f"right, mean of {count} folds ± {100 * deviation['accuracy']:.2f} points"),
            (f"{mean['macro_f1']:.3f}", f"F1, mean of the classes ± {deviation['macro_f1']:.3f}"),
            (f"{report['all_folds']['wrong']:,}", f"of {images:,} images wrong"),
            (format_seconds(report["seconds"]["training"], "words"), f"training, {count} folds"),
            (f"{report['parameters']:,}", "parameters"),
        ]
    )  # fmt: skip


def folds_table(report: dict[str, Any]) -> str:
    """Return the scores of each fold, and their means and standard deviations."""
    *rows, deviation = fold_score_rows(report)
    barred = [
        [row[0], row[1], html.bar(one["accuracy"]), *row[3:]]
        for row, one in zip(rows, [*report["folds"], report["mean"]], strict=True)
    ]
    return html.table(FOLD_HEADINGS, [*barred, deviation], right=(1, 3, 4, 5))


def fold_score_rows(report: dict[str, Any]) -> list[list[str]]:
    """Return a row of texts for each fold, and one each for the mean and the deviation."""
    rows = [
        [str(one["fold"]), f"{one['images']:,}", *_texts(one), str(one["best_epoch"])]
        for one in report["folds"]
    ]
    for name in ("mean", "standard_deviation"):
        values = report[name]
        rows.append([name.replace("_", " "), "", *_texts(values), f"{values['best_epoch']:.1f}"])
    return rows


def _texts(values: dict[str, Any]) -> tuple[str, str, str]:
    return f"{values['accuracy']:.2%}", f"{values['loss']:.4f}", f"{values['macro_f1']:.4f}"
