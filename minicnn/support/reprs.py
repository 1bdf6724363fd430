"""What Python prints of layers, losses, optimizers and the like: how they would be made again."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

ALWAYS = ("name", "learning_rate")  # said even where they are the defaults
MAX_VALUE = 60


def repr_from_config(thing: Any) -> str:
    """The class and those of the constructor's arguments that are not the defaults.

    To be used as `__repr__` of a class with a `get_config`. It never raises: it stands in errors.
    """
    kind = type(thing)
    try:
        return _call(kind.__name__, thing.get_config(), _defaults(kind))
    except Exception:  # a class of a user's own, perhaps only half made
        return f"<{kind.__name__}>"


def _call(name: str, config: Mapping[str, Any], defaults: Mapping[str, Any]) -> str:
    shown = [
        f"{key}={_text(value)}"
        for key, value in config.items()
        if key in defaults and (key in ALWAYS or not _same(value, defaults[key]))
    ]
    return f"{name}({', '.join(shown)})"


def _defaults(kind: type) -> dict[str, Any]:
    """Of every argument that a constructor of the class or of one below it has."""
    constructors = [vars(one)["__init__"] for one in kind.__mro__[:-1] if "__init__" in vars(one)]
    found: dict[str, Any] = {}
    for constructor in reversed(constructors):
        parameters = list(inspect.signature(constructor).parameters.values())[1:]
        found |= {p.name: p.default for p in parameters}
    return found


def _same(value: Any, default: Any) -> bool:
    """Also where an initializer is said by its name, and no activation is "linear"."""
    if default is None and value == "linear":
        return True
    if isinstance(value, Mapping) and set(value) == {"name"}:
        value = value["name"]
    return bool(value == default)


def _text(value: Any) -> str:
    """The value as it would be typed; what `serialize` gave as the call that makes it."""
    if isinstance(value, Mapping) and set(value) == {"class", "config"}:
        arguments = ", ".join(f"{k}={v!r}" for k, v in value["config"].items())
        return f"{value['class']}({arguments})"
    if isinstance(value, float):
        return f"{value:g}"
    text = repr(value)
    return text if len(text) <= MAX_VALUE else f"{text[:MAX_VALUE]}..."
