"""Tracing: a function of tensors is run once on placeholders, to find the operations it applies.

The `call` of a layer or model of one's own, an activation, a loss: each is a function that applies
operations through `apply_operation`. Outside a `tracing` block that computes on arrays. Inside,
every operation goes to the block's `apply`, which may compute, infer shapes or record a program.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple, NoReturn

import numpy as np

from minicnn.errors import ArgumentError
from minicnn.layers.apply import Apply, compute
from minicnn.layers.operators import Operators
from minicnn.operations.operation import Operation


class TracedTensor(Operators):
    """The placeholder of an array in a function that is being traced.

    `value` is what the block's `apply` works on: a Spec, a value of a program or an array.
    """

    def __init__(self, value: Any) -> None:
        self.value = value

    @property
    def shape(self) -> tuple[int, ...]:
        """The array's shape."""
        return tuple(self.value.shape)

    @property
    def dtype(self) -> str:
        """The name of the array's dtype."""
        return np.dtype(self.value.dtype).name

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __bool__(self) -> NoReturn:
        raise ArgumentError(
            "Python's if, while, and, or cannot look at a tensor's values, which are not known "
            "while a network is planned; use minicnn.ops.where"
        )

    def __array__(self, *_: Any, **__: Any) -> NoReturn:
        raise ArgumentError(
            "NumPy cannot compute on a tensor of a network, whose values are not known yet; use "
            "the function of the same name in minicnn.ops"
        )

    def __repr__(self) -> str:
        return f"<TracedTensor {self.shape} {self.dtype}>"


class Scope(NamedTuple):
    """The innermost tracing block: where operations go, and whether this is a training step."""

    apply: Apply
    training: bool

    def wrapped(self, value: Any) -> Any:
        """Return the placeholder of a value; what is no array stays, and so does a known array."""
        known = self.apply is compute or not hasattr(value, "shape")
        return value if known else TracedTensor(value)


_scope: ContextVar[Scope | None] = ContextVar("scope", default=None)


@contextmanager
def tracing(apply: Apply, training: bool) -> Iterator[Scope]:
    """Send the operations that are applied inside the block to `apply`."""
    scope = Scope(apply, training)
    token = _scope.set(scope)
    try:
        yield scope
    finally:
        _scope.reset(token)


def current_scope() -> Scope | None:
    """Return the innermost tracing block; None outside of any."""
    return _scope.get()


def apply_operation(operation: Operation, *inputs: Any, **arguments: Any) -> Any:
    """Apply an operation to arrays, Parameters or traced tensors; return its result."""
    scope = _scope.get()
    if scope is None:
        return compute(operation, *inputs, **arguments)
    return scope.wrapped(scope.apply(operation, *map(unwrapped, inputs), **arguments))


def unwrapped(x: Any) -> Any:
    """Return the value of a traced tensor, and anything else as it is."""
    return x.value if isinstance(x, TracedTensor) else x


_penalties: ContextVar[list[Any] | None] = ContextVar("penalties", default=None)


@contextmanager
def collecting_penalties() -> Iterator[list[Any]]:
    """Collect the scalars that layers add to the loss inside the block, unwrapped."""
    found: list[Any] = []
    token = _penalties.set(found)
    try:
        yield found
    finally:
        _penalties.reset(token)


def add_penalty(value: Any) -> None:
    """Add a scalar to the loss of the program that is being recorded, if one is."""
    found = _penalties.get()
    if found is not None:
        found.append(value)
