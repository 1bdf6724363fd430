"""Which extractors a library knows, and refusing another model of the same name."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from minicnn.apps.library.feature_extractor import FeatureExtractor
from minicnn.apps.library.models import Extractor
from minicnn.apps.library.opening import Library
from minicnn.errors import ArgumentError, ForeignModelError

SHOWN = 8  # digits of a hash in messages


def check_extractors(library: Library, extractors: Sequence[FeatureExtractor]) -> None:
    """Check that these extractors made the features that the library has under their names.

    Raises
    ------
    ForeignModelError : one is another; its vectors cannot be compared with those of the library
    """
    known = _known(library)
    for one in extractors:
        row = known.get(one.name)
        if row is not None and row.sha256 != one.sha256:
            raise ForeignModelError(_text(one, row))


def register(
    library: Library, extractors: Sequence[FeatureExtractor], *, rebuild: bool = False
) -> dict[str, int]:
    """Add extractors to a library, unless it has them; return {name: key of the row}.

    Parameters
    ----------
    rebuild : forget the features that another model of the same name made

    Raises
    ------
    ForeignModelError : as `check_extractors`, unless `rebuild`
    """
    if not rebuild:
        check_extractors(library, extractors)
    with transaction.atomic(using=library.alias):
        rows = [_registered(library, one) for one in extractors]
    return {row.name: row.pk for row in rows}


def forget(library: Library, name: str) -> int:
    """Remove an extractor and its features; return how many pictures had them.

    Raises
    ------
    ArgumentError : the library has no extractor of this name
    """
    with transaction.atomic(using=library.alias):
        row = _known(library).get(name)
        if row is None:
            known = ", ".join(sorted(_known(library))) or "nothing"
            raise ArgumentError(f"{library.name} is not described by {name!r}, but by {known}")
        count = row.features.count()
        row.delete()
    return count


def _registered(library: Library, extractor: FeatureExtractor) -> Extractor:
    rows = Extractor.objects.using(library.alias)
    # A row of another model gets no new features from a process that still uses it: its key ends.
    rows.filter(name=extractor.name).exclude(sha256=extractor.sha256).delete()
    row, _ = rows.get_or_create(
        name=extractor.name,
        defaults={
            "sha256": extractor.sha256,
            "source": extractor.source,
            "dimensions": extractor.dimensions,
            "class_names": list(extractor.class_names),
        },
    )
    if row.source != extractor.source:  # its file has been moved
        rows.filter(pk=row.pk).update(source=extractor.source)
    return row


def _known(library: Library) -> dict[str, Extractor]:
    return {row.name: row for row in Extractor.objects.using(library.alias)}


def _text(extractor: FeatureExtractor, row: Extractor) -> str:
    keep_both = "load that one, rename this file to keep both, or " if extractor.source else ""
    return (
        f"the library was made with the {extractor.name} {row.sha256[:SHOWN]}…, and this is "
        f"{extractor.sha256[:SHOWN]}…: distances would mean nothing. Now {keep_both}rebuild it: "
        "minicnn index DIR --rebuild"
    )
