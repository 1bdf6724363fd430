"""A line every few seconds about work that says nothing itself."""

from __future__ import annotations

import time
from collections.abc import Callable

SECONDS = 5.0  # between two lines; what is done sooner needs none

Say = Callable[[str], None]
Progress = Callable[[int, int], None]


def telling(say: Say, what: str, clock: Callable[[], float] = time.monotonic) -> Progress:
    """A function to call with (done, in all), which says "Reading: 1,200 of 3,600" now and then.

    >>> seconds = iter([0.0, 4.0, 6.0, 7.0])
    >>> tell = telling(print, "Reading", lambda: next(seconds))
    >>> for done in (100, 200, 300):
    ...     tell(done, 3600)
    Reading: 200 of 3,600
    """
    last = clock()

    def tell(done: int, total: int) -> None:
        nonlocal last
        now = clock()
        if now - last >= SECONDS and done < total:
            last = now
            say(f"{what}: {done:,} of {total:,}")

    return tell
