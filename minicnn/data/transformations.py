"""Sources made of other sources: the first elements, several passes, threads that run ahead, ..."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain, count, islice
from typing import Any

import numpy as np

from minicnn import random
from minicnn.checks import quoted
from minicnn.data.elements import as_element, called, picked, row_count
from minicnn.data.sources import INFINITE, UNKNOWN, Derived, Source
from minicnn.errors import DTypeError
from minicnn.support.threads import Job, ThreadPool

PREFETCHED = 2  # elements that AUTOTUNE keeps ready
NAME = "minicnn-data"  # of the threads
_END = object()


class ParallelMapped(Derived):
    """The results of a function for each element, computed by threads, in the elements' order."""

    def __init__(self, source: Source, function: Callable[..., Any], threads: int) -> None:
        super().__init__(source)
        self.function, self.threads = function, threads

    def elements(self, number: int) -> Iterator[Any]:
        """Yield the results; twice as many elements as threads are on their way."""
        call = random.bind_seed(partial(called, self.function))
        pool = ThreadPool(self.threads, NAME)
        jobs: deque[Job[Any]] = deque()
        try:
            for element in self.source.elements(number):
                jobs.append(pool.submit(call, element))
                if len(jobs) == 2 * self.threads:
                    yield jobs.popleft().result()
            while jobs:
                yield jobs.popleft().result()
        finally:
            pool.close(wait=False)


class Prefetched(Derived):
    """The same elements, fetched ahead by a thread while the caller works with the earlier ones."""

    def __init__(self, source: Source, size: int) -> None:
        super().__init__(source)
        self.size = size

    def elements(self, number: int) -> Iterator[Any]:
        """Return the elements."""
        return fetched_ahead(self.source.elements(number), self.size)


def fetched_ahead(items: Iterator[Any], size: int) -> Iterator[Any]:
    """Yield the items, of which one thread fetches `size` ahead, under the caller's seed."""
    fetch = random.bind_seed(partial(next, items, _END))
    pool = ThreadPool(1, NAME)
    try:
        jobs = deque(pool.submit(fetch) for _ in range(size))
        while (item := jobs.popleft().result()) is not _END:
            jobs.append(pool.submit(fetch))
            yield item
    finally:
        pool.close(wait=False)


class Cached(Derived):
    """The elements of the first pass, kept in memory as soon as it has ended once."""

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self._kept: list[Any] | None = None
        self._lock = threading.Lock()

    def length(self) -> int:
        """Return the number of elements, which is known at last when they are kept."""
        return self.source.length() if self._kept is None else len(self._kept)

    def elements(self, number: int) -> Iterator[Any]:
        """Yield the elements of the first pass, whatever the number."""
        if self._kept is not None:
            yield from self._kept
            return
        seen = []
        for element in self.source.elements(0):
            seen.append(element)
            yield element
        with self._lock:
            self._kept = self._kept or seen


class Filtered(Derived):
    """The elements for which a function returns True."""

    def __init__(self, source: Source, predicate: Callable[..., Any], *, first: bool) -> None:
        super().__init__(source)
        self.predicate, self.first = predicate, first

    def length(self) -> int:
        """Return UNKNOWN, as only the function can tell which elements are left out."""
        return UNKNOWN

    def elements(self, number: int) -> Iterator[Any]:
        """Yield the elements; with `first` only those before the first one that is left out."""
        for element in self.source.elements(number):
            if _truth(called(self.predicate, element)):
                yield element
            elif self.first:
                return


def _truth(answer: Any) -> bool:
    if not isinstance(answer, np.ndarray) or answer.size != 1:
        raise DTypeError(
            "the function of filter and take_while must return one True or False per element; got "
            f"{quoted(answer)}"
        )
    return bool(answer)


