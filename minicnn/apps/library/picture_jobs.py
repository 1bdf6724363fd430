"""Reading a picture of a library in a thread, and what is written to its row."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np

from minicnn.apps.library.feature_extractor import FeatureExtractor
from minicnn.apps.library.listing import stamp_of
from minicnn.apps.library.models import Picture
from minicnn.apps.library.reading import read_picture
from minicnn.data.image_files import reason_of
from minicnn.support.text import printable

NANOSECONDS = 10**9
# The columns that indexing writes.
COLUMNS = (
    "size", "modified", "sha256", "failure", "width", "height", "orientation", "taken",
    "perceptual_hash", "claimed_by", "claimed_at",
)  # fmt: skip
BUSY = "it changed while it was read"
NO_MEMORY = "there was too little memory for it"


class ReadJob(NamedTuple):
    """A picture whose columns are filled, except that it has not been written."""

    picture: Picture
    images: dict[str, np.ndarray]  # {extractor's name: uint8 (H, W, C)}; {} if it cannot be read


def read_job(picture: Picture, extractors: Sequence[FeatureExtractor]) -> ReadJob | None:
    """Read the file of a picture; None if it does not exist any more.

    A file that cannot be read is a picture with a `failure`.
    """
    path = os.path.join(picture.folder.path, picture.path)
    picture.claimed_by, picture.claimed_at = "", None
    try:
        return ReadJob(picture, _read(picture, path, extractors))
    except FileNotFoundError:
        return None
    except (OSError, MemoryError) as error:
        reason = reason_of(error) if isinstance(error, OSError) else NO_MEMORY
        picture.sha256, picture.failure = "", printable(reason)
        return ReadJob(picture, {})


def _read(
    picture: Picture, path: str, extractors: Sequence[FeatureExtractor]
) -> dict[str, np.ndarray]:
    stamp = stamp_of(path)
    read = read_picture(path, extractors)
    if stamp_of(path) != stamp:
        raise OSError(errno.EBUSY, BUSY, path)
    picture.size, picture.modified = stamp
    picture.sha256, picture.failure = read.sha256, ""
    picture.width, picture.height = read.width, read.height
    picture.orientation, picture.perceptual_hash = read.orientation, read.perceptual_hash
    picture.taken = read.taken or _time(stamp.modified)
    return read.images


def _time(modified: int) -> datetime | None:
    """Return the time of a file; None for one that no calendar has."""
    try:
        return datetime.fromtimestamp(modified / NANOSECONDS, UTC)
    except (OSError, OverflowError, ValueError):
        return None
