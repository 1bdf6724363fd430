"""Plan a training step in two programs: the gradients of a part of a batch, and the update.

A batch is cut into shards. `plan_shard` plans forward and backward pass for the samples of one
shard. Its results are summed over the shards, and `plan_update` plans what is done with the sums. A
step of the one program of `plan_training` is the same with a single shard.

Three kinds of results pass from the one program to the other:

gradients    of a parameter: they are added
states       what a layer computes for later batches, as the moving averages of a batch
             normalization: they are averaged
dense        x (N, in) and dy (N, out) of a large dense layer y = x @ w. Its gradient x.T @ dy is
             much larger than both, so it is computed once, for the whole batch, where it is used
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from minicnn.contracts import CONTRACTS, DENSE_UPDATES, Shape, Spec
from minicnn.layers.parameter import aligned
from minicnn.models.graph import Graph
from minicnn.models.planner.dense_rows import DenseUpdate, array_of, in_parts, weights_of
from minicnn.models.planner.losses import Target
from minicnn.models.planner.plan import (
    Plan,
    SpecialValues,
    TrainingCalls,
    assemble,
    training_calls,
)
from minicnn.models.planner.shared_arrays import SharedArrays
from minicnn.models.planner.trace import Call, Node, Value
from minicnn.models.planner.updates import SlotFinder
from minicnn.models.planner.views import VIEWS
from minicnn.optimizers import Optimizer, StepKind
from minicnn.program import Program

# The fewest weights of a dense layer whose gradient is not summed over the shards.
LARGE_DENSE = 65_536
LANES = 16  # floats of a cache line; gradients begin at multiples of it


class TrainingRequest(NamedTuple):
    """What a training step is planned from; see `plan_training`."""

    graph: Graph
    targets: Sequence[Target]
    optimizer: Optimizer
    slot: SlotFinder
    fuse: bool
    kind: StepKind | None
    samples: int  # of the whole batch


class DenseBuffers(NamedTuple):
    """The buffers of a large dense layer's x and dy, and after how many steps both are complete."""

    x: int
    dy: int
    complete: int


class MovingStatistics(NamedTuple):
    """The states of one batch normalization, by their places among all states."""

    mean: int
    variance: int
    momentum: float


class ShardPlan(NamedTuple):
    """The program of a shard's forward and backward pass, and where its results are.

    Attributes
    ----------
    plan : the program; it changes nothing that lasts
    gradients : one array with the gradients of all parameters but large dense ones
    parts : for each gradient, in the order in which they are computed and stored: (number of steps
        after which it and those before it are complete, its end in `gradients`)
    states : buffers
    dense : of each large dense layer
    """

    plan: Plan
    gradients: np.ndarray
    parts: tuple[tuple[int, int], ...]
    states: tuple[int, ...]
    dense: tuple[DenseBuffers, ...]


class UpdatePlan(NamedTuple):
    """The program that updates the model, and the arrays that it reads.

    Attributes
    ----------
    plan : the program
    gradients : the sums over all shards, in the layout of `ShardPlan.gradients`
    ends : of the gradients of the parameters in it
    states : the averages, in the order of `ShardPlan.states`
    statistics : which of the states are the mean and the variance of a batch normalization
    dense : the large dense layers, in the order of `ShardPlan.dense`
    outputs : the shapes of the whole batch's predictions
    penalties : how many values are added to the loss
    """

    plan: Plan
    gradients: np.ndarray
    ends: tuple[int, ...]
    states: tuple[np.ndarray, ...]
    statistics: tuple[MovingStatistics, ...]
    dense: tuple[DenseUpdate, ...]
    outputs: tuple[Shape, ...]
    penalties: int


class _Results(NamedTuple):
    """The values that pass from the calls of the shards to those of the update."""

    gradients: list[Value]
    states: list[Value]
    dense: list[Call]  # updates of (w, dy, x, ...)


def plan_shard(
    request: TrainingRequest,
    inputs: list[Spec],
    labels: Sequence[Spec],
    shared: SharedArrays | None = None,
) -> ShardPlan:
    """Plan the forward and backward pass for a shard with inputs and labels of these Specs."""
    step = _training_calls(request, inputs, labels)
    found = _results(step)
    gradients, calls = _not_views(found.gradients, step.calls)
    memory, ends = _in_one_array(gradients)
    dense = [v for call in found.dense for v in (call.reads[2], call.reads[1]) if v is not None]
    values: SpecialValues = {
        **step.special_values,
        "results": [*found.states, *dense],
        "rates": None,
    }
    forward = step.forward
    plan = assemble(calls, [], forward.inputs, forward.outputs, values, shared, views=request.fuse)
    count = len(found.states)
    return ShardPlan(
        plan,
        memory,
        _parts(plan, gradients, ends),
        plan.results[:count],
        tuple(_dense_buffers(plan, plan.results[count:])),
    )


def plan_update(
    request: TrainingRequest,
    inputs: list[Spec],
    labels: Sequence[Spec],
    parts_of: Callable[[int], Sequence[slice]],
) -> UpdatePlan:
    """Plan the update after all shards of a batch with inputs and labels of these Specs.

    `parts_of` returns which rows of a large dense layer's weights are updated here, given the
    number of all rows. Each part is a call of its own, so that its bits do not depend on who
    updates the other parts.
    """
    step = _training_calls(request, inputs, labels)
    found = _results(step)
    memory, ends = _in_one_array(found.gradients)
    for state in found.states:
        state.storage, state.array = "input", aligned(state.shape, state.dtype)
    dense = {id(c): in_parts(c, parts_of(weights_of(c).shape[0])) for c in found.dense}
    changes = [one for c in step.changes for one in (dense[id(c)][0] if id(c) in dense else [c])]
    special_values: SpecialValues = {"rates": step.special_values["rates"]}
    plan = assemble(step.preparations, changes, [], [], special_values, None, views=request.fuse)
    return UpdatePlan(
        plan,
        memory,
        tuple(ends),
        tuple(array_of(state) for state in found.states),
        tuple(_statistics(step.nodes, found.states)),
        tuple(update for _, update in dense.values()),
        tuple(output.shape for output in step.forward.outputs),
        len(step.forward.penalties),
    )


