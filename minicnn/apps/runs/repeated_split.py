"""Check that a folder of images has not changed since a run split it at random."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from minicnn.apps.runs.folder import RunFolder
from minicnn.apps.runs.load_images import shown_name
from minicnn.apps.runs.settings import Settings
from minicnn.apps.runs.split_files import SplitFiles
from minicnn.errors import ArgumentError, FormatError
from minicnn.support.csv_files import plain_cell
from minicnn.support.files import read_text


def check_unchanged(files: SplitFiles, folder: RunFolder, settings: Settings) -> None:
    """Raise ArgumentError if a random split of the folder is not the one that the run had.

    Parameters
    ----------
    files : the random split, made again
    folder : the run
    settings : the run's
    """
    try:
        report = json.loads(read_text(folder.report))
        same = _is_same(files, folder, report, has_start=bool(settings.start))
    except (ValueError, LookupError, TypeError, AttributeError) as err:
        raise FormatError(folder.report, f"is not the report of a run: {err}") from err
    if not same:
        raise ArgumentError(
            f"{settings.data} has changed since {folder.path.name} split it at random, so it is "
            "not known which of its images were for training and which for test. Put new images "
            "into a folder of their own, --data NEW, or name images of the known classes with "
            "--keep DIR"
        )


def _is_same(
    files: SplitFiles, folder: RunFolder, report: dict[str, Any], *, has_start: bool
) -> bool:
    """Return whether the test images are the same, and if it is known, the number of images."""
    data = report["data"]
    skipped = {file for file, _ in data["skipped"]}
    names = [shown_name(path, files.test.root) for path in files.test.paths]
    tests = [plain_cell(name) for name in names if name not in skipped]
    count = sum(len(one.paths) for one in files if one is not None)
    # The report of continual learning counts images of several folders.
    return tests == _tested(folder, report) and (has_start or count == _image_count(data))


def _tested(folder: RunFolder, report: dict[str, Any]) -> list[str]:
    """Return the test images of a run's own data, without those of an earlier run."""
    rows = csv.DictReader(io.StringIO(read_text(folder.path / "predictions.csv")))
    of_start = report.get("before_after", {}).get("test_images_of_start", 0)
    return [row["path"] for row in rows][of_start:]


def _image_count(data: dict[str, Any]) -> int:
    """Return the number of files that a run found."""
    validation = 0 if data["validation_is_test"] else data["validation"]
    return int(data["train"] + validation + data["test"] + len(data["skipped"]))
