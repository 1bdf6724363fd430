"""Libraries for tests whose vectors are made, without any picture file."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minicnn.apps.library.foreign import register
from minicnn.apps.library.models import Extractor, Features, Folder, Picture
from minicnn.apps.library.queries import Query
from minicnn.support.text import quoted


class MadeExtractor(NamedTuple):
    """What the library wants to know of an extractor; it describes nothing."""

    name: str
    dimensions: int
    class_names: tuple[str, ...] = ()
    sha256: str = "0" * 64
    source: str = ""


NETWORK = MadeExtractor("network", 12, ("ant", "bee", "cat", "dog"))
COLOR = MadeExtractor("color", 6)
EXTRACTORS = (NETWORK, COLOR)


def unit(rng, count, dimensions):
    """Return random vectors of length 1 that are not negative, float16 (count, dimensions)."""
    vectors = np.abs(rng.standard_normal((count, dimensions)))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)


def random_top(rng, names):
    """Return up to five classes with falling probabilities."""
    shares = -np.sort(-rng.dirichlet(np.ones(len(names))))
    order = rng.permutation(len(names))
    return [[names[i], float(share)] for i, share in zip(order, shares, strict=True)][:5]


def add_pictures(library, count, *, seed=0, extractors=EXTRACTORS, key=None):
    """Add pictures with random features; return their keys. `key` is that of their features."""
    rng = np.random.default_rng(seed)
    keys = register(library, extractors)
    folder, _ = Folder.objects.using(library.alias).get_or_create(path="/made")
    first = Picture.objects.using(library.alias).count()
    rows = [
        Picture(
            folder=folder, path=f"{seed}-{first + i}.jpg", size=1, modified=1,
            sha256=f"{seed}-{first + i}", perceptual_hash=int(rng.integers(-(2**63), 2**63)),
        )
        for i in range(count)
    ]  # fmt: skip
    pictures = Picture.objects.using(library.alias).bulk_create(rows)
    for one in extractors:
        for picture, vector in zip(pictures, unit(rng, count, one.dimensions), strict=True):
            top = random_top(rng, one.class_names) if one.class_names else []
            label, probability = top[0] if top else ("", None)
            Features.objects.using(library.alias).create(
                id=key, picture=picture, extractor_id=keys[one.name], vector=vector,
                label=label, probability=probability, top=top,
            )  # fmt: skip
    return [picture.pk for picture in pictures]


def random_query(seed=0, extractors=EXTRACTORS):
    """Return a query with random vectors and classes."""
    rng = np.random.default_rng(1000 + seed)
    vectors = {one.name: unit(rng, 1, one.dimensions)[0].astype(np.float32) for one in extractors}
    vectors = {name: vector / np.linalg.norm(vector) for name, vector in vectors.items()}
    classes = {
        one.name: {name: np.sqrt(share) for name, share in random_top(rng, one.class_names)}
        for one in extractors
        if one.class_names
    }
    return Query(vectors, classes)


def true_scores(library, query, weights):
    """Return {picture: {part: weight * similarity}}, row by row in float64."""
    scores = {}
    for row in Features.objects.using(library.alias).select_related("extractor"):
        name, parts = row.extractor.name, scores.setdefault(row.picture_id, {})
        if name in weights:
            vector = row.vector.astype(np.float64)
            cosine = vector @ query.vectors[name].astype(np.float64) / np.linalg.norm(vector)
            parts[name] = weights[name] * float(cosine)
        if name in query.classes and "class" in weights:
            roots = query.classes[name]
            found = sum(np.sqrt(share) * roots.get(label, 0) for label, share in row.top)
            parts["class"] = weights["class"] * found
    return scores


def extractor_row(library, name):
    return Extractor.objects.using(library.alias).get(name=name)


def check_hits(library, query, weights, hits, top):
    """The hits are those of the highest true scores, and their parts are true and add up."""
    true = true_scores(library, query, weights)
    totals = {picture: sum(parts.values()) for picture, parts in true.items()}
    assert len(hits) == min(top, len(true))
    best = sorted(totals.values(), reverse=True)[:top]
    np.testing.assert_allclose([hit.score for hit in hits], best, rtol=1e-5)
    for hit in hits:
        assert hit.score == sum(hit.parts.values()), quoted(hit)
        assert set(hit.parts) == set(weights)
        for part, value in hit.parts.items():
            np.testing.assert_allclose(value, true[hit.picture].get(part, 0), atol=2e-6)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
