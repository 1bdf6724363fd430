"""Losses: some threads per sample add up the terms of its classes.

The formulas are in the reference's file of this name. Here target(y_true, row, i) is t of class i
after label smoothing; y_true has a value for each class (dense), or the index of one (sparse).
"""

from __future__ import annotations

import math
from typing import Any

from minicnn.backends.cuda.activations import sigmoid
from minicnn.backends.cuda.reduce import block_sum, larger
from minicnn.backends.cuda.rows import RowSplit, position_in, row_plan, rows_of
from minicnn.backends.cuda.runtime.api import cuda, device, exp, float32, jit, log, log1p, uint32
from minicnn.backends.cuda.runtime.kernel_cache import cached
from minicnn.backends.cuda.runtime.launch import KernelPlan, elementwise
from minicnn.backends.cuda.softmax import softmax_sum
from minicnn.contracts import Spec

ZERO, ONE, TWO, NAN = (float32(a) for a in (0, 1, 2, math.nan))
MIN_PROBABILITY, MAX_PROBABILITY = (
    float32(1e-7),
    float32(1 - 1e-7),
)  # Keras's epsilon: no logarithm is infinite
STEP = uint32(1)


@device
def clipped(p):
    return (
        MIN_PROBABILITY if p < MIN_PROBABILITY else (MAX_PROBABILITY if p > MAX_PROBABILITY else p)
    )  # NaN stays NaN


# --- kernel factories -------------------------------------------------------------------------


def categorical_crossentropy_forward(
    y_pred: Spec, y_true: Spec, *, label_smoothing: float
) -> KernelPlan:
    return _categorical(y_pred, label_smoothing, sparse=False)


def sparse_categorical_crossentropy_forward(
    y_pred: Spec, y_true: Spec, *, label_smoothing: float
) -> KernelPlan:
    return _categorical(y_pred, label_smoothing, sparse=True)


def categorical_crossentropy_backward(
    dloss: Spec, y_pred: Spec, y_true: Spec, *, label_smoothing: float
) -> KernelPlan:
    return _categorical_backward(y_pred, label_smoothing, sparse=False)


def sparse_categorical_crossentropy_backward(
    dloss: Spec, y_pred: Spec, y_true: Spec, *, label_smoothing: float
) -> KernelPlan:
    return _categorical_backward(y_pred, label_smoothing, sparse=True)


def softmax_categorical_crossentropy_forward(
    logits: Spec, y_true: Spec, *, label_smoothing: float
) -> KernelPlan:
    return _softmax(logits, label_smoothing, sparse=False)


def softmax_sparse_categorical_crossentropy_forward(
    logits: Spec, y_true: Spec, *, label_smoothing: float
) -> KernelPlan:
    return _softmax(logits, label_smoothing, sparse=True)


def softmax_categorical_crossentropy_backward(
    dloss: Spec, probabilities: Spec, y_true: Spec, *, label_smoothing: float
) -> KernelPlan:
    return _softmax_backward(probabilities, label_smoothing, sparse=False)


def softmax_sparse_categorical_crossentropy_backward(
    dloss: Spec, probabilities: Spec, y_true: Spec, *, label_smoothing: float
) -> KernelPlan:
    return _softmax_backward(probabilities, label_smoothing, sparse=True)


def binary_crossentropy_forward(
    y_pred: Spec, y_true: Spec, *, label_smoothing: float
) -> KernelPlan:
    return _mean(binary_term, y_pred, label_smoothing)


def binary_crossentropy_backward(
    dloss: Spec, y_pred: Spec, y_true: Spec, *, label_smoothing: float
) -> KernelPlan:
    return _slope(binary_slope, y_pred, label_smoothing, ("dy_pred", "dloss", "y_pred", "y_true"))


def mean_squared_error_forward(y_pred: Spec, y_true: Spec) -> KernelPlan:
    return _mean(square_term, y_pred, 0.0)


def mean_squared_error_backward(dloss: Spec, y_pred: Spec, y_true: Spec) -> KernelPlan:
    return _slope(square_slope, y_pred, 0.0, ("dy_pred", "dloss", "y_pred", "y_true"))


def sigmoid_binary_crossentropy_forward(
    logits: Spec, y_true: Spec, *, label_smoothing: float
) -> KernelPlan:
    rows = rows_of(logits.shape, axis=1)
    kernel = _sigmoid_kernel(rows, _dense_target(rows.length, label_smoothing, 2))
    return row_plan(kernel, rows, ("loss", "probabilities", "logits", "y_true"))


def sigmoid_binary_crossentropy_backward(
    dloss: Spec, probabilities: Spec, y_true: Spec, *, label_smoothing: float
) -> KernelPlan:
    arguments = ("dlogits", "dloss", "probabilities", "y_true")
    return _slope(sigmoid_slope, probabilities, label_smoothing, arguments)


