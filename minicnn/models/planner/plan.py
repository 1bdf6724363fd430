"""Plan a program for a graph of layers: fusion, backpropagation, updates, memory.

The steps of a training program are in the order of the algorithm: forward, loss, backward, then
everything that changes the model (running statistics, weights). A step that is abandoned before
this point changes nothing. A program for inference begins with the steps that read parameters
alone; they run again only after parameters have changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from minicnn.contracts import CONTRACTS, Spec
from minicnn.layers.parameter import Parameter, aligned
from minicnn.layers.tracing import collecting_penalties
from minicnn.models.graph import Graph
from minicnn.models.planner.arena import assign_offsets
from minicnn.models.planner.folding import cache_weights, fold_batch_norms
from minicnn.models.planner.fusion import fuse_operations, share_moments
from minicnn.models.planner.gradient import Gradients, values_with_gradient
from minicnn.models.planner.losses import (
    Target,
    record_constraint,
    record_loss,
    record_penalties,
)
from minicnn.models.planner.relu_masking import apply_relu_masks_early
from minicnn.models.planner.shared_arrays import SharedArrays
from minicnn.models.planner.trace import Call, Node, Trace, Value
from minicnn.models.planner.updates import (
    FusesUpdate,
    SlotFinder,
    Updates,
    fuse_dense_updates,
)
from minicnn.models.planner.views import drop_views
from minicnn.optimizers import Optimizer, StepKind
from minicnn.program import Buffer, Program, Step

FED = ("y_true", "dlosses", "dpenalties")  # values that a program is given, apart from its inputs
KEPT = ("losses", "penalties", "results")  # values that are read after a run, as the outputs are
# The values that a Plan has fields for, by the names of these fields.
SpecialValues = Mapping[str, Value | Sequence[Value] | None]


class Plan(NamedTuple):
    """A program, the arrays of its buffers with storage, and the indices of certain buffers.

    There is one loss for each target: one value per sample, with the labels that it reads and the
    gradient that backpropagation starts from. Penalties are scalars that are added to the loss, and
    have such a gradient too. `results` are what another program continues from.
    """

    program: Program
    arrays: dict[int, np.ndarray]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    losses: tuple[int, ...] = ()
    y_true: tuple[int, ...] = ()
    dlosses: tuple[int, ...] = ()
    penalties: tuple[int, ...] = ()
    dpenalties: tuple[int, ...] = ()
    rates: int | None = None
    rng_key: int | None = None
    results: tuple[int, ...] = ()


def plan_prediction(
    graph: Graph, inputs: list[Spec], shared: SharedArrays | None = None, *, fuse: bool = True
) -> Plan:
    """Plan the program that computes the outputs for inputs of these Specs."""
    trace, values = Trace(), _inputs(graph, inputs)
    outputs = graph.forward(trace.apply, *values, training=False)
    nodes, constants = _for_inference(trace.nodes, {id(v) for v in outputs}, fuse)
    calls = [n.call for n in nodes]
    special_values: SpecialValues = {"rng_key": trace.rng_key}
    return assemble(
        calls, [], values, outputs, special_values, shared, constants=constants, views=fuse
    )


def plan_test(
    graph: Graph,
    inputs: list[Spec],
    targets: Sequence[Target],
    labels: Sequence[Spec],
    shared: SharedArrays | None = None,
    *,
    fuse: bool = True,
) -> Plan:
    """Plan the program that computes predictions and each sample's losses."""
    forward = _with_losses(graph, inputs, targets, labels, training=False)
    live_out = {id(v) for v in (*forward.outputs, *forward.penalties)}
    nodes, constants = _for_inference(forward.trace.nodes, live_out, fuse)
    calls = [n.call for n in nodes]
    return assemble(
        calls, [], forward.inputs, forward.outputs, forward.special_values, shared,
        constants=constants, views=fuse,
    )  # fmt: skip


def plan_training(
    graph: Graph,
    inputs: list[Spec],
    targets: Sequence[Target],
    labels: Sequence[Spec],
    optimizer: Optimizer,
    slot: SlotFinder,
    shared: SharedArrays | None = None,
    *,
    fuse: bool = True,
    kind: StepKind | None = None,
) -> Plan:
    """Plan the program of one training step: forward, losses, backward, update.

    `slot` returns the optimizer's array for a parameter and a slot's name; `kind` is what the
    step does, if the optimizer has several kinds of steps. Here and in the other
    plans, `shared` holds the arrays that several programs use in turn.
    """
    step = training_calls(graph, inputs, targets, labels, optimizer, slot, fuse=fuse, kind=kind)
    return assemble(
        step.calls + step.preparations,
        step.changes,
        step.forward.inputs,
        step.forward.outputs,
        step.special_values,
        shared,
        views=fuse,
    )


