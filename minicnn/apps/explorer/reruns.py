"""Passes computed again in float64 by the reference, with one value changed."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minicnn.apps.explorer import end_loss
from minicnn.apps.explorer.forward_pass import Pass
from minicnn.apps.explorer.numbers.parts import full
from minicnn.apps.explorer.recording import INPUT, Source, Step
from minicnn.apps.explorer.reference import results
from minicnn.backends.numpy.kernels import find_kernel
from minicnn.contracts import CONTRACTS, Shape

# Where the slopes of functions jump.
KINKS = {"relu": (0.0,), "leaky_relu": (0.0,), "relu6": (0.0, 6.0), "absolute": (0.0,)}


class Target(NamedTuple):
    """A value that can be changed: of a parameter, or of a step's result if `parameter` is ""."""

    parameter: str
    step: int  # INPUT is the input
    place: Shape


class Rerun:
    """All values of a pass in float64, from the changed one on.

    Parameters
    ----------
    one : the pass; its own arrays do not change
    base : the values without the change, which are computed once; None: this is the base
    target, change : which value is changed, and by how much
    """

    def __init__(
        self,
        one: Pass,
        base: Rerun | None = None,
        target: Target | None = None,
        change: float = 0.0,
    ) -> None:
        self._one, self._target, self._change = one, target, change
        self.found: list[dict[str, np.ndarray]] = []  # all results of each step's kernel
        self.changed: set[int] = set()  # the steps that the change reaches, perhaps the INPUT
        if target is not None and not target.parameter and target.step == INPUT:
            self.changed.add(INPUT)
        self._x = self._with_change(one.x.astype(np.float64), INPUT)
        for step in one.recording.steps:
            if base is None or self._is_reached(step):
                self._run(step)
                self.changed.add(step.number)
            else:
                self.found.append(self._kept(base, step))

    @property
    def loss(self) -> float:
        """The loss of the true class; from the probabilities, if one of them was changed."""
        end, label = self._one.need_label().end, self._one.label or 0
        if self._target is not None and self._target.step == end.activation:
            row = self._result(end.activation).ravel()
            shares = np.array([1 - row[0], row[0]]) if row.size == 1 else row
            return float(-np.log(shares[label]))
        return end_loss.loss_of(end, self._result(end.step), label, find_kernel).value

    def sides(self, step: Step) -> np.ndarray | None:
        """Return on which side of a kink each value of a step is, and which one was the largest.

        None: the step has no kinks.
        """
        if "argmax" in self.found[step.number]:
            return self.found[step.number]["argmax"]
        if step.name not in KINKS:
            return None
        return np.digitize(self._read(step.reads["x"]), KINKS[step.name], right=True)

    def _run(self, step: Step) -> None:
        found = results(step, {name: self._read(source) for name, source in step.reads.items()})
        self.found.append(found)
        name = CONTRACTS[step.operation.forward].writes[0]
        found[name] = self._with_change(found[name], step.number)

    def _kept(self, base: Rerun, step: Step) -> dict[str, np.ndarray]:
        found = dict(base.found[step.number])
        if self._target is not None and self._target.step == step.number:
            name = CONTRACTS[step.operation.forward].writes[0]
            found[name] = self._with_change(found[name], step.number)
            self.changed.add(step.number)
        return found

    def _with_change(self, values: np.ndarray, step: int) -> np.ndarray:
        """Return values with the change, if it is of this step's result."""
        target = self._target
        if target is None or target.parameter or target.step != step:
            return values
        values = values.copy()
        values[full(values, target.place)] += self._change
        return values

    def _is_reached(self, step: Step) -> bool:
        """Return whether the change is in something that a step reads."""
        reads = step.reads.values()
        return any(one.step in self.changed or self._is_changed_parameter(one) for one in reads)

    def _is_changed_parameter(self, source: Source) -> bool:
        target = self._target
        return target is not None and source.parameter == target.parameter != ""

    def _result(self, step: int) -> np.ndarray:
        if step == INPUT:
            return self._x
        recorded = self._one.recording.steps[step]
        return self.found[step][CONTRACTS[recorded.operation.forward].writes[0]]

    def _read(self, source: Source) -> np.ndarray:
        if source.step is not None:
            return self._result(source.step)
        array = self._one.read(source)
        if self._target is None or not self._is_changed_parameter(source):
            return array
        changed = array.astype(np.float64)
        changed[self._target.place] += self._change
        return changed
