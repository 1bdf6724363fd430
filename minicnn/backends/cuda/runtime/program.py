"""Programs on the GPU: their arrays stay on the device, and their launches become CUDA graphs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minicnn.backends import fallback
from minicnn.backends.cuda.flat_update import join_updates
from minicnn.backends.cuda.kernels import KERNEL_FACTORIES
from minicnn.backends.cuda.runtime.arena import (
    Arena,
    allocation_text,
    largest_arrays,
    scratch_offsets,
)
from minicnn.backends.cuda.runtime.graph import Launches, Recorded
from minicnn.backends.cuda.runtime.launch import HALTED, OLD, BoundStep, KernelPlan, start
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


class ProgramRunner:
    """Holds a program's arrays on the device and runs its steps.

    Parameters
    ----------
    program : what to run
    arrays : for each buffer with a `storage`, by its index, the host array of its owner. Parameters
        and state have a device copy, which may be newer than the host array until
        `minicnn.host_sync.synced` copies it back. Inputs are copied to the device before each run
        that reads them
    arena : the memory of all other buffers; a new one by default. Programs that share an arena run
        in turn

    Raises
    ------
    DeviceMemoryError : the GPU has too little memory; the message names the largest arrays

    Notes
    -----
    A step whose kernel this engine lacks runs through the reference: the arrays that it reads are
    copied to the host, and its results to the device. The launches before and after such a step
    are separate graphs.
    """

    max_steps_per_call: int = 1

    def __init__(
        self, program: Program, arrays: dict[int, np.ndarray], arena: Arena | None = None
    ) -> None:
        self._program, self._host_arrays = program, arrays
        self._host_steps = _steps_without_kernel(program)
        self._stream = compute_stream()
        plans = [_plan_of(program, step) for step in program.steps]
        scratch, scratch_bytes = scratch_offsets(program.steps, plans)
        self._scratch_start = padded_bytes(Spec((program.arena_bytes,), "uint8"))
        arena = Arena() if arena is None else arena
        self._arena = arena.reserve(self._scratch_start + scratch_bytes, largest_arrays(program))
        self._halted = allocate(Spec((1,), "uint32"), HALTED)
        upload(np.zeros(1, np.uint32), self._halted)
        self._device_copies = self._copies_of_persistent()
        self._regions = self._all_regions()
        self._arrays = {index: region.array for index, region in self._regions.items()}
        self._steps = [
            self._bind(step, plan, offsets)
            for step, plan, offsets in zip(program.steps, plans, scratch, strict=True)
        ]
        self._joined: dict[range, list[BoundStep]] = {}
        self._recorded: dict[range, Recorded] = {}
        self._constants: list[int] = []  # versions of what the constant steps read, when they ran

    def __getitem__(self, index: int) -> np.ndarray:
        """Return a copy of the buffer on the host, as the next step would read it."""
        self._bring(self._root(index))
        return self._downloaded(index)

    def run(self, first: int = 0, last: int | None = None) -> None:
        """Run the steps from `first` up to, not including, `last`."""
        numbers = range(len(self._steps))[first:last]
        self._refresh(numbers)
        for segment in _segments(numbers, self._host_steps):
            if segment.start in self._host_steps:
                self._run_on_host(self._program.steps[segment.start])
            else:
                self._run_on_device(segment)
            self._mark_written(segment)

    def launches(self, numbers: range) -> list[BoundStep]:
        """Return the launches of these steps in order, with joined updates of weights.

        Call it before a recording: the first call makes tables on the device.
        """
        if numbers not in self._joined:
            self._joined[numbers] = join_updates([self._steps[number] for number in numbers])
        return self._joined[numbers]

    def refresh_constants(self) -> None:
        """Run the steps that depend on parameters alone, if these have changed."""
        steps = range(self._program.constant_steps)
        made = {i for step in self._program.steps[: len(steps)] for i in step.writes}
        read = sorted(self._read_by(steps) - made)
        copies = [self._device_copies[i] for i in read if i in self._device_copies]
        for device_copy in copies:
            device_copy.refresh()
        versions = [device_copy.version for device_copy in copies]
        if steps and versions != self._constants:
            self.run(0, len(steps))
            self._constants = versions

    def _run_on_device(self, numbers: range) -> None:
        if numbers not in self._recorded:
            self._recorded[numbers] = Recorded(self._starter(numbers), self._stream)
        self._recorded[numbers]()

    def _starter(self, numbers: range) -> Launches:
        """Return a function that starts the launches of these steps on a stream."""
        steps = self.launches(numbers)

        def launches(stream: Any) -> None:
            for bound in steps:
                start(bound.plan, bound.arrays, stream)

        return launches

    def _run_on_host(self, step: Step) -> None:
        """Run a step through the reference, from device arrays to device arrays."""
        buffers = self._program.buffers
        reads = [None if i is None else self._downloaded(i) for i in step.reads]
        specs = [None if i is None else buffers[i].spec for i in step.writes]
        writes = [None if spec is None else np.empty(spec.shape, spec.dtype) for spec in specs]
        fallback.run_step(step, reads, writes)
        for index, array in zip(step.writes, writes, strict=True):
            if index is not None and array is not None:
                upload(array, self._arrays[index], self._stream)
        self._synchronize()

    def _copies_of_persistent(self) -> dict[int, DeviceCopy]:
        """Return the device copies of parameters and state; new ones share one allocation."""
        indices = [i for i, b in enumerate(self._program.buffers) if b.storage in _PERSISTENT]
        copies = device_copies_of(
            [self._host_arrays[i] for i in indices],
            allocation_text("parameters and state", self._buffers(indices)),
        )
        return dict(zip(indices, copies, strict=True))

    def _all_regions(self) -> dict[int, Region]:
        """Return the region of each buffer; a view has its root's."""
        inputs = [i for i, b in enumerate(self._program.buffers) if b.storage == "input"]
        specs = [b.spec for b in self._buffers(inputs)]
        adjacent = allocate_adjacent(specs, allocation_text("inputs", self._buffers(inputs)))
        regions = dict(zip(inputs, adjacent, strict=True))
        regions |= {index: copy.region for index, copy in self._device_copies.items()}
        for index, buffer in enumerate(self._program.buffers):
            if buffer.view_of is not None:
                regions[index] = regions[buffer.view_of]
            elif not buffer.storage:
                regions[index] = Region(self._arena, buffer.offset or 0, buffer.spec)
        return regions

    def _buffers(self, indices: list[int]) -> list[Buffer]:
        return [self._program.buffers[i] for i in indices]

    def _bind(self, step: Step, plan: KernelPlan, scratch: dict[str, int]) -> BoundStep:
        contract = CONTRACTS[step.kernel]
        reads = (name.rstrip("?") for name in contract.reads)
        old = (OLD + name if name in contract.updates else name for name in reads)
        names = (*old, *contract.writes)
        regions = {
            name: self._regions[index]
            for name, index in zip(names, (*step.reads, *step.writes), strict=True)
            if index is not None
        }
        for name, offset in scratch.items():
            spec = plan.scratch[name]
            regions[name] = Region(self._arena, self._scratch_start + offset, spec)
        arrays = {name: region.array for name, region in regions.items()}
        writes = tuple(i for i in step.writes if i is not None)
        return BoundStep(step, plan, arrays | {HALTED: self._halted}, regions, writes)

    def _refresh(self, numbers: range) -> None:
        """Copy to the device what these steps read from the host."""
        for index in self._read_by(numbers):
            self._bring(index)
        self._synchronize()  # the owner of inputs may change them when `run` returns

    def _synchronize(self) -> None:
        if self._stream:
            with device_errors():
                self._stream.synchronize()

    def _bring(self, index: int) -> None:
        if index in self._device_copies:
            self._device_copies[index].refresh()
        elif self._program.buffers[index].storage:
            upload(self._host_arrays[index], self._arrays[index], self._stream)

    def _downloaded(self, index: int) -> np.ndarray:
        return download(self._arrays[index], self._program.buffers[index].spec, self._stream)

    def _read_by(self, numbers: range) -> set[int]:
        steps = [self._program.steps[number] for number in numbers]
        return {self._root(i) for step in steps for i in step.reads if i is not None}

    def _mark_written(self, numbers: range) -> None:
        """Note that these steps have changed device copies."""
        for number in numbers:
            for index in self._steps[number].writes:
                if self._root(index) in self._device_copies:
                    self._device_copies[self._root(index)].mark_changed()

    def _root(self, index: int) -> int:
        view_of = self._program.buffers[index].view_of
        return index if view_of is None else view_of


