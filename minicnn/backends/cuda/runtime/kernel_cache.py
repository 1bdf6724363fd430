"""A bounded cache of compiled kernels.

The factories of this engine freeze shapes and attributes into a kernel, so a training whose batches
have many sizes makes new kernels without end.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

F = TypeVar("F", bound=Callable[..., object])

# Per factory. A program holds the kernels that it launches, so a kernel that leaves the cache is
# compiled again for a new program only.
MAX_KERNELS = 256


def cached(factory: F) -> F:
    """Return `factory` with a cache of its results for the last MAX_KERNELS arguments."""
    return lru_cache(maxsize=MAX_KERNELS)(factory)  # type: ignore[return-value]
