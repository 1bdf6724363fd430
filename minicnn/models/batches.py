"""Where `fit`, `evaluate` and `predict` get their batches: from arrays, or from any iterable."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from itertools import count
from typing import Any, NamedTuple

import numpy as np

from minicnn import random
from minicnn.checks import check_flag, check_int, quoted, shape_text, warn_caller
from minicnn.data.own_rows import prepares_own_rows
from minicnn.data.py_dataset import PyDataset
from minicnn.dlpack import as_numpy, is_foreign
from minicnn.errors import ArgumentError, DTypeError, UnknownLengthError


class Batch(NamedTuple):
    """Some samples: one array per input, labels and weights if there are any.

    For a network with several losses, labels are a tuple with one array for each, and weights may
    be one.
    """

    inputs: tuple[np.ndarray, ...]
    labels: Any = None
    weights: Any = None

    @property
    def each_labels(self) -> tuple[Any, ...]:
        """The labels of each loss."""
        return self.labels if isinstance(self.labels, tuple) else (self.labels,)


class EpochStart(NamedTuple):
    """The position in the data at which an epoch begins."""

    pass_number: int = 0  # counts the passes over all samples; their order depends on it
    batch: int = 0  # batches of this pass that belong to earlier epochs


START = EpochStart()


class ArrayBatches:
    """Cuts arrays into batches; the order of a pass is a pure function of (seed, pass number).

    Without `steps` an epoch is one pass over the arrays. With `steps` an epoch is that many
    batches, and the next epoch continues where it ended, if necessary with the next pass.
    """

    def __init__(
        self,
        inputs: tuple[np.ndarray, ...],
        labels: Any,
        weights: Any,
        batch_size: int,
        *,
        shuffle: bool = False,
        steps: int | None = None,
    ) -> None:
        # New views, because an engine frees its copy of an array when the array object is freed.
        self.inputs = tuple(x.view() for x in inputs)
        self.labels, self.weights = labels, weights
        self.batch_size = check_int(batch_size, "batch_size")
        self.shuffle = check_flag(shuffle, "shuffle")
        self.samples = len(inputs[0])
        self.steps = steps
        check_lengths(Batch(inputs, labels, weights))

    def __len__(self) -> int:
        """Return the number of batches per epoch."""
        return self.pass_length if self.steps is None else self.steps

    @property
    def prepares_own_rows(self) -> bool:
        """Whether only the samples of this process can be prepared; here there is none to do."""
        return False

    @property
    def pass_length(self) -> int:
        """The number of batches of one pass over the arrays."""
        return -(-self.samples // self.batch_size)

    @property
    def layout(self) -> dict[str, Any]:
        """What must be the same for a training to resume in the middle of an epoch."""
        known = {"samples": self.samples, "batch_size": self.batch_size, "shuffle": self.shuffle}
        return known if self.steps is None else {**known, "steps_per_epoch": self.steps}

    def begin(self, start: EpochStart = START) -> tuple[Batch | None, EpochStart]:
        """Return the first batch of an epoch, None without samples, and where the epoch begins."""
        return next(self.for_epoch(start), None), start

    def for_epoch(self, start: EpochStart = START, first: int = 0) -> Iterator[Batch]:
        """Yield the batches of one epoch, from batch `first` on."""
        size = self.batch_size
        for number, begin, end in self.stretches(start, first):
            order = self.order(number)
            for begin_row in range(begin * size, end * size, size):
                yield self._cut(order[begin_row : begin_row + size], begin_row)

    def stretches(self, start: EpochStart, first: int = 0) -> Iterator[tuple[int, int, int]]:
        """Yield (number of a pass, first batch, end of the batches) for each pass of an epoch."""
        left = len(self) - first
        passes, at = divmod(start.batch + first, max(self.pass_length, 1))
        number = start.pass_number + passes
        while left > 0:
            end = min(self.pass_length, at + left)
            yield number, at, end
            number, left, at = number + 1, left - (end - at), 0

    def after(self, start: EpochStart) -> EpochStart:
        """Return where the epoch after the one from `start` begins."""
        passes, batch = divmod(start.batch + len(self), max(self.pass_length, 1))
        return EpochStart(start.pass_number + passes, batch)

    def order(self, pass_number: int) -> np.ndarray:
        """Return the indices of the samples in the order of this pass."""
        if self.shuffle:
            return random.epoch_order(self.samples, pass_number)
        return np.arange(self.samples)

    def _cut(self, rows: np.ndarray, begin: int) -> Batch:
        # A slice where the order allows one, for it is a view; an array of indices copies.
        pick: Any = rows if self.shuffle else slice(begin, begin + len(rows))
        return Batch(
            tuple(x[pick] for x in self.inputs),
            picked(self.labels, pick),
            picked(self.weights, pick),
        )


class IterableBatches:
    """Passes on the batches of an iterable, each of which is x, (x, y) or (x, y, weights).

    Without `steps` an epoch is one pass over the iterable. With `steps` an epoch is that many
    batches, and the next epoch continues where it ended, if necessary with the next pass.

    If the source has a method `for_epoch(number)`, each pass gets its batches from it, so that
    passes can differ and still be the same when a training is resumed. An iterator has one pass.
    """

    def __init__(
        self,
        source: Iterable[Any],
        steps: int | None = None,
        steps_name: str = "steps_per_epoch",
        arrange: Callable[[Any], Batch] | None = None,
    ) -> None:
        self.source, self.arrange = source, as_batch if arrange is None else arrange
        self.steps = None if steps is None else check_int(steps, steps_name)
        self.once = isinstance(source, Iterator) and not hasattr(source, "for_epoch")
        self.shortest: int | None = None  # batches of the shortest pass that has ended so far
        # The current pass, the position in it, and the seed under which it was begun.
        self._items: Iterator[Any] | None = None
        self._peeked: list[Any] = []  # the next batch, if `begin` has fetched it already
        self._position, self._seed = START, random.seed()

    def __len__(self) -> int:
        """Return the number of batches per epoch, 0 if it is not known yet."""
        if self.steps is not None:
            return self.steps
        return _length(self.source)

    @property
    def prepares_own_rows(self) -> bool:
        """Whether the source prepares only the samples of this process, if it is asked to."""
        return prepares_own_rows(self.source)

    @property
    def layout(self) -> dict[str, Any]:
        """What must be the same for a training to resume in the middle of an epoch."""
        named = {name: getattr(self.source, name, None) for name in ("batch_size", "shuffle")}
        known = {name: value for name, value in named.items() if isinstance(value, int)}
        return {"batches": len(self), **known}

    def begin(self, start: EpochStart = START) -> tuple[Batch | None, EpochStart]:
        """Return the first batch of the epoch from `start`, if there is one, and its position.

        The batch stays the next one of `for_epoch`. If the pass has ended, it is in the next pass.
        """
        self._go_to(start)
        item = self._next(next_pass=self.steps is not None)
        if item is _END:
            return None, start
        self._peeked = [item]
        self._position = self._position._replace(batch=self._position.batch - 1)
        return self.arrange(item), self._position

    def for_epoch(self, start: EpochStart = START, first: int = 0) -> Iterator[Batch]:
        """Yield the batches of one epoch, from batch `first` on."""
        self._go_to(start)
        for number in count() if self.steps is None else range(self.steps):
            item = self._next(next_pass=self.steps is not None)
            if item is _END:
                return
            if number >= first:
                yield self.arrange(item)

    def after(self, start: EpochStart) -> EpochStart:
        """Return where the epoch begins that follows the one from `start`, which has ended."""
        return EpochStart(start.pass_number + 1) if self.steps is None else self._position

    def _go_to(self, start: EpochStart) -> None:
        """Make the batch at `start` the next one, by fetching the batches before it."""
        right = (self._position, self._seed) == (start, random.seed())
        if self._items is None or not (right or self.once):
            self._begin(start.pass_number)
        while self._position.batch < start.batch and self._next(next_pass=False) is not _END:
            pass

    def _begin(self, number: int) -> None:
        self._position, self._seed, self._peeked = EpochStart(number), random.seed(), []
        if hasattr(self.source, "for_epoch"):
            self._items = iter(self.source.for_epoch(number))
        else:
            self._items = iter(self.source)

    def _next(self, *, next_pass: bool) -> Any:
        """Return the next batch, from the next pass if allowed; _END if none is left."""
        item = self._fetched()
        if item is _END:
            if self._position.batch:
                self._ended_after(self._position.batch)
            if self.once or not next_pass or self._position.batch == 0:
                return _END
            self._begin(self._position.pass_number + 1)
            item = self._fetched()
        if item is not _END:
            self._position = self._position._replace(batch=self._position.batch + 1)
        return item

    def _fetched(self) -> Any:
        if self._peeked:
            return self._peeked.pop()
        return next(self._items, _END)  # type: ignore[arg-type]

    def _ended_after(self, length: int) -> None:
        self.shortest = length if self.shortest is None else min(self.shortest, length)


def _length(source: Any) -> int:
    """Return the number of batches of a pass, 0 if it is not known."""
    try:
        return len(source) if isinstance(source, Sized) else 0
    except UnknownLengthError:
        return 0


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
    arrange: Callable[[Any], Batch] | None = None,
) -> Batches:
    """Return the batches of arrays with labels, or of an iterable, as `fit` takes them.

    `arrange` makes a Batch of an iterable's item; by default that is `as_batch`.
    """
    if is_arrays(x):
        whole = Batch(as_arrays(x), as_labels(y), as_weights(weights))
        return batches_in(
            whole, batch_size=batch_size, shuffle=shuffle, steps=steps, steps_name=steps_name
        )
    if isinstance(x, str) or not (isinstance(x, Iterable) or hasattr(x, "for_epoch")):
        raise DTypeError(f"x must be arrays or an iterable of batches; got {type(x).__name__}")
    if isinstance(x, PyDataset) and shuffle:
        x = x.shuffled()
    if y is not None or weights is not None:
        raise ArgumentError(
            f"x is a {type(x).__name__}, so it must give the batches (x, y) or (x, y, weights) "
            "itself, without y and sample_weight; if it holds samples, pass np.asarray(x)"
        )
    return IterableBatches(x, as_steps(steps, steps_name), steps_name, arrange)


def batches_in(
    whole: Batch,
    *,
    batch_size: int | None = None,
    shuffle: bool = False,
    steps: int | None = None,
    steps_name: str = "steps_per_epoch",
) -> ArrayBatches:
    """Return the batches of arrays that are in one batch, all samples."""
    data = ArrayBatches(*whole, 32 if batch_size is None else batch_size, shuffle=shuffle)
    data.steps = _steps_of_arrays(data, as_steps(steps, steps_name), steps_name)
    return data


def as_steps(steps: Any, name: str) -> int | None:
    """Return a number of batches; of a fraction the next whole number, with a warning."""
    if isinstance(steps, float) and math.isfinite(steps):
        if steps != (whole := math.ceil(steps)):
            warn_caller(f"{name}={steps:g} is no whole number of batches; {whole} are used")
        steps = whole
    return None if steps is None else check_int(steps, name)


def _steps_of_arrays(data: ArrayBatches, steps: int | None, name: str) -> int | None:
    """Return the batches per epoch of arrays; outside of training no more than they have."""
    if steps is None or steps <= data.pass_length:
        return steps
    if name == "steps_per_epoch":
        warn_caller(
            f"{name}={steps}, but the arrays have {data.pass_length} batches: an epoch goes "
            "through them more than once"
        )
        return steps
    warn_caller(f"{name}={steps}, but the arrays have {data.pass_length} batches; all are used")
    return None


def as_batch(item: Any) -> Batch:
    """Return a Batch from x, (x, y) or (x, y, weights), x being one array or a list of arrays."""
    return batch_of(*parts_of(item))


def parts_of(item: Any) -> tuple[Any, ...]:
    """Return what an iterable gave as a tuple x, (x, y) or (x, y, weights)."""
    if not isinstance(item, tuple):
        return (item,)
    if not 1 <= len(item) <= 3:
        raise ArgumentError(
            f"a batch must be x, (x, y) or (x, y, weights); got a tuple of {len(item)}"
        )
    return item


def batch_of(x: Any, y: Any = None, weights: Any = None) -> Batch:
    """Return a Batch of inputs, labels and weights, checked to be of the same number of samples."""
    batch = Batch(as_arrays(x), as_labels(y), as_weights(weights))
    check_lengths(batch)
    return batch


def as_arrays(x: Any) -> tuple[np.ndarray, ...]:
    """Return one array, or a list of arrays, as a tuple of NumPy arrays of real numbers."""
    several = x if isinstance(x, (list, tuple)) and is_arrays(x) else [x]
    arrays = tuple(np.asarray(as_numpy(one)) for one in several)
    for array in arrays:
        if array.dtype.kind not in "uifb":
            raise DTypeError(f"x must be real numbers; got dtype {array.dtype}")
        if array.ndim == 0:
            raise ArgumentError("x must be a batch, (N, ...); got a single number")
    return arrays


def as_labels(y: Any) -> np.ndarray | None:
    """Return labels as an array with one row per sample; the loss checks their values."""
    if y is None:
        return None
    try:
        labels = np.asarray(as_numpy(y, "y"))
    except ValueError as err:
        raise ArgumentError("y must have rows of equal length, one per sample") from err
    if labels.ndim == 0:
        raise ArgumentError(f"y must have one label per sample, (N, ...); got {quoted(y)}")
    return labels


def as_weights(weights: Any) -> np.ndarray | None:
    """Return sample weights as float32 (N,)."""
    if weights is None:
        return None
    rows = np.asarray(as_numpy(weights, "sample_weight"))
    if rows.dtype.kind not in "uifb" or rows.ndim != 1:
        raise ArgumentError(
            f"sample_weight must be one number per sample, (N,); got {rows.dtype} "
            f"{shape_text(rows.shape)}"
        )
    wrong = np.flatnonzero(~(np.isfinite(rows) & (rows >= 0)))
    if wrong.size:
        i = int(wrong[0])
        raise ArgumentError(f"sample_weight[{i}] = {rows[i]:g}; weights must be finite and >= 0")
    return rows.astype(np.float32)


def is_arrays(x: Any) -> bool:
    """Return whether x is one array or a list of arrays, of NumPy or another library."""
    if isinstance(x, (list, tuple)):
        return len(x) > 0 and all(isinstance(one, np.ndarray) or is_foreign(one) for one in x)
    return isinstance(x, np.ndarray) or is_foreign(x)


def stack_hint(inputs: Sequence[np.ndarray]) -> str:
    """Return advice for an error message if the inputs look like samples, else ""."""
    shape = inputs[0].shape
    if len(inputs) == 1 or any(x.shape != shape for x in inputs) or not 1 <= len(shape) <= 3:
        return ""
    return (
        f". Each array of a list is an input, but these {len(inputs)} look like samples of shape "
        f"{shape_text(shape)}: pass np.stack(x), which is {shape_text((len(inputs), *shape))}"
    )


def picked(arrays: Any, rows: Any) -> Any:
    """Return these rows of an array, or of each array of a tuple; None stays None."""
    if isinstance(arrays, tuple):
        return tuple(picked(one, rows) for one in arrays)
    return None if arrays is None else arrays[rows]


def check_lengths(batch: Batch) -> None:
    """Raise ArgumentError unless all arrays have the same number of samples."""
    count = len(batch.inputs[0])
    for name, given in zip(("x", "y", "sample_weight"), batch, strict=True):
        for array in given if isinstance(given, tuple) else (given,):
            if array is not None and len(array) != count:
                raise ArgumentError(
                    f"x has {count} samples but {name} has {len(array)}; both must have the same "
                    f"number{stack_hint(batch.inputs)}"
                )
