"""Large dense layers: every process updates some rows of their weights.

The gradient of w in y = x @ w is x.T @ dy, (in, out), while x is (N, in) and dy is (N, out): where
N is small, it is much less to send x and dy to whoever updates w than to send the gradient. So the
process that updates rows a...b - 1 gets columns a...b - 1 of everybody's x, and everybody's dy. It
computes the gradient of these rows for the whole batch at once, and alone has the optimizer's state
of these rows. After the update it sends its rows of w to all.

The rows are cut into as many parts as there are shards, and each part is updated by a call of its
own. So the bits do not depend on how many parts a process has.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import numpy as np

from minicnn.distributed.communicator import Communicator, Pending
from minicnn.models.planner.dense_rows import DenseUpdate

TAG = 0x7000  # of the first layer's exchanges, which every rank begins in the same order

PartsOf = Callable[[int, int], Sequence[slice]]


class DenseExchange:
    """What the processes send each other of all large dense layers of one network.

    Parameters
    ----------
    communicator : the processes
    samples : the samples of the batch that each rank computes
    updates : the layers
    parts_of : the parts of the rows that a rank updates, given the number of all rows and the rank
    """

    def __init__(
        self,
        communicator: Communicator,
        samples: Sequence[slice],
        updates: Sequence[DenseUpdate],
        parts_of: PartsOf,
    ) -> None:
        self.updates = updates
        self._layers = [
            _Layer(communicator, samples, update, parts_of, TAG + number)
            for number, update in enumerate(updates)
        ]

    def is_like(self, other: DenseExchange) -> bool:
        """Return whether it is about the weights of the same layers."""
        ours, theirs = ([id(one.weights) for one in each.updates] for each in (self, other))
        return ours == theirs

    def put(self, number: int, rows: slice, x: np.ndarray, dy: np.ndarray) -> None:
        """Copy x and dy of a layer for these samples of this process."""
        self._layers[number].put(rows, x, dy)

    def begin(self, number: int) -> None:
        """Send x and dy of a layer, of which all samples of this process have been put."""
        self._layers[number].begin()

    def finish(self) -> None:
        """Wait for x and dy of all layers."""
        for layer in self._layers:
            layer.finish()

    def gather_weights(self) -> None:
        """Send the rows of the weights that this process has updated to all."""
        pending = [layer.gather(layer.update.weights) for layer in self._layers]
        for one in pending:
            one.wait()

    def gather_slots(self, ranks: Collection[int]) -> None:
        """Send these ranks the rows of the optimizer's state that this process has."""
        for layer in self._layers:
            for slot in layer.update.slots:
                layer.gather(slot, ranks).wait()


class _Layer:
    """One layer's exchanges."""

    def __init__(
        self,
        communicator: Communicator,
        samples: Sequence[slice],
        update: DenseUpdate,
        parts_of: PartsOf,
        tag: int,
    ) -> None:
        self.communicator, self.update, self.tag = communicator, update, tag
        self._samples, self._own = samples, samples[communicator.rank]
        parts = [parts_of(len(update.weights), rank) for rank in range(communicator.size)]
        self._rows = [slice(each[0].start, each[-1].stop) for each in parts]
        # Turn k is about the k-th part of every rank; those that have fewer have an empty one.
        turns = range(max(map(len, parts)))
        self._turns = [[each[k] if k < len(each) else slice(0, 0) for each in parts] for k in turns]
        self._columns = [[self._new_columns(part) for part in turn] for turn in self._turns]
        for k, x in enumerate(update.x):  # what this rank needs of itself is where it is needed
            self._columns[k][communicator.rank] = x[self._own]
        self._pending: list[Pending] = []

    def _new_columns(self, part: slice) -> np.ndarray:
        return np.empty((self._own.stop - self._own.start, part.stop - part.start), np.float32)

    def put(self, rows: slice, x: np.ndarray, dy: np.ndarray) -> None:
        """Copy x and dy of some samples."""
        self.update.dy[rows] = dy
        here = slice(rows.start - self._own.start, rows.stop - self._own.start)
        for turn, columns in zip(self._turns, self._columns, strict=True):
            for part, target in zip(turn, columns, strict=True):
                target[here] = x[:, part]

    def begin(self) -> None:
        """Send the columns of x to the ranks that need them, and dy to all."""
        dy, nothing = self.update.dy, np.empty((len(self.update.dy), 0), np.float32)
        outgoing = [dy[self._own]] * self.communicator.size
        self._pending = [self._exchange(outgoing, [dy[rows] for rows in self._samples])]
        for k, columns in enumerate(self._columns):
            x = self.update.x[k] if k < len(self.update.x) else nothing
            self._pending.append(self._exchange(columns, [x[rows] for rows in self._samples]))

    def _exchange(self, outgoing: Sequence[np.ndarray], incoming: Sequence[np.ndarray]) -> Pending:
        return self.communicator.exchange(outgoing, incoming, self.tag)

    def finish(self) -> None:
        """Wait for x and dy."""
        for pending in self._pending:
            pending.wait()
        self._pending = []

    def gather(self, array: np.ndarray, ranks: Collection[int] | None = None) -> Pending:
        """Send the rows that this process updates to these ranks, by default to all."""
        everyone = range(self.communicator.size)
        ranks, own, nothing = ranks or everyone, self._rows[self.communicator.rank], array[:0]
        outgoing = [array[own] if rank in ranks else nothing for rank in everyone]
        receives = self.communicator.rank in ranks
        incoming = [array[rows] if receives else nothing for rows in self._rows]
        incoming[self.communicator.rank] = outgoing[self.communicator.rank]
        return self._exchange(outgoing, incoming)
