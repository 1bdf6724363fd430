"""Calling a function for many items in threads."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TypeVar

from minicnn import random
from minicnn.checks import check_int
from minicnn.support.threads import ThreadPool

T = TypeVar("T")
R = TypeVar("R")


def default_threads(threads: int | None) -> int:
    """Return `threads`, or the number of processors that this process may use if it is None."""
    if threads is not None:
        return check_int(threads, "threads")
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def map_in_threads(
    function: Callable[[T], R],
    items: Sequence[T],
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[R]:
    """Return `[function(item) for item in items]`, computed in threads.

    Parameters
    ----------
    function : called with one item; it sees the random seed of the calling thread
    items : the arguments
    threads : default: one per processor
    progress : called with (items done, number of items) after each
    """
    results = []
    with ThreadPool(min(default_threads(threads), len(items))) as pool:
        for result in pool.map(random.bind_seed(function), items):
            results.append(result)
            if progress is not None:
                progress(len(results), len(items))
    return results
