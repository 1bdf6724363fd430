"""The inputs of a net: its layers that give data, and the shapes of their samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minicnn.errors import UnsupportedError
from minicnn.interop.caffe.blobs import blob_shape
from minicnn.interop.caffe.item import Item
from minicnn.shapes import MAX_INT32

SOURCES = {"Input", "DummyData", "MemoryData", "Data", "ImageData", "HDF5Data", "WindowData"}
Shapes = Sequence[tuple[int, ...] | None]


def sample_shapes(item: Item, layers: Sequence[Any]) -> Shapes:
    """Return the shape of a sample for each top; None for labels.

    Raises
    ------
    UnsupportedError : the file does not say it
    """
    tops = len(item.layer.top)
    if item.type == "Input":
        shapes = [tuple(one.dim) for one in item.input_param.shape]
    elif item.type == "DummyData":
        shapes = _of_dummies(item.dummy_data_param)
    elif item.type == "MemoryData":
        p = item.memory_data_param
        return [_checked(item, (1, p.channels, p.height, p.width)), *[None] * (tops - 1)]
    else:
        return [_of_images(item, layers), *[None] * (tops - 1)]
    if len(shapes) == 1:
        shapes *= tops
    if len(shapes) != tops:
        item.refuse(f"has {len(shapes)} shapes for {tops} results")
    return [_checked(item, shape) for shape in shapes]


def _of_dummies(p: Any) -> list[tuple[int, ...]]:
    if p.shape:
        return [tuple(one.dim) for one in p.shape]
    return list(zip(p.num, p.channels, p.height, p.width, strict=False))


def _checked(item: Item, shape: tuple[int, ...]) -> tuple[int, ...]:
    sample = shape[1:]
    if not 1 <= len(sample) <= 3 or not all(1 <= n <= MAX_INT32 for n in sample):
        item.refuse(f"has the shape {shape}; (N, C), (N, C, W) or (N, C, H, W) is needed")
    return sample


def _of_images(item: Item, layers: Sequence[Any]) -> tuple[int, ...]:
    """Return (C, H, W) of images that are cropped; the weights that read them say how many C."""
    size = item.layer.transform_param.crop_size
    for layer in layers:
        reads = item.layer.top[0] in layer.bottom
        if size and reads and layer.type == "Convolution" and len(layer.blobs):
            channels = blob_shape(layer.blobs[0])[1] * layer.convolution_param.group
            return _checked(item, (1, channels, size, size))
    raise UnsupportedError(
        item.path,
        f"{item.what} does not say the size of the images, as nets for training do not. Give the "
        'net for deployment: mc.interop.caffe.load("deploy.prototxt", "x.caffemodel")',
    )
