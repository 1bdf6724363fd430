"""The samples of a training batch that this process needs, where several share the training.

Sources that read or change images one by one prepare only these. The other rows of a batch exist,
so that it has the size that it has in one process, but nobody reads them. Such a source has the
attribute `prepares_own_rows`. If a training takes its batches from anything else, all rows are
prepared, also by sources behind it: it may mix the images of a batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from typing import TypeVar

T = TypeVar("T")
Rows = Callable[[int], slice]  # the size of a batch -> its samples for this process

_rows_of: ContextVar[Rows | None] = ContextVar("rows of this process", default=None)


def are_shared() -> bool:
    """Return whether other processes need the other samples of the batches that are made here."""
    return _rows_of.get() is not None


def own_rows(size: int) -> slice:
    """Return the samples of a batch of this size that must be prepared: usually all.

    >>> own_rows(32)
    slice(0, 32, None)
    """
    rows_of = _rows_of.get()
    return slice(0, size) if rows_of is None else rows_of(size)


def each_with_own_rows(values: Iterable[T], rows_of: Rows | None) -> Iterator[T]:
    """Yield the same values, each computed while `own_rows` is this function."""
    iterator = iter(values)
    while True:
        token = _rows_of.set(rows_of)
        try:
            one = next(iterator)
        except StopIteration:
            return
        finally:
            _rows_of.reset(token)
        yield one


def prepares_own_rows(source: object) -> bool:
    """Return whether a source of batches prepares the rows of this process alone, if asked to."""
    return bool(getattr(source, "prepares_own_rows", False))
