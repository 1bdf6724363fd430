"""Browsing a library: its pictures by class, date and certainty, one page at a time."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, NamedTuple

from django.core.paginator import Page, Paginator
from django.db.models import Count, F, OuterRef, QuerySet, Subquery

from minicnn.apps.library.extractors import FeatureExtractor
from minicnn.apps.library.models import Extractor, Features, Picture
from minicnn.apps.library.opening import Library

PAGE = 60  # pictures
CERTAINTIES = {
    "": "any certainty",
    "90": "at least 90 %",
    "50": "at least 50 %",
    "unsure": "below 50 %",
}
UNSURE = 0.5
ORDERS = {
    "new": "newest first",
    "old": "oldest first",
    "sure": "most certain first",
    "unsure": "least certain first",
    "name": "by name",
}
_COLUMNS = {
    "new": F("taken").desc(nulls_last=True),
    "old": F("taken").asc(nulls_last=True),
    "sure": F("certainty").desc(nulls_last=True),
    "unsure": F("certainty").asc(nulls_last=True),
    "name": F("path").asc(),
}


class Choice(NamedTuple):
    """What a visitor wants to see of a library; "" and None choose everything."""

    label: str = ""
    since: datetime.date | None = None
    until: datetime.date | None = None
    certainty: str = ""
    order: str = "new"
    failed: bool = False  # the files that cannot be read

    @classmethod
    def of(cls, words: Mapping[str, str]) -> Choice:
        """Return the choice that the words of an address make; wrong ones choose everything."""
        certainty, order = words.get("certainty", ""), words.get("order", "")
        return cls(
            words.get("label", ""),
            _date(words.get("since", "")),
            _date(words.get("until", "")),
            certainty if certainty in CERTAINTIES else "",
            order if order in ORDERS else "new",
            words.get("failed") == "1",
        )


def _date(text: str) -> datetime.date | None:
    try:
        date = datetime.date.fromisoformat(text)
    except ValueError:
        return None
    return date if date < datetime.date.max else None


def networks(library: Library) -> list[Extractor]:
    """Return what names classes in a library, in the order in which they were added."""
    found = Extractor.objects.using(library.alias).order_by("id")
    return [one for one in found if one.class_names]


def readable(library: Library) -> QuerySet[Any]:
    """Return the pictures that have been read."""
    return Picture.objects.using(library.alias).exclude(sha256="").filter(failure="")


def row_of(library: Library, network: FeatureExtractor | None) -> Extractor | None:
    """Return the row of a network."""
    names = [] if network is None else [network.name]
    return Extractor.objects.using(library.alias).filter(name__in=names).first()


def class_counts(library: Library, network: Extractor | None) -> list[tuple[str, int]]:
    """Return the classes that a network sees, with how many pictures; most frequent first."""
    if network is None:
        return []
    rows = Features.objects.using(library.alias).filter(extractor=network).exclude(label="")
    counted = rows.values_list("label").annotate(count=Count("id"))
    return sorted(counted, key=lambda row: (-row[1], row[0]))


def pictures(library: Library, network: Extractor | None, choice: Choice) -> QuerySet[Any]:
    """Return the chosen pictures, each with `.label` and `.certainty` by that network."""
    found = Picture.objects.using(library.alias)
    if choice.failed:
        return found.exclude(failure="").order_by("path", "id")
    seen = Features.objects.using(library.alias).filter(extractor=network, picture=OuterRef("pk"))
    found = readable(library).annotate(
        label=Subquery(seen.values("label")[:1]),
        certainty=Subquery(seen.values("probability")[:1]),
    )
    found = _of_class(found, network, choice)
    return _of_time(found, choice).order_by(_COLUMNS[choice.order], "id")


def page_of(library: Library, network: Extractor | None, choice: Choice, number: str) -> Page:
    """Return a page of the chosen pictures; the nearest one if there is none of that number."""
    return Paginator(pictures(library, network, choice), PAGE).get_page(number)


def _of_class(found: QuerySet[Any], network: Extractor | None, choice: Choice) -> QuerySet[Any]:
    wanted: dict[str, Any] = {}
    if choice.label:
        wanted["label"] = choice.label
    if choice.certainty == "unsure":
        wanted["probability__lt"] = UNSURE
    elif choice.certainty:
        wanted["probability__gte"] = int(choice.certainty) / 100
    if not wanted:
        return found
    rows = Features.objects.using(found.db).filter(extractor=network, **wanted)
    return found.filter(id__in=rows.values("picture"))


def _of_time(found: QuerySet[Any], choice: Choice) -> QuerySet[Any]:
    if choice.since:
        found = found.filter(taken__gte=_midnight(choice.since))
    if choice.until:
        found = found.filter(taken__lt=_midnight(choice.until) + datetime.timedelta(days=1))
    return found


def _midnight(date: datetime.date) -> datetime.datetime:
    return datetime.datetime.combine(date, datetime.time(), datetime.UTC)
