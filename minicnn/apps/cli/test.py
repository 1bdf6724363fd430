"""`minicnn test`: how good is a model on images whose class is known?"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from minicnn.apps.cli import options, output
from minicnn.apps.cli.command import verb
from minicnn.apps.cli.exit_codes import GoalNotReached
from minicnn.apps.cli.model_file import load_classifier
from minicnn.apps.cli.run_command import class_lines
from minicnn.apps.runs.experiment import classify
from minicnn.apps.runs.load_images import Part, load_test_part
from minicnn.apps.runs.predictions import Answers, per_class
from minicnn.apps.runs.report import answer_rows
from minicnn.apps.runs.report_html import test_page
from minicnn.data.unreadable import ALLOWED_SHARE
from minicnn.support.atomic_files import write_text

WORST = 5  # mistakes in the terminal


@verb("minicnn test runs/scene-1 scenes/test", "minicnn test best.mcnn photos --report out.html")
@click.argument("model", type=options.PATH)
@click.argument("directory", type=options.PATH)
@click.option(
    "--report",
    type=options.FILE,
    help="Write a page that stands alone, with the worst mistakes.",
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
    """Accuracy of MODEL on the images in DIRECTORY, per class, and its worst mistakes.

    MODEL is a .mcnn file or a run folder, whose best model is taken. DIRECTORY has one folder of
    images a class, or a test/ part that has.
    """
    output.check_target(report, force=force)
    network, preprocess, names = load_classifier(model)
    share = ALLOWED_SHARE if allow_unreadable is None else allow_unreadable
    part, skipped = load_test_part(directory, preprocess, names, output.note, share)
    for path, reason in skipped:
        output.warn(f"{path} cannot be read ({reason}); left out")
    start = time.perf_counter()
    answers, loss = classify(network, preprocess, part, names)
    seconds = time.perf_counter() - start
    if report is not None:
        title = f"{model.name} on {directory.name}"
        write_text(report, test_page(title, answers, part, loss, seconds))
        output.note(f"Written: {report}")
    tell(answers, part, loss, seconds, as_json=as_json)
    if fail_under is not None and answers.accuracy < fail_under:
        raise GoalNotReached(
            f"{answers.accuracy:.2%} of the images are right, wanted are {fail_under:.2%}"
        )


def tell(answers: Answers, part: Part, loss: float, seconds: float, *, as_json: bool) -> None:
    """The result for people, or for programs."""
    if as_json:
        output.print_json(**as_object(answers, part, loss, seconds))
        return
    output.result(class_lines(answers) + "\n")
    if answers.wrong:
        head = ["the worst mistakes", "called", "is", "probability"]
        output.result(output.table(head, answer_rows(answers, part, answers.mistakes[:WORST])))
        output.result("")
    output.result(
        f"{answers.accuracy:.2%} right: {answers.wrong:,} of {part.total:,} images wrong, loss "
        f"{loss:.4f}, {1000 * seconds / max(1, part.total):.2f} ms an image"
    )


def as_object(answers: Answers, part: Part, loss: float, seconds: float) -> dict[str, Any]:
    """The same for programs."""
    return {
        "images": part.total,
        "wrong": answers.wrong,
        "accuracy": answers.accuracy,
        "loss": loss,
        "seconds": seconds,
        "per_class": [row.as_dict() for row in per_class(answers)],
        "confusion": answers.confusion,
        "class_names": answers.names,
    }
