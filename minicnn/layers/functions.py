"""Functions of tensors as parts of a network: `mc.ops.exp(x)` on a symbolic tensor adds a layer."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from minicnn.checks import quoted
from minicnn.errors import ArgumentError
from minicnn.layers.base import Layer
from minicnn.layers.operators import FUNCTIONS
from minicnn.layers.parameter import Parameter
from minicnn.layers.symbolic import SymbolicTensor, with_inputs
from minicnn.layers.tracing import current_scope
from minicnn.support.arrays import as_result
from minicnn.support.auto_names import unique_name
from minicnn.support.structures import flat, leaves, replaced

CONSTANTS = (np.ndarray, np.generic)

F = TypeVar("F", bound=Callable[..., Any])


def tensor_function(function: F, name: str | None = None) -> F:
    """Let a function of arrays take symbolic tensors, too, by its name in a saved network.

    `name` is another one for the saved network, where two functions have the same.

    The function applies operations by `apply_operation`, or calls other such functions.
    """
    name = name or function.__name__

    @functools.wraps(function)
    def on_tensors(*args: Any, **kwargs: Any) -> Any:
        inputs = list(leaves((args, kwargs), SymbolicTensor))
        if not inputs:
            result = function(*args, **kwargs)
            return as_result(result) if current_scope() is None else result
        places = {id(x): i for i, x in enumerate(inputs)}
        args, kwargs = replaced((args, kwargs), SymbolicTensor, lambda x: {"input": places[id(x)]})
        return FunctionLayer(name, args, kwargs)(*inputs)

    FUNCTIONS[name] = on_tensors
    return on_tensors  # type: ignore[return-value]


class FunctionLayer(Layer):
    """A function of `minicnn.ops` in a network, with the arguments that it was called with.

    Parameters
    ----------
    function : its name
    args, kwargs : its arguments, with {"input": i} in place of its i-th tensor
    """

    def __init__(self, function: str, args: Any = (), kwargs: Any = None, **options: Any) -> None:
        if not isinstance(function, str) or function not in FUNCTIONS:
            raise ArgumentError(f"there is no function {quoted(function)} in minicnn.ops")
        if not isinstance(args, (list, tuple)) or not isinstance(kwargs or {}, dict):
            raise ArgumentError("args must be a list and kwargs a dict")
        super().__init__(**{**options, "name": options.get("name") or _unique(function)})
        self.function = function
        self.args, self.kwargs = list(args), dict(kwargs or {})
        if any(leaves((self.args, self.kwargs), Parameter)):
            raise ArgumentError(
                f"{self.name}: a layer's weight cannot be combined with a symbolic tensor; do "
                "that in the `call` of a layer of your own"
            )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Apply the function to arrays, or add it to a network."""
        return super().__call__(flat(args), **kwargs)

    def call(self, inputs: list[Any]) -> Any:
        """Return function(*args, **kwargs) with these inputs."""
        args, kwargs = with_inputs((self.args, self.kwargs), inputs)
        return FUNCTIONS[self.function](*args, **kwargs)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments; arrays become nested lists."""
        args, kwargs = replaced((self.args, self.kwargs), CONSTANTS, lambda x: x.tolist())
        return {**super().get_config(), "function": self.function, "args": args, "kwargs": kwargs}


def _unique(function: str) -> str:
    """Return a new layer's name: "relu" for "activations.relu"."""
    return unique_name(function.rpartition(".")[2])
