"""What the files of CIFAR-10 and CIFAR-100 have in common: rows of red, green and blue pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from minicnn.data.plain_pickle import loads
from minicnn.errors import FormatError
from minicnn.shapes import is_int

LabeledImages = tuple[np.ndarray, np.ndarray]
SIDE, COLORS = 32, 3
PIXELS = COLORS * SIDE * SIDE  # of an image: all red, all green, all blue


def parse_pickle(data: bytes, path: Path, classes: int, key: str = "labels") -> LabeledImages:
    """Parse the Python version: a dictionary with `data` (N, 3072) and labels under `key`."""
    batch = loads(data, path)
    if not isinstance(batch, dict):
        raise FormatError(path, f"must hold a dictionary with data and {key}")
    return labeled(_entry(batch, "data", key, path), _entry(batch, key, key, path), path, classes)


def _entry(batch: dict, name: str, key: str, path: Path) -> object:
    """Return the entry of a batch; keys that Python 2 wrote may be bytes."""
    for one in (name, name.encode()):
        if one in batch:
            return batch[one]
    raise FormatError(path, f"must hold a dictionary with data and {key}; it has no {name!r}")


def labeled(pixels: object, labels: object, path: Path, classes: int) -> LabeledImages:
    """Return images (N, 32, 32, 3) from rows of pixels, and labels (N, 1)."""
    if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8 or pixels.ndim != 2:
        raise FormatError(path, "must hold uint8 pixels, one row per image")
    if pixels.shape[1] != PIXELS:
        raise FormatError(path, f"has rows of {pixels.shape[1]} pixels, not {PIXELS}")
    if len(pixels) == 0:
        raise FormatError(path, "holds no images")
    images = pixels.reshape(-1, COLORS, SIDE, SIDE).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(images), _labels(labels, len(images), path, classes)


def _labels(labels: object, count: int, path: Path, classes: int) -> np.ndarray:
    """Return labels as uint8 (N, 1), from a list or array of integers; 1.7, "1", True are not."""
    if isinstance(labels, np.ndarray) and labels.ndim == 1:
        labels = labels.tolist()
    if not isinstance(labels, list) or not all(map(is_int, labels)):
        raise FormatError(path, "has labels that are not integers")
    if len(labels) != count or not all(0 <= label < classes for label in labels):
        raise FormatError(
            path, f"must have one label in 0...{classes - 1} for each of {count} images"
        )
    return np.array(labels, np.uint8)[:, None]
