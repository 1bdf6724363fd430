"""Tables as CSV files, written whole or not at all."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Sequence
from typing import Any

from minicnn.atomic import write_atomically


def write_csv(
    path: str | os.PathLike[str], head: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """A row of names, then the others, in UTF-8; as RFC 4180 has it.

    Names of files that are no UTF-8 are written as the system has them.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(head)
    writer.writerows(rows)
    write_atomically(path, [text.getvalue().encode(errors="surrogateescape")])
