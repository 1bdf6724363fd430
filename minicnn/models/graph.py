"""A network as a graph of layers: which layers there are, in which order, and what feeds each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from minicnn.errors import ArgumentError
from minicnn.layers import InputLayer
from minicnn.layers.apply import Apply
from minicnn.layers.base import Layer
from minicnn.layers.parameter import Parameter
from minicnn.layers.symbolic import SymbolicTensor
from minicnn.models.rng_keys import with_own_masks
from minicnn.support.auto_names import snake, unique_name


class Graph(NamedTuple):
    """The tensors of a network, in an order in which each one comes after those that it needs."""

    inputs: tuple[SymbolicTensor, ...]
    outputs: tuple[SymbolicTensor, ...]
    tensors: tuple[SymbolicTensor, ...]

    @property
    def layers(self) -> list[Layer]:
        """Every layer once, in order."""
        return list({id(t.layer): t.layer for t in self.tensors}.values())

    @property
    def parameters(self) -> list[Parameter]:
        """Every layer's parameters, in order."""
        return list({id(p): p for layer in self.layers for p in layer.parameters}.values())

    def forward(self, apply: Apply, *inputs: Any, training: bool) -> list[Any]:
        """Run each layer's `forward` with this `apply`; return one result per output."""
        values = self.results(apply, *inputs, training=training)
        return [values[id(t)] for t in self.outputs]

    def results(self, apply: Apply, *inputs: Any, training: bool) -> dict[int, Any]:
        """Return the results of all layers, by the ids of their tensors."""
        return {id(t): x for t, x in self.walk(apply, *inputs, training=training)}

    def walk(
        self, apply: Apply, *inputs: Any, training: bool
    ) -> Iterator[tuple[SymbolicTensor, Any]]:
        """Yield each tensor with its value as soon as that is computed, the inputs first."""
        return self._walk(with_own_masks(apply), *inputs, training=training)

    def inner_forward(self, apply: Apply, *inputs: Any, training: bool) -> list[Any]:
        """Do the same as `forward` for a network inside another one, which counts the masks."""
        values = {id(t): x for t, x in self._walk(apply, *inputs, training=training)}
        return [values[id(t)] for t in self.outputs]

    def _walk(
        self, apply: Apply, *inputs: Any, training: bool
    ) -> Iterator[tuple[SymbolicTensor, Any]]:
        values = {id(t): x for t, x in zip(self.inputs, inputs, strict=True)}
        results: dict[int, list[Any]] = {}  # of each call of a layer, by its id
        for tensor in self.tensors:
            if id(tensor) not in values:
                call = tensor.call
                if id(call) not in results:
                    read = [values[id(t)] for t in call.inputs]
                    results[id(call)] = call.results(apply, read, training=training)
                values[id(tensor)] = results[id(call)][tensor.index]
            yield tensor, values[id(tensor)]


def graph_between(inputs: tuple[SymbolicTensor, ...], outputs: tuple[SymbolicTensor, ...]) -> Graph:
    """Return the graph that leads from `inputs` to `outputs`."""
    for tensor in (*inputs, *outputs):
        if not isinstance(tensor, SymbolicTensor):
            raise ArgumentError(
                "inputs and outputs of a Model must be what Input(...) and layers return; got "
                f"{type(tensor).__name__}"
            )
    if not inputs or not outputs:
        raise ArgumentError("a Model needs at least one input and one output; got an empty list")
    inputs = tuple(tensor.source for tensor in inputs)
    graph = Graph(inputs, outputs, _sorted(inputs, outputs))
    _rename_inputs(graph.layers)
    check_names(graph.layers)
    return graph


def _sorted(
    inputs: tuple[SymbolicTensor, ...], outputs: tuple[SymbolicTensor, ...]
) -> tuple[SymbolicTensor, ...]:
    """Sort depth first, without recursion: a network may be deeper than Python's stack."""
    done = {id(t): t for t in inputs}
    stack = list(reversed(outputs))
    while stack:
        tensor = stack[-1]
        missing = [t for t in tensor.inputs if id(t) not in done]
        if isinstance(tensor.layer, InputLayer) and id(tensor) not in done:
            raise ArgumentError(f"{tensor.layer.name} is needed but not among the Model's inputs")
        stack.extend(reversed(missing))
        if not missing:
            done.setdefault(id(stack.pop()), tensor)
    return tuple(done.values())


def _rename_inputs(layers: list[Layer]) -> None:
    """Rename InputLayers with automatic names that are taken, as when two networks are joined."""
    automatic = snake(InputLayer.__name__)
    taken = {layer.name for layer in layers if not isinstance(layer, InputLayer)}
    for layer in layers:
        if isinstance(layer, InputLayer):
            if layer.name in taken and layer.name.startswith(automatic):
                layer.name = unique_name(InputLayer.__name__)
            taken.add(layer.name)


def check_names(layers: Iterable[Layer]) -> None:
    """Raise ArgumentError if two layers have the same name."""
    names: dict[str, Layer] = {}
    for layer in layers:
        if names.setdefault(layer.name, layer) is not layer:
            raise ArgumentError(
                f"two layers are called {layer.name!r}, but names must differ. Rename one of them: "
                f'layer.name = "other"'
            )
