"""Functions of tensors in a network: `minicnn.ops` here, `keras.ops` there, which have equal names.

A Keras file has an object for each use of a function: some arguments belong to its constructor, the
others, tensors among them, to its call. minicnn's `FunctionLayer` has all of them as arguments of
the function.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from typing import Any

from minicnn.errors import ArgumentError, UnsupportedError
from minicnn.interop.keras.reading_objects import plain
from minicnn.layers import FunctionLayer
from minicnn.layers.operators import FUNCTIONS
from minicnn.layers.symbolic import InputAt, LayerCall, SymbolicTensor
from minicnn.models.saving.archive.container import shown
from minicnn.support.structures import leaves, replaced

REDUCTION, WINDOW = ("axis", "keepdims"), ("strides", "padding", "data_format", "dilation_rate")
POOL, CROSSENTROPY = ("pool_size", "strides", "padding", "data_format"), ("from_logits", "axis")
# Functions that Keras has under two names, with a class for each.
OTHER_NAMES = {"abs": "absolute", "amax": "max", "amin": "min", "true_divide": "divide"}
# The arguments that Keras's constructor takes; all others are those of the call.
OF_CONSTRUCTOR: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("all", "any", "argmax", "argmin", "mean", "std", "sum", "var"), REDUCTION),
    **dict.fromkeys(("max", "min"), (*REDUCTION, "initial")),
    **dict.fromkeys(("conv", "depthwise_conv", "separable_conv"), WINDOW),
    **dict.fromkeys(("max_pool", "average_pool"), POOL),
    **dict.fromkeys(("sparse_categorical_crossentropy", "categorical_crossentropy"), CROSSENTROPY),
    **dict.fromkeys(("average", "count_nonzero", "expand_dims", "flip", "squeeze"), ("axis",)),
    **dict.fromkeys(("concatenate", "stack", "take", "take_along_axis"), ("axis",)),
    **dict.fromkeys(("cast", "full_like", "ones_like", "zeros_like"), ("dtype",)),
    **dict.fromkeys(("celu", "elu"), ("alpha",)),
    **dict.fromkeys(("log_softmax", "softmax", "glu"), ("axis",)),
    **dict.fromkeys(("hard_shrink", "soft_shrink"), ("threshold",)),
    **dict.fromkeys(("tril", "triu"), ("k",)),
    "binary_crossentropy": ("from_logits",),
    "broadcast_to": ("shape",),
    "clip": ("x_min", "x_max"),
    "conv_transpose": (*WINDOW[:2], "output_padding", *WINDOW[2:]),
    "cumsum": ("axis", "dtype"),
    "einsum": ("subscripts",),
    "gelu": ("approximate",),
    "isclose": ("equal_nan",),
    "leaky_relu": ("negative_slope",),
    "logsumexp": REDUCTION,
    "moments": ("axes", "keepdims", "synchronized"),
    "moveaxis": ("source", "destination"),
    "norm": ("ord", *REDUCTION),
    "normalize": ("axis", "order", "epsilon"),
    "one_hot": ("num_classes", "axis", "dtype", "sparse"),
    "pad": ("pad_width", "mode"),
    "prod": (*REDUCTION, "dtype"),
    "repeat": ("repeats", "axis"),
    "reshape": ("newshape",),
    "roll": ("shift", "axis"),
    "round": ("decimals",),
    "slice": ("shape",),
    "split": ("indices_or_sections", "axis"),
    "squareplus": ("b",),
    "swapaxes": ("axis1", "axis2"),
    "tensordot": ("axes",),
    "threshold": ("threshold", "default_value"),
    "tile": ("repeats",),
    "transpose": ("axes",),
    "unstack": ("num", "axis"),
}
MODULES = {
    "core": {"cast", "slice", "stop_gradient", "unstack"},
    "math": {"logsumexp", "rsqrt"},
    "linalg": {"norm"},
    "nn": {
        "average_pool", "binary_crossentropy", "categorical_crossentropy", "conv", "max_pool",
        "conv_transpose", "depthwise_conv", "moments", "normalize", "one_hot", "separable_conv",
        "sigmoid", "sparse_categorical_crossentropy",
    },
}  # fmt: skip
NOT_IN_KERAS = {"_identity", "batch_normalization", "layer_normalization"}
ACTIVATION = "activations."
IN_NUMPY = "activations.tanh"


def is_operation(item: Mapping[str, Any]) -> bool:
    """Return whether a Keras config is that of a function, and not of a layer.

    An HDF5 file has no modules; layers have a dtype there, and functions have none.
    """
    module, config = item.get("module"), item.get("config")
    if module is not None:
        return str(module).startswith(("keras.src.ops", "keras.ops"))
    plain_layer = not isinstance(config, Mapping) or "dtype" in config or "layers" in config
    return (
        not plain_layer
        and _function(str(item.get("class_name"))) is not None
        and bool([node for node in item.get("inbound_nodes") or () if isinstance(node, Mapping)])
    )


def operation_from(item: Mapping[str, Any], path: object, place: str) -> PendingOperation:
    """Return what becomes the function's layer when it is called on tensors."""
    function = _function(str(item.get("class_name")))
    if function is None:
        raise UnsupportedError(
            path, f"{place} is the function {shown(str(item.get('class_name')))} of keras.ops, "
            "which minicnn.ops does not have"
        )  # fmt: skip
    config = plain(item.get("config") or {}, path, place)
    name = item.get("name", config.get("name"))
    return PendingOperation(function, {k: v for k, v in config.items() if k != "name"}, name)


