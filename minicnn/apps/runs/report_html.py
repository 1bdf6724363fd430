"""What stands on the page of a run, and on that of `minicnn test --report`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from minicnn.apps.runs import gallery, html
from minicnn.apps.runs.gallery import Card
from minicnn.apps.runs.load_images import Part
from minicnn.apps.runs.predictions import Answers, per_class
from minicnn.apps.runs.recipe import Recipe
from minicnn.apps.runs.report_json import here_texts
from minicnn.apps.runs.settings import Settings

MAX_MISTAKES = 24  # in the gallery and in mistakes/


def as_page(
    folder: Path,
    report: dict[str, Any],
    settings: Settings,
    answers: Answers,
    worst: Sequence[Card],
    some: Sequence[Card],
    recipe: Recipe | None,
) -> str:
    """report.html."""
    here, tested = here_texts(report), report["test"]["images"]
    title = title_of(recipe, settings, report)
    notes = [*(recipe.notes if recipe else ()), *own_notes(report, settings)]
    return html.page(
        title,
        [
            f"<h1>{html.escape(title)}</h1>",
            html.lead(recipe.paper) if recipe else "",
            *map(html.note, notes),
            html.figures(
                [
                    (here["accuracy"], f"right; {here['wrong']} test images wrong"),
                    (here["training"], f"training, {report['epochs']} epochs"),
                    (here["parameters"], "parameters"),
                    (f"{report['data']['train']:,}", f"images to train, {tested:,} to test"),
                ]
            ),
            html.section("Paper and here", paper_table(report)),
            html.section("Curves", html.picture(folder / "curves.png", curves_words(report))),
            html.section("Classes", class_table(answers)),
            html.section("What is taken for what", confusion_table(answers)),
            mistakes_section(answers, worst),
            html.section(f"{len(some)} images drawn at random", html.gallery(some)),
            html.section("How it was made", html.plain(f"$ {report['command']}\n\n"
                                                       f"{report['settings']}"),
                         machine_table(report)),
        ],
    )  # fmt: skip


def test_page(title: str, answers: Answers, part: Part, loss: float, seconds: float) -> str:
    """The page of `minicnn test --report`."""
    count = part.total
    worst = gallery.cards(part.images, part.files, answers, answers.mistakes[:MAX_MISTAKES])
    numbers = [
        (f"{answers.accuracy:.2%}", f"right; {answers.wrong:,} of {count:,} images wrong"),
        (f"{loss:.4f}", "loss"),
        (f"{1000 * seconds / max(1, count):.2f} ms", "an image"),
    ]
    return html.page(
        title,
        [
            f"<h1>{html.escape(title)}</h1>",
            html.figures(numbers),
            html.section("Classes", class_table(answers)),
            html.section("What is taken for what", confusion_table(answers)),
            mistakes_section(answers, worst),
        ],
    )


def confusion_table(answers: Answers) -> str:
    """The confusion matrix: rows are what the images are, columns what they were called."""
    names, confusion = answers.names, answers.confusion
    off = confusion.copy()
    off[range(len(names)), range(len(names))] = 0
    most = max(1, int(off.max()))
    rows = [
        [name, *(html.shade(int(n), i == j, n / (confusion[i].sum() or 1), off[i, j] / most)
                 for j, n in enumerate(confusion[i]))]
        for i, name in enumerate(names)
    ]  # fmt: skip
    return html.table(["is / called", *names], rows, range(1, len(names) + 1))


def mistakes_section(answers: Answers, worst: Sequence[Card]) -> str:
    """The gallery of the worst mistakes."""
    shown = f"{len(worst)} of {answers.wrong}" if len(worst) < answers.wrong else str(len(worst))
    return html.section(f"The worst mistakes: {shown}", html.gallery(worst))


def title_of(recipe: Recipe | None, settings: Settings, report: dict[str, Any]) -> str:
    """What the run was about."""
    if recipe is None:
        return f"{settings.model} on {report['data']['name']}"
    printed = recipe.printed is not None and recipe.printed.name == settings.name
    return f"{recipe.title}, trained as printed" if printed else recipe.title


def own_notes(report: dict[str, Any], settings: Settings) -> list[str]:
    """What must be said about any run's figures."""
    notes = []
    shear = settings.augmentation.get("shear_range", 0)
    if 0 < shear < 1:
        notes.append(
            f"shear_range={shear:g} means {shear:g} degrees, as in Keras, and so does almost "
            f"nothing; {shear:g} radians would be {math.degrees(shear):.1f}."
        )
    if report["data"]["validation_is_test"]:
        notes.append(
            "The test images were looked at after every epoch, and the model is that of the epoch "
            f"that did best on them ({report['best_epoch']}), so the figure is a little kind. The "
            f"last epoch's accuracy is {report['last_val_accuracy']:.2%}."
        )
    if repeated := report["data"]["test_images_trained_on"]:
        tested = f"{report['test']['images']:,} test images"
        note = f"{repeated} of the {tested} are training images, too."
        if (accuracy := report["test"]["accuracy_of_new_images"]) is not None:
            note += f" Of the others {accuracy:.2%} are right."
        notes.append(note)
    if skipped := report["data"]["skipped"]:
        notes.append(f"{len(skipped)} files could not be read and were left out; "
                     "report.json names them.")  # fmt: skip
    return notes


def paper_table(report: dict[str, Any]) -> str:
    """What the paper says, beside what was measured; nothing without a paper."""
    rows = report.get("paper")
    return html.table(["", "paper", "here"], rows) if rows else ""


def class_table(answers: Answers) -> str:
    """A row a class."""
    head = ["class", "images", "right", "recall", "precision", "F1", "most often taken for"]
    rows = [
        [r.name, f"{r.images:,}", f"{r.right:,}", html.bar(r.recall), f"{r.precision:.1%}",
         f"{r.f1:.3f}", r.taken_for]
        for r in per_class(answers)
    ]  # fmt: skip
    return html.table(head, rows, numbers=(1, 2, 4, 5))


def machine_table(report: dict[str, Any]) -> str:
    """Where the times come from."""
    machine = report["machine"]
    engine = f"{machine['backend']} {machine['isa']}".strip()
    return html.table(
        ["", ""],
        [
            ["processor", machine["processor"]],
            ["engine", f"{engine}, {machine['threads']} threads"],
            ["minicnn", f"{report['minicnn']}, Python {machine['python']}"],
            ["classifying", here_texts(report)["classifying"]],
        ],
    )


def curves_words(report: dict[str, Any]) -> str:
    """The curves for those who cannot see them."""
    history = report["history"]
    return (
        f"Loss and accuracy by epoch: training accuracy ends at {history['accuracy'][-1]:.1%}, "
        f"validation accuracy at {history['val_accuracy'][-1]:.1%}"
    )