class TrainingCalls(NamedTuple):
    """The calls of one training step, in the order of the algorithm.

    `calls` are the forward pass, the losses and the backward pass, `preparations` change gradients
    before they are used, and `changes` change the model.
    """

    forward: Forward
    nodes: list[Node]
    special_values: SpecialValues
    calls: list[Call]
    preparations: list[Call]
    changes: list[Call]


def training_calls(
    graph: Graph,
    inputs: list[Spec],
    targets: Sequence[Target],
    labels: Sequence[Spec],
    optimizer: Optimizer,
    slot: SlotFinder,
    *,
    fuse: bool = True,
    kind: StepKind | None = None,
    fuses_update: FusesUpdate = lambda _change, _dense: True,
) -> TrainingCalls:
    """Return the calls of a training step, to be assembled to one program or to several.

    `fuses_update` is that of `fuse_dense_updates`; the other arguments are those of
    `plan_training`.
    """
    forward = _with_losses(graph, inputs, targets, labels, training=True)
    nodes = forward.trace.nodes
    if fuse:
        live_out = {id(v) for v in (*forward.outputs, *forward.penalties)}
        nodes = share_moments(fuse_operations(nodes, live_out))

    learned = _learned(graph, forward.trace)
    dlosses = [_dloss(losses, k) for k, losses in enumerate(forward.losses)]
    dpenalties = [_dpenalty(penalty) for penalty in forward.penalties]
    starts = zip(forward.losses + forward.penalties, dlosses + dpenalties, strict=True)
    gradients = _backward(graph, nodes, learned, list(starts))
    updates = _updates(Updates(optimizer, slot, kind), nodes, learned, gradients)
    calls = [n.call for n in nodes] + gradients.calls
    changes = forward.trace.changes + updates.calls
    if fuse:
        calls, changes = fuse_dense_updates(
            apply_relu_masks_early(calls), changes, updates.preparations, fuses_update
        )
    changes += _constraints(learned, changes)
    special_values = {
        **forward.special_values,
        "dlosses": dlosses,
        "dpenalties": dpenalties,
        "rates": updates.rates,
    }
    return TrainingCalls(forward, nodes, special_values, calls, updates.preparations, changes)


class Forward(NamedTuple):
    """A recorded forward pass with its losses."""

    trace: Trace
    inputs: list[Value]
    outputs: list[Value]
    y_true: list[Value]
    losses: list[Value]
    penalties: list[Value]

    @property
    def special_values(self) -> SpecialValues:
        """The values that a Plan has fields for."""
        return {
            "losses": self.losses,
            "y_true": self.y_true,
            "penalties": self.penalties,
            "rng_key": self.trace.rng_key,
        }


def _with_losses(
    graph: Graph,
    inputs: list[Spec],
    targets: Sequence[Target],
    labels: Sequence[Spec],
    *,
    training: bool,
) -> Forward:
    """Record the forward pass and the losses of its outputs."""
    trace, values = Trace(), _inputs(graph, inputs)
    with collecting_penalties() as added:
        outputs = graph.forward(trace.apply, *values, training=training)
    found = [
        record_loss(trace, target, outputs[target.output], spec)
        for target, spec in zip(targets, labels, strict=True)
    ]
    for target, values_of in zip(targets, found, strict=True):
        outputs[target.output] = values_of.predictions
    trained = [p for layer in graph.layers for p in layer.trainable_parameters]
    penalties = record_penalties(trace, added, {id(p): p for p in trained}.values())
    y_true = [one.y_true for one in found]
    return Forward(trace, values, outputs, y_true, [one.losses for one in found], penalties)


def _dloss(losses: Value, number: int) -> Value:
    """Return the value that holds the gradient of the whole loss by each sample's loss."""
    return Value(f"dloss_{number}" if number else "dloss", Spec(losses.shape), "input")


def _dpenalty(penalty: Value) -> Value:
    """Return the value that holds the gradient of the whole loss by a penalty, which is 1."""
    one = np.ones(penalty.shape, np.float32)
    return Value(f"d {penalty.name}", penalty.spec, "state", one)


def _constraints(learned: dict[int, Parameter], changes: list[Call]) -> list[Call]:
    """Return the calls that apply the constraints of the parameters that were updated."""
    updated = {id(v): v for call in changes for v in call.writes if v is not None}
    calls: list[Call] = []
    for i, parameter in learned.items():
        if parameter.constraint is not None and i in updated:
            calls += record_constraint(parameter, updated[i])
    return calls


def _for_inference(
    nodes: list[Node], live_out: set[int], fuse: bool
) -> tuple[list[Node], list[Call]]:
    """Return the nodes of a forward pass, and the calls before them that read parameters alone."""
    if not fuse:
        return nodes, []
    nodes, constants = fold_batch_norms(nodes, live_out)
    return cache_weights(fuse_operations(nodes, live_out)), constants


def _inputs(graph: Graph, specs: list[Spec]) -> list[Value]:
    pairs = zip(graph.inputs, specs, strict=True)
    return [Value(tensor.layer.name, spec, "input") for tensor, spec in pairs]


