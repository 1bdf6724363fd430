"""The error function, made of others."""

from __future__ import annotations

import math
from typing import Any

from minicnn.layers import activation_functions as activations
from minicnn.layers.functions import tensor_function
from minicnn.ops.arithmetic import absolute, add, divide, multiply
from minicnn.ops.comparison import less, where
from minicnn.ops.math import clip, square
from minicnn.ops.operands import floats

# erf(x) = 2 / sqrt(pi) * (x - x^3/3 + x^5/10 - ...); up to NEAR the rest is below 1e-8.
NEAR = 0.5
LARGE = 6.0  # from here on erf is 1 in float32
SERIES = [2 / math.sqrt(math.pi) * (-1) ** n / (math.factorial(n) * (2 * n + 1)) for n in range(6)]


@tensor_function
def erf(x: Any) -> Any:
    """Return the error function: the probability that |z| < x for normal z of variance 1/2.

    >>> import minicnn as mc
    >>> mc.ops.erf([0.0, 1.0]).round(4).tolist()
    [0.0, 0.8427000045776367]
    """
    x = floats(x)
    near = less(absolute(x), NEAR)
    z = multiply(where(near, 1.0, clip(x, -LARGE, LARGE)), math.sqrt(2))
    # gelu(z) / z is the normal distribution function, which is (1 + erf(z / sqrt 2)) / 2.
    far = add(multiply(divide(activations.gelu(z), z), 2.0), -1.0)
    return where(near, _series(clip(x, -NEAR, NEAR)), far)


def _series(x: Any) -> Any:
    power, total = square(x), 0.0
    for factor in reversed(SERIES):
        total = add(multiply(power, total), factor)
    return multiply(x, total)