def _training_calls(
    request: TrainingRequest, inputs: list[Spec], labels: Sequence[Spec]
) -> TrainingCalls:
    constrained = {
        id(parameter.array)
        for layer in request.graph.layers
        for parameter in layer.trainable_parameters
        if parameter.constraint is not None
    }

    def fuses_update(change: Call, dense: Call) -> bool:
        weights = change.reads[0]
        whole = request.optimizer.use_ema or id(getattr(weights, "array", None)) in constrained
        return not whole and _is_large(dense, request.samples)

    return training_calls(
        request.graph, inputs, request.targets, labels, request.optimizer, request.slot,
        fuse=request.fuse, kind=request.kind, fuses_update=fuses_update,
    )  # fmt: skip


def _is_large(dense: Call, samples: int) -> bool:
    """Return whether the gradient of a dense layer is large, and larger than x and dy together."""
    dy, x = (0 if value is None else value.shape[1] for value in dense.reads)
    return dy * x >= LARGE_DENSE and samples * (dy + x) <= dy * x


def _results(step: TrainingCalls) -> _Results:
    """Find the values that the passes compute and the update reads.

    The gradients are in the order in which they are computed.
    """
    last = {id(v): i for i, call in enumerate(step.calls) for v in call.writes if v is not None}
    assigned = [call.reads[0] for call in step.changes if _assigns_state(call)]
    states = [v for v in assigned if v is not None and id(v) in last]
    dense = [call for call in step.changes if call.kernel in DENSE_UPDATES.values()]
    others = {id(v) for v in (*states, *(v for call in dense for v in call.reads[1:3]))}
    read = {id(v): v for call in (*step.preparations, *step.changes) for v in call.reads}
    gradients = [
        v for key, v in read.items() if v is not None and key in last and key not in others
    ]
    return _Results(sorted(gradients, key=lambda v: last[id(v)]), states, dense)


def _assigns_state(call: Call) -> bool:
    """Return whether a call assigns a layer's parameter, and not an array of the optimizer."""
    target = call.writes[0]
    return call.kernel == "assign" and target is not None and target.storage == "parameter"


def _not_views(gradients: list[Value], calls: list[Call]) -> tuple[list[Value], list[Call]]:
    """Return a value with memory of its own for each gradient, and the calls that write them.

    A gradient that has the elements of another value, in another shape, is copied.
    """
    found: list[Value] = []
    calls = list(calls)
    for gradient in gradients:
        at = max(i for i, call in enumerate(calls) if any(w is gradient for w in call.writes))
        own = gradient
        if calls[at].kernel in VIEWS:
            own = Value(gradient.name, gradient.spec)
            calls.insert(at + 1, Call("assign", (gradient,), (own,), {}))
        found.append(own)
    return found, calls


def _in_one_array(gradients: list[Value]) -> tuple[np.ndarray, list[int]]:
    """Give the gradients memory in one array, one after the other; return it, and their ends."""
    sizes = [-(-math.prod(v.shape) // LANES) * LANES for v in gradients]
    ends = list(itertools.accumulate(sizes))
    memory = aligned((sum(sizes),), "float32")
    memory.fill(0)  # also what lies between them
    for v, size, end in zip(gradients, sizes, ends, strict=True):
        part = memory[end - size : end - size + math.prod(v.shape)]
        v.storage, v.array = "state", part.reshape(v.shape)
    return memory, ends


def _parts(plan: Plan, gradients: list[Value], ends: list[int]) -> tuple[tuple[int, int], ...]:
    """Return (number of steps after which a gradient is complete, its end) for each gradient."""
    buffers = {id(array): index for index, array in plan.arrays.items()}
    complete = [_complete(plan.program, buffers[id(one.array)]) for one in gradients]
    return tuple(zip(itertools.accumulate(complete, max), ends, strict=True))


def _dense_buffers(plan: Plan, found: Sequence[int]) -> Iterator[DenseBuffers]:
    """Yield the buffers of x, dy, x, dy, ... in pairs."""
    for x, dy in zip(found[::2], found[1::2], strict=True):
        yield DenseBuffers(x, dy, max(_complete(plan.program, one) for one in (x, dy)))


def _complete(program: Program, index: int) -> int:
    """Return the number of steps after which a buffer is not written any more."""
    root = program.buffers[index].view_of
    written = {index, index if root is None else root}
    writers = [i for i, step in enumerate(program.steps) if written & {*step.writes}]
    return 1 + max(writers, default=-1)


def _statistics(nodes: list[Node], states: list[Value]) -> Iterator[MovingStatistics]:
    """Yield the states that are the moving mean and variance of a batch normalization."""
    place = {id(state): i for i, state in enumerate(states)}
    for node in nodes:
        new = dict(zip(CONTRACTS[node.operation.forward].writes, node.writes, strict=True))
        pair = [place.get(id(new.get(name))) for name in ("moving_mean", "moving_variance")]
        if pair[0] is not None and pair[1] is not None:
            yield MovingStatistics(pair[0], pair[1], node.attributes["momentum"])
