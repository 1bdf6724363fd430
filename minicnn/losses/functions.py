"""Losses that are made from a user's functions of labels and predictions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from minicnn.losses.base import Loss

Function = Callable[[Any, Any], Any]


class FunctionLoss(Loss):
    """Base class of losses that are made from functions; each function has a class of its own."""

    function: ClassVar[Function]

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__(name or type(self).function.__name__, reduction, dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return what the function returns."""
        return type(self).function(y_true, y_pred)

    def __reduce__(self) -> Any:
        """Return what pickle needs: the function, because the class has no name of its own."""
        return _unpickled, (type(self).function, vars(self))


def function_loss(function: Function) -> type[FunctionLoss]:
    """Return the class of the loss that a function (y_true, y_pred) of tensors computes.

    >>> def cubed(y_true, y_pred):
    ...     return abs(y_true - y_pred) ** 3
    >>> function_loss(cubed)()([[0.0], [0.0]], [[1.0], [2.0]])
    4.5
    """
    own = {
        "function": staticmethod(function),
        "__module__": function.__module__,
        "__qualname__": function.__qualname__,
        "__doc__": function.__doc__,
    }
    return type(function.__name__, (FunctionLoss,), own)


def _unpickled(function: Function, state: dict[str, Any]) -> FunctionLoss:
    kind = function_loss(function)
    loss = kind.__new__(kind)
    vars(loss).update(state)
    return loss
