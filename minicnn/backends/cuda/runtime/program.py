"""Running a program on the GPU: all arrays stay there, launches are recorded as a graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn.backends.cuda.flat_update import BoundStep, is_update, join_updates
from minicnn.backends.cuda.kernels import KERNEL_FACTORIES
from minicnn.backends.cuda.runtime.graph import Recorded
from minicnn.backends.cuda.runtime.launch import HALTED, OLD, KernelPlan, start
from minicnn.backends.cuda.runtime.memory import (
    DeviceCopy,
    Region,
    allocate,
    allocate_adjacent,
    compute_stream,
    device_copies_of,
    device_errors,
    download,
    padded_bytes,
    upload,
)
from minicnn.contracts import CONTRACTS, Spec
from minicnn.program import Buffer, Program, Step


class Arena:
    """Device memory for several programs that run in turn: as much as the largest needs.

    `forget` is called before it grows, by those who hold programs in the old memory.
    """

    def __init__(self, forget: Callable[[], None] = lambda: None) -> None:
        self._forget, self._memory, self.size_bytes = forget, None, 0

    def room(self, size: int, what: str) -> Any:
        """At least `size` bytes, the same for every program; `what` is for the error message."""
        if self._memory is None or size > self.size_bytes:
            self._forget()
            self._memory, self.size_bytes = None, 0
            self._memory = allocate(Spec((size,), "uint8"), what)
            self.size_bytes = size
        return self._memory


class Runner:
    """Holds a program's arrays on the device and runs its steps.

    Parameters
    ----------
    program : what to run
    arrays : for each buffer with a home, by its index, the host array of its owner. Parameters and
        state have a mirror on the device, which is newer until somebody asks the owner for them
        (`minicnn.host_sync`); inputs are copied there before each run that reads them
    arena : where all others lie; one of its own by default. Programs that share one run in turn

    Raises
    ------
    DeviceMemoryError : the GPU has too little memory; the message names the largest arrays
    """

    def __init__(
        self, program: Program, arrays: dict[int, np.ndarray], arena: Arena | None = None
    ) -> None:
        self._program, self._hosts = program, arrays
        self._stream = compute_stream()
        plans = [_plan_of(program, step) for step in program.steps]
        scratch, scratch_bytes = _scratch(program.steps, plans)
        self._scratch_start = padded_bytes(Spec((program.arena_bytes,), "uint8"))
        arena = Arena() if arena is None else arena
        self._arena = arena.room(self._scratch_start + scratch_bytes, _largest(program))
        self._halted = allocate(Spec((1,), "uint32"), HALTED)
        upload(np.zeros(1, np.uint32), self._halted)
        self._device_copies = self._copies_of_persistent()
        self._places = self._place_all()
        self._arrays = {index: place.array for index, place in self._places.items()}
        self._steps = [
            self._bind(step, plan, offsets)
            for step, plan, offsets in zip(program.steps, plans, scratch, strict=True)
        ]
        self._joined: dict[range, list[BoundStep]] = {}
        self._recorded: dict[range, Recorded] = {}
        self._constants: list[int] = []  # versions of what the constant steps read, when they ran

    def __getitem__(self, index: int) -> np.ndarray:
        """A copy of the array, on the host, as the next step to read it would find it."""
        self._bring(self._root(index))
        return download(self._arrays[index], self._program.buffers[index].spec, self._stream)

    def run(self, first: int = 0, last: int | None = None) -> None:
        """Run the steps from `first` up to, not including, `last`."""
        numbers = range(len(self._steps))[first:last]
        self._refresh(numbers)
        if numbers not in self._recorded:
            self._recorded[numbers] = Recorded(_starter(self.launches(numbers)), self._stream)
        self._recorded[numbers]()
        for number in numbers:
            self._note_changes(self._steps[number])

    def launches(self, numbers: range) -> list[BoundStep]:
        """The launches of these steps in order; updates of weights are joined where they can be.

        To be called before a recording: the first time it makes tables on the device.
        """
        if numbers not in self._joined:
            self._joined[numbers] = join_updates([self._steps[number] for number in numbers])
        return self._joined[numbers]

    def refresh_constants(self) -> None:
        """Run the steps that depend on parameters alone, if these have changed."""
        steps = range(self._program.constant)
        made = {i for step in self._program.steps[: len(steps)] for i in step.writes}
        read = sorted(self._read_by(steps) - made)
        device_copies = [self._device_copies[i] for i in read if i in self._device_copies]
        for device_copy in device_copies:
            device_copy.refresh()
        versions = [device_copy.version for device_copy in device_copies]
        if steps and versions != self._constants:
            self.run(0, len(steps))
            self._constants = versions

    def _copies_of_persistent(self) -> dict[int, DeviceCopy]:
        """Mirrors of parameters and state; those that are new lie in one allocation."""
        lasting = [i for i, b in enumerate(self._program.buffers) if b.storage in _LASTING]
        device_copies = device_copies_of(
            [self._hosts[i] for i in lasting], _what("parameters and state", self._buffers(lasting))
        )
        return dict(zip(lasting, device_copies, strict=True))

    def _place_all(self) -> dict[int, Region]:
        """Where each buffer lies; a view lies where its root does."""
        inputs = [i for i, b in enumerate(self._program.buffers) if b.storage == "input"]
        specs = [b.spec for b in self._buffers(inputs)]
        places = dict(
            zip(
                inputs,
                allocate_adjacent(specs, _what("inputs", self._buffers(inputs))),
                strict=True,
            )
        )
        places |= {index: device_copy.place for index, device_copy in self._device_copies.items()}
        for index, buffer in enumerate(self._program.buffers):
            if buffer.view_of is not None:
                places[index] = places[buffer.view_of]
            elif not buffer.storage:
                places[index] = Region(self._arena, buffer.offset or 0, buffer.spec)
        return places

    def _buffers(self, indices: list[int]) -> list[Buffer]:
        return [self._program.buffers[i] for i in indices]

    def _bind(self, step: Step, plan: KernelPlan, scratch: dict[str, int]) -> BoundStep:
        contract = CONTRACTS[step.kernel]
        reads = (name.rstrip("?") for name in contract.reads)
        old = (OLD + name if name in contract.updates else name for name in reads)
        names = (*old, *contract.writes)
        places = {
            name: self._places[index]
            for name, index in zip(names, (*step.reads, *step.writes), strict=True)
            if index is not None
        }
        for name, offset in scratch.items():
            spec = plan.scratch[name]
            places[name] = Region(self._arena, self._scratch_start + offset, spec)
        arrays = {name: place.array for name, place in places.items()}
        writes = tuple(i for i in step.writes if i is not None)
        return BoundStep(step, plan, arrays | {HALTED: self._halted}, places, writes)

    def _refresh(self, numbers: range) -> None:
        """Bring to the device what these steps read from the host."""
        for index in self._read_by(numbers):
            self._bring(index)
        if self._stream:  # the owner of inputs may change them when `run` is back
            with device_errors():
                self._stream.synchronize()

    def _bring(self, index: int) -> None:
        if index in self._device_copies:
            self._device_copies[index].refresh()
        elif self._program.buffers[index].storage:
            upload(self._hosts[index], self._arrays[index], self._stream)

    def _read_by(self, numbers: range) -> set[int]:
        steps = [self._program.steps[number] for number in numbers]
        return {self._root(i) for step in steps for i in step.reads if i is not None}

    def _note_changes(self, step: BoundStep) -> None:
        for index in step.writes:
            if self._root(index) in self._device_copies:
                self._device_copies[self._root(index)].changed()

    def _root(self, index: int) -> int:
        view_of = self._program.buffers[index].view_of
        return index if view_of is None else view_of


_LASTING = ("parameter", "state")


def _starter(steps: list[BoundStep]) -> Callable[[Any], None]:
    """A function that starts all their launches on a stream."""

    def launches(stream: Any) -> None:
        for bound in steps:
            start(bound.plan, bound.arrays, stream)

    return launches


def _plan_of(program: Program, step: Step) -> KernelPlan:
    """The maker's work; what nobody wants of its results goes to scratch memory."""
    reads = [None if i is None else program.buffers[i].spec for i in step.reads]
    plan = KERNEL_FACTORIES[step.kernel](*reads, **step.attributes)
    contract = CONTRACTS[step.kernel]
    specs = contract.specs(*reads, **step.attributes)
    unwanted = {
        name: spec
        for name, spec, index in zip(contract.writes, specs, step.writes, strict=True)
        if index is None and spec is not None and name not in contract.updates
    }
    return plan._replace(scratch={**plan.scratch, **unwanted})


def _scratch(steps: tuple[Step, ...], plans: list[KernelPlan]) -> tuple[list[dict[str, int]], int]:
    """For each step the offset of each scratch array, and the bytes of all.

    Steps share these bytes, but not updates that follow each other: the gradients that dense
    layers compute there wait until all weights are moved.
    """
    placed, end, largest = [], 0, 0
    for number, (step, plan) in enumerate(zip(steps, plans, strict=True)):
        if not (number and is_update(step) and is_update(steps[number - 1])):
            end = 0
        offsets = {}
        for name, spec in plan.scratch.items():
            offsets[name] = end
            end += padded_bytes(spec)
        placed.append(offsets)
        largest = max(largest, end)
    return placed, largest


def _largest(program: Program) -> str:
    """The largest arrays of a program, for whoever has to make it smaller."""
    own = [b for b in program.buffers if not b.storage and b.view_of is None]
    return _what("the layers' outputs of one batch", own)


def _what(kind: str, buffers: list[Buffer], count: int = 3) -> str:
    """What an allocation is for."""
    largest = sorted(buffers, key=lambda b: -padded_bytes(b.spec))[:count]
    names = ", ".join(f"{b.name} {b.spec.shape}" for b in largest)
    return f"{kind}, of which the largest are {names}"
