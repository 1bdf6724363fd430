"""The losses of a network in a program: one per output, and what regularizers and layers add."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from minicnn.contracts import Spec
from minicnn.errors import ShapeError
from minicnn.layers.parameter import Parameter
from minicnn.layers.tracing import TracedTensor, tracing, unwrapped
from minicnn.losses import KernelLoss, Loss
from minicnn.models.planner.trace import Call, Node, Trace, Value


class Target(NamedTuple):
    """A loss, which output of the network it is of, and how much it counts."""

    output: int
    loss: Loss
    weight: float = 1.0


class LossValues(NamedTuple):
    """The values that belong to one target in a program."""

    y_true: Value
    losses: Value  # one per sample
    predictions: Value  # the network's output


def record_loss(trace: Trace, target: Target, output: Value, labels: Spec) -> LossValues:
    """Record the loss of one output.

    A softmax or sigmoid that only the loss reads is fused with its crossentropy, which stays exact
    where the probabilities themselves would round to 0 or 1.
    """
    loss = target.loss
    y_true = Value(f"y_true_{target.output}" if target.output else "y_true", labels, "input")
    if not (isinstance(loss, KernelLoss) and loss.has_kernel(output.shape)):
        return LossValues(y_true, _formula(trace, loss, y_true, output), output)
    last = _only_writer(trace.nodes, output)
    fused = None if last is None else loss.fused_with.get(last.operation.name)
    if fused is not None and last is not None:
        trace.nodes.remove(last)
        operation = loss.operation_named(fused)
        node = trace.record(operation, (last.reads[0], y_true), loss.attributes)
        return LossValues(y_true, node.writes[0], node.writes[1])
    operation = loss.operation_named(loss.operation)
    node = trace.record(operation, (output, y_true), loss.attributes)
    return LossValues(y_true, node.writes[0], output)


def _only_writer(nodes: list[Node], value: Value) -> Node | None:
    """Return the node that writes a value that no node reads."""
    if any(read is value for node in nodes for read in node.reads):
        return None
    return next((node for node in nodes if node.writes[0] is value), None)


def _formula(trace: Trace, loss: Loss, y_true: Value, output: Value) -> Value:
    """Record a loss that is written as a formula of tensors; return one value per sample."""
    with tracing(trace.apply, training=True):
        losses: Value = unwrapped(loss.values(TracedTensor(y_true), TracedTensor(output)))
    if losses.shape != output.shape[:1]:
        raise ShapeError(
            f"loss {loss.name!r} must give one value per sample, {output.shape[:1]}; it gave "
            f"{losses.shape}"
        )
    return losses


def record_penalties(
    trace: Trace, added: Iterable[Any], trained: Iterable[Parameter]
) -> list[Value]:
    """Record what is added to the loss: values from layers, and regularizers of parameters."""
    found = list(added)
    with tracing(trace.apply, training=True):
        for parameter in trained:
            if parameter.regularizer is not None and trace.has(parameter):
                found.append(unwrapped(parameter.regularizer(TracedTensor(parameter))))
    return found


def record_constraint(parameter: Parameter, weight: Value) -> list[Call]:
    """Return the calls that replace a weight by what its parameter's constraint makes of it."""
    trace = Trace()
    with tracing(trace.apply, training=True):
        result = unwrapped(parameter.constraint(TracedTensor(weight)))
    if result is weight:
        return []
    return [*(node.call for node in trace.nodes), Call("assign", (result,), (weight,), {})]
