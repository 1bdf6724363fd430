"""The table of `minicnn predict --csv`, whose images any number of processes classify in blocks.

The result of a block is one line of JSON, and the rows of the table as they are in the file:

    {"columns": ["path", "label", ...], "rows": 255, "failures": [["a.jpg", "the file is empty"]]}
    b.jpg,cat,0.912345,cat,0.912345,dog,0.087655
    ...
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from minicnn.apps.cli.model_file import load_classifier
from minicnn.apps.cli.shared_work import facts, shared_table
from minicnn.distributed.blocks import Work
from minicnn.models import Model
from minicnn.models.images import ImagePrediction, ImagePredictions
from minicnn.support.atomic_files import write_atomically
from minicnn.support.csv_files import csv_text
from minicnn.support.files import open_regular

COLUMNS = ["path", "label", "probability"]
CHUNK_BYTES = 1 << 20


class PredictionTable:
    """The table of the predictions for many images.

    Parameters
    ----------
    model : .mcnn file or run folder
    find_files : returns the paths of all images
    top : number of classes per image

    Attributes
    ----------
    rows : number of images in the table
    failures : (path, reason) of those that cannot be read
    """

    def __init__(self, model: Path, find_files: Callable[[], Sequence[str]], top: int) -> None:
        self._model_path, self._find_files, self._top = model, find_files, top
        self.rows, self.failures = 0, list[tuple[str, str]]()

    @cached_property
    def model(self) -> Model:
        """The model, loaded when it is first used."""
        return load_classifier(self._model_path).model

    @cached_property
    def files(self) -> Sequence[str]:
        """The paths of all images; long lists take a while to make."""
        return self._find_files()

    def write(self, path: Path, *, force: bool) -> bool:
        """Classify all images, perhaps with other processes; return whether this one has written.

        `rows` and `failures` are known in the process that has written the table.
        """
        work = Work(self._facts, lambda: self.files, self._result_of_block)
        with shared_table(path, work, force=force) as results:
            if results is not None:
                write_atomically(path, self._content(results))
        return results is not None

    def _facts(self) -> dict[str, str]:
        return facts(self._model_path, top=self._top)

    def _result_of_block(self, files: Sequence[str]) -> bytes:
        found = predict(self.model, files, self._top)
        columns, rows = as_table(found)
        failures = [(str(path), reason) for path, reason in found.failures]
        head = {"columns": columns, "rows": len(rows), "failures": failures}
        return f"{json.dumps(head)}\n{csv_text(rows)}".encode(errors="surrogateescape")

    def _content(self, results: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the table part by part, and count."""
        for result in results:
            line, _, rows = result.partition(b"\n")
            head = json.loads(line)
            if head["rows"] and not self.rows:
                yield csv_text([head["columns"]]).encode()
            self.rows += head["rows"]
            self.failures += [(path, reason) for path, reason in head["failures"]]
            yield rows
        if not self.rows:
            yield csv_text([COLUMNS]).encode()


def predict(model: Model, files: Sequence[str], top: int) -> ImagePredictions:
    """Classify files without the warnings about unreadable ones, which the command prints."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*cannot be read")
        return model.predict_images(files, top)


def as_table(rows: Sequence[ImagePrediction]) -> tuple[list[str], list[list[Any]]]:
    """Return the headings path,label,probability,top1,top1_probability,... and the rows."""
    width = max((len(row.top) for row in rows), default=0)
    columns = [f"top{i}{what}" for i in range(1, width + 1) for what in ("", "_probability")]
    cells = [
        [row.path, row.label, f"{row.probability:.6f}",
         *(cell for share, name in row.top for cell in (name, f"{share:.6f}"))]
        for row in rows
    ]  # fmt: skip
    return [*COLUMNS, *columns], cells


def count_rows(path: Path) -> int:
    """Return the number of rows of a table, each of which is one line after the headings."""
    with open_regular(path) as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(CHUNK_BYTES), b"")) - 1
