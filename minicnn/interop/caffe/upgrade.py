"""Nets of the older forms, V0 and V1, brought to the newest one, as Caffe itself does."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from minicnn.interop.caffe.fields import PARAMETERS
from minicnn.interop.caffe.schema import message

# The types of layers of V1, whose new name is not the old one in another case.
NEW_TYPES = {
    "ABSVAL": "AbsVal", "ARGMAX": "ArgMax", "BNLL": "BNLL", "HDF5_DATA": "HDF5Data",
    "HDF5_OUTPUT": "HDF5Output", "LRN": "LRN", "MVN": "MVN", "RELU": "ReLU", "TANH": "TanH",
    "SOFTMAX_LOSS": "SoftmaxWithLoss",
}  # fmt: skip
# The types of V0 with the type of V1, which most have in capitals.
OLD_TYPES = {
    "conv": "CONVOLUTION", "pool": "POOLING", "innerproduct": "INNER_PRODUCT",
    "images": "IMAGE_DATA", "info_gain_loss": "INFOGAIN_LOSS", "infogain_loss": "INFOGAIN_LOSS",
}  # fmt: skip
# Where the fields of a V0 layer go, by its type: {field: field of the parameters}.
_LRN = {"local_size": "local_size", "alpha": "alpha", "beta": "beta", "k": "k"}
_DATA = {"cropsize": "crop_size"}
FIELDS_OF_V0: dict[str, tuple[str, dict[str, str]]] = {
    "conv": ("convolution_param", {
        "num_output": "num_output", "biasterm": "bias_term", "weight_filler": "weight_filler",
        "bias_filler": "bias_filler", "pad": "pad", "kernelsize": "kernel_size", "group": "group",
        "stride": "stride",
    }),
    "pool": ("pooling_param", {
        "pad": "pad", "kernelsize": "kernel_size", "stride": "stride", "pool": "pool",
    }),
    "innerproduct": ("inner_product_param", {
        "num_output": "num_output", "biasterm": "bias_term", "weight_filler": "weight_filler",
        "bias_filler": "bias_filler",
    }),
    "lrn": ("lrn_param", _LRN),
    "dropout": ("dropout_param", {"dropout_ratio": "dropout_ratio"}),
    "concat": ("concat_param", {"concat_dim": "concat_dim"}),
    "data": ("transform_param", _DATA),
    "images": ("transform_param", _DATA),
}  # fmt: skip


def upgraded(net: Any) -> Any:
    """Return the net with all layers in the field `layer`, its inputs as layers of type Input.

    Raises
    ------
    ValueError : a layer is of a type that V0 or V1 does not have
    """
    old = [one for one in net.layers if one.HasField("layer")]
    if old and len(old) < len(net.layers):
        raise ValueError("it mixes layers of Caffe's versions V0 and V1")
    layers = [_from_v0(one) for one in _without_padding(old)] if old else map(_from_v1, net.layers)
    new = message("NetParameter")(name=net.name)
    new.layer.extend(_inputs(net))
    new.layer.extend(net.layer if net.layer else layers)
    for layer in new.layer:
        _upgrade_crop(layer)
    return new


def _inputs(net: Any) -> Iterable[Any]:
    """Yield an Input layer for each `input` of the net."""
    shapes = [list(one.dim) for one in net.input_shape]
    shapes = shapes or [list(net.input_dim[i : i + 4]) for i in range(0, len(net.input_dim), 4)]
    for number, name in enumerate(net.input):
        layer = message("LayerParameter")(name=name, type="Input", top=[name])
        if number < len(shapes):
            layer.input_param.shape.add(dim=shapes[number])
        yield layer


def _from_v1(old: Any) -> Any:
    """Return a layer of V1 in the newest form."""
    kind = type(old).DESCRIPTOR.fields_by_name["type"].enum_type.values_by_number[old.type].name
    if kind == "NONE":
        raise ValueError(f"the layer {old.name!r} has no type, or one that Caffe's V1 lacks")
    new = _new(old, old.name, new_type(kind))
    new.blobs.extend(old.blobs)
    for name in PARAMETERS:
        if name in old.DESCRIPTOR.fields_by_name and old.HasField(name):
            getattr(new, name).CopyFrom(getattr(old, name))
    return new


def _from_v0(connection: Any) -> Any:
    """Return a layer of V0 in the newest form."""
    old = connection.layer
    new = _new(connection, old.name, new_type(OLD_TYPES.get(old.type, old.type.upper())))
    new.blobs.extend(old.blobs)
    name, fields = FIELDS_OF_V0.get(old.type, ("", {}))
    for there, here in fields.items():
        if old.HasField(there):
            _set(getattr(new, name), here, getattr(old, there))
    return new


def _new(connection: Any, name: str, kind: str) -> Any:
    """Return a new layer with the connections and rules of an older one."""
    new = message("LayerParameter")(name=name, type=kind)
    new.bottom.extend(connection.bottom)
    new.top.extend(connection.top)
    new.include.extend(connection.include)
    new.exclude.extend(connection.exclude)
    return new


def _set(parameters: Any, field: str, value: Any) -> None:
    there = getattr(parameters, field)
    if hasattr(there, "append"):
        there.append(value)
    elif hasattr(there, "CopyFrom"):
        there.CopyFrom(value)
    else:
        setattr(parameters, field, value)


def new_type(kind: str) -> str:
    """Return the type of a layer by its name in V1.

    >>> new_type("INNER_PRODUCT"), new_type("RELU")
    ('InnerProduct', 'ReLU')
    """
    return NEW_TYPES.get(kind) or "".join(word.capitalize() for word in kind.split("_"))


def _without_padding(layers: list[Any]) -> Iterable[Any]:
    """Yield the layers of V0; what a `padding` layer pads, the layer that reads it pads itself."""
    pads: dict[str, tuple[int, str]] = {}  # {top: (padding, bottom)}
    for connection in layers:
        layer = connection.layer
        if layer.type == "padding":
            if len(connection.top) != 1 or len(connection.bottom) != 1:
                raise ValueError(
                    f"the layer {layer.name!r} must pad one input, and give one result"
                )
            pads[connection.top[0]] = (layer.pad, connection.bottom[0])
            continue
        padded = [name for name in connection.bottom if name in pads]
        if padded and layer.type not in ("conv", "pool"):
            raise ValueError(f"the layer {layer.name!r} reads a padding, which {layer.type} cannot")
        for number, name in enumerate(connection.bottom):
            if name in pads:
                layer.pad, connection.bottom[number] = pads[name]
        yield connection


def _upgrade_crop(layer: Any) -> None:
    """Move the size of the crop to the parameters where newer nets have it."""
    readers: tuple[Callable[[Any], Any], ...] = (
        lambda one: one.data_param,
        lambda one: one.image_data_param,
    )
    for parameters in readers:
        if not layer.transform_param.crop_size and parameters(layer).crop_size:
            layer.transform_param.crop_size = parameters(layer).crop_size
