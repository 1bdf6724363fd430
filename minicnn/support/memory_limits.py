"""Limits of memory, so that a mistyped size is an error and does not exhaust the machine."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager

from minicnn.errors import ArgumentError, SizeLimitError
from minicnn.shapes import is_int
from minicnn.support.text import quoted

FLOAT_BYTES = 4
# Pillow itself refuses larger images: it is two times its MAX_IMAGE_PIXELS.
MAX_PIXELS = 178_956_970
_limit = 16 * 2**30  # bytes for one parameter
_left: int | None = None  # bytes left for parameters inside `budget`
_pixels = 50_000_000  # of one image file, a few bytes of which can declare any size


def set_memory_limit(limit_bytes: int) -> None:
    """Set the largest size of a single parameter array, in bytes; 16 GiB by default.

    Raises
    ------
    ArgumentError : `limit_bytes` is less than 1
    """
    global _limit
    if limit_bytes < 1:
        raise ArgumentError(f"limit_bytes must be positive; got {limit_bytes}")
    _limit = limit_bytes


def set_pixel_limit(pixels: int) -> None:
    """Set the largest number of pixels of an image file that is read; 50 million by default.

    An image takes 3 bytes per pixel while it is read, more in some formats.

    >>> set_pixel_limit(50_000_000)
    >>> pixel_limit()
    50000000
    """
    global _pixels
    if not is_int(pixels) or not 1 <= pixels <= MAX_PIXELS:
        raise ArgumentError(
            f"pixels must be an integer in 1...{MAX_PIXELS:,}; got {quoted(pixels)}"
        )
    _pixels = int(pixels)


def pixel_limit() -> int:
    """Return the largest number of pixels that an image file may have."""
    return _pixels


@contextmanager
def budget(total_bytes: int) -> Iterator[None]:
    """Limit the size of all parameters that are created inside the block, in bytes.

    So a file that is read cannot make more parameters than it holds.
    """
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
    """Raise SizeLimitError if the `size` bytes of one batch exceed the machine's memory."""
    memory = memory_bytes()
    if size > memory:
        fitting = batch_size * memory // size
        remedy = f"batch_size={fitting} fits" if fitting else "use smaller images or fewer filters"
        raise SizeLimitError(
            f"one batch of {batch_size} needs {size / 1e9:,.1f} GB for the layers' outputs, and "
            f"this machine has {memory / 1e9:,.1f} GB; {remedy}"
        )


def check_images(count: int, shape: tuple[int, int, int]) -> None:
    """Raise SizeLimitError if `count` uint8 images (H, W, C) exceed the machine's memory."""
    size, memory = count * math.prod(shape), memory_bytes()
    if size > memory:
        raise SizeLimitError(
            f"{count} images of {shape[0]}x{shape[1]} need {size / 1e9:,.1f} GB, and this machine "
            f"has {memory / 1e9:,.1f} GB; read them in batches (flow_from_directory) or smaller"
        )


def memory_bytes() -> int:
    """Return the bytes of the machine's memory; if unknown, the limit of one parameter."""
    if not hasattr(os, "sysconf"):
        return _limit
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
