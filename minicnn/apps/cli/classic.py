"""`minicnn classic`: test methods that use no network on the same images."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from minicnn import classic
from minicnn.apps.cli import options, output
from minicnn.apps.cli.command import cli_command
from minicnn.apps.cli.model_file import load_classifier
from minicnn.apps.cli.options import typed
from minicnn.apps.runs.folder import RunFolder
from minicnn.apps.runs.load_images import load_in_memory
from minicnn.apps.runs.predictions import evaluate
from minicnn.apps.runs.settings import Settings, from_toml
from minicnn.classic.compare import HEADINGS
from minicnn.data.preprocess import Preprocess
from minicnn.errors import ArgumentError, FormatError
from minicnn.support.csv_files import write_csv
from minicnn.support.files import read_text

SIDE = 64  # pixels: hog and lbp hardly gain from more, which take longer
SAME = ("data", "seed", "split", "classes")  # settings that decide which images are test images


@cli_command("minicnn classic --run runs/photo-1", "minicnn classic --data photos --features hog")
@click.option(
    "--run",
    "runs",
    multiple=True,
    metavar="DIR",
    type=options.FOLDER,
    help="Run folder whose network is compared; can be repeated.",
)
@options.data()
@options.image_size(
    16,
    default=(SIDE, SIDE),
    show_default=True,
    help="Size of the images for the features, in pixels.",
)
@click.option(
    "--features",
    "kinds",
    multiple=True,
    default=("hog", "lbp", "hog+lbp"),
    show_default=True,
    help=f"One of {', '.join(classic.FEATURES)}, or several, hog+lbp; can be repeated.",
)
@click.option(
    "--classifier",
    "names",
    multiple=True,
    default=tuple(classic.CLASSIFIERS),
    type=click.Choice(list(classic.CLASSIFIERS)),
    show_default=True,
    help="Method to compare; can be repeated.",
)
@click.option("--csv", "csv_path", type=options.FILE, help="Also write the table to a file.")
@options.allow_unreadable()
@options.force()
@options.as_json(help="Print the table as one JSON object.")
@options.seed(help="Seed of the split and of the trees.")
def command(runs: tuple[Path, ...], data: Path | None, image_size: tuple[int, int],
            kinds: tuple[str, ...], names: tuple[str, ...], csv_path: Path | None, force: bool,
            allow_unreadable: float | None, as_json: bool, seed: int | None) -> None:  # fmt: skip
    """Classify images by hand-made features, and compare with networks on the same test images.

    Features: histograms of oriented gradients (hog), local binary patterns (lbp), colors.
    Classifiers: support vector machine, logistic regression, random forest, decision tree. Like
    networks, they learn from the training split only.
    """
    output.check_target(csv_path, force=force)
    settings = image_settings(runs, data, seed).changed(allow_unreadable=allow_unreadable)
    networks = [network_row(RunFolder(path)) for path in runs]
    images = load_in_memory(settings, Preprocess(image_size), output.note)
    for kind in kinds:
        typed("--features", classic.check_features, kind)
    rows = classic.compare(
        (images.train.images, images.train.labels),
        (images.test.images, images.test.labels),
        kinds,
        names,
        seed=settings.seed,
        say=output.note,
    )
    rows += networks
    cells = classic.table(rows)
    if csv_path is not None:
        write_csv(csv_path, HEADINGS, cells)
    if as_json:
        best_first = sorted(rows, key=lambda row: -row.accuracy)
        output.print_json(rows=[{**r._asdict(), "accuracy": r.accuracy} for r in best_first])
    else:
        output.result(output.table(HEADINGS, cells))


def image_settings(runs: tuple[Path, ...], data: Path | None, seed: int | None) -> Settings:
    """Return the settings that choose and split the images: those of the runs, or of --data."""
    given = {"seed": seed, "data": None if data is None else str(data.resolve())}
    if not runs:
        if data is None:
            raise click.UsageError("give the images with --data DIR or --run DIR")
        return Settings(model="photo", data=str(data.resolve())).changed(seed=seed)
    first, *others = (from_toml(RunFolder(path).config) for path in runs)
    asked = {name: value for name, value in given.items() if value is not None}
    for other in [*others, first.changed(**asked)]:
        for name in SAME:
            if getattr(other, name) != getattr(first, name):
                raise ArgumentError(
                    f"{name} is {getattr(first, name)!r} in {runs[0]} and {getattr(other, name)!r} "
                    "elsewhere; a comparison needs the same test images for all methods"
                )
    return first


def network_row(run: RunFolder) -> classic.Row:
    """Test a trained network on its run's test images."""
    model, preprocess, names = load_classifier(run.path)
    images = load_in_memory(from_toml(run.config), preprocess, output.note)
    seconds = training_seconds(run) if run.is_complete else None
    test = images.test

    def predict(pixels: Any) -> Any:
        return evaluate(model, preprocess, test._replace(images=pixels), names)[0].probabilities

    return classic.network_row(run.path.name, predict, (test.images, test.labels), seconds)


def training_seconds(run: RunFolder) -> float:
    """Return a run's training time from its report.json."""
    text = read_text(run.report)
    try:
        return float(json.loads(text)["seconds"]["training"])
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise FormatError(
            run.report, f"has no training time, seconds.training ({type(error).__name__})"
        ) from error
