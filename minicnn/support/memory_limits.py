"""How much memory a model may take: a mistyped size is an error, not a dying machine."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager

from minicnn.errors import ArgumentError, SizeLimitError
from minicnn.shapes import is_int

FLOAT_BYTES = 4
# Pillow itself refuses pictures of more: two times its MAX_IMAGE_PIXELS.
MAX_PIXELS = 178_956_970
_limit = 16 * 2**30  # bytes for one parameter
_left: int | None = None  # bytes for all parameters inside `budget`
_pixels = 50_000_000  # of one picture in a file; a few bytes can declare one that fills the memory


def set_memory_limit(limit_bytes: int) -> None:
    """Refuse a single parameter array above this size; 16 GiB to begin with."""
    global _limit
    if limit_bytes < 1:
        raise ArgumentError(f"limit_bytes must be positive; got {limit_bytes}")
    _limit = limit_bytes


def set_pixel_limit(pixels: int) -> None:
    """Refuse a picture file of more pixels; 50 million to begin with.

    A picture takes 3 bytes a pixel while it is read, more in some formats.

    >>> set_pixel_limit(50_000_000)
    >>> pixel_limit()
    50000000
    """
    global _pixels
    if not is_int(pixels) or not 1 <= pixels <= MAX_PIXELS:
        raise ArgumentError(f"pixels must be an integer in 1...{MAX_PIXELS:,}; got {pixels!r:.80}")
    _pixels = int(pixels)


def pixel_limit() -> int:
    """The most pixels that a picture file may have."""
    return _pixels


@contextmanager
def budget(total_bytes: int) -> Iterator[None]:
    """Inside the block all new parameters together may take so much: what a file really holds."""
    global _left
    before, _left = _left, total_bytes
    try:
        yield
    finally:
        _left = before


def check_parameter(shape: tuple[int, ...], what: str = "weights") -> None:
    """Raise SizeLimitError if a float32 array of this shape would be too large."""
    global _left
    size = math.prod(shape) * FLOAT_BYTES
    if size > _limit:
        raise SizeLimitError(
            f"{what} of shape {shape} would need {size / 1e9:,.1f} GB (limit "
            f"{_limit / 1e9:,.1f} GB, see mc.set_memory_limit)"
        )
    if _left is not None:
        _left -= size
        if _left < 0:
            raise SizeLimitError(f"weights of shape {shape} are more than the file holds")


def check_activations(size: int, batch_size: int) -> None:
    """Raise SizeLimitError if one batch's `size` bytes are more than the machine's memory."""
    memory = memory_bytes()
    if size > memory:
        fitting = batch_size * memory // size
        remedy = f"batch_size={fitting} fits" if fitting else "use smaller images or fewer filters"
        raise SizeLimitError(
            f"one batch of {batch_size} needs {size / 1e9:,.1f} GB for the layers' outputs, and "
            f"this machine has {memory / 1e9:,.1f} GB; {remedy}"
        )


def check_images(count: int, shape: tuple[int, int, int]) -> None:
    """Raise SizeLimitError if so many uint8 images (H, W, C) are more than the machine's memory."""
    size, memory = count * math.prod(shape), memory_bytes()
    if size > memory:
        raise SizeLimitError(
            f"{count} images of {shape[0]}x{shape[1]} need {size / 1e9:,.1f} GB, and this machine "
            f"has {memory / 1e9:,.1f} GB; read them in batches (flow_from_directory) or smaller"
        )


def memory_bytes() -> int:
    """Of the machine; where the system does not say, as much as one parameter may take."""
    if not hasattr(os, "sysconf"):
        return _limit
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
