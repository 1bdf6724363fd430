"""The end of a training step: add up or clip gradients, update weights and their averages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minicnn.contracts import CONTRACTS, DENSE_UPDATES, Spec
from minicnn.layers.parameter import Parameter
from minicnn.models.planner.trace import Call, Value
from minicnn.optimizers import Optimizer, StepKind

FusesUpdate = Callable[[Call, Call], bool]  # (the update of a weight, dense_backward_weights)
SlotFinder = Callable[[Parameter, str], np.ndarray]  # (parameter, slot's name) -> its array
Learned = tuple[Value, Parameter, Value | None]  # the weight twice, and its gradient


class Updates:
    """Collects the calls of the end.

    `preparations` change gradients: to the mean of several batches, and to clipped ones. `calls`
    change what lasts: weights, the optimizer's arrays and averages of the weights.
    """

    def __init__(
        self, optimizer: Optimizer, slot: SlotFinder, kind: StepKind | None = None
    ) -> None:
        self.optimizer, self.slot, self.kind = optimizer, slot, kind or StepKind()
        self.rates = Value("rates", Spec(optimizer.rates(0).shape), "input")
        self.preparations: list[Call] = []
        self.calls: list[Call] = []

    def add(self, learned: list[Learned]) -> None:
        """Add one update for each weight that the loss depends on."""
        changing = [(w, parameter, dw) for w, parameter, dw in learned if dw is not None]
        for _, parameter, dw in changing:
            self._accumulate(parameter, dw)
        if self.kind.updates:
            self._clip([dw for _, _, dw in changing])
            self.calls += [self._update(w, parameter, dw) for w, parameter, dw in changing]
        for w, parameter, _ in changing:
            self._average(w, parameter)

    def _accumulate(self, parameter: Parameter, dw: Value) -> None:
        """Keep the gradient, add it to those that were kept, or make it their mean."""
        if not self.kind.accumulation:
            return
        total = self._slot(parameter, "gradient_accumulator")
        if self.kind.accumulation == "start":
            self.calls.append(Call("assign", (dw,), (total,), {}))
        elif self.kind.accumulation == "add":
            self.calls.append(Call("add_gradient", (total, dw), (total,), {}))
        else:
            batches = self.optimizer.gradient_accumulation_steps or 1
            self._prepare("mean_gradient", (dw, total), (dw,), batches=batches)

    def _update(self, w: Value, parameter: Parameter, dw: Value) -> Call:
        kernel = self.optimizer.kernel
        given = {"w": w, "dw": dw, "rates": self.rates}
        given |= {name: self._slot(parameter, name) for name in self.optimizer.slots}
        contract = CONTRACTS[kernel]
        reads = tuple(given.get(name.rstrip("?")) for name in contract.reads)
        writes = tuple(given.get(name) for name in contract.writes)
        decay = self.optimizer.decays(parameter)
        return Call(kernel, reads, writes, self.optimizer.attributes(parameter.multiplier, decay))

    def _average(self, w: Value, parameter: Parameter) -> None:
        """Move the weight's average toward it, and perhaps replace the weight by the average."""
        if not self.kind.average:
            return
        average = self._slot(parameter, "average")
        if self.kind.average == "start":
            self.calls.append(Call("assign", (w,), (average,), {}))
        else:
            momentum = {"momentum": self.optimizer.ema_momentum}
            self.calls.append(Call("moving_average", (average, w), (average,), momentum))
        if self.kind.overwrites:
            self.calls.append(Call("assign", (average,), (w,), {}))

    def _slot(self, parameter: Parameter, name: str) -> Value:
        array = self.slot(parameter, name)
        return Value(f"{parameter.name}.{name}", Spec(parameter.shape), "state", array)

    def _clip(self, gradients: list[Value]) -> None:
        optimizer = self.optimizer
        for kernel, limit in (
            ("clip_by_value", optimizer.clipvalue),
            ("clip_by_norm", optimizer.clipnorm),
        ):
            if limit is not None:
                for dw in gradients:
                    self._prepare(kernel, (dw,), (dw,), limit=limit)
        if optimizer.global_clipnorm is not None and gradients:
            self._clip_by_global_norm(gradients, optimizer.global_clipnorm)

    def _clip_by_global_norm(self, gradients: list[Value], limit: float) -> None:
        total = Value("squared norm", Spec((1,), "float64"))
        self._prepare("squared_norm_start", (gradients[0],), (total,))
        for dw in gradients[1:]:
            self._prepare("squared_norm_add", (dw, total), (total,))
        for dw in gradients:
            self._prepare("clip_by_global_norm", (dw, total), (dw,), limit=limit)

    def _prepare(self, kernel: str, reads: Any, writes: Any, **attributes: Any) -> None:
        self.preparations.append(Call(kernel, reads, writes, attributes))


def fuse_dense_updates(
    calls: list[Call],
    changes: list[Call],
    preparations: Sequence[Call] = (),
    wanted: FusesUpdate = lambda _change, _dense: True,
) -> tuple[list[Call], list[Call]]:
    """Replace dense_backward_weights and sgd_update by one dense_sgd_update, likewise for others.

    This needs a gradient that only the update reads: without clipping, and of a weight that is used
    once. The gradient of the bias then becomes a call of its own. `wanted` says of such an update
    and its dense_backward_weights whether they are to be replaced.
    """
    everything = (*calls, *preparations, *changes)
    readers = Counter(id(value) for call in everything for value in call.reads)
    denses = [call for call in calls if call.kernel == "dense_backward_weights"]
    writers = {id(c.writes[0]): c for c in denses if readers[id(c.writes[0])] == 1}
    found = [(change, writers.get(id(_gradient(change)))) for change in changes]
    pairs = [(one, dense if dense and wanted(one, dense) else None) for one, dense in found]
    used = {id(dense) for _, dense in pairs if dense is not None}
    rest = [_bias_only(call) if id(call) in used else call for call in calls]
    return (
        [call for call in rest if any(v is not None for v in call.writes)],
        [_fused_update(change, dense) if dense else change for change, dense in pairs],
    )


def _gradient(change: Call) -> Value | None:
    """Return what an optimizer's update reads as dw; None for any other call."""
    return change.reads[1] if change.kernel in DENSE_UPDATES else None


def _fused_update(change: Call, dense: Call) -> Call:
    w, _, *slots = change.reads
    reads = (w, *dense.reads, *slots)
    return Call(DENSE_UPDATES[change.kernel], reads, change.writes, change.attributes)


def _bias_only(dense: Call) -> Call:
    dy, _ = dense.reads
    return Call("bias_backward_bias", (dy,), dense.writes[1:], {})
