"""Batches of one size that an engine may train on with one call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from minicnn.models.batches import ArrayBatches, Batch, Place
from minicnn.program import Feed, IndexedBatches


class Group(NamedTuple):
    """Several batches, to be trained on one after the other, that all look alike."""

    like: Batch  # a batch of their shapes and dtypes
    inputs: tuple[Feed, ...]
    labels: Feed
    weights: Sequence[np.ndarray | None]

    @property
    def batches(self) -> int:
        """How many."""
        return len(self.labels)

    @property
    def samples(self) -> int:
        """Of each batch."""
        return len(self.like.inputs[0])

    def batch(self, number: int) -> Batch:
        """One of them, for itself."""
        inputs = tuple(feed[number] for feed in self.inputs)
        return Batch(inputs, self.labels[number], self.weights[number])


def groups_of_arrays(data: ArrayBatches, place: Place, first: int, most: int) -> Iterator[Group]:
    """An epoch's batches from number `first` on, `most` together; an incomplete one for itself."""
    size = data.batch_size
    order = data.order(place)[first * size :]
    complete = len(order) // size
    for start in range(0, complete, most):
        stop = min(start + most, complete)
        yield _rows_of(data, order[start * size : stop * size].reshape(-1, size))
    if complete * size < len(order):
        yield _rows_of(data, order[complete * size :].reshape(1, -1))


def _rows_of(data: ArrayBatches, numbers: np.ndarray) -> Group:
    weights = data.weights
    return Group(
        Batch(tuple(x[: numbers.shape[1]] for x in data.inputs)),
        tuple(IndexedBatches(x, numbers) for x in data.inputs),
        IndexedBatches(np.asarray(data.labels), numbers),
        [None if weights is None else weights[rows] for rows in numbers],
    )


def groups_of_batches(batches: Iterable[Batch], most: Callable[[Batch], int]) -> Iterator[Group]:
    """Neighbors that look alike, `most(batch)` together. What came before an error comes first."""
    waiting: list[Batch] = []
    try:
        for batch in batches:
            if waiting and not _alike(batch, waiting[0]):
                yield _group(waiting)
                waiting = []
            waiting.append(batch)
            if len(waiting) >= most(batch):
                yield _group(waiting)
                waiting = []
    except Exception:
        if waiting:
            yield _group(waiting)
        raise
    if waiting:
        yield _group(waiting)


def _alike(a: Batch, b: Batch) -> bool:
    pairs = zip(a.inputs, b.inputs, strict=False)
    same = all((x.shape, x.dtype) == (y.shape, y.dtype) for x, y in pairs)
    return same and len(a.inputs) == len(b.inputs)


def _group(batches: list[Batch]) -> Group:
    return Group(
        batches[0],
        tuple(zip(*(batch.inputs for batch in batches), strict=True)),
        [batch.labels for batch in batches],
        [batch.weights for batch in batches],
    )