def _categorical(y_pred: Spec, smoothing: float, *, sparse: bool) -> KernelPlan:
    rows = rows_of(y_pred.shape)
    kernel = _categorical_kernel(rows, *_targets(rows, smoothing, sparse))
    return row_plan(kernel, rows, ("loss", "y_pred", "y_true"))


def _categorical_backward(y_pred: Spec, smoothing: float, *, sparse: bool) -> KernelPlan:
    rows = rows_of(y_pred.shape)
    kernel = _categorical_backward_kernel(rows, *_targets(rows, smoothing, sparse))
    return row_plan(kernel, rows, ("dy_pred", "dloss", "y_pred", "y_true"))


def _softmax(logits: Spec, smoothing: float, *, sparse: bool) -> KernelPlan:
    rows = rows_of(logits.shape)
    kernel = _softmax_kernel(rows, *_targets(rows, smoothing, sparse))
    return row_plan(kernel, rows, ("loss", "probabilities", "logits", "y_true"))


def _softmax_backward(probabilities: Spec, smoothing: float, *, sparse: bool) -> KernelPlan:
    rows = rows_of(probabilities.shape)
    kernel = _softmax_backward_kernel(rows, *_targets(rows, smoothing, sparse))
    return row_plan(kernel, rows, ("dlogits", "dloss", "probabilities", "y_true"))


def _mean(term: Any, y_pred: Spec, smoothing: float) -> KernelPlan:
    """Return a plan for loss = mean over a sample of term(prediction, target)."""
    rows = rows_of(y_pred.shape, axis=1)
    kernel = _mean_kernel(rows, term, _dense_target(rows.length, smoothing, 2))
    return row_plan(kernel, rows, ("loss", "y_pred", "y_true"))


def _slope(slope: Any, y_pred: Spec, smoothing: float, arguments: tuple[str, ...]) -> KernelPlan:
    """Return a plan for dloss * slope(prediction, target) / values per sample, value by value."""
    count, length = math.prod(y_pred.shape), math.prod(y_pred.shape[1:])
    target = _dense_target(length, smoothing, 2)
    return elementwise(_slope_kernel(count, length, slope, target), count, arguments)


# --- targets, and the terms of one value ------------------------------------------------------


def _targets(rows: RowSplit, smoothing: float, sparse: bool) -> tuple[Any, Any]:
    """Return device functions (target, is_class); is_class is False for a label out of range."""
    if sparse:
        return _sparse_target(rows.length, smoothing), _is_class(rows.length)
    return _dense_target(rows.length, smoothing, rows.length), always


@cached
def _dense_target(length: int, smoothing: float, classes: int) -> Any:
    n, keep, share = uint32(length), float32(1 - smoothing), float32(smoothing / max(classes, 1))
    return device(lambda y_true, row, i: float32(y_true[uint32(row * n + i)]) * keep + share)


@cached
def _sparse_target(length: int, smoothing: float) -> Any:
    keep, share = float32(1 - smoothing), float32(smoothing / max(length, 1))
    return device(lambda y_true, row, i: (keep if y_true[row] == i else ZERO) + share)


@cached
def _is_class(classes: int) -> Any:
    return device(lambda y_true, row: y_true[row] >= 0 and y_true[row] < classes)


@device
def always(y_true, row):
    return True


@device
def binary_term(prediction, t):
    p = clipped(prediction)
    return -(t * float32(log(p)) + (ONE - t) * float32(log(ONE - p)))


@device
def binary_slope(prediction, t):
    p = clipped(prediction)
    return (ONE - t) / (ONE - p) - t / p if p == prediction else ZERO


@device
def square_term(p, t):
    return (p - t) * (p - t)


@device
def square_slope(p, t):
    return TWO * (p - t)


@device
def sigmoid_slope(p, t):
    return p - t


# --- kernels ----------------------------------------------------------------------------------


@cached
def _mean_kernel(rows: RowSplit, term: Any, target: Any) -> Any:
    position, threads, lanes = position_in(rows), rows.threads, uint32(rows.lanes)
    n = float32(rows.length)

    @jit
    def mean_loss(loss, y_pred, y_true):
        shared = cuda.shared.array(threads, float32)
        t, lane, row, first, last = position()
        total = ZERO
        for i in range(first + lane, last, lanes):
            total += term(y_pred[i], target(y_true, row, uint32(i - first)))
        total = block_sum(shared, total, t, lane, lanes, STEP)
        if lane == 0 and last > first:
            loss[row] = total / n

    return mean_loss


