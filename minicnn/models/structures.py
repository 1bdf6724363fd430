"""Inputs and outputs: as users nest them, in lists and dicts, and in the order of programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from minicnn.contracts import Shape
from minicnn.errors import ArgumentError
from minicnn.layers.symbolic import InputAt, SymbolicTensor
from minicnn.support.structures import leaves, replaced


def numbered(structure: Any) -> Any:
    """Return a structure of tensors with an InputAt in place of each, in order."""
    places = iter(range(len(list(leaves(structure, SymbolicTensor)))))
    return replaced(structure, SymbolicTensor, lambda _: InputAt(next(places)))


def filled(structure: Any, values: Sequence[Any]) -> Any:
    """Return a structure of InputAt with the values in their places."""
    return replaced(structure, InputAt, lambda at: values[at.index])


def split_shapes(structure: Any) -> tuple[Any, list[Shape]]:
    """Return a structure of shapes with an InputAt in place of each, and the shapes.

    >>> split_shapes([(None, 8), (None, 4)])[1]
    [(None, 8), (None, 4)]
    """
    shapes: list[Shape] = []

    def place(one: Any) -> Any:
        if isinstance(one, Mapping):
            return {key: place(value) for key, value in one.items()}
        if isinstance(one, (list, tuple)) and any(isinstance(n, (list, tuple)) for n in one):
            return [place(value) for value in one]
        shapes.append(tuple(one))
        return InputAt(len(shapes) - 1)

    return place(structure), shapes


def flat_values(given: Any, structure: Any, names: Sequence[str], what: str) -> list[Any]:
    """Return values in the order of the tensors: `given` is one, a list, or a dict by name.

    Parameters
    ----------
    given : the user's arrays
    structure : how the network's tensors were given, with an InputAt for each; None for one
    names : the names of the tensors' layers, which a dict may also use
    what : "x" or "y", for errors

    Raises
    ------
    ArgumentError : a dict has other keys than the network's names
    """
    if not isinstance(given, Mapping):
        return list(given) if isinstance(given, (list, tuple)) else [given]
    if isinstance(structure, Mapping) and set(structure) <= set(given):
        order = sorted(((at.index, key) for key, at in structure.items()), key=lambda pair: pair[0])
        return [given[key] for _, key in order]
    if not set(names) <= set(given):
        known = list(structure) if isinstance(structure, Mapping) else list(names)
        raise ArgumentError(f"{what} has the keys {list(given)}; needed are {known}")
    return [given[name] for name in names]


def fits(needed: Shape, shape: Shape) -> bool:
    """Return whether a shape is the needed one, in which None stands for any length.

    >>> fits((None, None, 3), (32, 48, 3))
    True
    """
    if needed == shape:
        return True
    return len(needed) == len(shape) and all(
        n is None or m is None or n == m for n, m in zip(needed, shape, strict=True)
    )
