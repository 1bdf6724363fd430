"""Parameters: the arrays that a layer owns, and the initial values that they are drawn with."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn import random
from minicnn.contracts import Shape
from minicnn.errors import ShapeError
from minicnn.host_sync import mark_parameters_changed, synced
from minicnn.initializers import GlorotUniform, initial_values
from minicnn.layers.operators import FUNCTIONS, Operators


class InitialValues:
    """A parameter's initial values, which are drawn when the parameter is first read.

    They depend on the seed at the time when the layer was built, on `rng_name`, the layer's name
    in its network, and on the parameter's own name in the layer.
    """

    def __init__(self, initializer: Any, shape: Shape, rng_name: str, name: str) -> None:
        self.initializer = GlorotUniform() if initializer is None else initializer
        self.shape, self.rng_name, self.name = shape, rng_name, name
        self.seed = random.seed()

    def draw(self) -> np.ndarray:
        """Return the values; every call gives the same ones."""
        with random.seeded(self.seed):
            rng = random.generator(f"{self.rng_name}/{self.name}")
            return initial_values(self.initializer, self.shape, rng)


class Parameter(Operators):
    """An array that a layer owns: a weight, or a running statistic, which is not trainable.

    The array's memory never moves: engines keep its address and write into it. All other code
    reads `value` and changes it by `assign`, so that everything that was derived from the
    parameters, such as transformed weights, is known to be out of date.

    >>> kernel = Parameter("dense/kernel", np.zeros((2, 3), np.float32))
    >>> kernel.assign(np.ones((2, 3)))
    >>> kernel.value.sum(), kernel.shape
    (np.float32(6.0), (2, 3))

    It can be used like an array: in the arithmetic of Python, in NumPy's functions, and, as
    `kernel.numpy()` or `np.array(kernel)`, as a copy of its values. In the `call` of a layer the
    arithmetic becomes part of the network.

    >>> import minicnn as mc
    >>> (2 * kernel + 1).tolist(), np.sum(kernel).item()
    ([[3.0, 3.0, 3.0], [3.0, 3.0, 3.0]], 6.0)
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
        self.is_free = False  # whether the layer of which it becomes an attribute shall own it
        self.initial = initial  # None once the array holds values that count
        # The shape that `get_weights` gives it, which has the same values in the same order.
        self.keras_shape: Shape = value.shape
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

    def numpy(self) -> np.ndarray:
        """Return a copy of the newest values."""
        return self.value.copy()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """Return the newest values, for NumPy: a copy, as the parameter changes in place."""
        if copy is False:
            raise ValueError(f"the values of parameter {self.name} can only be copied")
        return self.value.astype(dtype or self.dtype)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """Compute a function of NumPy by the function of that name in `minicnn.ops`, or on values.

        So `array * parameter` in the `call` of a layer is part of the network, as it is when the
        parameter comes first.
        """
        if method == "__call__" and not kwargs and ufunc.__name__ in FUNCTIONS:
            return FUNCTIONS[ufunc.__name__](*inputs)
        arrays = [x.value if isinstance(x, Parameter) else x for x in inputs]
        return getattr(ufunc, method)(*arrays, **kwargs)

    @property
    def shape(self) -> Shape:
        """The lengths of the array's axes."""
        return self._array.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self._array.ndim

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


def aligned(shape: Shape, dtype: str, *, zeros: bool = False) -> np.ndarray:
    """Return an array that starts at a multiple of 64 bytes, a cache line.

    It is uninitialized, or has zeros, which take no memory before they are read or written.
    """
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    memory = (np.zeros if zeros else np.empty)(size + 64, np.uint8)
    start = -memory.ctypes.data % 64
    return memory[start : start + size].view(dtype).reshape(shape)
