"""`minicnn test`: test a model on images whose class is known."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from minicnn.apps.cli import options, output
from minicnn.apps.cli.command import cli_command
from minicnn.apps.cli.model_file import Classifier, load_classifier
from minicnn.apps.cli.robustness import RobustnessResult, measure_robustness, plan_robustness
from minicnn.apps.cli.run_command import check_goal, class_table
from minicnn.apps.runs import calibration_page
from minicnn.apps.runs.calibrating import HEADINGS, CalibrationCheck, check_of
from minicnn.apps.runs.folder import RunFolder
from minicnn.apps.runs.image_splits import Split
from minicnn.apps.runs.load_images import load_test_folder, load_test_images
from minicnn.apps.runs.predictions import Predictions, evaluate, per_class
from minicnn.apps.runs.report import prediction_rows
from minicnn.apps.runs.report_html import evaluation_page
from minicnn.apps.runs.settings import from_toml
from minicnn.data.unreadable import ALLOWED_SHARE
from minicnn.support.atomic_files import write_text

WORST = 5  # mistakes that the terminal shows


@cli_command(
    "minicnn test runs/scene-1 scenes/test",
    "minicnn test best.mcnn photos --report out.html",
    "minicnn test runs/scene-2 --robustness --compare runs/scene-1",
)
@click.argument("model", type=options.PATH)
@click.argument("directory", type=options.PATH, required=False)
@click.option(
    "--report",
    type=options.FILE,
    help="Write an HTML page with the results and the worst mistakes.",
)
@click.option(
    "--robustness",
    is_flag=True,
    help="Also test on images that are shifted, rotated, blurred, ... more and more.",
)
@click.option(
    "--compare",
    type=options.PATH,
    multiple=True,
    help="With --robustness: another model to draw beside this one; may be given several times.",
)
@click.option(
    "--out",
    type=options.FOLDER,
    help="With --robustness: folder for its files; default: the run folder, else that of --report, "
    "else the current one.",
)
@options.force()
@options.allow_unreadable()
@options.fail_under()
@options.as_json()
def command(
    model: Path,
    directory: Path | None,
    report: Path | None,
    robustness: bool,
    compare: Sequence[Path],
    out: Path | None,
    force: bool,
    allow_unreadable: float | None,
    fail_under: float | None,
    as_json: bool,
) -> None:
    """Test MODEL on the images in DIRECTORY: accuracy, scores per class and worst mistakes.

    MODEL is a .mcnn file or a run folder, whose best model is used. DIRECTORY has one folder of
    images per class, or a folder test/ that has them; a run folder's own test images are used if it
    is left out.
    """
    output.check_target(report, force=force)
    if not robustness and (compare or out):
        raise click.UsageError("--compare and --out belong to --robustness, which is not given")
    plan = plan_robustness(model, report, out, compare, force=force) if robustness else None
    classifier = load_classifier(model)
    split = images_to_test(model, directory, classifier, allow_unreadable)
    start = time.perf_counter()
    network, preprocess, names = classifier
    predictions, loss = evaluate(network, preprocess, split, names)
    seconds = time.perf_counter() - start
    check = check_of(network, predictions)
    changed = None if plan is None else measure_robustness(plan, classifier, split, directory)
    if report is not None:
        title = model.name if directory is None else f"{model.name} on {directory.name}"
        trust = calibration_page.test_section(None if check is None else check.as_fields())
        more = [trust, *([] if changed is None else [changed.section])]
        write_text(report, evaluation_page(title, predictions, split, loss, seconds, more))
        output.note(f"Written: {report}")
    show(predictions, split, loss, seconds, check, changed, as_json=as_json)
    check_goal(predictions.accuracy, fail_under, "images")


def images_to_test(
    model: Path, directory: Path | None, classifier: Classifier, allow_unreadable: float | None
) -> Split:
    """Load the images of the directory or, without one, the test images of the run folder."""
    _, preprocess, names = classifier
    config = RunFolder(model).config
    if directory is not None:
        share = ALLOWED_SHARE if allow_unreadable is None else allow_unreadable
        split, skipped = load_test_folder(directory, preprocess, names, output.note, share)
    elif config.exists():
        settings = from_toml(config).changed(allow_unreadable=allow_unreadable)
        split, skipped = load_test_images(settings, preprocess, names, output.note)
    else:
        raise click.UsageError(
            f"{model} is not a run folder, whose test images are known. Name the images: "
            f"minicnn test {model} DIRECTORY"
        )
    for path, reason in skipped:
        output.warn(f"{path} cannot be read ({reason}) and is left out")
    return split


def show(
    predictions: Predictions,
    split: Split,
    loss: float,
    seconds: float,
    check: CalibrationCheck | None,
    changed: RobustnessResult | None,
    *,
    as_json: bool,
) -> None:
    """Print the result as text or as one JSON object."""
    if as_json:
        more = {} if changed is None else changed.as_fields()
        if check is not None:
            more["calibration"] = check.as_fields()
        output.print_json(**as_object(predictions, loss, seconds), **more)
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
    if check is not None:
        output.result(f"{check.as_text()}\n")
        output.result(output.table(HEADINGS, [row.cells for row in check.rows]))
    if changed is not None:
        output.result(changed.as_text())


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
