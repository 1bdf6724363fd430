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


def flat(structure: Any) -> list[Any]:
    """Return the values in lists, tuples and dicts, in order; named tuples are values.

    >>> flat([1, {"a": (2, 3)}])
    [1, 2, 3]
    """
    if isinstance(structure, dict):
        return [x for value in structure.values() for x in flat(value)]
    if _is_list(structure):
        return [x for value in structure for x in flat(value)]
    return [structure]


def mapped(structure: Any, function: Callable[[Any], Any]) -> Any:
    """Return the structure with function(value) for every value that `flat` returns."""
    if isinstance(structure, dict):
        return {key: mapped(value, function) for key, value in structure.items()}
    if _is_list(structure):
        return type(structure)(mapped(value, function) for value in structure)
    return function(structure)


def _is_list(structure: Any) -> bool:
    return isinstance(structure, (list, tuple)) and not hasattr(structure, "_fields")


def single(values: list[Any]) -> Any:
    """Return the only value of a list with one value, else the list."""
    return values[0] if len(values) == 1 else values
