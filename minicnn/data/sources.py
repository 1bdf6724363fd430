"""What data sets take their elements from: each source gives the elements of any pass, lazily.

A pass is a pure function of the source, its number and the seed. So a training that is resumed sees
the elements that it would have seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from minicnn import random
from minicnn.data.elements import as_element, called, picked, row_count, stacked

INFINITE, UNKNOWN = -1, -2  # lengths that are no numbers, as TensorFlow writes them


class Source:
    """The base class: a length and, for each pass, an iterator over elements.

    Attributes
    ----------
    batched : whether the first axis of the arrays counts samples, and may differ in length
    depth : the number of sources below this one; it tells two shuffles of one chain apart
    """

    batched = False
    depth = 0

    def length(self) -> int:
        """Return the number of elements of a pass, INFINITE or UNKNOWN."""
        raise NotImplementedError

    def elements(self, number: int) -> Iterator[Any]:
        """Return the elements of a pass; passes are counted from 0."""
        raise NotImplementedError

    def shuffled(self, size: int, seed: int | None, *, again: bool) -> Source:
        """Return these elements in a random order."""
        return Shuffled(self, size, seed, again=again)

    def in_batches(self, size: int, *, drop_remainder: bool) -> Source:
        """Return stacks of `size` elements."""
        return Batches(self, size, drop_remainder=drop_remainder)


class Generated(Source):
    """The elements that a function returns an iterable of, anew in each pass."""

    def __init__(self, function: Callable[[], Iterable[Any]], length: int = UNKNOWN) -> None:
        self.function, self._length = function, length

    def length(self) -> int:
        """Return what was said when the source was made."""
        return self._length

    def elements(self, number: int) -> Iterator[Any]:
        """Return the elements of a new call."""
        return map(as_element, self.function())


class Slices(Source):
    """The rows of arrays, in an order that each pass may have of its own.

    They are picked by their indices, so shuffling moves no data, and a batch is one indexing.

    Parameters
    ----------
    arrays : an element whose arrays have the same number of rows
    order : pass number -> indices; default: all, in order
    """

    def __init__(self, arrays: Any, order: Callable[[int], np.ndarray] | None = None) -> None:
        self.arrays, self.order = arrays, order
        self.rows = row_count(arrays)

    def length(self) -> int:
        """Return the number of rows."""
        return self.rows

    def indices(self, number: int) -> np.ndarray:
        """Return the indices of the rows in a pass."""
        return np.arange(self.rows) if self.order is None else self.order(number)

    def elements(self, number: int) -> Iterator[Any]:
        """Yield the rows."""
        for i in self.indices(number):
            yield picked(self.arrays, i)

    def shuffled(self, size: int, seed: int | None, *, again: bool) -> Source:
        """Return the rows in a random order, with the order that any other source would have."""

        def order(number: int) -> np.ndarray:
            rng = shuffling(self, number, seed, again=again)
            rows = in_random_order(iter(self.indices(number)), size, rng)
            return np.fromiter(rows, np.intp, self.rows)

        shuffled = Slices(self.arrays, order)
        shuffled.depth = self.depth + 1
        return shuffled

    def in_batches(self, size: int, *, drop_remainder: bool) -> Source:
        """Return `size` rows at a time."""
        return SliceBatches(self, size, drop_remainder=drop_remainder)


class SliceBatches(Source):
    """Several rows of arrays at a time."""

    def __init__(self, source: Slices, size: int, *, drop_remainder: bool) -> None:
        self.source, self.size, self.drop_remainder = source, size, drop_remainder
        self.batched, self.depth = not drop_remainder, source.depth + 1

    def length(self) -> int:
        """Return the number of batches."""
        return batch_count(self.source.length(), self.size, drop_remainder=self.drop_remainder)

    def elements(self, number: int) -> Iterator[Any]:
        """Yield the batches; views of the arrays where their rows are in order."""
        rows = None if self.source.order is None else self.source.order(number)
        for i in range(self.length()):
            begin, end = i * self.size, min((i + 1) * self.size, self.source.rows)
            pick = slice(begin, end) if rows is None else rows[begin:end]
            yield picked(self.source.arrays, pick)


class Derived(Source):
    """A source made of another one, of the same length."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.batched, self.depth = source.batched, source.depth + 1

    def length(self) -> int:
        """Return the length of the other source."""
        return self.source.length()


class Batches(Derived):
    """Stacks of several elements."""

    def __init__(self, source: Source, size: int, *, drop_remainder: bool) -> None:
        super().__init__(source)
        self.size, self.drop_remainder, self.batched = size, drop_remainder, not drop_remainder

    def length(self) -> int:
        """Return the number of batches."""
        return batch_count(self.source.length(), self.size, drop_remainder=self.drop_remainder)

    def elements(self, number: int) -> Iterator[Any]:
        """Yield the batches; the last one may have fewer elements."""
        waiting: list[Any] = []
        for element in self.source.elements(number):
            waiting.append(element)
            if len(waiting) == self.size:
                yield stacked(waiting)
                waiting = []
        if waiting and not self.drop_remainder:
            yield stacked(waiting)


class Shuffled(Derived):
    """The elements in a random order, of which up to `size` are kept at a time."""

    def __init__(self, source: Source, size: int, seed: int | None, *, again: bool) -> None:
        super().__init__(source)
        self.size, self.seed, self.again = size, seed, again

    def elements(self, number: int) -> Iterator[Any]:
        """Return the elements in the order of this pass."""
        rng = shuffling(self.source, number, self.seed, again=self.again)
        return in_random_order(self.source.elements(number), self.size, rng)


def shuffling(source: Source, number: int, seed: int | None, *, again: bool) -> np.random.Generator:
    """Return the generator for the order of a pass; without `again` all passes have the first's."""
    return random.generator("dataset", source.depth, number if again else 0, seed=seed)


def in_random_order(items: Iterator[Any], size: int, rng: np.random.Generator) -> Iterator[Any]:
    """Yield items, each drawn from the `size` ones that come next.

    >>> sorted(in_random_order(iter(range(5)), 2, np.random.default_rng(0)))
    [0, 1, 2, 3, 4]
    """
    kept: list[Any] = []
    draws: Iterator[int] = iter(())
    for item in items:
        if len(kept) < size:
            kept.append(item)
            continue
        k = next(draws, -1)
        if k < 0:
            draws = iter(rng.integers(size, size=1024).tolist())
            k = next(draws)
        yield kept[k]
        kept[k] = item
    yield from (kept[k] for k in rng.permutation(len(kept)))


def batch_count(length: int, size: int, *, drop_remainder: bool) -> int:
    """Return how many batches a pass of that length has.

    >>> batch_count(10, 4, drop_remainder=False), batch_count(INFINITE, 4, drop_remainder=True)
    (3, -1)
    """
    if length < 0:
        return length
    return length // size if drop_remainder else -(-length // size)


class Mapped(Derived):
    """The results of a function for each element."""

    def __init__(self, source: Source, function: Callable[..., Any]) -> None:
        super().__init__(source)
        self.function = function

    def elements(self, number: int) -> Iterator[Any]:
        """Yield the results."""
        return (called(self.function, one) for one in self.source.elements(number))
