"""Steps of a program that depend on parameters alone: they are run when these have changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from minicnn.program import Program

Seen = dict[int, list[np.ndarray]]


class Constants:
    """A program's first steps, and the parameters that they read as they were when these ran.

    Programs that share an arena share what such steps write, so they share `seen`, too: by the
    array that a step writes, copies of those that it read.
    """

    def __init__(self, program: Program, arrays: Mapping[int, np.ndarray], seen: Seen) -> None:
        self._seen = seen
        steps = program.steps[: program.constant]
        made = {i for step in steps for i in step.writes}
        self._steps = [
            (
                arrays[next(i for i in step.writes if i is not None)],
                [arrays[i] for i in step.reads if i is not None and i not in made],
            )
            for step in steps
        ]

    def refresh(self, run: Callable[[int, int], None]) -> None:
        """Call run(0, number of such steps) if they never ran or read other numbers now."""
        if not all(self._unchanged(id(written), reads) for written, reads in self._steps):
            for written, _ in self._steps:
                self._seen.pop(id(written), None)  # should Ctrl-C come in between
            run(0, len(self._steps))
            for written, reads in self._steps:
                self._seen[id(written)] = [array.copy() for array in reads]

    def _unchanged(self, written: int, reads: list[np.ndarray]) -> bool:
        before = self._seen.get(written)
        return before is not None and all(map(_same_bits, reads, before))


def _same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    """Also where there is NaN, which is not equal to itself."""
    return np.array_equal(a.view(np.uint32), b.view(np.uint32))
