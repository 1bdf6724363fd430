"""Reading a picture once for everything that a library wants to know of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from minicnn.apps.library.feature_extractor import FeatureExtractor, Reading
from minicnn.data.image_files import with_opened_image
from minicnn.data.image_modes import (
    MODES,
    SIXTEEN_BITS,
    UPRIGHT,
    as_mode,
    eight_bits,
    orientation,
)
from minicnn.data.images import INTERPOLATIONS
from minicnn.data.tools.fingerprints import SIDE, look_bits
from minicnn.errors import FormatError, ImageReadError, SizeLimitError
from minicnn.support.files import read_whole

MAX_BYTES = 1 << 30  # of a file
# A large JPEG is decoded at a fraction of its size, but never below this. It does not depend on the
# extractors up to a size of 224, so that a picture looks the same to each of them, whichever others
# read it too.
LEAST_SIDE = 448
CAMERA_FACTS = 0x8769  # where EXIF has the next two
TAKEN = 0x9003
OFFSET = 0x9011  # of the camera's clock from UTC


class PictureRead(NamedTuple):
    """What is known of a picture before any features are computed."""

    sha256: str
    width: int  # pixels, upright
    height: int
    orientation: int  # as in EXIF, 1...8
    taken: datetime | None  # by the camera; a clock without a time zone counts as UTC
    perceptual_hash: int  # 64 bits, signed as databases want it
    images: dict[str, np.ndarray]  # {extractor's name: uint8 (H, W, C)}


def read_picture(source: Path | str | bytes, extractors: Iterable[FeatureExtractor]) -> PictureRead:
    """Read a picture, and make the images that the extractors want.

    Parameters
    ----------
    source : a file, which is read once; or its content
    extractors : those that will describe the picture

    Raises
    ------
    ImageReadError : it is not an image, is damaged or has too many pixels
    OSError : the file cannot be opened
    """
    content = source if isinstance(source, bytes) else _content(source)
    wanted = {one.name: one.reading for one in extractors}
    try:
        opened: _Opened = with_opened_image(content, lambda image: _opened(image, wanted.values()))
    except ImageReadError as error:
        if isinstance(source, bytes):
            raise
        raise ImageReadError(source, error.reason) from error
    return PictureRead(
        hashlib.sha256(content).hexdigest(),
        *opened[:4],
        _perceptual_hash(opened.upright),
        {name: opened.image(reading) for name, reading in wanted.items()},
    )


class _Opened(NamedTuple):
    """A decoded image and what its file says about it."""

    width: int
    height: int
    orientation: int
    taken: datetime | None
    stored: Image.Image
    upright: Image.Image

    def image(self, reading: Reading) -> np.ndarray:
        """Return the image as an extractor wants it, (H, W, C)."""
        image = as_mode(self.upright if reading.upright else self.stored, MODES[reading.color_mode])
        size = reading.size[1], reading.size[0]
        if image.size != size:
            image = image.resize(size, INTERPOLATIONS[reading.interpolation])
        pixels = np.array(image)
        return pixels if pixels.ndim == 3 else pixels[..., None]


def _content(path: Path | str) -> bytes:
    try:
        return read_whole(path, MAX_BYTES)
    except SizeLimitError as error:
        raise ImageReadError(path, f"it is larger than {MAX_BYTES >> 30} GB") from error
    except FormatError as error:
        raise ImageReadError(path, error.reason) from error


def _opened(image: Image.Image, wanted: Iterable[Reading]) -> _Opened:
    """Decode an opened image, not larger than needed."""
    size, recorded, taken = image.size, orientation(image), _taken(image)
    side = max([LEAST_SIDE, *(2 * max(reading.size) for reading in wanted)])
    image.draft("RGB", (side, side))
    image.load()
    turned = orientation(image)  # 1 for a TIFF: Pillow has turned it, and its size too
    if image.mode in SIXTEEN_BITS:
        image, _ = eight_bits(image)
    elif image.mode not in MODES.values():
        image = as_mode(image, "RGB")
    upright = image.transpose(UPRIGHT[turned]) if turned in UPRIGHT else image
    width, height = size[::-1] if turned >= 5 else size  # 5...8 are on their side
    return _Opened(width, height, recorded, taken, image, upright)


def _taken(image: Image.Image) -> datetime | None:
    """Return when the camera took the picture; None if that is missing or not a time."""
    try:
        facts = image.getexif().get_ifd(CAMERA_FACTS)
        text, offset = str(facts.get(TAKEN, "")), str(facts.get(OFFSET, ""))
    except Exception:  # Pillow raises many types for damaged EXIF data; the image may be intact
        return None
    for form, words in (("%Y:%m:%d %H:%M:%S%z", text + offset), ("%Y:%m:%d %H:%M:%S", text)):
        try:
            found = datetime.strptime(words.strip("\0 "), form)
            return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        except (ValueError, OverflowError):
            continue
    return None


def _perceptual_hash(image: Image.Image) -> int:
    gray = as_mode(image, "L").resize((SIDE, SIDE), Image.Resampling.BOX)
    return int(look_bits(np.asarray(gray, np.float32)).view(np.int64))
