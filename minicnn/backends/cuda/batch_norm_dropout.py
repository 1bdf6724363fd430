"""Batch normalization and dropout as one operation.

Forward, the last pass of the batch norm applies the dropout as it writes y; a thread takes the four
values whose random words are drawn together. Backward, the gradient of the dropout's input is first
written to dx, and is then the dy of the batch norm.
"""

from __future__ import annotations

import math
from typing import Any

from minicnn.backends.cuda.batch_norm import statistics, training_gradients
from minicnn.backends.cuda.dropout import FOUR, ONE, THREE, TWO, dropped, fours, kept_or_dropped
from minicnn.backends.cuda.philox import random_words
from minicnn.backends.cuda.runtime.api import cuda, device, jit, uint32
from minicnn.backends.cuda.runtime.kernel_cache import cached
from minicnn.backends.cuda.runtime.launch import KernelPlan, elementwise, joined
from minicnn.contracts import Spec


def batch_norm_dropout_forward(
    x: Spec,
    gamma: Spec,
    beta: Spec,
    moving_mean: Spec,
    moving_variance: Spec,
    moments: Spec | None,
    rng_key: Spec,
    *,
    rate: float,
    purpose: int,
    momentum: float,
    epsilon: float,
) -> KernelPlan:
    count = math.prod(x.shape)
    kernel = _kernel(count, x.shape[-1], rate, purpose)
    arguments = ("y", "x", "gamma", "beta", "mean", "inverse_std", "rng_key")
    return joined(
        statistics(x, moments, momentum, epsilon), elementwise(kernel, fours(count), arguments)
    )


def batch_norm_dropout_backward(
    dy: Spec,
    x: Spec,
    gamma: Spec,
    mean: Spec,
    inverse_std: Spec,
    rng_key: Spec,
    *,
    rate: float,
    purpose: int,
    **_: Any,
) -> KernelPlan:
    return joined(dropped("dx", "dy", dy, rate, purpose), training_gradients(x, "dx"))


@cached
def _kernel(count: int, channels: int, rate: float, purpose: int) -> Any:
    number, blocks, own = uint32(count), uint32(fours(count)), uint32(purpose)
    n, result = uint32(channels), kept_or_dropped(rate)

    @device
    def normalize(y, x, gamma, beta, mean, inverse_std, e, word):
        if e < number:
            c = uint32(e % n)
            z = gamma[c] * ((x[e] - mean[c]) * inverse_std[c]) + beta[c]
            y[e] = result(z, word)

    @jit
    def normalize_four(y, x, gamma, beta, mean, inverse_std, rng_key):
        block = uint32(cuda.grid(1))
        if block < blocks:
            w0, w1, w2, w3 = random_words(block, own, rng_key)
            e = uint32(block * FOUR)
            normalize(y, x, gamma, beta, mean, inverse_std, e, w0)
            normalize(y, x, gamma, beta, mean, inverse_std, uint32(e + ONE), w1)
            normalize(y, x, gamma, beta, mean, inverse_std, uint32(e + TWO), w2)
            normalize(y, x, gamma, beta, mean, inverse_std, uint32(e + THREE), w3)

    return normalize_four
