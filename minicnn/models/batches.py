"""Where `fit`, `evaluate` and `predict` get their batches from: arrays, or anything iterable."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Sized
from itertools import count
from typing import Any, NamedTuple

import numpy as np

from minicnn import random
from minicnn.checks import check_int, shape_text
from minicnn.dlpack import as_numpy, is_foreign
from minicnn.errors import ArgumentError, DTypeError


class Batch(NamedTuple):
    """Some samples: inputs (one array an Input), labels and weights if there are any."""

    inputs: tuple[np.ndarray, ...]
    labels: Any = None
    weights: np.ndarray | None = None


class Place(NamedTuple):
    """Where in the data an epoch begins."""

    number: int = 0  # of the pass over all of it; the order of the samples depends on it
    batch: int = 0  # batches of this pass that come before


START = Place()


class ArrayBatches:
    """Cuts arrays into batches; the order of a pass is a pure function of (seed, its number)."""

    def __init__(
        self,
        inputs: tuple[np.ndarray, ...],
        labels: np.ndarray | None,
        weights: np.ndarray | None,
        batch_size: int,
        *,
        shuffle: bool = False,
    ) -> None:
        # Views of our own: the copies that an engine makes of them go when they go.
        self.inputs = tuple(x.view() for x in inputs)
        self.labels, self.weights = labels, weights
        self.batch_size, self.shuffle = check_int(batch_size, "batch_size"), shuffle
        self.samples = len(inputs[0])
        _check_lengths(inputs, labels, weights)

    def __len__(self) -> int:
        return -(-self.samples // self.batch_size)

    @property
    def layout(self) -> dict[str, Any]:
        """What must be the same for a training to go on in the middle of an epoch."""
        return {"samples": self.samples, "batch_size": self.batch_size, "shuffle": self.shuffle}

    def begin(self, place: Place = START) -> tuple[Batch | None, Place]:
        """The batch that an epoch from `place` begins with, if there is one, and where it is."""
        return next(self.for_epoch(place), None), place

    def for_epoch(self, place: Place = START, first: int = 0) -> Iterator[Batch]:
        """The batches of one epoch, which is one pass, from number `first` on."""
        order = self.order(place)
        for start in range(first * self.batch_size, self.samples, self.batch_size):
            yield self._cut(order[start : start + self.batch_size], start)

    def after(self, place: Place) -> Place:
        """Where the epoch after the one from `place` begins."""
        return Place(place.number + 1)

    def order(self, place: Place) -> np.ndarray:
        """The samples' numbers, as this epoch has them."""
        if self.shuffle:
            return random.epoch_order(self.samples, place.number)
        return np.arange(self.samples)

    def _cut(self, rows: np.ndarray, start: int) -> Batch:
        # In order, a slice: a view, where an index array would copy.
        pick: Any = rows if self.shuffle else slice(start, start + len(rows))
        return Batch(
            tuple(x[pick] for x in self.inputs),
            None if self.labels is None else self.labels[pick],
            None if self.weights is None else self.weights[pick],
        )


