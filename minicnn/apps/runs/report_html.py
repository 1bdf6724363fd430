"""The contents of report.html, and of the page of `minicnn test --report`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from minicnn.apps.runs import calibration_page, gallery, html
from minicnn.apps.runs.gallery import GalleryImage
from minicnn.apps.runs.image_splits import Split
from minicnn.apps.runs.predictions import CLASS_HEADINGS, Counts, Predictions, per_class
from minicnn.apps.runs.recipe import Recipe
from minicnn.apps.runs.report_json import measured_texts
from minicnn.apps.runs.report_notes import general_notes
from minicnn.apps.runs.settings import Settings

MAX_MISTAKES = 24  # in the gallery and in mistakes/
# Classes in the confusion table. A cell takes about 100 bytes, so 1,000 classes would take 100 MB.
MAX_CONFUSED = 50


def report_page(
    folder: Path,
    report: dict[str, Any],
    settings: Settings,
    predictions: Predictions,
    worst: Sequence[GalleryImage],
    some: Sequence[GalleryImage],
    recipe: Recipe | None,
) -> str:
    """Return report.html; `folder` contains the figures that it embeds."""
    title = title_of(recipe, settings, report)
    notes = [*(recipe.notes if recipe else ()), *general_notes(report, settings)]
    command = f"$ {report['command']}\n\n{report['settings']}"
    return html.page(
        title,
        [
            f"<h1>{html.escape(title)}</h1>",
            html.lead(recipe.paper) if recipe else "",
            *map(html.note, notes),
            run_numbers(report),
            html.section("Paper and here", paper_table(report)),
            html.section("Before and after", *before_after(report, folder)),
            html.section("Curves", html.figure(folder / "curves.png", curves_text(report))),
            *prediction_sections(predictions, worst, "confusion.csv has all of them."),
            calibration_page.run_section(report, folder),
            html.section(f"{len(some)} images drawn at random", html.gallery(some)),
            html.section("How it was made", html.preformatted(command), machine_table(report)),
        ],
    )


def evaluation_page(
    title: str,
    predictions: Predictions,
    split: Split,
    loss: float,
    seconds: float,
    more: Sequence[str] = (),
) -> str:
    """Return the page of `minicnn test --report`; `more` are further sections."""
    count = split.total
    worst = gallery.gallery_images(split, predictions, predictions.mistakes[:MAX_MISTAKES])
    numbers = [
        (f"{predictions.accuracy:.2%}", f"right; {predictions.wrong:,} of {count:,} images wrong"),
        (f"{loss:.4f}", "loss"),
        (f"{1000 * seconds / max(1, count):.2f} ms", "per image"),
    ]
    return html.page(
        title,
        [
            f"<h1>{html.escape(title)}</h1>",
            html.key_numbers(numbers),
            *prediction_sections(predictions, worst, "minicnn test --json prints all of them."),
            *more,
        ],
    )


def run_numbers(report: dict[str, Any]) -> str:
    """Return the four key numbers of a run."""
    texts = measured_texts(report)
    images = f"images to train, {report['test']['images']:,} to test"
    return html.key_numbers(
        [
            (texts["accuracy"], f"right; {texts['wrong']} test images wrong"),
            (texts["training"], f"training, {report['epochs']} epochs"),
            (texts["parameters"], "parameters"),
            (f"{report['data']['train']:,}", images),
        ]
    )


def prediction_sections(
    counts: Counts, worst: Sequence[GalleryImage], whole_matrix: str
) -> list[str]:
    """Return the classes, the confusion matrix and the worst mistakes.

    `whole_matrix` says where the whole confusion matrix is if the page shows a part of it.
    """
    shown, count = most_confused(counts.confusion), len(counts.class_names)
    cut = f"The {len(shown)} of {count:,} classes with the most mistakes. {whole_matrix}"
    return [
        html.section("Classes", class_table(counts)),
        html.section(
            "Confusion matrix",
            html.lead(cut) if len(shown) < count else "",
            confusion_table(counts, shown),
        ),
        mistakes_section(counts, worst),
    ]


def most_confused(confusion: np.ndarray, most: int = MAX_CONFUSED) -> list[int]:
    """Return the indices of the `most` classes that are in the most mistakes, in class order.

    >>> most_confused(np.array([[9, 0, 0], [0, 5, 4], [1, 0, 8]]), 2)
    [1, 2]
    """
    mistakes = confusion.sum(0) + confusion.sum(1) - 2 * confusion.diagonal()
    return sorted(np.argsort(-mistakes, kind="stable")[:most].tolist())


def confusion_table(counts: Counts, shown: Sequence[int]) -> str:
    """Return the confusion matrix of the classes `shown`: rows are true, columns predicted."""
    names, confusion = counts.class_names, counts.confusion
    off_diagonal = confusion - np.diag(confusion.diagonal())
    worst = max(1, int(off_diagonal.max()))

    def cell(i: int, j: int) -> html.Html:
        count, images = int(confusion[i, j]), confusion[i].sum() or 1
        return html.confusion_cell(count, i == j, count / images, off_diagonal[i, j] / worst)

    rows = [[names[i], *(cell(i, j) for j in shown)] for i in shown]
    headings = ["is / predicted", *(names[j] for j in shown)]
    return html.table(headings, rows, right=range(1, len(shown) + 1))


def mistakes_section(counts: Counts, worst: Sequence[GalleryImage]) -> str:
    """Return the gallery of the worst mistakes."""
    count, wrong = len(worst), counts.wrong
    title = f"The worst mistakes: {f'{count} of {wrong}' if count < wrong else count}"
    return html.section(title, html.gallery(worst))


def title_of(recipe: Recipe | None, settings: Settings, report: dict[str, Any]) -> str:
    """Return the title of a run's report."""
    if recipe is None:
        earlier = f", from {Path(settings.start).name}" if settings.start else ""
        fold = f", fold {settings.fold} of {settings.folds}" if settings.fold else ""
        return f"{settings.model} on {report['data']['name']}{earlier}{fold}"
    printed = recipe.printed is not None and recipe.printed.name == settings.name
    return f"{recipe.title}, trained as printed" if printed else recipe.title


