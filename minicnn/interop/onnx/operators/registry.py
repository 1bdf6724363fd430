"""The table from ONNX's operators to functions that compute them with ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar


class Operator(NamedTuple):
    """How one operator is computed."""

    function: Callable[..., Any]  # (node, *values) -> a Value, or several
    same_dtype: bool  # whether the result has the dtype of the first input


OPERATORS: dict[str, Operator] = {}
F = TypeVar("F", bound=Callable[..., Any])


def operator(*names: str, same_dtype: bool = True) -> Callable[[F], F]:
    """Enter a function into the table under the names of ONNX's operators."""

    def enter(function: F) -> F:
        for name in names:
            OPERATORS[name] = Operator(function, same_dtype)
        return function

    return enter
