"""`minicnn test`: test a model on images whose class is known."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from minicnn.apps.cli import options, output
from minicnn.apps.cli.command import cli_command
from minicnn.apps.cli.model_file import load_classifier
from minicnn.apps.cli.run_command import check_goal, class_table
from minicnn.apps.runs.load_images import Split, load_test_split
from minicnn.apps.runs.predictions import Predictions, evaluate, per_class
from minicnn.apps.runs.report import prediction_rows
from minicnn.apps.runs.report_html import evaluation_page
from minicnn.data.unreadable import ALLOWED_SHARE
from minicnn.support.atomic_files import write_text

WORST = 5  # mistakes that the terminal shows


@cli_command(
    "minicnn test runs/scene-1 scenes/test", "minicnn test best.mcnn photos --report out.html"
)
@click.argument("model", type=options.PATH)
@click.argument("directory", type=options.PATH)
@click.option(
    "--report",
    type=options.FILE,
    help="Write an HTML page with the results and the worst mistakes.",
)
@options.force()
@options.allow_unreadable()
@options.fail_under()
@options.as_json()
def command(
    model: Path,
    directory: Path,
    report: Path | None,
    force: bool,
    allow_unreadable: float | None,
    fail_under: float | None,
    as_json: bool,
) -> None:
    """Test MODEL on the images in DIRECTORY: accuracy, scores per class and worst mistakes.

    MODEL is a .mcnn file or a run folder, whose best model is used. DIRECTORY has one folder of
    images per class, or a folder test/ that has them.
    """
    output.check_target(report, force=force)
    network, preprocess, names = load_classifier(model)
    share = ALLOWED_SHARE if allow_unreadable is None else allow_unreadable
    split, skipped = load_test_split(directory, preprocess, names, output.note, share)
    for path, reason in skipped:
        output.warn(f"{path} cannot be read ({reason}) and is left out")
    start = time.perf_counter()
    predictions, loss = evaluate(network, preprocess, split, names)
    seconds = time.perf_counter() - start
    if report is not None:
        title = f"{model.name} on {directory.name}"
        write_text(report, evaluation_page(title, predictions, split, loss, seconds))
        output.note(f"Written: {report}")
    show(predictions, split, loss, seconds, as_json=as_json)
    check_goal(predictions.accuracy, fail_under, "images")


def show(
    predictions: Predictions, split: Split, loss: float, seconds: float, *, as_json: bool
) -> None:
    """Print the result as text or as one JSON object."""
    if as_json:
        output.print_json(**as_object(predictions, loss, seconds))
        return
    output.result(class_table(predictions) + "\n")
    if predictions.wrong:
        headings = ["the worst mistakes", "predicted", "is", "probability"]
        rows = prediction_rows(predictions, split, predictions.mistakes[:WORST])
        output.result(output.table(headings, rows) + "\n")
    output.result(
        f"{predictions.accuracy:.2%} right: {predictions.wrong:,} of {split.total:,} images wrong, "
        f"loss {loss:.4f}, {1000 * seconds / max(1, split.total):.2f} ms per image"
    )


def as_object(predictions: Predictions, loss: float, seconds: float) -> dict[str, Any]:
    """Return the fields of the JSON object."""
    return {
        "images": len(predictions.labels),
        "wrong": predictions.wrong,
        "accuracy": predictions.accuracy,
        "loss": loss,
        "seconds": seconds,
        "per_class": [row._asdict() for row in per_class(predictions)],
        "confusion": predictions.confusion,
        "class_names": predictions.class_names,
    }
