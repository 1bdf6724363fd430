"""The process of one part: runs its items in order and writes a line of JSON about each.

    python -m gpu_parts.child PART FIRST FILE OPTIONS

An item that fails is reported, and the next one is run. After some errors the GPU's driver refuses
every later call: then the process ends, and its parent starts another one with the next item.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from pathlib import Path
from typing import Any

from gpu_parts.options import Item, Options

LOST = 3  # exit code: this process cannot use the GPU any more


def main() -> int:
    """Return 0 when all items have been run, LOST if the GPU can no longer be used."""
    part, first, to, options = sys.argv[1:]
    with Path(to).open("a", encoding="utf-8") as file:
        try:
            items = _items(part, options)
        except ModuleNotFoundError as err:
            _report(file, {"absent": err.name})
            return 0
        for number in range(int(first), len(items)):
            _report(file, {"start": number, "name": items[number].name, "of": len(items)})
            error = _run(items[number], file)
            if error is not None and "cannot use the GPU any more" in str(error):
                return LOST
    return 0


def _items(part: str, options: str) -> list[Item]:
    given = json.loads(options)
    tuples = {name: tuple(v) if isinstance(v, list) else v for name, v in given.items()}
    return importlib.import_module(f"gpu_parts.{part}").items(Options(**tuples))


def _run(item: Item, file: Any) -> Exception | None:
    start = time.perf_counter()
    try:
        row, error = item.work(), None
    except Exception as err:  # the others must still be measured
        row, error = {"error": f"{type(err).__name__}: {str(err)[:400]}"}, err
    seconds = round(time.perf_counter() - start, 3)
    _report(file, {"name": item.name, **row, "took_seconds": seconds})
    return error


def _report(file: Any, row: dict[str, Any]) -> None:
    print(json.dumps(row), file=file, flush=True)


if __name__ == "__main__":
    sys.exit(main())
