"""What a kernel of the contracts becomes on a GPU: a few launches, specialized to its shapes.

A module of this package has for each kernel a *maker* under the kernel's name. It is given the
`Spec`s of what the kernel reads (None where an optional read is absent) and its attributes, and
returns Work. Shapes and attributes are constants of the CUDA kernels that it makes: they are frozen
into closures, so that index arithmetic is done by the compiler. Makers are pure, and cheap until
a kernel is first launched.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from minicnn.contracts import Spec

THREADS = 256  # in a block, where nothing speaks for another number
MAX_ELEMENTS = 2**32  # kernels count elements in uint32

# An array of one uint32 that every launch may name. While it is not 0 the model must not change: of
# several steps that run together one had a loss that is not finite. Who writes parameters asks it.
HALTED = "halted"

# OLD + the name of an update: the read of that name. The name itself is the write, which in a
# program need not have the read's memory.
OLD = "old_"


class Launch(NamedTuple):
    """One start: kernel[blocks, threads](*arguments).

    An argument is the name of an array: of the contract's reads and writes, or of the Work's
    scratch. The kernel gets it flat: one axis, C order.
    """

    kernel: Any
    blocks: int
    threads: int
    arguments: tuple[str, ...]


class KernelPlan(NamedTuple):
    """Launches in order, and the arrays that they need besides the contract's, by name."""

    launches: tuple[Launch, ...]
    scratch: Mapping[str, Spec] = MappingProxyType({})


KernelFactory = Callable[..., KernelPlan]


def blocks_for(count: int, each: int = THREADS) -> int:
    """Blocks that together have at least `count` threads, if each has `each`."""
    return -(-count // each)


def elementwise(kernel: Any, count: int, arguments: tuple[str, ...]) -> KernelPlan:
    """One thread for each of `count` elements; nothing at all if there is none."""
    threads = min(count, THREADS)  # no idle ones: the simulator starts each of them
    return KernelPlan((Launch(kernel, blocks_for(count), threads, arguments),) if count else ())


def start(plan: KernelPlan, arrays: Mapping[str, Any], stream: Any = 0) -> None:
    """Start all launches of `work` on the arrays of these names."""
    for kernel, blocks, threads, arguments in plan.launches:
        kernel[blocks, threads, stream](*(arrays[name] for name in arguments))


def joined(*plans: KernelPlan) -> KernelPlan:
    """One after the other; they may share scratch arrays."""
    launches: tuple[Launch, ...] = sum((plan.launches for plan in plans), ())
    return KernelPlan(
        launches, {name: spec for plan in plans for name, spec in plan.scratch.items()}
    )
