"""Keras's PyDataset, also called Sequence: batches that a class of one's own makes by number."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import count
from typing import Any

from minicnn import random
from minicnn.checks import check_int
from minicnn.support.threads import Job, ThreadPool


class PyDataset:
    """The base class for data sets of one's own, whose batches are made by their number.

    A subclass has `__len__`, the number of batches of an epoch, and `__getitem__(i)`, which returns
    batch i as x, (x, y) or (x, y, weights). It may have `on_epoch_begin` and `on_epoch_end`. `fit`,
    `evaluate` and `predict` take an object of it; `fit` shuffles the order of its batches unless
    it is told `shuffle=False`. Without `__len__` an epoch has no end, and `fit` needs
    `steps_per_epoch`.

    Parameters
    ----------
    workers : threads that call `__getitem__` while the network trains
    use_multiprocessing : accepted, because Keras has it; threads are used in any case
    max_queue_size : batches that may be ready before they are needed

    Examples
    --------
    >>> class Halves(PyDataset):
    ...     def __len__(self):
    ...         return 2
    ...
    ...     def __getitem__(self, i):
    ...         return np.full((4, 1), i), np.zeros(4)
    >>> [int(x[0, 0]) for x, y in Halves()]
    [0, 1]
    """

    # In the class too, for subclasses that do not call this class's __init__.
    workers, use_multiprocessing, max_queue_size = 1, False, 10

    def __init__(
        self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10
    ) -> None:
        self.workers = check_int(workers, "workers", 0)
        self.use_multiprocessing = bool(use_multiprocessing)
        self.max_queue_size = check_int(max_queue_size, "max_queue_size", 0)

    def __getitem__(self, index: int) -> Any:
        """Return batch `index`."""
        raise NotImplementedError(f"{type(self).__name__} needs a method __getitem__(self, index)")

    @property
    def num_batches(self) -> int | None:
        """The number of batches of an epoch; None if it has no end."""
        return len(self) if hasattr(self, "__len__") else None

    def on_epoch_begin(self) -> None:
        """Do something before each epoch."""

    def on_epoch_end(self) -> None:
        """Do something after each epoch, such as shuffling the samples."""

    def __iter__(self) -> Iterator[Any]:
        """Yield the batches of an epoch in the order of their indices."""
        batches = self.num_batches
        return (self[i] for i in (count() if batches is None else range(batches)))

    def for_epoch(self, number: int, *, shuffle: bool = False) -> Iterator[Any]:
        """Yield the batches of one epoch, made by threads; `shuffle` gives it its own order."""
        self.on_epoch_begin()
        batches = self.num_batches
        numbers = iter(count() if batches is None else range(batches))
        if shuffle and batches is not None:
            numbers = iter(random.epoch_order(batches, number).tolist())
        yield from self._made_ahead(numbers)
        self.on_epoch_end()

    def shuffled(self) -> ShuffledBatches:
        """Return the same batches, in a random order of each epoch's own."""
        return ShuffledBatches(self)

    def _made_ahead(self, numbers: Iterator[int]) -> Iterator[Any]:
        make = random.bind_seed(lambda i: _as_batch(self[i]))
        pool = ThreadPool(max(1, self.workers), "minicnn-batches")
        jobs: deque[Job[Any]] = deque()
        try:
            for i in numbers:
                jobs.append(pool.submit(make, i))
                if len(jobs) > self.max_queue_size:
                    yield jobs.popleft().result()
            while jobs:
                yield jobs.popleft().result()
        finally:
            pool.close(wait=False)


class ShuffledBatches:
    """The batches of a PyDataset in a random order, as `fit` uses them."""

    def __init__(self, batches: PyDataset) -> None:
        self.batches = batches

    def __len__(self) -> int:
        """Return the number of batches of an epoch; 0 if it has no end."""
        return self.batches.num_batches or 0

    def for_epoch(self, number: int) -> Iterator[Any]:
        """Return the batches of one epoch."""
        return self.batches.for_epoch(number, shuffle=True)

    def __iter__(self) -> Iterator[Any]:
        return self.for_epoch(0)


def _as_batch(batch: Any) -> Any:
    """Return a batch; the list [x, y] means (x, y), as in Keras."""
    return tuple(batch) if isinstance(batch, list) else batch
