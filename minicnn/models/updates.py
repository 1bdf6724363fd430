"""The end of a training step: gradients clipped, weights moved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn.contracts import CONTRACTS, Spec
from minicnn.layers.base import Parameter
from minicnn.models.trace import Call, Value
from minicnn.optimizers import Optimizer

SlotFinder = Callable[[str, str], np.ndarray]  # (parameter's name, slot's name) -> its array
Learned = tuple[Value, Parameter, Value | None]  # the weight twice, and its gradient


class Updates:
    """Calls that use up the gradients: `preparations` touch only these, `calls` the weights."""

    def __init__(self, optimizer: Optimizer, slot: SlotFinder) -> None:
        self.optimizer, self.slot = optimizer, slot
        self.rates = Value("rates", Spec((2,)), "state")
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
        array = self.slot(parameter.name, name)
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
