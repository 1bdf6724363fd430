"""Where a verb writes: results on standard output, all else on standard error."""

from __future__ import annotations

import errno
import io
import itertools
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np

from minicnn.support.text import encodable, printable, say, screen_width

GAP, NARROWEST = "  ", 12  # between columns; a column of words is never folded below that
SCHEMA = 1  # of the `--json` objects; a number more when a key changes its meaning

_quiet = False


def show_everything() -> None:
    """Let nothing that is printed end the program, whatever the terminal's encoding is.

    This holds for what others print, too: Python's warnings, click's errors, rich's lines.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def be_quiet(quiet: bool = True) -> None:
    """Write no notes from now on."""
    global _quiet
    _quiet = quiet


def is_quiet() -> bool:
    """Was `--quiet` given?"""
    return _quiet


def result(text: str) -> None:
    """A line that the verb was called for."""
    say(text)


def note(text: str) -> None:
    """A line about how the work goes; not with `--quiet`."""
    if not _quiet:
        say(text, sys.stderr)


def warn(text: str) -> None:
    """A line that is written with `--quiet` too."""
    say(f"Warning: {text}", sys.stderr)


def error(text: str) -> None:
    """What went wrong."""
    say(text, sys.stderr)


def print_json(**fields: Any) -> None:
    """The result as one object, as `--json` asks for; paths and arrays become text and lists."""
    json_line({"schema": SCHEMA, **fields})


def either(as_json: bool, text: str, **fields: Any) -> None:
    """The result as one asked for it: as one object with `--json`, else in words."""
    if as_json:
        print_json(**fields)
    else:
        result(text)


def json_line(value: Any) -> None:
    """One object on one line; with JSON's own escapes for what the terminal cannot show."""
    text = json.dumps(value, default=_plain, ensure_ascii=False)
    if encodable(text, sys.stdout) != text:
        text = json.dumps(value, default=_plain)
    say(text)


def check_target(path: Path | None, *, force: bool, endings: Sequence[str] = ()) -> None:
    """Raise, before any work, if a result cannot be written to `path` in the end.

    Raises
    ------
    FileExistsError : the file is there, and may not be written over without `--force`
    FileNotFoundError : its folder is not there
    click.BadParameter : its name has none of the `endings`, if any are given
    """
    if path is None:
        return
    if endings and path.suffix.lower() not in endings:
        raise click.BadParameter(f"{path} must end in {' or '.join(endings)}, which says its kind")
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "no such folder; make it first", str(path.parent))
    if path.exists() and not force:
        text = "is there already; give a new name, or --force to write over it"
        raise FileExistsError(errno.EEXIST, text, str(path))


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"no JSON for {type(value).__name__}")


def table(
    headings: Sequence[str], rows: Iterable[Sequence[object]], width: int | None = None
) -> str:
    """Columns as wide as their widest entry; numbers and what looks like them to the right.

    Where that is more than `width`, the terminal's by default, the widest columns of words are
    folded; a file or a pipe takes any width.

    >>> print(table(["class", "images"], [["cat", 12], ["horse", 3]]))
    class  images
    cat        12
    horse       3
    >>> print(table(["kernel", "ms"], [["conv2d_max_pool2d_forward", 3]], 20))
    kernel            ms
    conv2d_max         3
    _pool2d_forward
    """
    cells = [[printable(cell) for cell in row] for row in [headings, *rows]]
    right = [
        len(cells) > 1 and all(_like_a_number(row[i]) for row in cells[1:])
        for i in range(len(headings))
    ]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    _narrow(widths, right, screen_width() if width is None else width)
    return "\n".join(_aligned(row, widths, right) for row in cells)


def _narrow(widths: list[int], right: Sequence[bool], most: int | None) -> None:
    """Take from the widest column of words until all fit, or none is wide."""
    words = [i for i in range(len(widths)) if not right[i]]
    while most is not None and words and sum(widths) + len(GAP) * (len(widths) - 1) > most:
        widest = max(words, key=lambda i: widths[i])
        if widths[widest] <= NARROWEST:
            return
        widths[widest] -= 1


def _like_a_number(cell: str) -> bool:
    return cell in ("", "-") or cell.strip("%").replace(",", "").replace(".", "", 1).isdigit()


def _aligned(row: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    """A row, of more than one line where a cell was folded."""
    columns = [_pieces(cell, width) for cell, width in zip(row, widths, strict=True)]
    lines = []
    for cells in itertools.zip_longest(*columns, fillvalue=""):
        texts = [
            f"{cell:>{width}}" if to_the_right else f"{cell:<{width}}"
            for cell, width, to_the_right in zip(cells, widths, right, strict=True)
        ]
        lines.append(GAP.join(texts).rstrip())
    return "\n".join(lines)


def _pieces(cell: str, width: int) -> list[str]:
    """The cell in lines of that width, cut after a blank or before a `_` where there is one."""
    pieces = []
    while len(cell) > width:
        cut = max(cell.rfind(" ", 0, width + 1), cell.rfind("_", 1, width + 1))
        cut = cut if cut > 0 else width
        pieces.append(cell[:cut])
        cell = cell[cut:].lstrip()
    return [*pieces, cell]
