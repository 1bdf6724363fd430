"""Retrieval in a comparison: the precision of each kind of features, and queries that show it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minicnn import classic, random
from minicnn.apps.comparison.results import Retrieval
from minicnn.apps.runs.image_splits import ImageSplits

QUERIES = 2  # that the figure of a set shows


def retrieve(
    features: str, train: np.ndarray, test: np.ndarray, images: ImageSplits, queries: Sequence[int]
) -> Retrieval:
    """Look for the training images that are most similar to each test image.

    Parameters
    ----------
    features : name of the features
    train, test : float32 (N, D), (M, D), the features of the training and test images
    images : the images, whose labels tell which are of the same class
    queries : test images whose nearest training images are kept
    """
    found = classic.nearest_images(test, train)
    precision = classic.precision(found, images.train.labels, images.test.labels)
    return Retrieval(features, precision, found[list(queries)].tolist())


def choose_queries(labels: np.ndarray, seed: int) -> list[int]:
    """Return the indices of two test images of different classes, drawn at random."""
    order = random.generator("queries", seed=seed).permutation(len(labels))
    _, first = np.unique(labels[order], return_index=True)  # the first image of each class
    return [int(order[i]) for i in np.sort(first)[:QUERIES]]
