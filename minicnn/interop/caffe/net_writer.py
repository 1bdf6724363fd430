"""A net of Caffe while it is written: its layers, with the names of what they read and give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, NoReturn

import numpy as np

from minicnn.errors import UnsupportedError
from minicnn.interop.caffe.blobs import new_blob
from minicnn.interop.caffe.schema import message
from minicnn.support.files import Path


class Top(NamedTuple):
    """A result of a layer: its name in the net.

    `pixels` is (C, H, W) for a vector that was made of an image, whose values Caffe has in another
    order than we do.
    """

    name: str
    pixels: tuple[int, int, int] | None = None


class NetWriter:
    """The net that is being written."""

    def __init__(self, name: str, path: Path) -> None:
        self.net, self.path = message("NetParameter")(name=name), path

    def add_input(self, name: str, sample: tuple[int, ...]) -> Top:
        """Add an input of samples of this shape, (H, W, C) for an image."""
        shape = (sample[2], *sample[:2]) if len(sample) == 3 else sample
        layer = self.net.layer.add(name=name, type="Input", top=[name])
        layer.input_param.shape.add(dim=[1, *shape])
        return Top(name)

    def add(
        self,
        kind: str,
        name: str,
        bottoms: Sequence[Top],
        param: str = "",
        fields: dict[str, Any] | None = None,
        blobs: Sequence[np.ndarray] = (),
    ) -> Top:
        """Add a layer with its parameters and blobs, and return its result."""
        layer = self.net.layer.add(name=name, type=kind, top=[name])
        layer.bottom.extend(top.name for top in bottoms)
        for key, value in (fields or {}).items():
            if isinstance(value, list):
                getattr(getattr(layer, param), key).extend(value)
            else:
                setattr(getattr(layer, param), key, value)
        layer.blobs.extend(new_blob(array) for array in blobs)
        return Top(name, bottoms[0].pixels)

    def in_caffes_order(self, layer: Any, top: Top) -> Top:
        """Return the result if the order of its values is Caffe's; refuse the layer otherwise."""
        if top.pixels is not None:
            self.refuse(
                layer, "reads a flattened image, whose values Caffe has in another order; only "
                "Dense and layers of single numbers can"
            )  # fmt: skip
        return top

    def refuse(self, layer: Any, why: str) -> NoReturn:
        """Raise UnsupportedError for a layer of ours."""
        raise UnsupportedError(
            self.path,
            f"Caffe has no layer like {layer.name!r} ({type(layer).__name__}): it {why}",
        )
