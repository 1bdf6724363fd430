"""One layer of a Caffe net while it is turned into layers of ours."""

from __future__ import annotations

import math
from typing import Any, NoReturn

import numpy as np

from minicnn.errors import FormatError, UnsupportedError
from minicnn.interop.caffe.blobs import blob_array
from minicnn.interop.caffe.fields import PARAMETERS
from minicnn.layers.parameter import Parameter
from minicnn.support.files import Path


class Item:
    """A layer of the file: its parameters by their names in it, its blobs, its errors."""

    def __init__(self, layer: Any, name: str, path: Path) -> None:
        self.layer, self.name, self.path = layer, name, path
        self.without_weights = False

    def __getattr__(self, name: str) -> Any:
        """Return the message of parameters of this name, such as `pooling_param`."""
        if name not in PARAMETERS:
            raise AttributeError(name)
        return getattr(self.layer, name)

    @property
    def type(self) -> str:
        """The type, as in the file."""
        return str(self.layer.type)

    @property
    def what(self) -> str:
        """How messages call it."""
        return f"the layer {self.name!r} ({self.type})"

    def refuse(self, why: str) -> NoReturn:
        """Raise UnsupportedError for this layer."""
        raise UnsupportedError(self.path, f"{self.what} {why}")

    def blob(self, number: int, shape: tuple[int, ...]) -> np.ndarray | None:
        """Return a blob in the shape that the parameters need; None if the layer has no blobs.

        Raises
        ------
        FormatError : it has another number of values, or is missing
        """
        blobs = self.layer.blobs
        if not len(blobs):
            self.without_weights = True
            return None
        if number >= len(blobs):
            raise FormatError(self.path, f"{self.what} needs {number + 1} blobs; it has {number}")
        what = f"blob {number} of {self.what}"
        array = blob_array(blobs[number], self.path, what)
        if array.size != math.prod(shape):
            raise FormatError(self.path, f"{what} is {array.shape}; its parameters need {shape}")
        return array.reshape(shape)

    def assign(self, parameter: Any, value: np.ndarray | None) -> None:
        """Set a weight; without blobs it keeps its initial values."""
        if value is not None and isinstance(parameter, Parameter):
            parameter.assign(value)
