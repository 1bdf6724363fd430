"""Normalization of a network's input by the mean and the variance of the training data."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from minicnn.checks import check_flag, quoted, shape_text
from minicnn.contracts import Shape
from minicnn.errors import ArgumentError, DTypeError, ShapeError
from minicnn.layers.apply import Apply
from minicnn.layers.base import Layer
from minicnn.layers.parameter import Parameter, aligned
from minicnn.layers.sample_normalization import Axes, check_axis, first_of_last_axes, known_lengths
from minicnn.operations.batch_norm import BATCH_NORM_INFERENCE
from minicnn.operations.elementwise import RESCALE
from minicnn.operations.shape import RESHAPE

EPSILON = 1e-7  # the least standard deviation


class Normalization(Layer):
    """Brings each feature to mean 0 and variance 1, by statistics of the data.

    (N, ..., C) -> (N, ..., C) float32, the same in training and at inference.

    y = (x - mean) / max(sqrt(variance), 1e-7)

    Parameters
    ----------
    axis : the axes whose values have a mean and a variance of their own: the last one, several up
        to the last, or None for one mean and variance of all values; default -1, the channels
    mean, variance : numbers of that shape, or one for all; default None: `adapt` computes them
    invert : must be False, the default
    options : those of `Layer`

    Raises
    ------
    ArgumentError : an argument is not as described

    Examples
    --------
    >>> layer = Normalization()
    >>> layer.adapt(np.array([[0, 10], [2, 30]], np.float32))
    >>> layer(np.array([[2, 20]], np.float32)).tolist()
    [[1.0, 0.0]]
    >>> Normalization(mean=3, variance=4)(np.array([[5, 3]], np.float32)).tolist()
    [[1.0, 0.0]]
    """

    def __init__(
        self,
        axis: Axes | None = -1,
        mean: Any = None,
        variance: Any = None,
        invert: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        empty = axis is None or (isinstance(axis, (list, tuple)) and len(axis) == 0)
        self.axis = None if empty else check_axis(axis)
        if (mean is None) != (variance is None):
            raise ArgumentError("mean and variance must be given both, or neither: see adapt")
        self._given = (
            None if mean is None else (_numbers(mean, "mean"), _numbers(variance, "variance"))
        )
        self.invert = check_flag(invert, "invert")
        if invert:
            raise ArgumentError(
                "invert=True is not supported: compute y * std + mean with minicnn.ops"
            )

    def build(self, *input_shapes: Shape) -> None:
        """Create mean, variance and count, unless mean and variance were given."""
        (shape,) = input_shapes
        self._first = len(shape) if self.axis is None else first_of_last_axes(self.axis, shape)
        kept = self._kept = known_lengths(shape, self._first)
        self._size = math.prod(kept)
        self._ones, self._zeros = (_filled((self._size,), value) for value in (1.0, 0.0))
        self._mean: Parameter | np.ndarray
        self._variance: Parameter | np.ndarray
        if self._given is not None:
            self._mean, self._variance = (_broadcast(one, kept) for one in self._given)
            return
        flat = (self._size,)
        self._mean = self.add_parameter("mean", flat, "zeros", trainable=False)
        self._variance = self.add_parameter("variance", flat, "ones", trainable=False)
        self.count = self.add_parameter("count", (1,), "zeros", trainable=False)

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Compute the mean and the variance of the data.

        Parameters
        ----------
        data : an array (N, ...), or something that yields batches: arrays, or tuples of which the
            first is one, as datasets yield them
        batch_size : not needed; as in Keras
        steps : how many batches are read; default: all

        Raises
        ------
        ArgumentError : mean and variance were given, or there is no data
        """
        if self._given is not None:
            raise ArgumentError(
                f"{self.name}: mean and variance were given; adapt would change them"
            )
        total = _Moments()
        for number, batch in enumerate(_batches(data)):
            if steps is not None and number >= steps:
                break
            self._build_once((batch.shape,))
            axes = tuple(range(min(self._first, batch.ndim)))
            if batch.shape[self._first :] and math.prod(batch.shape[self._first :]) != self._size:
                raise ShapeError(
                    f"{self.name} has {self._size} means; a batch has shape "
                    f"{shape_text(batch.shape)}"
                )
            total.add(batch.astype(np.float64), axes)
        if total.count == 0:
            raise ArgumentError(f"{self.name}.adapt needs data, but there was none")
        for parameter, value in ((self._mean, total.mean), (self._variance, total.variance)):
            if isinstance(parameter, Parameter):
                parameter.assign(np.reshape(value, parameter.shape))

    @property
    def mean(self) -> np.ndarray | None:
        """The means, of a shape that fits the input; None before the shape is known."""
        return self._fitting(self._mean) if self.built else None

    @property
    def variance(self) -> np.ndarray | None:
        """The variances, of a shape that fits the input; None before the shape is known."""
        return self._fitting(self._variance) if self.built else None

    def _fitting(self, values: Parameter | np.ndarray) -> np.ndarray:
        array = values.value if isinstance(values, Parameter) else values
        return array.reshape(*[1] * self._first, *self._kept)

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> Any:
        """Return (x - mean) / sqrt(variance + 1e-14)."""
        (x,) = inputs
        if np.dtype(x.dtype) == np.uint8:
            x = apply(RESCALE, x, scale=1.0)
        shape = tuple(x.shape)
        flat = apply(RESHAPE, x, shape=(-1, self._size)) if self._first != len(shape) - 1 else x
        y = apply(
            BATCH_NORM_INFERENCE, flat, self._ones, self._zeros, self._mean, self._variance,
            epsilon=EPSILON**2,
        )  # fmt: skip
        return y if flat is x else apply(RESHAPE, y, shape=shape[1:])

    def flops_per_value(self, *input_shapes: Shape) -> int:
        """Return 2: a difference and a product."""
        return 2

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        mean, variance = (None, None) if self._given is None else self._given
        return {
            **super().get_config(),
            "axis": self.axis,
            "mean": None if mean is None else mean.tolist(),
            "variance": None if variance is None else variance.tolist(),
            "invert": self.invert,
        }