class IterableBatches:
    """Passes on the batches of an iterable: x, (x, y) or (x, y, weights) each.

    With `steps` an epoch is so many batches, and the next one goes on where it ended: with the rest
    of the pass, then with the next pass. Without, an epoch is a pass.

    An object with `for_epoch(number)` is asked for each pass's batches, so that they can differ
    and still be the same when a training is resumed. An iterator gives its batches `once`.
    """

    def __init__(
        self, source: Iterable[Any], steps: int | None = None, steps_name: str = "steps_per_epoch"
    ) -> None:
        self.source = source
        self.steps = None if steps is None else check_int(steps, steps_name)
        self.once = isinstance(source, Iterator) and not hasattr(source, "for_epoch")
        self.shortest: int | None = None  # batches in a pass, where one has been seen to its end
        # The pass under way, where it stands, and the seed that it was begun with.
        self._items: Iterator[Any] | None = None
        self._looked_at: list[Any] = []  # its next batch, where `begin` has fetched it already
        self._place, self._seed = START, random.seed()

    def __len__(self) -> int:
        """Batches in an epoch; 0 where nobody knows yet."""
        if self.steps is not None:
            return self.steps
        return len(self.source) if isinstance(self.source, Sized) else 0

    @property
    def layout(self) -> dict[str, Any]:
        """What must be the same for a training to go on in the middle of an epoch."""
        named = {name: getattr(self.source, name, None) for name in ("batch_size", "shuffle")}
        known = {name: value for name, value in named.items() if isinstance(value, int)}
        return {"batches": len(self), **known}

    def begin(self, place: Place = START) -> tuple[Batch | None, Place]:
        """The batch that an epoch from `place` begins with, if there is one, and where it is.

        It is only looked at: `for_epoch` gives it. Where a pass has ended, it is in the next.
        """
        self._go_to(place)
        item = self._next(next_pass=self.steps is not None)
        if item is _END:
            return None, place
        self._looked_at = [item]
        self._place = self._place._replace(batch=self._place.batch - 1)
        return as_batch(item), self._place

    def for_epoch(self, place: Place = START, first: int = 0) -> Iterator[Batch]:
        """The batches of one epoch, from number `first` on."""
        self._go_to(place)
        for number in count() if self.steps is None else range(self.steps):
            item = self._next(next_pass=self.steps is not None)
            if item is _END:
                return
            if number >= first:
                yield as_batch(item)

    def after(self, place: Place) -> Place:
        """Where the epoch after the one from `place`, which has come to its end, begins."""
        return Place(place.number + 1) if self.steps is None else self._place

    def _go_to(self, place: Place) -> None:
        """Make `place` the next batch: by skipping what is before it, as nothing else is known."""
        right = (self._place, self._seed) == (place, random.seed())
        if self._items is None or not (right or self.once):
            self._begin(place.number)
        while self._place.batch < place.batch and self._next(next_pass=False) is not _END:
            pass

    def _begin(self, number: int) -> None:
        self._place, self._seed, self._looked_at = Place(number), random.seed(), []
        if hasattr(self.source, "for_epoch"):
            self._items = iter(self.source.for_epoch(number))
        else:
            self._items = iter(self.source)

    def _next(self, *, next_pass: bool) -> Any:
        """The next batch, perhaps of the next pass, or _END."""
        item = self._fetched()
        if item is _END:
            if self._place.batch:
                self._ended_after(self._place.batch)
            if self.once or not next_pass or self._place.batch == 0:
                return _END
            self._begin(self._place.number + 1)
            item = self._fetched()
        if item is not _END:
            self._place = self._place._replace(batch=self._place.batch + 1)
        return item

    def _fetched(self) -> Any:
        if self._looked_at:
            return self._looked_at.pop()
        return next(self._items, _END)  # type: ignore[arg-type]

    def _ended_after(self, length: int) -> None:
        self.shortest = length if self.shortest is None else min(self.shortest, length)


_END = object()
Batches = ArrayBatches | IterableBatches


def batches_of(
    x: Any,
    y: Any = None,
    weights: Any = None,
    *,
    batch_size: int | None = None,
    shuffle: bool = False,
    steps: int | None = None,
    steps_name: str = "steps_per_epoch",
) -> Batches:
    """Arrays with labels, or an iterable of batches, as `fit` takes them."""
    if is_arrays(x):
        if steps is not None:
            raise ArgumentError(
                f"{steps_name}={steps!r} is for an iterable of batches; of arrays all samples are "
                "taken: leave it out, or pass x[:n], y[:n]"
            )
        inputs = as_arrays(x)
        size = 32 if batch_size is None else batch_size
        return ArrayBatches(inputs, as_labels(y), as_weights(weights), size, shuffle=shuffle)
    if isinstance(x, str) or not (isinstance(x, Iterable) or hasattr(x, "for_epoch")):
        raise DTypeError(f"x must be arrays or an iterable of batches; got {type(x).__name__}")
    if y is not None or weights is not None:
        raise ArgumentError(
            f"x is a {type(x).__name__}, so it must give the batches (x, y) or (x, y, weights) "
            "itself, without y and sample_weight; if it holds samples, pass np.asarray(x)"
        )
    return IterableBatches(x, steps, steps_name)


