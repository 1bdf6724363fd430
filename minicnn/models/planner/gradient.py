"""Backpropagation: the backward steps of a list of nodes, last node first.

If y = f(x) and the loss depends on x through y alone, then dx = dy . df/dx: each node turns the
gradient of its result into gradients of what it read. If several nodes read a value, their
gradients add up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minicnn.contracts import CONTRACTS, Spec
from minicnn.errors import ArgumentError
from minicnn.layers.parameter import Parameter
from minicnn.models.graph import Graph
from minicnn.models.planner.trace import Call, Node, Value
from minicnn.operations.operation import Operation, infer

Learning = Mapping[int, Parameter]  # by a Value's id: a trainable parameter that it depends on


class Gradients:
    """Collects the backward calls of a graph, and the values that hold gradients.

    Error messages name the graph's layers.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.calls: list[Call] = []
        self._found: dict[int, Value] = {}

    def of(self, value: Value) -> Value | None:
        """Return the gradient of `value`, None if the loss does not depend on it."""
        return self._found.get(id(value))

    def start(self, value: Value, gradient: Value) -> None:
        """Set the gradient of the loss itself, or of a scalar that is added to it."""
        self._accumulate(value, gradient)

    def backpropagate(self, node: Node, wanted: Learning) -> None:
        """Add the calls that compute gradients of what `node` reads, as far as it is in `wanted`.

        Raises
        ------
        ArgumentError : the operation has no gradient for one of them
        """
        result = CONTRACTS[node.operation.forward].writes[0]
        dy = self.of(node.named[result] or node.writes[0])
        if dy is None:
            return
        self._check_differentiable(node, wanted)
        values = {**node.named, f"d{result}": dy}
        for kernel in node.operation.gradient_kernels:
            self._add_call(kernel, values, node, wanted)

    def _check_differentiable(self, node: Node, wanted: Learning) -> None:
        """Raise ArgumentError if a trainable parameter would get no gradient through this node."""
        operation = node.operation
        for name, value in node.named.items():
            parameter = wanted.get(id(value))
            if parameter is None or value not in node.reads or name in operation.differentiable:
                continue
            where = layer_of(operation, self.graph)
            raise ArgumentError(
                f"{where}: operation {operation.name!r} has no gradient with respect to {name}, so "
                f"parameter {parameter.name} cannot be trained. Set trainable=False for its "
                f"layer, or give the operation a backward kernel that writes d{name}"
            )

    def _add_call(
        self, kernel: str, values: dict[str, Value | None], node: Node, wanted: Learning
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


def values_with_gradient(nodes: list[Node], learned: Learning) -> dict[int, Parameter]:
    """Return the values that depend on a trainable parameter: by their ids, one such parameter.

    `learned` has the trainable parameters by the ids of their own values.
    """
    found = dict(learned)
    for node in nodes:
        if node.operation.constant:
            continue
        for value in node.reads:
            if id(value) in found:
                found.setdefault(id(node.writes[0]), found[id(value)])
    return found


def layer_of(operation: Operation, graph: Graph) -> str:
    """Return the name of the first layer that applies the operation, "loss" if none does."""
    applied: list[Operation] = []

    def spec_of(one: Operation, *inputs: Any, **arguments: Any) -> Spec:
        applied.append(one)
        attributes = one.resolve(*inputs, **arguments)
        return infer(CONTRACTS[one.forward], inputs, attributes)[0]

    inputs = [Spec((1, *t.shape[1:]), t.dtype) for t in graph.inputs]
    for tensor, _ in graph.walk(spec_of, *inputs, training=True):
        if operation in applied:
            return tensor.layer.name
    return "loss"
