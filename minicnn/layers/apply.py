"""Ways to apply an operation: to arrays, which computes it, and to Specs, which gives a shape.

A layer's `forward` and a function of `minicnn.ops` never compute by themselves. They apply
operations, and what is applied decides: these functions, the recorder of the planner, or the tape
of `minicnn.explain`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn import random
from minicnn.contracts import CONTRACTS, Spec
from minicnn.layers.parameter import Parameter
from minicnn.operations.operation import Operation, Saved, infer, run

Apply = Callable[..., Any]  # (operation, *inputs, **arguments) -> the operation's first result

# The placeholder of an operation's input that is the step's RNG key: (seed low, seed high, step
# low, step high), uint32.
RNG_KEY = Spec((4,), "uint32")


def inside(apply: Apply, layer: Any) -> Apply:
    """Return the `apply` for the operations of one call of a layer: one that asks for it knows it.

    An `apply` with a method `inside(layer)` is asked for another one at each call of a layer, and
    so knows which layer an operation belongs to.
    """
    enter = getattr(apply, "inside", None)
    entered: Apply = apply if enter is None else enter(layer)
    return entered


def compute(operation: Operation, *inputs: Any, **arguments: Any) -> np.ndarray:
    """Run an operation on arrays and Parameters; new running statistics go into Parameters."""
    y, saved = run(operation, *map(array_of, inputs), **arguments)
    _store_updates(inputs, saved)
    return y


def infer_spec(operation: Operation, *inputs: Any, **arguments: Any) -> Spec:
    """Return the Spec of an operation's result, from Specs and Parameters."""
    attributes = operation.resolve(*inputs, **arguments)
    return infer(CONTRACTS[operation.forward], inputs, attributes)[0]


def array_of(x: Any) -> np.ndarray | None:
    """Return the array of an operation's input, which may be a Parameter; None stays None."""
    if x is RNG_KEY:
        return random.rng_key(0)
    return x.value if isinstance(x, Parameter) else x


def _store_updates(inputs: tuple[Any, ...], saved: Saved) -> None:
    """Assign the operation's updates, such as moving statistics, to their Parameters."""
    reads = CONTRACTS[saved.operation.forward].reads
    for name, value in saved.updates.items():
        target = inputs[reads.index(name)]
        if isinstance(target, Parameter):
            target.assign(value)
