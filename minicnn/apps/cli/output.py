"""Output of the commands: results on standard output, everything else on standard error."""

from __future__ import annotations

import contextlib
import errno
import io
import itertools
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import click
import numpy as np

from minicnn.support.text import encodable, printable, printable_lines, say, screen_width

GAP = "  "  # between columns
NARROWEST = 12  # no column of text is folded to a smaller width
SCHEMA = 1  # of the `--json` objects; incremented when a key changes its meaning

_quiet = False
_silenced: tuple[Any, Any] | None = None  # standard output and error, if nothing is printed
_errors: IO[str] | None = None  # where errors are printed; None: on standard error


def show_everything() -> None:
    """Escape characters that the terminal's encoding lacks, instead of raising an error.

    This covers everything that is printed, also Python's warnings, click's errors and rich's lines.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def be_quiet(quiet: bool = True) -> None:
    """Suppress notes from now on, or show them again."""
    global _quiet
    _quiet = quiet


def be_silent() -> None:
    """Print nothing but errors from now on: another process prints the same."""
    global _errors, _silenced
    _errors, _silenced = sys.stderr, (sys.stdout, sys.stderr)
    sys.stdout = sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")


def be_heard() -> None:
    """Print again what `be_silent` suppressed: the other process has ended."""
    global _silenced
    if _silenced is not None:
        (sys.stdout, sys.stderr), _silenced = _silenced, None


def is_quiet() -> bool:
    """Return whether `--quiet` was given."""
    return _quiet


def verbosity() -> int | str:
    """Return `verbose` for `Model.fit`, which shows no progress after `--quiet`."""
    return 0 if _quiet else "auto"


def result(text: str) -> None:
    """Print a result, on standard output."""
    say(text)


def note(text: str) -> None:
    """Print a message about the progress, unless `--quiet` was given."""
    if not _quiet:
        say(text, sys.stderr)


def warn(text: str) -> None:
    """Print a warning, also with `--quiet`."""
    say(f"Warning: {text}", sys.stderr)


def error(text: str) -> None:
    """Print an error message, also with `--quiet`, and on any process."""
    stream = _errors or sys.stderr
    print(encodable(printable_lines(text), stream), file=stream, flush=True)


@contextlib.contextmanager
def prints_to_stderr() -> Iterator[None]:
    """Print what the framework prints, such as the progress of `fit`, on standard error."""
    with contextlib.redirect_stdout(sys.stderr):
        yield


def print_json(**fields: Any) -> None:
    """Print the fields as one JSON object; paths become strings and arrays become lists."""
    json_line({"schema": SCHEMA, **fields})


def either(as_json: bool, text: str, **fields: Any) -> None:
    """Print the result as a JSON object if `--json` was given, else as text."""
    if as_json:
        print_json(**fields)
    else:
        result(text)


def json_line(value: Any) -> None:
    """Print a value as one line of JSON, with JSON's escapes for what the terminal cannot show."""
    text = json.dumps(value, default=_plain, ensure_ascii=False)
    if encodable(text, sys.stdout) != text:
        text = json.dumps(value, default=_plain)
    say(text)


def check_target(
    path: Path | None,
    *,
    force: bool,
    endings: Sequence[str] = (),
    advice: str = "give another name, or --force to overwrite it",
) -> None:
    """Check, before any work is done, that the result can be written to `path`.

    `advice` says what to do if there is such a file already.

    Raises
    ------
    FileExistsError : the file exists, and `--force` was not given
    FileNotFoundError : the folder of the file does not exist
    click.BadParameter : the file's name has none of the `endings`
    """
    if path is None:
        return
    if endings and path.suffix.lower() not in endings:
        raise click.BadParameter(f"{path} must end in {' or '.join(endings)}")
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "no such folder; create it first", str(path.parent))
    if path.exists() and not force:
        raise FileExistsError(errno.EEXIST, f"exists already; {advice}", str(path))


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"cannot write {type(value).__name__} as JSON")


def table(
    headings: Sequence[str], rows: Iterable[Sequence[object]], width: int | None = None
) -> str:
    """Return a table whose columns are as wide as their widest cell; numbers are right-aligned.

    If the table is wider than `width`, by default that of the terminal, the widest columns of text
    are folded. A file or a pipe has no maximum width.

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
    """Narrow the widest columns of text until the table fits or all are narrow."""
    words = [i for i in range(len(widths)) if not right[i]]
    while most is not None and words and sum(widths) + len(GAP) * (len(widths) - 1) > most:
        widest = max(words, key=lambda i: widths[i])
        if widths[widest] <= NARROWEST:
            return
        widths[widest] -= 1


def _like_a_number(cell: str) -> bool:
    digits = cell.lstrip("+-").strip("%").replace(",", "").replace(".", "", 1)
    return cell in ("", "-") or digits.isdigit()


def _aligned(row: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    """Return a row, which has several lines if a cell is folded."""
    columns = [_pieces(cell, width) for cell, width in zip(row, widths, strict=True)]
    lines = []
    for cells in itertools.zip_longest(*columns, fillvalue=""):
        texts = [
            f"{cell:>{width}}" if align_right else f"{cell:<{width}}"
            for cell, width, align_right in zip(cells, widths, right, strict=True)
        ]
        lines.append(GAP.join(texts).rstrip())
    return "\n".join(lines)


def _pieces(cell: str, width: int) -> list[str]:
    """Fold a cell to this width, if possible at a space or before a `_`."""
    pieces = []
    while len(cell) > width:
        cut = max(cell.rfind(" ", 0, width + 1), cell.rfind("_", 1, width + 1))
        cut = cut if cut > 0 else width
        pieces.append(cell[:cut])
        cell = cell[cut:].lstrip()
    return [*pieces, cell]
