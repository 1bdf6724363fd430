"""Parameters: the arrays that a layer owns, and the initial values that they are drawn with."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn import random
from minicnn.contracts import Shape
from minicnn.errors import ShapeError
from minicnn.host_sync import mark_parameters_changed, synced
from minicnn.initializers import Initializer


class InitialValues:
    """A parameter's initial values, which are drawn when the parameter is first read.

    They depend on the seed at the time when the layer was built, on `rng_name`, the layer's name
    in its network, and on the parameter's own name in the layer.
    """

    def __init__(self, initializer: Initializer, shape: Shape, rng_name: str, name: str) -> None:
        self.initializer, self.shape, self.rng_name, self.name = initializer, shape, rng_name, name
        self.seed = random.seed()

    def draw(self) -> np.ndarray:
        """Return the values; every call gives the same ones."""
        with random.seeded(self.seed):
            rng = random.generator(f"{self.rng_name}/{self.name}")
        return self.initializer(self.shape, rng)


class Parameter:
    """An array that a layer owns: a weight, or a running statistic, which is not trainable.

    The array's memory never moves: engines keep its address and write into it. All other code
    reads `value` and changes it by `assign`, so that everything that was derived from the
    parameters, such as transformed weights, is known to be out of date.

    >>> kernel = Parameter("dense/kernel", np.zeros((2, 3), np.float32))
    >>> kernel.assign(np.ones((2, 3)))
    >>> kernel.value.sum(), kernel.shape
    (np.float32(6.0), (2, 3))
    """

    def __init__(
        self,
        name: str,
        value: np.ndarray,
        *,
        trainable: bool = True,
        initial: InitialValues | None = None,
    ) -> None:
        self.name, self._array, self.trainable = name, value, trainable
        self.initial = initial  # None once the array holds values that count
        self.multiplier = 1.0  # of the learning rate
        self.regularizer: Any = None  # a function whose result is added to the loss
        self.constraint: Any = None  # a function that gives the values after each update
        self.decay = value.ndim > 1  # weight decay acts on weights, not on biases and scales

    @property
    def array(self) -> np.ndarray:
        """The parameter's memory; newer values may be on a device."""
        if self.initial is not None:
            self._array[...] = np.reshape(self.initial.draw(), self.shape)
            self.initial = None
        return self._array

    @property
    def value(self) -> np.ndarray:
        """The newest values, as an array that cannot be written."""
        view = synced(self.array).view()
        view.flags.writeable = False
        return view

    @property
    def shape(self) -> Shape:
        """The lengths of the array's axes."""
        return self._array.shape

    @property
    def size(self) -> int:
        """The number of elements."""
        return self._array.size

    @property
    def dtype(self) -> np.dtype:
        """The array's dtype, float32."""
        return self._array.dtype

    def assign(self, value: np.ndarray) -> None:
        """Copy new values in.

        Raises
        ------
        ShapeError : `value` has another shape than this parameter
        """
        if np.shape(value) != self.shape:
            raise ShapeError(f"{self.name} has shape {self.shape}; got {np.shape(value)}")
        self.initial = None  # replaced before they were ever drawn
        synced(self._array)[...] = value
        mark_parameters_changed()

    def __repr__(self) -> str:
        return f"<Parameter {self.name} {self.shape}>"

    def __getstate__(self) -> dict[str, Any]:
        """Return the state for copies and pickles, with the newest values."""
        synced(self.array)
        return vars(self)


def aligned(shape: Shape, dtype: str) -> np.ndarray:
    """Return an uninitialized array that starts at a multiple of 64 bytes, a cache line."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    memory = np.empty(size + 64, np.uint8)
    start = -memory.ctypes.data % 64
    return memory[start : start + size].view(dtype).reshape(shape)
