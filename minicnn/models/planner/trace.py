"""Tracing: record a graph's forward pass as a list of operations on named values."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from minicnn.contracts import CONTRACTS, Spec
from minicnn.layers.apply import RNG_KEY
from minicnn.layers.parameter import Parameter
from minicnn.operations.operation import Operation, infer


class Value:
    """One array of a program that is being planned.

    Without `storage` it lies in the arena. With storage "parameter", "state" or "input" it outlasts
    a run, and `array` may hold it. A value with a `source` is a view of it in another shape.
    """

    def __init__(
        self, name: str, spec: Spec, storage: str = "", array: np.ndarray | None = None
    ) -> None:
        self.name, self.spec, self.storage, self.array = name, spec, storage, array
        self.source: Value | None = None

    @property
    def root(self) -> Value:
        """The value that owns the memory of this one: itself, or the root of its source."""
        return self if self.source is None else self.source.root

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of all axes, N included."""
        return self.spec.shape

    @property
    def dtype(self) -> str:
        """The name of the dtype."""
        return self.spec.dtype

    def __repr__(self) -> str:
        return f"<Value {self.name} {self.shape}>"


class Call(NamedTuple):
    """One kernel call of a program that is being planned."""

    kernel: str
    reads: tuple[Value | None, ...]
    writes: tuple[Value | None, ...]
    attributes: dict[str, Any]


class Node:
    """One operation, with the values that its forward kernel reads and writes."""

    def __init__(
        self,
        operation: Operation,
        reads: tuple[Value | None, ...],
        writes: tuple[Value, ...],
        attributes: dict[str, Any],
    ) -> None:
        self.operation, self.reads, self.writes = operation, reads, writes
        self.attributes = attributes

    @property
    def named(self) -> dict[str, Value | None]:
        """Every value of the node by its name in the forward kernel's contract."""
        contract = CONTRACTS[self.operation.forward]
        reads = dict(zip((r.rstrip("?") for r in contract.reads), self.reads, strict=True))
        writes = zip(contract.writes, self.writes, strict=True)
        return reads | {k: v for k, v in writes if k not in contract.updates}

    @property
    def call(self) -> Call:
        """The forward kernel's call."""
        return Call(self.operation.forward, self.reads, self.writes, self.attributes)

    @property
    def updates(self) -> list[tuple[Value, Value]]:
        """Pairs of an old and a new value, as a batch norm's running statistics are updated."""
        contract = CONTRACTS[self.operation.forward]
        reads = dict(zip(contract.reads, self.reads, strict=True))
        writes = dict(zip(contract.writes, self.writes, strict=True))
        pairs = ((reads[name], writes[name]) for name in contract.updates)
        return [(old, new) for old, new in pairs if old is not None]


class Trace:
    """An `apply` for `Layer.forward` that records nodes instead of computing."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self._current: dict[int, Value] = {}  # the values of arrays and Parameters, by their ids
        self._alive: list[Any] = []  # the objects whose ids are the keys of _current
        self.parameters: dict[int, Parameter] = {}  # by the id of their Value
        self.rng_key: Value | None = None
        # The values of Parameters before and after the pass, by the Parameters' ids.
        self._replaced: dict[int, tuple[Value, Value]] = {}

    def apply(self, operation: Operation, *inputs: Any, **arguments: Any) -> Value:
        """Record one operation; return its result, which the forward kernel writes first."""
        reads = tuple(self._value(x) for x in inputs)
        attributes = operation.resolve(*reads, **arguments)
        node = self.record(operation, reads, attributes)
        return node.writes[0]

    def record(
        self, operation: Operation, reads: tuple[Value | None, ...], attributes: dict[str, Any]
    ) -> Node:
        """Append a node with attributes that are resolved already, and return it."""
        contract = CONTRACTS[operation.forward]
        specs = infer(contract, reads, attributes)
        stem = f"{operation.name}_{len(self.nodes)}"
        names = [stem if i == 0 else f"{stem}.{w}" for i, w in enumerate(contract.writes)]
        writes = tuple(Value(name, spec) for name, spec in zip(names, specs, strict=True))
        self.nodes.append(Node(operation, reads, writes, attributes))
        for old, new in self.nodes[-1].updates:
            self._replace(old, new)
        return self.nodes[-1]

    def _replace(self, old: Value, new: Value) -> None:
        """Make later operations read the new value of `old`'s parameter.

        A batch norm that is used twice thus counts both batches, one after the other.
        """
        key = next((key for key, value in self._current.items() if value is old), None)
        if key is not None:
            self._current[key] = new
            before, _ = self._replaced.get(key, (old, old))
            self._replaced[key] = before, new

    @property
    def changes(self) -> list[Call]:
        """The calls that write the new values of parameters, at the end of the step."""
        return [Call("assign", (new,), (old,), {}) for old, new in self._replaced.values()]

    def has(self, parameter: Parameter) -> bool:
        """Return whether an operation has read the parameter."""
        return id(parameter) in self._current

    def _value(self, x: Any) -> Value | None:
        if x is None or isinstance(x, Value):
            return x
        if id(x) not in self._current:
            self._alive.append(x)
            self._current[id(x)] = self._new_value(x)
        return self._current[id(x)]

    def _new_value(self, x: Any) -> Value:
        """Return the value of what outlasts a run: an RNG key, a Parameter or a constant array."""
        if x is RNG_KEY:
            self.rng_key = Value("rng_key", RNG_KEY, "input")
            return self.rng_key
        if isinstance(x, Parameter):
            spec = Spec(x.shape, str(x.dtype))
            value = Value(x.name, spec, "parameter", x.array)
            self.parameters[id(value)] = x
            return value
        return Value("constant", Spec(x.shape, str(x.dtype)), "state", x)
