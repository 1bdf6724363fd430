"""Recording: a graph's forward pass as a list of operations on named values."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from minicnn.contracts import CONTRACTS, Spec
from minicnn.layers.base import RNG_KEY
from minicnn.layers.parameter import Parameter
from minicnn.ops.operation import Operation, infer


class Value:
    """One array of a program to be. With a `storage` it outlasts a run and `array` may hold it.

    A value with a `source` is a view: the source's numbers in another shape.
    """

    def __init__(
        self, name: str, spec: Spec, storage: str = "", array: np.ndarray | None = None
    ) -> None:
        self.name, self.spec, self.storage, self.array = name, spec, storage, array
        self.source: Value | None = None

    @property
    def root(self) -> Value:
        """The value whose memory this one has: its own, or its source's."""
        return self if self.source is None else self.source.root

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes, N included."""
        return self.spec.shape

    @property
    def dtype(self) -> str:
        """Name of the dtype."""
        return self.spec.dtype

    def __repr__(self) -> str:
        return f"<Value {self.name} {self.shape}>"


class Call(NamedTuple):
    """One kernel call of a program to be."""

    kernel: str
    reads: tuple[Value | None, ...]
    writes: tuple[Value | None, ...]
    attributes: dict[str, Any]


class Node:
    """One operation: what it reads, what it writes (by its forward kernel's contract)."""

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
        """(what is replaced, its new value): a batch norm's running statistics."""
        contract = CONTRACTS[self.operation.forward]
        reads = dict(zip(contract.reads, self.reads, strict=True))
        writes = dict(zip(contract.writes, self.writes, strict=True))
        pairs = ((reads[name], writes[name]) for name in contract.updates)
        return [(old, new) for old, new in pairs if old is not None]


class Trace:
    """An `apply` for `Layer.forward` that records nodes instead of computing."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self._known: dict[int, Value] = {}  # by the ids of arrays and Parameters: as they are now
        self._keep: list[Any] = []  # what _known's ids belong to must stay alive
        self.parameters: dict[int, Parameter] = {}  # by the id of their Value
        self.rng_key: Value | None = None
        # By the ids of Parameters: the value before the pass, and the one that the pass leaves.
        self._replaced: dict[int, tuple[Value, Value]] = {}

    def apply(self, operation: Operation, *inputs: Any, **arguments: Any) -> Value:
        """Record one operation; the forward kernel's first write stands for the result."""
        reads = tuple(self._value(x) for x in inputs)
        attributes = operation.resolve(*reads, **arguments)
        node = self.record(operation, reads, attributes)
        return node.writes[0]

    def record(
        self, operation: Operation, reads: tuple[Value | None, ...], attributes: dict[str, Any]
    ) -> Node:
        """Add a node whose attributes are known."""
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
        """Let whoever reads `old`'s parameter from here on read its new value.

        So a batch norm that is used twice counts both batches, one after the other.
        """
        key = next((key for key, value in self._known.items() if value is old), None)
        if key is not None:
            self._known[key] = new
            before, _ = self._replaced.get(key, (old, old))
            self._replaced[key] = before, new

    @property
    def changes(self) -> list[Call]:
        """What the pass leaves in parameters that its steps have replaced."""
        return [Call("assign", (new,), (old,), {}) for old, new in self._replaced.values()]

    def _value(self, x: Any) -> Value | None:
        if x is None or isinstance(x, Value):
            return x
        if id(x) not in self._known:
            self._keep.append(x)
            self._known[id(x)] = self._outlasting(x)
        return self._known[id(x)]

    def _outlasting(self, x: Any) -> Value:
        if x is RNG_KEY:
            self.rng_key = Value("rng_key", RNG_KEY, "input")
            return self.rng_key
        if isinstance(x, Parameter):
            spec = Spec(x.shape, str(x.dtype))
            value = Value(x.name, spec, "parameter", x.array)
            self.parameters[id(value)] = x
            return value
        return Value("constant", Spec(x.shape, str(x.dtype)), "state", x)
