"""A library for the tests of the pages: pictures with dates, an odd name, a damaged file."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from django.test import Client
from PIL import Image
from served_library import COLORS, fill_library, image_bytes

from minicnn.apps.library.models import Picture
from minicnn.apps.web import service
from minicnn.apps.web.service import Service

CAMERA_FACTS, TAKEN, ORIENTATION = 0x8769, 0x9003, 0x0112  # of EXIF
ODD = "a <b>bold & 'quoted' name.jpg"
READABLE = len(COLORS) + 1  # with the picture of the odd name
YEARS = range(2017, 2025)  # the picture of each color was taken in one of them


def make_library(folder: Path, database: str = "") -> str:
    """Make a library of nine pictures and a file that is none; return its file, or `database`."""
    pictures = folder / "pictures"
    (pictures / "below").mkdir(parents=True)
    for color, year in zip(COLORS, YEARS, strict=True):
        exif = Image.Exif()
        exif.get_ifd(CAMERA_FACTS)[TAKEN] = f"{year}:06:15 12:00:00"
        exif[ORIENTATION] = 6 if color == "red" else 1
        (pictures / f"{color}.jpg").write_bytes(image_bytes(color, exif=exif))
    (pictures / "below" / ODD).write_bytes(image_bytes("navy", size=(80, 60)))
    (pictures / "damaged.jpg").write_bytes(image_bytes("red")[:300])
    library = fill_library(database or folder / "library.sqlite3", pictures)
    library.close()
    return library.address


@contextlib.contextmanager
def serving_pages(folder: Path, database: str = "", **options: object) -> Iterator[Service]:
    """Make the library, and answer requests during the block, without a server."""
    yield service.start(make_library(folder, database), **options)
    service.stop()


def a_browser() -> Client:
    """What sends requests in place of a browser."""
    return Client(SERVER_NAME="localhost")


class Page(HTMLParser):
    """The tags and the text of a page."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.source = content.decode()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._texts: list[str] = []
        self.feed(self.source)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self._texts.append(data)

    @property
    def text(self) -> str:
        """The words of the page, with single spaces."""
        return " ".join("".join(self._texts).split())

    def all(self, tag: str, **wanted: str) -> list[dict[str, str | None]]:
        """The attributes of the tags that have these ones."""
        found = (attributes for name, attributes in self.tags if name == tag)
        return [one for one in found if wanted.items() <= one.items()]

    @property
    def links(self) -> list[str]:
        return [str(one["href"]) for one in self.all("a")]

    @property
    def hits(self) -> list[int]:
        """The keys of the pictures that were found, in their order."""
        return [int(str(one["data-picture"])) for one in self.all("li") if "data-picture" in one]

    @property
    def scores(self) -> list[tuple[float, list[float]]]:
        """The score of each card, and its parts."""
        found = []
        for card in re.findall(r'<table class="parts">.*?</table>', self.source, re.DOTALL):
            *parts, total = map(float, re.findall(r"<td>([^<]+)</td>", card))
            found.append((total, parts))
        return found


def number_of(current, name: str) -> int:
    return Picture.objects.using(current.library.alias).get(path=name).pk


def read(browser, address: str, status: int = 200) -> Page:
    """Open a page."""
    response = browser.get(address)
    assert response.status_code == status
    return Page(response.content)


def file_of(content: bytes) -> io.BytesIO:
    """A file for a form."""
    file = io.BytesIO(content)
    file.name = "query.jpg"
    return file


def uploaded(browser, color: str = "red") -> str:
    """Search for a picture of a color; return the address of the results."""
    response = browser.post("/search", {"image": file_of(image_bytes(color))})
    assert response.status_code == 303
    return response["Location"]