@cached
def _slope_kernel(count: int, length: int, slope: Any, target: Any) -> Any:
    per_row, n = uint32(length), float32(length)

    @jit
    def backward(dy_pred, dloss, y_pred, y_true):
        e = uint32(cuda.grid(1))
        if e < count:
            row = uint32(e // per_row)
            t = target(y_true, row, uint32(e % per_row))
            dy_pred[e] = dloss[row] * slope(y_pred[e], t) / n

    return backward


@cached
def _categorical_kernel(rows: RowSplit, target: Any, is_class: Any) -> Any:
    position, threads, lanes = position_in(rows), rows.threads, uint32(rows.lanes)

    @jit
    def categorical(loss, y_pred, y_true):
        shared = cuda.shared.array(threads, float32)
        t, lane, row, first, last = position()
        total = ZERO
        for i in range(first + lane, last, lanes):
            total += y_pred[i]
        total = block_sum(shared, total, t, lane, lanes, STEP)
        entropy = ZERO
        for i in range(first + lane, last, lanes):
            q = clipped(y_pred[i] / total)
            entropy -= target(y_true, row, uint32(i - first)) * float32(log(q))
        entropy = block_sum(shared, entropy, t, lane, lanes, STEP)
        if lane == 0 and last > first:
            loss[row] = entropy if is_class(y_true, row) else NAN

    return categorical


@cached
def _categorical_backward_kernel(rows: RowSplit, target: Any, is_class: Any) -> Any:
    position, threads, lanes = position_in(rows), rows.threads, uint32(rows.lanes)

    @device
    def by_quotient(q, t):
        return -t / q if clipped(q) == q else ZERO

    @jit
    def backward(dy_pred, dloss, y_pred, y_true):
        shared = cuda.shared.array(threads, float32)
        t, lane, row, first, last = position()
        total, mean = ZERO, ZERO
        for i in range(first + lane, last, lanes):
            total += y_pred[i]
        total = block_sum(shared, total, t, lane, lanes, STEP)
        for i in range(first + lane, last, lanes):
            q = y_pred[i] / total
            mean += by_quotient(q, target(y_true, row, uint32(i - first))) * q
        mean = block_sum(shared, mean, t, lane, lanes, STEP)
        for i in range(first + lane, last, lanes):
            g = by_quotient(y_pred[i] / total, target(y_true, row, uint32(i - first)))
            dy = dloss[row] * (g - mean) / total
            dy_pred[i] = dy if is_class(y_true, row) else ZERO

    return backward


@cached
def _softmax_kernel(rows: RowSplit, target: Any, is_class: Any) -> Any:
    position, threads, lanes = position_in(rows), rows.threads, uint32(rows.lanes)
    shifted_sum = softmax_sum(rows)

    @jit
    def softmax_loss(loss, probabilities, logits, y_true):
        shared = cuda.shared.array(threads, float32)
        thread, lane, row, first, last = position()
        largest, total = shifted_sum(shared, logits, thread, lane, first, last)
        log_total, entropy = float32(log(total)), ZERO
        for i in range(first + lane, last, lanes):
            shifted = logits[i] - largest
            probabilities[i] = float32(exp(shifted)) / total
            t = target(y_true, row, uint32(i - first))
            # A class with target 0 adds nothing, even where its log y is -inf.
            if t != ZERO:
                entropy -= t * (shifted - log_total)
        entropy = block_sum(shared, entropy, thread, lane, lanes, STEP)
        if lane == 0 and last > first:
            loss[row] = entropy if is_class(y_true, row) else NAN

    return softmax_loss


@cached
def _softmax_backward_kernel(rows: RowSplit, target: Any, is_class: Any) -> Any:
    position, threads, lanes = position_in(rows), rows.threads, uint32(rows.lanes)

    @jit
    def backward(dlogits, dloss, probabilities, y_true):
        shared = cuda.shared.array(threads, float32)
        thread, lane, row, first, last = position()
        total = ZERO
        for i in range(first + lane, last, lanes):
            total += target(y_true, row, uint32(i - first))
        total = block_sum(shared, total, thread, lane, lanes, STEP)
        for i in range(first + lane, last, lanes):
            t = target(y_true, row, uint32(i - first))
            dz = dloss[row] * (probabilities[i] * total - t)
            dlogits[i] = dz if is_class(y_true, row) else ZERO

    return backward


@cached
def _sigmoid_kernel(rows: RowSplit, target: Any) -> Any:
    position, threads, lanes = position_in(rows), rows.threads, uint32(rows.lanes)
    n = float32(rows.length)

    @jit
    def sigmoid_loss(loss, probabilities, logits, y_true):
        shared = cuda.shared.array(threads, float32)
        thread, lane, row, first, last = position()
        total = ZERO
        for i in range(first + lane, last, lanes):
            z, t = logits[i], target(y_true, row, uint32(i - first))
            total += larger(z, ZERO) - z * t + float32(log1p(exp(-abs(z))))
            probabilities[i] = sigmoid(z)
        total = block_sum(shared, total, thread, lane, lanes, STEP)
        if lane == 0 and last > first:
            loss[row] = total / n

    return sigmoid_loss
