"""What a layer may demand of its weights: regularizers and constraints, as arguments of layers.

`minicnn.regularizers` and `minicnn.constraints` have the classes, which are written with functions
of `minicnn.ops`, and add them to the tables here.
"""

from __future__ import annotations

from typing import Any

from minicnn.support.callables import CallableRegistry
from minicnn.support.reprs import repr_from_config


class WeightRule:
    """Base class of regularizers and constraints: a function of one weight array."""

    __repr__ = repr_from_config

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, JSON-able."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Return the object that `get_config` describes."""
        return cls(**config)


class Regularizer(WeightRule):
    """Base class of the regularizers: a function from a weight to a penalty, added to the loss.

    A subclass defines `__call__` with functions of `minicnn.ops`, and `get_config` if its
    constructor has arguments. A function (w) -> penalty is a regularizer, too.

    >>> import minicnn as mc
    >>> class Cubic(Regularizer):
    ...     def __call__(self, w):
    ...         return 0.01 * mc.ops.sum(mc.ops.absolute(w) ** 3)
    >>> layer = mc.layers.Dense(10, kernel_regularizer=Cubic())
    """

    def __call__(self, w: Any) -> Any:
        """Return the penalty of the weight w: a scalar."""
        raise NotImplementedError(f"{type(self).__name__} needs a method __call__(self, w)")


class Constraint(WeightRule):
    """Base class of the constraints: a function from a weight to the one that replaces it.

    It is applied after each training step. A subclass defines `__call__` with functions of
    `minicnn.ops`, and `get_config` if its constructor has arguments. A function (w) -> w of the
    same shape is a constraint, too.

    >>> import minicnn as mc
    >>> class Bounded(Constraint):
    ...     def __call__(self, w):
    ...         return mc.ops.clip(w, -1.0, 1.0)
    >>> layer = mc.layers.Dense(10, kernel_constraint=Bounded())
    """

    def __call__(self, w: Any) -> Any:
        """Return the weight that replaces w, of the same shape; w itself by default."""
        return w


# As in Keras, each has a method `get`, which takes None, a name, a class, an object or a function,
# and a method `serialize`, whose result `get` takes again.
regularizers: CallableRegistry[Regularizer] = CallableRegistry("regularizer", Regularizer)
constraints: CallableRegistry[Constraint] = CallableRegistry("constraint", Constraint)
