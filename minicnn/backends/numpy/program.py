"""Running a program: one kernel after the other, as its listing reads."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from minicnn.backends.changes import Constants
from minicnn.backends.numpy.kernels import KERNELS
from minicnn.ownership import bring_home
from minicnn.program import Program


class Runner:
    """Holds a program's arrays and runs its steps.

    Parameters
    ----------
    program : what to run
    arrays : for each buffer with a home, by its index, the array that lives there: parameters,
        state, inputs. They are updated in place, so their owner sees every change.

    Notes
    -----
    Arrays without a home are whatever the last kernel that wrote them returned; offsets and sizes
    of the arena matter to other engines only.
    """

    together: ClassVar[int] = 1  # training steps that it can be given at a time

    def __init__(self, program: Program, arrays: dict[int, np.ndarray]) -> None:
        self._program = program
        self._arrays, self._homes = dict(arrays), list(arrays.values())
        self._constants = Constants(program, arrays)

    def __getitem__(self, index: int) -> np.ndarray:
        buffer = self._program.buffers[index]
        if buffer.view_of is None:
            return self._arrays[index]
        return self[buffer.view_of].reshape(buffer.spec.shape)

    def run(self, first: int = 0, last: int | None = None) -> None:
        """Run the steps from `first` up to, not including, `last`."""
        bring_home(self._homes)
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
            self._arrays[index][...] = out
        else:
            self._arrays[index] = out
