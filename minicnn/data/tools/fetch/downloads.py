"""Lists of links, downloaded into a folder: each a checked picture, named by its line."""

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
from minicnn.support.threads import Threads

THREADS = 8  # that wait for servers


class Fetched(NamedTuple):
    """What became of one link."""

    link: str
    path: Path | None  # of the picture
    reason: str  # "" if it was fetched now


def read_links(file: PathLike) -> list[str]:
    """The links of a csv, or of a text file with one a line; the same one only once.

    Of each row the first cell that looks like a link is taken, else its first cell: a row that
    cannot be used is then reported with the others. A heading is passed over.

    Raises
    ------
    FormatError : the file is no UTF-8 text, or has no link
    """
    try:
        rows = list(csv.reader(io.StringIO(read_text(file), newline="")))
    except csv.Error as error:
        raise FormatError(file, f"is no csv ({error})") from error
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
    """Download pictures into `folder`; a link that cannot be had is reported and passed over.

    Parameters
    ----------
    links : link k becomes the file `k.jpg` (five digits, counted from 1, ending by its content)
    folder : made if it is not there; nothing in it is overwritten
    limits : on address, size, time and redirects; default: `FetchLimits()`
    transport : how connections are made; default: the system's
    threads : that wait for servers side by side
    progress : called with (links done, links in all) after each

    Returns
    -------
    Fetched for each link, in their order. Where a run was interrupted, the next one goes on: links
    whose file is there are "already here". Of pictures with the same bytes the first is kept.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    limits, transport = limits or FetchLimits(), transport or Transport()
    here = {path.stem: path for path in sorted(folder.iterdir()) if is_image(path)}
    known = _known(here.values())
    numbered = [(f"{number:05d}", link) for number, link in enumerate(links, 1)]
    results = []
    with Threads(threads) as pool:
        jobs = deque(
            None if stem in here else pool.submit(_fetch, link, limits, transport)
            for stem, link in numbered
        )
        for stem, link in numbered:
            job = jobs.popleft()  # it holds the picture's bytes: kept, all would be in memory
            if job is None:
                done = Fetched(link, here[stem], "already here")
            else:
                done = _keep(link, job.result(), folder / stem, known)
            results.append(done)
            if progress is not None:
                progress(len(results), len(links))
    return results


def image_ending(content: bytes) -> str:
    """ ".jpg" for the bytes of a whole JPEG picture, and so on; FetchRefused if they are none."""

    def ending(image: Image.Image) -> str:
        image.load()  # whole: a cut-off file shows only at its end
        return EXTENSIONS_OF[image.format or ""][0]

    try:
        return with_opened_image(content, ending)
    except ImageReadError as error:
        raise FetchRefused(error.reason) from error


def _link_of(row: list[str]) -> str:
    cells = [cell.strip() for cell in row]
    like_links = [cell for cell in cells if "://" in cell]
    return (like_links or [cell for cell in cells if cell])[0]


def _fetch(link: str, limits: FetchLimits, transport: Transport) -> tuple[bytes, str] | str:
    """The picture's bytes and ending, or why there is none."""
    try:
        content = download(link, limits, transport).content
        return content, image_ending(content)
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
        return Fetched(link, None, f"the same picture as {first.name}")
    path = stem.with_name(stem.name + ending)
    write_atomically(path, [content])
    known[_digest(content)] = path
    return Fetched(link, path, "")


def _known(paths: Iterable[Path]) -> dict[bytes, Path]:
    """The files by their digests; what cannot be read is like none of them."""
    known = {}
    for path in paths:
        with suppress(OSError, FormatError):
            known[file_digest(path)] = path
    return known


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def write_report(results: Sequence[Fetched], path: PathLike) -> None:
    """A csv with a line for each link: link, file, reason."""
    rows = [[one.link, "" if one.path is None else one.path.name, one.reason] for one in results]
    write_csv(path, ["link", "file", "reason"], rows)