_PERSISTENT = ("parameter", "state")


def _steps_without_kernel(program: Program) -> frozenset[int]:
    """Warn of steps that have no kernel here; return the indices, for the reference to run."""
    missing = [i for i, step in enumerate(program.steps) if step.kernel not in KERNEL_FACTORIES]
    fallback.warn("cuda", [program.steps[i].kernel for i in missing])
    return frozenset(missing)


def _segments(numbers: range, single: frozenset[int]) -> Iterator[range]:
    """Cut a range before and after each number in `single`.

    >>> list(_segments(range(2, 9), frozenset({4, 5, 11})))
    [range(2, 4), range(4, 5), range(5, 6), range(6, 9)]
    """
    first = numbers.start
    for number in sorted(single.intersection(numbers)):
        if first < number:
            yield range(first, number)
        yield range(number, number + 1)
        first = number + 1
    if first < numbers.stop:
        yield range(first, numbers.stop)


def _plan_of(program: Program, step: Step) -> KernelPlan:
    """Return the step's plan; results that the program does not use become scratch arrays.

    The plan of a step without a kernel is empty.
    """
    if step.kernel not in KERNEL_FACTORIES:
        return KernelPlan(())
    reads = [None if i is None else program.buffers[i].spec for i in step.reads]
    plan = KERNEL_FACTORIES[step.kernel](*reads, **step.attributes)
    contract = CONTRACTS[step.kernel]
    specs = contract.specs(*reads, **step.attributes)
    unused = {
        name: spec
        for name, spec, index in zip(contract.writes, specs, step.writes, strict=True)
        if index is None and spec is not None and name not in contract.updates
    }
    return plan._replace(scratch={**plan.scratch, **unused})
