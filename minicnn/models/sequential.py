"""Sequential: a network whose layers form one line."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from minicnn.contracts import Shape
from minicnn.errors import ArgumentError
from minicnn.layers import Input, InputLayer
from minicnn.layers.base import Layer, SymbolicTensor
from minicnn.models.graph import Graph, check_names, graph_between
from minicnn.models.model import Model
from minicnn.support.registry import class_for_object

NOT_FIRST = "an Input can only be the first element of a Sequential"


class Sequential(Model):
    """Layers one after the other; the first element may be an Input.

    >>> from minicnn.layers import Conv2D, Dense, Flatten, MaxPooling2D
    >>> model = Sequential([Input((28, 28, 1)), Conv2D(20, 5), MaxPooling2D(2)])
    >>> model.add(Flatten())
    >>> model.add(Dense(10, activation="softmax"))
    >>> model.output_shape
    (None, 10)
    """

    def __init__(
        self, layers: Iterable[Layer | SymbolicTensor] = (), name: str | None = None
    ) -> None:
        self._start(name)
        if not isinstance(layers, Iterable):
            raise ArgumentError(f"Sequential takes a list of layers; got {type(layers).__name__}")
        self._add(list(layers))

    def _start(self, name: str | None) -> None:
        super()._start(name)
        self._waiting: list[Layer] = []  # layers whose input's shape is not known yet

    @classmethod
    def _of_graph(cls, graph: Graph, name: str) -> Model:
        first, *rest = graph.tensors
        if any(t.inputs != (before,) for before, t in zip(graph.tensors, rest, strict=False)):
            raise ArgumentError("a Sequential's layers form one line; these do not")
        return cls([first, *(tensor.layer for tensor in rest)], name=name)

    @property
    def layers(self) -> list[Layer]:
        """Every layer, in order, without the InputLayer."""
        if self._graph is None:
            return list({id(layer): layer for layer in self._waiting}.values())
        return [layer for layer in self._graph.layers if not isinstance(layer, InputLayer)]

    def add(self, layer: Layer | SymbolicTensor) -> None:
        """Put one more layer at the end."""
        self._add([layer])

    def _add(self, elements: list[Layer | SymbolicTensor]) -> None:
        """Put these at the end; the network is made once, if its input's shape is known."""
        start, layers = self._start_and_layers(elements)
        check_names([*self.layers, *layers])
        if start is not None:
            self._grow((start.source,), start, layers)
        elif self._graph is not None:
            self._grow(self._graph.inputs, self._graph.outputs[0], layers)
        else:
            self._waiting += layers

    def _start_and_layers(
        self, elements: list[Layer | SymbolicTensor]
    ) -> tuple[SymbolicTensor | None, list[Layer]]:
        """The network's input, if it is said here: by an Input or by the first layer."""
        start, rest = None, elements
        if elements and isinstance(elements[0], SymbolicTensor):
            start, rest = elements[0], elements[1:]
        layers = [_layer(element) for element in rest]
        begun = self.is_built or bool(self._waiting)
        if not begun and start is None and layers and layers[0].given_input_shape is not None:
            start = Input(layers[0].given_input_shape)
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

    def _waiting_text(self) -> str:
        return f"{len(self._waiting)} layers, the input's shape not known yet"

    def build_for(self, inputs: tuple[np.ndarray, ...]) -> None:
        """Make the layers for arrays like these, if no Input said their shape."""
        if self._graph is not None:
            return
        with self.lock:  # another thread may have come first, or come now
            if self._graph is None and self._waiting:
                self.take_graph(self._line_from(inputs[0].shape[1:]))
                self._waiting = []

    def _line_from(self, shape: Shape) -> Graph:
        """The graph of the waiting layers for samples of that shape."""
        new = [layer for layer in self._waiting if not layer.built]
        try:
            first = last = Input(shape)
            for layer in self._waiting:
                last = layer(last)
            return graph_between((first,), (last,))
        except BaseException:  # these arrays were wrong, or Ctrl-C: wait for others
            for layer in new:
                layer.built = False
                layer.parameters.clear()
            raise


def _layer(element: object) -> Layer:
    """The element, if it may stand behind others."""
    if isinstance(element, SymbolicTensor):
        raise ArgumentError(NOT_FIRST)
    if isinstance(element, type) and issubclass(element, Layer):
        raise ArgumentError(class_for_object(element))
    if not isinstance(element, Layer):
        raise ArgumentError(f"Sequential takes layers; got {type(element).__name__}")
    return element
