"""The base class of the initializers, and how a layer calls any of them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn import random
from minicnn.checks import shape_text
from minicnn.contracts import Shape
from minicnn.errors import ShapeError
from minicnn.random import check_seed
from minicnn.shapes import is_int
from minicnn.support.arrays import as_result
from minicnn.support.reprs import repr_from_config


class Initializer:
    """Base class of the initializers: `initializer(shape)` returns a weight's initial values.

    A subclass defines `__call__(self, shape, dtype=None)`, as in Keras, or `draw(self, shape,
    rng)`, which takes everything random from `rng`; and `get_config` if its constructor has
    arguments. A function (shape, dtype=None) is an initializer, too.

    >>> class Alternating(Initializer):
    ...     def __call__(self, shape, dtype=None):
    ...         signs = np.cos(np.pi * np.arange(np.prod(shape)))
    ...         return signs.reshape(shape).astype(dtype)
    >>> import minicnn as mc
    >>> layer = mc.layers.Dense(2, kernel_initializer=Alternating())
    >>> layer(np.ones((1, 1), np.float32)).tolist()
    [[1.0, -1.0]]
    """

    __repr__ = repr_from_config
    seed: int | None = None
    _number: int | None = None  # of this object among those that were called without a seed

    def __call__(
        self, shape: Shape | int, dtype: Any = None, rng: np.random.Generator | None = None
    ) -> Any:
        """Return initial values.

        Parameters
        ----------
        shape : of the array
        dtype : of the array; default float32
        rng : what everything random is drawn from, unless the initializer has a seed. By default
            each initializer has values of its own, which depend on the seed of `set_random_seed`,
            and every call gives the same ones
        """
        lengths = (int(shape),) if is_int(shape) else tuple(shape)  # type: ignore[arg-type]
        if rng is None or self.seed is not None:
            rng = self._generator()
        values = self.draw(lengths, rng)
        return as_result(values.astype(dtype or np.float32, copy=False))

    def draw(self, shape: Shape, rng: np.random.Generator) -> np.ndarray:
        """Return values of this shape; everything random is drawn from `rng`."""
        raise NotImplementedError(f"{type(self).__name__} needs __call__(self, shape, dtype=None)")

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, JSON-able."""
        return {}

    def saved_config(self) -> dict[str, Any]:
        """Return the same for a file: without the arguments that are None."""
        return {name: value for name, value in self.get_config().items() if value is not None}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Initializer:
        """Return the initializer that `get_config` describes."""
        return cls(**config)

    def _generator(self) -> np.random.Generator:
        if self.seed is not None:
            return random.generator("initializer", seed=self.seed)
        if self._number is None:
            self._number = random.next_number()
        return random.generator("initializer", self._number)


class RandomInitializer(Initializer):
    """Base class of the initializers that draw random values.

    Parameters
    ----------
    seed : an integer: the values depend on it alone, so that two weights of the same shape get the
        same values; default None: each weight has values of its own
    """

    def __init__(self, seed: int | None = None) -> None:
        self.seed = None if seed is None else check_seed(seed)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"seed": self.seed}


def initial_values(
    initializer: Callable[..., Any], shape: Shape, rng: np.random.Generator
) -> np.ndarray:
    """Return what an initializer or a function gives for a weight of this shape.

    Raises
    ------
    ShapeError : it gives an array of another shape
    """
    arguments = _arguments(initializer)
    if "rng" in arguments:
        values = initializer(shape, rng=rng)
    elif "dtype" in arguments:
        values = initializer(shape, dtype="float32")
    else:
        values = initializer(shape)
    if np.shape(values) != tuple(shape):
        name = getattr(initializer, "__name__", type(initializer).__name__)
        raise ShapeError(
            f"the initializer {name} must return an array of shape {shape_text(shape)}; it gave "
            f"{shape_text(np.shape(values))}"
        )
    return np.asarray(values)


def _arguments(function: Callable[..., Any]) -> set[str]:
    """Return the names of the arguments; "dtype" also where they cannot be known."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:  # a function of NumPy's that is written in C
        return {"dtype"}
    if any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters):
        return {"dtype", *(p.name for p in parameters)}
    return {p.name for p in parameters}