class PendingOperation:
    """A function from a file, before the arguments of its call are known."""

    def __init__(self, function: str, options: dict[str, Any], name: str) -> None:
        self.function, self.options, self.name = function, options, name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return the tensors that the function gives for these arguments."""
        function, arguments = self.function, list(args)
        if function == "einsum":
            arguments.insert(0, self.options["subscripts"])
            given = kwargs
        else:
            given = {**self._named(len(arguments)), **kwargs}
        if function == "get_item":
            function, arguments, given = "item", [arguments[0], _keys(arguments[1:], given)], {}
        tensors = list(leaves((arguments, given), SymbolicTensor))
        places = {id(x): i for i, x in enumerate(tensors)}
        arguments, given = replaced(
            (arguments, given), SymbolicTensor, lambda x: {"input": places[id(x)]}
        )
        return FunctionLayer(function, arguments, given, name=self.name)(*tensors)

    def _named(self, count: int) -> dict[str, Any]:
        """Return the constructor's arguments that minicnn's function has and Keras set."""
        known = inspect.signature(FUNCTIONS[self.function]).parameters
        unknown = {k: v for k, v in self.options.items() if k not in known and v is not None}
        if unknown:
            raise ArgumentError(f"{self.name}: {self.function} has no argument {list(unknown)}")
        return {k: v for k, v in self.options.items() if k in known and v is not None}


def operation_config(layer: FunctionLayer, path: object) -> dict[str, Any]:
    """Return {"module", "class_name", "config", "registered_name"} of a function's layer."""
    short = layer.function.removeprefix(ACTIVATION)
    if layer.function in NOT_IN_KERAS:
        raise UnsupportedError(path, f"{layer.name!r}: Keras's files have no function {short!r}")
    name = "get_item" if short == "item" else short
    numpy = layer.function == IN_NUMPY
    module = "nn" if layer.function.startswith(ACTIVATION) and not numpy else _module(name)
    kind = "".join(part.capitalize() for part in name.split("_"))
    values = _bound(layer)
    config = {key: values[key] for key in OF_CONSTRUCTOR.get(name, ()) if key in values}
    return {
        "module": f"keras.src.ops.{module}",
        "class_name": kind,
        "config": {"name": layer.name, **config},
        "registered_name": kind,
    }


def operation_call(call: LayerCall) -> tuple[list[Any], dict[str, Any]]:
    """Return the arguments that Keras gives the call of a function, with InputAt for tensors."""
    layer = call.layer
    values = {k: _places(v) for k, v in _bound(layer).items()}
    of_constructor = OF_CONSTRUCTOR.get(layer.function.removeprefix(ACTIVATION), ())
    rest = {key: value for key, value in values.items() if key not in of_constructor}
    if layer.function == "item":
        return [rest["x"], [_decoded(key) for key in rest["keys"]]], {}
    if layer.function == "einsum":
        return [*rest["operands"]], {}
    return list(rest.values()), {}


def _module(name: str) -> str:
    return next((module for module, names in MODULES.items() if name in names), "numpy")


def _bound(layer: FunctionLayer) -> dict[str, Any]:
    """Return the function's arguments by their names, as far as they were given."""
    signature = inspect.signature(FUNCTIONS[layer.function])
    return dict(signature.bind(*layer.args, **layer.kwargs).arguments)


def _places(value: Any) -> Any:
    """Return arguments with an InputAt in the place of each {"input": index}."""
    if isinstance(value, dict):
        if set(value) == {"input"}:
            return InputAt(value["input"])
        return {key: _places(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_places(one) for one in value]
    return value.tolist() if hasattr(value, "tolist") else value


def _function(class_name: str) -> str | None:
    """Return minicnn's name for a class of Keras's functions: "expand_dims" for ExpandDims."""
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", class_name).lower()
    for one in (f"{ACTIVATION}{name}", OTHER_NAMES.get(name, name)):
        if one in FUNCTIONS and one not in NOT_IN_KERAS:
            return one
    return None


def _keys(rest: list[Any], kwargs: dict[str, Any]) -> list[Any]:
    """Return what square brackets hold, as a saved network of minicnn has it."""
    key = rest[0] if rest else kwargs["key"]
    keys = key if isinstance(key, (list, tuple)) else [key]
    return [_encoded(one) for one in keys]


def _encoded(key: Any) -> Any:
    if isinstance(key, slice):
        return {"slice": [key.start, key.stop, key.step]}
    return "..." if key is Ellipsis else key


def _decoded(key: Any) -> Any:
    """Return one part of square brackets as Keras's files have it."""
    if isinstance(key, dict):
        start, stop, step = key["slice"]
        config = {"start": start, "stop": stop, "step": step}
        return {"class_name": "__slice__", "config": config}
    return {"class_name": "__ellipsis__", "config": {}} if key == "..." else key