def as_batch(item: Any) -> Batch:
    """x, (x, y) or (x, y, weights), x being one array or a list of arrays."""
    if not isinstance(item, tuple):
        return Batch(as_arrays(item))
    if not 1 <= len(item) <= 3:
        raise ArgumentError(f"a batch must be x, (x, y) or (x, y, weights); got {len(item)} parts")
    return batch_of(*item)


def batch_of(x: Any, y: Any = None, weights: Any = None) -> Batch:
    """A batch from its parts, each of which has a number for every sample."""
    batch = Batch(as_arrays(x), as_labels(y), as_weights(weights))
    _check_lengths(batch.inputs, batch.labels, batch.weights)
    return batch


def as_arrays(x: Any) -> tuple[np.ndarray, ...]:
    """One array, or a list of them, as a tuple of arrays of real numbers."""
    parts = x if isinstance(x, (list, tuple)) and is_arrays(x) else [x]
    arrays = tuple(np.asarray(as_numpy(part)) for part in parts)
    for array in arrays:
        if array.dtype.kind not in "uifb":
            raise DTypeError(f"x must be real numbers; got dtype {array.dtype}")
        if array.ndim == 0:
            raise ArgumentError("x must be a batch, (N, ...); got a single number")
    return arrays


def as_labels(y: Any) -> np.ndarray | None:
    """Labels as an array with one row a sample; the loss says which numbers they may be."""
    if y is None:
        return None
    try:
        labels = np.asarray(as_numpy(y, "y"))
    except ValueError as err:
        raise ArgumentError("y must have rows of equal length, one a sample") from err
    if labels.ndim == 0:
        raise ArgumentError(f"y must have one label a sample, (N, ...); got {y!r:.80}")
    return labels


def as_weights(weights: Any) -> np.ndarray | None:
    """float32 (N,): how much each sample counts."""
    if weights is None:
        return None
    rows = np.asarray(as_numpy(weights, "sample_weight"))
    if rows.dtype.kind not in "uifb" or rows.ndim != 1:
        raise ArgumentError(
            f"sample_weight must be one number a sample, (N,); got {rows.dtype} "
            f"{shape_text(rows.shape)}"
        )
    wrong = np.flatnonzero(~(np.isfinite(rows) & (rows >= 0)))
    if wrong.size:
        i = int(wrong[0])
        raise ArgumentError(f"sample_weight[{i}] = {rows[i]:g}; weights are finite and >= 0")
    return rows.astype(np.float32)


def is_arrays(x: Any) -> bool:
    """One array, or a list or tuple of nothing but arrays, of NumPy or another library."""
    if isinstance(x, (list, tuple)):
        return len(x) > 0 and all(isinstance(part, np.ndarray) or is_foreign(part) for part in x)
    return isinstance(x, np.ndarray) or is_foreign(x)


def stack_hint(inputs: Sequence[np.ndarray]) -> str:
    """What to say if these, one for each of a network's inputs, seem to be samples instead."""
    shape = inputs[0].shape
    if len(inputs) == 1 or any(x.shape != shape for x in inputs) or not 1 <= len(shape) <= 3:
        return ""
    return (
        f". Each array of a list is an input, and these {len(inputs)} look like samples "
        f"{shape_text(shape)}: pass np.stack(x), which is {shape_text((len(inputs), *shape))}"
    )


def _check_lengths(inputs: tuple[np.ndarray, ...], labels: Any, weights: Any) -> None:
    count = len(inputs[0])
    named = [("x", x) for x in inputs] + [("y", labels), ("sample_weight", weights)]
    for name, array in named:
        if array is not None and len(array) != count:
            raise ArgumentError(
                f"x has {count} samples but {name} has {len(array)}; both need the same number"
                f"{stack_hint(inputs)}"
            )
