"""The structure of a network: its layers, its weights, its summary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn.checks import check_name, quoted, shape_text
from minicnn.data.preprocess import Preprocess
from minicnn.errors import ArgumentError, DTypeError, ShapeError
from minicnn.layers import Rescaling
from minicnn.layers.base import Layer, SymbolicTensor
from minicnn.layers.parameter import Parameter
from minicnn.models.batches import stack_hint
from minicnn.models.graph import Graph
from minicnn.models.labels import checked_class_names, checked_preprocess
from minicnn.models.rng_keys import give_rng_names
from minicnn.models.saving.graph_config import graph_to_config
from minicnn.models.summary import summary_text
from minicnn.shapes import is_int
from minicnn.support.auto_names import unique_name
from minicnn.support.text import say


class Network:
    """A graph of layers with a name, class names and preprocessing.

    `CompiledNetwork` adds steps on batches, `Model` what users call.
    """

    _UNBUILT = "has no layers; make its graph: mc.Model(inputs, outputs)"

    def __init__(self, name: str | None = None) -> None:
        self.name = check_name(name) if name else unique_name(type(self).__name__)
        self._class_names: list[str] | None = None
        self._preprocess: Preprocess | None = None
        self._graph: Graph | None = None
        # Derived from the graph once, because every step needs them.
        self._layers: list[Layer] = []
        self._rescaled: list[bool] = []

    def __repr__(self) -> str:
        start = f"<{type(self).__name__} {self.name!r}: "
        if self._graph is None:
            return f"{start}{self._unbuilt_text()}>"
        shapes = " -> ".join(
            ", ".join(shape_text(t.shape) for t in tensors)
            for tensors in (self._graph.inputs, self._graph.outputs)
        )
        return f"{start}{shapes}, {len(self.layers)} layers, {self.count_params():,} parameters>"

    def _unbuilt_text(self) -> str:
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
            raise ArgumentError(f"{self.name} {self._UNBUILT}")
        return self._graph

    @property
    def is_built(self) -> bool:
        """Whether the input's shape is known, so that the layers are connected."""
        return self._graph is not None

    @property
    def class_names(self) -> list[str] | None:
        """One name per class, in the order of the outputs; saved with the model.

        A network with a single sigmoid output has two classes: the first for an output near 0, the
        second for an output near 1.
        """
        return self._class_names

    @class_names.setter
    def class_names(self, names: Sequence[str] | None) -> None:
        shape = self.output_shape if self.is_built else None
        classes = max(shape[-1], 2) if isinstance(shape, tuple) else None
        self._class_names = checked_class_names(names, classes, self.name)

    @property
    def preprocess(self) -> Preprocess | None:
        """How an image file becomes the input of this network; saved with the model."""
        return self._preprocess

    @preprocess.setter
    def preprocess(self, preprocess: Preprocess | None) -> None:
        shape = self.input_shape if self.is_built else None
        self._preprocess = checked_preprocess(preprocess, shape, self.name)

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
        """Whether any layer learns. Setting it sets every layer's `trainable`."""
        return any(layer.trainable for layer in self.layers)

    @trainable.setter
    def trainable(self, value: bool) -> None:
        for layer in self.layers:
            layer.trainable = value

    @property
    def input_shape(self) -> Any:
        """(None, H, W, C), or a list of shapes if there are several inputs."""
        return single([t.shape for t in self.graph.inputs])

    @property
    def output_shape(self) -> Any:
        """(None, classes), or a list of shapes if there are several outputs."""
        return single([t.shape for t in self.graph.outputs])

    def get_config(self) -> dict[str, Any]:
        """Return what `Model.from_config` rebuilds this network from, JSON-able, without weights.

        A subclass whose constructor takes other arguments returns those.
        """
        return {"name": self.name, **graph_to_config(self.graph)}

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """Return the layer of that name, or the one at that index of `layers`.

        >>> from minicnn import Input, Sequential, layers
        >>> model = Sequential([Input((2,)), layers.Dense(3, name="hidden")])
        >>> model.get_layer("hidden") is model.get_layer(index=0)
        True
        """
        if (name is None) == (index is None):
            raise ArgumentError("get_layer needs either a name or an index")
        if index is not None:
            count = len(self.layers)
            if not is_int(index) or not -count <= index < count:
                raise ArgumentError(
                    f"index must be an integer from 0 to {count - 1}, as {self.name} has {count} "
                    f"layers; got {quoted(index)}"
                )
            return self.layers[index]
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise ArgumentError(f"no layer {name!r}; there are {[one.name for one in self.layers]}")

    def count_params(self) -> int:
        """Return the number of weights, trainable or not."""
        return sum(p.size for p in self.parameters)

    def get_weights(self) -> list[np.ndarray]:
        """Return copies of all parameters, in the order of the layers."""
        return [p.value.copy() for p in self.parameters]

    def set_weights(self, weights: Sequence[np.ndarray]) -> None:
        """Replace all parameters; none is replaced unless every array fits.

        Parameters
        ----------
        weights : arrays in the order and of the shapes that `get_weights` returns

        Raises
        ------
        ArgumentError, ShapeError, DTypeError : the list or an array does not fit
        """
        if not isinstance(weights, (list, tuple)):
            raise ArgumentError(
                f"weights must be a list of arrays, as get_weights() returns; got "
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
        """Print one row per layer: its name, output shape and number of parameters.

        Parameters
        ----------
        style : "plain", or "keras2" for the 65-column table of Keras 2 with names cut to fit
        flops, memory : add a column with the operations, and the bytes of the output, per image
        """
        text = summary_text(self.graph, self.name, style=style, flops=flops, memory=memory)
        say(text)

    def rescales(self, i: int) -> bool:
        """Return whether every layer that reads input i is a Rescaling layer."""
        return self._rescaled[i]

    def build_for(self, inputs: tuple[np.ndarray, ...]) -> None:
        """Build the network if it still needs an input's shape, then check that the inputs fit."""
        self._build_for(inputs)
        self.check_inputs(inputs)

    def check_inputs(self, inputs: tuple[np.ndarray, ...]) -> None:
        """Raise ArgumentError or ShapeError unless there is one array of the right shape per input.

        The network must be built; `build_for` builds it first.
        """
        tensors = self.graph.inputs
        if len(inputs) != len(tensors):
            hint = stack_hint(inputs) or " (a batch with labels is a tuple: (x, y))"
            raise ArgumentError(f"{self.name} has {len(tensors)} inputs; got {len(inputs)}{hint}")
        for tensor, x in zip(tensors, inputs, strict=True):
            if x.shape[1:] != tensor.shape[1:]:
                raise ShapeError(_wrong_input(tensor, x.shape))

    def _build_for(self, inputs: tuple[np.ndarray, ...]) -> None:
        """Build the layers for such inputs; a Sequential may wait for that."""


def single(values: list[Any]) -> Any:
    """Return the only value of a list with one value, else the list."""
    return values[0] if len(values) == 1 else values


def _fitting(parameter: Parameter, value: Any) -> np.ndarray:
    """Return the value as an array that the parameter can hold."""
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
    """Return whether every layer that reads the tensor rescales it, perhaps after moving pixels."""
    readers = [t for t in graph.tensors if any(u is tensor for u in t.inputs)]
    return bool(readers) and all(
        isinstance(t.layer, Rescaling) or (t.layer.moves_pixels and _is_rescaled(graph, t))
        for t in readers
    )


def _wrong_input(tensor: SymbolicTensor, shape: tuple[int, ...]) -> str:
    name, needed = tensor.layer.name, tensor.shape
    text = f"{name}: the input has shape {shape_text(shape)}, needed is {shape_text(needed)}"
    if shape == needed[1:]:
        return f"{text}; for one sample pass x[None]"
    if len(needed) == 4 and shape[1:] == needed[1:3] and needed[3] == 1:
        return f"{text}; gray images need a channel axis: x[..., None]"
    return text
