"""Tables as CSV files, written whole or not at all."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Sequence
from typing import Any

from minicnn.support.atomic_files import write_text
from minicnn.support.text import printable

FORMULA = "=+-@"  # with these a cell begins that a spreadsheet would compute


def write_csv(
    path: str | os.PathLike[str],
    head: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    exact: bool = False,
) -> None:
    """A row of names, then the others, in UTF-8; as RFC 4180 has it.

    Parameters
    ----------
    path : the file
    head : names of the columns
    rows : numbers and texts
    exact : for a program that reads names of files back: texts keep every byte. Else they are for
        people and spreadsheets: what is no text is escaped, and what would be a formula begins
        with an apostrophe
    """
    kept = (lambda cell: cell) if exact else plain_cell
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerows([kept(cell) for cell in row] for row in [head, *rows])
    write_text(path, text.getvalue())


def plain_cell(cell: Any) -> Any:
    """A cell that every reader takes for the text or the number that it is.

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
