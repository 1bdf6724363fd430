"""What the pages show of pictures: names, classes, scores and the parts of the scores."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from minicnn.apps.library.extractors import FeatureExtractor
from minicnn.apps.library.models import Features, Picture
from minicnn.apps.web.charts import Segment, segments
from minicnn.apps.web.plain_search import Hit
from minicnn.apps.web.queries import Asked
from minicnn.apps.web.service import Service

CLASS = "class"  # the part of a score that compares classes
_WNID = re.compile(r"(n\d{8}) (.+)")


class Answer(NamedTuple):
    """A class that a network sees."""

    probability: float
    name: str
    wnid: str = ""  # its number in WordNet, "n02123394"

    @classmethod
    def of(cls, name: str, probability: float) -> Answer:
        """Return the answer for a class "Persian cat", or "n02123394 Persian cat".

        >>> Answer.of("n02123394 Persian cat", 0.5)
        Answer(probability=0.5, name='Persian cat', wnid='n02123394')
        """
        match = _WNID.fullmatch(name)
        return cls(probability, match[2], match[1]) if match else cls(probability, name)


def titled(counts: Sequence[tuple[str, int]]) -> list[tuple[str, str, int]]:
    """Return (title, class, number of pictures) for (class, number)."""
    return [(Answer.of(name, 0).name, name, count) for name, count in counts]


class Card(NamedTuple):
    """A picture that was found."""

    picture: Picture
    name: str  # of its file
    label: str  # "" if no network has seen it
    score: float
    parts: list[Segment]
    more: str  # the addresses of refined searches; "" if the query is full
    less: str


def titles(extractors: Sequence[FeatureExtractor]) -> dict[str, str]:
    """Return the title of each part of a score, in the order of the sliders."""
    networks = [one.name for one in extractors if one.class_names]
    found = {one: one if len(networks) > 1 else "Content" for one in networks}
    found |= {one.name: one.name.capitalize() for one in extractors if not one.class_names}
    return found | ({CLASS: "Class"} if networks else {})


def file_name(picture: Picture) -> str:
    """Return the name of a picture's file, without folders."""
    return PurePosixPath(picture.path).name


def answers_of(service: Service, picture: int) -> list[tuple[str, list[Answer]]]:
    """Return what each network sees on a picture: (network, answers)."""
    rows = Features.objects.using(service.library.alias).filter(picture=picture)
    rows = rows.select_related("extractor").defer("vector").order_by("extractor")
    return [(row.extractor.name, [Answer.of(*one) for one in row.top]) for row in rows if row.top]


def cards(service: Service, asked: Asked, hits: Sequence[Hit]) -> list[Card]:
    """Return what a page shows of the pictures that a search has found."""
    names = titles(service.extractors)
    rows = _pictures(service, [hit.picture for hit in hits])
    labels = labels_of(service, rows)
    found = []
    for hit in hits:
        if hit.picture in rows:  # an index run may have removed it in the meantime
            row = rows[hit.picture]
            parts = segments(hit.parts, names)
            label = labels.get(row.pk, "")
            found.append(Card(row, file_name(row), label, hit.score, parts, *_refined(asked, row)))
    return found


def labels_of(service: Service, pictures: Iterable[int]) -> dict[int, str]:
    """Return {picture: class} by the network that names queries."""
    if service.network is None:
        return {}
    rows = Features.objects.using(service.library.alias).filter(
        extractor__name=service.network.name, picture__in=list(pictures)
    )
    return {
        number: Answer.of(label, 0).name for number, label in rows.values_list("picture", "label")
    }


def _pictures(service: Service, numbers: Sequence[int]) -> dict[int, Picture]:
    return Picture.objects.using(service.library.alias).in_bulk(list(numbers))


def _refined(asked: Asked, picture: Picture) -> tuple[str, str]:
    if asked.is_full or picture.pk in (*asked.like, *asked.unlike):
        return "", ""
    return asked.more(picture.pk).address, asked.less(picture.pk).address
