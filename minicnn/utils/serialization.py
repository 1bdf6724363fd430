"""Classes and functions of one's own by their names, and objects as dicts, as Keras has them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, TypeVar

import numpy as np

from minicnn.errors import ArgumentError
from minicnn.support.registry import (
    Classes,
    Registry,
    custom_objects,
    find_function,
    get_custom_objects,
    register_serializable,
    registries,
)
from minicnn.support.text import quoted

T = TypeVar("T", bound=Callable[..., Any])
PLAIN = (str, int, float, bool, type(None))
_registered: dict[str, Any] = {}  # by "package>name"


def register_keras_serializable(
    package: str = "Custom", name: str | None = None
) -> Callable[[T], T]:
    """Return a decorator that lets `load_model` build a class of yours, or find a function.

    Files have the name of the class itself; `package` and `name` are what `get_registered_name`
    returns.

    Examples
    --------
    >>> @register_keras_serializable(package="mine")
    ... def halved(x):
    ...     return x / 2
    >>> get_registered_name(halved)
    'mine>halved'
    """

    def register(thing: T) -> T:
        if isinstance(thing, type) and not hasattr(thing, "get_config"):
            raise ArgumentError(
                f"give {thing.__name__} a get_config() with all arguments of its constructor, so "
                "that it can be built again"
            )
        of_a_kind = isinstance(thing, type) and any(issubclass(thing, r.base) for r in registries())
        if of_a_kind or not isinstance(thing, type):
            register_serializable(thing)
        _registered[f"{package}>{name or thing.__name__}"] = thing
        return thing

    return register


class CustomObjectScope:
    """A `with` block inside of which files may also name these classes and functions.

    >>> def halved(x):
    ...     return x / 2
    >>> with CustomObjectScope({"halved": halved}):
    ...     get_registered_object("halved") is halved
    True
    """

    def __init__(self, custom_objects: Classes) -> None:
        self.custom_objects = custom_objects or {}
        self._blocks: list[Any] = []

    def __enter__(self) -> CustomObjectScope:
        self._blocks.append(custom_objects(self.custom_objects))
        self._blocks[-1].__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._blocks.pop().__exit__(kind, error, traceback)


custom_object_scope = CustomObjectScope


def get_registered_name(obj: Any) -> str:
    """Return "package>name" of a registered class or function, and the own name of another one."""
    found = (name for name, one in _registered.items() if one is obj)
    return next(found, getattr(obj, "__name__", type(obj).__name__))


def get_registered_object(
    name: str, custom_objects: Classes | None = None, module_objects: Classes | None = None
) -> Any:
    """Return the class or function that was registered under a name; None if there is none."""
    for table in (custom_objects, get_custom_objects(), _registered, module_objects):
        if table and name in table:
            return table[name]
    return find_function(name)


# --- objects as dicts ---------------------------------------------------------------------------


def serialize_keras_object(obj: Any) -> Any:
    """Return an object as a dict that JSON can hold, from which it can be built again.

    Numbers, texts, lists and dicts stay as they are; objects become {"module", "class_name",
    "config", "registered_name"}, with the result of their `get_config()`.

    Raises
    ------
    ArgumentError : `obj` has no `get_config()`
    """
    if isinstance(obj, PLAIN):
        return obj
    if isinstance(obj, (list, tuple)):
        return [serialize_keras_object(one) for one in obj]
    if isinstance(obj, dict):
        return {key: serialize_keras_object(one) for key, one in obj.items()}
    if isinstance(obj, np.generic):
        return obj.item()
    if isinstance(obj, np.ndarray):
        config = {"value": obj.tolist(), "dtype": obj.dtype.name}
        return {"class_name": "__numpy__", "config": config}
    if hasattr(obj, "get_config") and not isinstance(obj, type):
        name = type(obj).__name__
        return _described(obj, name, serialize_keras_object(obj.get_config()))
    if callable(obj) and hasattr(obj, "__name__"):
        return _described(obj, "function", obj.__name__)
    raise ArgumentError(f"only objects with get_config() can be serialized; got {quoted(obj)}")


def _described(obj: Any, name: str, config: Any) -> dict[str, Any]:
    kind = obj if name == "function" else type(obj)
    own = kind.__module__.partition(".")[0] == "minicnn"
    module = ".".join(kind.__module__.split(".")[:2]) if own else None
    registered = None if own else get_registered_name(kind)
    described = {"module": module, "class_name": name, "config": config}
    return {**described, "registered_name": registered}


def deserialize_keras_object(
    config: Any, custom_objects: Classes | None = None, safe_mode: bool = True, **kwargs: Any
) -> Any:
    """Return the object that `serialize_keras_object` described.

    Only classes of minicnn, registered ones and those in `custom_objects` are built; nothing is
    ever imported because a dict names it.
    """
    if isinstance(config, list):
        return [deserialize_keras_object(one, custom_objects) for one in config]
    if not isinstance(config, Mapping):
        return config
    if "class_name" not in config or "config" not in config:
        return {key: deserialize_keras_object(one, custom_objects) for key, one in config.items()}
    name, values = config["class_name"], config["config"]
    if name == "__numpy__":
        return np.array(values["value"], values["dtype"])
    with CustomObjectScope(custom_objects or {}):
        own = get_registered_object(config.get("registered_name") or name)
        if name == "function":
            return own or _unknown(values)
        if own is not None:
            return own.from_config(values) if hasattr(own, "from_config") else own(**values)
        return _registry_of(str(config.get("module") or ""), name).deserialize(
            {"class": name, "config": values}
        )


def _registry_of(module: str, name: str) -> Registry[Any]:
    """Return the registry that has a class of this name; the module decides between several."""
    found = [r for r in registries() if r.key(name) in {*r.table, *r.aliases}]
    fitting = [r for r in found if r.base.__module__.split(".")[:2] == module.split(".")[:2]]
    return (fitting or found or [_unknown(name)])[0]


def _unknown(name: Any) -> Any:
    raise ArgumentError(
        f"there is no class or function {quoted(name)}; give it in custom_objects={{name: it}}"
    )
