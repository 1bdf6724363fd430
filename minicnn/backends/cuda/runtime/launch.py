"""Kernel plans: the launches that compute one kernel of the contracts for arrays of known shapes.

A module of this package has one *kernel factory* per kernel, under the kernel's name. It gets the
`Spec`s of the arrays that the kernel reads (None for an optional array that is absent) and the
kernel's attributes, and returns a KernelPlan. Shapes and attributes are constants of the CUDA
kernels in the plan, so the compiler can simplify the index arithmetic. A factory has no side
effects and is cheap: a kernel is compiled when it is first launched.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from minicnn.backends.cuda.runtime.memory import Region
from minicnn.contracts import Spec
from minicnn.program import Step

THREADS = 256  # per block, where threads work independently
MAX_ELEMENTS = 2**32  # kernels count elements in uint32

# The name of an array of one uint32. While it is not 0, no launch may change parameters or state:
# with several steps per call, an earlier step had a loss that is not finite.
HALTED = "halted"

# A contract that updates an array names it once, but in a program the array that is read and the
# array that is written may lie at different offsets: OLD + name is the one that is read.
OLD = "old_"


class Launch(NamedTuple):
    """One launch: kernel[blocks, threads](*arrays).

    `arguments` are names of arrays: the contract's reads and writes, or scratch arrays of the plan.
    A kernel gets every array flat, as one axis in C order.
    """

    kernel: Any
    blocks: int
    threads: int
    arguments: tuple[str, ...]


class KernelPlan(NamedTuple):
    """Launches in order, and the scratch arrays that they need, by name."""

    launches: tuple[Launch, ...]
    scratch: Mapping[str, Spec] = MappingProxyType({})

    def renamed(self, **names: str) -> KernelPlan:
        """Return the same launches with other arrays: renamed(y="dx") writes dx in place of y."""
        launches = (
            launch._replace(arguments=tuple(names.get(name, name) for name in launch.arguments))
            for launch in self.launches
        )
        return self._replace(launches=tuple(launches))


KernelFactory = Callable[..., KernelPlan]


class BoundStep(NamedTuple):
    """A step of a program with its plan and, by name, the arrays that its launches get."""

    step: Step | None  # None for launches that replace several steps
    plan: KernelPlan
    arrays: dict[str, Any]
    regions: dict[str, Region]  # where the arrays lie
    writes: tuple[int, ...]  # indices of the program's buffers


def blocks_for(count: int, size: int = THREADS) -> int:
    """Return the number of blocks of `size` threads that have at least `count` threads together."""
    return -(-count // size)


def elementwise(kernel: Any, count: int, arguments: tuple[str, ...]) -> KernelPlan:
    """Return a plan with one thread per element; without elements it launches nothing."""
    threads = min(count, THREADS)  # no idle threads: the simulator would start each of them
    return KernelPlan((Launch(kernel, blocks_for(count), threads, arguments),) if count else ())


def start(plan: KernelPlan, arrays: Mapping[str, Any], stream: Any = 0) -> None:
    """Start all launches of `plan` with the arrays of these names."""
    for kernel, blocks, threads, arguments in plan.launches:
        kernel[blocks, threads, stream](*(arrays[name] for name in arguments))


def joined(*plans: KernelPlan) -> KernelPlan:
    """Return one plan that runs these one after the other; equal scratch names are one array."""
    launches: tuple[Launch, ...] = sum((plan.launches for plan in plans), ())
    scratch = {name: spec for plan in plans for name, spec in plan.scratch.items()}
    return KernelPlan(launches, scratch)
