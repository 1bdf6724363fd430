"""Searching by the plain formula, on vectors that are read for each search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minicnn.apps.library.extractors import FeatureExtractor
from minicnn.apps.library.models import Features
from minicnn.apps.library.opening import Library
from minicnn.apps.library.reading import read_picture


class Query(NamedTuple):
    """What is searched for."""

    vectors: dict[str, np.ndarray]
    classes: tuple[tuple[str, float], ...] = ()


class Hit(NamedTuple):
    """A picture that was found."""

    picture: int
    score: float
    parts: dict[str, float]


def query_of_image(
    library: Library, source: Path | bytes, extractors: Sequence[FeatureExtractor]
) -> Query:
    """Describe an image."""
    images = read_picture(source, extractors).images
    described = {one.name: one.describe([images[one.name]])[0] for one in extractors}
    tops = [one.top for one in described.values() if one.top]
    vectors = {name: one.vector.astype(np.float32) for name, one in described.items()}
    return Query(vectors, tops[0] if tops else ())


def query_of_pictures(library: Library, like: Sequence[int], unlike: Sequence[int] = ()) -> Query:
    """Describe what pictures have in common, and others do not."""
    total: dict[str, np.ndarray] = {}
    for numbers, sign in ((like, 1.0), (unlike, -0.5)):
        rows = Features.objects.using(library.alias).filter(picture__in=numbers)
        for row in rows.select_related("extractor"):
            part = row.vector.astype(np.float32) * np.float32(sign / len(numbers))
            total[row.extractor.name] = total.get(row.extractor.name, 0) + part
    return Query(total)


class Searcher:
    """Searches one library."""

    def __init__(self, library: Library) -> None:
        """Take the library."""
        self.library = library

    def search(
        self,
        query: Query,
        weights: Mapping[str, float] | None = None,
        top: int = 20,
        *,
        label: str | None = None,
    ) -> list[Hit]:
        """Return the most similar pictures."""
        weights = weights or dict.fromkeys(query.vectors, 1.0)
        total = sum(weights.values()) or 1.0
        hits: dict[int, dict[str, float]] = {}
        rows = Features.objects.using(self.library.alias).select_related("extractor")
        for row in rows:
            name = row.extractor.name
            if name in query.vectors and name in weights and (label is None or row.label == label):
                score = float(row.vector.astype(np.float32) @ query.vectors[name])
                hits.setdefault(row.picture_id, {})[name] = weights[name] / total * score
        found = [Hit(number, sum(parts.values()), parts) for number, parts in hits.items()]
        return sorted(found, key=lambda hit: -hit.score)[:top]
