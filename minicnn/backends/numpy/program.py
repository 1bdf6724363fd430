"""Runs a program: one kernel of the reference after the other, in the order of its listing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from minicnn.backends.constant_steps import ConstantSteps, Snapshots
from minicnn.backends.numpy.kernels import KERNELS, find_kernel
from minicnn.host_sync import sync_all
from minicnn.program import Program


class Arena:
    """The arrays that kernels returned, of the program that ran last."""

    def __init__(self, _before_growth: Callable[[], None] | None = None) -> None:
        self.snapshots: Snapshots = {}
        self._arrays: dict[int, np.ndarray] = {}
        self._owner: object = None

    @property
    def size_bytes(self) -> int:
        """Return how many bytes these arrays have."""
        return sum(array.nbytes for array in self._arrays.values())

    def of(self, owner: object) -> dict[int, np.ndarray]:
        """Return the arrays of `owner` by index, and free those of any other owner."""
        if self._owner is not owner:
            self._owner, self._arrays = owner, {}
        return self._arrays


class Runner:
    """Holds a program's arrays and runs its steps.

    Parameters
    ----------
    program : what to run
    arrays : for each buffer with a `storage`, by its index, the array of its owner: parameters,
        state and inputs. The program updates them in place
    arena : holds all other arrays; a new one by default. Programs that share an arena run in turn

    Notes
    -----
    An array without a `storage` is the one that the last kernel returned for it; offsets and the
    arena's size matter to other engines only.
    """

    max_steps_per_call: int = 1

    def __init__(
        self, program: Program, arrays: dict[int, np.ndarray], arena: Arena | None = None
    ) -> None:
        self._program, self._persistent = program, dict(arrays)
        self._arena = Arena() if arena is None else arena
        self._owner = object()  # identifies this Runner in the arena, without a reference cycle
        self._constants = ConstantSteps(program, arrays, self._arena.snapshots)
        for step in program.steps:
            find_kernel(step.kernel)  # raises if there is none

    def __getitem__(self, index: int) -> np.ndarray:
        buffer = self._program.buffers[index]
        if buffer.view_of is not None:
            return self[buffer.view_of].reshape(buffer.spec.shape)
        return self._persistent[index] if buffer.storage else self._arena.of(self._owner)[index]

    def run(self, first: int = 0, last: int | None = None) -> None:
        """Run the steps from `first` up to, not including, `last`."""
        sync_all(self._persistent.values())
        for step in self._program.steps[first:last]:
            reads = [None if index is None else self[index] for index in step.reads]
            outs = KERNELS[step.kernel](*reads, **step.attributes)
            for index, out in zip(step.writes, outs, strict=True):
                if index is not None:
                    self._store(index, out)

    def refresh_constants(self) -> None:
        """Run the constant steps if the parameters that they read have changed."""
        self._constants.refresh(self.run)

    def _store(self, index: int, out: np.ndarray) -> None:
        if self._program.buffers[index].storage:
            self._persistent[index][...] = out
        else:
            self._arena.of(self._owner)[index] = out
