"""What Python prints of layers, losses, optimizers and the like: the call that would make them."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

ALWAYS = "learning_rate"  # is shown even where it has its default; a name, where that is None
MAX_VALUE = 60  # characters of a value


def repr_from_config(thing: Any) -> str:
    """Return the class and those of the constructor's arguments that are not the defaults.

    To be used as `__repr__` of a class with a `get_config`. It never raises, as errors show it.
    """
    kind = type(thing)
    try:
        config = getattr(thing, "saved_config", thing.get_config)()
        return _call(kind.__name__, config, constructor_defaults(kind))
    except Exception:  # a class of a user's own, or an object that is half made
        return f"<{kind.__name__}>"


def _call(name: str, config: Mapping[str, Any], defaults: Mapping[str, Any]) -> str:
    shown = [
        f"{key}={_text(value)}"
        for key, value in config.items()
        if key in defaults and _is_shown(key, value, defaults[key])
    ]
    return f"{name}({', '.join(shown)})"


def _is_shown(key: str, value: Any, default: Any) -> bool:
    """Return whether an argument is shown: it differs, or says what the object is."""
    always = key == ALWAYS or (key == "name" and default is None)
    return always or not _is_default(value, default)


def constructor_defaults(kind: type) -> dict[str, Any]:
    """Return the default of each argument of the constructors of a class and its base classes."""
    constructors = [vars(one)["__init__"] for one in kind.__mro__[:-1] if "__init__" in vars(one)]
    found: dict[str, Any] = {}
    for constructor in reversed(constructors):
        parameters = list(inspect.signature(constructor).parameters.values())[1:]
        found |= {p.name: p.default for p in parameters}
    return found


def _is_default(value: Any, default: Any) -> bool:
    """Return whether a config's value means the default: "linear" is the activation None."""
    if default is None and value in ("linear", "channels_last"):
        return True
    if isinstance(default, str) and _is_serialized(value) and not value["config"]:
        return bool(value["class"].lower() == default.replace("_", ""))  # HeNormal, he_normal
    return bool(value == default)


def _is_serialized(value: Any) -> bool:
    """Return whether this is what a registry's `serialize` gives."""
    return isinstance(value, Mapping) and set(value) == {"class", "config"}


def _text(value: Any) -> str:
    """Return the value as it would be typed; a serialized object as the call that makes it."""
    if _is_serialized(value):
        arguments = ", ".join(f"{k}={v!r}" for k, v in value["config"].items())
        return f"{value['class']}({arguments})"
    if isinstance(value, float):
        return f"{value:g}"
    text = repr(value)
    return text if len(text) <= MAX_VALUE else f"{text[:MAX_VALUE]}..."
