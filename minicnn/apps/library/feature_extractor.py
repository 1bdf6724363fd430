"""What every feature extractor is: it turns pictures into vectors that can be compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from minicnn.shapes import Pair

Top = tuple[tuple[str, float], ...]  # (class, probability), the most probable first


class Reading(NamedTuple):
    """How an extractor wants its images; the fields are those of `data.decode`."""

    size: Pair  # (H, W)
    color_mode: str = "rgb"
    interpolation: str = "bilinear"
    upright: bool = True  # rotated as their EXIF orientation says


class Described(NamedTuple):
    """What an extractor says about one picture."""

    vector: np.ndarray  # float16 (D,), of length 1: the dot product of two is their similarity
    top: Top = ()  # up to five classes, if the extractor is a classifier


class FeatureExtractor(Protocol):
    """A network, the histogram of colors, or that of textures."""

    name: str  # unique in a library
    source: str  # what `network_extractor` is given to load it again; "" for colors and textures
    sha256: str  # of everything that its vectors depend on
    dimensions: int  # D, of its vectors
    class_names: list[str]  # [] if it is no classifier
    reading: Reading

    def describe(self, images: Sequence[np.ndarray]) -> list[Described]:
        """Return what it says about images that were read as `reading` asks, uint8 (H, W, C)."""


def unit_rows(vectors: np.ndarray) -> np.ndarray:
    """Return float32 rows of length 1; a row of zeros stays as it is.

    >>> unit_rows(np.array([[3.0, 4.0], [0.0, 0.0]])).tolist()
    [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    rows = np.asarray(vectors, np.float32)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
