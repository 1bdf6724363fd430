"""The results of all methods on one set of images, in a file as soon as each is known."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from minicnn.classic.compare import LEARNED, Row
from minicnn.errors import ArgumentError, FormatError
from minicnn.support.atomic_files import write_text
from minicnn.support.files import read_text

SCHEMA = 1  # of the file; incremented when a key changes its meaning
MAX_BYTES = 16 << 20


class Retrieval(NamedTuple):
    """How well similar images are found by one kind of features."""

    features: str  # a kind of features, or the name of the network that learned them
    precision: float  # at 10: mean share of the 10 nearest training images of the same class
    nearest: list[list[int]]  # the 10 nearest training images of each of the queries shown


@dataclass
class SetResults:
    """The results on one set of images.

    Parameters
    ----------
    name : name of the set
    identity : the values that decide which images it has, as text and numbers
    path : the file, which `save` writes; None: there is none
    classes, train, test : names of the classes, numbers of training and test images
    most_frequent : share of the test images that belong to the most frequent class
    rows, retrieval : the results
    """

    name: str
    identity: dict[str, Any]
    path: Path | None = None
    classes: list[str] = field(default_factory=list)
    train: int = 0
    test: int = 0
    most_frequent: float = 0.0
    rows: list[Row] = field(default_factory=list)
    retrieval: list[Retrieval] = field(default_factory=list)

    def row(self, features: str, classifier: str) -> Row | None:
        """Return the result of a method, or None if it is not known."""
        wanted = (features, classifier)
        return next((row for row in self.rows if row[:2] == wanted), None)

    def retrieved_by(self, features: str) -> Retrieval | None:
        """Return the retrieval by these features, or None if it is not known."""
        return next((one for one in self.retrieval if one.features == features), None)

    @property
    def networks(self) -> list[str]:
        """The names of the networks."""
        return [row.classifier for row in self.rows if row.features == LEARNED]

    def add(self, row: Row) -> None:
        """Add the result of a method, and save."""
        self.rows.append(row)
        self.save()

    def add_retrieval(self, one: Retrieval) -> None:
        """Add a retrieval, in the place of an earlier one by the same features, and save."""
        self.retrieval = [r for r in self.retrieval if r.features != one.features] + [one]
        self.save()

    def save(self) -> None:
        """Write the file, if there is one."""
        if self.path is None:
            return
        fields = {k: v for k, v in asdict(self).items() if k != "path"}
        fields["rows"] = [row._asdict() for row in self.rows]
        fields["retrieval"] = [one._asdict() for one in self.retrieval]
        write_text(self.path, json.dumps({"schema": SCHEMA, **fields}) + "\n")


def open_results(name: str, identity: Mapping[str, Any], folder: Path | None) -> SetResults:
    """Return the results that a folder has of this set, or new ones.

    Raises
    ------
    ArgumentError : the results in the folder are of other images
    FormatError : the file is damaged
    """
    wanted = json.loads(json.dumps(identity))  # lists for tuples, as in the file
    path = None if folder is None else folder / f"{name}.json"
    if path is None or not path.exists():
        return SetResults(name, wanted, path)
    results = _read(path)
    for key, value in wanted.items():
        if (had := results.identity.get(key)) != value:
            raise ArgumentError(
                f"{path} has results for {key} {had!r}, not {value!r}; continue it with the same "
                "options, or give another --out"
            )
    return results


def _read(path: Path) -> SetResults:
    try:
        fields = json.loads(read_text(path, MAX_BYTES))
        if fields.pop("schema") != SCHEMA:
            raise ValueError("schema")
        rows = [Row(**row) for row in fields.pop("rows")]
        retrieval = [Retrieval(**one) for one in fields.pop("retrieval")]
        return SetResults(**fields, path=path, rows=rows, retrieval=retrieval)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise FormatError(
            path, f"is no file of results ({type(error).__name__}); delete it to compute them again"
        ) from error
