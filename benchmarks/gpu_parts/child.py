"""The process of one part: does its items in order and writes a line of JSON about each.

    python -m gpu_parts.child PART FIRST FILE OPTIONS

An item that fails is reported and the next one is tried. After some errors of a GPU the driver
refuses everything: then the process ends, and its parent starts another one behind the item.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from pathlib import Path
from typing import Any

from gpu_parts.options import Item, Options

LOST = 3  # exit code: this process can use the GPU no more


def main() -> int:
    """0 when all items have been tried, LOST when the GPU is lost before."""
    part, first, to, options = sys.argv[1:]
    with Path(to).open("a", encoding="utf-8") as file:
        try:
            items = _items(part, options)
        except ModuleNotFoundError as err:
            _tell(file, {"absent": err.name})
            return 0
        for number in range(int(first), len(items)):
            _tell(file, {"start": number, "name": items[number].name, "of": len(items)})
            error = _do(items[number], file)
            if error is not None and "lost for this process" in str(error):
                return LOST
    return 0


def _items(part: str, options: str) -> list[Item]:
    given = json.loads(options)
    tuples = {name: tuple(v) if isinstance(v, list) else v for name, v in given.items()}
    return importlib.import_module(f"gpu_parts.{part}").items(Options(**tuples))


def _do(item: Item, file: Any) -> Exception | None:
    start = time.perf_counter()
    try:
        row, error = item.work(), None
    except Exception as err:  # the others must still be measured
        row, error = {"error": f"{type(err).__name__}: {str(err)[:400]}"}, err
    seconds = round(time.perf_counter() - start, 3)
    _tell(file, {"name": item.name, **row, "took_seconds": seconds})
    return error


def _tell(file: Any, row: dict[str, Any]) -> None:
    print(json.dumps(row), file=file, flush=True)


if __name__ == "__main__":
    sys.exit(main())
