"""What is searched for: an image, or pictures of the library that the user likes and does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minicnn.apps.library.feature_extractor import Described, FeatureExtractor, unit_rows
from minicnn.apps.library.models import Features, Picture
from minicnn.apps.library.opening import Library
from minicnn.apps.library.reading import read_picture
from minicnn.errors import ArgumentError

# How much the pictures that the user does not like count, if those that are liked count 1.
UNLIKED = 0.5


class Query(NamedTuple):
    """What the pictures of a library are compared with."""

    vectors: dict[str, np.ndarray]  # {extractor: float32 (D,)}
    # {network: {class: square root of its probability}}; a mean of several pictures may be negative
    classes: dict[str, dict[str, float]]
    without: frozenset[int] = frozenset()  # keys of pictures that are not among the hits


def query_of_image(
    library: Library, source: Path | str | bytes, extractors: Sequence[FeatureExtractor]
) -> Query:
    """Return the query of an image file, which need not be in the library.

    Parameters
    ----------
    library : it must have been indexed by the extractors of the same name
    source : the file, or its content
    extractors : those whose features are compared

    Raises
    ------
    ImageReadError : it is not an image, is damaged or has too many pixels
    OSError : the file cannot be opened
    """
    picture = read_picture(source, extractors)
    found = {one.name: one.describe([picture.images[one.name]])[0] for one in extractors}
    return query_of(found)


def query_of(described: Mapping[str, Described]) -> Query:
    """Return the query of what extractors say about one image, {extractor: what it says}."""
    return Query(
        {name: unit_rows(one.vector[None])[0] for name, one in described.items()},
        {name: _roots(one.top) for name, one in described.items() if one.top},
    )


def query_of_pictures(library: Library, like: Sequence[int], unlike: Sequence[int] = ()) -> Query:
    """Return the query "more like these, and less like those", of pictures of the library.

    The pictures themselves are not among the hits.

    Parameters
    ----------
    like : keys of pictures, at least one
    unlike : keys of pictures that the hits should not resemble

    Raises
    ------
    ArgumentError : there is no such picture, or it has no features
    """
    return mixed([_stored(library, key) for key in like], [_stored(library, key) for key in unlike])


def mixed(like: Sequence[Query], unlike: Sequence[Query] = ()) -> Query:
    """Return one query of several: what is like these, and less like those.

        query = mean of the liked - 0.5 * mean of the others

    Similarities are linear in the query, so the parts of a hit still add up. Parts that one of
    the queries lacks are left out.

    Raises
    ------
    ArgumentError : nothing is liked

    Examples
    --------
    >>> both = mixed([Query({"a": np.ones(2)}, {}), Query({"a": np.zeros(2)}, {})])
    >>> both.vectors["a"].tolist()
    [0.5, 0.5]
    """
    if not like:
        raise ArgumentError("a search needs at least one picture that the others should be like")
    all_of_them = [*like, *unlike]
    shares = [1 / len(like)] * len(like) + [-UNLIKED / max(1, len(unlike))] * len(unlike)
    return Query(
        {
            name: _vector_sum([query.vectors[name] for query in all_of_them], shares)
            for name in like[0].vectors
            if all(name in query.vectors for query in all_of_them)
        },
        {
            name: _class_sum([query.classes[name] for query in all_of_them], shares)
            for name in like[0].classes
            if all(name in query.classes for query in all_of_them)
        },
        frozenset().union(*(query.without for query in all_of_them)),
    )


def _stored(library: Library, key: int) -> Query:
    """Return the query of one picture of the library."""
    rows = Features.objects.using(library.alias).filter(picture=key)
    found = list(rows.values_list("extractor__name", "vector", "top"))
    if not found:
        exists = Picture.objects.using(library.alias).filter(id=key).exists()
        lacks = "has no features: it cannot be read" if exists else "is not in the library"
        raise ArgumentError(f"picture {key} {lacks}")
    described = {name: Described(vector, tuple(map(tuple, top))) for name, vector, top in found}
    return query_of(described)._replace(without=frozenset([key]))


def _roots(top: Sequence[tuple[str, float]]) -> dict[str, float]:
    return {label: float(np.sqrt(share)) for label, share in top}


def _vector_sum(vectors: Sequence[np.ndarray], shares: Sequence[float]) -> np.ndarray:
    return np.asarray(shares, np.float32) @ np.stack(vectors)


def _class_sum(classes: Sequence[dict[str, float]], shares: Sequence[float]) -> dict[str, float]:
    found: dict[str, float] = {}
    for roots, share in zip(classes, shares, strict=True):
        for label, root in roots.items():
            found[label] = found.get(label, 0.0) + share * root
    return found