def _learned(graph: Graph, trace: Trace) -> dict[int, Parameter]:
    """Return the parameters that training changes, by the ids of their values."""
    trainable = {id(p) for layer in graph.layers for p in layer.trainable_parameters}
    return {i: p for i, p in trace.parameters.items() if id(p) in trainable}


def _backward(
    graph: Graph,
    nodes: list[Node],
    learned: dict[int, Parameter],
    starts: list[tuple[Value, Value]],
) -> Gradients:
    """Return the backward calls, from the losses with their gradients to the parameters."""
    gradients = Gradients(graph)
    for losses, dloss in starts:
        gradients.start(losses, dloss)
    wanted = values_with_gradient(nodes, learned)
    for node in reversed(nodes):
        gradients.backpropagate(node, wanted)
    return gradients


def _updates(
    updates: Updates, nodes: list[Node], learned: dict[int, Parameter], gradients: Gradients
) -> Updates:
    """Add the calls that clip the gradients and update the parameters."""
    weights = {id(v): v for node in nodes for v in node.reads if v is not None}
    updates.add([(weights[i], p, gradients.of(weights[i])) for i, p in learned.items()])
    return updates


def assemble(
    calls: list[Call],
    changes: list[Call],
    samples: list[Value],
    outputs: list[Value],
    special_values: SpecialValues,
    shared: SharedArrays | None,
    *,
    constants: Sequence[Call] = (),
    views: bool,
) -> Plan:
    """Number the values, assign their memory, and return the program."""
    _assign_storage(samples, constants, shared or SharedArrays())
    if views:
        calls = drop_views(calls, changes)
    calls = [*constants, *calls]
    everything = [*calls, *changes]
    values = _values(everything, samples, outputs, special_values)
    index = {id(v): i for i, v in enumerate(values)}
    kept = [v for name in KEPT for v in _listed(special_values, name)]
    live_out = {id(v.root) for v in (*outputs, *kept)}
    offsets, arena_bytes = assign_offsets(everything, live_out)
    buffers = tuple(_buffer(v, index, offsets) for v in values)
    steps = tuple(_step(call, index) for call in everything)
    arrays = {
        i: v.array if v.array is not None else _zeros(v.spec)
        for i, v in enumerate(values)
        if v.storage
    }
    found = {name: _indices(v, index) for name, v in special_values.items()}
    return Plan(
        Program(buffers, steps, arena_bytes, len(calls), len(constants)),
        arrays,
        tuple(index[id(v)] for v in samples),
        tuple(index[id(v)] for v in outputs),
        **found,
    )


def _assign_storage(samples: list[Value], constants: Sequence[Call], shared: SharedArrays) -> None:
    """Give inputs and constants the arrays that all programs of the network share."""
    for number, value in enumerate(samples):
        value.array = shared.input(number, value.spec)
    for call in constants:
        for written, array in zip(call.writes, shared.constants(call), strict=True):
            if written is not None:
                written.storage, written.array = "state", array


def _values(
    calls: list[Call], samples: list[Value], outputs: list[Value], special_values: SpecialValues
) -> list[Value]:
    """Return all values of the program, the inputs first."""
    fed = [v for name in FED for v in _listed(special_values, name)]
    touched = (v for call in calls for v in (*call.reads, *call.writes))
    results = _listed(special_values, "results")
    return _unique([*samples, *fed, *touched, *outputs, *results])


def _listed(special_values: SpecialValues, name: str) -> Sequence[Value]:
    found = special_values.get(name) or ()
    return [found] if isinstance(found, Value) else found


def _indices(values: Value | Sequence[Value] | None, index: dict[int, int]) -> Any:
    """Return the index of a value, None if the program has none; or those of several values."""
    if values is None or isinstance(values, Value):
        return index.get(id(values))
    return tuple(index[id(v)] for v in values)


def _unique(values: list[Value | None]) -> list[Value]:
    """Return each value once, a view after the value that it is a view of."""
    with_roots = [one for v in values if v is not None for one in (v.root, v)]
    return list({id(v): v for v in with_roots}.values())


def _buffer(value: Value, index: dict[int, int], offsets: dict[int, int]) -> Buffer:
    root = value.root
    view_of = None if root is value else index[id(root)]
    return Buffer(value.name, value.spec, offsets.get(id(root)), root.storage, view_of)


def _zeros(spec: Spec) -> np.ndarray:
    array = aligned(spec.shape, spec.dtype)
    array.fill(0)
    return array


def _step(call: Call, index: dict[int, int]) -> Step:
    contract = CONTRACTS[call.kernel]
    reads, writes = (
        tuple(None if v is None else index[id(v)] for v in values)
        for values in (call.reads, call.writes)
    )
    if len(reads) != len(contract.reads) or len(writes) != len(contract.writes):
        raise ValueError(f"{call.kernel} does not fit its contract")
    return Step(call.kernel, reads, writes, call.attributes)
