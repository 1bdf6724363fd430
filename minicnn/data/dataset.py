"""Data sets as chains of steps that are computed when their elements are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from minicnn import random
from minicnn.checks import check_int, quoted
from minicnn.data.elements import as_count, as_element, spec_of
from minicnn.data.parallel import default_threads
from minicnn.data.sources import INFINITE, UNKNOWN, Generated, Mapped, Slices, Source
from minicnn.data.transformations import (
    PREFETCHED,
    Cached,
    Concatenated,
    Filtered,
    Flattened,
    Limited,
    Numbered,
    ParallelMapped,
    Prefetched,
    Repeated,
    Unbatched,
    Zipped,
)
from minicnn.errors import ArgumentError, DTypeError, UnknownLengthError
from minicnn.support.arrays import as_result
from minicnn.support.structures import replaced

AUTOTUNE = -1  # in place of a number of threads or of elements: minicnn chooses it


class Dataset:
    """Elements that are computed when they are asked for, with the methods of `tf.data.Dataset`.

    An element is an array, or a tuple or dict of arrays. `fit`, `evaluate` and `predict` take a
    data set whose elements are batches x, (x, y) or (x, y, weights). Each loop over it is one pass.
    What a pass draws at random depends on the seed and the number of the pass alone, so a training
    that is resumed sees the elements that it would have seen.

    Functions are called with arrays of NumPy that also have `numpy()`, and return arrays, numbers,
    or tuples and dicts of them. Layers and `minicnn.ops` can be used in them.

    Examples
    --------
    >>> x, y = np.arange(6.0).reshape(3, 2), np.array([0, 1, 0])
    >>> batches = Dataset.from_tensor_slices((x, y)).map(lambda x, y: (x / 10, y)).batch(2)
    >>> for x, y in batches:
    ...     print(x.numpy().tolist(), y.shape)
    [[0.0, 0.1], [0.2, 0.3]] (2,)
    [[0.4, 0.5]] (1,)
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._passes = 0  # that were begun by loops

    # --- where elements come from ---------------------------------------------------------------

    @staticmethod
    def from_tensor_slices(tensors: Any, name: str | None = None) -> Dataset:
        """Return the rows of an array, or of a tuple or dict of arrays with as many rows each."""
        return Dataset(Slices(as_element(tensors)))

    @staticmethod
    def from_tensors(tensors: Any, name: str | None = None) -> Dataset:
        """Return a data set of one element."""
        element = as_element(tensors)
        return Dataset(Generated(lambda: [element], 1))

    @staticmethod
    def from_generator(
        generator: Callable[..., Iterable[Any]],
        output_types: Any = None,
        output_shapes: Any = None,
        args: tuple[Any, ...] | None = None,
        output_signature: Any = None,
        name: str | None = None,
    ) -> Dataset:
        """Return what an iterable gives that `generator(*args)` returns, anew in each pass.

        `output_types`, `output_shapes` and `output_signature` are not needed: elements have the
        shapes and dtypes that they have.
        """
        if not callable(generator):
            raise DTypeError(
                "from_generator needs a function that returns an iterable, so that each pass can "
                f"begin anew; got {type(generator).__name__}"
            )
        return Dataset(Generated(lambda: generator(*(args or ()))))

    @staticmethod
    def range(*args: Any, output_type: Any = np.int64, name: str | None = None) -> Dataset:
        """Return the numbers of Python's `range(*args)`.

        >>> [int(i) for i in Dataset.range(2, 10, 3)]
        [2, 5, 8]
        """
        numbers = np.arange(*(as_count(one, "a bound of range") for one in args))
        return Dataset(Slices(as_element(numbers.astype(output_type))))

    @staticmethod
    def zip(*args: Any, datasets: Any = None, name: str | None = None) -> Dataset:
        """Return the elements of several data sets side by side, as tuples; the shortest one ends.

        >>> numbers = Dataset.range(3)
        >>> [(int(a), int(b)) for a, b in Dataset.zip(numbers, numbers.skip(1))]
        [(0, 1), (1, 2)]
        """
        given = args if datasets is None else (datasets,)
        structure = given[0] if len(given) == 1 else given
        parts = structure.values() if isinstance(structure, dict) else structure
        if not isinstance(structure, (tuple, dict)) or not all(
            isinstance(one, Dataset) for one in parts
        ):
            raise DTypeError(
                f"zip needs data sets, such as zip(images, labels); got {quoted(given)}"
            )
        sources = tuple(one._source for one in parts)
        if isinstance(structure, dict):
            names = list(structure)
            return Dataset(Zipped(sources, lambda one: dict(zip(names, one, strict=True))))
        return Dataset(Zipped(sources, tuple))

    # --- elements -------------------------------------------------------------------------------

    def __iter__(self) -> Iterator[Any]:
        """Return an iterator over the elements of the next pass."""
        self._passes += 1
        return self.for_epoch(self._passes - 1)

    def for_epoch(self, number: int) -> Iterator[Any]:
        """Return an iterator over the elements of one pass, the same ones in every call."""
        return iter(self._source.elements(number))

    def as_numpy_iterator(self) -> Iterator[Any]:
        """Yield the elements of the next pass with plain arrays of NumPy."""
        for element in self:
            yield replaced(element, np.ndarray, _plain)

    def reduce(self, initial_state: Any, reduce_func: Any, name: str | None = None) -> Any:
        """Return the last state of `state = reduce_func(state, element)`.

        >>> int(Dataset.range(5).reduce(0, lambda total, one: total + one))
        10
        """
        state = as_element(initial_state)
        for element in self:
            state = as_element(reduce_func(state, element))
        return state

    def get_single_element(self, name: str | None = None) -> Any:
        """Return the element of a data set that has one."""
        elements = list(self.take(2))
        if len(elements) != 1:
            many = "more than one" if elements else "no"
            raise ArgumentError(f"get_single_element needs one element; there is {many}")
        return elements[0]

    @property
    def element_spec(self) -> Any:
        """The shape and dtype of each array of an element, as a TensorSpec.

        They are those of the first element, which is computed for that.
        """
        for element in self.for_epoch(0):
            return spec_of(element, batched=self._source.batched)
        raise ArgumentError("a data set without elements has no element_spec")

    def cardinality(self) -> Any:
        """Return the number of elements; -1 if there is no end, -2 if it is not known."""
        return as_result(np.int64(self._source.length()))

    def __len__(self) -> int:
        """Return the number of elements.

        Raises
        ------
        UnknownLengthError : there is no end, or it is known only after a pass
        """
        length = self._source.length()
        if length == INFINITE:
            raise UnknownLengthError("the data set has no end: it has no length. take(n) has one")
        if length == UNKNOWN:
            raise UnknownLengthError(
                "the length of the data set is not known before a pass over it: count the elements "
                "of a loop, or use cache(), after which it is known"
            )
        return length

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        length = self._source.length()
        text = {INFINITE: "without end", UNKNOWN: "of unknown length"}
        return f"<{type(self).__name__} {text.get(length, f'of {length} elements')}>"

    # --- steps ----------------------------------------------------------------------------------

    def map(
        self,
        map_func: Callable[..., Any],
        num_parallel_calls: int | None = None,
        deterministic: bool | None = None,
        synchronous: bool | None = None,
        use_unbounded_threadpool: bool = False,
        name: str | None = None,
    ) -> Dataset:
        """Return the results of a function for each element.

        Parameters
        ----------
        map_func : called with the element, or with its parts if it is a tuple
        num_parallel_calls : the number of threads that call it, AUTOTUNE for one per processor;
            default: it is called when its result is asked for. The order stays that of the elements
        deterministic, synchronous, use_unbounded_threadpool : change nothing here
        """
        if num_parallel_calls is None:
            return Dataset(Mapped(self._source, map_func))
        threads = as_count(num_parallel_calls, "num_parallel_calls")
        threads = default_threads(None if threads == AUTOTUNE else threads)
        return Dataset(ParallelMapped(self._source, map_func, threads))

    def filter(self, predicate: Callable[..., Any], name: str | None = None) -> Dataset:
        """Return the elements for which the function returns True."""
        return Dataset(Filtered(self._source, predicate, first=False))

    def take_while(self, predicate: Callable[..., Any], name: str | None = None) -> Dataset:
        """Return the elements before the first one for which the function returns False."""
        return Dataset(Filtered(self._source, predicate, first=True))

    def take(self, count: int, name: str | None = None) -> Dataset:
        """Return the first `count` elements, -1 for all."""
        number = as_count(count, "count")
        return Dataset(Limited(self._source, 0, None if number < 0 else number))

    def skip(self, count: int, name: str | None = None) -> Dataset:
        """Return all elements but the first `count`, -1 for none."""
        number = as_count(count, "count")
        if number < 0:
            return self.take(0)
        return Dataset(Limited(self._source, number, None))

    def shard(self, num_shards: int, index: int, name: str | None = None) -> Dataset:
        """Return the elements index, index + num_shards, ..."""
        step, first = check_int(num_shards, "num_shards"), check_int(index, "index", 0)
        if first >= step:
            raise ArgumentError(f"index must be below num_shards={step}; got {first}")
        return Dataset(Limited(self._source, first, None, step))

    def repeat(self, count: int | None = None, name: str | None = None) -> Dataset:
        """Return `count` passes as one; None or -1 for passes without end."""
        times = None if count is None else as_count(count, "count")
        return Dataset(Repeated(self._source, None if times is None or times < 0 else times))

    def cache(self, filename: str = "", name: str | None = None) -> Dataset:
        """Keep the elements of the first pass in memory; all later passes give these."""
        if filename != "":
            raise ArgumentError(
                f"cache keeps elements in memory, not in the file {quoted(filename)}: leave it out"
            )
        return Dataset(Cached(self._source))

    def prefetch(self, buffer_size: int, name: str | None = None) -> Dataset:
        """Let a thread compute up to `buffer_size` elements before they are asked for."""
        size = as_count(buffer_size, "buffer_size")
        if size == 0:
            return Dataset(self._source)
        return Dataset(Prefetched(self._source, PREFETCHED if size < 0 else size))

    def shuffle(
        self,
        buffer_size: int | None,
        seed: int | None = None,
        reshuffle_each_iteration: bool | None = True,
        name: str | None = None,
    ) -> Dataset:
        """Return the elements in a random order, another one in each pass.

        Each is drawn from the next `buffer_size` elements, so this many are kept in memory, and
        only a buffer as long as the data set mixes all of it. The order depends on the seed and the
        pass alone; without a `seed` it is that of `set_random_seed`.
        """
        size = self._source.length() if buffer_size is None else as_count(buffer_size, "buffer")
        seed = None if seed is None else random.check_seed(seed)
        again = reshuffle_each_iteration is not False
        size = check_int(size, "buffer_size")
        return Dataset(self._source.shuffled(size, seed, again=again))

    def batch(
        self,
        batch_size: int,
        drop_remainder: bool = False,
        num_parallel_calls: int | None = None,
        deterministic: bool | None = None,
        name: str | None = None,
    ) -> Dataset:
        """Return stacks of `batch_size` elements; the last one may have fewer, or be left out."""
        size = check_int(as_count(batch_size, "batch_size"), "batch_size")
        return Dataset(self._source.in_batches(size, drop_remainder=bool(drop_remainder)))

    def unbatch(self, name: str | None = None) -> Dataset:
        """Return the rows of the elements, one by one."""
        return Dataset(Unbatched(self._source))

    def concatenate(self, dataset: Dataset, name: str | None = None) -> Dataset:
        """Return these elements and then those of another data set."""
        if not isinstance(dataset, Dataset):
            raise DTypeError(f"concatenate needs a data set; got {type(dataset).__name__}")
        return Dataset(Concatenated(self._source, dataset._source))

    def enumerate(self, start: int = 0, name: str | None = None) -> Dataset:
        """Return pairs (number, element), counted from `start`."""
        return Dataset(Numbered(self._source, as_count(start, "start")))

    def flat_map(self, map_func: Callable[..., Dataset], name: str | None = None) -> Dataset:
        """Return the elements of the data sets that a function returns for each element."""

        def source_of(element: Any) -> Source:
            inner = map_func(*element) if type(element) is tuple else map_func(element)
            if not isinstance(inner, Dataset):
                raise DTypeError(
                    f"the function of flat_map must return a data set; got {type(inner).__name__}"
                )
            return inner._source

        return Dataset(Flattened(self._source, source_of))

    def apply(self, transformation_func: Callable[[Dataset], Dataset]) -> Dataset:
        """Return transformation_func(self), so that steps of one's own fit into a chain."""
        return transformation_func(self)


def _plain(array: np.ndarray) -> Any:
    """Return an array of NumPy; a single value as a number of NumPy."""
    return np.asarray(array)[()]
