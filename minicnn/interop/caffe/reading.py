"""Reading Caffe's networks: the text of the net, its weights, and the mean that was subtracted."""

from __future__ import annotations

import functools
import os
import warnings
from typing import Any

import numpy as np

from minicnn.errors import (
    ArgumentError,
    CheckpointError,
    FormatError,
    MiniCNNError,
    SizeLimitError,
    UnsupportedError,
)
from minicnn.interop.caffe.blobs import as_image, blob_array
from minicnn.interop.caffe.building import Builder
from minicnn.interop.caffe.inputs import SOURCES
from minicnn.interop.caffe.nets import read_caffemodel, read_message, read_prototxt
from minicnn.interop.caffe.phases import is_there
from minicnn.interop.first_bytes import is_prototxt
from minicnn.layers import Normalization
from minicnn.models import Model
from minicnn.support import memory_limits
from minicnn.support.files import Path, open_regular

WEIGHTS, TEXT = ".caffemodel", ".prototxt"
# What a kernel with zeros between its groups may grow by; no other weight is larger than its blob.
GROWTH = 64
WITHOUT_FILE = 1 << 30  # bytes of weights of a net that has no file of weights


def load(prototxt: Path, caffemodel: Path | None = None, mean: Any = None) -> Model:
    """Return the network of a `.prototxt` file with the weights of a `.caffemodel` file.

    Its images have the channels last, in the order that the net was trained with, which for color
    images of Caffe is blue, green, red, with values 0...255.

    Parameters
    ----------
    prototxt : the text of the net, for deployment or for training
    caffemodel : its weights; default None: the network has new weights, and a warning says so
    mean : what the network subtracts from its input: a `.binaryproto` file of Caffe, or one number
        per channel; default None: nothing

    Returns
    -------
    Model : not compiled; its layers have Caffe's names

    Raises
    ------
    UnsupportedError : the net has a layer that minicnn does not have; the message names it
    FormatError : a file is damaged, or the weights are of another net
    MissingExtraError : the package protobuf is not installed
    """
    net = read_prototxt(prototxt)
    if caffemodel is None:
        return _built(net, prototxt, mean, WITHOUT_FILE)
    _take_weights(net, read_caffemodel(caffemodel), caffemodel)
    return _built(net, caffemodel, mean, GROWTH * os.path.getsize(caffemodel))


def read_model(path: Path, compile: bool = True, custom_objects: Any = None) -> Model:
    """Return the network of a `.prototxt` or of a `.caffemodel` file; see `load`.

    The weights of a `.prototxt` lie beside it, and a `.caffemodel` without the size of its input
    has its `.prototxt` beside it, with the same name or as the only one.
    """
    if is_text(path):
        return load(path, beside(path, WEIGHTS))
    net = read_caffemodel(path)
    if not _says_input(net, path):
        text = beside(path, TEXT)
        if text is not None:
            return load(text, path)
    return _built(net, path, None, GROWTH * os.path.getsize(path))


def read_weights(model: Model, path: Path) -> None:
    """Give the layers of a network the weights of the layers of those names in a `.caffemodel`.

    The file's net is built, and each layer of the network gets the weights of the layer of its
    name.

    Raises
    ------
    CheckpointError : a layer with weights is not in the file, or differs
    """
    there = {layer.name: layer for layer in read_model(path).layers if layer.parameters}
    here = [layer for layer in model.layers if layer.parameters]
    for layer in here:
        other = there.get(layer.name)
        if other is None:
            raise CheckpointError(f"{os.fspath(path)} has no weights for the layer {layer.name!r}")
        shapes = [p.shape for p in other.parameters]
        if shapes != [p.shape for p in layer.parameters]:
            raise CheckpointError(
                f"{os.fspath(path)}: the layer {layer.name!r} has weights {shapes} there, "
                f"{[p.shape for p in layer.parameters]} here"
            )
    for layer in here:
        pairs = zip(layer.parameters, there[layer.name].parameters, strict=True)
        for parameter, stored in pairs:
            parameter.assign(stored.value)


