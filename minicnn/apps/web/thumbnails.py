"""Pictures as the pages show them: upright, no larger than needed, and without EXIF."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from minicnn.apps.library.models import Picture
from minicnn.apps.web.pictures import open_picture
from minicnn.apps.web.service import Service

SMALL, LARGE = 480, 1600  # pixels of the longer side: a card on a fine screen, and a page
MAX_BYTES = 32 << 20  # of the thumbnails in memory


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


kept = Kept()


def reencoded(service: Service, picture: Picture, side: int) -> bytes:
    """Return a picture as a JPEG whose longer side has at most `side` pixels.

    Raises
    ------
    Refused : 404: its file is gone; 413, 415, 422: it is not an image any more; 503: busy
    """

    def make() -> bytes:
        with open_picture(picture) as file:
            return service.decoders.decode(file.read(), side).content

    return kept.get(f"{picture.sha256} {side}", make)
