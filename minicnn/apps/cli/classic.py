"""`minicnn classic`: compare methods that use no network with networks, on the same images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from minicnn import classic
from minicnn.apps.cli import options, output
from minicnn.apps.cli.command import cli_command
from minicnn.apps.cli.model_file import load_classifier
from minicnn.apps.cli.options import typed
from minicnn.apps.comparison.compare import compare_all
from minicnn.apps.comparison.image_sets import image_sets
from minicnn.apps.comparison.networks import NAMES, TrainedNetwork, training_seconds
from minicnn.apps.comparison.one_set import ComparisonPlan
from minicnn.apps.comparison.results import SetResults
from minicnn.apps.comparison.tables import (
    CSV_HEADINGS,
    Table,
    accuracy_table,
    csv_rows,
    precision_table,
)
from minicnn.apps.runs.folder import RunFolder
from minicnn.classic.compare import HEADINGS, KINDS
from minicnn.support.csv_files import write_csv

SIDE = 128  # pixels: of more, hand-made features gain little, and they take longer


@cli_command(
    "minicnn classic --data photos",
    "minicnn classic --run runs/photo-1 --features hog",
    "minicnn classic --data photos --data scenes --network auto --out comparison",
)
@click.option(
    "--run",
    "runs",
    multiple=True,
    metavar="DIR",
    type=options.FOLDER,
    help="Run folder whose network is compared on its images; can be repeated.",
)
@options.data(
    multiple=True,
    help="Folder of images, MNIST's or CIFAR-10's files; can be repeated.",
)
@click.option(
    "--images",
    type=click.IntRange(1),
    metavar="N",
    help="Use N training images of each set, class by class, and the same share of the others.",
)
@options.image_size(
    16,
    default=(SIDE, SIDE),
    show_default=True,
    help="Size of photographs for hand-made features, in pixels.",
)
@click.option(
    "--features",
    "kinds",
    multiple=True,
    default=KINDS,
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
@click.option(
    "--network",
    "networks",
    multiple=True,
    type=click.Choice(NAMES),
    metavar="NAME",
    help="Network to train on each set; auto: those that suit its images; can be repeated.",
)
@options.epochs(help="Epochs of these networks; default: as many as suit each.")
@click.option(
    "--out",
    type=options.FOLDER,
    help="Folder for all results and figures; the same command again continues there.",
)
@click.option("--csv", "csv_path", type=options.FILE, help="Also write the results to a file.")
@options.allow_unreadable()
@options.force()
@options.as_json(help="Print the results as one JSON object.")
@options.seed(help="Seed of the split, the visual words, the trees and the networks.")
def command(
    runs: tuple[Path, ...],
    data: tuple[Path, ...],
    images: int | None,
    image_size: tuple[int, int],
    kinds: tuple[str, ...],
    names: tuple[str, ...],
    networks: tuple[str, ...],
    epochs: int | None,
    out: Path | None,
    csv_path: Path | None,
    allow_unreadable: float | None,
    force: bool,
    as_json: bool,
    seed: int | None,
) -> None:
    """Classify and retrieve images by hand-made features, and compare with networks.

    Features: visual words of SIFT keypoints (sift), histograms of oriented gradients (hog), local
    binary patterns (lbp), colors. Classifiers: support vector machine, logistic regression, random
    forest, decision tree. All methods learn from the same training images and are tested on the
    same test images.
    """
    output.check_target(csv_path, force=force)
    if not (data or runs):
        raise click.UsageError("give the images with --data DIR or --run DIR")
    if networks and out is None:
        raise click.UsageError("--network writes run folders; give a folder for them: --out DIR")
    for kind in kinds:
        typed("--features", classic.check_features, kind)
    sets = image_sets(data, runs, seed=seed, images=images, allow_unreadable=allow_unreadable)
    trained = {path: load_trained(path) for path in runs}
    plan = ComparisonPlan(kinds, names, image_size, epochs, out, output.verbosity())
    with output.prints_to_stderr():
        results = compare_all(sets, plan, networks, trained, output.note)
    if csv_path is not None:
        write_csv(csv_path, CSV_HEADINGS, csv_rows(results))
    show(results, out, as_json=as_json)


def load_trained(run: Path) -> TrainedNetwork:
    """Load the network of a run folder, with its training time if the run is complete."""
    folder = RunFolder(run)
    seconds = training_seconds(folder) if folder.is_complete else None
    return TrainedNetwork(run.name, *load_classifier(run), seconds)


def show(results: Sequence[SetResults], out: Path | None, *, as_json: bool) -> None:
    """Print the results as tables or as one JSON object."""
    if as_json:
        output.print_json(rows=json_rows(results), retrieval=json_retrieval(results))
        return
    if len(results) == 1:
        output.result(output.table(HEADINGS, classic.table(results[0].rows)))
    else:
        output.result("Accuracy (*: the best of each set)")
        output.result(table_text(accuracy_table(results)))
    output.result("\nPrecision at 10: how many of the 10 most similar images are of the same class")
    output.result(table_text(precision_table(results)))
    if out is not None:
        output.result(f"\nAll results: {out / 'report.html'}")


def table_text(table: Table) -> str:
    """Return a table of shares for the terminal."""
    return output.table(table.headings, table.as_text())


def json_rows(results: Sequence[SetResults]) -> list[dict[str, Any]]:
    """Return the results of all methods, the best of each set first."""
    return [
        {"data": one.name, **row._asdict(), "accuracy": row.accuracy}
        for one in results
        for row in sorted(one.rows, key=lambda row: -row.accuracy)
    ]


def json_retrieval(results: Sequence[SetResults]) -> list[dict[str, Any]]:
    """Return the precision at 10 of all features."""
    return [
        {"data": one.name, "features": found.features, "precision_at_10": found.precision}
        for one in results
        for found in one.retrieval
    ]
