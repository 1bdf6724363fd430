"""Backpropagation: the backward steps of a list of nodes, last node first.

If y = f(x) and the loss depends on x through y alone, then dx = dy . df/dx: each node turns the
gradient of its result into gradients of what it read. Where a value is read twice, the
gradients of the two ways add up.
"""

from __future__ import annotations

from minicnn.contracts import CONTRACTS
from minicnn.models.planner.trace import Call, Node, Value


class Gradients:
    """Collects backward calls; `of(value)` is the value that holds the loss's gradient by it."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._found: dict[int, Value] = {}

    def of(self, value: Value) -> Value | None:
        """The gradient by `value`, or None if the loss does not depend on it."""
        return self._found.get(id(value))

    def start(self, value: Value, gradient: Value) -> None:
        """Say what the gradient of the last node's result is."""
        self._found[id(value)] = gradient

    def go_back_through(self, node: Node, wanted: set[int]) -> None:
        """Add the calls that give the gradients of those reads of `node` that are in `wanted`."""
        result = CONTRACTS[node.operation.forward].writes[0]
        dy = self.of(node.named[result] or node.writes[0])
        if dy is None:
            return
        values = {**node.named, f"d{result}": dy}
        for kernel in node.operation.backward:
            self._add_call(kernel, values, node, wanted)

    def _add_call(
        self, kernel: str, values: dict[str, Value | None], node: Node, wanted: set[int]
    ) -> None:
        contract = CONTRACTS[kernel]
        targets = [values[name.removeprefix("d")] for name in contract.writes]
        if not any(id(target) in wanted for target in targets if target is not None):
            return
        reads = tuple(values[name] for name in contract.reads)
        writes = tuple(None if t is None else Value(f"d {t.name}", t.spec) for t in targets)
        self.calls.append(Call(kernel, reads, writes, node.attributes))
        for target, gradient in zip(targets, writes, strict=True):
            if target is not None and gradient is not None and id(target) in wanted:
                self._accumulate(target, gradient)

    def _accumulate(self, target: Value, gradient: Value) -> None:
        earlier = self.of(target)
        if earlier is not None:
            total = Value(gradient.name, gradient.spec)
            self.calls.append(Call("add_forward", (earlier, gradient), (total,), {}))
            gradient = total
        self._found[id(target)] = gradient


def values_with_gradient(nodes: list[Node], trainable: set[int]) -> set[int]:
    """Ids of the values through which the loss depends on a trainable parameter."""
    wanted = set(trainable)
    for node in nodes:
        if any(id(value) in wanted for value in node.reads):
            wanted.add(id(node.writes[0]))
    return wanted
