"""Running a program on the GPU: all arrays stay there, launches are recorded as a graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from minicnn.backends.cuda.graph import Recorded
from minicnn.backends.cuda.kernels import MAKERS
from minicnn.backends.cuda.memory import (
    Mirror,
    allocate,
    download,
    mirror_of,
    new_stream,
    part,
    upload,
)
from minicnn.backends.cuda.work import HALTED, OLD, Work
from minicnn.contracts import CONTRACTS, Spec
from minicnn.program import Buffer, Program, Step

ALIGNMENT = 256  # bytes; what the widest loads and the tensor cores like


class Bound(NamedTuple):
    """A step's launches with their arrays."""

    work: Work
    arrays: dict[str, Any]
    writes: tuple[int, ...]


class Runner:
    """Holds a program's arrays on the device and runs its steps.

    Parameters
    ----------
    program : what to run
    arrays : for each buffer with a home, by its index, the host array of its owner. Parameters and
        state have a mirror on the device, which is newer until somebody asks the owner for them
        (`minicnn.ownership`); inputs are copied there before each run that reads them

    Raises
    ------
    DeviceMemoryError : the GPU has too little memory; the message names the largest arrays
    """

    def __init__(self, program: Program, arrays: dict[int, np.ndarray]) -> None:
        self._program, self._hosts = program, arrays
        self._stream = new_stream()
        self._mirrors: dict[int, Mirror] = {}
        works = [_work_of(program, step) for step in program.steps]
        scratch = _scratch(works)
        total = program.arena_bytes + max((size for _, size in scratch), default=0)
        self._arena = allocate(Spec((total,), "uint8"), _largest(program))
        self._halted = allocate(Spec((1,), "uint32"), HALTED)
        upload(np.zeros(1, np.uint32), self._halted)
        self._arrays: dict[int, Any] = {}
        for index, buffer in enumerate(program.buffers):
            self._arrays[index] = self._place(index, buffer)
        self._steps = [
            self._bind(step, work, places)
            for step, work, (places, _) in zip(program.steps, works, scratch, strict=True)
        ]
        self._recorded: dict[tuple[int, int], Recorded] = {}
        self._constants: list[int] = []  # versions of what the constant steps read, when they ran

    def __getitem__(self, index: int) -> np.ndarray:
        """A copy of the array, on the host, as the next step to read it would find it."""
        self._bring(self._root(index))
        return download(self._arrays[index], self._program.buffers[index].spec, self._stream)

    def run(self, first: int = 0, last: int | None = None) -> None:
        """Run the steps from `first` up to, not including, `last`."""
        numbers = range(len(self._steps))[first:last]
        self._refresh(numbers)
        span = (numbers.start, numbers.stop)
        if span not in self._recorded:
            self._recorded[span] = Recorded(self._launcher(numbers), self._stream)
        self._recorded[span]()
        for number in numbers:
            self._note_changes(self._steps[number])

    def refresh_constants(self) -> None:
        """Run the steps that depend on parameters alone, if these have changed."""
        steps = range(self._program.constant)
        mirrors = [self._mirrors[i] for i in sorted(self._read_by(steps)) if i in self._mirrors]
        for mirror in mirrors:
            mirror.refresh()
        versions = [mirror.version for mirror in mirrors]
        if steps and versions != self._constants:
            self.run(0, len(steps))
            self._constants = versions

    def _place(self, index: int, buffer: Buffer) -> Any:
        if buffer.view_of is not None:
            return self._arrays[buffer.view_of]
        if not buffer.home:
            return part(self._arena, buffer.offset or 0, buffer.spec)
        if buffer.home == "input":
            return allocate(buffer.spec, buffer.name)
        self._mirrors[index] = mirror_of(self._hosts[index], buffer.name)
        return self._mirrors[index].copy

    def _bind(self, step: Step, work: Work, scratch: dict[str, int]) -> Bound:
        contract = CONTRACTS[step.kernel]
        reads = (name.rstrip("?") for name in contract.reads)
        old = (OLD + name if name in contract.updates else name for name in reads)
        names = (*old, *contract.writes)
        arrays = {
            name: self._arrays[index]
            for name, index in zip(names, (*step.reads, *step.writes), strict=True)
            if index is not None
        }
        arrays[HALTED] = self._halted
        for name, offset in scratch.items():
            arrays[name] = part(self._arena, self._program.arena_bytes + offset, work.scratch[name])
        return Bound(work, arrays, tuple(i for i in step.writes if i is not None))

    def _refresh(self, numbers: range) -> None:
        """Bring to the device what these steps read from the host."""
        for index in self._read_by(numbers):
            self._bring(index)

    def _bring(self, index: int) -> None:
        if index in self._mirrors:
            self._mirrors[index].refresh()
        elif self._program.buffers[index].home:
            upload(self._hosts[index], self._arrays[index], self._stream)

    def _read_by(self, numbers: range) -> set[int]:
        steps = [self._program.steps[number] for number in numbers]
        return {self._root(i) for step in steps for i in step.reads if i is not None}

    def _note_changes(self, step: Bound) -> None:
        for index in step.writes:
            if self._root(index) in self._mirrors:
                self._mirrors[self._root(index)].changed()

    def _root(self, index: int) -> int:
        view_of = self._program.buffers[index].view_of
        return index if view_of is None else view_of

    def _launcher(self, numbers: range) -> Callable[[Any], None]:
        steps = [self._steps[number] for number in numbers]

        def launches(stream: Any) -> None:
            for work, arrays, _ in steps:
                for kernel, blocks, threads, arguments in work.launches:
                    kernel[blocks, threads, stream](*(arrays[name] for name in arguments))

        return launches


def _work_of(program: Program, step: Step) -> Work:
    reads = [None if i is None else program.buffers[i].spec for i in step.reads]
    return MAKERS[step.kernel](*reads, **step.attributes)


def _scratch(works: list[Work]) -> list[tuple[dict[str, int], int]]:
    """For each step the offset of each scratch array, and the bytes of all. Steps share them."""
    placed = []
    for work in works:
        offsets, size = {}, 0
        for name, spec in work.scratch.items():
            offsets[name] = size
            bytes_ = int(np.prod(spec.shape)) * np.dtype(spec.dtype).itemsize
            size += -(-bytes_ // ALIGNMENT) * ALIGNMENT
        placed.append((offsets, size))
    return placed


def _largest(program: Program, count: int = 3) -> str:
    """The largest arrays of a program, for whoever has to make it smaller."""
    own = [b for b in program.buffers if not b.home and b.view_of is None]
    own.sort(key=lambda b: -int(np.prod(b.spec.shape)))
    names = ", ".join(f"{b.name} {b.spec.shape}" for b in own[:count])
    return f"the layers' outputs of one batch, of which the largest are {names}"
