"""Blocks of a drawing: a convolution with its batch normalization and activation is one."""

from __future__ import annotations

from typing import NamedTuple

from minicnn import layers
from minicnn.layers.auto_contrast import AutoContrast
from minicnn.layers.base import Layer
from minicnn.layers.image_layer import RandomImageLayer
from minicnn.models.network import Network
from minicnn.support.text import shortened
from minicnn.utils.architecture.layer_words import is_activation, window_of, words_of
from minicnn.utils.architecture.nodes import Node, is_input

NORMALIZATIONS = (
    layers.BatchNormalization, layers.GroupNormalization, layers.LayerNormalization,
    layers.RMSNormalization,
)  # fmt: skip
# Layers that are drawn with the layer before or after them, because they keep the shape.
FOLLOWERS = (
    *NORMALIZATIONS, AutoContrast, RandomImageLayer, layers.Activation,
    layers.ActivityRegularization, layers.AlphaDropout, layers.Dropout, layers.ELU,
    layers.GaussianDropout, layers.GaussianNoise, layers.Identity, layers.LeakyReLU,
    layers.LocalResponseNormalization, layers.Normalization, layers.PReLU, layers.ReLU,
    layers.Rescaling, layers.Softmax, layers.UnitNormalization,
)  # fmt: skip
BORDERS = (layers.ZeroPadding1D, layers.ZeroPadding2D)
# Functions of `minicnn.ops` that are drawn as the layers that do the same.
FUNCTION_KINDS = {
    "add": "Add", "subtract": "Subtract", "multiply": "Multiply", "concatenate": "Concatenate",
}  # fmt: skip
MAX_LISTED = 12  # layers of a network inside the network that are listed
MAX_NAME = 24  # letters of an input's or an output's name


class Words(NamedTuple):
    """A line of text, and the same without what may differ between blocks that are equal."""

    text: str
    short: str


class Listed(NamedTuple):
    """A layer of a network inside the network."""

    kind: str
    text: str


class Block(NamedTuple):
    """Layers that are drawn as one arrow, with the array that they compute at its end."""

    kind: str  # the name of the class that gives the block its color
    before: tuple[Words, ...]  # of layers before the main one, such as "batch norm"
    main: Words
    after: tuple[Words, ...]  # of those after it, such as "ReLU"
    shape: tuple[int, ...]  # of the output for one sample
    shape_text: str
    parameters: int
    sources: tuple[int, ...]  # the indices of the blocks that it reads
    window: tuple[int, ...] | None  # of a convolution or pooling
    reads: tuple[int, ...]  # shape of the first input
    is_output: bool
    listed: tuple[Listed, ...]  # the layers of a network inside the network
    name: str  # of the last layer

    @property
    def is_input(self) -> bool:
        """Whether the block is an input of the network."""
        return not self.sources

    @property
    def is_merge(self) -> bool:
        """Whether the block joins branches."""
        return len(self.sources) > 1

    @property
    def lines(self) -> tuple[Words, ...]:
        """All lines of text, in order."""
        return (*self.before, self.main, *self.after)

    def without_details(self) -> Block:
        """Return the block with the short forms of its texts."""
        before, after = (
            tuple(Words(line.short, line.short) for line in lines)
            for lines in (self.before, self.after)
        )
        return self._replace(before=before, main=Words(*2 * (self.main.short,)), after=after)


def blocks_of(nodes: list[Node]) -> list[Block]:
    """Return the blocks of a network, each after those that it reads."""
    parts: list[list[int]] = []  # the nodes of each block
    part_of: dict[int, int] = {}
    readers = _readers(nodes)
    for i, node in enumerate(nodes):
        part = part_of.get(node.sources[0]) if len(node.sources) == 1 else None
        alone = part is not None and readers[node.sources[0]] == 1
        if part is None or not alone or not _joins([nodes[j] for j in parts[part]], node):
            part = len(parts)
            parts.append([])
        parts[part].append(i)
        part_of[i] = part
    return [_block([nodes[i] for i in part], nodes, part_of) for part in parts]


def _readers(nodes: list[Node]) -> list[int]:
    """Return how many nodes read each one; the caller of the network counts as a reader."""
    counts = [int(node.is_output) for node in nodes]
    for node in nodes:
        for source in node.sources:
            counts[source] += 1
    return counts


def _joins(part: list[Node], node: Node) -> bool:
    """Return whether a node is drawn with the nodes before it.

    A normalization after a sum or a concatenation belongs to what follows, as in a DenseNet.
    """
    main = next((one for one in part if _is_main(one)), None)
    if main is None:
        return True
    merge = len(main.sources) > 1 and isinstance(node.layer, NORMALIZATIONS)
    return is_follower(node.layer) and not merge and not isinstance(main.layer, Network)


def _is_main(node: Node) -> bool:
    """Return whether a node is what its block is named after."""
    if len(node.sources) != 1:
        return True
    return not is_follower(node.layer) and not isinstance(node.layer, BORDERS)


def is_follower(layer: Layer) -> bool:
    """Return whether a layer is drawn with the one before it: it keeps the shape."""
    return isinstance(layer, FOLLOWERS) or is_activation(layer)


def _block(part: list[Node], nodes: list[Node], part_of: dict[int, int]) -> Block:
    first, last = part[0], part[-1]
    main = next((i for i, node in enumerate(part) if _is_main(node)), 0)
    lead = part[main]
    before = [words for node in part[:main] if is_follower(node.layer) for words in _words(node)]
    name, *after = _words(lead)
    after += [words for node in part[main + 1 :] for words in _words(node)]
    reads = nodes[first.sources[0]].shape if first.sources else ()
    return Block(
        _kind(lead.layer),
        tuple(before),
        name,
        tuple(after),
        last.shape,
        last.shape_text,
        sum(node.parameters for node in part),
        tuple(dict.fromkeys(part_of[source] for source in first.sources)),
        window_of(lead.layer),
        reads,
        last.is_output,
        _listed(lead.layer),
        shortened(last.layer.name, MAX_NAME),
    )


def _kind(layer: Layer) -> str:
    """Return the name of a layer's class, or of the one that does the same as a function."""
    name = type(layer).__name__
    if isinstance(layer, layers.FunctionLayer):
        return FUNCTION_KINDS.get(layer.function, name)
    return name


def _words(node: Node) -> list[Words]:
    """Return the lines of a node."""
    layer = node.layer
    if is_input(node):
        return [Words("input", "input")]
    found = words_of(layer)
    more = [found.activation] if found.activation else []
    if node.is_shared:
        more.append("shared")
    if node.parameters and not layer.trainable and not isinstance(layer, layers.Normalization):
        more.append("frozen")
    if isinstance(layer, Network):
        more.append(f"{len(_inner(layer))} layers")
    return [Words(found.text, found.short), *(Words(text, text) for text in more)]


def _inner(network: Network) -> list[Layer]:
    """Return the layers inside a network and inside those that it consists of."""
    apart = (Network, layers.InputLayer)
    return [one for one in network.flattened() if not isinstance(one, apart)]


def _listed(layer: Layer) -> tuple[Listed, ...]:
    """Return the layers of a network inside the network, () if they are too many."""
    if not isinstance(layer, Network) or len(layer.sublayers) > MAX_LISTED:
        return ()
    found = [(type(one).__name__, words_of(one)) for one in layer.sublayers]
    return tuple(
        Listed(kind, ", ".join(filter(None, (words.text, words.activation))))
        for kind, words in found
        if words.text and kind != layers.InputLayer.__name__
    )
