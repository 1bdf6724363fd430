"""The memory of programs: an arena for activations, and scratch arrays after them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minicnn.backends.cuda.flat_update import is_update
from minicnn.backends.cuda.runtime.launch import KernelPlan
from minicnn.backends.cuda.runtime.memory import allocate, padded_bytes
from minicnn.contracts import Spec
from minicnn.program import Buffer, Program, Step


class Arena:
    """Device memory for several programs that run in turn, as large as the largest needs.

    Parameters
    ----------
    before_growth : called before larger memory replaces the old one, so that the owner of Runners
        that use the old memory can drop them
    """

    def __init__(self, before_growth: Callable[[], None] = lambda: None) -> None:
        self._before_growth, self._memory, self.size_bytes = before_growth, None, 0

    def reserve(self, size: int, what: str) -> Any:
        """Return at least `size` bytes, the same for every program; errors say it is for `what`."""
        if self._memory is None or size > self.size_bytes:
            self._before_growth()
            self._memory, self.size_bytes = None, 0
            self._memory = allocate(Spec((size,), "uint8"), what)
            self.size_bytes = size
        return self._memory


def scratch_offsets(
    steps: tuple[Step, ...], plans: list[KernelPlan]
) -> tuple[list[dict[str, int]], int]:
    """Return each step's scratch arrays with their offsets, and the bytes that all steps need.

    Steps reuse the same bytes, except for updates in a row: the gradients that dense layers compute
    there are read when all weights are updated together.
    """
    all_offsets, end, most = [], 0, 0
    for number, (step, plan) in enumerate(zip(steps, plans, strict=True)):
        if not (number and is_update(step) and is_update(steps[number - 1])):
            end = 0
        offsets = {}
        for name, spec in plan.scratch.items():
            offsets[name] = end
            end += padded_bytes(spec)
        all_offsets.append(offsets)
        most = max(most, end)
    return all_offsets, most


def largest_arrays(program: Program) -> str:
    """Return a text that names the program's largest arrays, for the message if memory is short."""
    own = [b for b in program.buffers if not b.storage and b.view_of is None]
    return allocation_text("the layers' outputs of one batch", own)


def allocation_text(kind: str, buffers: list[Buffer], count: int = 3) -> str:
    """Return a text that says what an allocation is for."""
    largest = sorted(buffers, key=lambda b: -padded_bytes(b.spec))[:count]
    names = ", ".join(f"{b.name} {b.spec.shape}" for b in largest)
    return f"{kind}, of which the largest are {names}"
