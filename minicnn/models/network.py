"""A network at rest: its layers, its weights, its table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn.checks import check_name, shape_text
from minicnn.data.preprocess import Preprocess
from minicnn.errors import ArgumentError, DTypeError, ShapeError
from minicnn.layers import Rescaling
from minicnn.layers.base import Layer, SymbolicTensor
from minicnn.layers.parameter import Parameter
from minicnn.models.batches import stack_hint
from minicnn.models.graph import Graph
from minicnn.models.labels import checked_names, checked_preprocess
from minicnn.models.rng_keys import give_rng_names
from minicnn.models.summary import summary_text
from minicnn.support.auto_names import unique_name
from minicnn.support.text import say


class Network:
    """What a model is made of; `Stepper` and `Model` add what is done with it."""

    def __init__(self, name: str | None = None) -> None:
        self.name = check_name(name) if name else unique_name(type(self).__name__)
        self._class_names: list[str] | None = None
        self._preprocess: Preprocess | None = None
        self._graph: Graph | None = None
        # What every step asks for, worked out once.
        self._layers: list[Layer] = []
        self._rescaled: list[bool] = []

    def __repr__(self) -> str:
        start = f"<{type(self).__name__} {self.name!r}: "
        if self._graph is None:
            return f"{start}{self._waiting_text()}>"
        shapes = " -> ".join(
            ", ".join(shape_text(t.shape) for t in tensors)
            for tensors in (self._graph.inputs, self._graph.outputs)
        )
        return f"{start}{shapes}, {len(self.layers)} layers, {self.count_params():,} parameters>"

    def _waiting_text(self) -> str:
        return "no layers"

    def take_graph(self, graph: Graph) -> None:
        """Become the network of this graph."""
        give_rng_names(graph.layers)
        self._graph = graph
        self._layers = graph.layers
        self._rescaled = [_is_rescaled(graph, tensor) for tensor in graph.inputs]

    @property
    def graph(self) -> Graph:
        """The layers and how they are connected."""
        if self._graph is None:
            raise ArgumentError(
                f"{self.name} does not know its input's shape yet; add mc.Input((28, 28, 1)) as "
                "its first element, or fit it"
            )
        return self._graph

    @property
    def is_built(self) -> bool:
        """Does it know its input's shape, and so have layers?"""
        return self._graph is not None

    @property
    def class_names(self) -> list[str] | None:
        """What the classes are called, in the order of the outputs; saved with the model.

        Of one sigmoid output, two: what is near 0 and what is near 1.
        """
        return self._class_names

    @class_names.setter
    def class_names(self, names: Sequence[str] | None) -> None:
        self._class_names = checked_names(self, names)

    @property
    def preprocess(self) -> Preprocess | None:
        """How an image file becomes this network's input; saved with the model."""
        return self._preprocess

    @preprocess.setter
    def preprocess(self, preprocess: Preprocess | None) -> None:
        self._preprocess = checked_preprocess(self, preprocess)

    @property
    def layers(self) -> list[Layer]:
        """Every layer, in order."""
        return self.graph.layers

    @property
    def parameters(self) -> list[Parameter]:
        """Every layer's parameters, in order."""
        return self.graph.parameters

    @property
    def trainable(self) -> bool:
        """Does any layer learn? Setting it freezes or frees every layer."""
        return any(layer.trainable for layer in self.layers)

    @trainable.setter
    def trainable(self, value: bool) -> None:
        for layer in self.layers:
            layer.trainable = value

    @property
    def input_shape(self) -> Any:
        """(None, H, W, C), or a list of shapes."""
        return single([t.shape for t in self.graph.inputs])

    @property
    def output_shape(self) -> Any:
        """(None, classes), or a list of shapes."""
        return single([t.shape for t in self.graph.outputs])

    def get_layer(self, name: str) -> Layer:
        """The layer of that name."""
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise ArgumentError(f"no layer {name!r}; there are {[one.name for one in self.layers]}")

    def count_params(self) -> int:
        """Number of weights, trainable or not."""
        return sum(p.size for p in self.parameters)

    def get_weights(self) -> list[np.ndarray]:
        """Copies of all parameters, in the order of the layers."""
        return [p.value.copy() for p in self.parameters]

    def set_weights(self, weights: Sequence[np.ndarray]) -> None:
        """Replace all parameters; nothing changes unless every array fits."""
        if not isinstance(weights, (list, tuple)):
            raise ArgumentError(
                f"weights must be a list of arrays, as get_weights() gives; got "
                f"{type(weights).__name__}"
            )
        if len(weights) != len(self.parameters):
            raise ArgumentError(
                f"the model has {len(self.parameters)} parameters; got {len(weights)}"
            )
        pairs = list(zip(self.parameters, weights, strict=True))
        arrays = [_fitting(parameter, value) for parameter, value in pairs]
        for parameter, array in zip(self.parameters, arrays, strict=True):
            parameter.assign(array)

    def summary(self, *, style: str = "plain", flops: bool = False, memory: bool = False) -> None:
        """Print a row a layer: name, output shape, parameters; on request work and memory.

        `style="keras2"` prints the 65-column table of Keras 2, names cut to its columns.
        """
        say(summary_text(self, style=style, flops=flops, memory=memory))

    def rescales(self, i: int) -> bool:
        """Is a Rescaling layer the first thing that happens to input i?"""
        return self._rescaled[i]

    def check_inputs(self, inputs: tuple[np.ndarray, ...]) -> None:
        """The right number of arrays, each of the right shape."""
        if not self.is_built and len(inputs) > 1 and stack_hint(inputs):
            raise ArgumentError(f"{self.name} got {len(inputs)} inputs{stack_hint(inputs)}")
        self.build_for(inputs)
        tensors = self.graph.inputs
        if len(inputs) != len(tensors):
            hint = stack_hint(inputs) or " (a batch with labels is a tuple: (x, y))"
            raise ArgumentError(f"{self.name} has {len(tensors)} inputs; got {len(inputs)}{hint}")
        for tensor, x in zip(tensors, inputs, strict=True):
            if x.shape[1:] != tensor.shape[1:]:
                raise ShapeError(_wrong_input(tensor, x.shape))

    def build_for(self, inputs: tuple[np.ndarray, ...]) -> None:
        """Make the graph if it waited for an input's shape; `Sequential` does."""


