"""What the pages show of pictures: names, classes, scores and the parts of the scores."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from minicnn.apps.library.extractors import FeatureExtractor
from minicnn.apps.library.models import Features, Picture
from minicnn.apps.library.searching import Hit, parts_of
from minicnn.apps.library.weights import NO_NETWORK, normalized
from minicnn.apps.web.charts import Segment, segments
from minicnn.apps.web.query_parameters import Asked
from minicnn.apps.web.service import Service
from minicnn.zoo.pretrained import imagenet
from minicnn.zoo.pretrained.imagenet import synset

_NUMBERED = re.compile(r"(n\d{8}) ([^,]+)(?:, )?(.*)")


class Answer(NamedTuple):
    """A class that a network sees."""

    probability: float
    name: str
    number: str = ""  # in WordNet, "n02123394"
    synonyms: str = ""  # further words of WordNet

    @classmethod
    def of(cls, name: str, probability: float, *, is_imagenet: bool = False) -> Answer:
        """Return the answer for a class; those of ImageNet have a number and synonyms.

        >>> Answer.of("lynx", 0.5, is_imagenet=True)
        Answer(probability=0.5, name='lynx', number='n02127052', synonyms='catamount')
        """
        line = synset(name) if is_imagenet else None
        match = _NUMBERED.fullmatch(line or name)
        if match is None:
            return cls(probability, name)
        return cls(probability, name if line else match[2], match[1], match[3])


def answers_of_top(top: Iterable[tuple[str, float]], class_names: Sequence[str]) -> list[Answer]:
    """Return the answers of a network with these classes."""
    is_imagenet = list(class_names) == imagenet.class_names()
    return [Answer.of(name, share, is_imagenet=is_imagenet) for name, share in top]


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
    names = [one.name for one in extractors]
    parts = parts_of(names, [one.name for one in extractors if one.class_names])
    networks = [one for one in parts if one not in NO_NETWORK]
    alone = {networks[0]: "Content"} if len(networks) == 1 else {one: one for one in networks}
    return {part: alone.get(part, part.capitalize()) for part in parts}


def file_name(picture: Picture) -> str:
    """Return the name of a picture's file, without folders."""
    return PurePosixPath(picture.path).name


def answers_of(service: Service, picture: int) -> list[tuple[str, list[Answer]]]:
    """Return what each network sees on a picture: (network, answers)."""
    rows = Features.objects.using(service.library.alias).filter(picture=picture)
    rows = rows.select_related("extractor").defer("vector").order_by("extractor")
    return [
        (row.extractor.name, answers_of_top(row.top, row.extractor.class_names))
        for row in rows
        if row.top
    ]


def cards(service: Service, asked: Asked, hits: Sequence[Hit]) -> list[Card]:
    """Return what a page shows of the pictures that a search has found."""
    names = titles(service.extractors)
    rows = _pictures(service, [hit.picture for hit in hits])
    labels, shares = labels_of(service, rows), _shares(asked, hits)
    found = []
    for hit in hits:
        if hit.picture in rows:  # an index run may have removed it in the meantime
            row = rows[hit.picture]
            parts = segments(hit.parts, shares, names)
            label = labels.get(row.pk, "")
            found.append(Card(row, file_name(row), label, hit.score, parts, *_refined(asked, row)))
    return found


def _shares(asked: Asked, hits: Sequence[Hit]) -> dict[str, float]:
    """Return the weight of each part of the scores, which sum to 1."""
    if not hits:
        return {}
    weights = {name: weight for name, weight in (asked.weights or {}).items() if weight}
    return normalized(weights or None, list(hits[0].parts))


def labels_of(service: Service, pictures: Iterable[int]) -> dict[int, str]:
    """Return {picture: class} by the network that names queries."""
    if service.network is None:
        return {}
    rows = Features.objects.using(service.library.alias).filter(
        extractor__name=service.network.name, picture__in=list(pictures)
    )
    return dict(rows.values_list("picture", "label"))


def _pictures(service: Service, numbers: Sequence[int]) -> dict[int, Picture]:
    return Picture.objects.using(service.library.alias).in_bulk(list(numbers))


def _refined(asked: Asked, picture: Picture) -> tuple[str, str]:
    if asked.is_full or picture.pk in (*asked.like, *asked.unlike):
        return "", ""
    return asked.more(picture.pk).address, asked.less(picture.pk).address
