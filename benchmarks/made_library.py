"""Libraries of made features, for measuring searches among more pictures than there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from django.db import transaction

from minicnn.apps.library.feature_extractor import FeatureExtractor, unit_rows
from minicnn.apps.library.foreign import register
from minicnn.apps.library.models import Features, Folder, Picture
from minicnn.apps.library.opening import Library

BLOCK = 2000  # pictures that are written at a time
PER_GROUP = 50  # pictures that are alike, as those of one place or one day
SPREAD = 0.7  # of the pictures of a group, as a share of the spread of the groups


def make_library(
    library: Library, extractors: Sequence[FeatureExtractor], pictures: int, seed: int = 0
) -> None:
    """Fill an empty library with pictures that have no files, and made features of each extractor.

    Like those of networks, the features are not negative, and pictures come in groups.
    """
    keys = register(library, extractors)
    folder = Folder.objects.using(library.alias).create(path="/made")
    rng = np.random.default_rng(seed)
    centers = {one.name: _drawn(rng, -(-pictures // PER_GROUP), one) for one in extractors}
    for start in range(0, pictures, BLOCK):
        count = min(BLOCK, pictures - start)
        groups = rng.integers(0, -(-pictures // PER_GROUP), count)
        with transaction.atomic(using=library.alias):
            made = _pictures(library, folder, start, count)
            for one in extractors:
                vectors = centers[one.name][groups] + SPREAD * _drawn(rng, count, one)
                rows = _features(made, keys[one.name], one, unit_rows(vectors), rng)
                Features.objects.using(library.alias).bulk_create(rows, BLOCK)


def _drawn(rng: np.random.Generator, count: int, extractor: FeatureExtractor) -> np.ndarray:
    """Return rows of numbers half of which are 0, as after a ReLU, float32 (count, D)."""
    return np.maximum(rng.standard_normal((count, extractor.dimensions), np.float32), 0)


def _pictures(library: Library, folder: Folder, start: int, count: int) -> list[Picture]:
    rows = [
        Picture(
            folder=folder, path=f"{number:07}.jpg", size=10_000, modified=number,
            sha256=f"{number:064x}", width=150, height=150, perceptual_hash=number,
        )
        for number in range(start, start + count)
    ]  # fmt: skip
    return Picture.objects.using(library.alias).bulk_create(rows, BLOCK)


def _features(
    pictures: list[Picture],
    key: int,
    extractor: FeatureExtractor,
    vectors: np.ndarray,
    rng: np.random.Generator,
) -> Iterator[Features]:
    names = extractor.class_names
    for picture, vector in zip(pictures, vectors.astype(np.float16), strict=True):
        top: list[tuple[str, float]] = []
        if names:
            shares = -np.sort(-rng.dirichlet(np.ones(min(5, len(names)))))
            chosen = rng.choice(len(names), len(shares), replace=False)
            top = [(names[i], float(share)) for i, share in zip(chosen, shares, strict=True)]
        label, probability = top[0] if top else ("", None)
        yield Features(
            picture=picture, extractor_id=key, vector=vector,
            label=label, probability=probability, top=top,
        )  # fmt: skip