def single(values: list[Any]) -> Any:
    """The one value of a list of one, else the list."""
    return values[0] if len(values) == 1 else values


def _fitting(parameter: Parameter, value: Any) -> np.ndarray:
    """What a parameter is to hold, as an array of its shape."""
    try:
        array = np.asarray(value)
    except ValueError as err:
        raise ShapeError(
            f"{parameter.name} has shape {parameter.shape}; got rows of different lengths"
        ) from err
    if array.shape != parameter.shape:
        raise ShapeError(f"{parameter.name} has shape {parameter.shape}; got {array.shape}")
    if array.dtype.kind not in "uifb":
        raise DTypeError(f"{parameter.name} holds real numbers; got {array.dtype}")
    return array


def _is_rescaled(graph: Graph, tensor: SymbolicTensor) -> bool:
    readers = [t.layer for t in graph.tensors if any(u is tensor for u in t.inputs)]
    return bool(readers) and all(isinstance(layer, Rescaling) for layer in readers)


def _wrong_input(tensor: SymbolicTensor, shape: tuple[int, ...]) -> str:
    name, needed = tensor.layer.name, tensor.shape
    text = f"{name}: the input has shape {shape_text(shape)}, needed is {shape_text(needed)}"
    if shape == needed[1:]:
        return f"{text}; for one sample pass x[None]"
    if len(needed) == 4 and shape[1:] == needed[1:3] and needed[3] == 1:
        return f"{text}; gray images need a channel axis: x[..., None]"
    return text
