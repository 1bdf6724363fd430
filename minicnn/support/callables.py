"""Registries of things that are called with an array, for which a plain function is enough.

A regularizer, a constraint or an initializer may be an object of a class, the class, its name, or a
function. A saved network names a function as {"function": its name}.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minicnn.support.registry import Classes, Registry, T, UnknownClassError, find_function
from minicnn.support.registry import custom_objects as names_of
from minicnn.support.text import quoted


class FunctionName(str):
    """A function's name in a config, with the function itself, for a config that is not saved.

    >>> FunctionName("length", len), FunctionName("length", len).function("abc")
    ('length', 3)
    """

    function: Any

    def __new__(cls, name: str, function: Any) -> FunctionName:
        """Return the name, with the function as an attribute."""
        named = super().__new__(cls, name)
        named.function = function
        return named


class CallableRegistry(Registry[T]):
    """A registry in which None means none, and a function stands for an object.

    >>> sizes = CallableRegistry("size", int)
    >>> sizes.get(None), sizes.serialize(len), sizes.get(len)
    (None, {'function': 'len'}, <built-in function len>)
    """

    def get(self, identifier: object) -> Any:
        """Return an object from its name, its class or what `serialize` gave; a function as it is.

        Raises
        ------
        UnknownClassError : there is no class and no function of that name
        """
        if identifier is None:
            return None
        if isinstance(identifier, type) and issubclass(identifier, self.base):
            return self.build(identifier, {})
        if callable(identifier) and not isinstance(identifier, type):
            return identifier
        if isinstance(identifier, Mapping) and set(identifier) == {"function"}:
            return self._function(identifier["function"])
        own = find_function(identifier) if isinstance(identifier, str) else None
        return super().get(identifier) if own is None else own

    def deserialize(self, data: Any, custom_objects: Classes | None = None) -> Any:
        """Return what `serialize` described; it may name `custom_objects`, {"Scale": Scale}."""
        if isinstance(data, Mapping) and set(data) != {"function"}:
            return super().deserialize(data, custom_objects)
        with names_of(custom_objects):
            return self.get(data)

    def serialize(self, thing: Any) -> Any:
        """Return {"class": name, "config": arguments} or {"function": name}; None for None."""
        if thing is None or isinstance(thing, self.base):
            return None if thing is None else super().serialize(thing)
        name = getattr(thing, "__name__", type(thing).__name__)
        return {"function": FunctionName(name, thing)}

    def _function(self, name: object) -> Any:
        own = name.function if isinstance(name, FunctionName) else find_function(name)
        if own is None:
            text = f"unknown {self.kind} {quoted(name)}, which is a function"
            raise UnknownClassError(self.kind, name, "", text)
        return own
