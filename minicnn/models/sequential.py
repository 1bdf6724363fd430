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
from minicnn.registry import a_class_given


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
        for layer in layers:
            self.add(layer)

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
        if isinstance(layer, SymbolicTensor):
            self._begin_with(layer)
            return
        if not isinstance(layer, Layer):
            if isinstance(layer, type) and issubclass(layer, Layer):
                raise ArgumentError(a_class_given(layer))
            raise ArgumentError(f"Sequential takes layers; got {type(layer).__name__}")
        check_names([*self.layers, layer])
        if self._graph is None and layer.given_input_shape is not None:
            self._begin_with(Input(layer.given_input_shape))
            self._append(layer)
        elif self._graph is None:
            self._waiting.append(layer)
        else:
            self._append(layer)

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

    def _begin_with(self, tensor: SymbolicTensor) -> None:
        if self._graph is not None or self._waiting:
            raise ArgumentError("an Input can only be the first element of a Sequential")
        self.take_graph(graph_between((tensor.source,), (tensor,)))

    def _append(self, layer: Layer) -> None:
        graph = self.graph
        self.take_graph(graph_between(graph.inputs, (layer(graph.outputs[0]),)))
