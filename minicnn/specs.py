"""What the contract of a kernel is made of: the Specs of arrays, and their names."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

Shape = tuple[int, ...]


class Spec(NamedTuple):
    """Shape and dtype of an array."""

    shape: Shape
    dtype: str = "float32"


class Contract(NamedTuple):
    """The arrays of one kernel, in the order of its arguments and results."""

    reads: tuple[str, ...]  # a name ending in "?" may be None
    writes: tuple[str, ...]
    specs: Callable[..., tuple[Spec, ...]]  # (*specs of reads, **attributes) -> specs of writes
    updates: tuple[str, ...] = ()  # writes that replace the read of the same name in place
    in_place: str = ""  # the read that the first write may overwrite element by element
    on_host: bool = False  # a few values, which every engine leaves to the reference


def same(*names: int) -> Callable[..., tuple[Spec, ...]]:
    """Return a `specs` function whose Specs equal those of the reads at these positions."""
    return lambda *reads, **_: tuple(reads[i] for i in names)