class Limited(Derived):
    """The elements from `begin` on, every `step`-th of them, up to `end`, None for all."""

    def __init__(self, source: Source, begin: int, end: int | None, step: int = 1) -> None:
        super().__init__(source)
        self.begin, self.end, self.step = begin, end, step

    def length(self) -> int:
        """Return how many there are."""
        length = self.source.length()
        if length == UNKNOWN or (length == INFINITE and self.end is None):
            return length
        end = length if self.end is None else self.end
        return len(range(self.begin, end if length == INFINITE else min(end, length), self.step))

    def elements(self, number: int) -> Iterator[Any]:
        """Return the elements of this range."""
        if self.end == 0:
            return iter(())
        return islice(self.source.elements(number), self.begin, self.end, self.step)


class Repeated(Derived):
    """Several passes as one, None for passes without end; each has an order of its own."""

    def __init__(self, source: Source, times: int | None) -> None:
        super().__init__(source)
        self.times = times

    def length(self) -> int:
        """Return the length of all passes together."""
        length = self.source.length()
        if self.times is None:
            return length if length == 0 else INFINITE
        return length if length < 0 else length * self.times

    def elements(self, number: int) -> Iterator[Any]:
        """Yield the elements of the passes; a pass without elements ends them."""
        first = number if self.times is None else number * self.times
        for inner in count(first) if self.times is None else range(first, first + self.times):
            empty = True
            for element in self.source.elements(inner):
                empty = False
                yield element
            if empty:
                return


class Concatenated(Derived):
    """The elements of one source, and then those of another."""

    def __init__(self, source: Source, other: Source) -> None:
        super().__init__(source)
        self.other, self.batched = other, source.batched or other.batched

    def length(self) -> int:
        """Return the sum of the lengths."""
        lengths = self.source.length(), self.other.length()
        if INFINITE in lengths:
            return INFINITE
        return UNKNOWN if UNKNOWN in lengths else sum(lengths)

    def elements(self, number: int) -> Iterator[Any]:
        """Return the elements."""
        return chain(self.source.elements(number), self.other.elements(number))


class Zipped(Source):
    """The elements of several sources side by side: a tuple or dict in place of each source."""

    def __init__(self, sources: tuple[Source, ...], arrange: Callable[[list[Any]], Any]) -> None:
        self.sources, self.arrange = sources, arrange
        self.batched = any(one.batched for one in sources)
        self.depth = 1 + max(one.depth for one in sources)

    def length(self) -> int:
        """Return the smallest length."""
        lengths = {one.length() for one in self.sources} - {INFINITE}
        if UNKNOWN in lengths:
            return UNKNOWN
        return min(lengths, default=INFINITE)

    def elements(self, number: int) -> Iterator[Any]:
        """Yield the elements until one source has none left."""
        parts = [one.elements(number) for one in self.sources]
        for elements in zip(*parts, strict=False):
            yield self.arrange(list(elements))


class Numbered(Derived):
    """Each element in a pair (number, element), as by `enumerate`."""

    def __init__(self, source: Source, start: int) -> None:
        super().__init__(source)
        self.start = start

    def elements(self, number: int) -> Iterator[Any]:
        """Yield the pairs."""
        for i, element in enumerate(self.source.elements(number), self.start):
            yield as_element(np.int64(i)), element


class Unbatched(Derived):
    """The rows of the elements, one by one."""

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self.batched = False

    def length(self) -> int:
        """Return UNKNOWN, as batches may differ in length."""
        length = self.source.length()
        return length if length in (0, INFINITE) else UNKNOWN

    def elements(self, number: int) -> Iterator[Any]:
        """Yield the rows."""
        for element in self.source.elements(number):
            for i in range(row_count(element)):
                yield picked(element, i)


class Flattened(Derived):
    """The elements of the sources that a function returns for each element."""

    def __init__(self, source: Source, function: Callable[[Any], Source]) -> None:
        super().__init__(source)
        self.function, self.batched = function, False

    def length(self) -> int:
        """Return UNKNOWN, as the function returns sources of any length."""
        return UNKNOWN

    def elements(self, number: int) -> Iterator[Any]:
        """Yield the elements."""
        for element in self.source.elements(number):
            yield from self.function(element).elements(number)
