"""Objects in a Keras config, such as an initializer, become the dicts that minicnn's tables read.

Keras 3 writes {"module", "class_name", "config", "registered_name"}, Keras 2 {"class_name",
"config"} or a name. Which class that is, minicnn's own tables and the user's `custom_objects` say:
the module is never imported, and one that is not Keras's is refused unless the class is the user's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minicnn.errors import ArgumentError, FormatError, UnsafeFileError, UnsupportedError
from minicnn.interop.keras.reading_layers import layer_arguments, no_layer
from minicnn.layers.base import Layer
from minicnn.layers.registry import registry as layer_registry
from minicnn.models.saving.archive.container import shown
from minicnn.support.registry import find_function, get_custom_objects

KERAS_MODULES = ("keras", "tf_keras", "tensorflow", "builtins")
VALUES = {"__numpy__", "__tensor__"}  # {"value": numbers, "dtype": name}
POLICIES = {"DTypePolicy", "FloatDTypePolicy", "Policy", "PolicyV1", "AutoCastPolicy"}
CODE = {"__lambda__", "__typespec__", "__bytes__"}
# What is left out where it has no say here: the dtype of a weight's initial values, and the axes
# that Keras 3.15 lets an initializer count as inputs.
WITHOUT_EFFECT = ("dtype", "input_axes", "output_axes", "autocast")


def plain(value: Any, path: object, place: str) -> Any:
    """Return a part of a config as minicnn's tables read it, with {"class", "config"} for objects.

    Parameters
    ----------
    place : what the errors call it, "the layer 'conv2d'"

    Raises
    ------
    UnsafeFileError : it is code, or a class of a module that is neither Keras's nor the user's
    UnsupportedError : it is something that minicnn has no equivalent of
    """
    if isinstance(value, list):
        return [plain(one, path, place) for one in value]
    if not isinstance(value, Mapping):
        return value
    if "class_name" not in value:
        return {key: plain(one, path, place) for key, one in value.items()}
    name, config = value["class_name"], value.get("config")
    if not isinstance(name, str):
        raise UnsupportedError(
            path, f"{place} names the class {shown(str(name))}, which is no name"
        )
    if name in CODE:
        raise UnsafeFileError(
            path, f"{place} holds Python code ({name}), which is never run; replace it in Keras by "
            "a function that has a name, and give that in custom_objects"
        )  # fmt: skip
    if name in VALUES:
        return plain((config or {}).get("value"), path, place)
    if name == "__tuple__":
        return [plain(one, path, place) for one in value.get("items", ())]
    if name in POLICIES:
        return (config or {}).get("name")
    return _described(value, name, config, path, place)


def _described(value: Mapping[str, Any], name: str, config: Any, path: object, place: str) -> Any:
    """Return {"class": name, "config": arguments}, or a function."""
    if name == "function":
        return _function(value, config, path, place)
    if not isinstance(config, Mapping):
        raise UnsupportedError(path, f"{place}: the config of {shown(name)} must be a dict")
    name = known_name(value, path, place)
    arguments = {key: plain(one, path, place) for key, one in config.items()}
    if name in layer_registry.names():
        return {"class": name, "config": layer_arguments(name, arguments, path, place)}
    return {
        "class": name,
        "config": {k: v for k, v in arguments.items() if k not in WITHOUT_EFFECT},
    }


def _function(value: Mapping[str, Any], name: Any, path: object, place: str) -> Any:
    """Return a function as {"function": name}; one of Keras's own by its name alone."""
    if find_function(name) is not None:
        return {"function": name}
    if not isinstance(name, str) or not from_keras(value) or value.get("module") == "builtins":
        raise UnsafeFileError(
            path, f"{place} names the function {shown(str(name))}, which is not known. If it is "
            f"one of yours: load_model(path, custom_objects={{{shown(str(name))}: it}})"
        )  # fmt: skip
    return name


def from_keras(value: Mapping[str, Any]) -> bool:
    """Return whether a class is said to be Keras's own."""
    module = value.get("module")
    return module is None or (isinstance(module, str) and module.partition(".")[0] in KERAS_MODULES)


def known_name(value: Mapping[str, Any], path: object, place: str) -> str:
    """Return the name by which minicnn's tables find a class: the user's own, or Keras's.

    A class that was registered in Keras as "package>Name" is found as that, or as "Name".
    """
    name, registered = value["class_name"], value.get("registered_name")
    names = [registered, name] if isinstance(registered, str) else [name]
    for one in (*names, *(one.rpartition(">")[2] for one in names)):
        if one in get_custom_objects() or (one in layer_registry.names() and _may_be(one, value)):
            return str(one)
    if not from_keras(value):
        raise UnsafeFileError(
            path, f"{place} is a {shown(name)} of the module {shown(str(value.get('module')))}, "
            "which is not imported. If it is a class of yours: "
            f"load_model(path, custom_objects={{{shown(name)}: TheClass}})"
        )  # fmt: skip
    return str(name).rpartition(">")[2]


def _may_be(name: str, value: Mapping[str, Any]) -> bool:
    """Return whether a class in the file may be the one of this name: ours are Keras's only."""
    return from_keras(value) or layer_registry.find(name) not in layer_registry.built_in


def layer_from(value: Mapping[str, Any], path: object, place: str) -> Layer:
    """Return the layer that a Keras config describes, with new weights.

    Raises
    ------
    UnsafeFileError, UnsupportedError : minicnn does not have it; see `plain`
    """
    name = known_name(value, path, place)
    if name not in layer_registry.names() and name not in get_custom_objects():
        raise no_layer(name, path, place)
    config = value.get("config")
    if not isinstance(config, Mapping):
        raise FormatError(path, f"{place}: its config must be a dict")
    arguments = {key: plain(one, path, place) for key, one in config.items()}
    try:
        kind = layer_registry.find(name)
        return layer_registry.build(kind, layer_arguments(name, arguments, path, place))
    except ArgumentError as error:
        raise UnsupportedError(path, f"{place}: {error}") from error
