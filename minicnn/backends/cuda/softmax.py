"""Softmax: a team of threads a row. The formulas stand in the reference's file of this name."""

from __future__ import annotations

import math
from typing import Any

from minicnn.backends.cuda.reduce import larger, team_max, team_sum
from minicnn.backends.cuda.rows import Rows, place_in, row_work, rows_of
from minicnn.backends.cuda.runtime.api import cuda, exp, float32, jit, uint32
from minicnn.backends.cuda.runtime.kept import kept
from minicnn.backends.cuda.runtime.launch import Work
from minicnn.contracts import Spec

ZERO, LOWEST, STEP = float32(0), float32(-math.inf), uint32(1)


def softmax_forward(x: Spec) -> Work:
    rows = rows_of(x.shape)
    return row_work(_forward_kernel(rows), rows, ("y", "x"))


def softmax_backward(dy: Spec, y: Spec) -> Work:
    rows = rows_of(dy.shape)
    return row_work(_backward_kernel(rows), rows, ("dx", "dy", "y"))


@kept
def _forward_kernel(rows: Rows) -> Any:
    place, threads, team = place_in(rows), rows.threads, uint32(rows.team)

    @jit
    def softmaxed(y, x):
        shared = cuda.shared.array(threads, float32)
        t, lane, _, first, last = place()
        largest = LOWEST
        for i in range(first + lane, last, team):
            largest = larger(largest, x[i])
        largest = team_max(shared, largest, t, lane, team, STEP)
        total = ZERO
        for i in range(first + lane, last, team):
            total += float32(exp(x[i] - largest))
        total = team_sum(shared, total, t, lane, team, STEP)
        for i in range(first + lane, last, team):
            y[i] = float32(exp(x[i] - largest)) / total

    return softmaxed


@kept
def _backward_kernel(rows: Rows) -> Any:
    place, threads, team = place_in(rows), rows.threads, uint32(rows.team)

    @jit
    def pulled_back(dx, dy, y):
        shared = cuda.shared.array(threads, float32)
        t, lane, _, first, last = place()
        mean = ZERO
        for i in range(first + lane, last, team):
            mean += dy[i] * y[i]
        mean = team_sum(shared, mean, t, lane, team, STEP)
        for i in range(first + lane, last, team):
            dx[i] = y[i] * (dy[i] - mean)

    return pulled_back
