"""One operator of an ONNX graph: its name, its version, its attributes, and what it may ask for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn.errors import UnsupportedError
from minicnn.interop.onnx.values import Value
from minicnn.layers import Layer
from minicnn.layers.parameter import Parameter
from minicnn.layers.weight_arguments import WeightArguments
from minicnn.support.text import printable


class Node:
    """An operator with its attributes.

    Parameters
    ----------
    op, name : the operator's name, and the node's
    opset : the version of ONNX's operators that the file was written for
    attributes : {name: number, string, array, or list of these}
    inputs, outputs : names of values; "" is one that is left out
    path : of the file, for errors
    """

    def __init__(
        self,
        op: str,
        name: str,
        opset: int,
        attributes: dict[str, Any],
        inputs: Sequence[str],
        outputs: Sequence[str],
        path: str,
    ) -> None:
        self.op, self.name, self.opset = op, name, opset
        self.attributes, self.path = attributes, path
        self.inputs, self.outputs = list(inputs), list(outputs)
        self.context: Any = None

    @property
    def label(self) -> str:
        """The node as messages name it."""
        return f"node {printable(self.name)!r} ({printable(self.op)}, opset {self.opset})"

    def has(self, name: str) -> bool:
        """Return whether the attribute is given."""
        return name in self.attributes

    def integer(self, name: str, default: int | None = None) -> int:
        """Return an attribute that is an integer."""
        return int(self._of_kind(name, default, (int, np.integer), "an integer"))

    def number(self, name: str, default: float | None = None) -> float:
        """Return an attribute that is a number."""
        return float(self._of_kind(name, default, (int, float, np.number), "a number"))

    def text(self, name: str, default: str | None = None) -> str:
        """Return an attribute that is a text."""
        return str(self._of_kind(name, default, str, "a string"))

    def integers(self, name: str, default: Sequence[int] | None = None) -> list[int]:
        """Return an attribute that is a list of integers."""
        value = self._of_kind(name, default, (list, tuple), "a list of integers")
        if not all(isinstance(one, (int, np.integer)) for one in value):
            raise self.refused(f"attribute {name} must be a list of integers")
        return [int(one) for one in value]

    def _of_kind(self, name: str, default: Any, kind: Any, what: str) -> Any:
        value = self.attributes.get(name, default)
        if value is None:
            raise self.refused(f"attribute {name} is missing")
        if not isinstance(value, kind) or isinstance(value, bool):
            raise self.refused(f"attribute {name} must be {what}")
        return value

    def refused(self, reason: str) -> UnsupportedError:
        """Return the error that says why this node cannot be part of a network here."""
        return UnsupportedError(self.path, f"{self.label}: {reason}")

    def axis(self, value: Any, rank: int) -> int:
        """Return the number of a logical axis, counted from the first one."""
        if not -rank <= value < rank:
            raise self.refused(f"axis {value} of a tensor with {rank} axes")
        return int(value) % rank

    def constant(self, value: Value | None, what: str) -> Any:
        """Return the array of an input that must be known when the network is built, or None."""
        if value is None:
            return None
        if not value.known:
            raise self.refused(f"{what} must be known when the network is built, not computed")
        return value.logical()

    def numbers(self, value: Value | None, what: str) -> list[Any] | None:
        """Return the numbers of an input that must be known, as a flat list."""
        array = self.constant(value, what)
        return None if array is None else array.ravel().tolist()

    def layer(self, kind: Any, *args: Any, weights_lie: Any = None, **kwargs: Any) -> Any:
        """Return a new layer with this node's name; or one that has the same weights, if any.

        `weights_lie` says how the layer arranges its weights, if not as others do.
        """
        arguments = args, sorted(kwargs.items()), sorted(self.attributes.items()), weights_lie
        key = kind, self.op, tuple(self.inputs[1:]), repr(arguments)
        shared = self.context.shared if issubclass(kind, WeightArguments) else {}
        if key in shared:
            self.context.twice.add(shared[key].name)
        else:
            shared[key] = kind(*args, name=self.context.layer_name(self), **kwargs)
        return shared[key]

    def limit(self, shape: Sequence[Any], itemsize: int = 4) -> None:
        """Raise SizeLimitError if an array of this shape would be too large to be made."""
        self.context.limit(shape, itemsize, self)


def filled(layer: Layer, x: Any, **weights: np.ndarray | None) -> Any:
    """Return layer(x), and give the parameters of a new layer these values, by their names."""
    if layer.built:
        return layer(x)
    layer.build(tuple(x.shape))
    for name, value in weights.items():
        parameter = getattr(layer, name)
        if value is not None and isinstance(parameter, Parameter):
            parameter.assign(np.asarray(value, np.float32).reshape(parameter.shape))
    return layer(x)
