"""Means over several batches. The formulas are in the reference's file of this name."""

from __future__ import annotations

import math
from typing import Any

from minicnn.backends.cuda.optimizer_rules import times
from minicnn.backends.cuda.runtime.api import cuda, device, float32, jit, uint32
from minicnn.backends.cuda.runtime.kernel_cache import cached
from minicnn.backends.cuda.runtime.launch import HALTED, KernelPlan, elementwise
from minicnn.contracts import Spec


@device
def sum_of(total, dw):
    return total + dw


@cached
def mean_of(batches: int) -> Any:
    count = float32(batches)

    @device
    def mean(dw, total):
        return (dw + total) / count

    return mean


@cached
def moved(momentum: float) -> Any:
    old, new = float32(momentum), float32(1 - momentum)

    @device
    def average_of(average, w):
        return times(old, average) + times(new, w)

    return average_of


def add_gradient(gradient_sum: Spec, dw: Spec) -> KernelPlan:
    return _changed(sum_of, gradient_sum, "gradient_sum", "dw")


def mean_gradient(dw: Spec, gradient_sum: Spec, *, batches: int) -> KernelPlan:
    return _changed(mean_of(batches), dw, "dw", "gradient_sum")


def moving_average(average: Spec, w: Spec, *, momentum: float) -> KernelPlan:
    return _changed(moved(momentum), average, "average", "w")


def _changed(function: Any, spec: Spec, target: str, other: str) -> KernelPlan:
    """Return the launch that replaces each value of `target`, unless the step is halted."""
    count = math.prod(spec.shape)
    return elementwise(_change_kernel(function, count), count, (target, other, HALTED))


@cached
def _change_kernel(function: Any, count: int) -> Any:
    @jit
    def changed(target, other, halted):
        i = uint32(cuda.grid(1))
        if i < count and halted[0] == 0:
            target[i] = function(target[i], other[i])

    return changed
