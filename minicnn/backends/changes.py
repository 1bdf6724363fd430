"""Steps of a program that depend on parameters alone: they are run when these have changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from minicnn.program import Program


class Constants:
    """Remembers the parameters that a program's first steps read, as they were when these ran."""

    def __init__(self, program: Program, arrays: Mapping[int, np.ndarray]) -> None:
        self._steps = program.constant
        steps = program.steps[: self._steps]
        reads = {i for step in steps for i in step.reads if i is not None}
        self._arrays = {i: arrays[i] for i in reads if i in arrays}
        self._before: dict[int, np.ndarray] = {}

    def refresh(self, run: Callable[[int, int], None]) -> None:
        """Call run(0, number of such steps) if they never ran or read other numbers now."""
        if self._steps and not self._unchanged():
            run(0, self._steps)
            self._before = {i: a.copy() for i, a in self._arrays.items()}

    def _unchanged(self) -> bool:
        before = self._before
        return bool(before) and all(_same_bits(a, before[i]) for i, a in self._arrays.items())


def _same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    """Also where there is NaN, which is not equal to itself."""
    return np.array_equal(a.view(np.uint32), b.view(np.uint32))
