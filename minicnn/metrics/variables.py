"""The state of a metric: arrays that count, with Keras's `assign` and `assign_add`."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.checks import check_int
from minicnn.errors import ArgumentError
from minicnn.support.arrays import Array
from minicnn.support.text import quoted

INITIAL = {"zeros": 0.0, "ones": 1.0}


class Variable(Array):
    """An array of NumPy that a metric adds to; it can be used wherever an array can.

    >>> total = variable((), None, "float32")
    >>> total.assign_add(2.5)
    Variable(2.5, dtype=float32)
    >>> float(total / 2)
    1.25
    """

    def assign(self, value: Any) -> Variable:
        """Replace the values; a number replaces all of them."""
        self[...] = value
        return self

    def assign_add(self, value: Any) -> Variable:
        """Add to the values."""
        self[...] = self._plain() + value
        return self

    def assign_sub(self, value: Any) -> Variable:
        """Subtract from the values."""
        self[...] = self._plain() - value
        return self

    @property
    def value(self) -> np.ndarray:
        """The values as an array of NumPy."""
        return np.asarray(self)

    def _plain(self) -> Any:
        """Return the values as an array, or as a number of Python, which is faster to add to."""
        return np.asarray(self) if self.ndim else self.item()


def variable(shape: Any, initializer: Any, dtype: str) -> Variable:
    """Return a new Variable.

    Parameters
    ----------
    shape : a length, or a tuple of lengths
    initializer : "zeros", "ones" or an object of `Zeros` or `Ones`; None means zeros
    dtype : name of the dtype

    Raises
    ------
    ArgumentError : another initializer
    """
    lengths = shape if isinstance(shape, (tuple, list)) else (shape,)
    lengths = tuple(check_int(n, "each length in shape", 0) for n in lengths)
    return np.full(lengths, _initial(initializer), dtype).view(Variable)


def _initial(initializer: Any) -> float:
    kind = initializer if isinstance(initializer, (str, type)) else type(initializer)
    name = kind if isinstance(kind, str) else kind.__name__
    if initializer is None:
        return 0.0
    if name.lower() not in INITIAL:
        raise ArgumentError(
            f"a metric starts counting at zeros or ones: initializer='zeros'; got "
            f"{quoted(initializer)}"
        )
    return INITIAL[name.lower()]
