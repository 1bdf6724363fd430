"""Sequential: a model whose layers follow each other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from minicnn.contracts import Shape
from minicnn.errors import ArgumentError
from minicnn.layers import Input, InputLayer, layer_from_config
from minicnn.layers.base import Layer
from minicnn.layers.symbolic import SymbolicTensor
from minicnn.models.batches import stack_hint
from minicnn.models.graph import Graph, check_names, graph_between
from minicnn.models.model import Model
from minicnn.models.network import Network
from minicnn.support.registry import class_for_object
from minicnn.support.registry import custom_objects as custom_objects_of

NOT_FIRST = "an Input can only be the first element of a Sequential"


class Sequential(Model):
    """A model of layers that follow each other; the first element may be an Input.

    Without an Input the layers are built for the first arrays that the model is given.

    >>> from minicnn.layers import Conv2D, Dense, Flatten, MaxPooling2D
    >>> model = Sequential([Input((28, 28, 1)), Conv2D(20, 5), MaxPooling2D(2)])
    >>> model.add(Flatten())
    >>> model.add(Dense(10, activation="softmax"))
    >>> model.output_shape
    (None, 10)
    """

    _UNBUILT = (
        "does not know its input's shape yet; add mc.Input((28, 28, 1)) as its first element, or "
        "fit it"
    )

    def __init__(
        self,
        layers: Iterable[Layer | SymbolicTensor] = (),
        name: str | None = None,
        trainable: bool = True,
        **options: Any,
    ) -> None:
        self._unbuilt: list[Layer] = []  # layers that wait for the shape of the input
        super().__init__(name=name, trainable=trainable, **options)
        if not isinstance(layers, Iterable):
            raise ArgumentError(f"Sequential takes a list of layers; got {type(layers).__name__}")
        self._append(list(layers))

    @classmethod
    def _of_graph(cls, graph: Graph, inputs: Any, outputs: Any, name: str) -> Model:
        first, *rest = graph.tensors
        if any(t.inputs != (before,) for before, t in zip(graph.tensors, rest, strict=False)):
            raise ArgumentError("each layer of a Sequential reads the one before; these do not")
        return cls([first, *(tensor.layer for tensor in rest)], name=name)

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` rebuilds the network from; without a graph, its layers."""
        if self.is_built:
            return super().get_config()
        layers = [{"class": type(la).__name__, "config": la.get_config()} for la in self.layers]
        return {"name": self.name, "layers": layers}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Model:
        """Return a network like the one whose `get_config` this was, with initial weights."""
        layers = config.get("layers")
        if "tensors" in config or not (layers and isinstance(layers[0], dict)):
            return super().from_config(config, custom_objects)
        with custom_objects_of(custom_objects):
            built = [layer_from_config(item["class"], item["config"]) for item in layers]
        return cls(built, name=config["name"])

    @property
    def layers(self) -> list[Layer]:
        """Every layer, in order, without the InputLayer."""
        if self._graph is None:
            return list({id(layer): layer for layer in self._unbuilt}.values())
        return [layer for layer in self._graph.layers if not isinstance(layer, InputLayer)]

    def add(self, layer: Layer | SymbolicTensor) -> None:
        """Append a layer.

        Raises
        ------
        ArgumentError : it is no layer, an Input after the first element, or `fit` is running
        """
        self.refuse_while_training("add")
        self._append([layer])

    def pop(self) -> Layer:
        """Remove the last layer and return it.

        Raises
        ------
        ArgumentError : there is none, or `fit` is running
        """
        self.refuse_while_training("pop")
        layers = self.layers
        if not layers:
            raise ArgumentError(f"{self.name} has no layer to remove")
        if self._graph is None:
            return self._unbuilt.pop()
        last = self._graph.outputs[0]
        self._grow(self._graph.inputs, last.inputs[0], [])
        return last.layer

    def build(self, *input_shapes: Any) -> None:
        """Build the layers for inputs of this shape, (None, H, W, C) for images."""
        (shape,) = input_shapes
        if self._graph is None and self._unbuilt:
            self.take_graph(self._graph_from(tuple(shape)[1:]))
            self._unbuilt = []

    def _append(self, elements: list[Layer | SymbolicTensor]) -> None:
        """Append the elements, and build the network once if its input's shape is known."""
        start, layers = self._split_input(elements)
        check_names([*self.layers, *layers])
        if start is not None:
            self._grow((start.source,), start, layers)
        elif self._graph is not None:
            self._grow(self._graph.inputs, self._graph.outputs[0], layers)
        else:
            self._unbuilt += layers

    def _split_input(
        self, elements: list[Layer | SymbolicTensor]
    ) -> tuple[SymbolicTensor | None, list[Layer]]:
        """Return the network's input, None if it is not given here, and the layers."""
        start, rest = None, elements
        if elements and isinstance(elements[0], InputLayer):
            elements = [elements[0].tensor(), *elements[1:]]
        if elements and isinstance(elements[0], SymbolicTensor):
            start, rest = elements[0], elements[1:]
        layers = [_layer(element) for element in rest]
        begun = self.is_built or bool(self._unbuilt)
        if not begun and start is None and layers and _own_shape(layers[0]) is not None:
            start = Input(_own_shape(layers[0]))
        late = start is None and self._graph is None and any(x.given_input_shape for x in layers)
        if late or (begun and start is not None):
            raise ArgumentError(NOT_FIRST)
        return start, layers

    def _grow(
        self, inputs: tuple[SymbolicTensor, ...], last: SymbolicTensor, layers: list[Layer]
    ) -> None:
        for layer in layers:
            last = layer(last)
        self.take_graph(graph_between(inputs, (last,)))

    def _unbuilt_text(self) -> str:
        return f"{len(self._unbuilt)} layers, the input's shape not known yet"

    def _build_for(self, inputs: tuple[np.ndarray, ...]) -> None:
        """Build the layers for arrays like these, if no Input gave their shape."""
        if self._graph is not None:
            return
        if len(inputs) > 1 and stack_hint(inputs):
            raise ArgumentError(f"{self.name} got {len(inputs)} inputs{stack_hint(inputs)}")
        with self.lock:  # another thread may have built it, or be building it
            if self._graph is None and self._unbuilt:
                self.take_graph(self._graph_from(inputs[0].shape[1:]))
                self._unbuilt = []

    def _graph_from(self, shape: Shape) -> Graph:
        """Return the graph of the unbuilt layers for samples of that shape."""
        new = [layer for layer in self._unbuilt if not layer.built]
        try:
            first = last = Input(shape)
            for layer in self._unbuilt:
                last = layer(last)
            return graph_between((first,), (last,))
        except BaseException:  # wrong arrays, or Ctrl-C: the next arrays may fit
            for layer in new:
                layer.built = False
                layer.own_parameters.clear()
            raise


def _own_shape(layer: Layer) -> Shape | None:
    """Return the input's shape that a first layer knows: given, or of a network that is a layer."""
    if isinstance(layer, Network) and layer.is_built and not layer.is_subclassed:
        return layer.graph.inputs[0].shape[1:]
    return layer.given_input_shape


def _layer(element: object) -> Layer:
    """Return the element if it is a layer, which may follow another one."""
    if isinstance(element, SymbolicTensor):
        raise ArgumentError(NOT_FIRST)
    if isinstance(element, type) and issubclass(element, Layer):
        raise ArgumentError(class_for_object(element))
    if not isinstance(element, Layer):
        raise ArgumentError(f"Sequential takes layers; got {type(element).__name__}")
    return element
