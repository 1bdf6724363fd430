"""Image files: the supported formats, opening a file safely, and why one cannot be read."""

from __future__ import annotations

import functools
import io
import os
from collections.abc import Callable
from typing import Any, BinaryIO

from PIL import Image

from minicnn.errors import FormatError, ImageReadError
from minicnn.support.files import open_regular
from minicnn.support.memory_limits import pixel_limit

# Pillow's name of each supported format and its file extensions in lower case. A file's format is
# taken from its content, never from its name. Pillow supports more formats, but some of them start
# other programs (Ghostscript), and no camera writes the others.
EXTENSIONS_OF = {
    "JPEG": (".jpg", ".jpeg"),
    "PNG": (".png",),
    "BMP": (".bmp",),
    "GIF": (".gif",),
    "TIFF": (".tif", ".tiff"),
    "WEBP": (".webp",),
    "PPM": (".ppm", ".pgm"),
}
FORMATS = tuple(EXTENSIONS_OF)
HEIF = "HEIF"  # Pillow's name of HEIC, which the package pillow-heif adds to it
IMAGE_EXTENSIONS = tuple(ending for endings in EXTENSIONS_OF.values() for ending in endings)
# Some cameras append a second image to a JPEG. Pillow opens it as a JPEG and then names it MPO.
EXTENSIONS_OF["MPO"] = EXTENSIONS_OF["JPEG"]

PathLike = str | os.PathLike[str]


def with_opened_image(path: PathLike | bytes, function: Callable[[Image.Image], Any]) -> Any:
    """Open an image, call `function` with it and return the result.

    Parameters
    ----------
    path : str or path, or the content of a file as bytes
    function : called with the PIL image while its file is open; pixels are not decoded yet

    Raises
    ------
    ImageReadError : the file is not an image, is damaged or has too many pixels, whatever exception
        Pillow's decoder raised
    OSError : the file cannot be opened, such as FileNotFoundError and PermissionError
    """
    with io.BytesIO(path) if isinstance(path, bytes) else _open(path) as file:
        try:
            with Image.open(file, formats=readable_formats()) as image:
                if image.width * image.height > pixel_limit():
                    raise Image.DecompressionBombError
                return function(image)
        except MemoryError:
            raise
        except Exception as error:  # decoders raise OSError, SyntaxError, struct.error and others
            name = "<bytes>" if isinstance(path, bytes) else path
            raise ImageReadError(
                name, _decoder_failure(error, file.seek(0, os.SEEK_END))
            ) from error


@functools.cache
def reads_heic() -> bool:
    """Return whether the optional package for HEIC, the format of many phones, is installed."""
    try:
        import pillow_heif
    except ImportError:
        return False
    pillow_heif.register_heif_opener(thumbnails=False)
    return True


def readable_formats() -> tuple[str, ...]:
    """Return Pillow's names of the formats that are read: `FORMATS`, and HEIC where it can be."""
    return (*FORMATS, HEIF) if reads_heic() else FORMATS


def why_unreadable(path: PathLike) -> str | None:
    """Return why a file is not a readable image, or None if its header is valid.

    Only the first bytes are read, so an image that is damaged further on is not noticed.
    """
    try:
        with_opened_image(path, lambda image: None)
    except OSError as error:
        return reason_of(error)
    return None


def reason_of(error: OSError) -> str:
    """Return in a few words, without the path, why a file could not be read."""
    if isinstance(error, ImageReadError):
        return error.reason
    return error.strerror or type(error).__name__


def _open(path: PathLike) -> BinaryIO:
    """Open a regular file; one that can never be an image, such as a pipe, is an ImageReadError."""
    try:
        return open_regular(path)
    except FormatError as error:
        raise ImageReadError(path, error.reason) from error


def _decoder_failure(error: Exception, size: int) -> str:
    """Describe an exception that was raised while a file of `size` bytes was decoded."""
    if size == 0:
        return "the file is empty"
    if isinstance(error, Image.UnidentifiedImageError):
        return "it is not an image in a supported format"
    if isinstance(error, (Image.DecompressionBombError, Image.DecompressionBombWarning)):
        return f"it has more than {pixel_limit():,} pixels; mc.set_pixel_limit allows more"
    if "truncated" in str(error).lower() or isinstance(error, EOFError):
        return f"the image is truncated: the file ends after {size:,} bytes"
    return f"it is damaged: {error}" if str(error) else f"it is damaged: {type(error).__name__}"
