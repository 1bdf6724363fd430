"""The end of a training step: gradients clipped, weights moved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn.contracts import CONTRACTS, DENSE_UPDATES, Spec
from minicnn.layers.parameter import Parameter
from minicnn.models.planner.trace import Call, Value
from minicnn.optimizers import Optimizer

SlotFinder = Callable[[Parameter, str], np.ndarray]  # (parameter, slot's name) -> its array
Learned = tuple[Value, Parameter, Value | None]  # the weight twice, and its gradient


class Updates:
    """Calls that use up the gradients: `preparations` touch only these, `calls` the weights."""

    def __init__(self, optimizer: Optimizer, slot: SlotFinder) -> None:
        self.optimizer, self.slot = optimizer, slot
        self.rates = Value("rates", Spec((2,)), "input")
        self.preparations: list[Call] = []
        self.calls: list[Call] = []

    def add(self, learned: list[Learned]) -> None:
        """One update for each weight that the loss depends on."""
        gradients = [dw for _, _, dw in learned if dw is not None]
        self._clip(gradients)
        for w, parameter, dw in learned:
            if dw is not None:
                self.calls.append(self._update(w, parameter, dw))

    def _update(self, w: Value, parameter: Parameter, dw: Value) -> Call:
        kernel = self.optimizer.kernel
        given = {"w": w, "dw": dw, "rates": self.rates}
        given |= {name: self._slot(parameter, name) for name in self.optimizer.slots}
        contract = CONTRACTS[kernel]
        reads = tuple(given.get(name.rstrip("?")) for name in contract.reads)
        writes = tuple(given.get(name) for name in contract.writes)
        attributes = self.optimizer.attributes(parameter.multiplier, parameter.decay)
        return Call(kernel, reads, writes, attributes)

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
            self._clip_together(gradients, optimizer.global_clipnorm)

    def _clip_together(self, gradients: list[Value], limit: float) -> None:
        total = Value("squared norm", Spec((1,), "float64"))
        self._prepare("squared_norm_start", (gradients[0],), (total,))
        for dw in gradients[1:]:
            self._prepare("squared_norm_add", (dw, total), (total,))
        for dw in gradients:
            self._prepare("clip_by_global_norm", (dw, total), (dw,), limit=limit)

    def _prepare(self, kernel: str, reads: Any, writes: Any, **attributes: float) -> None:
        self.preparations.append(Call(kernel, reads, writes, attributes))


def fuse_dense_updates(calls: list[Call], changes: list[Call]) -> tuple[list[Call], list[Call]]:
    """dense_backward_weights ... sgd_update becomes one dense_sgd_update, and so on.

    Only where nobody but the update reads the gradient: no clipping, no weight in two places. The
    bias's gradient is then computed on its own.
    """
    readers = Counter(id(value) for call in (*calls, *changes) for value in call.reads)
    dense = [call for call in calls if call.kernel == "dense_backward_weights"]
    makers = {id(c.writes[0]): c for c in dense if readers[id(c.writes[0])] == 1}
    pairs = [(change, makers.get(id(_gradient(change)))) for change in changes]
    used = {id(maker) for _, maker in pairs if maker is not None}
    rest = [_bias_only(call) if id(call) in used else call for call in calls]
    return (
        [call for call in rest if any(v is not None for v in call.writes)],
        [_in_one_pass(change, maker) if maker else change for change, maker in pairs],
    )


def _gradient(change: Call) -> Value | None:
    """What an optimizer's update reads as dw; None of any other change."""
    return change.reads[1] if change.kernel in DENSE_UPDATES else None


def _in_one_pass(change: Call, maker: Call) -> Call:
    w, _, *slots = change.reads
    reads = (w, *maker.reads, *slots)
    return Call(DENSE_UPDATES[change.kernel], reads, change.writes, change.attributes)


def _bias_only(maker: Call) -> Call:
    dy, _ = maker.reads
    return Call("bias_backward_bias", (dy,), maker.writes[1:], {})