def paper_table(report: dict[str, Any]) -> str:
    """Return the paper's results beside the run's, or "" if there is no paper."""
    rows = report.get("paper")
    return html.table(["", "paper", "here"], rows) if rows else ""


def before_after(report: dict[str, Any], folder: Path) -> list[str]:
    """Return the accuracies before and after; [] if it was not continual learning."""
    changes = report.get("before_after")
    if changes is None:
        return []
    headings, *rows = changes["table"]
    text = (
        f"The share of the test images that the network of {changes['start']} gets right, and the "
        "share after it was trained further in this run."
    )
    return [
        html.lead(text),
        html.table(headings, rows, right=(1, 2, 3, 4)),
        html.figure(folder / "before_after.png", "The same accuracies as dots, before and after"),
    ]


def class_table(counts: Counts) -> str:
    """Return the scores of all classes, one row per class."""
    rows = [
        [r.name, f"{r.images:,}", f"{r.right:,}", html.bar(r.recall), f"{r.precision:.1%}",
         f"{r.f1:.3f}", r.taken_for]
        for r in per_class(counts)
    ]  # fmt: skip
    return html.table(CLASS_HEADINGS, rows, right=(1, 2, 4, 5))


def machine_table(report: dict[str, Any]) -> str:
    """Return the machine and software that the times depend on."""
    classifying = ["classifying", measured_texts(report)["classifying"]]
    return html.table(["", ""], [*machine_rows(report), classifying])


def machine_rows(report: dict[str, Any]) -> list[list[str]]:
    """Return the machine and software as rows of a table."""
    machine = report["machine"]
    engine = f"{machine['backend']} {machine['isa']}".strip()
    return [
        ["processor", machine["processor"]],
        ["engine", f"{engine}, {machine['threads']} threads"],
        ["minicnn", f"{report['minicnn']}, Python {machine['python']}"],
    ]


def curves_text(report: dict[str, Any]) -> str:
    """Return the curves in words, for readers who cannot see them."""
    history = report["history"]
    return (
        f"Loss and accuracy by epoch: training accuracy ends at {history['accuracy'][-1]:.1%}, "
        f"validation accuracy at {history['val_accuracy'][-1]:.1%}"
    )
