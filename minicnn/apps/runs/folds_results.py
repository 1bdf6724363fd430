"""The results of the runs of a cross-validation, read from their folders, and their statistics."""

from __future__ import annotations

import csv
import io
import json
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from minicnn.apps.runs.folder import ResultFolder, RunFolder
from minicnn.apps.runs.gallery import GalleryImage
from minicnn.apps.runs.predictions import Counts, macro_f1
from minicnn.data.image_writing import img_to_array
from minicnn.data.images import load_img
from minicnn.errors import FormatError
from minicnn.support.files import read_text

MEASURES = ("accuracy", "loss", "macro_f1", "best_epoch")  # those with a mean over the folds


class FoldScores(NamedTuple):
    """The scores of one fold's run, which are a row of folds.csv."""

    fold: int
    images: int  # that the fold tests
    accuracy: float  # share of them that is right
    loss: float  # their mean cross-entropy
    macro_f1: float  # mean F1 of the classes
    best_epoch: int  # counted from 1; the validation images chose it


class FoldResults(NamedTuple):
    """The results of all folds."""

    folders: list[RunFolder]
    reports: list[dict[str, Any]]  # the contents of each fold's report.json
    scores: list[FoldScores]
    counts: Counts  # over all folds; each image is counted once

    @property
    def means(self) -> dict[str, float]:
        """The mean of each measure over the folds."""
        return {name: statistics.fmean(self._values(name)) for name in MEASURES}

    @property
    def deviations(self) -> dict[str, float]:
        """The sample standard deviation of each measure, with n - 1 for n folds."""
        return {name: statistics.stdev(self._values(name)) for name in MEASURES}

    def _values(self, name: str) -> list[float]:
        return [float(getattr(one, name)) for one in self.scores]


def read_results(folders: Sequence[RunFolder]) -> FoldResults:
    """Read the results of all folds, which must be complete."""
    reports = [read_report(folder) for folder in folders]
    scores = [_scores(number, report) for number, report in enumerate(reports, 1)]
    confusion = np.sum([report["confusion"] for report in reports], axis=0)
    counts = Counts(confusion, reports[0]["data"]["classes"])
    return FoldResults(list(folders), reports, scores, counts)


def read_report(folder: ResultFolder) -> dict[str, Any]:
    """Return the contents of a folder's report.json.

    Raises
    ------
    FormatError : it is not JSON
    """
    text = read_text(folder.report)
    try:
        report: dict[str, Any] = json.loads(text)
    except ValueError as err:
        raise FormatError(folder.report, f"is not JSON ({err})") from err
    return report


def prediction_table(folders: Sequence[RunFolder], name: str) -> list[list[str]]:
    """Return the rows of all folds' tables of this name, each after the number of its fold.

    Parameters
    ----------
    folders : the run folders, in order
    name : predictions.csv or mistakes.csv
    """
    return [
        [str(number), *row]
        for number, folder in enumerate(folders, 1)
        for row in _rows(folder.path / name)
    ]


def worst_mistakes(folders: Sequence[RunFolder], most: int) -> list[GalleryImage]:
    """Return the `most` most confident mistakes of all folds, the worst one first.

    Each fold has kept the images of its own worst ones, and they are among those.
    """
    found = [one for number, folder in enumerate(folders, 1) for one in _mistakes(folder, number)]
    return sorted(found, key=lambda one: -one.confidence)[:most]


def _scores(number: int, report: dict[str, Any]) -> FoldScores:
    counts = Counts(np.array(report["confusion"]), report["data"]["classes"])
    test = report["test"]
    return FoldScores(
        number,
        test["images"],
        test["accuracy"],
        test["loss"],
        macro_f1(counts),
        report["best_epoch"],
    )


def _mistakes(folder: RunFolder, number: int) -> list[GalleryImage]:
    """Return the mistakes of which a fold has kept the images: they are numbered as its table."""
    files = sorted((folder.path / "mistakes").glob("[0-9][0-9]-*.png"))
    rows = _rows(folder.path / "mistakes.csv")[: len(files)]
    return [
        GalleryImage(
            img_to_array(load_img(file), dtype="uint8"),
            predicted,
            float(confidence),
            actual,
            f"{path}, fold {number}",
        )
        for file, (path, predicted, actual, confidence) in zip(files, rows, strict=True)
    ]


def _rows(path: Path) -> list[list[str]]:
    """Return the rows of a CSV file without its headings."""
    return list(csv.reader(io.StringIO(read_text(path), newline="")))[1:]
