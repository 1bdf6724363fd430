"""Pictures as the pages show them: upright, no larger than needed, and without EXIF."""

from __future__ import annotations

import io
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from minicnn.data.image_files import with_opened_image
from minicnn.data.image_modes import as_mode, made_upright

SMALL, LARGE = 480, 1600  # pixels of the longer side: a card on a fine screen, and a page
QUALITY = 85
MAX_BYTES = 32 << 20  # of the thumbnails in memory


def reencoded(source: Path | bytes, side: int) -> bytes:
    """Return an image file as a JPEG whose longer side has at most `side` pixels.

    Raises
    ------
    ImageReadError : it is not an image, or is damaged
    OSError : the file cannot be opened
    """

    def shrink(image: Image.Image) -> Image.Image:
        image.draft("RGB", (2 * side, 2 * side))  # a JPEG is decoded at a fraction of its size
        small = as_mode(made_upright(image), "RGB")
        small.thumbnail((side, side), Image.Resampling.LANCZOS)
        return small

    content = io.BytesIO()
    with_opened_image(source, shrink).save(content, "JPEG", quality=QUALITY, optimize=True)
    return content.getvalue()


class Kept:
    """The latest results of a function, up to a number of bytes in all; for any threads."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes, self._bytes = max_bytes, 0
        self._contents: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str, make: Callable[[], bytes]) -> bytes:
        """Return what is kept under the key; make and keep it if there is nothing.

        >>> kept = Kept(max_bytes=5)
        >>> kept.get("a", lambda: b"abc"), kept.get("a", lambda: b"not called")
        (b'abc', b'abc')
        >>> kept.get("b", lambda: b"def"), kept.get("a", lambda: b"made again")
        (b'def', b'made again')
        """
        with self._lock:
            if key in self._contents:
                self._contents.move_to_end(key)
                return self._contents[key]
        content = make()
        self._keep(key, content)
        return content

    def _keep(self, key: str, content: bytes) -> None:
        with self._lock:
            self._bytes += len(content) - len(self._contents.pop(key, b""))
            self._contents[key] = content
            while self._bytes > self._max_bytes:
                _, oldest = self._contents.popitem(last=False)
                self._bytes -= len(oldest)


thumbnails = Kept()
