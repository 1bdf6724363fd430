"""Where a verb writes: results on standard output, all else on standard error."""

from __future__ import annotations

import errno
import io
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np

from minicnn.text import encodable, printable, say

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


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Columns as wide as their widest entry; numbers and what looks like them to the right.

    >>> print(table(["class", "images"], [["cat", 12], ["horse", 3]]))
    class  images
    cat        12
    horse       3
    """
    cells = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(headings, *cells, strict=True)]
    right = [
        bool(cells) and all(_like_a_number(row[i]) for row in cells) for i in range(len(widths))
    ]
    return "\n".join(_aligned(row, widths, right) for row in [list(headings), *cells])


def _like_a_number(cell: str) -> bool:
    return cell in ("", "-") or cell.strip("%").replace(",", "").replace(".", "", 1).isdigit()


def _aligned(row: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    cells = [
        f"{cell:>{width}}" if to_the_right else f"{cell:<{width}}"
        for cell, width, to_the_right in zip(row, widths, right, strict=True)
    ]
    return "  ".join(cells).rstrip()
