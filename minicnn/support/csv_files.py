"""Writing tables as CSV files, atomically."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Sequence
from typing import Any

from minicnn.support.atomic_files import write_text
from minicnn.support.text import printable

FORMULA = "=+-@"  # a spreadsheet computes cells that begin with one of these


def write_csv(
    path: str | os.PathLike[str],
    head: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    exact: bool = False,
) -> None:
    """Write a row of column names and rows of cells as CSV (RFC 4180) in UTF-8.

    Parameters
    ----------
    path : the file
    head : names of the columns
    rows : numbers and strings
    exact : write strings unchanged, for programs that read file names back. By default unprintable
        characters are escaped and formulas begin with an apostrophe, which is safe for people and
        spreadsheets
    """
    write_text(path, csv_text([head, *rows], exact=exact))


def csv_text(rows: Iterable[Sequence[Any]], *, exact: bool = False) -> str:
    r"""Return rows of cells as the text of a CSV file; see `write_csv`.

    >>> csv_text([["path", "label"], ["a, b.jpg", "cat"]])
    'path,label\r\n"a, b.jpg",cat\r\n'
    """
    kept = (lambda cell: cell) if exact else plain_cell
    text = io.StringIO()
    csv.writer(text).writerows([kept(cell) for cell in row] for row in rows)
    return text.getvalue()


def plain_cell(cell: Any) -> Any:
    """Return a cell that no terminal or spreadsheet takes for anything but a text or a number.

    >>> plain_cell("=1+2"), plain_cell("-0.5"), plain_cell("cat.jpg"), plain_cell(-3)
    ("'=1+2", '-0.5', 'cat.jpg', -3)
    """
    if isinstance(cell, int | float):
        return cell
    text = "" if cell is None else printable(cell)
    if not text.startswith(tuple(FORMULA)) or text in FORMULA or _is_number(text):
        return text
    return f"'{text}"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
