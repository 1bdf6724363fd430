"""Writing networks for Caffe: the net with its weights, and its text for deployment beside it."""

from __future__ import annotations

import os
from typing import Any

from minicnn.errors import ArgumentError, UnsupportedError
from minicnn.interop.caffe.layer_writers import WRITERS
from minicnn.interop.caffe.net_writer import NetWriter, Top
from minicnn.layers import InputLayer
from minicnn.models.graph import check_names
from minicnn.support.atomic_files import write_atomically, write_text
from minicnn.support.files import Path


def write_model(model: Any, path: Path, *, include_optimizer: bool = True) -> None:
    """Write the network to `path`, and its text to the file of that name ending in `.prototxt`.

    The optimizer, class names and preprocessing are not written: Caffe's files have no place for
    them.

    Raises
    ------
    UnsupportedError : Caffe has nothing for a layer; the message names it. Nothing is written
    """
    net = net_of(model, path)
    write_atomically(path, [net.SerializeToString(deterministic=True)])
    write_text(os.path.splitext(os.fspath(path))[0] + ".prototxt", text_of(net))


def write_weights(model: Any, path: Path) -> None:
    """Write the network to `path` alone, from which `load_weights` takes the weights."""
    write_atomically(path, [net_of(model, path).SerializeToString(deterministic=True)])


def net_of(model: Any, path: Path) -> Any:
    """Return the net of a network, with its weights."""
    if not model.is_built:
        raise ArgumentError(f"{model.name} has no input shape yet; call build, or predict once")
    check_names(model.graph.layers)
    to, tops = NetWriter(model.name, path), dict[int, Top]()
    used: set[int] = set()
    for tensor in model.graph.tensors:
        layer = tensor.layer
        if id(layer) in used:
            to.refuse(layer, "is used more than once, which Caffe's layers are not")
        used.add(id(layer))
        tops[id(tensor)] = _written(to, tensor, [tops[id(x)] for x in tensor.inputs])
    for tensor in model.graph.outputs:
        to.in_caffes_order(tensor.layer, tops[id(tensor)])
    return to.net


def _written(to: NetWriter, tensor: Any, tops: list[Top]) -> Top:
    layer = tensor.layer
    if None in tensor.shape[1:]:
        to.refuse(layer, f"gives samples of unknown size, {tensor.shape[1:]}; Caffe needs numbers")
    if isinstance(layer, InputLayer):
        if len(tensor.shape) not in (2, 4):
            to.refuse(layer, f"takes samples {tensor.shape[1:]}; images and vectors are written")
        return to.add_input(layer.name, tensor.shape[1:])
    # A class of a user's own may compute anything, also if it is made of one of ours.
    write = WRITERS.get(type(layer))
    if write is None:
        raise UnsupportedError(
            to.path, f"Caffe has nothing for the layer {layer.name!r} ({type(layer).__name__})"
        )
    return write(to, layer, tops, tensor)


def text_of(net: Any) -> str:
    """Return the text of a net, without its weights."""
    from google.protobuf import text_format

    bare = type(net)()
    bare.CopyFrom(net)
    for layer in bare.layer:
        layer.ClearField("blobs")
    return str(text_format.MessageToString(bare))
