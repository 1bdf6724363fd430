"""The configs of Keras's layers become the arguments of minicnn's, which have the same names."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from minicnn.errors import FormatError, UnsafeFileError, UnsupportedError
from minicnn.models.saving.archive.container import shown

# Other names of arguments in Keras 2.
RENAMED = {("LeakyReLU", "alpha"): "negative_slope"}
# What says how Keras computes, or what a layer inherits there and does not use.
LEFT_OUT = {
    "": ("autocast", "implementation", "fused", "build_config", "quantization_config"),
    "DepthwiseConv1D": ("groups", "kernel_initializer", "kernel_regularizer", "kernel_constraint"),
    "DepthwiseConv2D": ("groups", "kernel_initializer", "kernel_regularizer", "kernel_constraint"),
    "SeparableConv1D": ("groups", "kernel_initializer", "kernel_regularizer", "kernel_constraint"),
    "SeparableConv2D": ("groups", "kernel_initializer", "kernel_regularizer", "kernel_constraint"),
    "Lambda": ("module", "function_type", "output_shape_type", "output_shape_module"),
}
# Arguments that minicnn's layers do not have, and the only values with which they say nothing.
NEEDED = {
    "sparse": (False, None),
    "ragged": (False, None),
    "optional": (False, None),
    "virtual_batch_size": (None,),
    "rms_scaling": (False,),
    "adjustment": (None,),
    "lora_rank": (None,),
}
CODE_LAYERS = ("Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer")
OP_LAYERS = ("TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer")
FLOATS = ("float32", "float64", "float16", "bfloat16", "mixed_float16", "mixed_bfloat16")


def layer_arguments(
    name: str, config: Mapping[str, Any], path: object, place: str
) -> dict[str, Any]:
    """Return the arguments of the layer class `name`, from a config of Keras 2 or 3.

    The objects in the config are in minicnn's form already.

    Raises
    ------
    UnsafeFileError : it would run code
    UnsupportedError : it says something that minicnn's layer cannot do
    """
    if name == "Lambda":
        _refuse_code(config, path, place)
    found: dict[str, Any] = {}
    for key, value in config.items():
        if key in NEEDED:
            if not any(value is one for one in NEEDED[key]):
                raise UnsupportedError(path, f"{place} has {key}={shown(str(value))}")
        elif key not in LEFT_OUT[""] and key not in LEFT_OUT.get(name, ()):
            found[RENAMED.get((name, key), key)] = value
    return _fitting(name, found, path, place)


def no_layer(name: str, path: object, place: str) -> FormatError:
    """Return the error for a layer that minicnn does not have."""
    if name in CODE_LAYERS:
        return UnsafeFileError(path, f"{place} is a {name}, which runs code or reads other files")
    if name in OP_LAYERS:
        text = "a TensorFlow operation; save the model with Keras 3"
        return UnsupportedError(path, f"{place} is a {name}, {text}")
    return UnsupportedError(
        path, f"{place} is a {shown(name)}, which minicnn does not have. If it is a class of "
        f"yours: load_model(path, custom_objects={{{shown(name)}: TheClass}})"
    )  # fmt: skip


def _refuse_code(config: Mapping[str, Any], path: object, place: str) -> None:
    """Raise UnsafeFileError for a Lambda whose function is code, not a name."""
    if not isinstance(config.get("function"), Mapping):
        raise UnsafeFileError(
            path, f"{place} is a Lambda with Python code, which is never run; replace it in Keras "
            "by a layer class, or by a function with a name, and give that in custom_objects"
        )  # fmt: skip


def _fitting(name: str, found: dict[str, Any], path: object, place: str) -> dict[str, Any]:
    """Return the arguments without those of Keras that mean the usual, after a check."""
    dtype = found.pop("dtype", None)
    if name == "InputLayer":
        shape = found.pop("batch_input_shape", None)
        found = {"batch_shape": shape, **found} if shape is not None else found
        found.pop("trainable", None)
        found["dtype"] = "uint8" if dtype == "uint8" else "float32"
    elif dtype is not None and dtype not in ("float32", "uint8"):
        _accept_float(dtype, path, place)
    axis = found.get("axis")
    if isinstance(axis, list) and len(axis) == 1:
        found["axis"] = axis[0]
    return found


def _accept_float(dtype: Any, path: object, place: str) -> None:
    if dtype not in FLOATS:
        raise UnsupportedError(path, f"{place} computes in {shown(str(dtype))}; minicnn in float32")
    warnings.warn(
        f"{path}: {place} was made for {dtype}; minicnn computes in float32", stacklevel=2
    )
