"""Arithmetic of tensors: `x + y`, `x / 255`, `x @ w` and `x[:, 0]` are functions of `minicnn.ops`.

The functions are in a table by name, which `minicnn.ops` fills. A saved network names them, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from minicnn.errors import ArgumentError

# Every function of `minicnn.ops` that can be part of a network, by its name.
FUNCTIONS: dict[str, Callable[..., Any]] = {}


class Operators:
    """Base class of what stands for an array in a network, and can be added and multiplied."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """Compute array + tensor, or np.exp(tensor), by the function of that name in `ops`."""
        name = ufunc.__name__
        if method != "__call__" or kwargs or name not in FUNCTIONS:
            raise ArgumentError(
                f"NumPy cannot compute {name} on a tensor of a network, whose values are not known "
                "yet; use functions of minicnn.ops"
            )
        return FUNCTIONS[name](*inputs)

    def __add__(self, other: Any) -> Any:
        return FUNCTIONS["add"](self, other)

    def __radd__(self, other: Any) -> Any:
        return FUNCTIONS["add"](other, self)

    def __sub__(self, other: Any) -> Any:
        return FUNCTIONS["subtract"](self, other)

    def __rsub__(self, other: Any) -> Any:
        return FUNCTIONS["subtract"](other, self)

    def __mul__(self, other: Any) -> Any:
        return FUNCTIONS["multiply"](self, other)

    def __rmul__(self, other: Any) -> Any:
        return FUNCTIONS["multiply"](other, self)

    def __truediv__(self, other: Any) -> Any:
        return FUNCTIONS["divide"](self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return FUNCTIONS["divide"](other, self)

    def __floordiv__(self, other: Any) -> Any:
        return FUNCTIONS["floor_divide"](self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return FUNCTIONS["floor_divide"](other, self)

    def __mod__(self, other: Any) -> Any:
        return FUNCTIONS["mod"](self, other)

    def __rmod__(self, other: Any) -> Any:
        return FUNCTIONS["mod"](other, self)

    def __pow__(self, other: Any) -> Any:
        return FUNCTIONS["power"](self, other)

    def __rpow__(self, other: Any) -> Any:
        return FUNCTIONS["power"](other, self)

    def __matmul__(self, other: Any) -> Any:
        return FUNCTIONS["matmul"](self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return FUNCTIONS["matmul"](other, self)

    def __neg__(self) -> Any:
        return FUNCTIONS["negative"](self)

    def __abs__(self) -> Any:
        return FUNCTIONS["absolute"](self)

    def __getitem__(self, key: Any) -> Any:
        return FUNCTIONS["get_item"](self, key)

    def __iter__(self) -> Iterator[Any]:
        length: int = getattr(self, "shape", (0,))[0]
        return (self[i] for i in range(length))

    def __and__(self, other: Any) -> Any:
        return FUNCTIONS["logical_and"](self, other)

    def __rand__(self, other: Any) -> Any:
        return FUNCTIONS["logical_and"](other, self)

    def __or__(self, other: Any) -> Any:
        return FUNCTIONS["logical_or"](self, other)

    def __ror__(self, other: Any) -> Any:
        return FUNCTIONS["logical_or"](other, self)

    def __invert__(self) -> Any:
        return FUNCTIONS["logical_not"](self)

    def __lt__(self, other: Any) -> Any:
        return FUNCTIONS["less"](self, other)

    def __le__(self, other: Any) -> Any:
        return FUNCTIONS["less_equal"](self, other)

    def __gt__(self, other: Any) -> Any:
        return FUNCTIONS["greater"](self, other)

    def __ge__(self, other: Any) -> Any:
        return FUNCTIONS["greater_equal"](self, other)
