"""Regularizers: penalties for large weights, which are added to the loss.

    L1    l1 * sum(|w|)              pulls every weight to 0 with the same force; many become 0
    L2    l2 * sum(w^2)              pulls a weight with a force that is proportional to it
    L1L2  l1 * sum(|w|) + l2 * sum(w^2)

A layer takes them as `kernel_regularizer` and the like: an object, a name ("l2") or a function of
one's own, (w) -> penalty. The optimizers' `weight_decay` is another way, which leaves the reported
loss as it is.
"""

from __future__ import annotations

from typing import Any

from minicnn import ops
from minicnn.checks import check_choice, check_number
from minicnn.errors import ShapeError
from minicnn.layers import weight_rules
from minicnn.layers.weight_rules import Regularizer

__all__ = [
    "L1",
    "L1L2",
    "L2",
    "OrthogonalRegularizer",
    "Regularizer",
    "deserialize",
    "get",
    "l1",
    "l1_l2",
    "l2",
    "orthogonal_regularizer",
    "serialize",
]


class L1(Regularizer):
    """The penalty l1 * sum(|w|).

    >>> import numpy as np
    >>> float(L1(0.5)(np.array([1.0, -3.0], np.float32)))
    2.0
    """

    def __init__(self, l1: float = 0.01) -> None:
        self.l1 = check_number(l1, "l1", 0.0)

    def __call__(self, w: Any) -> Any:
        """Return the penalty of w, a scalar."""
        return ops.sum(ops.absolute(w)) * self.l1

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"l1": self.l1}


class L2(Regularizer):
    """The penalty l2 * sum(w^2).

    >>> import numpy as np
    >>> float(L2(0.5)(np.array([1.0, -3.0], np.float32)))
    5.0
    """

    def __init__(self, l2: float = 0.01) -> None:
        self.l2 = check_number(l2, "l2", 0.0)

    def __call__(self, w: Any) -> Any:
        """Return the penalty of w, a scalar."""
        return ops.sum(ops.square(w)) * self.l2

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"l2": self.l2}


class L1L2(Regularizer):
    """The penalty l1 * sum(|w|) + l2 * sum(w^2); both factors are 0 by default."""

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1 = check_number(l1, "l1", 0.0)
        self.l2 = check_number(l2, "l2", 0.0)

    def __call__(self, w: Any) -> Any:
        """Return the penalty of w, a scalar."""
        return ops.sum(ops.absolute(w)) * self.l1 + ops.sum(ops.square(w)) * self.l2

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"l1": self.l1, "l2": self.l2}


class OrthogonalRegularizer(Regularizer):
    """Pushes the rows, or the columns, of a matrix toward right angles to each other.

    The penalty is factor times the mean of |cosine| over all pairs of rows.

    Parameters
    ----------
    factor : of the penalty; default 0.01
    mode : "rows", the default, or "columns"

    Raises
    ------
    ShapeError : when called with an array that is no matrix
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        self.factor = check_number(factor, "factor", 0.0)
        self.mode = check_choice(mode, "mode", ("rows", "columns"))

    def __call__(self, w: Any) -> Any:
        """Return the penalty of w, a matrix."""
        if len(w.shape) != 2:
            raise ShapeError(
                f"OrthogonalRegularizer takes a matrix; got the shape {tuple(w.shape)}"
            )
        rows = w if self.mode == "rows" else ops.transpose(w)
        square_norms = ops.sum(ops.square(rows), axis=1, keepdims=True)
        unit = rows / ops.sqrt(ops.maximum(square_norms, 1e-12))
        cosines = ops.absolute(ops.matmul(unit, ops.transpose(unit)))
        with_itself = ops.sum(ops.square(unit))  # each row's cosine with itself is 1
        pairs = max(rows.shape[0] * (rows.shape[0] - 1), 1)
        return (ops.sum(cosines) - with_itself) * (self.factor / pairs)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"factor": self.factor, "mode": self.mode}


l1, l2, l1_l2, orthogonal_regularizer = L1, L2, L1L2, OrthogonalRegularizer

_registry = weight_rules.regularizers
_registry.add(L1, L2, L1L2, OrthogonalRegularizer)
serialize, deserialize = _registry.serialize, _registry.deserialize


def get(identifier: Any) -> Any:
    """Return a regularizer from its name, its class or what `serialize` gave; a function as it is.

    None means none.

    >>> get("l2"), get(serialize(L1L2(l2=0.5)))
    (L2(), L1L2(l2=0.5))
    """
    return _registry.get(identifier)