def read_mean(path: Path) -> np.ndarray:
    """Return the mean image of a `.binaryproto` file, float32 (H, W, C).

    Raises
    ------
    FormatError : it is not a blob of one image
    """
    return as_image(blob_array(read_message("BlobProto", path), path, "the mean image"), path)


def is_text(path: Path) -> bool:
    """Return whether a file of Caffe is the text of a net; its name's ending does not count."""
    with open_regular(path) as file:
        return is_prototxt(file)


def beside(path: Path, ending: str) -> str | None:
    """Return the file of the same name with another ending, or the only one in the folder.

    Raises
    ------
    ArgumentError : there are several, none of which has the same name
    """
    folder, name = os.path.split(os.fspath(path))
    stem = os.path.splitext(name)[0]
    names = sorted(one for one in os.listdir(folder or os.curdir) if one.lower().endswith(ending))
    same = [one for one in names if os.path.splitext(one)[0] == stem]
    if same or len(names) == 1:
        return os.path.join(folder, (same or names)[0])
    if names:
        arguments = f"{name!r}, ..." if ending == WEIGHTS else f"..., {name!r}"
        raise ArgumentError(
            f"{os.fspath(path)}: {len(names)} files {ending} lie beside it ({', '.join(names[:3])}"
            f"{', ...' if len(names) > 3 else ''}); say which: mc.interop.caffe.load({arguments})"
        )
    return None


def _says_input(net: Any, path: Path) -> bool:
    """Return whether the net of a file of weights can be built without a text."""
    return any(
        one.type in ("Input", "DummyData", "MemoryData")
        or (one.type in SOURCES and one.transform_param.crop_size)
        for one in net.layer
        if is_there(one)
    )


def _take_weights(net: Any, weights: Any, path: Path) -> None:
    """Give each layer of the text the blobs of the layer of its name."""
    blobs = {layer.name: layer.blobs for layer in weights.layer if len(layer.blobs)}
    found = 0
    for layer in net.layer:
        if layer.name in blobs:
            del layer.blobs[:]
            layer.blobs.extend(blobs[layer.name])
            found += 1
    if blobs and not found:
        raise FormatError(path, "has no weights for any layer of the net: it is of another one")


def _built(net: Any, path: Path, mean: Any, weights: int) -> Model:
    entry = None if mean is None else functools.partial(_minus, mean)
    builder = Builder(net, path, entry)
    try:
        with memory_limits.budget(weights):
            model = builder.model()
    except SizeLimitError as error:
        raise SizeLimitError(f"{os.fspath(path)}: {error}") from error
    except (FormatError, ArgumentError):
        raise
    except MiniCNNError as error:
        raise UnsupportedError(path, f"its net cannot be built: {error}") from error
    if builder.without_weights:
        names = ", ".join(builder.without_weights[:3])
        warnings.warn(
            f"{os.fspath(path)}: no weights for {len(builder.without_weights)} layers ({names}"
            f"{', ...' if len(builder.without_weights) > 3 else ''}), which have new ones",
            stacklevel=4,
        )
    return model


def _minus(mean: Any, x: Any) -> Any:
    """Return the images minus the mean."""
    values = _fitting_mean(mean, tuple(x.shape[1:]))
    axis = -1 if values.ndim == 1 else (1, 2, 3)
    return Normalization(axis, values, np.ones(values.shape), name="minus_mean")(x)


def _fitting_mean(mean: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Return the mean per channel, or per pixel in the middle of a larger mean image."""
    if not isinstance(mean, (str, os.PathLike)):
        values = np.asarray(mean, np.float32)
        if values.shape != shape[-1:]:
            raise ArgumentError(f"mean must be {shape[-1]} numbers; got shape {values.shape}")
        return values
    image = read_mean(mean)
    h, w, c = shape
    top, left = (image.shape[0] - h) // 2, (image.shape[1] - w) // 2
    if image.shape[2] != c or top < 0 or left < 0:
        raise FormatError(mean, f"its image is {image.shape}; the network's input is {shape}")
    return image[top : top + h, left : left + w]
