"""The steps of a program whose results depend on parameters alone.

They come first, and run again only when a parameter that they read has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from minicnn.program import Program

# By the id of the array that a constant step writes: copies of what the step read when it ran.
Snapshots = dict[int, list[np.ndarray]]


class ConstantSteps:
    """Decides whether a program's constant steps must run.

    Parameters
    ----------
    program, arrays : the program, and its arrays by index
    snapshots : shared by the programs of one arena, because their constant steps write to the same
        arrays
    """

    def __init__(
        self, program: Program, arrays: Mapping[int, np.ndarray], snapshots: Snapshots
    ) -> None:
        self._snapshots = snapshots
        steps = program.steps[: program.constant_steps]
        written = {i for step in steps for i in step.writes}
        self._steps = [
            (
                arrays[next(i for i in step.writes if i is not None)],
                [arrays[i] for i in step.reads if i is not None and i not in written],
            )
            for step in steps
        ]

    def refresh(self, run: Callable[[int, int], None]) -> None:
        """Call run(0, number of constant steps) if their parameters have changed since they ran."""
        if not all(self._unchanged(id(written), reads) for written, reads in self._steps):
            for written, _ in self._steps:
                self._snapshots.pop(id(written), None)  # in case Ctrl-C stops `run`
            run(0, len(self._steps))
            for written, reads in self._steps:
                self._snapshots[id(written)] = [array.copy() for array in reads]

    def _unchanged(self, written: int, reads: list[np.ndarray]) -> bool:
        before = self._snapshots.get(written)
        return before is not None and all(map(_same_bits, reads, before))


def _same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    """Compare bits, because NaN is not equal to itself."""
    return np.array_equal(a.view(np.uint32), b.view(np.uint32))
