"""minicnn's layers and their parts become Keras 3's configs.

An object is {"module", "class_name", "config", "registered_name"}; in HDF5 files a layer is only
{"class_name", "config"}.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minicnn.errors import UnsupportedError
from minicnn.layers import InputLayer, LocalResponseNormalization
from minicnn.layers.base import Layer
from minicnn.layers.registry import registry as layer_registry
from minicnn.support.callables import FunctionName

FLOAT32 = {
    "module": "keras",
    "class_name": "DTypePolicy",
    "config": {"name": "float32"},
    "registered_name": None,
}
MODULES = {
    "initializer": "keras.initializers",
    "regularizer": "keras.regularizers",
    "constraint": "keras.constraints",
}
NOT_IN_KERAS = (LocalResponseNormalization,)
# What only minicnn's layers have, and that does not change what they compute.
LEFT_OUT = {"algorithm"}
# Arguments that Keras's layers do not have, and the only values with which they say nothing.
DEFAULTS = {"ceil_mode": False}
# Layers whose constructors in Keras take few arguments.
NO_TRAINABLE = ("SpatialDropout1D", "SpatialDropout2D")


def layer_config(layer: Layer, path: object) -> dict[str, Any]:
    """Return a layer as Keras's config has it; networks and functions have others.

    Raises
    ------
    UnsupportedError : Keras has no such layer, or not with these arguments
    """
    if isinstance(layer, NOT_IN_KERAS):
        raise UnsupportedError(path, f"{layer.name!r}: Keras has no {type(layer).__name__}")
    config = {
        key: keras_value(value, key, path)
        for key, value in layer.get_config().items()
        if key not in LEFT_OUT and not (key == "activity_regularizer" and value is None)
    }
    for key, default in DEFAULTS.items():
        if config.pop(key, default) != default:
            raise UnsupportedError(path, f"{layer.name!r}: Keras's layer has no {key}")
    if isinstance(layer, InputLayer):
        config = _input_config(layer)
    elif is_built_in(layer):
        _check_padding(layer, config, path)
        config["dtype"] = FLOAT32
        if type(layer).__name__ in NO_TRAINABLE:
            config = {key: value for key, value in config.items() if key != "trainable"}
            config["dtype"] = FLOAT32["config"]["name"]  # type: ignore[index]
    return described(layer, "keras.layers", config)


def described(thing: Any, module: str, config: Any) -> dict[str, Any]:
    """Return an object as Keras 3 describes it; a class of the user's has a registered name."""
    name = type(thing).__name__
    own = not is_built_in(thing) and isinstance(thing, Layer)
    return {
        "module": None if own else module,
        "class_name": name,
        "config": config,
        "registered_name": name if own else None,
    }


def is_built_in(thing: Any) -> bool:
    """Return whether a layer's class is minicnn's own."""
    return type(thing) in layer_registry.built_in


def keras_value(value: Any, key: str, path: object) -> Any:
    """Return a value of minicnn's config as Keras's has it; `key` says what kind it is of."""
    if isinstance(value, (list, tuple)):
        return [keras_value(one, key, path) for one in value]
    if not isinstance(value, Mapping):
        return value
    if set(value) == {"function"}:
        return _function(str(value["function"]))
    if set(value) != {"class", "config"}:
        return {name: keras_value(one, name, path) for name, one in value.items()}
    kind = key.rpartition("_")[2]
    if kind in MODULES:
        config = {name: keras_value(one, name, path) for name, one in value["config"].items()}
        return {
            "module": MODULES[kind],
            "class_name": value["class"],
            "config": config,
            "registered_name": None,
        }
    inner = layer_registry.build(layer_registry.find(value["class"]), value["config"])
    return layer_config(inner, path)


def _function(name: str | FunctionName) -> dict[str, Any]:
    """Return a function of the user's own by its name."""
    return {
        "module": "builtins",
        "class_name": "function",
        "config": str(name),
        "registered_name": str(name),
    }


def _input_config(layer: InputLayer) -> dict[str, Any]:
    return {
        "batch_shape": [None, *layer.shape],
        "dtype": str(layer.dtype),
        "sparse": False,
        "ragged": False,
        "name": layer.name,
        "optional": False,
    }


def _check_padding(layer: Layer, config: dict[str, Any], path: object) -> None:
    """Raise UnsupportedError for zeros that are counted, which Keras's windows do not have."""
    padding = config.get("padding")
    if "strides" in config and not isinstance(padding, str):
        raise UnsupportedError(
            path,
            f"{layer.name!r} has padding={padding}, and Keras's layers 'valid' and 'same'; put a "
            "ZeroPadding2D in front of it",
        )