class _Moments:
    """The mean and the variance of batches that are added one after the other."""

    def __init__(self) -> None:
        self.count = 0
        self.mean: Any = 0.0
        self.variance: Any = 0.0

    def add(self, batch: np.ndarray, axes: tuple[int, ...]) -> None:
        """Count the values of a batch, along these axes.

        With the weights p and q of the old and the new values, the variance of all is
        p (old variance + d^2) + q (new variance + e^2), where d and e are how far the two means
        are from that of all.
        """
        count = math.prod(batch.shape[axis] for axis in axes)
        if count == 0:
            return
        mean, variance = batch.mean(axes), batch.var(axes)
        q = count / (self.count + count)
        p = 1 - q
        middle = p * self.mean + q * mean
        spread = p * (self.variance + (self.mean - middle) ** 2)
        self.variance = spread + q * (variance + (mean - middle) ** 2)
        self.mean, self.count = middle, self.count + count


def _batches(data: Any) -> Iterator[np.ndarray]:
    """Yield the batches of inputs of an array or of a dataset."""
    if isinstance(data, np.ndarray):
        yield _checked(data)
        return
    if not isinstance(data, Iterable) or isinstance(data, (str, dict)):
        raise DTypeError(
            f"adapt needs an array or an iterable of batches; got {type(data).__name__}"
        )
    for batch in data:
        yield _checked(batch[0] if isinstance(batch, (list, tuple)) else batch)


def _checked(batch: Any) -> np.ndarray:
    array = np.asarray(batch)
    if array.dtype.kind not in "uifb":
        raise DTypeError(f"adapt needs numbers; got an array of {array.dtype}")
    return array


def _numbers(value: Any, name: str) -> np.ndarray:
    """Return a mean or variance as an array of finite numbers; None is not checked."""
    try:
        array = np.asarray(0 if value is None else value, np.float64)
    except (TypeError, ValueError):
        array = np.array(np.nan)
    if not np.isfinite(array).all():
        raise ArgumentError(f"{name} must be a number or an array of numbers; got {quoted(value)}")
    return array


def _broadcast(values: np.ndarray, shape: Shape) -> np.ndarray:
    """Return the values of all features, flat, as float32."""
    try:
        full = np.broadcast_to(values.reshape(values.shape or (1,)), shape or (1,))
    except ValueError:
        raise ShapeError(
            f"mean and variance must have shape {shape_text(shape)}, or be one number; got "
            f"{shape_text(values.shape)}"
        ) from None
    return _filled((full.size,), full.ravel())


def _filled(shape: Shape, values: Any) -> np.ndarray:
    array = aligned(shape, "float32")
    array[...] = values
    return array
