"""What a library holds, in numbers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from django.db import connections
from django.db.models import Count

from minicnn.apps.library.models import Extractor, Features, Folder, Picture
from minicnn.apps.library.opening import Library

SIZE_OF_DATABASE = "SELECT pg_database_size(current_database())"


class ExtractorStats(NamedTuple):
    """A network, colors or textures in a library."""

    name: str
    sha256: str
    dimensions: int
    vectors: int
    classes: dict[str, int]  # {most probable class: pictures}; {} if it is no classifier


class LibraryStats(NamedTuple):
    """The numbers of a library."""

    pictures: int
    waiting: int  # not read yet
    failures: list[tuple[str, str]]  # (path, reason), sorted
    folders: dict[str, int]  # {path: pictures}
    extractors: list[ExtractorStats]
    bytes: int  # of the file, or of the whole database


def library_stats(library: Library) -> LibraryStats:
    """Count what a library holds."""
    pictures = Picture.objects.using(library.alias)
    failed = pictures.exclude(failure="").order_by("folder__path", "path")
    folders = Folder.objects.using(library.alias).annotate(total=Count("pictures"))
    return LibraryStats(
        pictures.count(),
        pictures.filter(sha256="", failure="").count(),
        [
            (os.path.join(folder, path), reason)
            for folder, path, reason in failed.values_list("folder__path", "path", "failure")
        ],
        dict(folders.order_by("path").values_list("path", "total")),
        [_extractor(library, row) for row in Extractor.objects.using(library.alias).order_by("id")],
        _bytes(library),
    )


def _extractor(library: Library, row: Extractor) -> ExtractorStats:
    features = Features.objects.using(library.alias).filter(extractor=row)
    labels = features.exclude(label="").values("label").annotate(total=Count("id"))
    classes = dict(labels.order_by("-total", "label").values_list("label", "total"))
    return ExtractorStats(row.name, row.sha256, row.dimensions, features.count(), classes)


def _bytes(library: Library) -> int:
    """Return the size of the database, with what SQLite has not yet moved to the file itself."""
    if library.file is None:
        with connections[library.alias].cursor() as cursor:
            cursor.execute(SIZE_OF_DATABASE)
            return int(cursor.fetchone()[0])
    parts = [Path(f"{library.file}{ending}") for ending in ("", "-wal")]
    return sum(part.stat().st_size for part in parts if part.exists())
