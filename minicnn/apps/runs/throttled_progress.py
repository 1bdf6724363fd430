"""Progress as an occasional line of text, for work that prints nothing itself."""

from __future__ import annotations

import time
from collections.abc import Callable

SECONDS = 5.0  # between two lines, by default; shorter work prints none

Say = Callable[[str], None]
Progress = Callable[[int, int], None]


def throttled_progress(
    say: Say,
    what: str,
    clock: Callable[[], float] = time.monotonic,
    *,
    seconds: float = SECONDS,
) -> Progress:
    """Return a function of (done, total) that says "Reading: 1,200 of 3,600" every few seconds.

    >>> times = iter([0.0, 4.0, 6.0, 7.0])
    >>> progress = throttled_progress(print, "Reading", lambda: next(times))
    >>> for done in (100, 200, 300):
    ...     progress(done, 3600)
    Reading: 200 of 3,600
    """
    last = clock()

    def progress(done: int, total: int) -> None:
        nonlocal last
        now = clock()
        if now - last >= seconds and done < total:
            last = now
            say(f"{what}: {done:,} of {total:,}")

    return progress
