"""Large dense layers: every process updates some rows of their weights.

The gradient of w in y = x @ w is x.T @ dy, (in, out), while x is (N, in) and dy is (N, out): where
N is small, it is much less to send x and dy to whoever updates w than to send the gradient. So the
process that updates rows a...b - 1 gets columns a...b - 1 of everybody's x, and everybody's dy. It
computes the gradient of these rows for the whole batch at once, and alone has the optimizer's state
of these rows. After the update it sends its rows of w to all.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import numpy as np

from minicnn.distributed.communicator import Communicator, Pending
from minicnn.models.planner.data_parallel import DenseUpdate

TAG = 0x6000  # of the first exchange


class DenseExchange:
    """What the processes send each other of all large dense layers of one network.

    Parameters
    ----------
    communicator : the processes
    samples : the samples of the batch that each rank computes
    updates : the layers
    rows_of : the rows that a rank updates, given the number of all rows and the rank
    """

    def __init__(
        self,
        communicator: Communicator,
        samples: Sequence[slice],
        updates: Sequence[DenseUpdate],
        rows_of: Callable[[int, int], slice],
    ) -> None:
        self.updates = updates
        self._layers = [
            _Layer(communicator, samples, update, rows_of, TAG + 8 * number)
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
        pending = [layer.gather(layer.update.weights, 2) for layer in self._layers]
        for one in pending:
            one.wait()

    def gather_slots(self, ranks: Collection[int]) -> None:
        """Send these ranks the rows of the optimizer's state that this process has."""
        for layer in self._layers:
            for slot in layer.update.slots:
                layer.gather(slot, 3, ranks).wait()


class _Layer:
    """One layer's exchanges."""

    def __init__(
        self,
        communicator: Communicator,
        samples: Sequence[slice],
        update: DenseUpdate,
        rows_of: Callable[[int, int], slice],
        tag: int,
    ) -> None:
        self.communicator, self.update, self.tag = communicator, update, tag
        self._samples, self._own = samples, samples[communicator.rank]
        ranks = range(communicator.size)
        self._rows = [rows_of(len(update.weights), rank) for rank in ranks]
        count = self._own.stop - self._own.start
        # The columns of x for each rank; those for this rank are where they are needed.
        self._columns = [
            np.empty((count, rows.stop - rows.start), np.float32) for rows in self._rows
        ]
        self._columns[communicator.rank] = update.x[self._own]
        self._pending: list[Pending] = []

    def put(self, rows: slice, x: np.ndarray, dy: np.ndarray) -> None:
        """Copy x and dy of some samples."""
        self.update.dy[rows] = dy
        here = slice(rows.start - self._own.start, rows.stop - self._own.start)
        for columns, wanted in zip(self._columns, self._rows, strict=True):
            columns[here] = x[:, wanted]

    def begin(self) -> None:
        """Send the columns of x to the ranks that need them, and dy to all."""
        x, dy = self.update.x, self.update.dy
        outgoing = [dy[self._own]] * self.communicator.size
        self._pending = [
            self.communicator.exchange(
                self._columns, [x[rows] for rows in self._samples], self.tag
            ),
            self.communicator.exchange(
                outgoing, [dy[rows] for rows in self._samples], self.tag + 1
            ),
        ]

    def finish(self) -> None:
        """Wait for x and dy."""
        for pending in self._pending:
            pending.wait()
        self._pending = []

    def gather(self, array: np.ndarray, kind: int, ranks: Collection[int] | None = None) -> Pending:
        """Send the rows that this process updates to these ranks, by default to all."""
        everyone = range(self.communicator.size)
        ranks, own, nothing = ranks or everyone, self._rows[self.communicator.rank], array[:0]
        outgoing = [array[own] if rank in ranks else nothing for rank in everyone]
        receives = self.communicator.rank in ranks
        incoming = [array[rows] if receives else nothing for rows in self._rows]
        incoming[self.communicator.rank] = outgoing[self.communicator.rank]
        return self.communicator.exchange(outgoing, incoming, self.tag + kind)
