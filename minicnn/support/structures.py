"""Nested lists, tuples and dicts of values of one kind: tensors, layers, shapes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

Kind = type | tuple[type, ...]


def leaves(structure: Any, kind: Kind) -> Iterator[Any]:
    """Yield the values of that kind, in order; dicts in the order of their keys.

    >>> list(leaves({"a": 1, "b": [2, (3, "no")]}, int))
    [1, 2, 3]
    """
    if isinstance(structure, kind):
        yield structure
    elif isinstance(structure, dict):
        for value in structure.values():
            yield from leaves(value, kind)
    elif isinstance(structure, (list, tuple)):
        for value in structure:
            yield from leaves(value, kind)


def replaced(structure: Any, kind: Kind, function: Callable[[Any], Any]) -> Any:
    """Return the structure with function(value) for each value of that kind.

    >>> replaced({"a": 1, "b": [2, (3, "no")]}, int, str)
    {'a': '1', 'b': ['2', ('3', 'no')]}
    """
    if isinstance(structure, kind):
        return function(structure)
    if isinstance(structure, dict):
        return {key: replaced(value, kind, function) for key, value in structure.items()}
    if isinstance(structure, list):
        return [replaced(value, kind, function) for value in structure]
    if isinstance(structure, tuple):
        values = [replaced(value, kind, function) for value in structure]
        return type(structure)(*values) if hasattr(structure, "_fields") else tuple(values)
    return structure
