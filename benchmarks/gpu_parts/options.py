"""What a part measures, and the options of the command line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class Options(NamedTuple):
    """Options of the command line, for all parts."""

    simulate: bool = False  # tiny shapes in the simulator
    kernels: tuple[str, ...] = ()  # only kernels with one of these in their name
    networks: tuple[str, ...] = ()


class Item(NamedTuple):
    """One measurement; `work` returns its figures by name."""

    name: str
    work: Callable[[], dict[str, Any]]
