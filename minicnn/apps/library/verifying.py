"""Checking a library against the disk, against its models, and in itself."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from django.db import DatabaseError, connections

from minicnn.apps.library.extractors import color_and_texture, network_extractor
from minicnn.apps.library.listing import Stamp, stamp_of
from minicnn.apps.library.models import Extractor, Features, Picture
from minicnn.apps.library.opening import Library
from minicnn.data.parallel import map_in_threads
from minicnn.data.tools.fingerprints import file_digest
from minicnn.errors import MiniCNNError, error_text

ROWS = 2000  # in memory at a time
LENGTH_ERROR = 0.01  # of a float16 vector of length 1

# What is found, and what it means.
KINDS = {
    "gone": "the file does not exist any more",
    "changed": "the file is another one now",
    "not read": "no run has come to it yet",
    "missing": "features are missing",
    "damaged": "a vector of features is not what was written",
    "foreign model": "the features were made with another model than the one of that name",
    "model": "the network cannot be loaded",
    "database": "SQLite finds a fault in its file",
}


class Finding(NamedTuple):
    """Something that is not in order; the kinds are those of `KINDS`."""

    kind: str
    what: str  # the path of a picture, or the name of a model
    text: str


class Verified(NamedTuple):
    """What was checked, and what was found."""

    pictures: int
    vectors: int
    findings: list[Finding]


def verify(
    library: Library,
    *,
    contents: bool = False,
    progress: Callable[[int, int], object] = lambda done, total: None,
) -> Verified:
    """Check all rows of a library; nothing is changed. Of a damaged file only that is reported.

    Parameters
    ----------
    contents : read every file and compare its content; else only its size and time
    progress : called with (pictures checked, all pictures)
    """
    if damage := _database(library):
        return Verified(0, 0, damage)
    findings = list(_models(library))
    total = Picture.objects.using(library.alias).count()
    done = vectors = 0
    for pictures in _blocks(library):
        findings += _files(pictures, contents)
        count, found = _vectors(library, pictures)
        findings += found
        vectors += count
        done += len(pictures)
        progress(done, total)
    return Verified(done, vectors, findings)


def _blocks(library: Library) -> Iterator[list[Picture]]:
    last = -1
    rows = Picture.objects.using(library.alias).select_related("folder").order_by("id")
    while block := list(rows.filter(id__gt=last)[:ROWS]):
        yield block
        last = block[-1].id


def _database(library: Library) -> list[Finding]:
    if library.file is None:
        return []
    try:
        with connections[library.alias].cursor() as cursor:
            cursor.execute("PRAGMA integrity_check(10)")
            texts = [str(row[0]) for row in cursor.fetchall()]
    except DatabaseError as error:
        texts = [str(error)]
    return [Finding("database", library.name, text) for text in texts if text != "ok"]


def _models(library: Library) -> Iterator[Finding]:
    """Yield the models that are not those that made the features."""
    own = {one.name: one.sha256 for one in color_and_texture()}
    for row in Extractor.objects.using(library.alias).order_by("id"):
        try:
            now = network_extractor(row.source).sha256 if row.source else own.get(row.name)
        except (OSError, MiniCNNError) as error:
            yield Finding("model", row.name, error_text(error))
            continue
        if now != row.sha256:
            seen = "is not known" if now is None else f"is now {now[:8]}…"
            yield Finding("foreign model", row.name, f"made with {row.sha256[:8]}…, {seen}")


def _files(pictures: Sequence[Picture], contents: bool) -> list[Finding]:
    def check(picture: Picture) -> Finding | None:
        return _file(picture, contents)

    return [one for one in map_in_threads(check, pictures) if one is not None]


def _file(picture: Picture, contents: bool) -> Finding | None:
    path = os.path.join(picture.folder.path, picture.path)
    try:
        stamp = stamp_of(path)
        if stamp != Stamp(picture.size, picture.modified):
            return Finding("changed", path, f"{picture.size:,} bytes before, now {stamp.size:,}")
        if contents and picture.sha256 and file_digest(path).hex() != picture.sha256:
            return Finding("changed", path, "another content, with the size and time of before")
    except OSError as error:
        return Finding("gone", path, error.strerror or type(error).__name__)
    if picture.sha256 or picture.failure:
        return None
    return Finding("not read", path, "index the folder again")


def _vectors(library: Library, pictures: Sequence[Picture]) -> tuple[int, list[Finding]]:
    """Return how many vectors the pictures have, and what is wrong with them."""
    extractors = {row.pk: row for row in Extractor.objects.using(library.alias)}
    readable = {one.pk: one for one in pictures if one.sha256 and not one.failure}
    rows = Features.objects.using(library.alias).filter(picture__in=list(readable))
    findings, missing, count = [], {(key, one) for key in readable for one in extractors}, 0
    for key, extractor, vector in rows.values_list("picture", "extractor", "vector").iterator():
        count += 1
        missing.discard((key, extractor))
        fault = _fault(vector, extractors[extractor].dimensions)
        if fault:
            path = _path(readable[key])
            findings.append(Finding("damaged", path, f"{extractors[extractor].name}: {fault}"))
    for key, extractor in sorted(missing):
        findings.append(Finding("missing", _path(readable[key]), extractors[extractor].name))
    return count, findings


def _fault(vector: np.ndarray, dimensions: int) -> str:
    """Return what is wrong with a vector, or ""."""
    if vector.shape != (dimensions,):
        return f"{vector.size} numbers instead of {dimensions}"
    length = float(np.linalg.norm(vector.astype(np.float32)))
    if abs(length - 1) < LENGTH_ERROR or length == 0:
        return ""
    return f"its length is {length:.3f} instead of 1"


def _path(picture: Picture) -> str:
    return os.path.join(picture.folder.path, picture.path)
