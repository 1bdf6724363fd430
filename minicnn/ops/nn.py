"""Activations, normalization and crossentropies under the names of `keras.ops`."""

from __future__ import annotations

from typing import Any

from minicnn.checks import check_number, shape_text
from minicnn.errors import ArgumentError, ShapeError
from minicnn.layers import activation_functions as activations
from minicnn.layers.activation_functions import log_softmax
from minicnn.layers.functions import tensor_function
from minicnn.ops.arithmetic import add, divide, maximum, multiply, negative, subtract
from minicnn.ops.indexing import one_hot
from minicnn.ops.math import clip, log, rsqrt, square
from minicnn.ops.operands import axes_of, axis_of, cast_to, floats, is_float, reshaped, tensor
from minicnn.ops.reductions import mean, norm, sum, var

EPSILON = 1e-7


def relu(x: Any) -> Any:
    """Return max(x, 0)."""
    return activations.relu(x)


def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    """Return x where it is positive, negative_slope * x otherwise."""
    return activations.leaky_relu(x, negative_slope)


def gelu(x: Any, approximate: bool = True) -> Any:
    """Return x times the probability that a normal variable is below x, or its approximation."""
    return activations.gelu(x, approximate)


@tensor_function
def normalize(x: Any, axis: int = -1, order: Any = 2, epsilon: float | None = None) -> Any:
    """Return the vectors along an axis, divided by their norms, or by `epsilon` if that is larger.

    >>> import minicnn as mc
    >>> mc.ops.normalize([[3.0, 4.0]]).round(4).tolist()
    [[0.6000000238418579, 0.800000011920929]]
    """
    x = floats(x)
    least = EPSILON if epsilon is None else check_number(epsilon, "epsilon", 0)
    if order == 2:
        total = sum(square(x), axis, True)
        return multiply(x, rsqrt(maximum(total, least * least)))
    return divide(x, maximum(norm(x, order, axis, True), least))


@tensor_function
def batch_normalization(
    x: Any, mean: Any, variance: Any, axis: int, offset: Any = None, scale: Any = None,
    epsilon: float = 1e-3,
) -> Any:  # fmt: skip
    """Return (x - mean) / sqrt(variance + epsilon) * scale + offset, with one of each per channel.

    The channels are those of `axis`.
    """
    x = floats(x)
    at = axis_of(axis, len(x.shape))
    shape = tuple(n if i == at else 1 for i, n in enumerate(x.shape))
    factor = rsqrt(add(reshaped(floats(variance), shape), check_number(epsilon, "epsilon", 0)))
    if scale is not None:
        factor = multiply(factor, reshaped(floats(scale), shape))
    y = multiply(subtract(x, reshaped(floats(mean), shape)), factor)
    return y if offset is None else add(y, reshaped(floats(offset), shape))


@tensor_function
def layer_normalization(
    x: Any, gamma: Any = None, beta: Any = None, axis: Any = -1, epsilon: float | None = None,
    **kwargs: Any,
) -> Any:  # fmt: skip
    """Return x with mean 0 and variance 1 along the axes, times gamma, plus beta."""
    if kwargs.pop("rms_scaling", False) or kwargs:
        raise ArgumentError("layer_normalization takes x, gamma, beta, axis and epsilon alone")
    x = floats(x)
    axes = axes_of(axis, len(x.shape))
    least = 1e-5 if epsilon is None else check_number(epsilon, "epsilon", 0)
    y = multiply(subtract(x, mean(x, axes, True)), rsqrt(add(var(x, axes, True), least)))
    shape = tuple(n if i in axes else 1 for i, n in enumerate(x.shape))
    if gamma is not None:
        y = multiply(y, reshaped(floats(gamma), shape))
    return y if beta is None else add(y, reshaped(floats(beta), shape))


@tensor_function
def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Any:
    """Return for each value the loss of a probability, or of its logit.

    -target * log(output) - (1 - target) * log(1 - output)
    """
    t, p = floats(target), floats(output)
    if from_logits:
        return subtract(activations.softplus(p), multiply(t, p))
    p = clip(p, EPSILON, 1 - EPSILON)
    likely = add(multiply(t, log(p)), multiply(subtract(1.0, t), log(subtract(1.0, p))))
    return negative(likely)


@tensor_function
def categorical_crossentropy(
    target: Any, output: Any, from_logits: bool = False, axis: int = -1
) -> Any:
    """Return the loss of probabilities, or logits, along an axis: -sum of target * log(output)."""
    t = floats(target)
    return negative(sum(multiply(t, _log_probabilities(output, from_logits, axis)), axis))


@tensor_function
def sparse_categorical_crossentropy(
    target: Any, output: Any, from_logits: bool = False, axis: int = -1
) -> Any:
    """Return the loss of the class with the number `target`: -log(output of that class)."""
    t, p = tensor(target), floats(output)
    at = axis_of(axis, len(p.shape))
    shape = (*p.shape[:at], *p.shape[at + 1 :])
    if len(t.shape) == len(p.shape) and t.shape[at] == 1:
        t = reshaped(t, shape)
    if tuple(t.shape) != shape:
        raise ShapeError(
            f"target must have the shape {shape_text(shape)}, one class for each row of output "
            f"{shape_text(p.shape)}; got {shape_text(t.shape)}"
        )
    t = cast_to(t, "int32") if is_float(t) else t
    return categorical_crossentropy(one_hot(t, p.shape[at], at), p, from_logits, at)


def _log_probabilities(output: Any, from_logits: bool, axis: int) -> Any:
    """Return the logarithms of probabilities, which are made to sum to 1, or of logits' softmax."""
    p = floats(output)
    if from_logits:
        return log_softmax(p, axis)
    return log(clip(divide(p, sum(p, axis, True)), EPSILON, 1 - EPSILON))
