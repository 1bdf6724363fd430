"""Where the benchmarks write, and their pictures, which need matplotlib."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from minicnn.errors import MissingExtraError

OUT = Path("runs/benchmarks")  # not `results` beside this file: those are what README.md shows


def add_out(parser: argparse.ArgumentParser) -> None:
    """The option --out."""
    parser.add_argument("--out", type=Path, default=OUT, help=f"folder to write to; default: {OUT}")


def draw(plot: Callable[..., None], path: Path, *what: Any) -> None:
    """`plot(path, *what)`; without matplotlib a line says that there is no picture, and why."""
    try:
        plot(path, *what)
    except MissingExtraError as err:
        print(f"no {path.name}: {err}")
