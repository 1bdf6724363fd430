"""Fusion: chains of operations that one kernel computes faster than several."""

from __future__ import annotations

from collections.abc import Callable

from minicnn.contracts import Spec
from minicnn.models.planner.trace import Node, Value
from minicnn.operations.batch_norm import BATCH_NORM_TRAINING
from minicnn.operations.batch_norm_dropout import BATCH_NORM_DROPOUT
from minicnn.operations.conv2d_max_pool2d import (
    CONV2D_MAX_POOL2D,
    CONV2D_MAX_POOL2D_MOMENTS,
    MAX_CELLS,
)
from minicnn.operations.conv2d_relu import CONV2D_RELU
from minicnn.operations.scale_channels import SCALE_CHANNELS, are_factors

# A function that returns one node for a chain of nodes, or None if there is none.
Fuse = Callable[[list[Node]], Node | None]


def fuse_operations(nodes: list[Node], live_out: set[int]) -> list[Node]:
    """Replace each chain of PATTERNS by its fused node, longer chains first.

    A chain is fused if nothing else reads the values between its nodes and they are not in
    `live_out`, the ids of the program's results.
    """
    nodes = scale_by_channel(nodes, live_out)
    for pattern, fuse in PATTERNS.items():
        nodes = replace_chains(nodes, pattern, fuse, live_out)
    return nodes


def replace_chains(
    nodes: list[Node], pattern: tuple[str, ...], fuse: Fuse, live_out: set[int]
) -> list[Node]:
    """Replace each chain of nodes whose operations are `pattern` by fuse(chain)."""
    readers = _readers(nodes)
    writers = {id(node.writes[0]): node for node in nodes}
    replaced: dict[Node, Node | None] = {}  # None: the chain's last node takes over
    for node in nodes:
        chain = _chain_to(node, pattern, writers, readers, live_out)
        new = fuse(chain) if chain else None
        if new is not None:
            replaced |= {**dict.fromkeys(chain), node: new}
    return [new for node in nodes if (new := replaced.get(node, node)) is not None]


def _chain_to(
    last: Node,
    pattern: tuple[str, ...],
    writers: dict[int, Node],
    readers: dict[int, int],
    live_out: set[int],
) -> list[Node]:
    """Return the chain of nodes that matches `pattern` and ends with `last`, [] without one."""
    chain: list[Node] = []
    node: Node | None = last
    for name in reversed(pattern):
        if node is None or node.operation.name != name:
            return []
        between = node.writes[0]
        if node is not last and (readers.get(id(between)) != 1 or id(between) in live_out):
            return []
        chain.insert(0, node)
        node = writers.get(id(node.reads[0]))
    return chain


def scale_by_channel(nodes: list[Node], live_out: set[int]) -> list[Node]:
    """Let products with factors per channel read these factors, without repeating them first."""
    readers = _readers(nodes)
    writers = {id(node.writes[0]): node for node in nodes}
    replaced: dict[Node, Node | None] = {}  # None: the product takes over
    for node in nodes:
        if node.operation.name != "multiply":
            continue
        for factor, other in (node.reads, node.reads[::-1]):
            repeated = writers.get(id(factor))
            alone = readers[id(factor)] == 1 and id(factor) not in live_out
            if repeated and alone and _are_channel_factors(repeated):
                reads = (other, repeated.reads[0])
                replaced |= {repeated: None, node: Node(SCALE_CHANNELS, reads, node.writes, {})}
                break
    return [new for node in nodes if (new := replaced.get(node, node)) is not None]


def _are_channel_factors(node: Node) -> bool:
    """Return whether a node repeats factors per channel for all pixels."""
    x = node.reads[0]
    return (
        node.operation.name == "broadcast_to"
        and x is not None
        and are_factors(x.shape, node.writes[0].shape)
    )


def share_moments(nodes: list[Node]) -> list[Node]:
    """Let a pooled convolution compute the moments of its result that a batch norm needs."""
    writers = {id(node.writes[0]): node for node in nodes}
    replaced: dict[Node, Node] = {}
    for norm in nodes:
        conv = writers.get(id(norm.reads[0]))
        if conv and conv.operation is CONV2D_MAX_POOL2D and norm.operation in NORMS:
            with_moments = replaced.setdefault(conv, _with_moments(conv))
            reads = (*norm.reads[:5], with_moments.writes[2], *norm.reads[6:])
            replaced[norm] = Node(norm.operation, reads, norm.writes, norm.attributes)
    return [replaced.get(node, node) for node in nodes]


def _with_moments(conv: Node) -> Node:
    y, argmax = conv.writes
    moments = Value(f"{y.name}.moments", Spec((2, y.shape[-1]), "float64"))
    return Node(CONV2D_MAX_POOL2D_MOMENTS, conv.reads, (y, argmax, moments), conv.attributes)


def _pooled(chain: list[Node]) -> Node | None:
    conv, pool = chain[0], chain[-1]
    size = pool.attributes["window"].size
    if size[0] * size[1] > MAX_CELLS:
        return None
    attributes = {
        **conv.attributes,
        "pool": pool.attributes["window"],
        "activation": "relu" if len(chain) == 3 else "linear",
    }
    y, argmax = pool.writes
    argmax = Value(argmax.name, argmax.spec._replace(dtype="uint8"))
    return Node(CONV2D_MAX_POOL2D, conv.reads, (y, argmax), attributes)


def _with_relu(chain: list[Node]) -> Node:
    conv, relu = chain
    return Node(CONV2D_RELU, conv.reads, relu.writes, conv.attributes)


def _with_dropout(chain: list[Node]) -> Node:
    norm, dropout = chain
    return Node(
        BATCH_NORM_DROPOUT,
        (*norm.reads, dropout.reads[1]),
        (*dropout.writes, *norm.writes[1:]),
        {**norm.attributes, **dropout.attributes},
    )


# The chains that one node can replace.
PATTERNS: dict[tuple[str, ...], Fuse] = {
    ("conv2d", "relu", "max_pool2d"): _pooled,
    ("conv2d", "max_pool2d"): _pooled,
    ("conv2d", "relu"): _with_relu,
    ("batch_norm_training", "dropout"): _with_dropout,
}


# Operations whose sixth argument holds the moments of the first.
NORMS = (BATCH_NORM_TRAINING, BATCH_NORM_DROPOUT)


def _readers(nodes: list[Node]) -> dict[int, int]:
    """Return the number of nodes that read each value, by its id."""
    counts: dict[int, int] = {}
    for node in nodes:
        for value in node.reads:
            counts[id(value)] = counts.get(id(value), 0) + 1
    return counts
