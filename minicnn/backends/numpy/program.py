"""Running a program: one kernel after the other, as its listing reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np

from minicnn.backends.constant_steps import Constants, Seen
from minicnn.backends.numpy.kernels import KERNELS
from minicnn.host_sync import sync_all
from minicnn.program import Program


class Arena:
    """What the kernels of several programs returned: of the one that ran last alone."""

    def __init__(self, _forget: Callable[[], None] | None = None) -> None:
        self.seen: Seen = {}  # see Constants
        self._arrays: dict[int, np.ndarray] = {}
        self._owner: object = None

    @property
    def size_bytes(self) -> int:
        """Of all these arrays."""
        return sum(array.nbytes for array in self._arrays.values())

    def of(self, owner: object) -> dict[int, np.ndarray]:
        """The arrays of `owner`; another one's are given up."""
        if self._owner is not owner:
            self._owner, self._arrays = owner, {}
        return self._arrays


class Runner:
    """Holds a program's arrays and runs its steps.

    Parameters
    ----------
    program : what to run
    arrays : for each buffer with a home, by its index, the array that lives there: parameters,
        state, inputs. They are updated in place, so their owner sees every change.
    arena : what holds all others; one of its own by default. Programs that share one run in turn

    Notes
    -----
    Arrays without a home are whatever the last kernel that wrote them returned; offsets and sizes
    of the arena matter to other engines only.
    """

    together: ClassVar[int] = 1  # training steps that it can be given at a time

    def __init__(
        self, program: Program, arrays: dict[int, np.ndarray], arena: Arena | None = None
    ) -> None:
        self._program, self._homes = program, dict(arrays)
        self._arena = Arena() if arena is None else arena
        self._owner = object()  # this program, to the arena; not self, which would be a circle
        self._constants = Constants(program, arrays, self._arena.seen)

    def __getitem__(self, index: int) -> np.ndarray:
        buffer = self._program.buffers[index]
        if buffer.view_of is not None:
            return self[buffer.view_of].reshape(buffer.spec.shape)
        return self._homes[index] if buffer.home else self._arena.of(self._owner)[index]

    def run(self, first: int = 0, last: int | None = None) -> None:
        """Run the steps from `first` up to, not including, `last`."""
        sync_all(self._homes.values())
        for step in self._program.steps[first:last]:
            reads = [None if index is None else self[index] for index in step.reads]
            outs = KERNELS[step.kernel](*reads, **step.attributes)
            for index, out in zip(step.writes, outs, strict=True):
                if index is not None:
                    self._keep(index, out)

    def refresh_constants(self) -> None:
        """Run the steps that depend on parameters alone, if these have changed."""
        self._constants.refresh(self.run)

    def _keep(self, index: int, out: np.ndarray) -> None:
        if self._program.buffers[index].home:
            self._homes[index][...] = out
        else:
            self._arena.of(self._owner)[index] = out
