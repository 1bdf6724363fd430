"""Downloading a list of links into a folder; each file is a checked image, named by its line."""

from __future__ import annotations

import csv
import hashlib
import io
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from minicnn.data.folders import is_image
from minicnn.data.image_files import EXTENSIONS_OF, PathLike, with_opened_image
from minicnn.data.tools.fetch.download import FetchLimits, Transport, download
from minicnn.data.tools.fingerprints import file_digest
from minicnn.errors import FetchRefused, FormatError, ImageReadError
from minicnn.support.atomic_files import write_atomically
from minicnn.support.csv_files import write_csv
from minicnn.support.files import read_text
from minicnn.support.threads import ThreadPool

THREADS = 8  # they mostly wait for servers


class Fetched(NamedTuple):
    """The result for one link."""

    link: str
    path: Path | None  # of the image
    reason: str  # why there is no new file; "" if it was downloaded now


def read_links(file: PathLike) -> list[str]:
    """Read the links in a CSV file, or in a text file with one link per line, without duplicates.

    The first cell of a row that looks like a link is used, or else its first cell, so that a row
    without a link is reported with the failed ones. A heading is skipped.

    Raises
    ------
    FormatError : the file is not UTF-8, or has no links
    """
    try:
        rows = list(csv.reader(io.StringIO(read_text(file), newline="")))
    except csv.Error as error:
        raise FormatError(file, f"is not a CSV file ({error})") from error
    cells = [_link_of(row) for row in rows if any(cell.strip() for cell in row)]
    if cells and ":" not in cells[0]:
        del cells[0]  # the heading
    if not cells:
        raise FormatError(file, "has no links; lines look like https://example.com/cat.jpg")
    return list(dict.fromkeys(cells))


def fetch_images(
    links: Sequence[str],
    folder: PathLike,
    *,
    limits: FetchLimits | None = None,
    transport: Transport | None = None,
    threads: int = THREADS,
    progress: Callable[[int, int], None] | None = None,
) -> list[Fetched]:
    """Download images into `folder`; links that fail are reported and skipped.

    Parameters
    ----------
    links : link k becomes the file `k.jpg`, with five digits, counted from 1, and the extension of
        its content
    folder : it is created if needed; nothing in it is overwritten
    limits : on address, size, time and redirects; default: `FetchLimits()`
    transport : opens connections; default: those of the system
    threads : number of simultaneous downloads
    progress : called with (links done, number of links) after each

    Returns
    -------
    A Fetched for each link, in their order. The same call continues an interrupted one: links whose
    file exists are "already here". Of images with the same content only the first is kept.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    limits, transport = limits or FetchLimits(), transport or Transport()
    here = {path.stem: path for path in sorted(folder.iterdir()) if is_image(path)}
    known = _known(here.values())
    numbered = [(f"{number:05d}", link) for number, link in enumerate(links, 1)]
    results = []
    with ThreadPool(threads) as pool:
        jobs = deque(
            None if stem in here else pool.submit(_fetch, link, limits, transport)
            for stem, link in numbered
        )
        for stem, link in numbered:
            job = jobs.popleft()  # dropped after its turn, so that not all images stay in memory
            if job is None:
                done = Fetched(link, here[stem], "already here")
            else:
                done = _keep(link, job.result(), folder / stem, known)
            results.append(done)
            if progress is not None:
                progress(len(results), len(links))
    return results


def image_extension(content: bytes) -> str:
    """Return the extension for the content of an image file; FetchRefused if it is not one."""

    def extension(image: Image.Image) -> str:
        image.load()  # decodes all of it, as a truncated file differs only at its end
        return EXTENSIONS_OF[image.format or ""][0]

    try:
        return with_opened_image(content, extension)
    except ImageReadError as error:
        raise FetchRefused(error.reason) from error


def _link_of(row: list[str]) -> str:
    cells = [cell.strip() for cell in row]
    like_links = [cell for cell in cells if "://" in cell]
    return (like_links or [cell for cell in cells if cell])[0]


def _fetch(link: str, limits: FetchLimits, transport: Transport) -> tuple[bytes, str] | str:
    """Return the content and extension of an image, or why there is none."""
    try:
        content = download(link, limits, transport).content
        return content, image_extension(content)
    except FetchRefused as error:
        return error.reason


def _keep(
    link: str, found: tuple[bytes, str] | str, stem: Path, known: dict[bytes, Path]
) -> Fetched:
    if isinstance(found, str):
        return Fetched(link, None, found)
    content, ending = found
    first = known.get(_digest(content))
    if first is not None:
        return Fetched(link, None, f"the same image as {first.name}")
    path = stem.with_name(stem.name + ending)
    write_atomically(path, [content])
    known[_digest(content)] = path
    return Fetched(link, path, "")


def _known(paths: Iterable[Path]) -> dict[bytes, Path]:
    """Return the files by their digests, without those that cannot be read."""
    known = {}
    for path in paths:
        with suppress(OSError, FormatError):
            known[file_digest(path)] = path
    return known


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def write_report(results: Sequence[Fetched], path: PathLike) -> None:
    """Write a CSV file with one line per link: link, file and reason."""
    rows = [[one.link, "" if one.path is None else one.path.name, one.reason] for one in results]
    write_csv(path, ["link", "file", "reason"], rows)
