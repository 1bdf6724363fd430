"""Everything that a finished run leaves in its folder: tables, pictures, report.json and .html."""

from __future__ import annotations

import csv
import io
import json
import os
import platform
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from minicnn import config
from minicnn.apps.recipes.recipe import Recipe
from minicnn.apps.runs import page, pictures
from minicnn.apps.runs.answers import Answers, ClassRow, per_class
from minicnn.apps.runs.folder import RunFolder
from minicnn.apps.runs.job import Outcome
from minicnn.apps.runs.pictures import Card
from minicnn.apps.runs.settings import Settings, to_toml
from minicnn.apps.runs.sources import Part
from minicnn.atomic import write_atomically
from minicnn.backends import current_backend, instruction_set
from minicnn.explain import confusion_figure
from minicnn.plots import plot_history
from minicnn.version import __version__

SCHEMA = 1
MOST_MISTAKES = 24  # in the gallery and in mistakes/
RANDOM = 10


def write_report(folder: RunFolder, outcome: Outcome, recipe: Recipe | None, command: str) -> Any:
    """Write all of it; report.json comes last and says that the run is complete."""
    answers, part = outcome.answers, outcome.part
    report = measured(outcome, recipe, command)
    write_tables(folder.path, answers, part)
    worst = pictures.cards(part.images, part.files, answers, answers.mistakes[:MOST_MISTAKES])
    some = pictures.cards(part.images, part.files, answers, answers.some(RANDOM))
    write_mistakes(folder.path / "mistakes", worst)
    if pictures.drawable():
        draw(folder.path, outcome.history, answers, worst, some)
    html = as_page(folder.path, report, outcome.settings, answers, worst, some, recipe)
    write_atomically(folder.path / "report.html", [html.encode()])
    write_atomically(folder.report, [(json.dumps(report, indent=1) + "\n").encode()])
    return report


def measured(outcome: Outcome, recipe: Recipe | None, command: str) -> dict[str, Any]:
    """report.json: numbers for programs, and nothing that only this machine could know."""
    answers, images, history = outcome.answers, outcome.images, outcome.history
    settings = outcome.settings
    report: dict[str, Any] = {
        "schema": SCHEMA,
        "name": settings.title,
        "command": command,
        "minicnn": __version__,
        "machine": machine(),
        "data": {
            "name": Path(settings.data).name or f"{settings.model}'s own",
            "classes": images.class_names,
            "train": images.train.total,
            "validation": images.validation.total,
            "test": len(images.test),
            "validation_is_test": images.shared,
            "skipped": [list(pair) for pair in images.skipped],
        },
        "settings": to_toml(settings.changed(data=Path(settings.data).name)),
        "parameters": outcome.model.count_params(),
        "epochs": len(history.get("loss", [])),
        "best_epoch": outcome.best_epoch,
        "best_val_accuracy": max(history["val_accuracy"]),
        "last_val_accuracy": history["val_accuracy"][-1],
        "test": {
            "images": len(answers.labels),
            "wrong": answers.wrong,
            "accuracy": answers.accuracy,
            "loss": outcome.loss,
        },
        "seconds": {name: round(value, 3) for name, value in outcome.seconds.items()},
        "per_class": [row.as_dict() for row in per_class(answers)],
        "confusion": answers.confusion.tolist(),
        "history": history,
    }
    if recipe is not None:
        report["paper"] = [list(row) for row in beside_paper(recipe, report)]
    return report


def machine() -> dict[str, Any]:
    """What the times depend on."""
    return {
        "processor": processor(),
        "system": platform.system(),
        "python": platform.python_version(),
        "backend": current_backend(),
        "isa": instruction_set(),
        "threads": config.get_threads(),
        "processors": os.cpu_count(),
    }


def processor() -> str:
    """The processor's name, as the system tells it."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor() or platform.machine()
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1] if found else platform.machine()


def beside_paper(recipe: Recipe, report: dict[str, Any]) -> list[tuple[str, str, str]]:
    """The table "paper / here"; what was not measured here is "-"."""
    here = here_texts(report)
    return [(said.what, said.paper, here.get(said.here, "-")) for said in recipe.said]


def here_texts(report: dict[str, Any]) -> dict[str, str]:
    """What a recipe's lines can be compared with, in words."""
    test, seconds = report["test"], report["seconds"]
    return {
        "accuracy": f"{test['accuracy']:.2%}",
        "last": f"{report['last_val_accuracy']:.2%}",
        "loss": f"{test['loss']:.4f}",
        "wrong": f"{test['wrong']:,} of {test['images']:,}",
        "parameters": f"{report['parameters']:,}",
        "epochs": f"{report['epochs']}, the best was {report['best_epoch']}",
        "training": duration(seconds["training"]),
        "classifying": f"{test['images']:,} images in {seconds['classifying']:.2f} s, "
        f"{1000 * seconds['classifying'] / max(1, test['images']):.2f} ms each",
        "images": f"{report['data']['train']:,} / {report['data']['validation']:,} / "
        f"{test['images']:,}",
        "classes": ", ".join(report["data"]["classes"]),
    }


def duration(seconds: float) -> str:
    """As people say it.

    >>> duration(43.2), duration(300), duration(7300)
    ('43 s', '5.0 minutes', '2.0 hours')
    """
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} minutes" if seconds < 7200 else f"{seconds / 3600:.1f} hours"


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


