"""The public names of minicnn: what `__all__` lists, and where each is described."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import minicnn

# Public, but no name of minicnn's: they are imported by their own.
MORE_MODULES = ("errors", "installed")
# Formats that are imported when they are first used.
LAZY = {"minicnn.interop": ("caffe", "torch")}


@cache
def modules() -> dict[str, ModuleType]:
    """Return the public modules by name, minicnn first, each before those in it."""
    found = dict(_modules_in("minicnn", minicnn))
    for name in MORE_MODULES:
        found[f"minicnn.{name}"] = importlib.import_module(f"minicnn.{name}")
    return found


def _modules_in(name: str, module: ModuleType) -> Iterator[tuple[str, ModuleType]]:
    yield name, module
    members = sorted(names(name, module) + list(LAZY.get(name, ())))
    for member in members:
        value = getattr(module, member)
        if isinstance(value, ModuleType):
            yield from _modules_in(f"{name}.{member}", value)


def names(module_name: str, module: ModuleType) -> list[str]:
    """Return a module's public names; without an `__all__`, what it defines itself."""
    listed = getattr(module, "__all__", None)
    if listed is not None:
        return list(listed)
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module_name
    ]


@cache
def objects() -> dict[str, Any]:
    """Return what is public and no module: {"minicnn.layers.Conv2D": Conv2D, ...}."""
    return {
        f"{module_name}.{name}": value
        for module_name, module in modules().items()
        for name in names(module_name, module)
        if not isinstance(value := getattr(module, name), ModuleType)
    }


@cache
def homes() -> dict[int, str]:
    """Return the name under which each object is described, by the object's id."""
    found: dict[int, str] = {}
    for name, value in objects().items():
        if _has_names(value):
            other = found.get(id(value))
            if other is None or _fit(name, value) > _fit(other, value):
                found[id(value)] = name
    return found


def home(name: str) -> str:
    """Return the name under which the object of this name is described."""
    return homes().get(id(objects()[name]), name)


def other_names(name: str) -> list[str]:
    """Return the other public names of an object, if this is the one that describes it."""
    value = objects()[name]
    if homes().get(id(value)) != name:
        return []
    return [other for other, same in objects().items() if same is value and other != name]


def _has_names(value: Any) -> bool:
    """Numbers and texts may be the same object by chance."""
    return callable(value) and hasattr(value, "__name__")


def _fit(name: str, value: Any) -> tuple[int, bool, int]:
    """Return how well a name suits: its module is the object's, it is the object's own name."""
    module_name, _, last = name.rpartition(".")
    inside = f"{value.__module__}.".startswith(f"{module_name}.")
    return inside * module_name.count("."), last == value.__name__, -len(name)


def unwrapped(value: Any) -> Any:
    """Return the function or class below decorators."""
    return inspect.unwrap(value) if callable(value) else value


def source_of(value: Any) -> tuple[Path, int] | None:
    """Return the file that defines a function or a class, and the line, if there is one."""
    value = unwrapped(value.fget if isinstance(value, property) else value)
    try:
        return Path(inspect.getsourcefile(value) or ""), inspect.getsourcelines(value)[1]
    except (TypeError, OSError):
        return None
