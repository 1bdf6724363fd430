"""Content-based image retrieval: the images whose features are most similar to those of a query."""

from __future__ import annotations

import numpy as np

from minicnn.errors import ArgumentError, ShapeError

NEAREST = 10
BLOCK = 500  # queries whose similarities to all images are in memory at once
SMALLEST = 1e-12  # length of a vector of zeros, such as that of an image without keypoints


def nearest_images(queries: np.ndarray, images: np.ndarray, count: int = NEAREST) -> np.ndarray:
    """Return the indices of the images that are most similar to each query, the first most so.

        similarity(q, x) = sum(q * x) / (|q| |x|),

    the cosine of the angle between two vectors of features. Of equally similar images, the first
    ones are returned.

    Parameters
    ----------
    queries : (Q, D) features
    images : (N, D) features
    count : images per query; there are fewer if N is smaller

    Returns
    -------
    integer (Q, min(count, N))

    Raises
    ------
    ShapeError : queries and images have different numbers of features

    References
    ----------
    Salton, McGill: Introduction to modern information retrieval, 1983.

    Examples
    --------
    >>> images = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    >>> nearest_images(np.array([[0.1, 2.0]]), images, 2).tolist()
    [[2, 1]]
    """
    if queries.ndim != 2 or images.ndim != 2 or queries.shape[1] != images.shape[1]:
        raise ShapeError(
            "queries and images must be (Q, D) and (N, D) with the same D; got "
            f"{queries.shape} and {images.shape}"
        )
    transposed = _unit(images).T  # (D, N)
    blocks = [_unit(queries[i : i + BLOCK]) for i in range(0, len(queries), BLOCK)]
    found = [np.argsort(-(q @ transposed), 1, kind="stable")[:, :count] for q in blocks]
    return np.concatenate(found) if found else np.zeros((0, min(count, len(images))), np.int64)


def precision(found: np.ndarray, labels: np.ndarray, query_labels: np.ndarray) -> float:
    """Return the mean share of the images found that have their query's class.

    With ten images per query, it is the precision at 10.

    Parameters
    ----------
    found : (Q, K) indices of images
    labels : (N,) classes of the images
    query_labels : (Q,) classes of the queries

    Examples
    --------
    >>> precision(np.array([[0, 1], [1, 2]]), np.array([5, 6, 6]), np.array([5, 6]))
    0.75
    """
    if not found.size:
        raise ArgumentError(f"found must have at least one image of one query; got {found.shape}")
    return float((labels[found] == query_labels[:, None]).mean())


def _unit(vectors: np.ndarray) -> np.ndarray:
    """Return vectors of length 1; those of zeros stay."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.maximum(lengths, SMALLEST)