def write_csv(path: Path, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """A table as a file, whole or not at all."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    write_atomically(path, [text.getvalue().encode()])


def write_mistakes(folder: Path, worst: Sequence[Card]) -> None:
    """The worst mistakes as pictures, as the network saw them; their names say what happened."""
    folder.mkdir(exist_ok=True)
    for old in folder.glob("[0-9][0-9]-*.png"):
        old.unlink()
    for number, card in enumerate(worst, 1):
        words = f"{number:02d}-{card.truth}-called-{card.says}-{card.sure:.2f}"
        name = re.sub(r"[^\w.-]+", "_", words)
        pictures.as_image(card.image).save(folder / f"{name}.png")


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
    confusion_figure(answers.confusion, answers.names).savefig(folder / "confusion.png")
    count = len(answers.labels)
    title = f"The {len(worst)} worst of {answers.wrong} mistakes on {count:,} test images"
    pictures.gallery_figure(worst, title).savefig(folder / "mistakes.png")
    title = f"{len(some)} test images drawn at random"
    pictures.gallery_figure(some, title).savefig(folder / "random.png")


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
    here = here_texts(report)
    title = recipe.title if recipe else f"{settings.model} on {report['data']['name']}"
    notes = [*(recipe.notes if recipe else ()), *own_notes(report)]
    return page.page(
        title,
        [
            f"<h1>{page.escape(title)}</h1>",
            page.lead(recipe.paper) if recipe else "",
            *map(page.note, notes),
            page.figures(
                [
                    (here["accuracy"], f"right; {here['wrong']} test images wrong"),
                    (here["training"], f"training, {report['epochs']} epochs"),
                    (here["parameters"], "parameters"),
                    (here["images"], "images to train, validate, test"),
                ]
            ),
            page.section("Paper and here", paper_table(report)),
            page.section("Curves", page.picture(folder / "curves.png", curves_words(report))),
            page.section("Classes", class_table(answers)),
            page.section("What is taken for what", confusion_table(answers)),
            mistakes_section(answers, worst),
            page.section(f"{len(some)} images drawn at random", page.gallery(some)),
            page.section("How it was made", page.plain(f"$ {report['command']}\n\n"
                                                       f"{report['settings']}"),
                         machine_table(report)),
        ],
    )  # fmt: skip


def test_page(title: str, answers: Answers, part: Part, loss: float, seconds: float) -> str:
    """The page of `minicnn test --report`."""
    count = part.total
    worst = pictures.cards(part.images, part.files, answers, answers.mistakes[:MOST_MISTAKES])
    numbers = [
        (f"{answers.accuracy:.2%}", f"right; {answers.wrong:,} of {count:,} images wrong"),
        (f"{loss:.4f}", "loss"),
        (f"{1000 * seconds / max(1, count):.2f} ms", "an image"),
    ]
    return page.page(
        title,
        [
            f"<h1>{page.escape(title)}</h1>",
            page.figures(numbers),
            page.section("Classes", class_table(answers)),
            page.section("What is taken for what", confusion_table(answers)),
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
        [name, *(page.shade(int(n), i == j, n / (confusion[i].sum() or 1), off[i, j] / most)
                 for j, n in enumerate(confusion[i]))]
        for i, name in enumerate(names)
    ]  # fmt: skip
    return page.table(["is / called", *names], rows, range(1, len(names) + 1))


def mistakes_section(answers: Answers, worst: Sequence[Card]) -> str:
    """The gallery of the worst mistakes."""
    shown = f"{len(worst)} of {answers.wrong}" if len(worst) < answers.wrong else str(len(worst))
    return page.section(f"The worst mistakes: {shown}", page.gallery(worst))


def own_notes(report: dict[str, Any]) -> list[str]:
    """What must be said about any run's figures."""
    notes = []
    if report["data"]["validation_is_test"]:
        notes.append(
            "The test images were looked at after every epoch, and the model is that of the epoch "
            f"that did best on them ({report['best_epoch']}), so the figure is a little kind. The "
            f"last epoch's accuracy is {report['last_val_accuracy']:.2%}."
        )
    if skipped := report["data"]["skipped"]:
        notes.append(f"{len(skipped)} files could not be read and were left out; "
                     "report.json names them.")  # fmt: skip
    return notes


def paper_table(report: dict[str, Any]) -> str:
    """What the paper says, beside what was measured; nothing without a paper."""
    rows = report.get("paper")
    return page.table(["", "paper", "here"], rows) if rows else ""


def class_table(answers: Answers) -> str:
    """A row a class."""
    head = ["class", "images", "right", "recall", "precision", "F1", "most often taken for"]
    rows = [
        [r.name, f"{r.images:,}", f"{r.right:,}", page.bar(r.recall), f"{r.precision:.1%}",
         f"{r.f1:.3f}", r.taken_for]
        for r in per_class(answers)
    ]  # fmt: skip
    return page.table(head, rows, numbers=(1, 2, 4, 5))


def machine_table(report: dict[str, Any]) -> str:
    """Where the times come from."""
    machine = report["machine"]
    engine = f"{machine['backend']} {machine['isa']}".strip()
    return page.table(
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
