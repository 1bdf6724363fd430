"""Kernels that are made for shapes, and kept: of each kind those that were used last."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

F = TypeVar("F", bound=Callable[..., object])

# Of each kind, as a training with batches of many sizes makes new ones without end. Programs hold
# those that they launch, so one that is given up here is compiled again for a new program only.
MAX_KERNELS = 256


def kept(make: F) -> F:
    """The function, which remembers what it gave for its last MAX_KERNELS different arguments."""
    return lru_cache(maxsize=MAX_KERNELS)(make)  # type: ignore[return-value]
