"""What a part is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class Options(NamedTuple):
    """Of the command line, for every part."""

    simulate: bool = False  # on the processor: tiny shapes
    kernels: tuple[str, ...] = ()  # only those with one of these in their name
    networks: tuple[str, ...] = ()


class Item(NamedTuple):
    """One thing to measure; `work` returns what was found, by name."""

    name: str
    work: Callable[[], dict[str, Any]]
