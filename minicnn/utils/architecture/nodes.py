"""The calls of layers that make up a network, as the nodes of a graph."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from minicnn.contracts import Spec
from minicnn.errors import DTypeError
from minicnn.layers import InputLayer
from minicnn.layers.apply import infer_spec
from minicnn.layers.base import Layer
from minicnn.models.graph import Graph
from minicnn.models.network import Network

UNKNOWN = 256  # what stands for an unknown length of the input
LETTERS = {1: "T", 2: "HW"}  # of unknown lengths, by the number of axes before the channels


class Node(NamedTuple):
    """One call of a layer: what it reads, and the shape of what it gives."""

    layer: Layer
    sources: tuple[int, ...]  # the indices of the nodes that it reads, each once
    shape: tuple[int, ...]  # of the output for one sample, with a guess for unknown lengths
    shape_text: str  # "28 × 28 × 20"
    parameters: int
    is_output: bool  # whether the network returns it
    is_shared: bool  # whether the same layer is called more than once


def nodes_of(model: Any, *, nested: bool = False) -> list[Node]:
    """Return the nodes of a network, each after those that it reads.

    Parameters
    ----------
    nested : whether the layers of networks inside the network have nodes of their own

    Raises
    ------
    DTypeError : `model` is no network
    ArgumentError : its input's shape is not known yet
    """
    if not isinstance(model, Network):
        raise DTypeError(f"a drawing needs a Model or Sequential; got {type(model).__name__}")
    collected = _Collected(nested)
    inputs = [_known(tensor.spec) for tensor in model.graph.inputs]
    outputs = set(collected.add(model.graph, inputs, []))
    calls = Counter(id(node.layer) for node in collected.nodes)
    return [
        node._replace(is_output=i in outputs, is_shared=calls[id(node.layer)] > 1)
        for i, node in enumerate(collected.nodes)
    ]


class _Collected:
    """The nodes that were found so far."""

    def __init__(self, nested: bool) -> None:
        self.nested = nested
        self.nodes: list[Node] = []
        self.counted: set[int] = set()  # the ids of the parameters that a node has counted

    def add(self, graph: Graph, inputs: list[Spec], feeding: list[int]) -> list[int]:
        """Add the nodes of a graph whose inputs have these Specs; return those of its outputs.

        `feeding` are the nodes that give the inputs, [] for the inputs of the whole network.
        """
        specs = _specs(graph, inputs)
        outputs: dict[int, list[Any]] = {}  # of each call, by its id
        for tensor in graph.tensors:
            outputs.setdefault(id(tensor.call), []).append(tensor)
        node_of = {id(t): i for t, i in zip(graph.inputs, feeding, strict=False)}
        of_call: dict[int, list[int]] = {}
        for tensor in graph.tensors:
            if id(tensor) in node_of:
                continue
            if id(tensor.call) not in of_call:
                read = [node_of[id(t)] for t in tensor.inputs]
                of_call[id(tensor.call)] = self._call(outputs[id(tensor.call)], specs, read)
            found = of_call[id(tensor.call)]
            node_of[id(tensor)] = found[min(tensor.index, len(found) - 1)]
        return [node_of[id(t)] for t in graph.outputs]

    def _call(self, outputs: list[Any], specs: dict[int, Spec], read: list[int]) -> list[int]:
        """Add the nodes of the call that gives these tensors; return those of its outputs."""
        tensor = outputs[0]
        layer = tensor.layer
        if self.nested and isinstance(layer, Network) and not layer.is_subclassed:
            given = [_known(specs.get(id(t), t.spec)) for t in tensor.inputs]
            return self.add(layer.graph, given, read)
        known = specs.get(id(tensor), tensor.spec)
        new = [p for p in layer.parameters if id(p) not in self.counted]
        self.counted.update(map(id, new))
        node = Node(
            layer,
            tuple(dict.fromkeys(read)),
            tuple(length or UNKNOWN for length in known.shape[1:]),
            ", ".join(_text(t.shape[1:], specs.get(id(t), t.spec).shape[1:]) for t in outputs),
            sum(p.size for p in new),
            False,
            False,
        )
        self.nodes.append(node)
        return [len(self.nodes) - 1]


def _known(spec: Spec) -> Spec:
    """Return the Spec of one sample, with a guess for unknown lengths."""
    return Spec((1, *(length or UNKNOWN for length in spec.shape[1:])), spec.dtype)


def _specs(graph: Graph, inputs: list[Spec]) -> dict[int, Spec]:
    """Return the Specs of all tensors for these inputs, by their ids.

    {} if the tensors' own Specs have no unknown lengths, or if the guessed lengths do not fit.
    """
    if not any(None in tensor.shape[1:] for tensor in graph.tensors):
        return {}
    try:
        return graph.results(infer_spec, *inputs, training=False)
    except Exception:  # a layer of one's own may raise anything for lengths that it cannot take
        return {}


def _text(shape: Sequence[int | None], known: Sequence[int | None]) -> str:
    """Return a shape as "28 × 28 × 20"; unknown lengths as parts of the input's: "H/2 × W/2 × 20".

    >>> _text((None, None, 20), (128, 64, 20))
    'H/2 × W/4 × 20'
    """
    letters = LETTERS.get(len(shape) - 1, "?" * len(shape)) + "?"
    lengths = [
        _part(letter, guess) if length is None else f"{length:,}" if length > 9999 else f"{length}"
        for length, guess, letter in zip(shape, known, letters, strict=False)
    ]
    return " × ".join(lengths) or "1"


def _part(letter: str, length: int | None) -> str:
    """Return an unknown length as a part of the input's: "H", "H/2", "2H" or about "H/2"."""
    if not length or letter == "?":
        return "?"
    if length >= UNKNOWN:
        factor = length / UNKNOWN
        exact, text = factor.is_integer(), f"{round(factor)}{letter}" if factor >= 1.5 else letter
    else:
        divisor = UNKNOWN / length
        exact = divisor.is_integer()
        text = f"{letter}/{round(divisor)}" if divisor >= 1.5 else letter
    return text if exact else f"~{text}"


def is_input(node: Node) -> bool:
    """Return whether the node is an input of the network."""
    return isinstance(node.layer, InputLayer)
