"""The formats of other programs: `minicnn.interop` lists them here, `load_model` and `save` look.

A format is known by a file's content when it is read, and by the name's ending when it is written.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from typing import Any, BinaryIO, NamedTuple

from minicnn.errors import UnsupportedError
from minicnn.support.files import Path, open_regular

# What the module of a format may define; each with its arguments.
FUNCTIONS = {
    "read_model": "whole networks can be read from it",  # (path, compile, custom_objects) -> Model
    "write_model": "whole networks can be written to it",  # (model, path, include_optimizer)
    "read_weights": "weights can be read from it",  # (model, path)
    "write_weights": "weights can be written to it",  # (model, path)
}


class Format(NamedTuple):
    """One format: how it is recognized, and the module that reads and writes it."""

    name: str  # as it stands in messages: "a Keras 3 archive"
    endings: tuple[str, ...]  # in lower case, such as ".keras"
    recognizes: Callable[[BinaryIO], bool]  # from an open file, of which it reads little
    module: str  # it is imported when it is needed
    functions: tuple[str, ...]  # which of FUNCTIONS its module has

    def function(self, name: str, path: Path) -> Callable[..., Any]:
        """Return a function of the format's module.

        Raises
        ------
        UnsupportedError : the format cannot do this
        """
        if name == "read_model" and name not in self.functions:
            raise UnsupportedError(
                path,
                f"it is {self.name}, which holds weights alone. Build the network in code, then "
                f"model.load_weights({os.fspath(path)!r})",
            )
        if name not in self.functions:
            able = " and ".join(FUNCTIONS[one] for one in self.functions)
            raise UnsupportedError(path, f"it is {self.name}: {able}, and nothing else")
        function: Callable[..., Any] = getattr(import_module(self.module), name)
        return function


FORMATS: list[Format] = []


def reader(name: str, path: Path, ours: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function `name` of the format that a file has by its content, or else `ours`."""
    other = recognized(path)
    return ours if other is None else other.function(name, path)


def writer(name: str, path: Path, ours: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function `name` of the format that a file's name asks for, or else `ours`."""
    other = by_ending(path)
    return ours if other is None else other.function(name, path)


def recognized(path: Path) -> Format | None:
    """Return the format of a file by its content; None for one of our own, or an unknown one."""
    with open_regular(path) as file:
        for one in FORMATS:
            file.seek(0)
            if one.recognizes(file):
                return one
    return None


def by_ending(path: Path) -> Format | None:
    """Return the format that a file's name asks for; the longest ending counts."""
    name = os.fspath(path).lower()
    found = [(len(e), one) for one in FORMATS for e in one.endings if name.endswith(e)]
    return max(found, key=lambda pair: pair[0])[1] if found else None
