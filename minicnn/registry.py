"""Tables of named things: "adam" is Adam, and a saved {"class", "config"} becomes an object again.

What a file names is looked up here and nowhere else: a name that is not in the table is an error,
never an import.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, Generic, TypeVar

from minicnn.errors import ArgumentError
from minicnn.text import quoted

T = TypeVar("T")


class Registry(Generic[T]):
    """The classes of one kind, by name; capitals and underscores do not matter."""

    def __init__(
        self, kind: str, classes: Iterable[type[T]], aliases: Mapping[str, type[T]] | None = None
    ) -> None:
        self.kind, self.classes = kind, tuple(classes)
        self._found = {_plain(one.__name__): one for one in self.classes} | dict(aliases or {})

    def find(self, name: object) -> type[T]:
        """The class of that name."""
        if isinstance(name, str) and _plain(name) in self._found:
            return self._found[_plain(name)]
        raise ArgumentError(f"unknown {self.kind} {quoted(name)}; {self._advice(name)}")

    def get(self, identifier: object) -> T:
        """An object from its name, from what `serialize` gave, or the object itself."""
        if isinstance(identifier, self.classes):
            return identifier
        if isinstance(identifier, Mapping):
            return self.deserialize(identifier)
        return self.find(identifier)()

    def serialize(self, thing: T) -> dict[str, Any]:
        """{"class": name, "config": the constructor's arguments}, JSON-able."""
        return {"class": type(thing).__name__, "config": thing.get_config()}  # type: ignore[attr-defined]

    def deserialize(self, data: Mapping[str, Any]) -> T:
        """The object that `serialize` described."""
        if not isinstance(data, Mapping) or set(data) != {"class", "config"}:
            raise ArgumentError(
                f'a saved {self.kind} is {{"class": name, "config": arguments}}; got {quoted(data)}'
            )
        kind = self.find(data["class"])
        try:
            return kind(**data["config"])
        except TypeError as err:
            raise ArgumentError(f"{self.kind} {data['class']!r}: {err}") from err

    def _advice(self, name: object) -> str:
        word = name if isinstance(name, str) else quoted(name)
        near = difflib.get_close_matches(_plain(word), self._found, 1)
        if near:
            return f"did you mean {self._found[near[0]].__name__!r}?"
        return f"there are {sorted(one.__name__ for one in self.classes)}"


def _plain(name: str) -> str:
    return name.replace("_", "").lower()
