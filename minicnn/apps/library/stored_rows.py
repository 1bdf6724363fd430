"""The features of one extractor, as they are stored in the database, in NumPy arrays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from django.db import connections
from django.db.models import BinaryField, Count, F, Func, QuerySet, Sum

from minicnn.apps.library.models import Extractor, Features
from minicnn.apps.library.opening import Library
from minicnn.errors import LibraryError

BLOCK = 2000  # rows that are fetched at a time
TOP = 5
# What is known of a picture besides its vector. The classes are indices into the extractor's
# names; `roots` are the square roots of their probabilities, 0 where there are fewer than TOP.
FACTS = np.dtype([
    ("features", "<i8"), ("picture", "<i8"), ("classes", "<u2", (TOP,)), ("roots", "<f4", (TOP,)),
])  # fmt: skip
HEADER = 4  # bytes before the numbers of pgvector's binary form: length and a zero, int16 each


class Rows(NamedTuple):
    """Some rows of the table Features, all of one extractor."""

    facts: np.ndarray  # FACTS (n,)
    vectors: np.ndarray  # float16 (n, D)


class Totals(NamedTuple):
    """Two numbers that change whenever rows are added or removed."""

    rows: int
    keys: int  # their sum


def totals(library: Library, extractor: Extractor, up_to: int | None = None) -> Totals:
    """Return the totals of all rows, or of those whose key is at most `up_to`."""
    rows = _rows(library, extractor)
    if up_to is not None:
        rows = rows.filter(id__lte=up_to)
    found = rows.aggregate(rows=Count("id"), keys=Sum("id"))
    return Totals(found["rows"], int(found["keys"] or 0))


def all_keys(library: Library, extractor: Extractor) -> np.ndarray:
    """Return the keys of all rows, int64, ascending."""
    keys = _rows(library, extractor).order_by("id").values_list("id", flat=True)
    return np.fromiter(keys.iterator(BLOCK), np.int64)


def rows_after(library: Library, extractor: Extractor, key: int) -> Iterator[Rows]:
    """Yield the rows whose key is larger, in ascending order, in blocks."""
    while True:
        rows = _rows(library, extractor).filter(id__gt=key).order_by("id")[:BLOCK]
        block = as_arrays(library, extractor, rows)
        if not len(block.facts):
            return
        yield block
        key = int(block.facts["features"][-1])


def rows_of_keys(library: Library, extractor: Extractor, keys: np.ndarray) -> Iterator[Rows]:
    """Yield the rows with these keys, in blocks."""
    for start in range(0, len(keys), BLOCK):
        some = keys[start : start + BLOCK].tolist()
        yield as_arrays(library, extractor, _rows(library, extractor).filter(id__in=some))


def rows_of_pictures(library: Library, extractor: Extractor, pictures: Iterable[int]) -> Rows:
    """Return the rows of these pictures, in ascending order of the pictures."""
    rows = _rows(library, extractor).filter(picture__in=list(pictures)).order_by("picture")
    return as_arrays(library, extractor, rows)


def as_arrays(library: Library, extractor: Extractor, rows: QuerySet) -> Rows:
    """Fetch rows.

    Raises
    ------
    LibraryError : a vector does not have the extractor's number of dimensions
    """
    # PostgreSQL's text form of a vector takes ten times as long to read as the binary one.
    binary = connections[library.alias].vendor == "postgresql"
    if binary:
        rows = rows.annotate(
            bytes=Func(F("vector"), function="halfvec_send", output_field=BinaryField())
        )
    found = list(rows.values_list("id", "picture_id", "top", "bytes" if binary else "vector"))
    facts = np.zeros(len(found), FACTS)
    vectors = np.empty((len(found), extractor.dimensions), np.float16)
    numbers = {name: i for i, name in enumerate(extractor.class_names)}
    for i, (key, picture, top, vector) in enumerate(found):
        facts[i]["features"], facts[i]["picture"] = key, picture
        _set_classes(facts[i], top, numbers)
        values = np.frombuffer(vector, ">f2", offset=HEADER) if binary else vector
        if len(values) != extractor.dimensions:
            raise LibraryError(
                f"{library.name}: a vector of picture {picture} has {len(values)} numbers; those "
                f"of {extractor.name} have {extractor.dimensions}. Find such rows with: "
                "minicnn index verify LIB"
            )
        vectors[i] = values
    return Rows(facts, vectors)


def _set_classes(facts: Any, top: Sequence[Sequence[Any]], numbers: dict[str, int]) -> None:
    known = [(numbers[name], share) for name, share in top[:TOP] if name in numbers]
    for i, (number, share) in enumerate(known):
        facts["classes"][i], facts["roots"][i] = number, np.sqrt(share)


def _rows(library: Library, extractor: Extractor) -> QuerySet:
    return Features.objects.using(library.alias).filter(extractor=extractor)
