"""Everything that a finished run leaves in its folder: tables, pictures, report.json and .html."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from minicnn.apps.runs import gallery
from minicnn.apps.runs.experiment import Outcome
from minicnn.apps.runs.folder import RunFolder
from minicnn.apps.runs.gallery import Card
from minicnn.apps.runs.load_images import Part
from minicnn.apps.runs.predictions import Answers, ClassRow, per_class
from minicnn.apps.runs.recipe import Recipe
from minicnn.apps.runs.report_html import MAX_MISTAKES, as_page
from minicnn.apps.runs.report_json import measured
from minicnn.data.image_writing import save_img
from minicnn.explain import confusion_figure
from minicnn.support.atomic_files import write_text
from minicnn.support.csv_files import write_csv
from minicnn.support.plots import plot_history, save_figure

RANDOM = 10  # images, as the paper shows
MAX_NAME = 25  # letters of a class in a file's name, which has room for two of them


def write_report(folder: RunFolder, outcome: Outcome, recipe: Recipe | None, command: str) -> Any:
    """Write all of it; report.json comes last and says that the run is complete."""
    answers, part = outcome.answers, outcome.part
    report = measured(outcome, recipe, command)
    write_tables(folder.path, answers, part)
    worst = gallery.cards(part.images, part.files, answers, answers.mistakes[:MAX_MISTAKES])
    some = gallery.cards(part.images, part.files, answers, answers.some(RANDOM))
    write_mistakes(folder.path / "mistakes", worst)
    if gallery.drawable():
        draw(folder.path, outcome.history, answers, worst, some)
    html = as_page(folder.path, report, outcome.settings, answers, worst, some, recipe)
    write_text(folder.path / "report.html", html)
    write_text(folder.report, json.dumps(report, indent=1) + "\n")
    return report


def write_tables(folder: Path, answers: Answers, part: Part) -> None:
    """confusion.csv, per_class.csv, predictions.csv and mistakes.csv."""
    names = answers.names
    rows = [[name, *row] for name, row in zip(names, answers.confusion.tolist(), strict=True)]
    write_csv(folder / "confusion.csv", ["is", *names], rows)
    write_csv(folder / "per_class.csv", ClassRow._fields, per_class(answers))
    everything = range(len(answers.labels))
    head = ["path", "label", "truth", "probability"]
    write_csv(folder / "predictions.csv", head, answer_rows(answers, part, everything))
    write_csv(folder / "mistakes.csv", head, answer_rows(answers, part, answers.mistakes))


def answer_rows(answers: Answers, part: Part, numbers: Iterable[int]) -> list[list[Any]]:
    """A row an image: file, what the network says, what it is, how sure the network is."""
    return [
        [
            part.files[i] if part.files else f"image {i}",
            answers.names[answers.predictions[i]],
            answers.names[answers.labels[i]],
            f"{answers.confidence[i]:.6f}",
        ]
        for i in numbers
    ]


def write_mistakes(folder: Path, worst: Sequence[Card]) -> None:
    """The worst mistakes as pictures, as the network saw them; their names say what happened."""
    folder.mkdir(exist_ok=True)
    for old in folder.glob("[0-9][0-9]-*.png"):
        old.unlink()
    for number, card in enumerate(worst, 1):
        truth, says = card.truth[:MAX_NAME], card.says[:MAX_NAME]
        name = re.sub(r"[^\w.-]+", "_", f"{number:02d}-{truth}-called-{says}-{card.sure:.2f}")
        save_img(folder / f"{name}.png", card.image, scale=False)


def draw(
    folder: Path,
    history: dict[str, list[float]],
    answers: Answers,
    worst: Sequence[Card],
    some: Sequence[Card],
) -> None:
    """The four pictures."""
    epochs = range(len(history["loss"]))
    plot_history(history, list(epochs), folder / "curves.png")
    save_figure(confusion_figure(answers.confusion, answers.names), folder / "confusion.png")
    count = len(answers.labels)
    some_of = f"The {len(worst)} worst of" if len(worst) < answers.wrong else "All"
    title = f"{some_of} {answers.wrong} mistakes on {count:,} test images"
    save_figure(gallery.gallery_figure(worst, title), folder / "mistakes.png")
    title = f"{len(some)} test images drawn at random"
    save_figure(gallery.gallery_figure(some, title), folder / "random.png")
