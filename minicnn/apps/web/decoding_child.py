"""The program that decodes images for the server: `python -m minicnn.apps.web.decoding_child`.

Decoders are written in C and read what strangers send. This process can do nothing but compute: it
has a limit of memory and of time for each image, and after its start it can open and write no file.
If it dies, the server starts another one. It reads requests from its standard input, and writes
replies to its standard output.
"""

from __future__ import annotations

import io
import os
import struct
from typing import BinaryIO, NamedTuple

from PIL import Image

from minicnn.data.image_files import with_opened_image
from minicnn.data.image_modes import as_mode, made_upright
from minicnn.errors import ImageReadError
from minicnn.support.files import text_or_empty

try:
    import resource
except ModuleNotFoundError:  # Windows; the server's own limit of time is left
    resource = None  # type: ignore[assignment]

REQUEST = struct.Struct(">IQ")  # largest side of the result in pixels, bytes of the file
REPLY = struct.Struct(">BIIQ")  # outcome, width, height, bytes of the result
# The outcomes; after READY, and after all but DECODED, the other numbers are 0.
READY, DECODED, NOT_AN_IMAGE, TOO_MANY_PIXELS, DAMAGED = range(5)

MEMORY_BYTES = 1 << 30  # on top of what Python and the decoders take when they start
CPU_SECONDS = 8  # for one image
QUALITY = 95  # of the JPEG; its features are nearly those of the original
BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)


class Result(NamedTuple):
    """What has become of one file."""

    outcome: int
    width: int = 0
    height: int = 0
    content: bytes = b""  # JPEG


def main() -> None:
    """Answer requests until the input ends."""
    requests, replies = _claim_pipes()
    _load_decoders()
    _limit_memory_and_files()
    _reply(replies, Result(READY))
    while header := requests.read(REQUEST.size):
        side, size = REQUEST.unpack(header)
        _limit_time()
        _reply(replies, decoded(requests.read(size), side))


def decoded(content: bytes, side: int) -> Result:
    """Return an image file as an upright JPEG without metadata, at most `side` pixels large."""
    try:
        return with_opened_image(content, lambda image: _encoded(_smaller(image, side)))
    except ImageReadError as error:
        if isinstance(error.__cause__, Image.UnidentifiedImageError):
            return Result(NOT_AN_IMAGE)
        return Result(TOO_MANY_PIXELS if isinstance(error.__cause__, BOMBS) else DAMAGED)
    except MemoryError:
        return Result(DAMAGED)


def _smaller(image: Image.Image, side: int) -> Image.Image:
    image.draft("RGB", (side, side))  # a large JPEG is decoded at 1/2, 1/4 or 1/8 of its size
    image = as_mode(made_upright(image), "RGB")
    image.thumbnail((side, side))
    return image


def _encoded(image: Image.Image) -> Result:
    image.info.clear()  # EXIF with the place, comments, color profiles
    content = io.BytesIO()
    image.save(content, "JPEG", quality=QUALITY, subsampling=0)
    return Result(DECODED, image.width, image.height, content.getvalue())


def _claim_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Return both pipes, and let nothing else in this process read or write them."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(nowhere, standard)
    return requests, replies


def _load_decoders() -> None:
    """Decode one image of each usual format, as no file can be opened for it later."""
    Image.init()
    for name in ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "PPM"):
        file = io.BytesIO()
        Image.new("RGB", (8, 8)).save(file, name)
        decoded(file.getvalue(), 4)


def _limit_memory_and_files() -> None:
    if resource is None:
        return
    used = _address_space()
    if used is not None:
        resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY_BYTES, used + MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _address_space() -> int | None:
    """Return the bytes of this process's address space; None if the system does not tell."""
    pages = text_or_empty("/proc/self/statm").partition(" ")[0]
    return int(pages) * os.sysconf("SC_PAGE_SIZE") if pages else None


def _limit_time() -> None:
    """Let the system end this process if the next image takes too long."""
    if resource is not None:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        end = int(usage.ru_utime + usage.ru_stime) + CPU_SECONDS
        resource.setrlimit(resource.RLIMIT_CPU, (end, resource.RLIM_INFINITY))


def _reply(replies: BinaryIO, result: Result) -> None:
    outcome, width, height, content = result
    replies.write(REPLY.pack(outcome, width, height, len(content)))
    replies.write(content)
    replies.flush()


if __name__ == "__main__":
    main()
