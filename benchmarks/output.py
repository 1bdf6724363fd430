"""The output folder of the benchmarks, and their figures, which need matplotlib."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from minicnn.errors import MissingExtraError

OUT = Path("runs/benchmarks")  # not results/ beside this file, whose figures the docs show


def add_out(parser: argparse.ArgumentParser) -> None:
    """Add the option --out."""
    parser.add_argument("--out", type=Path, default=OUT, help=f"folder to write to; default: {OUT}")


def draw(plot: Callable[..., None], path: Path, *what: Any) -> None:
    """Call `plot(path, *what)`; without matplotlib, print why there is no figure."""
    try:
        plot(path, *what)
    except MissingExtraError as err:
        print(f"no {path.name}: {err}")
