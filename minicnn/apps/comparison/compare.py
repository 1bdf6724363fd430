"""A comparison of classic methods and networks on several sets, and the files that it writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from minicnn.apps.comparison.figures import comparison_figure
from minicnn.apps.comparison.image_sets import ImageSet, check_images
from minicnn.apps.comparison.networks import TrainedNetwork, chosen_networks
from minicnn.apps.comparison.one_set import ComparisonPlan, SetComparison
from minicnn.apps.comparison.page import comparison_page
from minicnn.apps.comparison.results import SetResults
from minicnn.apps.comparison.tables import CSV_HEADINGS, csv_rows
from minicnn.apps.runs.gallery import can_draw
from minicnn.apps.runs.throttled_progress import Say
from minicnn.support.atomic_files import write_text
from minicnn.support.csv_files import write_csv
from minicnn.support.plots import save_figure


def compare_all(
    sets: Sequence[ImageSet],
    plan: ComparisonPlan,
    networks: Sequence[str] = (),
    trained: Mapping[Path, TrainedNetwork] | None = None,
    say: Say = lambda _: None,
) -> list[SetResults]:
    """Compare all methods on all sets, and write tables, figures and a page to the plan's folder.

    Every result is written as soon as it is known. After a kill, the same call continues.

    Parameters
    ----------
    sets : the sets of images
    plan : the methods that are compared on each
    networks : names of networks that are trained on each, which needs a folder; "auto" stands for
        those that suit a set's images
    trained : the networks of the sets' runs, by run folder
    say : called with each message about the progress

    Raises
    ------
    FileNotFoundError : the images of a set do not exist
    ArgumentError : they do not suit a classification, or the folder has results of other images
    """
    for image_set in sets:
        check_images(image_set)
    if plan.folder is not None:
        plan.folder.mkdir(parents=True, exist_ok=True)
    comparisons = [SetComparison(image_set, plan, say) for image_set in sets]
    for comparison in comparisons:
        _compare(comparison, networks, trained or {})
        comparison.release()
    results = [comparison.results for comparison in comparisons]
    if plan.folder is not None:
        write_files(results, plan.folder)
    return results


def _compare(
    comparison: SetComparison, networks: Sequence[str], trained: Mapping[Path, TrainedNetwork]
) -> None:
    for kind in comparison.plan.kinds:
        comparison.compare_classifiers(kind)
    for run in comparison.image_set.runs:
        comparison.add_trained(trained[run])
    for name in chosen_networks(comparison.image_set, networks):
        comparison.train_network(name)
    comparison.draw_retrieval()


def write_files(results: Sequence[SetResults], folder: Path) -> None:
    """Write classic.csv, classic.png and report.html."""
    write_csv(folder / "classic.csv", CSV_HEADINGS, csv_rows(results))
    if can_draw():
        save_figure(comparison_figure(results), folder / "classic.png")
    write_text(folder / "report.html", comparison_page(results, folder))
